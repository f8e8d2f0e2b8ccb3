/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <mntent.h>

#include "options.h"
#include "xb/config_file.h"
#include "xb/flags.h"
#include "xb/why.h"

#define FLAG(name_, type_, member, fallback_, group_, help_, ...) \
	{ .name = name_, .type = XB_FLAG_##type_, .offset = offsetof(struct options, member), .fallback = fallback_, \
	  .group = group_, .help = help_, __VA_ARGS__ }

/* Upstream's, of no use here: who changes programs need not change command lines. */
#define ACCEPTED(name_, help_) FLAG(name_, STRING, ignored, NULL, "Accepted", help_)
#define ACCEPTED_SWITCH(name_, help_) FLAG(name_, BOOL, ignored_switch, NULL, "Accepted", help_)

/* To add a flag: a member of struct options and a row. */
static const struct xb_flag rows[] = {
	FLAG("config", STRING, config, NULL, "Misc",
	     "A KubeProxyConfiguration file. What it sets goes before flags, apart from --hostname-override"),
	FLAG("cleanup", BOOL, cleanup, NULL, "Misc", "Remove every program, link and table of ours from this node and exit"),
	FLAG("dry-run", BOOL, dry_run, NULL, "Misc",
	     "Print what would be changed in the eBPF tables of this node, change nothing, and exit: with 0 when nothing would, with 2 when something would"),
	FLAG("feature-gates", STRING, feature_gates, NULL, "Misc", "Accepted; there is nothing here to switch"),
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
	FLAG("proxy-mode", CHOICE, proxy_mode, NULL, "Data plane",
	     "How Services are made. Default: ebpf, or nftables where the kernel lets us have no BPF. For iptables and ipvs, ebpf stands in",
	     .choices = "ebpf|nftables|iptables|ipvs"),
	FLAG("cluster-cidr", STRING, cluster_cidr, NULL, "Data plane",
	     "Networks of pods (10.244.0.0/16,fd00:10:244::/56): who is in them is inside the cluster, and keeps his address"),
	FLAG("detect-local-mode", CHOICE, detect_local_mode, NULL, "Data plane",
	     "How pods are known: by --cluster-cidr, or by this Node's podCIDRs. Default: the former where it is given. The last two are refused",
	     .choices = "ClusterCIDR|NodeCIDR|BridgeInterface|InterfaceNamePrefix"),
	FLAG("masquerade-all", BOOL, masquerade_all, NULL, "Data plane", "Masquerade also what pods send to cluster IPs"),
	FLAG("host-ports", BOOL, host_ports, NULL, "Data plane", "Serve the hostPorts of this node's pods. Needs list and watch on pods"),
	FLAG("xdp-devices", LIST, xdp_devices, NULL, "Data plane",
	     "Network devices (eth0,eth1) whose packets are served by XDP, before the kernel looks at them"),
	FLAG("conntrack-max-per-core", INT, flows_per_core, "32768", "Data plane",
	     "How many open flows, for each processor, the tables of flows grow for, of each IP family; a flow is a connection that no socket of "
	     "this node's pods began. 0: as many as memory takes. Of mode ebpf alone", .max = 1 << 24),
	FLAG("conntrack-min", INT, flows_min, "131072", "Data plane", "As many at least, unless --conntrack-max-per-core is 0", .max = 1 << 30),
	FLAG("cgroup-path", STRING, cgroup_path, NULL, "Data plane",
	     "The cgroup-v2 folder whose sockets are served. Default: where cgroup2 is mounted"),
	FLAG("bpffs-path", STRING, bpffs_path, "/sys/fs/bpf", "Data plane", "The BPF file system: tables are pinned below"),
	XB_PROCESS_FLAGS(struct options, process),
	ACCEPTED_SWITCH("bind-address-hard-fail", "A port that cannot be bound is always an error"),
	ACCEPTED("config-sync-period", "Changes are watched for, not asked for"),
	ACCEPTED_SWITCH("conntrack-tcp-be-liberal", "Connections to Services are not tracked by the kernel"),
	ACCEPTED("conntrack-tcp-timeout-close-wait", "As --conntrack-tcp-be-liberal"),
	ACCEPTED("conntrack-tcp-timeout-established", "As --conntrack-tcp-be-liberal"),
	ACCEPTED("conntrack-udp-timeout", "As --conntrack-tcp-be-liberal"),
	ACCEPTED("conntrack-udp-timeout-stream", "As --conntrack-tcp-be-liberal"),
	ACCEPTED_SWITCH("iptables-localhost-nodeports", "Node ports answer at localhost"),
	ACCEPTED("iptables-masquerade-bit", "No mark is used"),
	ACCEPTED("iptables-min-sync-period", "A change is made at once"),
	ACCEPTED("iptables-sync-period", "As --iptables-min-sync-period"),
	ACCEPTED("ipvs-exclude-cidrs", "There is no IPVS"),
	ACCEPTED("ipvs-min-sync-period", "As --ipvs-exclude-cidrs"),
	ACCEPTED("ipvs-scheduler", "As --ipvs-exclude-cidrs"),
	ACCEPTED_SWITCH("ipvs-strict-arp", "As --ipvs-exclude-cidrs"),
	ACCEPTED("ipvs-sync-period", "As --ipvs-exclude-cidrs"),
	ACCEPTED("ipvs-tcp-timeout", "As --ipvs-exclude-cidrs"),
	ACCEPTED("ipvs-tcpfin-timeout", "As --ipvs-exclude-cidrs"),
	ACCEPTED("ipvs-udp-timeout", "As --ipvs-exclude-cidrs"),
	ACCEPTED("kube-api-burst", "Two lists and two watches need no limit"),
	ACCEPTED("kube-api-content-type", "JSON is asked for"),
	ACCEPTED("kube-api-qps", "As --kube-api-burst"),
	ACCEPTED("log-flush-frequency", "A line is written at once"),
	ACCEPTED("oom-score-adj", "It is the service manager's, or the kubelet's, to set"),
	ACCEPTED("pod-bridge-interface", "Of a --detect-local-mode that is refused"),
	ACCEPTED("pod-interface-name-prefix", "As --pod-bridge-interface"),
	ACCEPTED_SWITCH("profiling", "There is no profile to serve"),
	ACCEPTED("proxy-port-range", "No port of this node is used up by a Service"),
	ACCEPTED("show-hidden-metrics-for-version", "No metric is hidden"),
	ACCEPTED("vmodule", "Verbosity is of the whole"),
};

void proxy_options_help(struct xb_buf *out)
{
	xb_flags_help(rows, ARRAY_SIZE(rows), "kube-proxy",
		      "Watches Services and EndpointSlices and keeps the eBPF tables of this node equal to them.", out);
}

unsigned proxy_options_flows(const struct options *o, long processors)
{
	int64_t flows = MAX((int64_t)o->flows_min, (int64_t)o->flows_per_core * MAX(processors, 1));

	return o->flows_per_core ? (unsigned)MIN(flows, 1 << 30) : 0;
}

void proxy_options_done(struct options *o)
{
	xb_flags_done(rows, ARRAY_SIZE(rows), o);
	xb_config_flags_free(o->config_flags);
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
		xb_config_flags_free(flags);
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
	if (!r && o->proxy_mode && (!strcmp(o->proxy_mode, "iptables") || !strcmp(o->proxy_mode, "ipvs"))) {
		o->replaced_mode = o->proxy_mode;
		o->proxy_mode = "ebpf";
	}
	if (!r)
		r = xb_process_node_name(o->hostname_override, &o->node_name, reterr_why);
	if (!r)
		r = find_cgroup2(o);
	return r;
}
