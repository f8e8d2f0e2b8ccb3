/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "options.h"
#include "xb/flags.h"
#include "xb/why.h"

#define FLAG(type, member, ...) XB_FLAG(type, struct options, member, __VA_ARGS__)

/* To add a flag: a member of struct options and a row. */
static const struct xb_flag rows[] = {
	FLAG(BOOL, cleanup, "cleanup", NULL, "Misc", "Remove every route, device, rule and file of ours from this node and exit"),
	FLAG(STRING, kubeconfig, "kubeconfig", NULL, "API server",
	     "A kubeconfig file. Without it and --master, the pod's service account is used"),
	FLAG(STRING, master, "master", NULL, "API server", "The API server's URL, in place of the kubeconfig's"),
	FLAG(STRING, hostname_override, "hostname-override", NULL, "Node", "The name of this node's Node object, if not the host's name"),
	FLAG(STRING, hostname_override, "node-name", NULL, "Node", "The same as --hostname-override"),
	FLAG(CHOICE, mode, "mode", "auto", "Routes",
	     "How other nodes' pods are reached: direct, by a route to the node; vxlan, within packets to the node; auto, directly where the node "
	     "is on a shared link", .choices = "auto|direct|vxlan"),
	FLAG(INT, vni, "vxlan-vni", "1", "Routes", "The VXLAN's network identifier", .min = 1, .max = 16777215),
	FLAG(PORT, vxlan_port, "vxlan-port", "8472", "Routes", "The VXLAN's UDP port", .min = 1),
	FLAG(INT, mtu, "mtu", "0", "Routes", "Of pods. 0: that of the link to other nodes, without what a VXLAN needs if there is one", .max = 65535),
	FLAG(BOOL, masquerade, "masquerade", "true", "Masquerade", "Whether what pods send out of the cluster is given the node's address"),
	FLAG(LIST, cluster_cidrs, "cluster-cidr", NULL, "Masquerade",
	     "Networks to which nothing is masqueraded, besides all nodes' pod networks and addresses"),
	FLAG(STRING, cni_conf_dir, "cni-conf-dir", "/etc/cni/net.d", "CNI", "Where 10-xebec.conflist is written. Empty: nowhere"),
	FLAG(STRING, cni_bin_dir, "cni-bin-dir", "/opt/cni/bin", "CNI",
	     "Where xebec-cni, of the folder of this program, is put, also by the name loopback where there is none. Empty: nowhere"),
	FLAG(STRING, cni_data_dir, "cni-data-dir", "/var/lib/cni/networks", "CNI", "Where the plugin notes addresses"),
	FLAG(ENDPOINT, healthz, "healthz-bind-address", "127.0.0.1:10268", "Serving", "Where /healthz and /livez are served", .max = 10268),
	FLAG(ENDPOINT, metrics, "metrics-bind-address", "127.0.0.1:10269", "Serving", "Where /metrics is served", .max = 10269),
	XB_PROCESS_FLAGS(struct options, process),
};

void netd_options_help(struct xb_buf *out)
{
	xb_flags_help(rows, ARRAY_SIZE(rows), "xebec-netd",
		      "Watches Nodes and keeps this node's routes to the pods of others, and the masquerade of what pods send out of the cluster.", out);
}

void netd_options_done(struct options *o)
{
	xb_flags_done(rows, ARRAY_SIZE(rows), o);
	free(o->node_name);
	free(o->cidrs);
	*o = (struct options){};
}

static int read_cidrs(struct options *o, char **reterr_why)
{
	size_t n = 0;

	while (o->cluster_cidrs && o->cluster_cidrs[n])
		n++;
	o->cidrs = calloc(n + 1, sizeof(*o->cidrs));
	if (!o->cidrs)
		return -ENOMEM;
	for (; o->n_cidrs < n; o->n_cidrs++) {
		struct xb_net net;

		if (xb_net_parse(xb_sv(o->cluster_cidrs[o->n_cidrs]), &net) < 0)
			return xb_why(reterr_why, -EINVAL, "--cluster-cidr: \"%s\" is not a network, as 10.244.0.0/16", o->cluster_cidrs[o->n_cidrs]);
		o->cidrs[o->n_cidrs] = xb_net_of(&net.ip, net.bits);
	}
	return 0;
}

int netd_options_parse(struct options *o, int argc, char *const argv[], char **reterr_why)
{
	int r;

	*o = (struct options){};
	r = xb_flags_parse(rows, ARRAY_SIZE(rows), argc, argv, o, reterr_why);
	if (!r && o->mtu && o->mtu < 576)
		r = xb_why(reterr_why, -EINVAL, "--mtu: %d is less than 576", o->mtu);
	if (!r)
		r = xb_process_node_name(o->hostname_override, &o->node_name, reterr_why);
	if (!r)
		r = read_cidrs(o, reterr_why);
	if (!r)
		o->path_mode = !strcmp(o->mode, "direct") ? MODE_DIRECT : !strcmp(o->mode, "vxlan") ? MODE_VXLAN : MODE_AUTO;
	return r;
}
