/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The requests of a StatefulSet's next steps: claims, then pods; deletions; what is put right. */
#include <stdio.h>
#include "../pods.h"
#include "stateful.h"

#define BODY_MAX 256

struct claim_request {
	struct stateful_target *target;
	const char *name;
	struct xb_sv body;
	struct xb_jv of;                /* the claim that it is a patch of; {}: there is none */
};
struct stateful_target {
	struct stateful_sync *s;
	const char *name, *uid;         /* the pod's; uid NULL: it is to be made */
	struct xb_sv body;              /* the pod, or a patch; {}: it is right as it is */
	struct claim_request *claims;
	size_t n_claims;
	const char *trouble;            /* what is in the way, in a user's words */
	bool quiet;                     /* what becomes of its claims is no update of the pod */
	bool failed;
};

/* --- Events --- */
static void tell(const struct stateful_sync *s, bool well, const char *verb, const char *message)
{
	struct xb_event e = {
		.component = "statefulset-controller", .kind = s->l->kind, .object = s->set,
		.type = well ? XB_EVENT_NORMAL : XB_EVENT_WARNING,
	};
	char reason[32];

	snprintf(reason, sizeof(reason), "%s%s", well ? "Successful" : "Failed", verb);
	e.reason = reason;
	xb_recorder_event(s->l->kcm->recorder, &e, "%s", message ? message : "");
}

static void tell_pod(const struct stateful_target *t, const char *verb, const char *why)
{
	struct xb_arena *a = t->s->w->arena;
	const char *word = !strcmp(verb, "Create") ? "create" : !strcmp(verb, "Delete") ? "delete" : "update", *set = t->s->w->name;

	tell(t->s, !why, verb, why ? xb_arena_printf(a, "%s Pod %s in StatefulSet %s failed error: %s", word, t->name, set, why) :
				     xb_arena_printf(a, "%s Pod %s in StatefulSet %s successful", word, t->name, set));
}

static void tell_claim(const struct claim_request *c, const char *why)
{
	const char *pod = c->target->name, *set = c->target->s->w->name;
	struct xb_arena *a = c->target->s->w->arena;

	tell(c->target->s, !why, "Create",
	     why ? xb_arena_printf(a, "create Claim %s for Pod %s in StatefulSet %s failed error: %s", c->name, pod, set, why) :
		   xb_arena_printf(a, "create Claim %s Pod %s in StatefulSet %s success", c->name, pod, set));
}

static const char *message_of(const struct xb_status *status)
{
	return status && status->message ? status->message : "";
}

/* It is not as the copy shows it, or there was no answer, and it may have been done: the copy will tell, names are never given twice. */
static bool is_unknown(int code, int error)
{
	return !code || error == -EEXIST || error == -ESTALE || error == -ENOENT;
}

static void fail(struct stateful_target *t, int error, const char *why)
{
	struct stateful_sync *s = t->s;

	t->failed = true;
	if (!s->error)
		s->error = error;
	if (!why)
		return;
	t->trouble = xb_arena_strn(s->w->arena, xb_sv(why));
	if (!s->w->why)
		s->w->why = t->trouble;
}

/* --- what is written before the first round, while views are good --- */
static int new_targets(struct stateful_sync *s, size_t n)
{
	s->targets = xb_arena_alloc(s->w->arena, (n + 1) * sizeof(*s->targets));
	return s->targets ? 0 : -ENOMEM;
}

static int write_claim(struct stateful_target *t, const struct stateful_owners *o, struct xb_jv template, struct xb_jv claim,
		       const char *name)
{
	struct xb_arena *a = t->s->w->arena;
	struct claim_request *c = &t->claims[t->n_claims++];
	_cleanup_buf_ struct xb_buf body = {};

	if (xb_jv_is(claim))
		stateful_claim_settle(o, claim, &body);
	else
		stateful_claim_write(o, template, name, &body);
	*c = (struct claim_request){ t, xb_arena_strn(a, xb_sv(name)), xb_arena_sv(a, xb_buf_sv(&body)), claim };
	return body.err || !c->name || !c->body.p ? -ENOMEM : 0;
}

static int write_claims(struct stateful_target *t, const struct stateful *p, const struct stateful_step *step)
{
	struct xb_jv templates = stateful_claim_templates(p->set);
	_cleanup_buf_ struct xb_buf name = {};
	struct stateful_owners owners;
	int r = 0;

	stateful_owners(p, step->ordinal, step->pod, xb_sv(t->name), &owners);
	t->claims = xb_arena_alloc(t->s->w->arena, (xb_jv_count(templates) + 1) * sizeof(*t->claims));
	if (!t->claims)
		return -ENOMEM;
	for (struct xb_jit it = xb_jv_iter(templates); !r && xb_jit_next(&it);) {
		const char *n = stateful_claim_name(it.value, p->set, step->ordinal, &name);
		struct xb_jv claim = n ? p->claim(p->claim_arg, n) : (struct xb_jv){};

		if (!n)
			return -ENOMEM;
		if (!xb_jv_is(step->pod) && pods_deleting(claim))
			t->trouble = xb_arena_printf(t->s->w->arena, "pvc %s is being deleted", n);
		else if (xb_jv_is(claim) ? xb_jv_is(step->pod) && !stateful_claim_settled(&owners, claim) : step->make_claims)
			r = write_claim(t, &owners, it.value, claim, n);
	}
	return r;
}

static bool is_right(const struct stateful *p, const struct stateful_step *step)
{
	return stateful_identity_matches(step->pod) && stateful_storage_matches(p->set, step->pod, step->ordinal);
}

static int write_pod(struct stateful_target *t, const struct stateful *p, const struct stateful_step *step)
{
	_cleanup_buf_ struct xb_buf body = {};

	t->quiet = !step->fix_pod;
	if (step->act == STATEFUL_CREATE)
		stateful_pod_write(p->set, p->set_kind, step->revision, step->ordinal, &body);
	else if (step->fix_pod && !is_right(p, step))
		stateful_pod_patch(p->set, step->pod, step->ordinal, &body);
	if (body.n)
		t->body = xb_arena_sv(t->s->w->arena, xb_buf_sv(&body));
	if (body.err || (body.n && !t->body.p))
		return -ENOMEM;
	return write_claims(t, p, step);
}

static int write_target(struct stateful_sync *s, const struct stateful *p, const struct stateful_step *step)
{
	struct stateful_target *t = &s->targets[s->n_targets++];
	struct xb_arena *a = s->w->arena;

	t->s = s;
	t->name = xb_arena_printf(a, "%s-%lld", s->w->name, (long long)step->ordinal);
	if (xb_jv_is(step->pod))
		t->uid = xb_arena_strn(a, xb_jv_meta(step->pod, "uid"));
	if (!t->name || (xb_jv_is(step->pod) && !t->uid))
		return -ENOMEM;
	return step->act == STATEFUL_DELETE ? 0 : write_pod(t, p, step);
}

/* --- claims --- */
static int on_claim(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct claim_request *c = arg;
	struct stateful_target *t = c->target;
	bool made = !xb_jv_is(c->of);
	int r = xb_calls_error(code, status);

	if (!r && made)
		tell_claim(c, NULL);
	if (!r)
		return 0;
	if (kcm_is_terminating(status)) {
		t->failed = t->s->terminating = true;
		return 0;
	}
	if (is_unknown(code, r)) {
		fail(t, -ESTALE, NULL);
		return 0;
	}
	if (made)
		tell_claim(c, message_of(status));
	fail(t, r, xb_arena_printf(t->s->w->arena, made ? "failed to create PVC %s: %s" :
				   "could not update claim %s for delete policy ownerRefs: %s", c->name, message_of(status)));
	return 0;
}

static void ask_claims(struct stateful_target *t)
{
	for (size_t i = 0; i < t->n_claims; i++) {
		struct claim_request *c = &t->claims[i];
		struct kcm_request q = { .method = "POST", .kind = t->s->l->claim_kind, .type = KCM_JSON, .body = c->body };

		if (xb_jv_is(c->of)) {
			q.method = "PUT";
			q.name = c->name;
			q.of = c->of;
		}
		if (kcm_work_ask(t->s->w, &q, on_claim, c))
			fail(t, -ENOMEM, NULL);
	}
}

/* --- pods are made, after their claims --- */
static void next_batch(struct stateful_sync *s);

static void give_up_creation(struct stateful_sync *s)
{
	xb_expectations_created(s->l->expectations, s->w->key);
}

static int on_pod_made(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct stateful_target *t = arg;
	int r = xb_calls_error(code, status);

	if (!r) {
		tell_pod(t, "Create", NULL);
		return 0;
	}
	give_up_creation(t->s);
	if (kcm_is_terminating(status)) {
		/* whatever is made in a namespace that goes would go as well */
		t->s->terminating = true;
	} else if (is_unknown(code, r)) {
		fail(t, -ESTALE, NULL);
	} else {
		tell_pod(t, "Create", message_of(status));
		fail(t, r, message_of(status));
	}
	return 0;
}

/* Batches double while all goes well: should creating not work at all, one request finds out. */
static void on_pods(struct kcm_work *w, int error)
{
	struct stateful_sync *s = w->state;

	if (error && !s->error)
		s->error = error;
	s->first += s->batch;
	s->batch = MIN(s->batch * 2, s->n_targets - s->first);
	if (s->error || s->terminating) {
		for (size_t i = s->first; i < s->n_targets; i++)
			give_up_creation(s);
		stateful_tell(s, s->error);
	} else if (s->batch) {
		next_batch(s);
	} else {
		stateful_await(s);
	}
}

static void make_pod(struct stateful_target *t)
{
	struct kcm_request q = { .method = "POST", .kind = t->s->l->pod_kind, .type = KCM_JSON, .body = t->body };

	if (t->trouble)
		tell_pod(t, "Create", t->trouble);
	if (t->trouble && !t->failed)
		fail(t, -EBUSY, t->trouble);
	if (t->failed || kcm_work_ask(t->s->w, &q, on_pod_made, t))
		give_up_creation(t->s);
}

static void on_claims(struct kcm_work *w, int error)
{
	struct stateful_sync *s = w->state;

	if (error && !s->error)
		s->error = error;
	kcm_work_round(w, on_pods);
	for (size_t i = s->first; i < s->first + s->batch; i++)
		make_pod(&s->targets[i]);
	kcm_work_go(w);
}

static void next_batch(struct stateful_sync *s)
{
	kcm_work_round(s->w, on_claims);
	for (size_t i = s->first; i < s->first + s->batch; i++)
		if (!s->targets[i].trouble)
			ask_claims(&s->targets[i]);
	kcm_work_go(s->w);
}

static int make_all(struct stateful_sync *s)
{
	int r = xb_expectations_creations(s->l->expectations, s->w->key, (unsigned)s->n_targets);

	if (r)
		return r;
	s->batch = 1;
	next_batch(s);
	return 0;
}

/* --- pods are deleted --- */
static int on_deleted(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct stateful_target *t = arg;
	int r = xb_calls_error(code, status);

	if (!r) {
		tell_pod(t, "Delete", NULL);
		return 0;
	}
	xb_expectations_deleted(t->s->l->expectations, t->s->w->key, xb_sv(t->uid));
	if (is_unknown(code, r)) {
		fail(t, -ESTALE, NULL);
	} else {
		tell_pod(t, "Delete", message_of(status));
		fail(t, r, message_of(status));
	}
	return 0;
}

static void on_deletions(struct kcm_work *w, int error)
{
	struct stateful_sync *s = w->state;

	if (error && !s->error)
		s->error = error;
	if (s->error == -ESTALE)
		kcm_work_done(w, s->error);
	else if (s->error)
		stateful_tell(s, s->error);
	else
		stateful_await(s);
}

static int expect_deletions(struct stateful_sync *s)
{
	_cleanup_free_ struct xb_sv *uids = calloc(s->n_targets + 1, sizeof(*uids));

	for (size_t i = 0; uids && i < s->n_targets; i++)
		uids[i] = xb_sv(s->targets[i].uid);
	return uids ? xb_expectations_deletions(s->l->expectations, s->w->key, uids, s->n_targets) : -ENOMEM;
}

static int ask_deletions(struct stateful_sync *s)
{
	int r = expect_deletions(s);

	for (size_t i = 0; i < s->n_targets && !r; i++) {
		struct stateful_target *t = &s->targets[i];
		struct kcm_request q = { .method = "DELETE", .kind = s->l->pod_kind, .name = t->name, .type = KCM_JSON };
		char body[BODY_MAX];

		snprintf(body, sizeof(body), "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"preconditions\":{\"uid\":\"%s\"}}", t->uid);
		q.body = xb_sv(body);
		if (kcm_work_ask(s->w, &q, on_deleted, t))
			xb_expectations_deleted(s->l->expectations, s->w->key, xb_sv(t->uid));
	}
	return r;
}

/* What the set asks for may be older than what its pods are by: then it is not that which they are deleted for. */
static int on_reread(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct stateful_sync *s = arg;
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	int64_t seen = 0, fresh = 0;
	int r = code == 404 ? -ESTALE : xb_calls_error(code, status);

	if (!r)
		r = xb_json_parse(body, NULL, &doc, NULL);
	if (r)
		return r;
	xb_jv_i64(xb_jv_path(s->set, "metadata", "generation"), &seen);
	xb_jv_i64(xb_jv_path(xb_json_root(doc), "metadata", "generation"), &fresh);
	if (!xb_sv_is(xb_jv_meta(xb_json_root(doc), "uid"), s->uid) || seen != fresh || pods_deleting(xb_json_root(doc)))
		return -ESTALE;
	return ask_deletions(s);
}

static void delete_all(struct stateful_sync *s, bool over)
{
	kcm_work_round(s->w, on_deletions);
	if (!over)
		kcm_work_ask(s->w, &(struct kcm_request){ .method = "GET", .kind = s->l->kind, .name = s->w->name }, on_reread, s);
	else if (ask_deletions(s))
		s->error = -ENOMEM;
	kcm_work_go(s->w);
}

/* --- what is put right --- */
static int on_patched(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct stateful_target *t = arg;
	int r = xb_calls_error(code, status);

	if (r && is_unknown(code, r))
		fail(t, -ESTALE, NULL);
	else if (r)
		fail(t, r, message_of(status));
	return 0;
}

static void on_fixed(struct kcm_work *w, int error)
{
	struct stateful_sync *s = w->state;

	for (size_t i = 0; i < s->n_targets; i++) {
		const struct stateful_target *t = &s->targets[i];

		if (t->trouble || (!t->failed && !t->quiet))
			tell_pod(t, "Update", t->trouble);
	}
	if (error && !s->error)
		s->error = error;
	if (s->error && s->error != -ESTALE)
		stateful_tell(s, s->error);
	else
		kcm_work_done(w, s->error);
}

static void fix_all(struct stateful_sync *s)
{
	kcm_work_round(s->w, on_fixed);
	for (size_t i = 0; i < s->n_targets; i++) {
		struct stateful_target *t = &s->targets[i];
		struct kcm_request q = { .method = "PATCH", .kind = s->l->pod_kind, .name = t->name, .type = KCM_STRATEGIC, .body = t->body };

		ask_claims(t);
		if (t->body.n && kcm_work_ask(s->w, &q, on_patched, t))
			fail(t, -ENOMEM, NULL);
	}
	kcm_work_go(s->w);
}

void stateful_do(struct stateful_sync *s, const struct stateful *p)
{
	enum stateful_act act = p->steps.v[0].act;
	bool over = true;
	int r = new_targets(s, p->steps.n);

	for (size_t i = 0; i < p->steps.n && !r; i++) {
		r = write_target(s, p, &p->steps.v[i]);
		over &= p->steps.v[i].over;
	}
	if (!r)
		r = stateful_hold(s);
	if (!r && act == STATEFUL_CREATE)
		r = make_all(s);
	if (r)
		kcm_work_done(s->w, r);
	else if (act == STATEFUL_DELETE)
		delete_all(s, over);
	else if (act == STATEFUL_FIX)
		fix_all(s);
}
