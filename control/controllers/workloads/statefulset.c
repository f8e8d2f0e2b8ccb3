/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * StatefulSets: pods with names that stay, and storage that stays with the names (upstream's pkg/controller/statefulset). One sync
 * does one of these, and what it did brings the next one: take over or let go of pods and revisions, write the revision of the
 * template, take the next steps, tell the status, cut the history.
 */
#include "../claims.h"
#include "../loops.h"
#include "../pods.h"
#include "stateful.h"
#include "xb/time.h"
#include "xb/work_queue.h"

#define EXPIRE_MS (5 * 60 * 1000)
#define BURST_MS  20 /* side by side, pods become ready many at a time: one status tells of all */
#define HASH_LABEL "controller.kubernetes.io/hash"

/* What there is of a set: views, and the selector. */
struct own {
	struct xb_selector *selector;
	struct stateful plan;
	XB_VEC(struct xb_jv) to_adopt, to_release;      /* pods */
	struct revisions revisions;
	struct revisions_update update;
};

static void own_done(struct own *o)
{
	xb_selector_free(o->selector);
	stateful_done(&o->plan);
	xb_vec_done(&o->to_adopt);
	xb_vec_done(&o->to_release);
	revisions_done(&o->revisions);
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

/* The place of a pod that the set selects and that has its name; -1: it has none. */
static int64_t place_of(struct xb_jv set, const struct xb_selector *selector, struct xb_jv pod)
{
	return selects(selector, pod) ? stateful_ordinal(xb_jv_meta(set, "name"), xb_jv_meta(pod, "name")) : -1;
}

static int gather_pods(const struct statefulsets *l, struct xb_jv set, struct own *o)
{
	_cleanup_buf_ struct xb_buf orphans = {};
	int64_t ordinal;
	int r = 0;

	xb_buf_addf(&orphans, "%.*s/", XB_SV_ARG(xb_jv_meta(set, "namespace")));
	for (struct xb_index_it it = {}; !r && xb_index_next(l->pods_by_controller, xb_jv_meta(set, "uid"), &it);) {
		ordinal = place_of(set, o->selector, it.object);
		if (ordinal >= 0)
			r = xb_vec_push(&o->plan.members, (struct stateful_member){ ordinal, it.object });
		else
			r = xb_vec_push(&o->to_release, it.object);
	}
	for (struct xb_index_it it = {}; !r && xb_index_next(l->pods_by_controller, xb_buf_sv(&orphans), &it);)
		if (!pods_deleting(it.object) && place_of(set, o->selector, it.object) >= 0)
			r = xb_vec_push(&o->to_adopt, it.object);
	return r ? r : orphans.err;
}

static struct xb_jv revision_by_name(const struct revisions *r, struct xb_sv name)
{
	for (size_t i = 0; i < r->owned.n; i++)
		if (xb_sv_eq(xb_jv_meta(r->owned.v[i], "name"), name))
			return r->owned.v[i];
	return (struct xb_jv){};
}

/* The first revision is both, and so is the new one where that of before is gone. */
static int gather_revisions(const struct statefulsets *l, struct xb_jv set, struct own *o)
{
	int r = revisions_gather(l->revisions_by_controller, o->selector, set, &o->revisions);

	if (!r)
		r = revisions_find(&o->revisions, set, &o->update);
	o->plan.update = o->update.revision;
	o->plan.current = revision_by_name(&o->revisions, xb_jv_text(xb_jv_path(set, "status", "currentRevision")));
	if (!xb_jv_is(o->plan.current))
		o->plan.current = o->plan.update;
	return r;
}

struct claim_reader {
	const struct xb_informer *copy;
	const char *namespace_;
};

static struct xb_jv read_claim(void *arg, const char *name)
{
	const struct claim_reader *c = arg;

	return xb_informer_get(c->copy, c->namespace_, name);
}

/* -EINVAL: it has no selector, which selects nothing. */
static int own_read(const struct stateful_sync *s, struct own *o)
{
	struct claim_reader *c = xb_arena_alloc(s->w->arena, sizeof(*c));
	int r;

	o->selector = selector_of(s->set);
	if (!c || !o->selector)
		return c ? -EINVAL : -ENOMEM;
	*c = (struct claim_reader){ s->l->claims, s->w->namespace_ };
	o->plan.set = s->set;
	o->plan.set_kind = s->l->kind;
	o->plan.pod_kind = s->l->pod_kind;
	o->plan.claim = read_claim;
	o->plan.claim_arg = c;
	o->plan.now = xb_time_now();
	r = gather_pods(s->l, s->set, o);
	if (!r)
		r = gather_revisions(s->l, s->set, o);
	stateful_read(&o->plan);
	stateful_count(&o->plan);
	return r;
}

/* --- rounds --- */
int stateful_hold(struct stateful_sync *s)
{
	s->uid = xb_arena_strn(s->w->arena, xb_jv_meta(s->set, "uid"));
	return s->uid ? kcm_work_hold(s->w, s->set) : -ENOMEM;
}

static void claim_objects(struct stateful_sync *s, const struct xb_kind *kind, const struct xb_jv *adopt, size_t n_adopt,
			  const struct xb_jv *release, size_t n_release)
{
	struct claims c = {
		.kind = kind, .owner_kind = s->l->kind, .owner = s->set,
		.adopt = adopt, .n_adopt = n_adopt, .release = release, .n_release = n_release,
	};
	int r = claims_begin(s->w, &c, kcm_work_done);

	if (r)
		kcm_work_done(s->w, r);
}

static void write_revision(struct stateful_sync *s, const struct own *o)
{
	struct revisions_owner owner = {
		.kind = s->l->kind, .revision_kind = s->l->revision_kind, .hash_label = HASH_LABEL, .object = s->set,
	};
	int r = revisions_write(s->w, &owner, &o->update, kcm_work_done);

	if (r)
		kcm_work_done(s->w, r);
}

void stateful_await(struct stateful_sync *s)
{
	xb_work_queue_add_after(kcm_queue_keys(s->l->queue), s->w->key, EXPIRE_MS + 1);
	kcm_work_done(s->w, 0);
}

/* --- the history --- */
static bool is_live(void *arg, struct xb_jv revision)
{
	const struct stateful *p = arg;
	struct xb_sv name = xb_jv_meta(revision, "name");

	if (xb_sv_eq(name, xb_jv_meta(p->current, "name")) || xb_sv_eq(name, xb_jv_meta(p->update, "name")))
		return true;
	for (size_t i = 0; i < p->members.n; i++)
		if (xb_sv_eq(name, stateful_revision(p->members.v[i].pod)))
			return true;
	return false;
}

static void cut_history(struct stateful_sync *s, struct own *o)
{
	_cleanup_free_ struct xb_jv *excess = calloc(o->revisions.owned.n + 1, sizeof(*excess));
	int64_t limit = 10;
	size_t n;
	int r = 0;

	xb_jv_i64(xb_jv_path(s->set, "spec", "revisionHistoryLimit"), &limit);
	n = excess && !pods_deleting(s->set) ? revisions_excess(&o->revisions, limit, is_live, &o->plan, excess) : 0;
	if (n)
		r = revisions_delete(s->w, s->l->revision_kind, excess, n, kcm_work_done);
	if (!n || r)
		kcm_work_done(s->w, excess ? r : -ENOMEM);
}

/* --- status --- */
static void on_told(struct kcm_work *w, int error)
{
	const struct stateful_sync *s = w->state;

	kcm_work_done(w, s->error ? s->error : error == -ENOENT ? 0 : error);
}

/* True when there is nothing to tell. */
static bool tell_status(struct stateful_sync *s, const struct own *o)
{
	_cleanup_buf_ struct xb_buf status = {};
	int r;

	if (o->plan.next_available_us)
		kcm_queue_add_after(s->l->queue, s->set, (o->plan.next_available_us - o->plan.now) / 1000 + 1);
	stateful_status(&o->plan, &status);
	if (!status.n && !status.err)
		return true;
	r = status.err ? status.err : stateful_hold(s);
	if (r) {
		kcm_work_done(s->w, r);
		return false;
	}
	kcm_work_round(s->w, on_told);
	kcm_work_ask_status(s->w, s->l->kind, s->set, xb_buf_sv(&status), NULL, NULL);
	kcm_work_go(s->w);
	return false;
}

void stateful_tell(struct stateful_sync *s, int error)
{
	_cleanup_(own_done) struct own o = {};
	struct xb_jv set = xb_informer_get(s->l->sets, s->w->namespace_, s->w->name);

	s->error = error;
	if (xb_jv_is(set) && xb_sv_is(xb_jv_meta(set, "uid"), s->uid)) {
		s->set = set;
		if (!own_read(s, &o) && !tell_status(s, &o))
			return;
	}
	kcm_work_done(s->w, error);
}

/* --- one set --- */
static void take_steps(struct stateful_sync *s, struct own *o)
{
	int r = stateful_plan(&o->plan);

	if (r)
		kcm_work_done(s->w, r);
	else if (o->plan.steps.n)
		stateful_do(s, &o->plan);
	else if (tell_status(s, o))
		cut_history(s, o);
}

static void bring_about(struct stateful_sync *s, struct own *o)
{
	const struct revisions *r = &o->revisions;

	if (pods_deleting(s->set)) {
		if (tell_status(s, o))
			kcm_work_done(s->w, 0);
	} else if (o->to_adopt.n || o->to_release.n) {
		claim_objects(s, s->l->pod_kind, o->to_adopt.v, o->to_adopt.n, o->to_release.v, o->to_release.n);
	} else if (r->to_adopt.n || r->to_release.n) {
		claim_objects(s, s->l->revision_kind, r->to_adopt.v, r->to_adopt.n, r->to_release.v, r->to_release.n);
	} else if (!revisions_settled(&o->update)) {
		write_revision(s, o);
	} else if (!xb_expectations_met(s->l->expectations, s->w->key)) {
		stateful_await(s);
	} else {
		take_steps(s, o);
	}
}

static void sync_set(struct kcm_work *w)
{
	struct statefulsets *l = w->loop;
	_cleanup_(own_done) struct own o = {};
	struct stateful_sync *s = w->state = xb_arena_alloc(w->arena, sizeof(*s));
	struct xb_jv set = xb_informer_get(l->sets, w->namespace_, w->name);
	int r = s ? 0 : -ENOMEM;

	if (!xb_jv_is(set)) {
		xb_expectations_forget(l->expectations, w->key);
		kcm_work_done(w, 0);
		return;
	}
	if (!r) {
		*s = (struct stateful_sync){ .w = w, .l = l, .set = set };
		r = own_read(s, &o);
	}
	if (r)
		kcm_work_done(w, r == -EINVAL ? 0 : r);
	else
		bring_about(s, &o);
}

/* --- what comes in --- */
static void queue_if(struct statefulsets *l, struct xb_jv set)
{
	if (xb_jv_is(set))
		kcm_queue_add(l->queue, set);
}

static void queue_who_selects(struct statefulsets *l, struct xb_jv orphan)
{
	for (struct xb_index_it it = {}; xb_index_next(l->sets_by_namespace, xb_jv_meta(orphan, "namespace"), &it);) {
		_cleanup_(xb_selector_freep) struct xb_selector *s = selector_of(it.object);

		if (s && selects(s, orphan))
			kcm_queue_add(l->queue, it.object);
	}
}

static bool same(struct xb_jv a, struct xb_jv b, const char *field)
{
	return xb_sv_eq(xb_jv_bytes(xb_jv_path(a, "metadata", field)), xb_jv_bytes(xb_jv_path(b, "metadata", field)));
}

static void on_owned(struct statefulsets *l, struct xb_jv old, struct xb_jv object)
{
	if (xb_jv_is(old) && !xb_sv_eq(xb_owner_uid(old), xb_owner_uid(object)))
		queue_if(l, kcm_owner(l->sets, l->kind, old));
	if (!xb_jv_is(object))
		return;
	if (xb_owner_uid(object).n)
		queue_if(l, kcm_owner(l->sets, l->kind, object));
	else if (!xb_jv_is(old) || !same(old, object, "labels") || !same(old, object, "ownerReferences"))
		queue_who_selects(l, object);
}

static bool is_parallel(struct xb_jv set)
{
	return xb_jv_streq(xb_jv_path(set, "spec", "podManagementPolicy"), XB_SV("Parallel"));
}

/* A deletion shows when it begins; its place is free when it ends. */
static void on_pod(void *arg, struct xb_jv old, struct xb_jv pod)
{
	struct statefulsets *l = arg;
	struct xb_jv last = xb_jv_is(pod) ? pod : old, set = kcm_owner(l->sets, l->kind, last);
	_cleanup_buf_ struct xb_buf key = {};

	if (xb_jv_is(set) && kcm_key(set, &key)) {
		if (!xb_jv_is(old))
			xb_expectations_created(l->expectations, key.p);
		if (!xb_jv_is(pod) || pods_deleting(pod))
			xb_expectations_deleted(l->expectations, key.p, xb_jv_meta(last, "uid"));
	}
	if (is_parallel(set) && xb_jv_is(old) && xb_jv_is(pod) && same(old, pod, "ownerReferences") && same(old, pod, "deletionTimestamp"))
		kcm_queue_add_after(l->queue, set, BURST_MS);
	else
		on_owned(l, old, pod);
}

static void on_revision(void *arg, struct xb_jv old, struct xb_jv revision)
{
	on_owned(arg, old, revision);
}

/* Whose claim it may be: "data-web-0" is a claim of "web" or of "data-web", by its name. */
static void queue_by_claim(struct statefulsets *l, struct xb_jv claim)
{
	_cleanup_free_ char *namespace_ = xb_sv_dup(xb_jv_meta(claim, "namespace")), *name = xb_sv_dup(xb_jv_meta(claim, "name"));
	char *end = name ? strrchr(name, '-') : NULL;

	if (!namespace_ || !end)
		return;
	*end = '\0';
	for (const char *set = strchr(name, '-'); set; set = strchr(set, '-'))
		queue_if(l, xb_informer_get(l->sets, namespace_, ++set));
}

static void on_claim(void *arg, struct xb_jv old, struct xb_jv claim)
{
	if (xb_jv_is(old) && xb_jv_is(claim) && same(old, claim, "ownerReferences") && same(old, claim, "deletionTimestamp"))
		return;
	queue_by_claim(arg, xb_jv_is(claim) ? claim : old);
}

static void on_set(void *arg, struct xb_jv old, struct xb_jv set)
{
	struct statefulsets *l = arg;
	_cleanup_buf_ struct xb_buf key = {};

	if (xb_jv_is(old) && !xb_sv_eq(xb_jv_meta(old, "uid"), xb_jv_meta(set, "uid")) && kcm_key(old, &key))
		xb_expectations_forget(l->expectations, key.p);
	queue_if(l, set);
}

/* --- the loop --- */
static int follow(struct statefulsets *l)
{
	struct kcm *k = l->kcm;
	int r = xb_cache_follow(k->cache, l->kind, on_set, l);

	if (!r)
		r = xb_cache_follow(k->cache, l->pod_kind, on_pod, l);
	if (!r)
		r = xb_cache_follow(k->cache, l->revision_kind, on_revision, l);
	if (!r)
		r = xb_cache_follow(k->cache, l->claim_kind, on_claim, l);
	l->sets = xb_cache_of(k->cache, l->kind);
	l->claims = xb_cache_of(k->cache, l->claim_kind);
	l->sets_by_namespace = kcm_index(k, l->kind, kcm_by_namespace);
	l->pods_by_controller = kcm_index(k, l->pod_kind, kcm_by_controller);
	l->revisions_by_controller = kcm_index(k, l->revision_kind, kcm_by_controller);
	if (!l->sets || !l->claims || !l->sets_by_namespace || !l->pods_by_controller || !l->revisions_by_controller)
		return -ENOMEM;
	return r;
}

void statefulset_stop(void *loop)
{
	struct statefulsets *l = loop;

	kcm_queue_free(l->queue);
	xb_expectations_free(l->expectations);
	free(l);
}

int statefulset_start(struct kcm *k, void **ret)
{
	struct statefulsets *l = calloc(1, sizeof(*l));
	struct kcm_queue_config queue = {
		.name = "statefulset", .workers = k->options->concurrent_statefulset_syncs, .sync = sync_set, .loop = l,
	};
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct statefulsets){
		.kcm = k, .kind = kcm_kind("apps", "v1", "statefulsets"), .pod_kind = kcm_kind("", "v1", "pods"),
		.claim_kind = kcm_kind("", "v1", "persistentvolumeclaims"),
		.revision_kind = kcm_kind("apps", "v1", "controllerrevisions"),
	};
	l->expectations = xb_expectations_new(EXPIRE_MS);
	r = l->expectations ? kcm_queue_new(k, &queue, &l->queue) : -ENOMEM;
	if (!r)
		r = follow(l);
	if (r) {
		statefulset_stop(l);
		return r;
	}
	*ret = l;
	return 0;
}
