/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "options.h"
#include "xb/config_file.h"
#include "xb/flags.h"
#include "xb/time.h"
#include "xb/vec.h"
#include "xb/why.h"

#define FLAG(type_, member, name_, fallback_, group_, ...) \
	XB_FLAG(type_, struct kubelet_options, member, name_, fallback_, group_, __VA_ARGS__)
#define TAKEN(name_) FLAG(STRING, accepted_text, name_, NULL, "Accepted", "Of no effect")
#define SWITCH(name_) FLAG(BOOL, accepted_switch, name_, NULL, "Accepted", "Of no effect")

/* To add a flag: a member of struct kubelet_options and a row; for a field of the file a row in config.c. */
static const struct xb_flag rows[] = {
	FLAG(STRING, config, "config", NULL, "Misc", "A KubeletConfiguration file. Flags go before what it sets"),
	FLAG(LIST, feature_gates, "feature-gates", NULL, "Misc", "A list of Name=true|false. There are no gates here"),

	FLAG(STRING, kubeconfig, "kubeconfig", NULL, "Cluster", "A kubeconfig file. Without it only static pods run"),
	FLAG(STRING, cert_dir, "cert-dir", "/var/lib/kubelet/pki", "Cluster", "Where certificates are kept that are made or asked for"),
	FLAG(STRING, hostname_override, "hostname-override", NULL, "Node", "The name of this node, if not the host's name"),
	FLAG(LIST, node_ip, "node-ip", NULL, "Node", "The node's address, or one of each family. Default: that of the default route"),
	FLAG(BOOL, register_node, "register-node", "true", "Node", "Make the Node object if it is not there"),
	FLAG(LIST, node_labels, "node-labels", NULL, "Node", "Labels of the Node when it is made: key=value,..."),
	FLAG(LIST, register_with_taints, "register-with-taints", NULL, "Node", "Taints of the Node when it is made: key=value:Effect,..."),
	FLAG(DURATION, node_status_update_ms, "node-status-update-frequency", "10s", "Node", "How often the node is looked at"),
	FLAG(DURATION, node_status_report_ms, "node-status-report-frequency", "5m", "Node",
	     "How often its status is written when nothing changed"),
	FLAG(INT, node_lease_s, "node-lease-duration-seconds", "40", "Node", "How long its Lease is good for", .min = 1, .max = 86400),

	FLAG(STRING, root_dir, "root-dir", "/var/lib/kubelet", "Pods", "Where volumes and other files of pods are"),
	FLAG(STRING, static_path, "pod-manifest-path", NULL, "Pods", "A folder of static pods, or a file"),
	FLAG(DURATION, file_check_ms, "file-check-frequency", "20s", "Pods", "How often it is looked for while it is not there"),
	FLAG(STRING, pod_logs_dir, "pod-logs-dir", "/var/log/pods", "Pods", "Where logs of containers are"),
	FLAG(LIST, cluster_dns, "cluster-dns", NULL, "Pods", "Name servers of pods with dnsPolicy ClusterFirst"),
	FLAG(STRING, cluster_domain, "cluster-domain", NULL, "Pods", "The cluster's domain"),
	FLAG(STRING, resolv_conf, "resolv-conf", "/etc/resolv.conf", "Pods", "What pods with dnsPolicy Default resolve by"),
	FLAG(INT, max_pods, "max-pods", "110", "Pods", "How many pods may run here", .min = 1, .max = 100000),
	FLAG(INT, pod_max_pids, "pod-max-pids", "-1", "Pods", "How many processes a pod may have; -1: any number", .min = -1, .max = INT32_MAX),
	FLAG(BOOL, seccomp_default, "seccomp-default", NULL, "Pods", "RuntimeDefault where a pod names no seccomp profile"),
	FLAG(BOOL, cpu_cfs_quota, "cpu-cfs-quota", "true", "Pods", "Limits of processor time are enforced"),

	FLAG(STRING, runtime_endpoint, "container-runtime-endpoint", "unix:///run/containerd/containerd.sock", "Runtime",
	     "The runtime's socket, or fake:// for one that runs nothing"),
	FLAG(DURATION, runtime_request_ms, "runtime-request-timeout", "2m", "Runtime", "How long it may take to answer"),
	FLAG(STRING, log_max_size, "container-log-max-size", "10Mi", "Runtime", "From which size on a container's log is rotated"),
	FLAG(INT, log_max_files, "container-log-max-files", "5", "Runtime", "How many files of one container's log there are", .min = 2,
	     .max = 10000),
	FLAG(DURATION, log_check_ms, "container-log-monitor-interval", "10s", "Runtime", "How often their sizes are looked at; at least 3s"),
	FLAG(STRING, sandbox_image, "pod-infra-container-image", NULL, "Runtime", "An image that is not removed for want of room"),

	FLAG(STRING, cgroup_root, "cgroup-root", "/", "Room", "Below which pods' cgroups are"),
	FLAG(CHOICE, cgroup_driver, "cgroup-driver", "cgroupfs", "Room", "How the runtime names cgroups", .choices = "cgroupfs|systemd"),
	FLAG(BOOL, cgroups_per_qos, "cgroups-per-qos", "true", "Room", "Cgroups of classes of service and pods are made"),
	FLAG(LIST, system_reserved, "system-reserved", NULL, "Room", "What the system needs for itself: cpu=100m,memory=200Mi"),
	FLAG(LIST, kube_reserved, "kube-reserved", NULL, "Room", "What Kubernetes' programs need"),
	FLAG(LIST, eviction_hard, "eviction-hard", NULL, "Room", "When pods are evicted at once: memory.available<100Mi,..."),
	FLAG(LIST, eviction_soft, "eviction-soft", NULL, "Room", "When pods are evicted if that lasts"),
	FLAG(LIST, eviction_soft_grace, "eviction-soft-grace-period", NULL, "Room", "How long it may last: memory.available=1m30s,..."),
	FLAG(LIST, eviction_reclaim, "eviction-minimum-reclaim", NULL, "Room", "How much more is freed: nodefs.available=2Gi,..."),
	FLAG(DURATION, eviction_transition_ms, "eviction-pressure-transition-period", "5m", "Room",
	     "How long a node is told to be under pressure afterwards"),
	FLAG(INT, eviction_max_pod_grace_s, "eviction-max-pod-grace-period", "0", "Room", "Grace of pods evicted by soft thresholds",
	     .min = -1, .max = INT32_MAX),

	FLAG(INT, image_gc_high, "image-gc-high-threshold", "85", "Images", "Percent of the disk from which on images are removed", .max = 100),
	FLAG(INT, image_gc_low, "image-gc-low-threshold", "80", "Images", "Down to which they are", .max = 100),
	FLAG(DURATION, image_min_age_ms, "minimum-image-ttl-duration", "2m", "Images", "How long an image stays unused at least"),
	FLAG(BOOL, serialize_pulls, "serialize-image-pulls", "true", "Images", "One pull at a time"),
	FLAG(INT, max_parallel_pulls, "max-parallel-image-pulls", "0", "Images", "How many else; 0: any number", .max = 10000),

	FLAG(ADDRESS, address, "address", "0.0.0.0", "Serving", "Where --port is"),
	FLAG(PORT, port, "port", "10250", "Serving", "The port of logs, exec and the like"),
	FLAG(PORT, read_only_port, "read-only-port", "0", "Serving", "A port without authentication; 0: none"),
	FLAG(PORT, healthz_port, "healthz-port", "10248", "Serving", "The port of /healthz; 0: none"),
	FLAG(ADDRESS, healthz_bind_address, "healthz-bind-address", "127.0.0.1", "Serving", "Where --healthz-port is"),
	FLAG(STRING, tls_cert_file, "tls-cert-file", NULL, "Serving", "The serving certificate. Without it one is made"),
	FLAG(STRING, tls_private_key_file, "tls-private-key-file", NULL, "Serving", "Its key"),
	FLAG(STRING, client_ca_file, "client-ca-file", NULL, "Serving", "Who may sign certificates of clients"),
	FLAG(BOOL, anonymous_auth, "anonymous-auth", "true", "Serving", "Clients without credentials are system:anonymous"),
	FLAG(BOOL, authentication_token_webhook, "authentication-token-webhook", NULL, "Serving", "The API server knows tokens"),
	FLAG(CHOICE, authorization_mode, "authorization-mode", "AlwaysAllow", "Serving", "Who may do what", .choices = "AlwaysAllow|Webhook"),
	XB_PROCESS_FLAGS(struct kubelet_options, process),

	SWITCH("allow-privileged"), TAKEN("allowed-unsafe-sysctls"), TAKEN("authentication-token-webhook-cache-ttl"),
	FLAG(STRING, accepted_text, "bootstrap-kubeconfig", NULL, "Accepted", "Of no effect: the certificate that --kubeconfig names must be there"),
	TAKEN("authorization-webhook-cache-authorized-ttl"), TAKEN("authorization-webhook-cache-unauthorized-ttl"), TAKEN("cloud-provider"),
	TAKEN("container-runtime"), SWITCH("contention-profiling"),
	TAKEN("cpu-cfs-quota-period"), TAKEN("cpu-manager-policy"), SWITCH("enable-controller-attach-detach"),
	SWITCH("enable-debugging-handlers"), SWITCH("enable-server"), TAKEN("enforce-node-allocatable"), TAKEN("event-burst"),
	TAKEN("event-qps"), SWITCH("exit-on-lock-contention"), SWITCH("fail-swap-on"), TAKEN("hairpin-mode"),
	TAKEN("image-credential-provider-bin-dir"), TAKEN("image-credential-provider-config"), TAKEN("image-service-endpoint"),
	TAKEN("iptables-drop-bit"), TAKEN("iptables-masquerade-bit"), TAKEN("kube-api-burst"), TAKEN("kube-api-content-type"),
	TAKEN("kube-api-qps"), TAKEN("kubelet-cgroups"), SWITCH("local-storage-capacity-isolation"), TAKEN("lock-file"),
	TAKEN("log-flush-frequency"), SWITCH("make-iptables-util-chains"), TAKEN("max-open-files"), TAKEN("maximum-dead-containers"),
	TAKEN("maximum-dead-containers-per-container"), TAKEN("memory-manager-policy"), TAKEN("minimum-container-ttl-duration"),
	TAKEN("network-plugin"), TAKEN("oom-score-adj"), TAKEN("pod-cidr"), TAKEN("pods-per-core"), SWITCH("protect-kernel-defaults"),
	TAKEN("provider-id"), TAKEN("qos-reserved"), TAKEN("registry-burst"), TAKEN("registry-qps"), TAKEN("reserved-cpus"),
	SWITCH("rotate-certificates"), SWITCH("rotate-server-certificates"), SWITCH("runonce"), TAKEN("runtime-cgroups"),
	TAKEN("streaming-connection-idle-timeout"), TAKEN("sync-frequency"), TAKEN("system-cgroups"), TAKEN("tls-cipher-suites"),
	TAKEN("tls-min-version"), TAKEN("topology-manager-policy"), TAKEN("topology-manager-scope"), TAKEN("vmodule"),
	TAKEN("volume-plugin-dir"), TAKEN("volume-stats-agg-period"),
};

void kubelet_options_help(struct xb_buf *out)
{
	xb_flags_help(rows, ARRAY_SIZE(rows), "kubelet", "Runs the pods of one node.", out);
}

void kubelet_options_done(struct kubelet_options *o)
{
	xb_flags_done(rows, ARRAY_SIZE(rows), o);
	xb_config_flags_free(o->config_flags);
	xb_json_unref(o->eviction);
	free(o->node_name);
	*o = (struct kubelet_options){};
}

/* --- the file, and flags before it --- */
static bool is_flag(const char *word, struct xb_sv name)
{
	if (word[0] != '-' || word[1] != '-')
		return false;
	word += 2;
	for (size_t i = 0; i < name.n; i++)
		if (word[i] != name.p[i] && !(word[i] == '_' && name.p[i] == '-'))
			return false;
	return !word[name.n] || word[name.n] == '=';
}

static bool is_given(int argc, char *const argv[], const char *flag)
{
	struct xb_sv rest = xb_sv(flag + 2), name;

	xb_sv_split(&rest, '=', &name);
	for (int i = 1; i < argc; i++)
		if (is_flag(argv[i], name) || (xb_sv_is(name, "v") && argv[i][0] == '-' && argv[i][1] == 'v'))
			return true;
	return false;
}

static int parse_with_config(struct kubelet_options *o, int argc, char *const argv[], char **reterr_why)
{
	XB_VEC(char *) all = {};
	char **flags = NULL;
	int r = kubelet_config_read(o->config, &flags, reterr_why);

	if (r < 0)
		return r;
	xb_flags_done(rows, ARRAY_SIZE(rows), o);
	*o = (struct kubelet_options){ .config_flags = flags };
	r = xb_vec_push(&all, argv[0]);
	for (size_t i = 0; !r && flags[i]; i++)
		if (!is_given(argc, argv, flags[i]))
			r = xb_vec_push(&all, flags[i]);
	for (int i = 1; !r && i < argc; i++)
		r = xb_vec_push(&all, argv[i]);
	if (!r)
		r = xb_flags_parse(rows, ARRAY_SIZE(rows), (int)all.n, all.v, o, reterr_why);
	xb_vec_done(&all);
	return r;
}

/* --- what is made of them --- */
/* "memory.available<100Mi" as a member of an object of signals. */
static int write_signals(struct xb_jw *w, const char *field, const char *flag, char **list, char sep, char **reterr_why)
{
	if (!list)
		return 0;
	xb_jw_key(w, field);
	xb_jw_object(w);
	for (size_t i = 0; list[i]; i++) {
		struct xb_sv rest = xb_sv(list[i]), signal;

		if (!xb_sv_split(&rest, sep, &signal) || !rest.p)
			return xb_why(reterr_why, -EINVAL, "--%s: '%s' is not of the form signal%cvalue", flag, list[i], sep);
		xb_jw_keysv(w, signal);
		xb_jw_sv(w, rest);
	}
	xb_jw_end(w);
	return 0;
}

static int read_eviction(struct kubelet_options *o, char **reterr_why)
{
	_cleanup_buf_ struct xb_buf text = {};
	struct xb_jw w = XB_JW(&text);
	int r;

	xb_jw_object(&w);
	r = write_signals(&w, "evictionHard", "eviction-hard", o->eviction_hard, '<', reterr_why);
	if (!r)
		r = write_signals(&w, "evictionSoft", "eviction-soft", o->eviction_soft, '<', reterr_why);
	if (!r)
		r = write_signals(&w, "evictionSoftGracePeriod", "eviction-soft-grace-period", o->eviction_soft_grace, '=', reterr_why);
	if (!r)
		r = write_signals(&w, "evictionMinimumReclaim", "eviction-minimum-reclaim", o->eviction_reclaim, '=', reterr_why);
	if (r < 0)
		return r;
	xb_jw_kstr(&w, "evictionPressureTransitionPeriod", xb_duration_format(o->eviction_transition_ms * XB_MILLISECOND).s);
	xb_jw_kint(&w, "evictionMaxPodGracePeriod", o->eviction_max_pod_grace_s);
	xb_jw_end(&w);
	r = xb_jw_finish(&w);
	return r < 0 ? -ENOMEM : xb_json_parse(xb_buf_sv(&text), NULL, &o->eviction, NULL);
}

static int check(const struct kubelet_options *o, char **reterr_why)
{
	if (o->image_gc_low >= o->image_gc_high)
		return xb_why(reterr_why, -EINVAL, "--image-gc-low-threshold: %d is not below --image-gc-high-threshold, %d", o->image_gc_low,
			      o->image_gc_high);
	if (!o->tls_cert_file != !o->tls_private_key_file)
		return xb_why(reterr_why, -EINVAL, "--tls-cert-file and --tls-private-key-file are given both or not at all");
	if (*o->root_dir != '/')
		return xb_why(reterr_why, -EINVAL, "--root-dir: '%s' is not an absolute path", o->root_dir);
	if (*o->pod_logs_dir != '/')
		return xb_why(reterr_why, -EINVAL, "--pod-logs-dir: '%s' is not an absolute path", o->pod_logs_dir);
	for (size_t i = 0; o->node_ip && o->node_ip[i]; i++)
		if (i == 2)
			return xb_why(reterr_why, -EINVAL, "--node-ip: more than one address of each family");
	if (o->log_check_ms < 3000)
		return xb_why(reterr_why, -EINVAL, "--container-log-monitor-interval: less than 3s");
	return xb_flags_check_gates(o->feature_gates, reterr_why);
}

int kubelet_options_parse(struct kubelet_options *o, int argc, char *const argv[], char **reterr_why)
{
	int r;

	*o = (struct kubelet_options){};
	r = xb_flags_parse(rows, ARRAY_SIZE(rows), argc, argv, o, reterr_why);
	if (!r && o->config)
		r = parse_with_config(o, argc, argv, reterr_why);
	if (r < 0 || o->process.help || o->process.version)
		return r;
	r = check(o, reterr_why);
	if (!r)
		r = xb_process_node_name(o->hostname_override, &o->node_name, reterr_why);
	return r ? r : read_eviction(o, reterr_why);
}
