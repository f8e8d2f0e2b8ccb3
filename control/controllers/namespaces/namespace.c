/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A namespace that is being deleted: everything in it is deleted, of whatever kind the server has; when nothing is left its
 * finalizer "kubernetes" is taken off, and the server removes it (upstream's pkg/controller/namespace). What was done shows in the
 * server's answers only: killed anywhere, the next process begins again.
 *
 * A sync: read the namespace and the kinds -> delete the pods -> when none is left, all other kinds -> tell the conditions ->
 * finalize, or come again when what is left may be gone. Pods first, so that none runs without what guards it (KEP-5080).
 */
#include "../loops.h"
#include "namespace_status.h"
#include "../pods.h"
#include "../resources.h"
#include "xb/reflector.h"
#include "xb/time.h"
#include "xb/work_queue.h"

#define GRACE_MS         5000   /* other API servers may not know yet that the namespace goes, and still let things in */
#define FINALIZER_WAIT_S 15     /* for whoever takes finalizers off */
#define BACKOFF_MAX_MS   60000
#define FINALIZER        "kubernetes"

struct namespaces {
	struct kcm *kcm;
	const struct xb_kind *kind;
	struct xb_informer *copy;
	struct kcm_queue *queue;
};
struct finalizer {
	struct finalizer *next;
	const char *name;
	unsigned n;
};
struct sync {
	struct kcm_work *w;
	struct namespaces *l;
	struct xb_jv namespace_;                /* held; as the server told last */
	struct resources resources;
	struct namespace_findings findings;
	struct finalizer *finalizers;
	int64_t wait_s;                         /* how long what is left may take; 0: it should be gone */
	bool no_memory;
};
/* The objects of one kind. */
struct content {
	struct sync *s;
	const struct xb_kind *kind;
	unsigned deleting;                      /* requests under way for single objects */
};

/* --- what was found --- */
static void note(struct sync *s, struct namespace_texts *to, const char *text)
{
	if (namespace_texts_add(to, s->w->arena, text))
		s->no_memory = true;
}

static void note_failure(struct sync *s, const struct xb_status *status)
{
	const char *why = status && status->message ? status->message : "the server did not answer";

	note(s, &s->findings.failures, xb_arena_strn(s->w->arena, xb_sv(why)));
}

static void count_finalizer(struct sync *s, struct xb_sv name)
{
	struct finalizer *f = s->finalizers;

	while (f && !xb_sv_is(name, f->name))
		f = f->next;
	if (!f) {
		f = xb_arena_alloc(s->w->arena, sizeof(*f));
		if (f)
			f->name = xb_arena_strn(s->w->arena, name);
		if (!f || !f->name) {
			s->no_memory = true;
			return;
		}
		f->next = s->finalizers;
		s->finalizers = f;
	}
	f->n++;
}

/* Seconds until what is left should be gone: a pod until its grace period ends. */
static void count_remaining(struct content *c, struct xb_jv items)
{
	struct sync *s = c->s;
	const struct xb_kind *k = c->kind;
	int64_t now = xb_time_now(), wait = 0;

	for (struct xb_jit it = xb_jv_iter(items); xb_jit_next(&it);) {
		struct xb_jv meta = xb_jv_get(it.value, "metadata");

		wait = MAX(wait, (pods_time(xb_jv_get(meta, "deletionTimestamp")) - now + 999999) / 1000000);
		for (struct xb_jit f = xb_jv_iter(xb_jv_get(meta, "finalizers")); xb_jit_next(&f);) {
			count_finalizer(s, xb_jv_text(f.value));
			wait = MAX(wait, FINALIZER_WAIT_S);
		}
	}
	note(s, &s->findings.remaining,
	     xb_arena_printf(s->w->arena, "%s.%s has %zu resource instances", k->plural, k->group, xb_jv_count(items)));
	if (!wait)
		note(s, &s->findings.failures,
		     xb_arena_printf(s->w->arena, "unexpected items still remain in namespace: %s for gvr: %s/%s, Resource=%s", s->w->name,
				     k->group, k->version, k->plural));
	s->wait_s = MAX(s->wait_s, wait);
}

/* --- one kind --- */
static void ask(struct content *c, const char *method, const char *name,
		int (*answered)(void *arg, int code, struct xb_sv body, const struct xb_status *status))
{
	struct kcm_request q = {
		.method = method, .kind = c->kind, .name = name, .namespace_ = c->s->w->name,
		.type = KCM_JSON, .accept = XB_ACCEPT_METADATA,
	};

	if (*method == 'D')
		q.body = XB_SV("{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"propagationPolicy\":\"Background\"}");
	if (kcm_work_ask(c->s->w, &q, answered, c))
		c->s->no_memory = true;
}

static int items_of(struct xb_sv body, struct xb_json **ret_doc, struct xb_jv *ret_items)
{
	int r = xb_json_parse(body, &(struct xb_json_limits){ .max_bytes = 1 << 28 }, ret_doc, NULL);

	if (!r)
		*ret_items = xb_jv_get(xb_json_root(*ret_doc), "items");
	return r;
}

static int on_remaining(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct content *c = arg;
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct xb_jv items = {};
	int r;

	if (xb_calls_error(code, status)) {
		if (code != 404)
			note_failure(c->s, status);
		return 0;
	}
	r = items_of(body, &doc, &items);
	if (!r && xb_jv_count(items))
		count_remaining(c, items);
	return r;
}

static int on_one(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct content *c = arg;

	if (xb_calls_error(code, status) && code != 404 && code != 405)
		note_failure(c->s, status);
	if (!--c->deleting)
		ask(c, "GET", NULL, on_remaining);
	return 0;
}

static int on_each(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct content *c = arg;
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct xb_jv items = {};
	int r;

	if (xb_calls_error(code, status)) {
		if (code != 404 && code != 405)
			note_failure(c->s, status);
		return 0;
	}
	r = items_of(body, &doc, &items);
	for (struct xb_jit it = xb_jv_iter(items); !r && xb_jit_next(&it);) {
		const char *name = xb_arena_strn(c->s->w->arena, xb_jv_text(xb_jv_path(it.value, "metadata", "name")));

		if (!name)
			return -ENOMEM;
		c->deleting++;
		ask(c, "DELETE", name, on_one);
	}
	return r;
}

/* The answer has what was there: when that is nothing, nothing is left. */
static int on_collection(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct content *c = arg;
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct xb_jv items = {};
	int r;

	if (code == 404 || code == 405) {
		ask(c, "GET", NULL, on_each);
		return 0;
	}
	if (xb_calls_error(code, status)) {
		note_failure(c->s, status);
		return 0;
	}
	r = items_of(body, &doc, &items);
	if (!r && (!xb_jv_is(items) || xb_jv_count(items)))
		ask(c, "GET", NULL, on_remaining);
	return r;
}

static void clear(struct sync *s, const struct xb_kind *k)
{
	struct content *c = xb_arena_alloc(s->w->arena, sizeof(*c));

	if (!c) {
		s->no_memory = true;
		return;
	}
	*c = (struct content){ .s = s, .kind = k };
	if (k->verbs & XB_VERB_DELETECOLLECTION)
		ask(c, "DELETE", NULL, on_collection);
	else if (k->verbs & XB_VERB_LIST)
		ask(c, "GET", NULL, on_each);
}

/* --- the end of a sync --- */
static int take_namespace(struct sync *s, struct xb_sv body)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	int r = xb_json_parse(body, NULL, &doc, NULL);

	if (!r)
		r = kcm_work_hold(s->w, xb_json_root(doc));
	if (!r)
		s->namespace_ = xb_json_root(doc);
	return r;
}

static void on_finalized(struct kcm_work *w, int error)
{
	kcm_work_done(w, error == -ENOENT ? 0 : error);
}

static void finalize(struct sync *s)
{
	_cleanup_buf_ struct xb_buf body = {};
	struct kcm_request q = { .method = "PUT", .kind = s->l->kind, .name = s->w->name, .sub = "finalize", .type = KCM_JSON };
	struct xb_jw w = XB_JW(&body);

	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", "Namespace");
	xb_jw_kstr(&w, "apiVersion", "v1");
	xb_jw_key(&w, "metadata");
	xb_jw_raw(&w, xb_jv_bytes(xb_jv_get(s->namespace_, "metadata")));
	xb_jw_key(&w, "spec");
	xb_jw_object(&w);
	xb_jw_key(&w, "finalizers");
	xb_jw_array(&w);
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(s->namespace_, "spec", "finalizers")); xb_jit_next(&it);)
		if (!xb_jv_streq(it.value, XB_SV(FINALIZER)))
			xb_jw_raw(&w, xb_jv_bytes(it.value));
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_jw_end(&w);
	if (xb_jw_finish(&w)) {
		kcm_work_done(s->w, -ENOMEM);
		return;
	}
	q.body = xb_buf_sv(&body);
	kcm_work_round(s->w, on_finalized);
	kcm_work_ask(s->w, &q, NULL, NULL);
	kcm_work_go(s->w);
}

static int64_t age_ms(struct xb_jv namespace_)
{
	return (xb_time_now() - pods_time(xb_jv_path(namespace_, "metadata", "deletionTimestamp"))) / 1000;
}

/* Upstream waits for half of what it may take, though most is gone much sooner: so no longer than half of what it took so far. */
static void come_again(struct sync *s)
{
	int64_t ms = MIN((s->wait_s / 2 + 1) * 1000, MAX(age_ms(s->namespace_) / 2, (int64_t)1000));

	xb_work_queue_add_after(kcm_queue_keys(s->l->queue), s->w->key, (uint64_t)ms);
	kcm_work_done(s->w, 0);
}

static void conclude(struct sync *s)
{
	const struct namespace_findings *f = &s->findings;

	if (s->no_memory) {
		kcm_work_done(s->w, -ENOMEM);
	} else if (f->failures.n || f->n_undiscovered || f->unparsed) {
		s->w->why = f->failures.n ? f->failures.v[0] : f->undiscovered ? f->undiscovered : f->unparsed;
		kcm_work_done(s->w, -EIO);
	} else if (f->remaining.n) {
		come_again(s);
	} else {
		finalize(s);
	}
}

static int on_told(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	int r = xb_calls_error(code, status);

	return r ? r : take_namespace(arg, body);
}

static void after_told(struct kcm_work *w, int error)
{
	if (error)
		kcm_work_done(w, error == -ENOENT ? 0 : error);
	else
		conclude(w->state);
}

static void tell(struct sync *s)
{
	_cleanup_buf_ struct xb_buf patch = {};
	struct kcm_request q = {
		.method = "PUT", .kind = s->l->kind, .name = s->w->name, .sub = "status", .type = KCM_JSON, .of = s->namespace_,
	};

	for (const struct finalizer *f = s->finalizers; f; f = f->next)
		note(s, &s->findings.finalizers, xb_arena_printf(s->w->arena, "%s in %u resource instances", f->name, f->n));
	namespace_status_patch(s->namespace_, &s->findings, xb_time_now(), &patch);
	if (patch.err) {
		kcm_work_done(s->w, -ENOMEM);
		return;
	}
	if (!patch.n) {
		conclude(s);
		return;
	}
	q.body = xb_buf_sv(&patch);
	kcm_work_round(s->w, after_told);
	kcm_work_ask(s->w, &q, on_told, s);
	kcm_work_go(s->w);
}

static void on_others(struct kcm_work *w, int error)
{
	if (error)
		kcm_work_done(w, error);
	else
		tell(w->state);
}

/* --- which kinds --- */
static bool is_pods(const struct xb_kind *k)
{
	return !*k->group && !strcmp(k->plural, "pods");
}

static void clear_kinds(struct sync *s, bool pods)
{
	for (size_t i = 0; i < s->resources.n; i++) {
		const struct resource *r = &s->resources.v[i];

		if (r->preferred && r->kind.namespaced && (r->kind.verbs & XB_VERB_DELETE) && is_pods(&r->kind) == pods)
			clear(s, &r->kind);
	}
}

static void on_pods(struct kcm_work *w, int error)
{
	struct sync *s = w->state;

	if (error) {
		kcm_work_done(w, error);
	} else if (s->findings.remaining.n) {
		tell(s);
	} else {
		kcm_work_round(w, on_others);
		clear_kinds(s, false);
		kcm_work_go(w);
	}
}

static void check_versions(struct sync *s)
{
	for (size_t i = 0; i < s->resources.n && !s->findings.unparsed; i++) {
		const struct xb_kind *k = &s->resources.v[i].kind;

		if (strchr(k->group, '/') || strchr(k->version, '/'))
			s->findings.unparsed = xb_arena_printf(s->w->arena, "unexpected GroupVersion string: %s/%s", k->group, k->version);
	}
}

static void on_read(struct kcm_work *w, int error)
{
	struct sync *s = w->state;

	if (error || !pods_deleting(s->namespace_) || !xb_jv_count(xb_jv_path(s->namespace_, "spec", "finalizers"))) {
		kcm_work_done(w, error == -ENOENT ? 0 : error);
		return;
	}
	s->findings.n_undiscovered = s->resources.n_failed;
	s->findings.undiscovered = s->resources.failed;
	check_versions(s);
	kcm_work_round(w, on_pods);
	clear_kinds(s, true);
	kcm_work_go(w);
}

static void sync_namespace(struct kcm_work *w)
{
	struct namespaces *l = w->loop;
	struct sync *s = w->state = xb_arena_alloc(w->arena, sizeof(*s));

	if (!pods_deleting(xb_informer_get(l->copy, NULL, w->name))) {
		kcm_work_done(w, 0);
		return;
	}
	if (!s) {
		kcm_work_done(w, -ENOMEM);
		return;
	}
	*s = (struct sync){ .w = w, .l = l, .resources = { .arena = w->arena } };
	kcm_work_round(w, on_read);
	kcm_work_ask(w, &(struct kcm_request){ .method = "GET", .kind = l->kind, .name = w->name }, on_told, s);
	resources_ask(w, &s->resources);
	kcm_work_go(w);
}

/* --- the loop --- */
static void on_namespace(void *arg, struct xb_jv old, struct xb_jv namespace_)
{
	struct namespaces *l = arg;

	if (pods_deleting(namespace_) && !pods_deleting(old))
		kcm_queue_add_after(l->queue, namespace_, GRACE_MS - age_ms(namespace_));
}

void namespace_stop(void *loop)
{
	struct namespaces *l = loop;

	kcm_queue_free(l->queue);
	free(l);
}

int namespace_start(struct kcm *k, void **ret)
{
	struct namespaces *l = calloc(1, sizeof(*l));
	struct kcm_queue_config queue = {
		.name = "namespace", .workers = k->options->concurrent_namespace_syncs, .sync = sync_namespace, .loop = l,
		.backoff_max_ms = BACKOFF_MAX_MS,
	};
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct namespaces){ .kcm = k, .kind = kcm_kind("", "v1", "namespaces") };
	r = kcm_queue_new(k, &queue, &l->queue);
	if (!r)
		r = xb_cache_follow(k->cache, l->kind, on_namespace, l);
	l->copy = xb_cache_of(k->cache, l->kind);
	if (r || !l->copy) {
		namespace_stop(l);
		return r ? r : -ENOMEM;
	}
	*ret = l;
	return 0;
}
