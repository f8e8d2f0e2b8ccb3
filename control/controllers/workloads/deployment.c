/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Deployments: a ReplicaSet for each template that they had, and the pods moved to that of the present one (upstream's
 * pkg/controller/deployment). One sync does one of these, and what it did brings the next one: take over or let go of sets,
 * write their sizes and annotations, make the current one, remove old ones, tell the status.
 */
#include "../claims.h"
#include "../loops.h"
#include "../pods.h"
#include "../written.h"
#include "rollout.h"
#include "rollout_set.h"
#include "rollout_status.h"
#include "template_hash.h"
#include "xb/selector.h"
#include "xb/time.h"
#include "xb/work_queue.h"

struct deployments {
	struct kcm *kcm;
	const struct xb_kind *kind, *set_kind, *pod_kind;
	struct xb_informer *deployments, *sets;
	struct xb_index *deployments_by_namespace, *sets_by_controller, *pods_by_controller;
	struct written *written;                /* sets, by their Deployments' keys */
	struct kcm_queue *queue;
};

struct sets {
	XB_VEC(struct xb_jv) owned, to_adopt, to_release; /* views */
};
struct sync {
	struct kcm_work *w;
	struct deployments *l;
	struct xb_jv deployment;                /* held as soon as a round begins */
	const char *set_name;                   /* of the set to be made, */
	struct xb_sv canonical;                 /* its template, */
	struct xb_sv told;                      /* the status when it is made, */
	int64_t make;                           /* its pods */
	bool made;                              /* it was; when it could not be, w->why says why */
};
struct letter {                                 /* about a set */
	struct sync *s;
	const char *name;
	struct xb_sv body;
	int64_t from, to;
	bool deletes;
};

static void sets_done(struct sets *p)
{
	xb_vec_done(&p->owned);
	xb_vec_done(&p->to_adopt);
	xb_vec_done(&p->to_release);
}

static struct xb_event event(const struct sync *s, enum xb_event_type type, const char *reason)
{
	return (struct xb_event){
		.component = "deployment-controller", .kind = s->l->kind, .object = s->deployment, .type = type, .reason = reason,
	};
}

static void tell_scaled(const struct sync *s, const char *name, int64_t from, int64_t to)
{
	struct xb_event e = event(s, XB_EVENT_NORMAL, "ScalingReplicaSet");

	if (from != to)
		xb_recorder_event(s->l->kcm->recorder, &e, "Scaled %s replica set %s from %lld to %lld", from < to ? "up" : "down", name,
				  (long long)from, (long long)to);
}

static int begin_round(struct sync *s, void (*then)(struct kcm_work *w, int error))
{
	int r = kcm_work_hold(s->w, s->deployment);

	if (!r)
		kcm_work_round(s->w, then);
	return r;
}

/* The object is not there any more, or was changed: the copy will show it. */
static int on_written(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	return code == 404 || code == 409 || code == 422 ? -ESTALE : xb_calls_error(code, status);
}

/* A set that was made or told another size, or may have been: what is decided next counts on that. */
static int note_set(struct sync *s, int code, struct xb_sv body)
{
	_cleanup_(xb_json_unrefp) struct xb_json *set = NULL;
	int r;

	if (xb_calls_unknown(code))
		written_doubt(s->l->written, s->w->key);
	if (code < 200 || code > 299)
		return 0;
	r = xb_json_parse(body, NULL, &set, NULL);
	return r ? r : written_put(s->l->written, s->w->key, xb_json_root(set));
}

/* --- which sets are a Deployment's --- */
static struct xb_selector *selector_of(struct xb_jv deployment)
{
	struct xb_selector *s = NULL;

	xb_selector_from_label_selector(xb_jv_path(deployment, "spec", "selector"), &s, NULL);
	return s;
}

static bool selects(const struct xb_selector *s, struct xb_jv set)
{
	return xb_selector_matches(s, xb_jv_path(set, "metadata", "labels"));
}

static int gather(const struct deployments *l, struct xb_jv deployment, struct sets *ret)
{
	_cleanup_(xb_selector_freep) struct xb_selector *selector = selector_of(deployment);
	_cleanup_buf_ struct xb_buf orphans = {};
	int r = 0;

	xb_buf_addf(&orphans, "%.*s/", XB_SV_ARG(xb_jv_meta(deployment, "namespace")));
	for (struct xb_index_it it = {}; !r && xb_index_next(l->sets_by_controller, xb_jv_meta(deployment, "uid"), &it);) {
		if (selects(selector, it.object))
			r = xb_vec_push(&ret->owned, it.object);
		else
			r = xb_vec_push(&ret->to_release, it.object);
	}
	for (struct xb_index_it it = {}; !r && xb_index_next(l->sets_by_controller, xb_buf_sv(&orphans), &it);)
		if (!pods_deleting(it.object) && selects(selector, it.object))
			r = xb_vec_push(&ret->to_adopt, it.object);
	return r;
}

static void start_claims(struct sync *s, const struct sets *p)
{
	struct claims c = {
		.kind = s->l->set_kind, .owner_kind = s->l->kind, .owner = s->deployment,
		.adopt = p->to_adopt.v, .n_adopt = p->to_adopt.n, .release = p->to_release.v, .n_release = p->to_release.n,
	};
	int r = claims_begin(s->w, &c, kcm_work_done);

	if (r)
		kcm_work_done(s->w, r);
}

/* --- status --- */
static int ask_status(struct sync *s, struct xb_sv patch)
{
	struct kcm_request q = {
		.method = "PUT", .kind = s->l->kind, .name = s->w->name, .sub = "status", .type = KCM_JSON, .of = s->deployment,
	};

	q.body = patch;
	return kcm_work_ask(s->w, &q, on_written, NULL);
}

static void tell_status(struct sync *s, const struct rollout *r)
{
	_cleanup_buf_ struct xb_buf patch = {};
	int64_t now = xb_time_now(), again;
	int e;

	rollout_status_patch(r, now, &patch, &again);
	/* a time that was told is cut to its second */
	if (again)
		kcm_queue_add_after(s->l->queue, s->deployment, (again - now) / 1000 + 1000);
	e = patch.err || !patch.n ? patch.err : begin_round(s, kcm_work_done);
	if (e || !patch.n) {
		kcm_work_done(s->w, e);
		return;
	}
	ask_status(s, xb_buf_sv(&patch));
	kcm_work_go(s->w);
}

/* --- sizes, annotations and the history --- */
static int on_resized(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	const struct letter *l = arg;
	int noted = note_set(l->s, code, body), r = on_written(NULL, code, body, status);

	if (!r)
		tell_scaled(l->s, l->name, l->from, l->to);
	return r ? r : noted;
}

/* Only that set as it is known: one with pods again must stay. */
static void write_deletion(struct xb_jv set, struct xb_buf *out)
{
	xb_buf_addf(out, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"preconditions\":{\"uid\":\"%.*s\",\"resourceVersion\":\"%.*s\"}}",
		    XB_SV_ARG(xb_jv_meta(set, "uid")), XB_SV_ARG(xb_jv_meta(set, "resourceVersion")));
}

static int write_letter(struct sync *s, const struct rollout *r, const struct rollout_set *set, struct letter *l)
{
	struct xb_arena *a = s->w->arena;
	_cleanup_buf_ struct xb_buf body = {};

	if (set->remove)
		write_deletion(set->object, &body);
	else
		rollout_set_patch(r, set, &body);
	*l = (struct letter){ .s = s, .deletes = set->remove, .from = set->replicas, .to = set->size };
	if (!body.n)
		return body.err;
	l->name = xb_arena_strn(a, xb_jv_meta(set->object, "name"));
	l->body = xb_arena_sv(a, xb_buf_sv(&body));
	return body.err || !l->name || !l->body.p ? -ENOMEM : 0;
}

/* All are written before the first is sent, while the views are good. The number of letters, or -errno. */
static int write_letters(struct sync *s, const struct rollout *r, struct letter *l)
{
	int n = 0, e = l ? 0 : -ENOMEM;

	for (size_t i = 0; i < r->sets.n && !e; i++) {
		e = write_letter(s, r, &r->sets.v[i], &l[n]);
		n += l[n].name != NULL;
	}
	return e ? e : n;
}

static void send_letters(struct sync *s, struct letter *l, int n)
{
	int r = begin_round(s, kcm_work_done);

	if (r) {
		kcm_work_done(s->w, r);
		return;
	}
	for (int i = 0; i < n; i++, l++) {
		struct kcm_request q = { .method = "PATCH", .kind = s->l->set_kind, .name = l->name, .type = KCM_MERGE, .body = l->body };

		if (l->deletes) {
			q.method = "DELETE";
			q.type = KCM_JSON;
		}
		kcm_work_ask(s->w, &q, l->deletes ? on_written : on_resized, l);
	}
	kcm_work_go(s->w);
}

/* --- making a set --- */
static void on_told_failure(struct kcm_work *w, int error)
{
	kcm_work_done(w, -EIO);
}

static void tell_refused(struct sync *s)
{
	_cleanup_buf_ struct xb_buf message = {}, patch = {};
	struct xb_event e = event(s, XB_EVENT_WARNING, ROLLOUT_CREATE_ERROR);

	xb_buf_addf(&message, "Failed to create new replica set \"%s\": %s", s->set_name, s->w->why);
	xb_recorder_event(s->l->kcm->recorder, &e, "%.*s", XB_SV_ARG(xb_buf_sv(&message)));
	rollout_refused_patch(s->deployment, xb_buf_sv(&message), xb_time_now(), &patch);
	kcm_work_round(s->w, on_told_failure);
	if (patch.n && !patch.err)
		ask_status(s, xb_buf_sv(&patch));
	kcm_work_go(s->w);
}

static void tell_made(struct sync *s)
{
	kcm_work_round(s->w, kcm_work_done);
	ask_status(s, s->told);
	kcm_work_go(s->w);
}

/* The set of that name is our own, which the copy does not show yet, or its hash is another template's. */
static int on_namesake(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct sync *s = arg;
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	_cleanup_buf_ struct xb_buf canonical = {}, patch = {};
	struct xb_jv set;
	int r = on_written(NULL, code, body, status);

	if (!r)
		r = xb_json_parse(body, NULL, &doc, NULL);
	if (r)
		return r;
	set = xb_json_root(doc);
	template_canonical(xb_jv_path(set, "spec", "template"), &canonical);
	rollout_collision_patch(s->deployment, &patch);
	if (canonical.err || patch.err)
		return -ENOMEM;
	if (xb_sv_eq(xb_owner_uid(set), xb_jv_meta(s->deployment, "uid")) && xb_sv_eq(xb_buf_sv(&canonical), s->canonical))
		return -ESTALE;
	return ask_status(s, xb_buf_sv(&patch));
}

static int on_made(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct sync *s = arg;
	struct kcm_request namesake = { .method = "GET", .kind = s->l->set_kind, .name = s->set_name };
	int noted = note_set(s, code, body), r = xb_calls_error(code, status);

	s->made = !r;
	if (s->made)
		tell_scaled(s, s->set_name, 0, s->make);
	if (r == -EEXIST)
		return kcm_work_ask(s->w, &namesake, on_namesake, s);
	/* whatever is made in a namespace that goes would go as well */
	if (kcm_is_terminating(status))
		return 0;
	if (r)
		s->w->why = xb_arena_strn(s->w->arena, xb_sv(status && status->message ? status->message : ""));
	return r ? r : noted;
}

static void on_made_round(struct kcm_work *w, int error)
{
	struct sync *s = w->state;

	if (s->made)
		tell_made(s);
	else if (s->w->why)
		tell_refused(s);
	else
		kcm_work_done(w, error);
}

static int write_set(struct sync *s, const struct rollout *r, struct xb_buf *body)
{
	struct xb_arena *a = s->w->arena;
	_cleanup_buf_ struct xb_buf canonical = {}, told = {};
	struct template_hash hash;
	int64_t collisions = -1;

	xb_jv_i64(xb_jv_path(s->deployment, "status", "collisionCount"), &collisions);
	template_canonical(xb_jv_path(s->deployment, "spec", "template"), &canonical);
	hash = template_hash(xb_buf_sv(&canonical), collisions);
	rollout_set_write(r, s->l->kind, hash.s, body);
	s->canonical = xb_arena_sv(a, xb_buf_sv(&canonical));
	s->set_name = xb_arena_printf(a, "%s-%s", s->w->name, hash.s);
	if (!s->set_name)
		return -ENOMEM;
	s->make = r->make;
	rollout_made_patch(r, s->set_name, xb_time_now(), &told);
	s->told = xb_arena_sv(a, xb_buf_sv(&told));
	return canonical.err || body->err || told.err || !s->canonical.p || !s->told.p ? -ENOMEM : 0;
}

static void make_set(struct sync *s, const struct rollout *rollout)
{
	_cleanup_buf_ struct xb_buf body = {};
	struct kcm_request q = { .method = "POST", .kind = s->l->set_kind, .type = KCM_JSON };
	int r = write_set(s, rollout, &body);

	if (!r)
		r = begin_round(s, on_made_round);
	if (r) {
		kcm_work_done(s->w, r);
		return;
	}
	q.body = xb_buf_sv(&body);
	kcm_work_ask(s->w, &q, on_made, s);
	kcm_work_go(s->w);
}

/* --- one Deployment --- */
static bool pod_runs(struct xb_jv pod)
{
	struct xb_sv phase = xb_jv_text(xb_jv_path(pod, "status", "phase"));

	return !xb_sv_is(phase, "Succeeded") && !xb_sv_is(phase, "Failed");
}

/* Those that are being deleted run still. */
static bool old_pods_run(const struct deployments *l, const struct rollout *r)
{
	for (size_t i = 0; i < r->sets.n; i++)
		if (&r->sets.v[i] != r->current)
			for (struct xb_index_it it = {}; xb_index_next(l->pods_by_controller, xb_jv_meta(r->sets.v[i].object, "uid"), &it);)
				if (pod_runs(it.object))
					return true;
	return false;
}

static void bring_about(struct sync *s, struct rollout *r)
{
	struct letter *letters = xb_arena_alloc(s->w->arena, (r->sets.n + 1) * sizeof(*letters));
	int n = 0;

	if (pods_deleting(s->deployment)) {
		r->scaling = true;
	} else {
		r->old_pods_run = !r->rolling && old_pods_run(s->l, r);
		rollout_plan(r);
		n = write_letters(s, r, letters);
	}
	if (n < 0)
		kcm_work_done(s->w, n);
	else if (n > 0)
		send_letters(s, letters, n);
	else if (r->make >= 0)
		make_set(s, r);
	else
		tell_status(s, r);
}

/* Does the copy show all that was done to the sets? Else the work is done, or reads what there is. */
static bool sets_show(struct kcm_work *w, struct xb_jv deployment)
{
	struct deployments *l = w->loop;
	_cleanup_(xb_selector_freep) struct xb_selector *selector = NULL;
	_cleanup_buf_ struct xb_buf text = {};

	if (!written_doubted(l->written, w->key))
		return !written_put_off(l->written, w);
	selector = selector_of(deployment);
	xb_selector_write(selector, &text);
	written_read(l->written, w, l->set_kind, xb_buf_sv(&text));
	return false;
}

static void sync_deployment(struct kcm_work *w)
{
	struct deployments *l = w->loop;
	_cleanup_(sets_done) struct sets sets = {};
	_cleanup_(rollout_done) struct rollout rollout = {};
	struct sync *s = w->state = xb_arena_alloc(w->arena, sizeof(*s));
	struct xb_jv deployment = xb_informer_get(l->deployments, w->namespace_, w->name);
	int r = s ? 0 : -ENOMEM;

	if (r || !xb_jv_is(deployment)) {
		written_forget(l->written, w->key);
		kcm_work_done(w, r);
		return;
	}
	if (!sets_show(w, deployment))
		return;
	r = gather(l, deployment, &sets);
	if (r) {
		kcm_work_done(w, r);
		return;
	}
	*s = (struct sync){ .w = w, .l = l, .deployment = deployment };
	if (sets.to_release.n || (sets.to_adopt.n && !pods_deleting(deployment))) {
		start_claims(s, &sets);
		return;
	}
	r = rollout_read(deployment, sets.owned.v, sets.owned.n, &rollout);
	if (r)
		kcm_work_done(w, r);
	else
		bring_about(s, &rollout);
}

/* --- what comes in --- */
/* of: old or set, whose owner is told of the change. */
static void queue_owner(struct deployments *l, struct xb_jv of, struct xb_jv old, struct xb_jv set)
{
	struct xb_jv deployment = kcm_owner(l->deployments, l->kind, of);
	_cleanup_buf_ struct xb_buf key = {};

	if (!xb_jv_is(deployment) || !kcm_key(deployment, &key))
		return;
	written_changed(l->written, key.p, old, set);
	xb_work_queue_add(kcm_queue_keys(l->queue), key.p);
}

static void queue_who_selects(struct deployments *l, struct xb_jv orphan)
{
	for (struct xb_index_it it = {}; xb_index_next(l->deployments_by_namespace, xb_jv_meta(orphan, "namespace"), &it);) {
		_cleanup_(xb_selector_freep) struct xb_selector *s = selector_of(it.object);

		if (s && selects(s, orphan))
			kcm_queue_add(l->queue, it.object);
	}
}

static bool same(struct xb_jv a, struct xb_jv b, const char *field)
{
	return xb_sv_eq(xb_jv_bytes(xb_jv_path(a, "metadata", field)), xb_jv_bytes(xb_jv_path(b, "metadata", field)));
}

static void on_set(void *arg, struct xb_jv old, struct xb_jv set)
{
	struct deployments *l = arg;

	if (xb_jv_is(old) && !xb_sv_eq(xb_owner_uid(old), xb_owner_uid(set)))
		queue_owner(l, old, old, (struct xb_jv){});
	if (!xb_jv_is(set))
		return;
	if (xb_owner_uid(set).n)
		queue_owner(l, set, old, set);
	else if (!xb_jv_is(old) || !same(old, set, "labels") || !same(old, set, "ownerReferences"))
		queue_who_selects(l, set);
}

/* Recreate waits for the end of the old pods. */
static void on_pod(void *arg, struct xb_jv old, struct xb_jv pod)
{
	struct deployments *l = arg;
	struct xb_jv deployment;

	if (xb_jv_is(pod) && pod_runs(pod))
		return;
	deployment = kcm_owner(l->deployments, l->kind, kcm_owner(l->sets, l->set_kind, xb_jv_is(pod) ? pod : old));
	if (xb_jv_streq(xb_jv_path(deployment, "spec", "strategy", "type"), XB_SV("Recreate")))
		kcm_queue_add(l->queue, deployment);
}

static void on_deployment(void *arg, struct xb_jv old, struct xb_jv deployment)
{
	struct deployments *l = arg;

	if (xb_jv_is(deployment))
		kcm_queue_add(l->queue, deployment);
}

/* --- the loop --- */
static int follow(struct deployments *l)
{
	struct kcm *k = l->kcm;
	int r = xb_cache_follow(k->cache, l->kind, on_deployment, l);

	if (!r)
		r = xb_cache_follow(k->cache, l->set_kind, on_set, l);
	if (!r)
		r = xb_cache_follow(k->cache, l->pod_kind, on_pod, l);
	l->deployments = xb_cache_of(k->cache, l->kind);
	l->sets = xb_cache_of(k->cache, l->set_kind);
	l->written = written_new(l->sets);
	l->deployments_by_namespace = kcm_index(k, l->kind, kcm_by_namespace);
	l->sets_by_controller = kcm_index(k, l->set_kind, kcm_by_controller);
	l->pods_by_controller = kcm_index(k, l->pod_kind, kcm_by_controller);
	if (!l->deployments || !l->sets || !l->written || !l->deployments_by_namespace || !l->sets_by_controller || !l->pods_by_controller)
		return -ENOMEM;
	return r;
}

void deployment_stop(void *loop)
{
	struct deployments *l = loop;

	kcm_queue_free(l->queue);
	written_free(l->written);
	free(l);
}

int deployment_start(struct kcm *k, void **ret)
{
	struct deployments *l = calloc(1, sizeof(*l));
	struct kcm_queue_config queue = {
		.name = "deployment", .workers = k->options->concurrent_deployment_syncs, .sync = sync_deployment, .loop = l,
	};
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct deployments){
		.kcm = k, .kind = kcm_kind("apps", "v1", "deployments"), .set_kind = kcm_kind("apps", "v1", "replicasets"),
		.pod_kind = kcm_kind("", "v1", "pods"),
	};
	r = kcm_queue_new(k, &queue, &l->queue);
	if (!r)
		r = follow(l);
	if (r) {
		deployment_stop(l);
		return r;
	}
	*ret = l;
	return 0;
}
