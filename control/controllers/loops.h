/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_LOOPS_H
#define CONTROLLERS_LOOPS_H
/* The loops, as kcm.c's table names them: see struct kcm_loop. */
struct kcm;

int deployment_start(struct kcm *k, void **ret);
void deployment_stop(void *loop);
int replicaset_start(struct kcm *k, void **ret);
int replicationcontroller_start(struct kcm *k, void **ret);
void replicas_stop(void *loop);
int daemonset_start(struct kcm *k, void **ret);
void daemonset_stop(void *loop);
int statefulset_start(struct kcm *k, void **ret);
void statefulset_stop(void *loop);
int serviceaccount_start(struct kcm *k, void **ret);
int root_ca_start(struct kcm *k, void **ret);
void namespace_objects_stop(void *loop);
int namespace_start(struct kcm *k, void **ret);
void namespace_stop(void *loop);
int garbage_collector_start(struct kcm *k, void **ret);
void garbage_collector_run(void *loop);
void garbage_collector_stop(void *loop);
int pod_gc_start(struct kcm *k, void **ret);
void pod_gc_stop(void *loop);
int endpoints_start(struct kcm *k, void **ret);
void endpoints_run(void *loop);
void endpoints_stop(void *loop);
int endpointslice_start(struct kcm *k, void **ret);
void endpointslice_stop(void *loop);
int mirror_start(struct kcm *k, void **ret);
void mirror_stop(void *loop);
int job_start(struct kcm *k, void **ret);
void job_stop(void *loop);
int cronjob_start(struct kcm *k, void **ret);
void cronjob_stop(void *loop);
int ttl_after_finished_start(struct kcm *k, void **ret);
void ttl_after_finished_stop(void *loop);
int disruption_start(struct kcm *k, void **ret);
void disruption_stop(void *loop);
int resource_quota_start(struct kcm *k, void **ret);
void resource_quota_stop(void *loop);
int hpa_start(struct kcm *k, void **ret);
void hpa_stop(void *loop);
int csr_approve_start(struct kcm *k, void **ret);
void csr_approve_stop(void *loop);
int csr_sign_start(struct kcm *k, void **ret);
void csr_sign_stop(void *loop);
int csr_clean_start(struct kcm *k, void **ret);
void csr_clean_stop(void *loop);
int token_secrets_start(struct kcm *k, void **ret);
void token_secrets_stop(void *loop);
int role_aggregation_start(struct kcm *k, void **ret);
void role_aggregation_stop(void *loop);
int node_ipam_start(struct kcm *k, void **ret);
void node_ipam_stop(void *loop);
int node_lifecycle_start(struct kcm *k, void **ret);
void node_lifecycle_stop(void *loop);
int taint_eviction_start(struct kcm *k, void **ret);
void taint_eviction_stop(void *loop);
int binder_start(struct kcm *k, void **ret);
void binder_stop(void *loop);
int pv_protection_start(struct kcm *k, void **ret);
void pv_protection_stop(void *loop);
int pvc_protection_start(struct kcm *k, void **ret);
void pvc_protection_stop(void *loop);
int ephemeral_start(struct kcm *k, void **ret);
void ephemeral_stop(void *loop);

#endif
