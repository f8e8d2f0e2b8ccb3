/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Deletes what has owners of which none is there any more; lets an owner that is deleted in the foreground wait for its dependents;
 * frees the dependents of one that orphans them (upstream's pkg/controller/garbagecollector).
 *
 * The graph says who may have to go. Before anything is deleted the object is read, and each of its owners, as they are now; and
 * it is deleted as it was read: the uid and resourceVersion are preconditions.
 */
#include "gc.h"
#include "../loops.h"
#include "../pods.h"

enum verdict { SOLID, ABSENT, WAITING };                /* WAITING: for its dependents to be deleted */
struct owner {
	struct sync *s;
	struct xb_jv reference;                         /* of the live object's */
	const char *absent_key;
	enum verdict verdict;
};
/* An object of which something is to be changed. */
struct target {
	struct sync *s;
	const struct xb_kind *kind;
	const char *namespace_, *name, *uid;
};
struct sync {
	struct kcm_work *w;
	struct gc *g;
	struct target object;
	struct xb_jv live;                              /* held; {}: it is not there */
	struct owner *owners;
	size_t n_owners;
	const char *finalizer;                          /* to be taken off */
	bool pointless;                                 /* a cluster's object refers to a namespaced one: nothing can be said, ever */
};

static struct xb_jv meta(struct xb_jv object, const char *field)
{
	return xb_jv_path(object, "metadata", field);
}

static bool has_finalizer(struct xb_jv object, const char *name)
{
	for (struct xb_jit it = xb_jv_iter(meta(object, "finalizers")); xb_jit_next(&it);)
		if (xb_jv_streq(it.value, xb_sv(name)))
			return true;
	return false;
}

/* --- requests --- */
static int ask(struct target *t, const char *method, const char *type, const struct xb_buf *body,
	       int (*answered)(void *arg, int code, struct xb_sv body, const struct xb_status *status))
{
	struct kcm_request q = {
		.method = method, .kind = t->kind, .name = t->name, .namespace_ = t->namespace_, .type = type, .accept = XB_ACCEPT_METADATA,
	};

	if (body)
		q.body = xb_buf_sv(body);
	return body && body->err ? -ENOMEM : kcm_work_ask(t->s->w, &q, answered, t);
}

static int take_target(struct sync *s, const struct gc_node *n, struct target *ret)
{
	_cleanup_buf_ struct xb_buf uid = {};

	gc_node_uid(n, &uid);
	*ret = (struct target){
		.s = s,
		.kind = n->kind,
		.namespace_ = xb_arena_strn(s->w->arena, gc_node_namespace(n)),
		.name = xb_arena_strn(s->w->arena, gc_node_name(n)),
		.uid = xb_arena_strn(s->w->arena, xb_buf_sv(&uid)),
	};
	return uid.err || !ret->namespace_ || !ret->name || !ret->uid ? -ENOMEM : 0;
}

/* The object of a GET when it is the one of that uid, held; {} when that one is gone. */
static int take_live(const struct target *t, int code, struct xb_sv body, const struct xb_status *status, struct xb_jv *ret)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	int r = code == 404 ? 0 : xb_calls_error(code, status);

	*ret = (struct xb_jv){};
	if (r || code == 404)
		return r;
	r = xb_json_parse(body, NULL, &doc, NULL);
	if (!r)
		r = kcm_work_hold(t->s->w, xb_json_root(doc));
	if (!r && xb_jv_streq(meta(xb_json_root(doc), "uid"), xb_sv(t->uid)))
		*ret = xb_json_root(doc);
	return r;
}

/* What is gone needs no change. What changed since it was read is read again. */
static int on_changed(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	return code == 404 ? 0 : xb_calls_error(code, status);
}

/* A merge patch of the metadata of exactly what was read: w stands within the metadata afterwards. */
static void begin_patch(struct xb_jw *w, struct xb_jv live)
{
	xb_jw_object(w);
	xb_jw_key(w, "metadata");
	xb_jw_object(w);
	xb_jw_ksv(w, "uid", xb_jv_text(meta(live, "uid")));
	xb_jw_ksv(w, "resourceVersion", xb_jv_text(meta(live, "resourceVersion")));
}

static int send_patch(struct target *t, struct xb_jw *w)
{
	xb_jw_end(w);
	xb_jw_end(w);
	return xb_jw_finish(w) ? -ENOMEM : ask(t, "PATCH", KCM_MERGE, w->out, on_changed);
}

/* --- the last step of a deletion in the foreground, or that orphans --- */
static int on_finalized_object(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct target *t = arg;
	struct sync *s = t->s;
	_cleanup_buf_ struct xb_buf patch = {};
	struct xb_jw w = XB_JW(&patch);
	int r = take_live(t, code, body, status, &s->live);

	if (r || !has_finalizer(s->live, s->finalizer))
		return r;
	begin_patch(&w, s->live);
	xb_jw_key(&w, "finalizers");
	xb_jw_array(&w);
	for (struct xb_jit it = xb_jv_iter(meta(s->live, "finalizers")); xb_jit_next(&it);)
		if (!xb_jv_streq(it.value, xb_sv(s->finalizer)))
			xb_jw_raw(&w, xb_jv_bytes(it.value));
	xb_jw_end(&w);
	return send_patch(t, &w);
}

static void take_finalizer_off(struct sync *s, const char *finalizer)
{
	s->finalizer = finalizer;
	kcm_work_round(s->w, kcm_work_done);
	ask(&s->object, "GET", NULL, NULL, on_finalized_object);
	kcm_work_go(s->w);
}

/* --- orphans --- */
static int on_dependent(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct target *t = arg;
	_cleanup_buf_ struct xb_buf patch = {};
	struct xb_jw w = XB_JW(&patch);
	bool refers = false;
	struct xb_jv live;
	int r = take_live(t, code, body, status, &live);

	if (r || !xb_jv_is(live))
		return r;
	begin_patch(&w, live);
	xb_jw_key(&w, "ownerReferences");
	xb_jw_array(&w);
	for (struct xb_jit it = xb_jv_iter(meta(live, "ownerReferences")); xb_jit_next(&it);) {
		if (xb_jv_streq(xb_jv_get(it.value, "uid"), xb_sv(t->s->object.uid)))
			refers = true;
		else
			xb_jw_raw(&w, xb_jv_bytes(it.value));
	}
	xb_jw_end(&w);
	return refers ? send_patch(t, &w) : 0;
}

static void on_orphaned(struct kcm_work *w, int error)
{
	if (error)
		kcm_work_done(w, error);
	else
		take_finalizer_off(w->state, "orphan");
}

static void orphan_dependents(struct sync *s, const struct gc_node *n)
{
	struct gc_edge *e;

	kcm_work_round(s->w, on_orphaned);
	LIST_FOREACH(e, &n->dependents, among) {
		struct target *t = xb_arena_alloc(s->w->arena, sizeof(*t));

		if (!t || take_target(s, e->dependent, t) || ask(t, "GET", NULL, NULL, on_dependent)) {
			kcm_work_done(s->w, -ENOMEM);
			return;
		}
	}
	kcm_work_go(s->w);
}

/* --- what becomes of an object, when all is known --- */
static void let_go(struct sync *s)
{
	_cleanup_buf_ struct xb_buf patch = {};
	struct xb_jw w = XB_JW(&patch);

	begin_patch(&w, s->live);
	xb_jw_key(&w, "ownerReferences");
	xb_jw_array(&w);
	for (size_t i = 0; i < s->n_owners; i++)
		if (s->owners[i].verdict == SOLID)
			xb_jw_raw(&w, xb_jv_bytes(s->owners[i].reference));
	xb_jw_end(&w);
	kcm_work_round(s->w, kcm_work_done);
	send_patch(&s->object, &w);
	kcm_work_go(s->w);
}

static void on_unblocked(struct kcm_work *w, int error)
{
	kcm_work_done(w, error ? error : -EAGAIN);
}

/* Owners and dependents in a circle would wait for each other. */
static void unblock(struct sync *s)
{
	_cleanup_buf_ struct xb_buf patch = {};
	struct xb_jw w = XB_JW(&patch);

	begin_patch(&w, s->live);
	xb_jw_key(&w, "ownerReferences");
	xb_jw_array(&w);
	for (size_t i = 0; i < s->n_owners; i++) {
		xb_jw_object(&w);
		for (struct xb_jit it = xb_jv_iter(s->owners[i].reference); xb_jit_next(&it);) {
			xb_jw_keysv(&w, it.key);
			if (xb_sv_is(it.key, "blockOwnerDeletion"))
				xb_jw_bool(&w, false);
			else
				xb_jw_raw(&w, xb_jv_bytes(it.value));
		}
		xb_jw_end(&w);
	}
	xb_jw_end(&w);
	kcm_work_round(s->w, on_unblocked);
	send_patch(&s->object, &w);
	kcm_work_go(s->w);
}

static void delete(struct sync *s, const char *propagation)
{
	_cleanup_buf_ struct xb_buf body = {};
	struct xb_jw w = XB_JW(&body);

	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", "DeleteOptions");
	xb_jw_kstr(&w, "apiVersion", "v1");
	xb_jw_key(&w, "preconditions");
	xb_jw_object(&w);
	xb_jw_kstr(&w, "uid", s->object.uid);
	xb_jw_ksv(&w, "resourceVersion", xb_jv_text(meta(s->live, "resourceVersion")));
	xb_jw_end(&w);
	xb_jw_kstr(&w, "propagationPolicy", propagation);
	xb_jw_end(&w);
	kcm_work_round(s->w, kcm_work_done);
	ask(&s->object, "DELETE", KCM_JSON, &body, on_changed);
	kcm_work_go(s->w);
}

static size_t count(const struct sync *s, enum verdict v)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_owners; i++)
		n += s->owners[i].verdict == v;
	return n;
}

static const struct gc_node *node_of(const struct sync *s, const struct owner *o)
{
	return gc_graph_find(s->g->graph, xb_jv_text(xb_jv_get(o->reference, "uid")));
}

/* Does a dependent of the object wait for dependents of its own, while the object blocks an owner. */
static bool may_be_circle(const struct sync *s, const struct gc_node *n)
{
	const struct gc_edge *e;
	bool blocks = false;

	for (size_t i = 0; i < s->n_owners; i++)
		blocks |= xb_jv_true(xb_jv_get(s->owners[i].reference, "blockOwnerDeletion"));
	LIST_FOREACH(e, &n->dependents, among)
		if (blocks && e->dependent->deleting_dependents)
			return true;
	return false;
}

/* An owner that is there was perhaps not seen: then its end will not be seen either, so the object is looked at until it was. */
static void keep(struct sync *s)
{
	for (size_t i = 0; i < s->n_owners; i++) {
		const struct gc_node *n = node_of(s, &s->owners[i]);

		if (!n || !n->seen) {
			kcm_work_done(s->w, -ESTALE);
			return;
		}
	}
	kcm_work_done(s->w, 0);
}

static void decide(struct sync *s)
{
	const struct gc_node *n = gc_graph_find(s->g->graph, xb_sv(s->object.uid));
	size_t solid = count(s, SOLID), waiting = count(s, WAITING);

	if (s->pointless || !n)
		kcm_work_done(s->w, 0);
	else if (solid == s->n_owners)
		keep(s);
	else if (solid)
		let_go(s);
	else if (waiting && !LIST_EMPTY(&n->dependents) && may_be_circle(s, n))
		unblock(s);
	else if (waiting && !LIST_EMPTY(&n->dependents))
		delete(s, "Foreground");
	else
		delete(s, has_finalizer(s->live, "orphan") ? "Orphan" : has_finalizer(s->live, "foregroundDeletion") ? "Foreground" : "Background");
}

/* --- its owners --- */
static void tell_if_crossing(struct sync *s, const struct owner *o)
{
	const struct gc_node *n = node_of(s, o);
	struct xb_event e = {
		.component = "garbage-collector-controller", .kind = s->object.kind, .object = s->live, .type = XB_EVENT_WARNING,
		.reason = "OwnerRefInvalidNamespace",
	};

	if (!n || !n->seen || !gc_node_namespace(n).n || xb_sv_is(gc_node_namespace(n), s->object.namespace_))
		return;
	xb_recorder_event(s->g->kcm->recorder, &e, "ownerRef [%.*s/%.*s, namespace: %s, name: %.*s, uid: %.*s] does not exist in namespace \"%s\"",
			  XB_SV_ARG(xb_jv_text(xb_jv_get(o->reference, "apiVersion"))), XB_SV_ARG(xb_jv_text(xb_jv_get(o->reference, "kind"))),
			  s->object.namespace_, XB_SV_ARG(xb_jv_text(xb_jv_get(o->reference, "name"))),
			  XB_SV_ARG(xb_jv_text(xb_jv_get(o->reference, "uid"))), s->object.namespace_);
}

static int on_owner(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct owner *o = arg;
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	int r = code == 404 ? 0 : xb_calls_error(code, status);

	if (!r && code != 404)
		r = xb_json_parse(body, NULL, &doc, NULL);
	if (r)
		return r;
	if (!doc || !xb_sv_eq(xb_jv_text(meta(xb_json_root(doc), "uid")), xb_jv_text(xb_jv_get(o->reference, "uid")))) {
		o->verdict = ABSENT;
		gc_absent_add(o->s->g, xb_sv(o->absent_key));
	} else if (pods_deleting(xb_json_root(doc)) && has_finalizer(xb_json_root(doc), "foregroundDeletion")) {
		o->verdict = WAITING;
	}
	return 0;
}

static int classify(struct owner *o)
{
	struct sync *s = o->s;
	struct xb_sv version = xb_jv_text(xb_jv_get(o->reference, "apiVersion")), kind = xb_jv_text(xb_jv_get(o->reference, "kind"));
	struct xb_sv name = xb_jv_text(xb_jv_get(o->reference, "name")), uid = xb_jv_text(xb_jv_get(o->reference, "uid"));
	const struct xb_kind *k = resources_find(&s->g->known, version, kind);
	const char *namespace_ = k && k->namespaced ? s->object.namespace_ : "";
	struct kcm_request q = { .method = "GET", .kind = k, .namespace_ = namespace_, .accept = XB_ACCEPT_METADATA };
	_cleanup_buf_ struct xb_buf key = {};

	/* perhaps the server cannot tell now: nothing may be concluded */
	if (!k)
		return -ESTALE;
	if (k->namespaced && !*namespace_) {
		s->pointless = true;
		return 0;
	}
	gc_absent_key(version, kind, xb_sv(namespace_), name, uid, &key);
	q.name = xb_arena_strn(s->w->arena, name);
	o->absent_key = key.err ? NULL : xb_arena_strn(s->w->arena, xb_buf_sv(&key));
	if (!o->absent_key || !q.name)
		return -ENOMEM;
	if (!xb_map_get(s->g->absent, xb_buf_sv(&key)))
		return kcm_work_ask(s->w, &q, on_owner, o);
	o->verdict = ABSENT;
	return 0;
}

static void on_owners(struct kcm_work *w, int error)
{
	if (error)
		kcm_work_done(w, error);
	else
		decide(w->state);
}

static void read_owners(struct sync *s)
{
	struct xb_jv references = meta(s->live, "ownerReferences");
	bool first = !xb_work_queue_failures(kcm_queue_keys(s->g->queue), s->w->key);
	int r = 0;

	s->owners = xb_arena_alloc(s->w->arena, (xb_jv_count(references) + 1) * sizeof(*s->owners));
	if (!s->owners) {
		kcm_work_done(s->w, -ENOMEM);
		return;
	}
	kcm_work_round(s->w, on_owners);
	for (struct xb_jit it = xb_jv_iter(references); !r && xb_jit_next(&it);) {
		struct owner *o = &s->owners[s->n_owners++];

		*o = (struct owner){ .s = s, .reference = it.value };
		if (first)
			tell_if_crossing(s, o);
		r = classify(o);
	}
	if (r)
		kcm_work_done(s->w, r);
	else
		kcm_work_go(s->w);
}

/* --- one object --- */
static int on_object(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct target *t = arg;

	return take_live(t, code, body, status, &t->s->live);
}

static void on_read(struct kcm_work *w, int error)
{
	struct sync *s = w->state;

	if (!error && !xb_jv_is(s->live))
		gc_graph_lost(s->g->graph, xb_sv(s->object.uid));
	if (error || !xb_jv_is(s->live) || pods_deleting(s->live) || !xb_jv_count(meta(s->live, "ownerReferences")))
		kcm_work_done(w, error);
	else
		read_owners(s);
}

static void sync_object(struct kcm_work *w)
{
	struct gc *g = w->loop;
	const struct gc_node *n = gc_graph_find(g->graph, xb_sv(w->key));
	struct sync *s = w->state = xb_arena_alloc(w->arena, sizeof(*s));

	if (!n || !gc_node_needs_look(n)) {
		kcm_work_done(w, 0);
		return;
	}
	if (!s) {
		kcm_work_done(w, -ENOMEM);
		return;
	}
	*s = (struct sync){ .w = w, .g = g };
	if (take_target(s, n, &s->object)) {
		kcm_work_done(w, -ENOMEM);
	} else if (n->orphaning) {
		orphan_dependents(s, n);
	} else if (n->deleting_dependents) {
		take_finalizer_off(s, "foregroundDeletion");
	} else {
		kcm_work_round(w, on_read);
		ask(&s->object, "GET", NULL, NULL, on_object);
		kcm_work_go(w);
	}
}

/* --- the loop --- */
static void on_look(void *arg, const struct gc_node *n)
{
	struct gc *g = arg;
	_cleanup_buf_ struct xb_buf uid = {};

	if (!g->whole)
		return;
	gc_node_uid(n, &uid);
	if (!uid.err)
		xb_work_queue_add(kcm_queue_keys(g->queue), uid.p);
}

void garbage_collector_run(void *loop)
{
	gc_monitors_run(loop);
}

void garbage_collector_stop(void *loop)
{
	struct gc *g = loop;

	if (!g)
		return;
	kcm_queue_free(g->queue);
	gc_monitors_stop(g);
	gc_graph_free(g->graph);
	xb_map_free(g->absent);
	free(g);
}

int garbage_collector_start(struct kcm *k, void **ret)
{
	struct gc *g;
	struct kcm_queue_config queue = {
		.name = "garbage_collector_attempt_to_delete", .workers = k->options->concurrent_gc_syncs, .sync = sync_object,
	};
	int r;

	*ret = NULL;
	if (!k->options->enable_garbage_collector)
		return 0;
	g = queue.loop = calloc(1, sizeof(*g));
	if (!g)
		return -ENOMEM;
	g->kcm = k;
	g->graph = gc_graph_new(on_look, g);
	g->absent = xb_map_new(XB_MAP_COPY);
	r = g->graph && g->absent ? kcm_queue_new(k, &queue, &g->queue) : -ENOMEM;
	if (!r)
		r = gc_monitors_start(g);
	if (r) {
		garbage_collector_stop(g);
		return r;
	}
	*ret = g;
	return 0;
}
