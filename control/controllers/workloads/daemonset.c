/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * DaemonSets: a pod on each node that fits, made by the present template (upstream's pkg/controller/daemon). One sync does one of
 * these, and what it did brings the next one: take over or let go of pods and revisions, write the revision of the template, delete
 * pods, make some, cut the history, tell the status.
 */
#include "../claims.h"
#include "../loops.h"
#include "../pods.h"
#include "../recount.h"
#include "../status_put.h"
#include "daemon.h"
#include "daemon_status.h"
#include "revisions.h"
#include "xb/time.h"
#include "xb/work_queue.h"

#define EXPIRE_MS (5 * 60 * 1000)
#define BURST_MS  20 /* pods become ready many at a time: one sync sees to all */

struct pods {                                   /* views */
	XB_VEC(struct xb_jv) owned, to_adopt, to_release;
};
struct nodes {
	XB_VEC(struct xb_jv) all;
	int error;
};

static void pods_done(struct pods *p)
{
	xb_vec_done(&p->owned);
	xb_vec_done(&p->to_adopt);
	xb_vec_done(&p->to_release);
}

static void nodes_done(struct nodes *n)
{
	xb_vec_done(&n->all);
}

struct xb_event daemon_event(const struct daemon_sync *s, enum xb_event_type type, const char *reason)
{
	return (struct xb_event){
		.component = "daemonset-controller", .kind = s->l->kind, .object = s->set, .type = type, .reason = reason,
	};
}

int daemon_hold(struct daemon_sync *s)
{
	return kcm_work_hold(s->w, s->set);
}

/* --- what there is --- */
static struct xb_selector *selector_of(struct xb_jv set)
{
	struct xb_selector *s = NULL;

	xb_selector_from_label_selector(xb_jv_path(set, "spec", "selector"), &s, NULL);
	return s;
}

static bool selects(const struct xb_selector *s, struct xb_jv object)
{
	return xb_selector_matches(s, xb_jv_path(object, "metadata", "labels"));
}

static int gather_pods(const struct daemons *l, struct xb_jv set, const struct xb_selector *selector, struct pods *ret)
{
	_cleanup_buf_ struct xb_buf orphans = {};
	int r = 0;

	xb_buf_addf(&orphans, "%.*s/", XB_SV_ARG(xb_jv_meta(set, "namespace")));
	for (struct xb_index_it it = {}; !r && xb_index_next(l->pods_by_controller, xb_jv_meta(set, "uid"), &it);) {
		if (selects(selector, it.object))
			r = xb_vec_push(&ret->owned, it.object);
		else if (!pods_deleting(it.object))
			r = xb_vec_push(&ret->to_release, it.object);
	}
	for (struct xb_index_it it = {}; !r && xb_index_next(l->pods_by_controller, xb_buf_sv(&orphans), &it);)
		if (!pods_deleting(it.object) && selects(selector, it.object))
			r = xb_vec_push(&ret->to_adopt, it.object);
	return r ? r : orphans.err;
}

static void add_node(void *arg, struct xb_jv node)
{
	struct nodes *n = arg;

	if (!n->error)
		n->error = xb_vec_push(&n->all, node);
}

static int read_facts(const struct daemon_sync *s, const struct pods *p, struct daemon_facts *ret)
{
	_cleanup_(nodes_done) struct nodes nodes = {};
	struct daemon_given given = { .set = s->set, .hash = s->hash, .pods = p->owned.v, .n_pods = p->owned.n, .now = xb_time_now() };

	xb_informer_each(s->l->nodes, add_node, &nodes);
	given.nodes = nodes.all.v;
	given.n_nodes = nodes.all.n;
	return nodes.error ? nodes.error : daemon_facts_read(&given, ret);
}

/* --- status --- */
static void on_told(struct kcm_work *w, int error)
{
	const struct daemon_sync *s = w->state;

	kcm_work_done(w, s->error ? s->error : error);
}

static void tell_status(struct daemon_sync *s, const struct daemon_facts *f)
{
	_cleanup_buf_ struct xb_buf text = {};
	struct daemon_status status;
	int r;

	if (f->next_available_us)
		kcm_queue_add_after(s->l->queue, s->set, MAX((f->next_available_us - xb_time_now()) / 1000, 0) + 1);
	daemon_count(f, &status);
	daemon_status_write(s->set, &status, &text);
	r = text.err || !text.n ? text.err : daemon_hold(s);
	if (r || !text.n)
		on_told(s->w, r);
	else
		status_put(s->w, s->l->kind, s->set, &text, on_told);
}

void daemon_tell(struct daemon_sync *s, int error)
{
	_cleanup_(xb_selector_freep) struct xb_selector *selector = NULL;
	_cleanup_(pods_done) struct pods p = {};
	_cleanup_(daemon_facts_done) struct daemon_facts f = {};
	struct xb_jv set = xb_informer_get(s->l->sets, s->w->namespace_, s->w->name);
	int r;

	s->error = error;
	if (!xb_sv_eq(xb_jv_meta(set, "uid"), s->uid)) {
		kcm_work_done(s->w, error);
		return;
	}
	s->set = set;
	selector = selector_of(set);
	r = gather_pods(s->l, set, selector, &p);
	if (!r)
		r = read_facts(s, &p, &f);
	if (r)
		kcm_work_done(s->w, r);
	else
		tell_status(s, &f);
}

void daemon_await(struct daemon_sync *s)
{
	xb_work_queue_add_after(kcm_queue_keys(s->l->queue), s->w->key, EXPIRE_MS + 1);
	kcm_work_done(s->w, 0);
}

/* --- adoption, release and the history --- */
static void start_claims(struct daemon_sync *s, const struct pods *p, const struct revisions *h)
{
	struct claims c = {
		.kind = s->l->pod_kind, .owner_kind = s->l->kind, .owner = s->set,
		.adopt = p->to_adopt.v, .n_adopt = p->to_adopt.n, .release = p->to_release.v, .n_release = p->to_release.n,
	};
	int r;

	if (h->to_adopt.n || h->to_release.n) {
		c.kind = s->l->revision_kind;
		c.adopt = h->to_adopt.v;
		c.n_adopt = h->to_adopt.n;
		c.release = h->to_release.v;
		c.n_release = h->to_release.n;
	}
	r = claims_begin(s->w, &c, kcm_work_done);
	if (r)
		kcm_work_done(s->w, r);
}

static void start_revision(struct daemon_sync *s, const struct revisions_update *u)
{
	struct revisions_owner o = {
		.kind = s->l->kind, .revision_kind = s->l->revision_kind, .hash_label = REVISIONS_POD_LABEL, .object = s->set,
	};
	int r = revisions_write(s->w, &o, u, kcm_work_done);

	if (r)
		kcm_work_done(s->w, r);
}

static struct xb_sv hash_of(struct xb_jv revision)
{
	struct xb_sv hash = xb_jv_text(xb_jv_path(revision, "metadata", "labels", REVISIONS_POD_LABEL));

	return hash.n ? hash : xb_jv_meta(revision, "name");
}

struct alive {
	const struct daemon_facts *facts;
	struct xb_sv present;
};

static bool is_alive(void *arg, struct xb_jv revision)
{
	const struct alive *a = arg;
	struct xb_sv hash = hash_of(revision);

	if (xb_sv_eq(hash, a->present))
		return true;
	for (size_t i = 0; i < a->facts->pods.n; i++)
		if (xb_sv_eq(xb_jv_text(xb_jv_path(a->facts->pods.v[i].object, "metadata", "labels", REVISIONS_POD_LABEL)), hash))
			return true;
	return false;
}

/* Those that pods are still made of stay, and count. */
static size_t find_excess(const struct daemon_sync *s, const struct daemon_facts *f, const struct revisions *h, struct xb_jv *ret)
{
	struct alive alive = { .facts = f, .present = s->hash };
	int64_t limit = 10;

	xb_jv_i64(xb_jv_path(s->set, "spec", "revisionHistoryLimit"), &limit);
	if ((int64_t)h->owned.n - 1 <= limit)
		return 0;
	for (size_t i = 0; i < h->owned.n; i++)
		limit -= is_alive(&alive, h->owned.v[i]) && !xb_sv_eq(hash_of(h->owned.v[i]), s->hash);
	return revisions_excess(h, MAX(limit, 0), is_alive, &alive, ret);
}

/* --- requests without an answer --- */
static void on_recounted(struct kcm_work *w, int error)
{
	kcm_work_done(w, error ? error : -EAGAIN);
}

static void start_recount(struct daemon_sync *s, const struct xb_selector *selector)
{
	struct recount c = {
		.pod_kind = s->l->pod_kind, .pods = s->l->pods, .expectations = s->l->expectations, .selector = selector, .owner = s->set,
	};
	int r = recount_begin(s->w, &c, on_recounted);

	if (r)
		kcm_work_done(s->w, r);
}

/* --- one DaemonSet --- */

/* Leaves out failed pods that have to stay for a while. */
static int back_off(struct daemon_sync *s, int64_t now, struct daemon_plan *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->remove.n && n < DAEMON_BURST; i++) {
		const struct daemon_removal *v = &p->remove.v[i];
		int64_t wait = v->why == DAEMON_FAILED ? daemon_backoff_take(s->l->backoff, s->uid, v->pod->node, now) : 0;

		if (wait < 0)
			return (int)wait;
		if (wait)
			kcm_queue_add_after(s->l->queue, s->set, wait / 1000 + 1);
		else
			p->remove.v[n++] = *v;
	}
	p->remove.n = n;
	return 0;
}

static void tell_over(const struct daemon_sync *s, const struct daemon_plan *p)
{
	for (size_t i = 0; i < p->remove.n; i++) {
		const struct daemon_pod *pod = p->remove.v[i].pod;
		bool is_failure = p->remove.v[i].why == DAEMON_FAILED;
		struct xb_event e = daemon_event(s, is_failure ? XB_EVENT_WARNING : XB_EVENT_NORMAL,
						 is_failure ? "FailedDaemonPod" : "SucceededDaemonPod");

		if (is_failure || p->remove.v[i].why == DAEMON_SUCCEEDED)
			xb_recorder_event(s->l->kcm->recorder, &e, "Found %s daemon pod %s/%.*s on node %.*s, will try to %s it",
					  is_failure ? "failed" : "succeeded", s->w->namespace_, XB_SV_ARG(pod->name),
					  XB_SV_ARG(pod->node), is_failure ? "kill" : "delete");
	}
}

static int make_plan(struct daemon_sync *s, const struct daemon_facts *f, struct daemon_plan *ret)
{
	int r = daemon_plan_nodes(f, ret);

	if (!r)
		r = back_off(s, xb_time_ms() * 1000, ret);
	if (!r && !ret->remove.n && !ret->create.n && f->rolling)
		r = daemon_plan_update(f, ret);
	return r;
}

static void do_plan(struct daemon_sync *s, const struct daemon_facts *f, const struct daemon_plan *p, const struct revisions *h)
{
	struct xb_jv *excess = xb_arena_alloc(s->w->arena, (h->owned.n + 1) * sizeof(*excess));
	size_t n = excess ? find_excess(s, f, h, excess) : 0;
	int r = excess ? 0 : -ENOMEM;

	if (!r && p->remove.n) {
		tell_over(s, p);
		daemon_delete(s, p);
	} else if (!r && p->create.n) {
		daemon_create(s, p);
	} else if (!r && n) {
		r = revisions_delete(s->w, s->l->revision_kind, excess, n, kcm_work_done);
	} else if (!r) {
		tell_status(s, f);
	}
	if (r)
		kcm_work_done(s->w, r);
}

static void work_on_pods(struct daemon_sync *s, const struct pods *p, const struct revisions *h, struct xb_jv revision)
{
	_cleanup_(daemon_facts_done) struct daemon_facts f = {};
	_cleanup_(daemon_plan_done) struct daemon_plan plan = {};
	int r;

	s->hash = xb_arena_sv(s->w->arena, hash_of(revision));
	r = s->hash.p ? read_facts(s, p, &f) : -ENOMEM;
	if (!r)
		r = make_plan(s, &f, &plan);
	if (r)
		kcm_work_done(s->w, r);
	else
		do_plan(s, &f, &plan, h);
}

static void bring_about(struct daemon_sync *s, const struct xb_selector *selector, const struct pods *p, const struct revisions *h)
{
	struct revisions_update u;
	int r = revisions_find(h, s->set, &u);

	if (r)
		kcm_work_done(s->w, r);
	else if (!revisions_settled(&u))
		start_revision(s, &u);
	else if (xb_expectations_doubted(s->l->expectations, s->w->key))
		start_recount(s, selector);
	else if (!xb_expectations_met(s->l->expectations, s->w->key))
		daemon_await(s);
	else
		work_on_pods(s, p, h, u.revision);
}

static void sync_set(struct kcm_work *w)
{
	struct daemons *l = w->loop;
	_cleanup_(xb_selector_freep) struct xb_selector *selector = NULL;
	_cleanup_(pods_done) struct pods p = {};
	_cleanup_(revisions_done) struct revisions h = {};
	struct daemon_sync *s = w->state = xb_arena_alloc(w->arena, sizeof(*s));
	struct xb_jv set = xb_informer_get(l->sets, w->namespace_, w->name);
	int r = s ? 0 : -ENOMEM;

	if (!xb_jv_is(set))
		xb_expectations_forget(l->expectations, w->key);
	selector = selector_of(set);
	if (r || !selector || pods_deleting(set)) {
		kcm_work_done(w, r);
		return;
	}
	*s = (struct daemon_sync){ .w = w, .l = l, .set = set, .uid = xb_arena_sv(w->arena, xb_jv_meta(set, "uid")) };
	r = s->uid.p ? gather_pods(l, set, selector, &p) : -ENOMEM;
	if (!r)
		r = revisions_gather(l->revisions_by_controller, selector, set, &h);
	if (r)
		kcm_work_done(w, r);
	else if (p.to_adopt.n || p.to_release.n || h.to_adopt.n || h.to_release.n)
		start_claims(s, &p, &h);
	else
		bring_about(s, selector, &p, &h);
}

/* --- what comes in --- */
static void queue_owner(struct daemons *l, struct xb_jv object)
{
	struct xb_jv set = kcm_owner(l->sets, l->kind, object);

	if (xb_jv_is(set))
		kcm_queue_add(l->queue, set);
}

static void queue_who_selects(struct daemons *l, struct xb_jv orphan)
{
	for (struct xb_index_it it = {}; xb_index_next(l->sets_by_namespace, xb_jv_meta(orphan, "namespace"), &it);) {
		_cleanup_(xb_selector_freep) struct xb_selector *s = selector_of(it.object);

		if (s && selects(s, orphan))
			kcm_queue_add(l->queue, it.object);
	}
}

static bool same(struct xb_jv a, struct xb_jv b, const char *group, const char *field)
{
	return xb_sv_eq(xb_jv_bytes(xb_jv_path(a, group, field)), xb_jv_bytes(xb_jv_path(b, group, field)));
}

static bool same_claim(struct xb_jv a, struct xb_jv b)
{
	return same(a, b, "metadata", "labels") && same(a, b, "metadata", "ownerReferences");
}

/* Containers, addresses and the like change more often than what a set goes by. */
static bool says_the_same(struct xb_jv a, struct xb_jv b)
{
	int64_t since_a = 0, since_b = 0;

	return same_claim(a, b) && same(a, b, "metadata", "deletionTimestamp") && same(a, b, "spec", "nodeName") &&
	       same(a, b, "status", "phase") && pods_ready(a, &since_a) == pods_ready(b, &since_b) && since_a == since_b;
}

/* While other pods are awaited, a sync would do nothing: the last of them brings it. */
static void on_own_pod(struct daemons *l, struct xb_jv old, struct xb_jv pod)
{
	bool gone = !xb_jv_is(pod) || pods_deleting(pod);
	struct xb_jv last = xb_jv_is(pod) ? pod : old, set = kcm_owner(l->sets, l->kind, last);
	_cleanup_buf_ struct xb_buf key = {};

	if (!xb_jv_is(set) || !kcm_key(set, &key))
		return;
	if (!xb_jv_is(old))
		xb_expectations_created(l->expectations, key.p);
	if (gone)
		xb_expectations_deleted(l->expectations, key.p, xb_jv_meta(last, "uid"));
	if (xb_expectations_met(l->expectations, key.p))
		kcm_queue_add_after(l->queue, set, xb_jv_is(old) && !gone ? BURST_MS : 0);
}

static void on_pod(void *arg, struct xb_jv old, struct xb_jv pod)
{
	struct daemons *l = arg;

	if (xb_jv_is(old) && xb_jv_is(pod) && says_the_same(old, pod))
		return;
	if (xb_jv_is(old) && !xb_sv_eq(xb_owner_uid(old), xb_owner_uid(pod)) && xb_jv_is(pod))
		queue_owner(l, old);
	if (xb_owner_uid(xb_jv_is(pod) ? pod : old).n)
		on_own_pod(l, old, pod);
	else if (xb_jv_is(pod) && (!xb_jv_is(old) || !same_claim(old, pod)))
		queue_who_selects(l, pod);
}

static void on_revision(void *arg, struct xb_jv old, struct xb_jv revision)
{
	struct daemons *l = arg;

	if (xb_jv_is(old) && !xb_sv_eq(xb_owner_uid(old), xb_owner_uid(revision)))
		queue_owner(l, old);
	if (!xb_jv_is(revision))
		return;
	if (xb_owner_uid(revision).n)
		queue_owner(l, revision);
	else if (!xb_jv_is(old) || !same_claim(old, revision))
		queue_who_selects(l, revision);
}

struct node_change {
	struct daemons *l;
	struct xb_jv old, node;
};

static void queue_if_it_fits_otherwise(void *arg, struct xb_jv set)
{
	const struct node_change *c = arg;
	struct daemon_fit was = xb_jv_is(c->old) ? daemon_fit(set, c->old) : (struct daemon_fit){};
	struct daemon_fit is = xb_jv_is(c->node) ? daemon_fit(set, c->node) : (struct daemon_fit){};

	if (was.run != is.run || was.keep != is.keep)
		kcm_queue_add(c->l->queue, set);
}

/* Each node tells of itself every few minutes, and nothing of that is looked at. */
static void on_node(void *arg, struct xb_jv old, struct xb_jv node)
{
	struct node_change c = { .l = arg, .old = old, .node = node };

	if (xb_jv_is(old) && xb_jv_is(node) && same(old, node, "metadata", "labels") && same(old, node, "spec", "taints"))
		return;
	xb_informer_each(c.l->sets, queue_if_it_fits_otherwise, &c);
}

static void on_set(void *arg, struct xb_jv old, struct xb_jv set)
{
	struct daemons *l = arg;
	_cleanup_buf_ struct xb_buf key = {};

	if (xb_jv_is(old) && !xb_sv_eq(xb_jv_meta(old, "uid"), xb_jv_meta(set, "uid")) && kcm_key(old, &key))
		xb_expectations_forget(l->expectations, key.p);
	if (xb_jv_is(set))
		kcm_queue_add(l->queue, set);
}

/* --- the loop --- */
static int follow(struct daemons *l)
{
	struct kcm *k = l->kcm;
	int r = xb_cache_follow(k->cache, l->kind, on_set, l);

	if (!r)
		r = xb_cache_follow(k->cache, l->pod_kind, on_pod, l);
	if (!r)
		r = xb_cache_follow(k->cache, l->node_kind, on_node, l);
	if (!r)
		r = xb_cache_follow(k->cache, l->revision_kind, on_revision, l);
	l->sets = xb_cache_of(k->cache, l->kind);
	l->nodes = xb_cache_of(k->cache, l->node_kind);
	l->pods = xb_cache_of(k->cache, l->pod_kind);
	l->sets_by_namespace = kcm_index(k, l->kind, kcm_by_namespace);
	l->pods_by_controller = kcm_index(k, l->pod_kind, kcm_by_controller);
	l->revisions_by_controller = kcm_index(k, l->revision_kind, kcm_by_controller);
	if (!l->sets || !l->nodes || !l->pods || !l->sets_by_namespace || !l->pods_by_controller || !l->revisions_by_controller)
		return -ENOMEM;
	return r;
}

void daemonset_stop(void *loop)
{
	struct daemons *l = loop;

	kcm_queue_free(l->queue);
	xb_expectations_free(l->expectations);
	daemon_backoff_free(l->backoff);
	free(l);
}

int daemonset_start(struct kcm *k, void **ret)
{
	struct daemons *l = calloc(1, sizeof(*l));
	struct kcm_queue_config queue = {
		.name = "daemonset", .workers = k->options->concurrent_daemonset_syncs, .sync = sync_set, .loop = l,
	};
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct daemons){
		.kcm = k, .kind = kcm_kind("apps", "v1", "daemonsets"), .pod_kind = kcm_kind("", "v1", "pods"),
		.node_kind = kcm_kind("", "v1", "nodes"), .revision_kind = kcm_kind("apps", "v1", "controllerrevisions"),
	};
	l->expectations = xb_expectations_new(EXPIRE_MS);
	l->backoff = daemon_backoff_new();
	r = l->expectations && l->backoff ? kcm_queue_new(k, &queue, &l->queue) : -ENOMEM;
	if (!r)
		r = follow(l);
	if (r) {
		daemonset_stop(l);
		return r;
	}
	*ret = l;
	return 0;
}
