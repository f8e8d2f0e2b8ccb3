/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Pods are made where there are too few, and deleted where there are too many. */
#include "../pods.h"
#include "replicas.h"
#include "replicas_rank.h"
#include "xb/time.h"

#define BURST 500 /* pods made or deleted in one sync */

static void note_why(struct replicas_sync *s, const struct xb_status *status)
{
	if (!s->w->why)
		s->w->why = xb_arena_strn(s->w->arena, xb_sv(status && status->message ? status->message : ""));
}

static void record(const struct replicas_sync *s, enum xb_event_type type, const char *reason, const char *what, const char *of)
{
	struct xb_event e = {
		.component = s->l->variety->component, .kind = s->l->kind, .object = s->set, .type = type, .reason = reason,
	};

	xb_recorder_event(s->l->kcm->recorder, &e, "%s: %s", what, of);
}

/* --- too few --- */
static void give_up_creations(struct replicas_sync *s, unsigned n)
{
	while (n--)
		xb_expectations_created(s->l->expectations, s->w->key);
}

static int on_created(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct replicas_sync *s = arg;
	_cleanup_(xb_json_unrefp) struct xb_json *pod = NULL;
	_cleanup_free_ char *name = NULL;
	int r = xb_calls_error(code, status);

	if (!r && !xb_json_parse(body, NULL, &pod, NULL)) {
		name = xb_sv_dup(xb_jv_meta(xb_json_root(pod), "name"));
		record(s, XB_EVENT_NORMAL, "SuccessfulCreate", "Created pod", name ? name : "");
	}
	if (!r)
		return 0;
	if (xb_calls_unknown(code))
		xb_expectations_doubt(s->l->expectations, s->w->key);
	else
		give_up_creations(s, 1);
	/* whatever is made in a namespace that goes would go as well */
	if (kcm_is_terminating(status)) {
		s->terminating = true;
		return 0;
	}
	note_why(s, status);
	record(s, XB_EVENT_WARNING, "FailedCreate", "Error creating", status && status->message ? status->message : "");
	return r;
}

static void next_batch(struct replicas_sync *s);

/* Batches double while all goes well: should creating not work at all, one request finds out. */
static void on_batch(struct kcm_work *w, int error)
{
	struct replicas_sync *s = w->state;

	if (error || s->terminating) {
		give_up_creations(s, s->remaining);
		replicas_tell(s, error ? "FailedCreate" : NULL, error);
	} else if (s->remaining) {
		s->batch *= 2;
		next_batch(s);
	} else {
		replicas_await(s);
	}
}

static void next_batch(struct replicas_sync *s)
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

void replicas_create(struct replicas_sync *s)
{
	_cleanup_buf_ struct xb_buf body = {};
	int r;

	s->remaining = (unsigned)MIN(-s->diff, BURST);
	s->batch = 1;
	pod_template_write(xb_jv_path(s->set, "spec", "template"), s->l->kind, s->set, &body);
	s->body = xb_arena_sv(s->w->arena, xb_buf_sv(&body));
	r = body.err || !s->body.p ? -ENOMEM : replicas_hold(s);
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
	struct replicas_target *t = arg;
	struct replicas_sync *s = t->s;
	int r = xb_calls_error(code, status);

	if (!r) {
		record(s, XB_EVENT_NORMAL, "SuccessfulDelete", "Deleted pod", t->name);
		return 0;
	}
	if (xb_calls_unknown(code))
		xb_expectations_doubt(s->l->expectations, s->w->key);
	else if (code != 404)
		xb_expectations_deleted(s->l->expectations, s->w->key, xb_sv(t->uid));
	/* gone already, which the copy will show, perhaps with another one in its place */
	if (code == 404 || code == 409)
		return 0;
	note_why(s, status);
	record(s, XB_EVENT_WARNING, "FailedDelete", "Error deleting", status && status->message ? status->message : "");
	return r;
}

static void on_deletions(struct kcm_work *w, int error)
{
	struct replicas_sync *s = w->state;

	if (error)
		replicas_tell(s, "FailedDelete", error);
	else
		replicas_await(s);
}

/* The pods of all sets that one owner has (a Deployment's old and new ReplicaSet): those on a crowded node go first. */
static int gather_related(const struct replicas_sync *s, struct replicas_pods *ret)
{
	struct xb_sv owner = xb_owner_uid(s->set);
	int r = 0;

	for (struct xb_index_it set = {}; owner.n && !r && xb_index_next(s->l->sets_by_controller, owner, &set);)
		for (struct xb_index_it pod = {}; !r && xb_index_next(s->l->pods_by_controller, xb_jv_meta(set.object, "uid"), &pod);)
			r = xb_vec_push(&ret->active, pod.object);
	return r;
}

static int choose(struct replicas_sync *s, struct replicas_pods *p, size_t n)
{
	_cleanup_(replicas_pods_done) struct replicas_pods related = {};
	const struct replicas_pods *beside = xb_owner_uid(s->set).n ? &related : p;
	int r = gather_related(s, &related);

	if (!r && n < p->active.n)
		r = replicas_rank(p->active.v, p->active.n, beside->active.v, beside->active.n, xb_time_now());
	if (!r)
		r = replicas_new_targets(s, n);
	return r ? r : replicas_add_targets(s, p->active.v, n);
}

static int expect_deletions(struct replicas_sync *s)
{
	_cleanup_free_ struct xb_sv *uids = calloc(s->n_targets + 1, sizeof(*uids));

	for (size_t i = 0; uids && i < s->n_targets; i++)
		uids[i] = xb_sv(s->targets[i].uid);
	return uids ? xb_expectations_deletions(s->l->expectations, s->w->key, uids, s->n_targets) : -ENOMEM;
}

void replicas_delete(struct replicas_sync *s, struct replicas_pods *p)
{
	int r = choose(s, p, (size_t)MIN(s->diff, BURST));

	if (!r)
		r = expect_deletions(s);
	if (!r)
		r = replicas_hold(s);
	if (r) {
		kcm_work_done(s->w, r);
		return;
	}
	kcm_work_round(s->w, on_deletions);
	for (size_t i = 0; i < s->n_targets; i++) {
		struct replicas_target *t = &s->targets[i];
		struct kcm_request q = { .method = "DELETE", .kind = s->l->pod_kind, .name = t->name, .type = KCM_JSON };
		_cleanup_buf_ struct xb_buf body = {};

		xb_buf_addf(&body, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"preconditions\":{\"uid\":\"%s\"}}", t->uid);
		q.body = xb_buf_sv(&body);
		if (body.err || kcm_work_ask(s->w, &q, on_deleted, t))
			xb_expectations_deleted(s->l->expectations, s->w->key, xb_sv(t->uid));
	}
	kcm_work_go(s->w);
}
