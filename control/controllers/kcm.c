/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "kcm.h"
#include "loops.h"
#include "pods.h"
#include "queue.h"
#include "xb/log.h"

/* In the order in which they start. */
static const struct kcm_loop loops[] = {
	{ .name = "serviceaccount-controller", .account = "service-account-controller",
	  .start = serviceaccount_start, .stop = namespace_objects_stop },
	{ .name = "root-ca-certificate-publisher-controller", .account = "root-ca-cert-publisher",
	  .start = root_ca_start, .stop = namespace_objects_stop },
	{ .name = "replicationcontroller-controller", .account = "replication-controller",
	  .start = replicationcontroller_start, .stop = replicas_stop },
	{ .name = "deployment-controller", .account = "deployment-controller",
	  .start = deployment_start, .stop = deployment_stop },
	{ .name = "replicaset-controller", .account = "replicaset-controller",
	  .start = replicaset_start, .stop = replicas_stop },
	{ .name = "daemonset-controller", .account = "daemon-set-controller",
	  .start = daemonset_start, .stop = daemonset_stop },
	{ .name = "statefulset-controller", .account = "statefulset-controller",
	  .start = statefulset_start, .stop = statefulset_stop },
	{ .name = "namespace-controller", .account = "namespace-controller",
	  .start = namespace_start, .stop = namespace_stop },
	{ .name = "garbage-collector-controller", .account = "generic-garbage-collector",
	  .start = garbage_collector_start, .run = garbage_collector_run, .stop = garbage_collector_stop },
	{ .name = "pod-garbage-collector-controller", .account = "pod-garbage-collector",
	  .start = pod_gc_start, .stop = pod_gc_stop },
	{ .name = "endpoints-controller", .account = "endpoint-controller",
	  .start = endpoints_start, .run = endpoints_run, .stop = endpoints_stop },
	{ .name = "endpointslice-controller", .account = "endpointslice-controller",
	  .start = endpointslice_start, .stop = endpointslice_stop },
	{ .name = "endpointslice-mirroring-controller", .account = "endpointslicemirroring-controller",
	  .start = mirror_start, .stop = mirror_stop },
	{ .name = "job-controller", .account = "job-controller",
	  .start = job_start, .stop = job_stop },
	{ .name = "cronjob-controller", .account = "cronjob-controller",
	  .start = cronjob_start, .stop = cronjob_stop },
	{ .name = "ttl-after-finished-controller", .account = "ttl-after-finished-controller",
	  .start = ttl_after_finished_start, .stop = ttl_after_finished_stop },
	{ .name = "disruption-controller", .account = "disruption-controller",
	  .start = disruption_start, .stop = disruption_stop },
	{ .name = "resourcequota-controller", .account = "resourcequota-controller",
	  .start = resource_quota_start, .stop = resource_quota_stop },
	{ .name = "horizontal-pod-autoscaler-controller", .account = "horizontal-pod-autoscaler",
	  .start = hpa_start, .stop = hpa_stop },
	{ .name = "serviceaccount-token-controller",
	  .start = token_secrets_start, .stop = token_secrets_stop },
	{ .name = "clusterrole-aggregation-controller", .account = "clusterrole-aggregation-controller",
	  .start = role_aggregation_start, .stop = role_aggregation_stop },
	{ .name = "certificatesigningrequest-approving-controller", .account = "certificate-controller",
	  .start = csr_approve_start, .stop = csr_approve_stop },
	{ .name = "certificatesigningrequest-signing-controller", .account = "certificate-controller",
	  .start = csr_sign_start, .stop = csr_sign_stop },
	{ .name = "certificatesigningrequest-cleaner-controller", .account = "certificate-controller",
	  .start = csr_clean_start, .stop = csr_clean_stop },
	{ .name = "node-ipam-controller", .account = "node-controller",
	  .start = node_ipam_start, .stop = node_ipam_stop },
	{ .name = "node-lifecycle-controller", .account = "node-controller",
	  .start = node_lifecycle_start, .stop = node_lifecycle_stop },
	{ .name = "taint-eviction-controller", .account = "node-controller",
	  .start = taint_eviction_start, .stop = taint_eviction_stop },
	{ .name = "persistentvolume-binder-controller", .account = "persistent-volume-binder",
	  .start = binder_start, .stop = binder_stop },
	{ .name = "persistentvolume-protection-controller", .account = "pv-protection-controller",
	  .start = pv_protection_start, .stop = pv_protection_stop },
	{ .name = "persistentvolumeclaim-protection-controller", .account = "pvc-protection-controller",
	  .start = pvc_protection_start, .stop = pvc_protection_stop },
	{ .name = "ephemeral-volume-controller", .account = "ephemeral-volume-controller",
	  .start = ephemeral_start, .stop = ephemeral_stop },
};

const struct xb_kind *kcm_kind(const char *group, const char *version, const char *plural)
{
	return xb_kind_by_resource(xb_sv(group), xb_sv(version), xb_sv(plural));
}

void kcm_by_controller(struct xb_jv object, struct xb_index_entry *e)
{
	struct xb_sv uid = xb_owner_uid(object);
	_cleanup_buf_ struct xb_buf key = {};

	if (!uid.n)
		xb_buf_addf(&key, "%.*s/", XB_SV_ARG(xb_jv_text(xb_jv_path(object, "metadata", "namespace"))));
	xb_index_add(e, uid.n ? uid : xb_buf_sv(&key));
}

void kcm_by_namespace(struct xb_jv object, struct xb_index_entry *e)
{
	xb_index_add(e, xb_jv_text(xb_jv_path(object, "metadata", "namespace")));
}

void kcm_by_node(struct xb_jv pod, struct xb_index_entry *e)
{
	struct xb_sv node = xb_jv_text(xb_jv_path(pod, "spec", "nodeName"));

	if (node.n)
		xb_index_add(e, node);
}

struct xb_index *kcm_index(struct kcm *k, const struct xb_kind *kind, xb_index_keys *keys)
{
	struct xb_informer *copy = xb_cache_of(k->cache, kind);
	struct kcm_process *p = k->process;
	struct xb_index *index;

	for (size_t i = 0; i < p->indexes.n; i++)
		if (p->indexes.v[i].kind == kind && p->indexes.v[i].keys == keys)
			return p->indexes.v[i].index;
	index = copy ? xb_informer_index(copy, keys) : NULL;
	if (index && xb_vec_push(&p->indexes, (struct kcm_shared_index){ kind, keys, index }))
		return NULL;
	return index;
}

struct xb_jv kcm_owner(const struct xb_informer *copy, const struct xb_kind *kind, struct xb_jv object)
{
	struct xb_jv ref = xb_owner_controller(object), owner;
	_cleanup_free_ char *namespace_ = NULL, *name = NULL;

	if (!xb_jv_streq(xb_jv_get(ref, "kind"), xb_sv(kind->kind)))
		return (struct xb_jv){};
	namespace_ = xb_sv_dup(xb_jv_text(xb_jv_path(object, "metadata", "namespace")));
	name = xb_sv_dup(xb_jv_text(xb_jv_get(ref, "name")));
	owner = namespace_ && name ? xb_informer_get(copy, namespace_, name) : (struct xb_jv){};
	return xb_sv_eq(xb_jv_text(xb_jv_path(owner, "metadata", "uid")), xb_jv_text(xb_jv_get(ref, "uid"))) ? owner : (struct xb_jv){};
}

/* Both are awaited: what the loops read, and in whose name they write. */
static void begin(struct kcm_process *p)
{
	if (p->begun || !p->synced || (p->accounts && !kcm_accounts_ready(p->accounts)))
		return;
	p->begun = true;
	log_info("every collection is read: the loops begin");
	for (size_t i = 0; i < p->running.n; i++)
		if (p->running.v[i]->row->run)
			p->running.v[i]->row->run(p->running.v[i]->loop);
	for (size_t i = 0; i < p->queues.n; i++)
		xb_work_queue_start(p->queues.v[i]->keys);
}

static void on_synced(void *arg)
{
	struct kcm_process *p = arg;

	p->synced = true;
	begin(p);
}

static void on_account(void *arg)
{
	begin(arg);
}

static void on_trouble(void *arg, const char *path, const char *why)
{
	if (why)
		log_warning("%s: %s; trying on", path, why);
	else
		log_info("%s: the API server answers again", path);
}

static int start_loop(struct kcm_process *p, const struct kcm_loop *row)
{
	struct kcm_running *one = NULL;
	int r = xb_vec_room(&p->running, 1);

	if (!r)
		one = calloc(1, sizeof(*one));
	if (!one)
		return -ENOMEM;
	*one = (struct kcm_running){ .row = row, .kcm = p->own };
	if (p->accounts && row->account)
		r = kcm_accounts_of(p->accounts, row->account, &one->kcm.rest, &one->kcm.recorder);
	if (!r)
		r = row->start(&one->kcm, &one->loop);
	if (r) {
		free(one);
		return r;
	}
	p->running.v[p->running.n++] = one;
	log_info("started %s", row->name);
	return 0;
}

static int start_loops(struct kcm_process *p)
{
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(loops); i++) {
		if (!kcm_options_enabled(p->own.options, loops[i].name))
			continue;
		r = start_loop(p, &loops[i]);
		if (r)
			log_err_errno(r, "%s cannot start: %m", loops[i].name);
	}
	return r;
}

static void process_free(struct kcm_process *p)
{
	for (size_t i = p->running.n; i-- > 0;) {
		p->running.v[i]->row->stop(p->running.v[i]->loop);
		free(p->running.v[i]);
	}
	xb_cache_free(p->own.cache);
	kcm_accounts_free(p->accounts);
	xb_vec_done(&p->running);
	xb_vec_done(&p->queues);
	xb_vec_done(&p->indexes);
	free(p);
}

struct kcm *kcm_free(struct kcm *k)
{
	if (k)
		process_free(k->process);
	return NULL;
}

/* Nothing is asked of its containers but how often they began, and of its conditions only some; when it is over, that may be. */
static bool is_running(struct xb_jv pod)
{
	return xb_jv_streq(xb_jv_path(pod, "status", "phase"), XB_SV("Running")) && !pods_deleting(pod);
}

int kcm_new(const struct kcm_config *c, struct kcm **ret)
{
	static const char *const leave_out_of_pods[] = {
		"spec.containers.image", "spec.initContainers.image", "spec.preemptionPolicy", "spec.schedulerName",
		"spec.priority", "spec.topologySpreadConstraints", "status.containerStatuses.lastState", "status.containerStatuses.started",
		"status.hostIP", "status.hostIPs", "status.podIP", NULL
	};
	static const char *const leave_out_of_running[] = {
		"status.conditions.[PodReadyToStartContainers]", "status.conditions.[Initialized]", "status.conditions.[ContainersReady]",
		"status.conditions.[PodScheduled]", "status.containerStatuses.name", "status.containerStatuses.ready",
		"status.containerStatuses.state", NULL
	};
	static const struct xb_cache_lean lean[] = {
		{ .group = "", .plural = "pods", .leave_out = leave_out_of_pods, .leave_out_then = leave_out_of_running, .when = is_running },
		{}
	};
	struct kcm_process *p = calloc(1, sizeof(*p));
	struct xb_cache_config cache = { .rest = c->rest, .lean = lean, .synced = on_synced, .trouble = on_trouble, .arg = p };
	int r;

	if (!p)
		return -ENOMEM;
	p->own = (struct kcm){ .loop = xb_rest_loop(c->rest), .rest = c->rest, .watch_rest = c->rest, .recorder = c->recorder,
			       .options = c->options, .root_ca = c->root_ca, .process = p };
	r = xb_cache_new(&cache, &p->own.cache);
	if (!r && c->options->use_service_account_credentials)
		r = kcm_accounts_new(c->rest, on_account, p, &p->accounts);
	if (!r)
		r = start_loops(p);
	if (r) {
		process_free(p);
		return r;
	}
	if (xb_cache_unused(p->own.cache))
		on_synced(p);
	*ret = &p->own;
	return 0;
}

void kcm_write_metrics(const struct kcm *k, struct xb_buf *out)
{
	_cleanup_free_ struct xb_work_queue **queues = NULL;
	const struct kcm_process *p = k ? k->process : NULL;
	size_t n = p ? p->queues.n : 0;

	queues = calloc(n + 1, sizeof(*queues));
	if (!queues) {
		out->err = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < n; i++)
		queues[i] = p->queues.v[i]->keys;
	xb_work_queue_metrics(queues, n, out);
}
