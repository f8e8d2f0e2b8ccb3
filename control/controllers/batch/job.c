/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Jobs: pods until so many have succeeded (upstream's pkg/controller/job). */
#include "job.h"
#include "../loops.h"
#include "../pods.h"
#include "xb/selector.h"
#include "xb/work_queue.h"

#define GATHER_MS 100           /* pods that change together are counted together */

static void forget_memory(struct jobs *l, struct xb_sv key)
{
	struct job_memory *m = xb_map_del(l->memories, key);

	if (m)
		free(m->uid);
	free(m);
}

void job_forget(struct jobs *l, const char *key)
{
	forget_memory(l, xb_sv(key));
	xb_expectations_forget(l->pods_changed, key);
	xb_expectations_forget(l->finalizers_gone, key);
}

bool job_tracks(struct xb_jv pod)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(pod, "metadata", "finalizers")); xb_jit_next(&it);)
		if (xb_jv_streq(it.value, XB_SV(JOB_TRACKING)))
			return true;
	return false;
}

bool job_controls(struct xb_jv pod)
{
	struct xb_jv ref = xb_owner_controller(pod);

	return !xb_jv_is(ref) ||
	       (xb_jv_streq(xb_jv_get(ref, "kind"), XB_SV("Job")) && xb_jv_streq(xb_jv_get(ref, "apiVersion"), XB_SV("batch/v1")));
}

struct xb_jv job_of(const struct jobs *l, struct xb_jv pod)
{
	struct xb_jv ref = xb_owner_controller(pod), job;
	_cleanup_free_ char *namespace_ = NULL, *name = NULL;

	if (!xb_jv_streq(xb_jv_get(ref, "kind"), XB_SV("Job")))
		return (struct xb_jv){};
	namespace_ = xb_sv_dup(xb_jv_meta(pod, "namespace"));
	name = xb_sv_dup(xb_jv_text(xb_jv_get(ref, "name")));
	job = namespace_ && name ? xb_informer_get(l->jobs, namespace_, name) : (struct xb_jv){};
	return xb_sv_eq(xb_jv_meta(job, "uid"), xb_jv_text(xb_jv_get(ref, "uid"))) ? job : (struct xb_jv){};
}

static void queue_who_selects(struct jobs *l, struct xb_jv pod)
{
	for (struct xb_index_it it = {}; xb_index_next(l->jobs_by_namespace, xb_jv_meta(pod, "namespace"), &it);) {
		_cleanup_(xb_selector_freep) struct xb_selector *s = NULL;

		if (!xb_selector_from_label_selector(xb_jv_path(it.object, "spec", "selector"), &s, NULL) && s &&
		    xb_selector_matches(s, xb_jv_path(pod, "metadata", "labels")))
			kcm_queue_add(l->queue, it.object);
	}
}

/* What was awaited of the pod, as far as it is seen now. */
static void observe(struct jobs *l, struct xb_jv job, struct xb_jv old, struct xb_jv pod)
{
	_cleanup_buf_ struct xb_buf key = {};
	struct xb_sv uid = xb_jv_meta(xb_jv_is(pod) ? pod : old, "uid");

	if (!kcm_key(job, &key))
		return;
	if (!xb_jv_is(old))
		xb_expectations_created(l->pods_changed, key.p);
	if (!xb_jv_is(pod) || pods_deleting(pod))
		xb_expectations_deleted(l->pods_changed, key.p, uid);
	if (!xb_jv_is(pod) || !job_tracks(pod))
		xb_expectations_deleted(l->finalizers_gone, key.p, uid);
}

static void on_pod(void *arg, struct xb_jv old, struct xb_jv pod)
{
	struct jobs *l = arg;
	struct xb_jv last = xb_jv_is(pod) ? pod : old, job = job_of(l, last), before = xb_jv_is(old) ? job_of(l, old) : job;

	if (xb_jv_is(before) && !xb_sv_eq(xb_jv_meta(before, "uid"), xb_jv_meta(job, "uid")))
		kcm_queue_add(l->queue, before);
	if (xb_jv_is(job)) {
		observe(l, job, old, pod);
		kcm_queue_add_after(l->queue, job, GATHER_MS);
	}
	if (!xb_jv_is(pod))
		return;
	if (job_tracks(pod) && job_controls(pod) && (!xb_jv_is(job) || job_is_over(job)))
		kcm_queue_add(l->orphans, pod);
	if (!xb_owner_uid(pod).n && (!xb_jv_is(old) || xb_owner_uid(old).n ||
				     !xb_sv_eq(xb_jv_bytes(xb_jv_path(old, "metadata", "labels")), xb_jv_bytes(xb_jv_path(pod, "metadata", "labels")))))
		queue_who_selects(l, pod);
}

static void free_pods_of(struct jobs *l, struct xb_jv job)
{
	for (struct xb_index_it it = {}; xb_index_next(l->pods_by_controller, xb_jv_meta(job, "uid"), &it);)
		if (job_tracks(it.object))
			kcm_queue_add(l->orphans, it.object);
}

static void on_job(void *arg, struct xb_jv old, struct xb_jv job)
{
	struct jobs *l = arg;
	bool anew = xb_jv_is(old) && !xb_sv_eq(xb_jv_meta(old, "uid"), xb_jv_meta(job, "uid"));

	if (anew)
		free_pods_of(l, old);
	if (xb_jv_is(job) && job_is_over(job))
		free_pods_of(l, job);
	/* also one that is gone: what is remembered of it goes */
	kcm_queue_add(l->queue, xb_jv_is(job) ? job : old);
}

/* --- the loop --- */
static int follow(struct jobs *l)
{
	struct kcm *k = l->kcm;
	int r = xb_cache_follow(k->cache, l->kind, on_job, l);

	if (!r)
		r = xb_cache_follow(k->cache, l->pod_kind, on_pod, l);
	l->jobs = xb_cache_of(k->cache, l->kind);
	l->pods = xb_cache_of(k->cache, l->pod_kind);
	l->jobs_by_namespace = kcm_index(k, l->kind, kcm_by_namespace);
	l->pods_by_controller = kcm_index(k, l->pod_kind, kcm_by_controller);
	return r || !l->jobs || !l->pods || !l->jobs_by_namespace || !l->pods_by_controller ? -ENOMEM : 0;
}

void job_stop(void *loop)
{
	struct jobs *l = loop;

	kcm_queue_free(l->queue);
	kcm_queue_free(l->orphans);
	for (struct xb_map_it it = {}; l->memories && xb_map_next(l->memories, &it);)
		forget_memory(l, it.key);
	xb_map_free(l->memories);
	xb_expectations_free(l->pods_changed);
	xb_expectations_free(l->finalizers_gone);
	free(l);
}

int job_start(struct kcm *k, void **ret)
{
	struct jobs *l = calloc(1, sizeof(*l));
	struct kcm_queue_config queue = { .name = "job", .workers = k->options->concurrent_job_syncs, .sync = job_sync, .loop = l };
	struct kcm_queue_config orphans = { .name = "job_orphan_pod", .workers = 1, .sync = job_orphan_sync, .loop = l };
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct jobs){ .kcm = k, .kind = kcm_kind("batch", "v1", "jobs"), .pod_kind = kcm_kind("", "v1", "pods") };
	l->pods_changed = xb_expectations_new(JOB_EXPIRE_MS);
	l->finalizers_gone = xb_expectations_new(JOB_EXPIRE_MS);
	l->memories = xb_map_new(XB_MAP_COPY);
	r = l->pods_changed && l->finalizers_gone && l->memories ? kcm_queue_new(k, &queue, &l->queue) : -ENOMEM;
	if (!r)
		r = kcm_queue_new(k, &orphans, &l->orphans);
	if (!r)
		r = follow(l);
	if (r) {
		job_stop(l);
		return r;
	}
	*ret = l;
	return 0;
}
