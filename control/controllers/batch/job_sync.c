/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../claims.h"
#include "job.h"
#include "../pods.h"
#include "../recount.h"
#include "xb/selector.h"
#include "xb/time.h"
#include "xb/work_queue.h"

struct sync {
	struct kcm_work *w;
	struct jobs *l;
	struct xb_jv job;
	struct xb_sv version;           /* of the job as it is by now */
	int64_t now;
	struct job_plan plan;
	struct job_template template;
	size_t created, batch;
	int error;                      /* of pods that could not be made or deleted */
};
struct pods {                           /* views */
	XB_VEC(struct xb_jv) own, adopt, release;
};
struct target {                         /* a pod that a request is about */
	struct sync *s;
	struct xb_jv pod;
};

static void tell(const struct sync *s, enum xb_event_type type, const char *reason, const char *what, const char *of)
{
	struct xb_event e = { .component = JOB_COMPONENT, .kind = s->l->kind, .object = s->job, .type = type, .reason = reason };

	xb_recorder_event(s->l->kcm->recorder, &e, "%s%s%s", what, of ? ": " : "", of ? of : "");
}

static const char *message_of(const struct xb_status *status)
{
	return status && status->message ? status->message : "";
}

/* What was done shows in the copies soon, and brings the key again; should it never, the expectations' end does. */
static void await_events(struct kcm_work *w)
{
	const struct jobs *l = w->loop;

	xb_work_queue_add_after(kcm_queue_keys(l->queue), w->key, JOB_EXPIRE_MS + 1);
	kcm_work_done(w, 0);
}

/* --- what is remembered --- */
static struct job_memory *memory_of(const struct jobs *l, const char *key)
{
	return xb_map_get(l->memories, xb_sv(key));
}

static int remember(struct jobs *l, const char *key, struct xb_jv job)
{
	struct job_memory *m = memory_of(l, key);
	struct xb_sv uid = xb_jv_meta(job, "uid");

	if (m && xb_sv_is(uid, m->uid))
		return 0;
	job_forget(l, key);
	m = calloc(1, sizeof(*m));
	if (m)
		m->uid = xb_sv_dup(uid);
	if (m && m->uid && !xb_map_set(l->memories, xb_sv(key), m, NULL))
		return 0;
	if (m)
		free(m->uid);
	free(m);
	return -ENOMEM;
}

/* --- 4. the status after --- */
static int take_version(struct sync *s, struct xb_sv body)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct job_memory *m = memory_of(s->l, s->w->key);
	int r = xb_json_parse(body, NULL, &doc, NULL);

	if (r)
		return r;
	s->version = xb_arena_sv(s->w->arena, xb_jv_meta(xb_json_root(doc), "resourceVersion"));
	if (m) {
		m->backoff = s->plan.backoff;
		xb_sv_u64(s->version, &m->written);
	}
	return s->version.p ? 0 : -ENOMEM;
}

static int on_written(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	int r = xb_calls_error(code, status);

	return r ? r : take_version(arg, body);
}

static void write_status(struct sync *s, const struct job_status *status, void (*then)(struct kcm_work *w, int error))
{
	_cleanup_buf_ struct xb_buf patch = {};
	struct kcm_request q = {
		.method = "PUT", .kind = s->l->kind, .name = s->w->name, .sub = "status", .type = KCM_JSON, .of = s->job,
	};

	job_status_patch(s->job, s->version, status, s->now, &patch);
	q.body = xb_buf_sv(&patch);
	kcm_work_round(s->w, then);
	if (!patch.err)
		kcm_work_ask(s->w, &q, on_written, s);
	kcm_work_go(s->w);
}

static void finish(struct sync *s, int error)
{
	struct job_memory *m = memory_of(s->l, s->w->key);

	if (!error && m && !m->backoff.known)
		m->backoff = s->plan.backoff;
	if (!error && s->plan.again_us)
		kcm_queue_add_after(s->l->queue, s->job, (s->plan.again_us - s->now) / 1000 + 1);
	/* a job that is gone wants nothing more */
	if (error == -ENOENT)
		error = 0;
	kcm_work_done(s->w, error ? error : s->error);
}

static void on_after(struct kcm_work *w, int error)
{
	struct sync *s = w->state;

	if (!error && s->plan.event)
		tell(s, s->plan.failed ? XB_EVENT_WARNING : XB_EVENT_NORMAL, s->plan.event, s->plan.event_message, NULL);
	finish(s, error);
}

static void step_after(struct sync *s)
{
	if (s->plan.write_after)
		write_status(s, &s->plan.after, on_after);
	else
		finish(s, 0);
}

/* --- 3. finalizers --- */
static int on_let_go(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	const struct target *t = arg;
	int r = code == 404 || code == 409 ? 0 : xb_calls_error(code, status);

	/* of a pod that is gone there may be no event any more */
	if (r || code == 404 || code == 409)
		xb_expectations_deleted(t->s->l->finalizers_gone, t->s->w->key, xb_jv_meta(t->pod, "uid"));
	return r;
}

static int remove_finalizer(struct target *t, int (*answered)(void *arg, int code, struct xb_sv body, const struct xb_status *status))
{
	_cleanup_buf_ struct xb_buf patch = {};
	_cleanup_free_ char *name = xb_sv_dup(xb_jv_meta(t->pod, "name"));
	struct kcm_request q = { .method = "PATCH", .kind = t->s->l->pod_kind, .name = name, .type = KCM_STRATEGIC };

	claims_finalizer_patch(xb_jv_meta(t->pod, "uid"), JOB_TRACKING, &patch);
	q.body = xb_buf_sv(&patch);
	return name && !patch.err ? kcm_work_ask(t->s->w, &q, answered, t) : -ENOMEM;
}

static int expect_gone(struct sync *s, struct xb_expectations *e, const struct xb_jv *pods, size_t n)
{
	_cleanup_free_ struct xb_sv *uids = calloc(n + 1, sizeof(*uids));

	for (size_t i = 0; uids && i < n; i++)
		uids[i] = xb_jv_meta(pods[i], "uid");
	return uids ? xb_expectations_deletions(e, s->w->key, uids, n) : -ENOMEM;
}

static struct target *targets_of(struct sync *s, const struct xb_jv *pods, size_t n)
{
	struct target *t = xb_arena_alloc(s->w->arena, (n + 1) * sizeof(*t));

	for (size_t i = 0; t && i < n; i++)
		t[i] = (struct target){ s, pods[i] };
	return t;
}

static void on_all_let_go(struct kcm_work *w, int error)
{
	struct sync *s = w->state;

	if (error)
		finish(s, error);
	else
		step_after(s);
}

static void step_let_go(struct sync *s)
{
	struct target *t = targets_of(s, s->plan.let_go, s->plan.n_let_go);

	if (!s->plan.n_let_go) {
		step_after(s);
		return;
	}
	if (!t || expect_gone(s, s->l->finalizers_gone, s->plan.let_go, s->plan.n_let_go)) {
		finish(s, -ENOMEM);
		return;
	}
	kcm_work_round(s->w, on_all_let_go);
	for (size_t i = 0; i < s->plan.n_let_go; i++)
		if (remove_finalizer(&t[i], on_let_go))
			xb_expectations_deleted(s->l->finalizers_gone, s->w->key, xb_jv_meta(t[i].pod, "uid"));
	kcm_work_go(s->w);
}

/* --- 2. the status before --- */
static void on_before(struct kcm_work *w, int error)
{
	struct sync *s = w->state;

	if (error) {
		finish(s, error);
		return;
	}
	if (s->plan.suspension)
		tell(s, XB_EVENT_NORMAL, s->plan.suspension, xb_sv_is(xb_sv(s->plan.suspension), "Resumed") ? "Job resumed" : "Job suspended", NULL);
	step_let_go(s);
}

static void step_before(struct sync *s)
{
	if (s->plan.write_before)
		write_status(s, &s->plan.before, on_before);
	else
		step_let_go(s);
}

/* --- 1. pods are made --- */
static void give_up_creations(struct sync *s, size_t n)
{
	s->plan.before.active -= (int64_t)n;
	s->plan.after.active -= (int64_t)n;
	while (n--)
		xb_expectations_created(s->l->pods_changed, s->w->key);
}

static int on_created(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct sync *s = arg;
	_cleanup_(xb_json_unrefp) struct xb_json *pod = NULL;
	_cleanup_free_ char *name = NULL;
	int r = xb_calls_error(code, status);

	if (!r && !xb_json_parse(body, NULL, &pod, NULL)) {
		name = xb_sv_dup(xb_jv_meta(xb_json_root(pod), "name"));
		tell(s, XB_EVENT_NORMAL, "SuccessfulCreate", "Created pod", name ? name : "");
	}
	if (!r)
		return 0;
	if (xb_calls_unknown(code))
		xb_expectations_doubt(s->l->pods_changed, s->w->key);
	else
		give_up_creations(s, 1);
	if (kcm_is_terminating(status))
		return 0;
	tell(s, XB_EVENT_WARNING, "FailedCreate", "Error creating", message_of(status));
	return r;
}

static void next_batch(struct sync *s);

/* Batches double while all goes well: should creating not work at all, one request finds out. */
static void on_batch(struct kcm_work *w, int error)
{
	struct sync *s = w->state;

	if (error) {
		give_up_creations(s, s->plan.n_create - s->created);
		s->error = error;
	}
	if (!error && s->created < s->plan.n_create) {
		s->batch *= 2;
		next_batch(s);
	} else {
		step_before(s);
	}
}

static void next_batch(struct sync *s)
{
	size_t end = MIN(s->created + s->batch, s->plan.n_create);
	_cleanup_buf_ struct xb_buf body = {};

	kcm_work_round(s->w, on_batch);
	for (; s->created < end; s->created++) {
		const struct job_pod *before = s->plan.replaced[s->created];
		struct kcm_request q = { .method = "POST", .kind = s->l->pod_kind, .type = KCM_JSON };
		int r = job_template_body(&s->template, s->plan.create[s->created], before, &body);

		q.body = xb_buf_sv(&body);
		if (r || kcm_work_ask(s->w, &q, on_created, s))
			give_up_creations(s, 1);
	}
	kcm_work_go(s->w);
}

static void create(struct sync *s)
{
	int r = job_template_new(s->w->arena, s->l->kind, s->job, &s->plan.spec, &s->template);

	if (!r)
		r = xb_expectations_creations(s->l->pods_changed, s->w->key, (unsigned)s->plan.n_create);
	s->batch = 1;
	if (r)
		finish(s, r);
	else
		next_batch(s);
}

/* --- 1. pods are deleted --- */
static int on_deleted(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct target *t = arg;
	struct sync *s = t->s;
	_cleanup_free_ char *name = xb_sv_dup(xb_jv_meta(t->pod, "name"));
	int r = xb_calls_error(code, status);

	if (!r) {
		tell(s, XB_EVENT_NORMAL, "SuccessfulDelete", "Deleted pod", name ? name : "");
		return 0;
	}
	if (xb_calls_unknown(code))
		xb_expectations_doubt(s->l->pods_changed, s->w->key);
	else
		xb_expectations_deleted(s->l->pods_changed, s->w->key, xb_jv_meta(t->pod, "uid"));
	if (code == 404 || code == 409)
		return 0;
	tell(s, XB_EVENT_WARNING, "FailedDelete", "Error deleting", message_of(status));
	return r;
}

static int ask_deletion(struct target *t)
{
	_cleanup_buf_ struct xb_buf body = {};
	_cleanup_free_ char *name = xb_sv_dup(xb_jv_meta(t->pod, "name"));
	struct kcm_request q = { .method = "DELETE", .kind = t->s->l->pod_kind, .name = name, .type = KCM_JSON };

	xb_buf_addf(&body, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"preconditions\":{\"uid\":\"%.*s\"}}",
		    XB_SV_ARG(xb_jv_meta(t->pod, "uid")));
	q.body = xb_buf_sv(&body);
	return name && !body.err ? kcm_work_ask(t->s->w, &q, on_deleted, t) : -ENOMEM;
}

/* Without the finalizer its end counts as nothing. */
static int on_uncounted(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct target *t = arg;
	int r = code == 404 || code == 409 ? -ENOENT : xb_calls_error(code, status);

	if (!r)
		r = ask_deletion(t);
	if (r)
		xb_expectations_deleted(t->s->l->pods_changed, t->s->w->key, xb_jv_meta(t->pod, "uid"));
	return r == -ENOENT ? 0 : r;
}

static void on_deletions(struct kcm_work *w, int error)
{
	if (error)
		finish(w->state, error);
	else
		step_before(w->state);
}

static void delete(struct sync *s)
{
	struct target *t = targets_of(s, s->plan.delete, s->plan.n_delete);

	if (!t || expect_gone(s, s->l->pods_changed, s->plan.delete, s->plan.n_delete)) {
		finish(s, -ENOMEM);
		return;
	}
	kcm_work_round(s->w, on_deletions);
	for (size_t i = 0; i < s->plan.n_delete; i++) {
		bool first = s->plan.uncounted && job_tracks(t[i].pod);

		if (first ? remove_finalizer(&t[i], on_uncounted) : ask_deletion(&t[i]))
			xb_expectations_deleted(s->l->pods_changed, s->w->key, xb_jv_meta(t[i].pod, "uid"));
	}
	kcm_work_go(s->w);
}

/* --- one job --- */
static int hold_all(struct kcm_work *w, const struct xb_jv *pods, size_t n)
{
	int r = 0;

	for (size_t i = 0; !r && i < n; i++)
		r = kcm_work_hold(w, pods[i]);
	return r;
}

/* What the steps need is views of documents, which may leave the copy between them. */
static int hold(const struct sync *s)
{
	const struct job_plan *p = &s->plan;
	int r = kcm_work_hold(s->w, s->job);

	if (!r)
		r = hold_all(s->w, p->delete, p->n_delete);
	if (!r)
		r = hold_all(s->w, p->let_go, p->n_let_go);
	for (size_t i = 0; !r && i < p->n_create; i++)
		if (p->replaced[i])
			r = kcm_work_hold(s->w, p->replaced[i]->pod);
	return r;
}

static void carry_out(struct sync *s, const struct pods *p)
{
	int r;

	s->now = xb_time_now();
	s->version = xb_jv_meta(s->job, "resourceVersion");
	r = job_plan_make(s->w->arena, s->job, p->own.v, p->own.n, &memory_of(s->l, s->w->key)->backoff, s->now, &s->plan);
	if (!r)
		r = hold(s);
	if (r)
		kcm_work_done(s->w, r);
	else if (s->plan.n_delete)
		delete(s);
	else if (s->plan.n_create)
		create(s);
	else
		step_before(s);
}

/* --- which pods are a job's --- */
static void pods_done(struct pods *p)
{
	xb_vec_done(&p->own);
	xb_vec_done(&p->adopt);
	xb_vec_done(&p->release);
}

static int gather(const struct jobs *l, struct xb_jv job, const struct xb_selector *selector, struct pods *ret)
{
	_cleanup_buf_ struct xb_buf orphans = {};
	int r = 0;

	xb_buf_addf(&orphans, "%.*s/", XB_SV_ARG(xb_jv_meta(job, "namespace")));
	for (struct xb_index_it it = {}; !r && xb_index_next(l->pods_by_controller, xb_jv_meta(job, "uid"), &it);)
		if (xb_selector_matches(selector, xb_jv_path(it.object, "metadata", "labels")))
			r = xb_vec_push(&ret->own, it.object);
		else if (!pods_deleting(it.object))
			r = xb_vec_push(&ret->release, it.object);
	for (struct xb_index_it it = {}; !r && !pods_deleting(job) && xb_index_next(l->pods_by_controller, xb_buf_sv(&orphans), &it);)
		if (pods_active(it.object) && xb_selector_matches(selector, xb_jv_path(it.object, "metadata", "labels")))
			r = xb_vec_push(&ret->adopt, it.object);
	return r;
}

static void start_claims(struct sync *s, const struct pods *p)
{
	struct claims c = {
		.kind = s->l->pod_kind, .owner_kind = s->l->kind, .owner = s->job, .finalizer = JOB_TRACKING,
		.adopt = p->adopt.v, .n_adopt = p->adopt.n, .release = p->release.v, .n_release = p->release.n,
	};
	int r = claims_begin(s->w, &c, kcm_work_done);

	if (r)
		kcm_work_done(s->w, r);
}

static void work_on(struct kcm_work *w, struct xb_jv job)
{
	struct jobs *l = w->loop;
	_cleanup_(xb_selector_freep) struct xb_selector *selector = NULL;
	_cleanup_(pods_done) struct pods p = {};
	struct sync *s = w->state = xb_arena_alloc(w->arena, sizeof(*s));
	int r = s ? xb_selector_from_label_selector(xb_jv_path(job, "spec", "selector"), &selector, NULL) : -ENOMEM;

	if (!r && selector)
		r = gather(l, job, selector, &p);
	if (r || !selector) {
		kcm_work_done(w, r);
		return;
	}
	*s = (struct sync){ .w = w, .l = l, .job = job };
	if (p.adopt.n || p.release.n)
		start_claims(s, &p);
	else
		carry_out(s, &p);
}

static void on_recounted(struct kcm_work *w, int error)
{
	kcm_work_done(w, error ? error : -EAGAIN);
}

static void start_recount(struct kcm_work *w, struct xb_jv job)
{
	struct jobs *l = w->loop;
	_cleanup_(xb_selector_freep) struct xb_selector *selector = NULL;
	struct recount c = { .pod_kind = l->pod_kind, .pods = l->pods, .expectations = l->pods_changed, .owner = job };
	int r = xb_selector_from_label_selector(xb_jv_path(job, "spec", "selector"), &selector, NULL);

	c.selector = selector;
	if (!r)
		r = recount_begin(w, &c, on_recounted);
	if (r)
		kcm_work_done(w, r);
}

static bool is_stale(const struct jobs *l, const char *key, struct xb_jv job)
{
	uint64_t version;

	return !xb_sv_u64(xb_jv_meta(job, "resourceVersion"), &version) && version < memory_of(l, key)->written;
}

void job_sync(struct kcm_work *w)
{
	struct jobs *l = w->loop;
	struct xb_jv job = xb_informer_get(l->jobs, w->namespace_, w->name);
	int r;

	if (!xb_jv_is(job) || job_is_over(job) || job_is_elsewhere(job)) {
		job_forget(l, w->key);
		kcm_work_done(w, 0);
		return;
	}
	r = remember(l, w->key, job);
	if (r)
		kcm_work_done(w, r);
	else if (xb_expectations_doubted(l->pods_changed, w->key))
		start_recount(w, job);
	else if (is_stale(l, w->key, job) || !xb_expectations_met(l->pods_changed, w->key) ||
		 !xb_expectations_met(l->finalizers_gone, w->key))
		await_events(w);
	else
		work_on(w, job);
}
