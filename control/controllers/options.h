/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_OPTIONS_H
#define CONTROLLERS_OPTIONS_H
/* kube-controller-manager's command line, by upstream's names. To add a flag: a member and a row. */
#include "xb/program.h"

struct kcm_ca_files {
	const char *cert_file, *key_file; /* both or neither */
};
struct kcm_options {
	struct xb_program_options program;
	char **controllers;
	const char *cluster_name, *cluster_cidr, *service_cluster_ip_range;
	bool allocate_node_cidrs, use_service_account_credentials;
	const char *root_ca_file, *service_account_private_key_file;
	int concurrent_deployment_syncs, concurrent_rc_syncs, concurrent_replicaset_syncs, concurrent_daemonset_syncs;
	int concurrent_statefulset_syncs;
	struct kcm_ca_files cluster_signing; /* of all signers, or each has its own */
	struct kcm_ca_files cluster_signing_kubelet_serving, cluster_signing_kubelet_client, cluster_signing_kube_apiserver_client;
	struct kcm_ca_files cluster_signing_legacy_unknown;
	int64_t cluster_signing_ms;
	int concurrent_namespace_syncs, concurrent_gc_syncs, terminated_pod_gc_threshold;
	bool enable_garbage_collector;
	int concurrent_endpoint_syncs, concurrent_service_endpoint_syncs, mirroring_concurrent_service_endpoint_syncs;
	int max_endpoints_per_slice, mirroring_max_endpoints_per_subset;
	int64_t endpoint_batch_ms, endpointslice_batch_ms, mirroring_batch_ms;
	int concurrent_job_syncs, concurrent_cron_job_syncs, concurrent_ttl_after_finished_syncs;
	int concurrent_resource_quota_syncs;
	int64_t resource_quota_sync_ms;
	int concurrent_hpa_syncs;
	int64_t hpa_sync_ms, hpa_downscale_stabilization_ms, hpa_cpu_initialization_ms, hpa_initial_readiness_ms;
	double hpa_tolerance;
	int concurrent_token_syncs;
	int64_t node_monitor_ms, node_monitor_grace_ms, node_startup_grace_ms;
	double node_eviction_rate, secondary_node_eviction_rate, unhealthy_zone_threshold;
	int large_cluster_size_threshold;
	int node_cidr_mask_size, node_cidr_mask_size_ipv4, node_cidr_mask_size_ipv6; /* 0: not given */
	bool enable_dynamic_provisioning, enable_hostpath_provisioner;
	int concurrent_ephemeralvolume_syncs;
};

/* -EINVAL and the like with a sentence in *reterr_why, the caller's to free. Call kcm_options_done in every case. */
int kcm_options_parse(int argc, char *const argv[], struct kcm_options *o, char **reterr_why);
void kcm_options_done(struct kcm_options *o);
void kcm_options_help(struct xb_buf *out);
/* Does --controllers name that loop (upstream's IsControllerEnabled). */
bool kcm_options_enabled(const struct kcm_options *o, const char *loop);

#endif
