/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* CronJobs: a Job at each time of a schedule (upstream's pkg/controller/cronjob, v2). */
#include <time.h>
#include "cronjob_schedule.h"
#include "job_pods.h"
#include "../loops.h"
#include "../pods.h"
#include "../work.h"
#include "xb/time.h"

#define COMPONENT "cronjob-controller"
#define SCHEDULED "batch.kubernetes.io/cronjob-scheduled-timestamp"

struct crons {
	struct kcm *kcm;
	const struct xb_kind *kind, *job_kind;
	struct xb_informer *crons, *jobs;
	struct xb_index *jobs_by_controller;
	struct kcm_queue *queue;
};
struct active {                         /* an entry of status.active */
	struct xb_sv json, uid;
	const char *name;
	bool there;                     /* its job is in the copy, or still served */
};
struct sync {
	struct kcm_work *w;
	struct crons *l;
	struct xb_jv cron;              /* held */
	int64_t now;                    /* seconds */
	struct xb_jv *jobs, *delete;    /* held */
	size_t n_jobs, n_delete;
	struct active *active;
	size_t n_active;
	int64_t scheduled, succeeded_us; /* of the status to write; 0: as it is */
	int64_t at;                     /* the time of the job to make; 0: none */
	const char *job_name, *job_time;
	bool changed;                   /* the status */
	int error;
};
struct target {
	struct sync *s;
	size_t i;
};

static void tell(const struct sync *s, enum xb_event_type type, const char *reason, const char *message)
{
	struct xb_event e = { .component = COMPONENT, .kind = s->l->kind, .object = s->cron, .type = type, .reason = reason };

	xb_recorder_event(s->l->kcm->recorder, &e, "%s", message ? message : "");
}

static void *array(struct sync *s, size_t n, size_t size)
{
	return xb_arena_alloc(s->w->arena, (n + 1) * size);
}

/* --- the status --- */
static void finish(struct kcm_work *w, int error)
{
	const struct sync *s = w->state;

	kcm_work_done(w, error == -ENOENT ? 0 : error ? error : s->error);
}

static void write_status(struct sync *s)
{
	_cleanup_buf_ struct xb_buf patch = {};
	struct kcm_request q = {
		.method = "PUT", .kind = s->l->kind, .name = s->w->name, .sub = "status", .type = KCM_JSON, .of = s->cron,
	};
	struct xb_jw w = XB_JW(&patch);

	xb_jw_object(&w);
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_ksv(&w, "uid", xb_jv_meta(s->cron, "uid"));
	xb_jw_ksv(&w, "resourceVersion", xb_jv_meta(s->cron, "resourceVersion"));
	xb_jw_end(&w);
	xb_jw_key(&w, "status");
	xb_jw_object(&w);
	xb_jw_key(&w, "active");
	if (s->n_active)
		xb_jw_array(&w);
	else
		xb_jw_null(&w);
	for (size_t i = 0; i < s->n_active; i++)
		xb_jw_raw(&w, s->active[i].json);
	if (s->n_active)
		xb_jw_end(&w);
	if (s->scheduled)
		xb_jw_kstr(&w, "lastScheduleTime", xb_time_format(s->scheduled * 1000000).s);
	if (s->succeeded_us)
		xb_jw_kstr(&w, "lastSuccessfulTime", xb_time_format(s->succeeded_us).s);
	xb_jw_end(&w);
	xb_jw_end(&w);
	q.body = xb_jw_finish(&w) < 0 ? (struct xb_sv){} : xb_buf_sv(&patch);
	kcm_work_round(s->w, finish);
	kcm_work_ask(s->w, &q, NULL, NULL);
	kcm_work_go(s->w);
}

static void step_status(struct sync *s)
{
	if (s->changed)
		write_status(s);
	else
		finish(s->w, 0);
}

static void forget_active(struct sync *s, size_t i)
{
	memmove(&s->active[i], &s->active[i + 1], (--s->n_active - i) * sizeof(*s->active));
	s->changed = true;
}

static size_t find_active(const struct sync *s, struct xb_sv uid)
{
	size_t i = 0;

	while (i < s->n_active && !xb_sv_eq(s->active[i].uid, uid))
		i++;
	return i;
}

/* --- a job is made --- */
static int add_active(struct sync *s, struct xb_jv job)
{
	_cleanup_buf_ struct xb_buf ref = {};
	struct xb_jw w = XB_JW(&ref);

	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", "Job");
	xb_jw_kstr(&w, "namespace", s->w->namespace_);
	xb_jw_kstr(&w, "name", s->job_name);
	xb_jw_ksv(&w, "uid", xb_jv_meta(job, "uid"));
	xb_jw_kstr(&w, "apiVersion", "batch/v1");
	xb_jw_ksv(&w, "resourceVersion", xb_jv_meta(job, "resourceVersion"));
	xb_jw_end(&w);
	s->active[s->n_active] = (struct active){ .json = xb_arena_sv(s->w->arena, xb_buf_sv(&ref)) };
	if (xb_jw_finish(&w) || !s->active[s->n_active].json.p)
		return -ENOMEM;
	s->n_active++;
	s->scheduled = s->at;
	s->changed = true;
	return 0;
}

static int on_created(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct sync *s = arg;
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	int r = xb_calls_error(code, status);

	if (!r)
		r = xb_json_parse(body, NULL, &doc, NULL);
	if (!r) {
		tell(s, XB_EVENT_NORMAL, "SuccessfulCreate", xb_arena_printf(s->w->arena, "Created job %s", s->job_name));
		return add_active(s, xb_json_root(doc));
	}
	if (r != -EEXIST && !kcm_is_terminating(status))
		tell(s, XB_EVENT_WARNING, "FailedCreate",
		     xb_arena_printf(s->w->arena, "Error creating job: %s", status && status->message ? status->message : ""));
	return r;
}

/* It was made before, and the process died before the status said so. */
static int on_existing(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct sync *s = arg;
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	int r = xb_calls_error(code, status);

	if (!r)
		r = xb_json_parse(body, NULL, &doc, NULL);
	if (r)
		return r;
	if (xb_sv_eq(xb_owner_uid(xb_json_root(doc)), xb_jv_meta(s->cron, "uid")) && !job_is_over(xb_json_root(doc)) &&
	    find_active(s, xb_jv_meta(xb_json_root(doc), "uid")) == s->n_active)
		return add_active(s, xb_json_root(doc));
	s->scheduled = s->at;
	s->changed = true;
	return 0;
}

static void on_made(struct kcm_work *w, int error)
{
	struct sync *s = w->state;

	s->error = error;
	step_status(s);
}

static void on_creation(struct kcm_work *w, int error)
{
	struct sync *s = w->state;

	if (error != -EEXIST) {
		on_made(w, error);
		return;
	}
	kcm_work_round(w, on_made);
	kcm_work_ask(w, &(struct kcm_request){ .method = "GET", .kind = s->l->job_kind, .name = s->job_name }, on_existing, s);
	kcm_work_go(w);
}

static void write_annotations(const struct sync *s, struct xb_jv template, struct xb_jw *w)
{
	xb_jw_key(w, "annotations");
	xb_jw_object(w);
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(template, "metadata", "annotations")); xb_jit_next(&it);) {
		if (xb_sv_is(it.key, SCHEDULED))
			continue;
		xb_jw_keysv(w, it.key);
		xb_jw_raw(w, xb_jv_bytes(it.value));
	}
	xb_jw_kstr(w, SCHEDULED, s->job_time);
	xb_jw_end(w);
}

static int write_job(const struct sync *s, struct xb_buf *out)
{
	struct xb_jv template = xb_jv_path(s->cron, "spec", "jobTemplate"), labels = xb_jv_path(template, "metadata", "labels");
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_kstr(&w, "name", s->job_name);
	if (xb_jv_is(labels)) {
		xb_jw_key(&w, "labels");
		xb_jw_raw(&w, xb_jv_bytes(labels));
	}
	write_annotations(s, template, &w);
	xb_jw_key(&w, "ownerReferences");
	xb_jw_array(&w);
	xb_owner_write(&w, s->l->kind, s->cron);
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_jw_key(&w, "spec");
	xb_jw_raw(&w, xb_jv_bytes(xb_jv_get(template, "spec")));
	xb_jw_end(&w);
	return xb_jw_finish(&w);
}

static void step_create(struct sync *s)
{
	_cleanup_buf_ struct xb_buf body = {};
	struct kcm_request q = { .method = "POST", .kind = s->l->job_kind, .type = KCM_JSON };
	int r = s->at ? write_job(s, &body) : 0;

	q.body = xb_buf_sv(&body);
	if (r) {
		on_made(s->w, r);
	} else if (!s->at) {
		step_status(s);
	} else {
		kcm_work_round(s->w, on_creation);
		kcm_work_ask(s->w, &q, on_created, s);
		kcm_work_go(s->w);
	}
}

/* --- jobs are deleted: old ones, and those that are replaced --- */
static int on_deleted(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	const struct target *t = arg;
	struct sync *s = t->s;
	struct xb_sv name = xb_jv_meta(s->delete[t->i], "name");
	int r = code == 404 || code == 409 ? 0 : xb_calls_error(code, status);
	size_t i = find_active(s, xb_jv_meta(s->delete[t->i], "uid"));

	if (r)
		tell(s, XB_EVENT_WARNING, "FailedDelete",
		     xb_arena_printf(s->w->arena, "Deleted job: %s", status && status->message ? status->message : ""));
	else
		tell(s, XB_EVENT_NORMAL, "SuccessfulDelete", xb_arena_printf(s->w->arena, "Deleted job %.*s", XB_SV_ARG(name)));
	if (!r && i < s->n_active)
		forget_active(s, i);
	return r;
}

static void on_deletions(struct kcm_work *w, int error)
{
	if (error)
		on_made(w, error);
	else
		step_create(w->state);
}

static void step_delete(struct sync *s)
{
	struct target *t = array(s, s->n_delete, sizeof(*t));

	if (!s->n_delete || !t) {
		step_create(s);
		return;
	}
	kcm_work_round(s->w, on_deletions);
	for (size_t i = 0; i < s->n_delete; i++) {
		_cleanup_buf_ struct xb_buf options = {};
		_cleanup_free_ char *name = xb_sv_dup(xb_jv_meta(s->delete[i], "name"));
		struct kcm_request q = { .method = "DELETE", .kind = s->l->job_kind, .name = name, .type = KCM_JSON };

		t[i] = (struct target){ s, i };
		xb_buf_addf(&options, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"propagationPolicy\":\"Background\",\"preconditions\":{\"uid\":\"%.*s\"}}",
			    XB_SV_ARG(xb_jv_meta(s->delete[i], "uid")));
		q.body = xb_buf_sv(&options);
		if (name && !options.err)
			kcm_work_ask(s->w, &q, on_deleted, &t[i]);
	}
	kcm_work_go(s->w);
}

static int by_start(const void *a, const void *b)
{
	int64_t x = pods_time(xb_jv_path(*(const struct xb_jv *)a, "status", "startTime"));
	int64_t y = pods_time(xb_jv_path(*(const struct xb_jv *)b, "status", "startTime"));

	return x != y ? (x > y) - (x < y) : xb_sv_cmp(xb_jv_meta(*(const struct xb_jv *)a, "name"), xb_jv_meta(*(const struct xb_jv *)b, "name"));
}

/* Of the jobs that ended so, the oldest beyond the limit. */
static void choose_old(struct sync *s, const char *condition, const char *limit)
{
	struct xb_jv *over = array(s, s->n_jobs, sizeof(*over));
	int64_t keep;
	size_t n = 0;

	if (!over || xb_jv_i64(xb_jv_path(s->cron, "spec", limit), &keep))
		return;
	for (size_t i = 0; i < s->n_jobs; i++)
		if (xb_jv_is(job_condition(s->jobs[i], condition)) && !pods_deleting(s->jobs[i]))
			over[n++] = s->jobs[i];
	qsort(over, n, sizeof(*over), by_start);
	for (size_t i = 0; i + (size_t)keep < n; i++)
		s->delete[s->n_delete++] = over[i];
}

/* --- is one due --- */
static bool may_start(struct sync *s)
{
	struct xb_jv policy = xb_jv_path(s->cron, "spec", "concurrencyPolicy");

	if (xb_jv_streq(policy, XB_SV("Forbid")) && s->n_active) {
		tell(s, XB_EVENT_NORMAL, "JobAlreadyActive",
		     "Not starting job because prior execution is running and concurrency policy is Forbid");
		return false;
	}
	if (!xb_jv_streq(policy, XB_SV("Replace")))
		return true;
	for (size_t i = 0; i < s->n_jobs; i++)
		if (find_active(s, xb_jv_meta(s->jobs[i], "uid")) < s->n_active)
			s->delete[s->n_delete++] = s->jobs[i];
	return true;
}

static bool is_active(const struct sync *s, const char *name)
{
	for (size_t i = 0; i < s->n_active; i++)
		if (!strcmp(s->active[i].name, name))
			return true;
	return false;
}

static const char *text_of(struct sync *s, int64_t at, const struct xb_zone *zone, const char *format, const char *colon)
{
	int64_t east = xb_zone_offset(zone, at), minutes = (east < 0 ? -east : east) / 60;
	time_t local = at + east;
	char text[64];
	struct tm tm;

	gmtime_r(&local, &tm);
	strftime(text, sizeof(text), format, &tm);
	if (!east && *colon)
		return xb_arena_printf(s->w->arena, "%sZ", text);
	return xb_arena_printf(s->w->arena, "%s%c%02d%s%02d", text, east < 0 ? '-' : '+', (int)(minutes / 60), colon, (int)(minutes % 60));
}

static void schedule(struct sync *s, const struct xb_cron *c, const struct xb_zone *zone)
{
	int64_t deadline = -1, last = pods_time(xb_jv_path(s->cron, "status", "lastScheduleTime")) / 1000000;
	int64_t since = last ? last : pods_time(xb_jv_path(s->cron, "metadata", "creationTimestamp")) / 1000000;
	struct cronjob_due due;

	xb_jv_i64(xb_jv_path(s->cron, "spec", "startingDeadlineSeconds"), &deadline);
	due = cronjob_due(c, zone, since, deadline, s->now);
	if (due.next)
		kcm_queue_add_after(s->l->queue, s->cron, (due.next - s->now) * 1000 + 100);
	if (due.too_many)
		tell(s, XB_EVENT_WARNING, "TooManyMissedTimes",
		     "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew");
	if (!due.at || due.at == last)
		return;
	s->job_name = xb_arena_printf(s->w->arena, "%s-%lld", s->w->name, (long long)(due.at / 60));
	s->job_time = text_of(s, due.at, zone, "%Y-%m-%dT%H:%M:%S", ":");
	if (deadline >= 0 && due.at + deadline < s->now)
		tell(s, XB_EVENT_WARNING, "MissSchedule",
		     xb_arena_printf(s->w->arena, "Missed scheduled time to start a job: %s", text_of(s, due.at, zone, "%a, %d %b %Y %H:%M:%S ", "")));
	else if (s->job_name && s->job_time && !is_active(s, s->job_name) && may_start(s))
		s->at = due.at;
}

static void look_at_schedule(struct sync *s)
{
	_cleanup_free_ char *text = xb_jv_dup(xb_jv_path(s->cron, "spec", "schedule"));
	_cleanup_free_ char *zone_name = xb_jv_dup(xb_jv_path(s->cron, "spec", "timeZone"));
	_cleanup_(xb_zone_freep) struct xb_zone *zone = NULL;
	_cleanup_buf_ struct xb_buf why = {};
	struct xb_cron c;

	if (zone_name && xb_zone_load(xb_sv(zone_name), &zone)) {
		tell(s, XB_EVENT_WARNING, "UnknownTimeZone",
		     xb_arena_printf(s->w->arena, "invalid timeZone: \"%s\": unknown time zone %s", zone_name, zone_name));
		return;
	}
	if (xb_jv_true(xb_jv_path(s->cron, "spec", "suspend")))
		return;
	if (xb_cron_parse(xb_sv(text), &c, &why)) {
		tell(s, XB_EVENT_WARNING, "UnparseableSchedule",
		     xb_arena_printf(s->w->arena, "unparseable schedule: \"%s\" : %s", text ? text : "", why.p ? why.p : ""));
		return;
	}
	if (c.zone.n && !zone && xb_zone_load(c.zone, &zone))
		return;
	schedule(s, &c, zone);
}

/* --- what became of its jobs --- */
static void see_job(struct sync *s, struct xb_jv job)
{
	bool complete = xb_jv_is(job_condition(job, "Complete")), over = job_is_over(job);
	int64_t before = MAX(pods_time(xb_jv_path(s->cron, "status", "lastSuccessfulTime")), s->succeeded_us);
	int64_t end = pods_time(xb_jv_path(job, "status", "completionTime"));
	struct xb_sv name = xb_jv_meta(job, "name");
	size_t i = find_active(s, xb_jv_meta(job, "uid"));

	if (i == s->n_active && !over)
		tell(s, XB_EVENT_WARNING, "UnexpectedJob",
		     xb_arena_printf(s->w->arena, "Saw a job that the controller did not create or forgot: %.*s", XB_SV_ARG(name)));
	if (i < s->n_active && over) {
		forget_active(s, i);
		tell(s, XB_EVENT_NORMAL, "SawCompletedJob", xb_arena_printf(s->w->arena, "Saw completed job: %.*s, condition: %s",
									    XB_SV_ARG(name), complete ? "Complete" : "Failed"));
	}
	if (complete && end > before) {
		s->succeeded_us = end;
		s->changed = true;
	}
}

static void decide(struct sync *s)
{
	for (size_t i = 0; i < s->n_jobs; i++)
		see_job(s, s->jobs[i]);
	for (size_t i = s->n_active; i-- > 0;) {
		if (s->active[i].there)
			continue;
		tell(s, XB_EVENT_NORMAL, "MissingJob", xb_arena_printf(s->w->arena, "Active job went missing: %s", s->active[i].name));
		forget_active(s, i);
	}
	if (!pods_deleting(s->cron))
		look_at_schedule(s);
	choose_old(s, "Complete", "successfulJobsHistoryLimit");
	choose_old(s, "Failed", "failedJobsHistoryLimit");
	step_delete(s);
}

/* --- the copies may be behind each other --- */
static int on_cron_reread(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	const struct sync *s = arg;
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	int r = xb_calls_error(code, status);

	if (!r)
		r = xb_json_parse(body, NULL, &doc, NULL);
	return r ? r : xb_sv_eq(xb_jv_meta(xb_json_root(doc), "resourceVersion"), xb_jv_meta(s->cron, "resourceVersion")) ? 0 : -ESTALE;
}

static int on_job_reread(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	const struct target *t = arg;

	t->s->active[t->i].there = code != 404;
	return code == 404 ? 0 : xb_calls_error(code, status);
}

static void on_reread(struct kcm_work *w, int error)
{
	if (error)
		kcm_work_done(w, error == -ENOENT ? 0 : error);
	else
		decide(w->state);
}

static void reread(struct sync *s)
{
	struct target *t = array(s, s->n_active, sizeof(*t));

	kcm_work_round(s->w, on_reread);
	kcm_work_ask(s->w, &(struct kcm_request){ .method = "GET", .kind = s->l->kind, .name = s->w->name }, on_cron_reread, s);
	for (size_t i = 0; t && i < s->n_active; i++) {
		t[i] = (struct target){ s, i };
		if (!s->active[i].there)
			kcm_work_ask(s->w, &(struct kcm_request){ .method = "GET", .kind = s->l->job_kind, .name = s->active[i].name },
				     on_job_reread, &t[i]);
	}
	kcm_work_go(s->w);
}

/* --- one CronJob --- */
static int gather(struct sync *s)
{
	struct xb_jv active = xb_jv_path(s->cron, "status", "active");
	size_t n = xb_index_count(s->l->jobs_by_controller, xb_jv_meta(s->cron, "uid"));
	int r = kcm_work_hold(s->w, s->cron);

	s->jobs = array(s, n, sizeof(*s->jobs));
	s->delete = array(s, 2 * n, sizeof(*s->delete));
	s->active = array(s, xb_jv_count(active) + 1, sizeof(*s->active));
	if (r || !s->jobs || !s->delete || !s->active)
		return -ENOMEM;
	for (struct xb_index_it it = {}; !r && xb_index_next(s->l->jobs_by_controller, xb_jv_meta(s->cron, "uid"), &it);) {
		s->jobs[s->n_jobs++] = it.object;
		r = kcm_work_hold(s->w, it.object);
	}
	for (struct xb_jit it = xb_jv_iter(active); !r && xb_jit_next(&it);) {
		struct active *a = &s->active[s->n_active++];

		*a = (struct active){ .json = xb_jv_bytes(it.value), .uid = xb_jv_text(xb_jv_get(it.value, "uid")) };
		a->name = xb_arena_strn(s->w->arena, xb_jv_text(xb_jv_get(it.value, "name")));
		for (size_t i = 0; i < s->n_jobs; i++)
			a->there |= xb_sv_eq(xb_jv_meta(s->jobs[i], "uid"), a->uid);
		r = a->name ? 0 : -ENOMEM;
	}
	return r;
}

static bool is_odd(const struct sync *s)
{
	for (size_t i = 0; i < s->n_active; i++)
		if (!s->active[i].there)
			return true;
	for (size_t i = 0; i < s->n_jobs; i++)
		if (!job_is_over(s->jobs[i]) && find_active(s, xb_jv_meta(s->jobs[i], "uid")) == s->n_active)
			return true;
	return false;
}

static void sync_cron(struct kcm_work *w)
{
	struct crons *l = w->loop;
	struct xb_jv cron = xb_informer_get(l->crons, w->namespace_, w->name);
	struct sync *s = w->state = xb_arena_alloc(w->arena, sizeof(*s));
	int r = s ? 0 : -ENOMEM;

	if (!r && xb_jv_is(cron)) {
		*s = (struct sync){ .w = w, .l = l, .cron = cron, .now = xb_time_now() / 1000000 };
		r = gather(s);
	}
	if (r || !xb_jv_is(cron))
		kcm_work_done(w, r);
	else if (is_odd(s))
		reread(s);
	else
		decide(s);
}

/* --- what comes in --- */
static void on_cron(void *arg, struct xb_jv old, struct xb_jv cron)
{
	struct crons *l = arg;

	if (xb_jv_is(cron))
		kcm_queue_add(l->queue, cron);
}

static void on_job(void *arg, struct xb_jv old, struct xb_jv job)
{
	struct crons *l = arg;
	struct xb_jv last = xb_jv_is(job) ? job : old, ref = xb_owner_controller(last), cron;
	_cleanup_free_ char *namespace_ = NULL, *name = NULL;

	if (!xb_jv_streq(xb_jv_get(ref, "kind"), XB_SV("CronJob")))
		return;
	namespace_ = xb_sv_dup(xb_jv_meta(last, "namespace"));
	name = xb_sv_dup(xb_jv_text(xb_jv_get(ref, "name")));
	cron = namespace_ && name ? xb_informer_get(l->crons, namespace_, name) : (struct xb_jv){};
	if (xb_jv_is(cron) && xb_sv_eq(xb_jv_meta(cron, "uid"), xb_jv_text(xb_jv_get(ref, "uid"))))
		kcm_queue_add(l->queue, cron);
}

void cronjob_stop(void *loop)
{
	struct crons *l = loop;

	kcm_queue_free(l->queue);
	free(l);
}

int cronjob_start(struct kcm *k, void **ret)
{
	struct crons *l = calloc(1, sizeof(*l));
	struct kcm_queue_config queue = { .name = "cronjob", .workers = k->options->concurrent_cron_job_syncs, .sync = sync_cron, .loop = l };
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct crons){ .kcm = k, .kind = kcm_kind("batch", "v1", "cronjobs"), .job_kind = kcm_kind("batch", "v1", "jobs") };
	r = kcm_queue_new(k, &queue, &l->queue);
	if (!r)
		r = xb_cache_follow(k->cache, l->kind, on_cron, l);
	if (!r)
		r = xb_cache_follow(k->cache, l->job_kind, on_job, l);
	l->crons = xb_cache_of(k->cache, l->kind);
	l->jobs = xb_cache_of(k->cache, l->job_kind);
	l->jobs_by_controller = kcm_index(k, l->job_kind, kcm_by_controller);
	if (r || !l->crons || !l->jobs || !l->jobs_by_controller) {
		cronjob_stop(l);
		return -ENOMEM;
	}
	*ret = l;
	return 0;
}
