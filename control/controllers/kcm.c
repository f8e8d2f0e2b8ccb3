/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "kcm.h"
#include "loops.h"
#include "queue.h"
#include "xb/log.h"

/* In the order in which they start. */
static const struct kcm_loop loops[] = {
	{ .name = "serviceaccount-controller", .start = serviceaccount_start, .stop = namespace_objects_stop },
	{ .name = "root-ca-certificate-publisher-controller", .start = root_ca_start, .stop = namespace_objects_stop },
	{ .name = "replicationcontroller-controller", .start = replicationcontroller_start, .stop = replicas_stop },
	{ .name = "deployment-controller", .start = deployment_start, .stop = deployment_stop },
	{ .name = "replicaset-controller", .start = replicaset_start, .stop = replicas_stop },
	{ .name = "daemonset-controller", .start = daemonset_start, .stop = daemonset_stop },
	{ .name = "statefulset-controller", .start = statefulset_start, .stop = statefulset_stop },
	{ .name = "namespace-controller", .start = namespace_start, .stop = namespace_stop },
	{ .name = "garbage-collector-controller", .start = garbage_collector_start,
	  .run = garbage_collector_run, .stop = garbage_collector_stop },
	{ .name = "pod-garbage-collector-controller", .start = pod_gc_start, .stop = pod_gc_stop },
	{ .name = "endpoints-controller", .start = endpoints_start, .run = endpoints_run, .stop = endpoints_stop },
	{ .name = "endpointslice-controller", .start = endpointslice_start, .stop = endpointslice_stop },
	{ .name = "endpointslice-mirroring-controller", .start = mirror_start, .stop = mirror_stop },
	{ .name = "job-controller", .start = job_start, .stop = job_stop },
	{ .name = "cronjob-controller", .start = cronjob_start, .stop = cronjob_stop },
	{ .name = "ttl-after-finished-controller", .start = ttl_after_finished_start, .stop = ttl_after_finished_stop },
	{ .name = "disruption-controller", .start = disruption_start, .stop = disruption_stop },
	{ .name = "resourcequota-controller", .start = resource_quota_start, .stop = resource_quota_stop },
	{ .name = "horizontal-pod-autoscaler-controller", .start = hpa_start, .stop = hpa_stop },
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
	struct xb_index *index;

	for (size_t i = 0; i < k->indexes.n; i++)
		if (k->indexes.v[i].kind == kind && k->indexes.v[i].keys == keys)
			return k->indexes.v[i].index;
	index = copy ? xb_informer_index(copy, keys) : NULL;
	if (index && xb_vec_push(&k->indexes, (struct kcm_shared_index){ kind, keys, index }))
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

static void on_synced(void *arg)
{
	struct kcm *k = arg;

	log_info("every collection is read: the loops begin");
	for (size_t i = 0; i < k->running.n; i++)
		if (k->running.v[i].row->run)
			k->running.v[i].row->run(k->running.v[i].loop);
	for (size_t i = 0; i < k->queues.n; i++)
		xb_work_queue_start(k->queues.v[i]->keys);
}

static void on_trouble(void *arg, const char *path, const char *why)
{
	if (why)
		log_warning("%s: %s; trying on", path, why);
	else
		log_info("%s: the API server answers again", path);
}

static int start_loops(struct kcm *k)
{
	for (size_t i = 0; i < ARRAY_SIZE(loops); i++) {
		struct kcm_running one = { .row = &loops[i] };
		int r = 0;

		if (!kcm_options_enabled(k->options, loops[i].name))
			continue;
		r = xb_vec_room(&k->running, 1);
		if (!r)
			r = loops[i].start(k, &one.loop);
		if (r)
			return log_err_errno(r, "%s cannot start: %m", loops[i].name);
		k->running.v[k->running.n++] = one;
		log_info("started %s", loops[i].name);
	}
	return 0;
}

struct kcm *kcm_free(struct kcm *k)
{
	if (!k)
		return NULL;
	for (size_t i = k->running.n; i-- > 0;)
		k->running.v[i].row->stop(k->running.v[i].loop);
	xb_cache_free(k->cache);
	xb_vec_done(&k->running);
	xb_vec_done(&k->queues);
	xb_vec_done(&k->indexes);
	free(k);
	return NULL;
}

int kcm_new(const struct kcm_config *c, struct kcm **ret)
{
	_cleanup_(kcm_freep) struct kcm *k = calloc(1, sizeof(*k));
	struct xb_cache_config cache = { .rest = c->rest, .synced = on_synced, .trouble = on_trouble, .arg = k };
	int r;

	if (!k)
		return -ENOMEM;
	*k = (struct kcm){ .loop = xb_rest_loop(c->rest), .rest = c->rest, .recorder = c->recorder, .options = c->options,
			   .root_ca = c->root_ca };
	r = xb_cache_new(&cache, &k->cache);
	if (!r)
		r = start_loops(k);
	if (r)
		return r;
	*ret = TAKE_PTR(k);
	return 0;
}

void kcm_write_metrics(const struct kcm *k, struct xb_buf *out)
{
	_cleanup_free_ struct xb_work_queue **queues = NULL;
	size_t n = k ? k->queues.n : 0;

	queues = calloc(n + 1, sizeof(*queues));
	if (!queues) {
		out->err = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < n; i++)
		queues[i] = k->queues.v[i]->keys;
	xb_work_queue_metrics(queues, n, out);
}
