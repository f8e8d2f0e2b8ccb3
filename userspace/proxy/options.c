/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <ctype.h>
#include <mntent.h>

#include "options.h"
#include "xb/flags.h"
#include "xb/why.h"

#define FLAG(name_, type_, member, fallback_, group_, help_, ...) \
	{ .name = name_, .type = XB_FLAG_##type_, .offset = offsetof(struct options, member), .fallback = fallback_, \
	  .group = group_, .help = help_, __VA_ARGS__ }

/* To add a flag: a member of struct options and a row. */
static const struct xb_flag rows[] = {
	FLAG("config", STRING, config, NULL, "Misc",
	     "A KubeProxyConfiguration file. What it sets goes before flags, apart from --hostname-override"),
	FLAG("cleanup", BOOL, cleanup, NULL, "Misc", "Remove every program, link and table of ours from this node and exit"),
	FLAG("feature-gates", STRING, feature_gates, NULL, "Misc", "Accepted; there is nothing here to switch"),
	FLAG("help", BOOL, help, NULL, "Misc", "Print this text and exit", .letter = 'h'),
	FLAG("version", BOOL, version, NULL, "Misc", "Print the version and exit"),
	FLAG("kubeconfig", STRING, kubeconfig, NULL, "API server",
	     "A kubeconfig file. Without it and --master, the pod's service account is used"),
	FLAG("master", STRING, master, NULL, "API server", "The API server's URL, in place of the kubeconfig's"),
	FLAG("hostname-override", STRING, hostname_override, NULL, "Node",
	     "The name of this node's Node object, if not the host's name"),
	FLAG("nodeport-addresses", LIST, nodeport_addresses, NULL, "Node",
	     "Networks (10.0.0.0/8,fd00::/8): node ports answer at this node's addresses in them, and to itself at localhost. "
	     "'primary': at the Node object's internal IPs. Default: at all addresses"),
	FLAG("bind-address", ADDRESS, bind_address, NULL, "Node", "Accepted; as upstream, nothing is bound to it"),
	FLAG("healthz-bind-address", ENDPOINT, healthz, "0.0.0.0:10256", "Serving", "Where /healthz and /livez are served",
	     .max = 10256),
	FLAG("metrics-bind-address", ENDPOINT, metrics, "127.0.0.1:10249", "Serving", "Where /metrics and /proxyMode are served",
	     .max = 10249),
	FLAG("proxy-mode", CHOICE, proxy_mode, "ebpf", "Data plane", "How Services are made", .choices = "ebpf"),
	FLAG("cgroup-path", STRING, cgroup_path, NULL, "Data plane",
	     "The cgroup-v2 folder whose sockets are served. Default: where cgroup2 is mounted"),
	FLAG("bpffs-path", STRING, bpffs_path, "/sys/fs/bpf", "Data plane", "The BPF file system: tables are pinned below"),
	FLAG("xdp-devices", LIST, xdp_devices, NULL, "Data plane",
	     "Devices (eth0,eth1) whose packets XDP looks at first. Worth it where node ports and load balancers carry much, and the driver has XDP"),
	FLAG("cluster-cidr", STRING, cluster_cidr, NULL, "Data plane", "Accepted; nothing is masqueraded on this path"),
	FLAG("logging-format", CHOICE, logging_format, "text", "Logs", "text or json", .choices = "text|json"),
	FLAG("v", INT, verbosity, "0", "Logs", "Verbosity", .max = 10, .letter = 'v'),
};

void proxy_options_help(struct xb_buf *out)
{
	xb_flags_help(rows, ARRAY_SIZE(rows), "kube-proxy",
		      "Watches Services and EndpointSlices and keeps the eBPF tables of this node equal to them.", out);
}

void proxy_options_done(struct options *o)
{
	xb_flags_done(rows, ARRAY_SIZE(rows), o);
	config_flags_free(o->config_flags);
	free(o->node_name);
	free(o->cgroup2);
	*o = (struct options){};
}

/* The file's fields are read as flags after those of the command line, so they win, as upstream's --config does. */
static int parse_with_config(struct options *o, int argc, char *const argv[], char **reterr_why)
{
	_cleanup_free_ char **all = NULL;
	const char *override = o->hostname_override;
	char **flags = NULL;
	size_t n = 0;
	int r = config_flags_read(o->config, &flags, reterr_why);

	if (r < 0)
		return r;
	while (flags[n])
		n++;
	all = calloc(argc + n + 1, sizeof(*all));
	if (!all) {
		config_flags_free(flags);
		return -ENOMEM;
	}
	memcpy(all, argv, argc * sizeof(*all));
	memcpy(all + argc, flags, n * sizeof(*all));
	xb_flags_done(rows, ARRAY_SIZE(rows), o);
	*o = (struct options){ .config_flags = flags };
	r = xb_flags_parse(rows, ARRAY_SIZE(rows), argc + (int)n, all, o, reterr_why);
	if (!r && override)
		o->hostname_override = override;
	return r;
}

static int name_node(struct options *o, char **reterr_why)
{
	char host[256] = "";
	struct xb_sv name = xb_sv_trim(xb_sv(o->hostname_override));

	if (!name.n) {
		gethostname(host, sizeof(host) - 1);
		name = xb_sv_trim(xb_sv(host));
	}
	if (!name.n)
		return xb_why(reterr_why, -EINVAL, "the host has no name: give --hostname-override");
	o->node_name = xb_sv_dup(name);
	for (char *c = o->node_name; c && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return o->node_name ? 0 : -ENOMEM;
}

static int find_cgroup2(struct options *o)
{
	struct mntent *m;
	FILE *f = NULL;
	bool none = false;

	if (o->cgroup_path) {
		o->cgroup2 = strdup(o->cgroup_path);
		return o->cgroup2 ? 0 : -ENOMEM;
	}
	f = setmntent("/proc/self/mounts", "r");
	while (f && !o->cgroup2 && !none && (m = getmntent(f)))
		if (!strcmp(m->mnt_type, "cgroup2"))
			none = !(o->cgroup2 = strdup(m->mnt_dir));
	if (f)
		endmntent(f);
	return none ? -ENOMEM : 0;
}

int proxy_options_parse(struct options *o, int argc, char *const argv[], char **reterr_why)
{
	int r;

	*o = (struct options){};
	r = xb_flags_parse(rows, ARRAY_SIZE(rows), argc, argv, o, reterr_why);
	if (!r && o->config)
		r = parse_with_config(o, argc, argv, reterr_why);
	if (!r)
		r = name_node(o, reterr_why);
	if (!r)
		r = find_cgroup2(o);
	return r;
}
