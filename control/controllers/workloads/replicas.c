/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ReplicationControllers and ReplicaSets: as many pods as they ask for (upstream's pkg/controller/replicaset). One sync does
 * one of these, and what it did brings the next one: take over or let go of pods, make some, delete some, tell the status.
 */
#include "../claims.h"
#include "../loops.h"
#include "../pods.h"
#include "../recount.h"
#include "replicas.h"
#include "replicas_status.h"
#include "xb/time.h"
#include "xb/work_queue.h"

#define EXPIRE_MS (5 * 60 * 1000)
#define BURST_MS  20 /* pods become ready many at a time: one status tells of all */

static const struct replicas_variety replication_controllers = { "", "replicationcontrollers", "replicationmanager",
								 "replication-controller" };
static const struct replicas_variety replica_sets = { "apps", "replicasets", "replicaset", "replicaset-controller" };

void replicas_pods_done(struct replicas_pods *p)
{
	xb_vec_done(&p->active);
	xb_vec_done(&p->to_adopt);
	xb_vec_done(&p->to_release);
}

/* --- which pods are a set's --- */

/* A ReplicationController's is a map, a ReplicaSet's a LabelSelector. NULL: none, which selects nothing. */
static struct xb_selector *selector_of(const struct replicas *l, struct xb_jv set)
{
	struct xb_jv v = xb_jv_path(set, "spec", "selector");
	struct xb_selector *s = NULL;

	if (l->variety == &replication_controllers)
		xb_selector_from_map(v, &s);
	else
		xb_selector_from_label_selector(v, &s, NULL);
	return s;
}

static bool selects(const struct xb_selector *s, struct xb_jv pod)
{
	return xb_selector_matches(s, xb_jv_path(pod, "metadata", "labels"));
}

static int gather(const struct replicas *l, struct xb_jv set, const struct xb_selector *selector, struct replicas_pods *ret)
{
	_cleanup_buf_ struct xb_buf orphans = {};
	int r = 0;

	xb_buf_addf(&orphans, "%.*s/", XB_SV_ARG(xb_jv_meta(set, "namespace")));
	for (struct xb_index_it it = {}; !r && xb_index_next(l->pods_by_controller, xb_jv_meta(set, "uid"), &it);) {
		if (!pods_active(it.object))
			continue;
		if (selects(selector, it.object))
			r = xb_vec_push(&ret->active, it.object);
		else
			r = xb_vec_push(&ret->to_release, it.object);
	}
	for (struct xb_index_it it = {}; !r && xb_index_next(l->pods_by_controller, xb_buf_sv(&orphans), &it);)
		if (pods_active(it.object) && selects(selector, it.object))
			r = xb_vec_push(&ret->to_adopt, it.object);
	return r;
}

/* --- what outlives the first round --- */
int replicas_hold(struct replicas_sync *s)
{
	s->uid = xb_arena_strn(s->w->arena, xb_jv_meta(s->set, "uid"));
	return s->uid ? kcm_work_hold(s->w, s->set) : -ENOMEM;
}

int replicas_new_targets(struct replicas_sync *s, size_t n)
{
	s->targets = xb_arena_alloc(s->w->arena, (n + 1) * sizeof(*s->targets));
	return s->targets ? 0 : -ENOMEM;
}

int replicas_add_targets(struct replicas_sync *s, const struct xb_jv *pods, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct replicas_target *t = &s->targets[s->n_targets++];

		t->s = s;
		t->name = xb_arena_strn(s->w->arena, xb_jv_meta(pods[i], "name"));
		t->uid = xb_arena_strn(s->w->arena, xb_jv_meta(pods[i], "uid"));
		if (!t->name || !t->uid)
			return -ENOMEM;
	}
	return 0;
}

/* --- status --- */
static void on_told(struct kcm_work *w, int error)
{
	kcm_work_done(w, error == -ENOENT ? 0 : error);
}

static void on_told_after_failure(struct kcm_work *w, int error)
{
	const struct replicas_sync *s = w->state;

	kcm_work_done(w, s->error);
}

/* reason: why the pods are not as many as they should be, NULL when they are. */
static void tell_status(struct replicas_sync *s, const struct replicas_pods *p, const char *reason)
{
	_cleanup_buf_ struct xb_buf patch = {};
	struct kcm_request q = {
		.method = "PUT", .kind = s->l->kind, .name = s->w->name, .sub = "status", .type = KCM_JSON, .of = s->set,
	};
	void (*then)(struct kcm_work *w, int error) = reason ? on_told_after_failure : on_told;
	int64_t now = xb_time_now();
	struct replicas_status status;
	int r;

	replicas_count(s->set, p->active.v, p->active.n, now, &status);
	if (status.next_available_us)
		kcm_queue_add_after(s->l->queue, s->set, (status.next_available_us - now) / 1000 + 1);
	replicas_status_patch(s->set, &status, reason, s->w->why, now, &patch);
	if (!patch.n) {
		then(s->w, patch.err);
		return;
	}
	r = patch.err ? patch.err : replicas_hold(s);
	if (r) {
		kcm_work_done(s->w, r);
		return;
	}
	q.body = xb_buf_sv(&patch);
	kcm_work_round(s->w, then);
	kcm_work_ask(s->w, &q, NULL, NULL);
	kcm_work_go(s->w);
}

void replicas_tell(struct replicas_sync *s, const char *reason, int error)
{
	_cleanup_(xb_selector_freep) struct xb_selector *selector = NULL;
	_cleanup_(replicas_pods_done) struct replicas_pods p = {};
	struct xb_jv set = xb_informer_get(s->l->sets, s->w->namespace_, s->w->name);

	if (!xb_jv_is(set) || !xb_sv_is(xb_jv_meta(set, "uid"), s->uid)) {
		kcm_work_done(s->w, error);
		return;
	}
	s->set = set;
	s->error = error;
	selector = selector_of(s->l, set);
	if (gather(s->l, set, selector, &p))
		kcm_work_done(s->w, -ENOMEM);
	else
		tell_status(s, &p, reason);
}

void replicas_await(struct replicas_sync *s)
{
	xb_work_queue_add_after(kcm_queue_keys(s->l->queue), s->w->key, EXPIRE_MS + 1);
	kcm_work_done(s->w, 0);
}

/* --- adoption and release --- */
static void start_claims(struct replicas_sync *s, const struct replicas_pods *p)
{
	struct claims c = {
		.kind = s->l->pod_kind, .owner_kind = s->l->kind, .owner = s->set,
		.adopt = p->to_adopt.v, .n_adopt = p->to_adopt.n, .release = p->to_release.v, .n_release = p->to_release.n,
	};
	int r = claims_begin(s->w, &c, kcm_work_done);

	if (r)
		kcm_work_done(s->w, r);
}

/* --- requests without an answer --- */
static void on_recounted(struct kcm_work *w, int error)
{
	kcm_work_done(w, error ? error : -EAGAIN);
}

static void start_recount(struct replicas_sync *s, const struct xb_selector *selector)
{
	struct recount c = {
		.pod_kind = s->l->pod_kind, .pods = xb_cache_of(s->l->kcm->cache, s->l->pod_kind), .expectations = s->l->expectations,
		.selector = selector, .owner = s->set,
	};
	int r = recount_begin(s->w, &c, on_recounted);

	if (r)
		kcm_work_done(s->w, r);
}

/* --- one set --- */
static int64_t wanted(struct xb_jv set)
{
	int64_t n = 1;

	xb_jv_i64(xb_jv_path(set, "spec", "replicas"), &n);
	return n;
}

static void bring_about(struct replicas_sync *s, const struct xb_selector *selector, struct replicas_pods *p)
{
	bool met = xb_expectations_met(s->l->expectations, s->w->key);

	s->diff = (int64_t)p->active.n - wanted(s->set);
	if (pods_deleting(s->set))
		tell_status(s, p, NULL);
	else if (p->to_adopt.n || p->to_release.n)
		start_claims(s, p);
	else if (xb_expectations_doubted(s->l->expectations, s->w->key))
		start_recount(s, selector);
	else if (!met)
		replicas_await(s);
	else if (s->diff < 0)
		replicas_create(s);
	else if (s->diff > 0)
		replicas_delete(s, p);
	else
		tell_status(s, p, NULL);
}

static void sync_set(struct kcm_work *w)
{
	struct replicas *l = w->loop;
	_cleanup_(xb_selector_freep) struct xb_selector *selector = NULL;
	_cleanup_(replicas_pods_done) struct replicas_pods p = {};
	struct replicas_sync *s = w->state = xb_arena_alloc(w->arena, sizeof(*s));
	struct xb_jv set = xb_informer_get(l->sets, w->namespace_, w->name);
	int r = s ? 0 : -ENOMEM;

	if (!xb_jv_is(set)) {
		xb_expectations_forget(l->expectations, w->key);
		kcm_work_done(w, 0);
		return;
	}
	selector = selector_of(l, set);
	if (!r && selector)
		r = gather(l, set, selector, &p);
	if (r || !selector) {
		kcm_work_done(w, r);
		return;
	}
	*s = (struct replicas_sync){ .w = w, .l = l, .set = set };
	bring_about(s, selector, &p);
}

/* --- what comes in --- */
static struct xb_jv owner_of(const struct replicas *l, struct xb_jv pod)
{
	return kcm_owner(l->sets, l->kind, pod);
}

static void queue_if(struct replicas *l, struct xb_jv set)
{
	if (xb_jv_is(set))
		kcm_queue_add(l->queue, set);
}

static void queue_soon(struct replicas *l, struct xb_jv set)
{
	if (xb_jv_is(set))
		kcm_queue_add_after(l->queue, set, BURST_MS);
}

static void queue_who_selects(struct replicas *l, struct xb_jv orphan)
{
	for (struct xb_index_it it = {}; xb_index_next(l->sets_by_namespace, xb_jv_meta(orphan, "namespace"), &it);) {
		_cleanup_(xb_selector_freep) struct xb_selector *s = selector_of(l, it.object);

		if (s && selects(s, orphan))
			kcm_queue_add(l->queue, it.object);
	}
}

static void on_pod_gone(struct replicas *l, struct xb_jv pod)
{
	struct xb_jv set = owner_of(l, pod);
	_cleanup_buf_ struct xb_buf key = {};

	if (!xb_jv_is(set))
		return;
	if (kcm_key(set, &key))
		xb_expectations_deleted(l->expectations, key.p, xb_jv_meta(pod, "uid"));
	kcm_queue_add(l->queue, set);
}

static void on_pod_seen(struct replicas *l, struct xb_jv pod)
{
	struct xb_jv set = owner_of(l, pod);
	_cleanup_buf_ struct xb_buf key = {};

	if (xb_jv_is(set) && kcm_key(set, &key))
		xb_expectations_created(l->expectations, key.p);
}

static bool same(struct xb_jv a, struct xb_jv b, const char *field)
{
	return xb_sv_eq(xb_jv_bytes(xb_jv_path(a, "metadata", field)), xb_jv_bytes(xb_jv_path(b, "metadata", field)));
}

/* A pod that is being deleted counts no more, whatever time that takes: a deletion is over when it begins. */
static void on_pod(void *arg, struct xb_jv old, struct xb_jv pod)
{
	struct replicas *l = arg;

	if (!xb_jv_is(old) && xb_jv_is(pod))
		on_pod_seen(l, pod);
	if (!xb_jv_is(pod) || pods_deleting(pod)) {
		on_pod_gone(l, xb_jv_is(pod) ? pod : old);
		return;
	}
	if (xb_jv_is(old) && xb_owner_uid(pod).n && xb_sv_eq(xb_owner_uid(old), xb_owner_uid(pod))) {
		queue_soon(l, owner_of(l, pod));
		return;
	}
	if (xb_jv_is(old))
		queue_if(l, owner_of(l, old));
	if (xb_owner_uid(pod).n)
		queue_if(l, owner_of(l, pod));
	else if (!xb_jv_is(old) || !same(old, pod, "labels") || !same(old, pod, "ownerReferences"))
		queue_who_selects(l, pod);
}

static void on_set(void *arg, struct xb_jv old, struct xb_jv set)
{
	struct replicas *l = arg;
	_cleanup_buf_ struct xb_buf key = {};

	if (xb_jv_is(old) && !xb_sv_eq(xb_jv_meta(old, "uid"), xb_jv_meta(set, "uid")) && kcm_key(old, &key))
		xb_expectations_forget(l->expectations, key.p);
	queue_if(l, set);
}

/* --- the loops --- */
static int follow(struct replicas *l)
{
	struct kcm *k = l->kcm;
	int r = xb_cache_follow(k->cache, l->kind, on_set, l);

	if (!r)
		r = xb_cache_follow(k->cache, l->pod_kind, on_pod, l);
	l->sets = xb_cache_of(k->cache, l->kind);
	l->sets_by_namespace = kcm_index(k, l->kind, kcm_by_namespace);
	l->sets_by_controller = kcm_index(k, l->kind, kcm_by_controller);
	l->pods_by_controller = kcm_index(k, l->pod_kind, kcm_by_controller);
	return r || !l->sets || !l->sets_by_namespace || !l->sets_by_controller || !l->pods_by_controller ? -ENOMEM : 0;
}

static void free_all(struct replicas *l)
{
	kcm_queue_free(l->queue);
	xb_expectations_free(l->expectations);
	free(l);
}

void replicas_stop(void *loop)
{
	free_all(loop);
}

static int start(struct kcm *k, const struct replicas_variety *v, int workers, void **ret)
{
	struct replicas *l = calloc(1, sizeof(*l));
	struct kcm_queue_config queue = { .name = v->queue, .workers = workers, .sync = sync_set, .loop = l };
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct replicas){ .kcm = k, .variety = v, .kind = kcm_kind(v->group, "v1", v->plural), .pod_kind = kcm_kind("", "v1", "pods") };
	l->expectations = xb_expectations_new(EXPIRE_MS);
	r = l->expectations ? kcm_queue_new(k, &queue, &l->queue) : -ENOMEM;
	if (!r)
		r = follow(l);
	if (r) {
		free_all(l);
		return r;
	}
	*ret = l;
	return 0;
}

int replicationcontroller_start(struct kcm *k, void **ret)
{
	return start(k, &replication_controllers, k->options->concurrent_rc_syncs, ret);
}

int replicaset_start(struct kcm *k, void **ret)
{
	return start(k, &replica_sets, k->options->concurrent_replicaset_syncs, ret);
}
