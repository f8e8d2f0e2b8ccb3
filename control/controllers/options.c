/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "options.h"
#include "nodes/node_ranges.h"
#include "xb/flags.h"
#include "xb/why.h"

#define FLAG(type, member, ...) XB_FLAG(type, struct kcm_options, member, __VA_ARGS__)

#define CA_FLAGS(member, signer) \
	FLAG(STRING, member.cert_file, "cluster-signing-" signer "-cert-file", NULL, "Cluster", "The CA of the signer " signer "."), \
	FLAG(STRING, member.key_file, "cluster-signing-" signer "-key-file", NULL, "Cluster", "The private key of that CA.")

static const struct xb_flag rows[] = {
	FLAG(LIST, controllers, "controllers", "*", "Generic",
	     "The loops to run, by upstream's names. '*': all that run by default, 'a': a as well, '-a': not a."),
	FLAG(BOOL, use_service_account_credentials, "use-service-account-credentials", "false", "Generic",
	     "Let each loop write as a service account of its own in kube-system, by upstream's names."),

	XB_PROGRAM_FLAGS(struct kcm_options, program, "kube-controller-manager", "10257"),

	FLAG(STRING, cluster_name, "cluster-name", "kubernetes", "Cluster", "The cluster's name."),
	FLAG(BOOL, allocate_node_cidrs, "allocate-node-cidrs", "false", "Cluster", "Give each node a part of --cluster-cidr."),
	FLAG(STRING, cluster_cidr, "cluster-cidr", NULL, "Cluster", "The range of the pods' addresses, or two of different families."),
	FLAG(STRING, service_cluster_ip_range, "service-cluster-ip-range", NULL, "Cluster", "The range of the Services' addresses."),
	FLAG(STRING, root_ca_file, "root-ca-file", NULL, "Cluster",
	     "CA certificates that every namespace gets as ConfigMap kube-root-ca.crt. Without it, the kubeconfig's."),
	FLAG(STRING, service_account_private_key_file, "service-account-private-key-file", NULL, "Cluster",
	     "Accepted: tokens, also those that Secrets keep, are the API server's to sign."),
	FLAG(STRING, cluster_signing.cert_file, "cluster-signing-cert-file", NULL, "Cluster",
	     "The CA that signs certificate requests to kubernetes.io/... Without it, those that each signer is given."),
	FLAG(STRING, cluster_signing.key_file, "cluster-signing-key-file", NULL, "Cluster", "The private key of --cluster-signing-cert-file."),
	CA_FLAGS(cluster_signing_kubelet_serving, "kubelet-serving"),
	CA_FLAGS(cluster_signing_kubelet_client, "kubelet-client"),
	CA_FLAGS(cluster_signing_kube_apiserver_client, "kube-apiserver-client"),
	CA_FLAGS(cluster_signing_legacy_unknown, "legacy-unknown"),
	FLAG(DURATION, cluster_signing_ms, "cluster-signing-duration", "8760h", "Cluster",
	     "How long a certificate is valid at most. A request may ask for less."),

	FLAG(INT, concurrent_deployment_syncs, "concurrent-deployment-syncs", "5", "Loops", "How many Deployments are worked on at once.",
	     .min = 1, .max = 10000),
	FLAG(INT, concurrent_rc_syncs, "concurrent-rc-syncs", "5", "Loops", "How many ReplicationControllers are worked on at once.",
	     .min = 1, .max = 10000),
	FLAG(INT, concurrent_replicaset_syncs, "concurrent-replicaset-syncs", "5", "Loops",
	     "How many ReplicaSets are worked on at once.", .min = 1, .max = 10000),
	FLAG(INT, concurrent_daemonset_syncs, "concurrent-daemonset-syncs", "2", "Loops", "How many DaemonSets are worked on at once.",
	     .min = 1, .max = 10000),
	FLAG(INT, concurrent_statefulset_syncs, "concurrent-statefulset-syncs", "5", "Loops",
	     "How many StatefulSets are worked on at once.", .min = 1, .max = 10000),
	FLAG(INT, concurrent_job_syncs, "concurrent-job-syncs", "5", "Loops", "How many Jobs are worked on at once.", .min = 1, .max = 10000),
	FLAG(INT, concurrent_cron_job_syncs, "concurrent-cron-job-syncs", "5", "Loops", "How many CronJobs are worked on at once.",
	     .min = 1, .max = 10000),
	FLAG(INT, concurrent_ttl_after_finished_syncs, "concurrent-ttl-after-finished-syncs", "5", "Loops",
	     "How many Jobs that are over are worked on at once.", .min = 1, .max = 10000),

	FLAG(INT, concurrent_token_syncs, "concurrent-serviceaccount-token-syncs", "5", "Loops",
	     "How many Secrets with a service account's token are worked on at once.", .min = 1, .max = 10000),

	FLAG(INT, concurrent_namespace_syncs, "concurrent-namespace-syncs", "10", "Loops",
	     "How many terminating namespaces are worked on at once.", .min = 1, .max = 10000),
	FLAG(BOOL, enable_garbage_collector, "enable-garbage-collector", "true", "Loops",
	     "Run the garbage collector. Must be what the API server's flag of that name is."),
	FLAG(INT, concurrent_gc_syncs, "concurrent-gc-syncs", "20", "Loops", "How many objects the garbage collector works on at once.",
	     .min = 1, .max = 10000),
	FLAG(INT, terminated_pod_gc_threshold, "terminated-pod-gc-threshold", "12500", "Loops",
	     "How many pods that are over may be there before the oldest are deleted. 0 or less: any number."),
	FLAG(INT, concurrent_endpoint_syncs, "concurrent-endpoint-syncs", "5", "Loops", "How many Services' Endpoints are worked on at once.",
	     .min = 1, .max = 10000),
	FLAG(INT, concurrent_service_endpoint_syncs, "concurrent-service-endpoint-syncs", "5", "Loops",
	     "How many Services' EndpointSlices are worked on at once.", .min = 1, .max = 10000),
	FLAG(INT, max_endpoints_per_slice, "max-endpoints-per-slice", "100", "Loops", "How many endpoints an EndpointSlice has at most.",
	     .min = 1, .max = 1000),
	FLAG(DURATION, endpoint_batch_ms, "endpoint-updates-batch-period", "0", "Loops",
	     "How long a change of a pod waits for others before its Services' Endpoints are written."),
	FLAG(DURATION, endpointslice_batch_ms, "endpointslice-updates-batch-period", "0", "Loops",
	     "How long a change of a pod waits for others before its Services' EndpointSlices are written."),
	FLAG(INT, mirroring_concurrent_service_endpoint_syncs, "mirroring-concurrent-service-endpoint-syncs", "5", "Loops",
	     "How many Endpoints are mirrored at once.", .min = 1, .max = 10000),
	FLAG(INT, mirroring_max_endpoints_per_subset, "mirroring-max-endpoints-per-subset", "1000", "Loops",
	     "How many endpoints of a subset are mirrored at most.", .min = 1, .max = 1000),
	FLAG(DURATION, mirroring_batch_ms, "mirroring-endpointslice-updates-batch-period", "0", "Loops",
	     "How long a change of Endpoints waits for others before it is mirrored."),
	FLAG(INT, concurrent_resource_quota_syncs, "concurrent-resource-quota-syncs", "5", "Loops",
	     "How many ResourceQuotas are worked on at once.", .min = 1, .max = 10000),
	FLAG(DURATION, resource_quota_sync_ms, "resource-quota-sync-period", "5m0s", "Loops",
	     "How often what a ResourceQuota's namespace uses is counted anew."),
	FLAG(INT, concurrent_hpa_syncs, "concurrent-horizontal-pod-autoscaler-syncs", "5", "Loops",
	     "How many HorizontalPodAutoscalers are worked on at once.", .min = 1, .max = 10000),
	FLAG(DURATION, hpa_sync_ms, "horizontal-pod-autoscaler-sync-period", "15s", "Loops",
	     "How often a HorizontalPodAutoscaler looks at its metrics."),
	FLAG(DURATION, hpa_downscale_stabilization_ms, "horizontal-pod-autoscaler-downscale-stabilization", "5m0s", "Loops",
	     "How long the highest size of late stands against a smaller one."),
	FLAG(NUMBER, hpa_tolerance, "horizontal-pod-autoscaler-tolerance", "0.1", "Loops",
	     "How far a metric may be from its target, as a part of it, before something is scaled."),
	FLAG(DURATION, hpa_cpu_initialization_ms, "horizontal-pod-autoscaler-cpu-initialization-period", "5m0s", "Loops",
	     "How long after its start a pod's use of processors may say nothing of its load."),
	FLAG(DURATION, hpa_initial_readiness_ms, "horizontal-pod-autoscaler-initial-readiness-delay", "30s", "Loops",
	     "How long after its start a pod that is not ready counts as one that never was."),

	FLAG(DURATION, node_monitor_ms, "node-monitor-period", "5s", "Nodes", "How often it is looked which nodes are silent."),
	FLAG(DURATION, node_monitor_grace_ms, "node-monitor-grace-period", "50s", "Nodes",
	     "How long a node may be silent before its state is unknown. Several times the period in which kubelets renew their leases."),
	FLAG(DURATION, node_startup_grace_ms, "node-startup-grace-period", "1m", "Nodes",
	     "The same of a node that never told its state."),
	FLAG(NUMBER, node_eviction_rate, "node-eviction-rate", "0.1", "Nodes",
	     "How many nodes of a zone that are not ready are emptied a second."),
	FLAG(NUMBER, secondary_node_eviction_rate, "secondary-node-eviction-rate", "0.01", "Nodes",
	     "The same in a zone of which many nodes are not ready, when it is large. In a small one: none."),
	FLAG(NUMBER, unhealthy_zone_threshold, "unhealthy-zone-threshold", "0.55", "Nodes",
	     "The part of a zone's nodes, and three at the least, that is many."),
	FLAG(INT, large_cluster_size_threshold, "large-cluster-size-threshold", "50", "Nodes", "A zone of more nodes is large.",
	     .max = 1000000),
	FLAG(INT, node_cidr_mask_size, "node-cidr-mask-size", NULL, "Nodes",
	     "The bits of the prefix of a node's range of addresses, where --cluster-cidr is one range. Without it 24, of IPv6 64.", .max = 128),
	FLAG(INT, node_cidr_mask_size_ipv4, "node-cidr-mask-size-ipv4", NULL, "Nodes", "The same of its IPv4 range. Without it 24.", .max = 32),
	FLAG(INT, node_cidr_mask_size_ipv6, "node-cidr-mask-size-ipv6", NULL, "Nodes", "The same of its IPv6 range. Without it 64.", .max = 128),

	FLAG(BOOL, enable_dynamic_provisioning, "enable-dynamic-provisioning", "true", "Volumes",
	     "Ask for a volume for each claim whose class has a provisioner."),
	FLAG(BOOL, enable_hostpath_provisioner, "enable-hostpath-provisioner", "false", "Volumes",
	     "Make volumes for classes of the provisioner kubernetes.io/host-path: a directory under /tmp/hostpath_pv of a node."),
	FLAG(INT, concurrent_ephemeralvolume_syncs, "concurrent-ephemeralvolume-syncs", "5", "Volumes",
	     "How many pods with ephemeral volumes are worked on at once.", .min = 1, .max = 10000),

	XB_PROCESS_FLAGS(struct kcm_options, program.process),
};

/* Upstream's v1.33 with their older names, so that a list written for it also starts here. */
static const struct {
	const char *name, *alias;
	bool off;                       /* unless it is named */
} known[] = {
	{ "bootstrap-signer-controller", "bootstrapsigner", true },
	{ "certificatesigningrequest-approving-controller", "csrapproving", false },
	{ "certificatesigningrequest-cleaner-controller", "csrcleaner", false },
	{ "certificatesigningrequest-signing-controller", "csrsigning", false },
	{ "cloud-node-lifecycle-controller", "cloud-node-lifecycle", false },
	{ "clusterrole-aggregation-controller", "clusterrole-aggregation", false },
	{ "cronjob-controller", "cronjob", false },
	{ "daemonset-controller", "daemonset", false },
	{ "deployment-controller", "deployment", false },
	{ "device-taint-eviction-controller", NULL, false },
	{ "disruption-controller", "disruption", false },
	{ "endpoints-controller", "endpoint", false },
	{ "endpointslice-controller", "endpointslice", false },
	{ "endpointslice-mirroring-controller", "endpointslicemirroring", false },
	{ "ephemeral-volume-controller", "ephemeral-volume", false },
	{ "garbage-collector-controller", "garbagecollector", false },
	{ "horizontal-pod-autoscaler-controller", "horizontalpodautoscaling", false },
	{ "job-controller", "job", false },
	{ "kube-apiserver-serving-clustertrustbundle-publisher-controller", NULL, false },
	{ "legacy-serviceaccount-token-cleaner-controller", "legacy-service-account-token-cleaner", false },
	{ "namespace-controller", "namespace", false },
	{ "node-ipam-controller", "nodeipam", false },
	{ "node-lifecycle-controller", "nodelifecycle", false },
	{ "node-route-controller", "route", false },
	{ "persistentvolume-attach-detach-controller", "attachdetach", false },
	{ "persistentvolume-binder-controller", "persistentvolume-binder", false },
	{ "persistentvolume-expander-controller", "persistentvolume-expander", false },
	{ "persistentvolume-protection-controller", "pv-protection", false },
	{ "persistentvolumeclaim-protection-controller", "pvc-protection", false },
	{ "pod-garbage-collector-controller", "podgc", false },
	{ "replicaset-controller", "replicaset", false },
	{ "replicationcontroller-controller", "replicationcontroller", false },
	{ "resourceclaim-controller", "resource-claim-controller", false },
	{ "resourcequota-controller", "resourcequota", false },
	{ "root-ca-certificate-publisher-controller", "root-ca-cert-publisher", false },
	{ "selinux-warning-controller", NULL, true },
	{ "service-cidr-controller", NULL, false },
	{ "service-lb-controller", "service", false },
	{ "serviceaccount-controller", "serviceaccount", false },
	{ "serviceaccount-token-controller", "serviceaccount-token", false },
	{ "statefulset-controller", "statefulset", false },
	{ "storage-version-migrator-controller", NULL, false },
	{ "storageversion-garbage-collector-controller", "storage-version-gc", false },
	{ "taint-eviction-controller", NULL, false },
	{ "token-cleaner-controller", "tokencleaner", true },
	{ "ttl-after-finished-controller", "ttl-after-finished", false },
	{ "ttl-controller", "ttl", false },
	{ "validatingadmissionpolicy-status-controller", NULL, false },
};

static bool names(size_t i, const char *text)
{
	return !strcmp(known[i].name, text) || (known[i].alias && !strcmp(known[i].alias, text));
}

static int check_controllers(const struct kcm_options *o, char **reterr_why)
{
	for (char **c = o->controllers; c && *c; c++) {
		const char *name = *c + (**c == '-');
		size_t i = 0;

		while (i < ARRAY_SIZE(known) && !names(i, name))
			i++;
		if (i == ARRAY_SIZE(known) && strcmp(*c, "*"))
			return xb_why(reterr_why, -EINVAL, "--controllers: \"%s\" is not in the list of known controllers", name);
	}
	return 0;
}

bool kcm_options_enabled(const struct kcm_options *o, const char *loop)
{
	bool all = false;
	size_t i = 0;

	while (i < ARRAY_SIZE(known) && strcmp(known[i].name, loop))
		i++;
	for (char **c = o->controllers; c && *c; c++) {
		if (names(i, *c))
			return true;
		if (**c == '-' && names(i, *c + 1))
			return false;
		all |= !strcmp(*c, "*");
	}
	return all && !known[i].off;
}

static int check_signing(const struct kcm_options *o, char **reterr_why)
{
	const struct {
		const char *name;
		const struct kcm_ca_files *files;
	} own[] = {
		{ "kubelet-serving", &o->cluster_signing_kubelet_serving },
		{ "kubelet-client", &o->cluster_signing_kubelet_client },
		{ "kube-apiserver-client", &o->cluster_signing_kube_apiserver_client },
		{ "legacy-unknown", &o->cluster_signing_legacy_unknown },
	};

	if (!o->cluster_signing.cert_file != !o->cluster_signing.key_file)
		return xb_why(reterr_why, -EINVAL, "--cluster-signing-cert-file and --cluster-signing-key-file go together");
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		if (!own[i].files->cert_file != !own[i].files->key_file)
			return xb_why(reterr_why, -EINVAL, "--cluster-signing-%s-cert-file and --cluster-signing-%s-key-file go together", own[i].name,
				      own[i].name);
		if (o->cluster_signing.cert_file && own[i].files->cert_file)
			return xb_why(reterr_why, -EINVAL, "cannot specify --cluster-signing-{cert,key}-file and other --cluster-signing-*-file flags at the same time");
	}
	return 0;
}

static int check_nodes(const struct kcm_options *o, char **reterr_why)
{
	struct node_ranges ranges;

	if (!o->node_monitor_ms)
		return xb_why(reterr_why, -EINVAL, "--node-monitor-period must be at least 1ms");
	return o->allocate_node_cidrs ? node_ranges_read(o, &ranges, reterr_why) : 0;
}

int kcm_options_parse(int argc, char *const argv[], struct kcm_options *o, char **reterr_why)
{
	int r;

	*o = (struct kcm_options){};
	r = xb_flags_parse(rows, ARRAY_SIZE(rows), argc, argv, o, reterr_why);
	if (r || o->program.process.help || o->program.process.version)
		return r;
	r = xb_program_check(&o->program, reterr_why);
	if (!r)
		r = check_controllers(o, reterr_why);
	if (!r)
		r = check_signing(o, reterr_why);
	return r ? r : check_nodes(o, reterr_why);
}

void kcm_options_done(struct kcm_options *o)
{
	xb_flags_done(rows, ARRAY_SIZE(rows), o);
}

void kcm_options_help(struct xb_buf *out)
{
	xb_flags_help(rows, ARRAY_SIZE(rows), "kube-controller-manager",
		      "Runs the loops that bring a cluster from what it is to what its objects ask for.", out);
}
