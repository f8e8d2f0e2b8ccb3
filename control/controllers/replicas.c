/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ReplicationControllers and ReplicaSets: as many pods as they ask for (upstream's pkg/controller/replicaset). One sync does
 * one of these, and what it did brings the next one: take over or let go of pods, make some, delete some, tell the status.
 */
#include "loops.h"
#include "pods.h"
#include "replicas_rank.h"
#include "replicas_status.h"
#include "work.h"
#include "xb/expectations.h"
#include "xb/time.h"
#include "xb/work_queue.h"

#define BURST     500            /* pods made or deleted in one sync */
#define EXPIRE_MS (5 * 60 * 1000)

static const struct variety {
	const char *group, *plural, *queue, *component;
} replication_controllers = { "", "replicationcontrollers", "replicationmanager", "replication-controller" },
  replica_sets = { "apps", "replicasets", "replicaset", "replicaset-controller" };

struct replicas {
	struct kcm *kcm;
	const struct variety *variety;
	const struct xb_kind *kind, *pod_kind;
	struct xb_informer *sets;               /* of the kind */
	struct xb_index *sets_by_namespace, *sets_by_controller, *pods_by_controller;
	struct xb_expectations *expectations;
	struct kcm_queue *queue;
};

struct pods {
	XB_VEC(struct xb_jv) active, to_adopt, to_release; /* views */
};
struct target;                                  /* a pod that a request is about */
struct sync {
	struct kcm_work *w;
	struct replicas *l;
	struct xb_jv set;                       /* held as soon as a round begins */
	const char *uid;                        /* the set's */
	int64_t diff;                           /* pods too many, or when negative too few */
	struct target *targets;
	size_t n_targets, n_adopt;              /* those to adopt come first */
	struct xb_sv body;                      /* of the pods to make */
	unsigned remaining, batch;
	bool terminating;                       /* the namespace */
	int error;                              /* of the requests; w->why has what the first that failed was told */
};
struct target {
	struct sync *s;
	const char *name, *uid;
};

static struct xb_sv meta(struct xb_jv object, const char *field)
{
	return xb_jv_text(xb_jv_path(object, "metadata", field));
}

static void pods_done(struct pods *p)
{
	xb_vec_done(&p->active);
	xb_vec_done(&p->to_adopt);
	xb_vec_done(&p->to_release);
}

static void tell(const struct sync *s, enum xb_event_type type, const char *reason, const char *what, const char *of)
{
	struct xb_event e = {
		.component = s->l->variety->component, .kind = s->l->kind, .object = s->set, .type = type, .reason = reason,
	};

	xb_recorder_event(s->l->kcm->recorder, &e, "%s: %s", what, of);
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

static int gather(const struct replicas *l, struct xb_jv set, const struct xb_selector *selector, struct pods *ret)
{
	_cleanup_buf_ struct xb_buf orphans = {};
	int r = 0;

	xb_buf_addf(&orphans, "%.*s/", XB_SV_ARG(meta(set, "namespace")));
	for (struct xb_index_it it = {}; !r && xb_index_next(l->pods_by_controller, meta(set, "uid"), &it);) {
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

/* --- requests --- */
static int begin_round(struct sync *s, void (*then)(struct kcm_work *w, int error))
{
	int r = kcm_work_hold(s->w, s->set);

	s->uid = xb_arena_strn(s->w->arena, meta(s->set, "uid"));
	if (r || !s->uid)
		return -ENOMEM;
	kcm_work_round(s->w, then);
	return 0;
}

/* Name and uid of pods, which need not stay. */
static int add_targets(struct sync *s, const struct xb_jv *pods, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct target *t = &s->targets[s->n_targets++];

		t->s = s;
		t->name = xb_arena_strn(s->w->arena, meta(pods[i], "name"));
		t->uid = xb_arena_strn(s->w->arena, meta(pods[i], "uid"));
		if (!t->name || !t->uid)
			return -ENOMEM;
	}
	return 0;
}

static int new_targets(struct sync *s, size_t n)
{
	s->targets = xb_arena_alloc(s->w->arena, (n + 1) * sizeof(*s->targets));
	return s->targets ? 0 : -ENOMEM;
}

static void note_why(struct sync *s, const struct xb_status *status)
{
	if (!s->w->why)
		s->w->why = xb_arena_strn(s->w->arena, xb_sv(status && status->message ? status->message : ""));
}

/* --- status --- */
static void on_told(struct kcm_work *w, int error)
{
	kcm_work_done(w, error == -ENOENT ? 0 : error);
}

static void on_told_after_failure(struct kcm_work *w, int error)
{
	const struct sync *s = w->state;

	kcm_work_done(w, s->error);
}

/* reason: why the pods are not as many as they should be, NULL when they are. */
static void tell_status(struct sync *s, const struct pods *p, const char *reason)
{
	_cleanup_buf_ struct xb_buf patch = {};
	struct kcm_request q = { .method = "PATCH", .kind = s->l->kind, .name = s->w->name, .sub = "status", .type = KCM_MERGE };
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
	r = patch.err ? patch.err : begin_round(s, then);
	if (r) {
		kcm_work_done(s->w, r);
		return;
	}
	q.body = xb_buf_sv(&patch);
	kcm_work_ask(s->w, &q, NULL, NULL);
	kcm_work_go(s->w);
}

/* After requests that no event will follow: what is told is what is there now. reason as tell_status's. */
static void tell_what_is(struct sync *s, const char *reason, int error)
{
	_cleanup_(xb_selector_freep) struct xb_selector *selector = NULL;
	_cleanup_(pods_done) struct pods p = {};
	struct xb_jv set = xb_informer_get(s->l->sets, s->w->namespace_, s->w->name);

	if (!xb_jv_is(set) || !xb_sv_is(meta(set, "uid"), s->uid)) {
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

/* What was done shows in the copy soon, and brings the key again; should it never, the expectation's end does. */
static void await_events(struct sync *s)
{
	xb_work_queue_add_after(kcm_queue_keys(s->l->queue), s->w->key, EXPIRE_MS + 1);
	kcm_work_done(s->w, 0);
}

/* --- adoption and release --- */
static int on_claimed(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	/* the pod is not there any more, or is another one: the copy will show it */
	return code == 404 || code == 409 || code == 422 ? -ESTALE : xb_calls_error(code, status);
}

static void claim(struct sync *s, size_t i)
{
	const struct target *t = &s->targets[i];
	_cleanup_buf_ struct xb_buf patch = {};
	struct kcm_request q = { .method = "PATCH", .kind = s->l->pod_kind, .name = t->name, .type = KCM_STRATEGIC };
	struct xb_jw w = XB_JW(&patch);

	xb_jw_object(&w);
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_kstr(&w, "uid", t->uid);
	xb_jw_key(&w, "ownerReferences");
	xb_jw_array(&w);
	if (i < s->n_adopt) {
		xb_owner_write(&w, s->l->kind, s->set);
	} else {
		xb_jw_object(&w);
		xb_jw_kstr(&w, "$patch", "delete");
		xb_jw_kstr(&w, "uid", s->uid);
		xb_jw_end(&w);
	}
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_jw_end(&w);
	q.body = xb_jw_finish(&w) < 0 ? (struct xb_sv){} : xb_buf_sv(&patch);
	kcm_work_ask(s->w, &q, on_claimed, NULL);
}

/* The copy may be behind: a set that is gone, or was made anew by the same name, must not take over pods. */
static int on_reread(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct sync *s = arg;
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct xb_jv fresh;
	int r = code == 404 ? -ESTALE : xb_calls_error(code, status);

	if (!r)
		r = xb_json_parse(body, NULL, &doc, NULL);
	if (r)
		return r;
	fresh = xb_json_root(doc);
	if (!xb_sv_is(meta(fresh, "uid"), s->uid) || pods_deleting(fresh))
		return -ESTALE;
	for (size_t i = 0; i < s->n_adopt; i++)
		claim(s, i);
	return 0;
}

static void on_claims(struct kcm_work *w, int error)
{
	kcm_work_done(w, error);
}

static void start_claims(struct sync *s, const struct pods *p)
{
	int r = new_targets(s, p->to_adopt.n + p->to_release.n);

	s->n_adopt = p->to_adopt.n;
	if (!r)
		r = add_targets(s, p->to_adopt.v, p->to_adopt.n);
	if (!r)
		r = add_targets(s, p->to_release.v, p->to_release.n);
	if (!r)
		r = begin_round(s, on_claims);
	if (r) {
		kcm_work_done(s->w, r);
		return;
	}
	for (size_t i = s->n_adopt; i < s->n_targets; i++)
		claim(s, i);
	if (s->n_adopt)
		kcm_work_ask(s->w, &(struct kcm_request){ .method = "GET", .kind = s->l->kind, .name = s->w->name }, on_reread, s);
	kcm_work_go(s->w);
}

/* --- too few --- */
static void give_up_creations(struct sync *s, unsigned n)
{
	while (n--)
		xb_expectations_created(s->l->expectations, s->w->key);
}

static int on_created(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct sync *s = arg;
	_cleanup_(xb_json_unrefp) struct xb_json *pod = NULL;
	_cleanup_free_ char *name = NULL;
	int r = xb_calls_error(code, status);

	if (!r && !xb_json_parse(body, NULL, &pod, NULL)) {
		name = xb_sv_dup(meta(xb_json_root(pod), "name"));
		tell(s, XB_EVENT_NORMAL, "SuccessfulCreate", "Created pod", name ? name : "");
	}
	if (!r)
		return 0;
	give_up_creations(s, 1);
	/* whatever is made in a namespace that goes would go as well */
	if (kcm_is_terminating(status)) {
		s->terminating = true;
		return 0;
	}
	note_why(s, status);
	tell(s, XB_EVENT_WARNING, "FailedCreate", "Error creating", status && status->message ? status->message : "");
	return r;
}

static void next_batch(struct sync *s);

/* Batches double while all goes well: should creating not work at all, one request finds out. */
static void on_batch(struct kcm_work *w, int error)
{
	struct sync *s = w->state;

	if (error || s->terminating) {
		give_up_creations(s, s->remaining);
		tell_what_is(s, error ? "FailedCreate" : NULL, error);
	} else if (s->remaining) {
		s->batch *= 2;
		next_batch(s);
	} else {
		await_events(s);
	}
}

static void next_batch(struct sync *s)
{
	struct kcm_request q = { .method = "POST", .kind = s->l->pod_kind, .type = KCM_JSON, .body = s->body };
	unsigned n = MIN(s->batch, s->remaining);

	kcm_work_round(s->w, on_batch);
	s->remaining -= n;
	while (n--)
		if (kcm_work_ask(s->w, &q, on_created, s))
			give_up_creations(s, 1);
	kcm_work_go(s->w);
}

static void create(struct sync *s)
{
	_cleanup_buf_ struct xb_buf body = {};
	int r;

	s->remaining = (unsigned)MIN(-s->diff, BURST);
	s->batch = 1;
	pod_template_write(xb_jv_path(s->set, "spec", "template"), s->l->kind, s->set, &body);
	s->body = xb_arena_sv(s->w->arena, xb_buf_sv(&body));
	s->uid = xb_arena_strn(s->w->arena, meta(s->set, "uid"));
	r = body.err || !s->body.p || !s->uid ? -ENOMEM : kcm_work_hold(s->w, s->set);
	if (!r)
		r = xb_expectations_creations(s->l->expectations, s->w->key, s->remaining);
	if (r)
		kcm_work_done(s->w, r);
	else
		next_batch(s);
}

/* --- too many --- */
static int on_deleted(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct target *t = arg;
	struct sync *s = t->s;
	int r = xb_calls_error(code, status);

	if (!r) {
		tell(s, XB_EVENT_NORMAL, "SuccessfulDelete", "Deleted pod", t->name);
		return 0;
	}
	xb_expectations_deleted(s->l->expectations, s->w->key, xb_sv(t->uid));
	/* gone already, perhaps with another one in its place */
	if (code == 404 || code == 409)
		return 0;
	note_why(s, status);
	tell(s, XB_EVENT_WARNING, "FailedDelete", "Error deleting", status && status->message ? status->message : "");
	return r;
}

static void on_deletions(struct kcm_work *w, int error)
{
	struct sync *s = w->state;

	if (error)
		tell_what_is(s, "FailedDelete", error);
	else
		await_events(s);
}

/* The pods of all sets that one owner has (a Deployment's old and new ReplicaSet): those on a crowded node go first. */
static int gather_related(const struct sync *s, struct pods *ret)
{
	struct xb_sv owner = xb_owner_uid(s->set);
	int r = 0;

	for (struct xb_index_it set = {}; owner.n && !r && xb_index_next(s->l->sets_by_controller, owner, &set);)
		for (struct xb_index_it pod = {}; !r && xb_index_next(s->l->pods_by_controller, meta(set.object, "uid"), &pod);)
			r = xb_vec_push(&ret->active, pod.object);
	return r;
}

static int choose(struct sync *s, struct pods *p, size_t n)
{
	_cleanup_(pods_done) struct pods related = {};
	const struct pods *beside = xb_owner_uid(s->set).n ? &related : p;
	int r = gather_related(s, &related);

	if (!r && n < p->active.n)
		r = replicas_rank(p->active.v, p->active.n, beside->active.v, beside->active.n, xb_time_now());
	if (!r)
		r = new_targets(s, n);
	return r ? r : add_targets(s, p->active.v, n);
}

static int expect_deletions(struct sync *s)
{
	_cleanup_free_ struct xb_sv *uids = calloc(s->n_targets + 1, sizeof(*uids));

	for (size_t i = 0; uids && i < s->n_targets; i++)
		uids[i] = xb_sv(s->targets[i].uid);
	return uids ? xb_expectations_deletions(s->l->expectations, s->w->key, uids, s->n_targets) : -ENOMEM;
}

static void delete(struct sync *s, struct pods *p)
{
	int r = choose(s, p, (size_t)MIN(s->diff, BURST));

	if (!r)
		r = expect_deletions(s);
	if (!r)
		r = begin_round(s, on_deletions);
	if (r) {
		kcm_work_done(s->w, r);
		return;
	}
	for (size_t i = 0; i < s->n_targets; i++) {
		struct target *t = &s->targets[i];
		struct kcm_request q = { .method = "DELETE", .kind = s->l->pod_kind, .name = t->name, .type = KCM_JSON };
		_cleanup_buf_ struct xb_buf body = {};

		xb_buf_addf(&body, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"preconditions\":{\"uid\":\"%s\"}}", t->uid);
		q.body = xb_buf_sv(&body);
		if (body.err || kcm_work_ask(s->w, &q, on_deleted, t))
			xb_expectations_deleted(s->l->expectations, s->w->key, xb_sv(t->uid));
	}
	kcm_work_go(s->w);
}

/* --- one set --- */
static int64_t wanted(struct xb_jv set)
{
	int64_t n = 1;

	xb_jv_i64(xb_jv_path(set, "spec", "replicas"), &n);
	return n;
}

static void bring_about(struct sync *s, struct pods *p)
{
	bool met = xb_expectations_met(s->l->expectations, s->w->key);

	s->diff = (int64_t)p->active.n - wanted(s->set);
	if (pods_deleting(s->set))
		tell_status(s, p, NULL);
	else if (p->to_adopt.n || p->to_release.n)
		start_claims(s, p);
	else if (!met)
		await_events(s);
	else if (s->diff < 0)
		create(s);
	else if (s->diff > 0)
		delete(s, p);
	else
		tell_status(s, p, NULL);
}

static void sync_set(struct kcm_work *w)
{
	struct replicas *l = w->loop;
	_cleanup_(xb_selector_freep) struct xb_selector *selector = NULL;
	_cleanup_(pods_done) struct pods p = {};
	struct sync *s = w->state = xb_arena_alloc(w->arena, sizeof(*s));
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
	*s = (struct sync){ .w = w, .l = l, .set = set };
	bring_about(s, &p);
}

/* --- what comes in --- */
static struct xb_jv owner_of(const struct replicas *l, struct xb_jv pod)
{
	struct xb_jv ref = xb_owner_controller(pod), set;
	_cleanup_free_ char *namespace_ = NULL, *name = NULL;

	if (!xb_jv_streq(xb_jv_get(ref, "kind"), xb_sv(l->kind->kind)))
		return (struct xb_jv){};
	namespace_ = xb_sv_dup(meta(pod, "namespace"));
	name = xb_sv_dup(xb_jv_text(xb_jv_get(ref, "name")));
	set = namespace_ && name ? xb_informer_get(l->sets, namespace_, name) : (struct xb_jv){};
	return xb_sv_eq(meta(set, "uid"), xb_jv_text(xb_jv_get(ref, "uid"))) ? set : (struct xb_jv){};
}

static void queue_if(struct replicas *l, struct xb_jv set)
{
	if (xb_jv_is(set))
		kcm_queue_add(l->queue, set);
}

static void queue_who_selects(struct replicas *l, struct xb_jv orphan)
{
	for (struct xb_index_it it = {}; xb_index_next(l->sets_by_namespace, meta(orphan, "namespace"), &it);) {
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
		xb_expectations_deleted(l->expectations, key.p, meta(pod, "uid"));
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
	if (xb_jv_is(old) && !xb_sv_eq(xb_owner_uid(old), xb_owner_uid(pod)))
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

	if (xb_jv_is(old) && !xb_sv_eq(meta(old, "uid"), meta(set, "uid")) && kcm_key(old, &key))
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

static int start(struct kcm *k, const struct variety *v, int workers, void **ret)
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
