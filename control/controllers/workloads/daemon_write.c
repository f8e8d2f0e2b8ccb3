/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A DaemonSet's pods are made on the nodes that lack them, and deleted where they are not to be. */
#include "daemon.h"

static int failed(struct daemon_sync *s, const char *reason, const char *what, const struct xb_status *status, int error)
{
	const char *why = status && status->message ? status->message : "";
	struct xb_event e = daemon_event(s, XB_EVENT_WARNING, reason);

	if (!s->w->why)
		s->w->why = xb_arena_strn(s->w->arena, xb_sv(why));
	xb_recorder_event(s->l->kcm->recorder, &e, "Error %s: %s", what, why);
	return error;
}

/* --- making --- */
static void give_up(struct daemon_sync *s, unsigned n)
{
	while (n--)
		xb_expectations_created(s->l->expectations, s->w->key);
}

static int on_created(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct daemon_sync *s = arg;
	_cleanup_(xb_json_unrefp) struct xb_json *pod = NULL;
	struct xb_event e = daemon_event(s, XB_EVENT_NORMAL, "SuccessfulCreate");
	int r = xb_calls_error(code, status);

	if (!r && !xb_json_parse(body, NULL, &pod, NULL))
		xb_recorder_event(s->l->kcm->recorder, &e, "Created pod: %.*s", XB_SV_ARG(xb_jv_meta(xb_json_root(pod), "name")));
	if (!r)
		return 0;
	if (xb_calls_unknown(code))
		xb_expectations_doubt(s->l->expectations, s->w->key);
	else
		give_up(s, 1);
	/* whatever is made in a namespace that goes would go as well */
	if (kcm_is_terminating(status)) {
		s->terminating = true;
		return 0;
	}
	return failed(s, "FailedCreate", "creating", status, r);
}

static void next_batch(struct daemon_sync *s);

/* Batches double while all goes well: should creating not work at all, one request finds out. */
static void on_batch(struct kcm_work *w, int error)
{
	struct daemon_sync *s = w->state;

	if (error || s->terminating) {
		give_up(s, s->n - s->next);
		daemon_tell(s, error);
	} else if (s->next < s->n) {
		s->batch *= 2;
		next_batch(s);
	} else {
		daemon_await(s);
	}
}

static void next_batch(struct daemon_sync *s)
{
	_cleanup_buf_ struct xb_buf body = {};
	struct kcm_request q = { .method = "POST", .kind = s->l->pod_kind, .type = KCM_JSON };
	unsigned end = MIN(s->next + s->batch, s->n);

	kcm_work_round(s->w, on_batch);
	while (s->next < end) {
		int r = daemon_template_body(&s->template, s->nodes[s->next++], &body);

		q.body = r ? (struct xb_sv){} : xb_buf_sv(&body);
		if (kcm_work_ask(s->w, &q, on_created, s))
			give_up(s, 1);
	}
	kcm_work_go(s->w);
}

static int note_nodes(struct daemon_sync *s, const struct daemon_plan *p)
{
	s->n = MIN(p->create.n, DAEMON_BURST);
	s->nodes = xb_arena_alloc(s->w->arena, s->n * sizeof(*s->nodes));
	for (unsigned i = 0; i < s->n && s->nodes; i++) {
		s->nodes[i] = xb_arena_sv(s->w->arena, p->create.v[i]->name);
		if (!s->nodes[i].p)
			return -ENOMEM;
	}
	return s->nodes ? 0 : -ENOMEM;
}

void daemon_create(struct daemon_sync *s, const struct daemon_plan *p)
{
	int r = note_nodes(s, p);

	s->batch = 1;
	if (!r)
		r = daemon_hold(s);
	if (!r)
		r = daemon_template_new(s->w->arena, s->l->kind, s->set, s->hash, &s->template);
	if (!r)
		r = xb_expectations_creations(s->l->expectations, s->w->key, s->n);
	if (r)
		kcm_work_done(s->w, r);
	else
		next_batch(s);
}

/* --- deleting --- */
struct target {
	struct daemon_sync *s;
	struct xb_sv uid;
	const char *name, *body;
};

static int on_deleted(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct target *t = arg;
	struct xb_event e = daemon_event(t->s, XB_EVENT_NORMAL, "SuccessfulDelete");
	int r = xb_calls_error(code, status);

	if (!r) {
		xb_recorder_event(t->s->l->kcm->recorder, &e, "Deleted pod: %s", t->name);
		return 0;
	}
	if (xb_calls_unknown(code))
		xb_expectations_doubt(t->s->l->expectations, t->s->w->key);
	else if (code != 404)
		xb_expectations_deleted(t->s->l->expectations, t->s->w->key, t->uid);
	/* gone already, which the copy will show, perhaps with another one in its place */
	if (code == 404 || code == 409)
		return 0;
	return failed(t->s, "FailedDelete", "deleting", status, r);
}

static void on_deletions(struct kcm_work *w, int error)
{
	struct daemon_sync *s = w->state;

	if (error)
		daemon_tell(s, error);
	else
		daemon_await(s);
}

static int write_target(struct daemon_sync *s, struct xb_jv pod, struct target *t)
{
	struct xb_arena *a = s->w->arena;

	*t = (struct target){ .s = s, .uid = xb_arena_sv(a, xb_jv_meta(pod, "uid")), .name = xb_arena_strn(a, xb_jv_meta(pod, "name")) };
	t->body = xb_arena_printf(a, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"preconditions\":{\"uid\":\"%.*s\"}}",
				  XB_SV_ARG(xb_jv_meta(pod, "uid")));
	return t->uid.p && t->name && t->body ? 0 : -ENOMEM;
}

static int expect(struct daemon_sync *s, const struct target *t, size_t n)
{
	_cleanup_free_ struct xb_sv *uids = calloc(n, sizeof(*uids));

	for (size_t i = 0; uids && i < n; i++)
		uids[i] = t[i].uid;
	return uids ? xb_expectations_deletions(s->l->expectations, s->w->key, uids, n) : -ENOMEM;
}

void daemon_delete(struct daemon_sync *s, const struct daemon_plan *p)
{
	size_t n = MIN(p->remove.n, (size_t)DAEMON_BURST);
	struct target *t = xb_arena_alloc(s->w->arena, n * sizeof(*t));
	int r = t ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && !r; i++)
		r = write_target(s, p->remove.v[i].pod->object, &t[i]);
	if (!r)
		r = daemon_hold(s);
	if (!r)
		r = expect(s, t, n);
	if (r) {
		kcm_work_done(s->w, r);
		return;
	}
	kcm_work_round(s->w, on_deletions);
	for (size_t i = 0; i < n; i++) {
		struct kcm_request q = { .method = "DELETE", .kind = s->l->pod_kind, .name = t[i].name, .type = KCM_JSON };

		q.body = xb_sv(t[i].body);
		if (kcm_work_ask(s->w, &q, on_deleted, &t[i]))
			xb_expectations_deleted(s->l->expectations, s->w->key, t[i].uid);
	}
	kcm_work_go(s->w);
}
