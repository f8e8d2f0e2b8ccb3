/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_OPTIONS_H
#define KUBELET_OPTIONS_H
/* The kubelet's command line and its --config file (KubeletConfiguration, kubelet.config.k8s.io/v1beta1). */
#include <stdint.h>
#include "xb/json.h"
#include "xb/process.h"

struct kubelet_options {
	/* the cluster */
	const char *config, *kubeconfig, *cert_dir;
	const char *hostname_override, *cluster_domain;
	char **node_ip, **cluster_dns, **node_labels, **register_with_taints;
	bool register_node;
	int64_t node_status_update_ms, node_status_report_ms;
	int node_lease_s;
	/* pods */
	const char *root_dir, *static_path, *pod_logs_dir, *resolv_conf;
	int max_pods, pod_max_pids;
	int64_t file_check_ms;
	bool seccomp_default, cpu_cfs_quota;
	/* the runtime */
	const char *runtime_endpoint, *sandbox_image;
	int64_t runtime_request_ms, log_check_ms;
	const char *log_max_size;
	int log_max_files;
	/* cgroups and room */
	const char *cgroup_root, *cgroup_driver;
	bool cgroups_per_qos;
	char **system_reserved, **kube_reserved; /* "cpu=100m" */
	char **eviction_hard, **eviction_soft, **eviction_soft_grace, **eviction_reclaim;
	int64_t eviction_transition_ms;
	int eviction_max_pod_grace_s;
	/* images */
	int image_gc_high, image_gc_low, max_parallel_pulls;
	int64_t image_min_age_ms;
	bool serialize_pulls;
	/* serving */
	const char *address, *healthz_bind_address, *tls_cert_file, *tls_private_key_file, *client_ca_file, *authorization_mode;
	int port, read_only_port, healthz_port;
	bool anonymous_auth, authentication_token_webhook;
	/* the program */
	char **feature_gates;
	struct xb_process_options process;

	char *node_name;                /* hostname_override, or the host's name; lower case */
	struct xb_json *eviction;       /* as a KubeletConfiguration's members evictionHard, ... */
	char **config_flags;            /* the fields of the file as flags, which the strings above point into */
	const char *accepted_text;      /* what is taken and has no effect */
	bool accepted_switch;
};

/* Fills o: the file, then flags, which win. -EINVAL and the like with a sentence in *reterr_why, the caller's to free. Call
 * kubelet_options_done in every case. */
int kubelet_options_parse(struct kubelet_options *o, int argc, char *const argv[], char **reterr_why);
void kubelet_options_done(struct kubelet_options *o);
void kubelet_options_help(struct xb_buf *out);

/* The fields of the file that flags exist for, as flags; NULL-terminated. Fields that upstream knows and nothing here has a use for
 * are passed over; a field that upstream does not know is a fault. */
int kubelet_config_read(const char *path, char ***ret, char **reterr_why);

#endif
