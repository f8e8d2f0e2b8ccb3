/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "job_plan.h"
#include "job_verdict.h"
#include "../pods.h"
#include "../workloads/replicas_rank.h"
#include "xb/map.h"

#define SECOND_US      INT64_C(1000000)
#define BACKOFF_US     (10 * SECOND_US)
#define BACKOFF_MAX_US (600 * SECOND_US)

static void *all_of(struct xb_arena *a, size_t n, size_t size)
{
	return xb_arena_alloc(a, (n + 1) * size);
}

static int64_t said(const struct job_facts *f, const char *field)
{
	int64_t n = 0;

	xb_jv_i64(xb_jv_path(f->job, "status", field), &n);
	return n;
}

static void again_at(struct job_plan *p, int64_t us)
{
	if (!p->again_us || us < p->again_us)
		p->again_us = us;
}

/* --- what is there --- */
static int read_uids(struct job_facts *f, const char *field, struct xb_map **ret)
{
	int r = 0;

	*ret = xb_map_new(XB_MAP_BORROW);
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(f->job, "status", "uncountedTerminatedPods", field)); *ret && !r && xb_jit_next(&it);)
		r = xb_map_set(*ret, xb_jv_text(it.value), f, NULL);
	return *ret ? r : -ENOMEM;
}

/* What was named and has lost its finalizer, or is gone, is counted now. */
static size_t keep_tracked(const struct job_facts *f, const char *field, struct xb_sv *uids, int64_t *count)
{
	size_t n = 0;

	for (struct xb_jit it = xb_jv_iter(xb_jv_path(f->job, "status", "uncountedTerminatedPods", field)); xb_jit_next(&it);)
		if (xb_map_get(f->tracked, xb_jv_text(it.value)))
			uids[n++] = xb_jv_text(it.value);
		else
			++*count;
	return n;
}

static int read_pods(struct job_facts *f, struct xb_arena *a, const struct xb_jv *pods, size_t n, struct job_plan *p)
{
	int r = 0;

	p->pods = all_of(a, n, sizeof(*p->pods));
	p->n_pods = n;
	if (!p->pods)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		job_pod_read(&p->spec, pods[i], &p->pods[i]);
		p->before.active += p->pods[i].active;
		p->before.ready += p->pods[i].ready;
		p->before.terminating += p->pods[i].terminating;
		if (p->pods[i].tracked && !r)
			r = xb_map_set(f->tracked, p->pods[i].uid, &p->pods[i], NULL);
	}
	return r;
}

static int read_status(struct job_facts *f, struct xb_arena *a, struct job_plan *p)
{
	struct xb_jv uncounted = xb_jv_path(f->job, "status", "uncountedTerminatedPods");
	struct job_status *s = &p->before;

	s->uncounted_succeeded = all_of(a, p->n_pods + xb_jv_count(xb_jv_get(uncounted, "succeeded")), sizeof(*s->uncounted_succeeded));
	s->uncounted_failed = all_of(a, p->n_pods + xb_jv_count(xb_jv_get(uncounted, "failed")), sizeof(*s->uncounted_failed));
	if (!s->uncounted_succeeded || !s->uncounted_failed)
		return -ENOMEM;
	s->succeeded = said(f, "succeeded");
	s->failed = said(f, "failed");
	s->start_us = pods_time(xb_jv_path(f->job, "status", "startTime"));
	s->n_uncounted_succeeded = keep_tracked(f, "succeeded", s->uncounted_succeeded, &s->succeeded);
	s->n_uncounted_failed = keep_tracked(f, "failed", s->uncounted_failed, &s->failed);
	if (!s->start_us && !p->spec.suspended)
		s->start_us = f->now;
	return 0;
}

static bool is_new(const struct job_facts *f, const struct job_pod *pod, const struct xb_map *uncounted)
{
	return pod->tracked && !xb_map_get(uncounted, pod->uid) && (!f->spec->indexed || pod->index >= 0);
}

static void count(struct job_facts *f, const struct job_plan *p)
{
	f->succeeded = p->before.succeeded + (int64_t)p->before.n_uncounted_succeeded;
	f->failed = p->before.failed + (int64_t)p->before.n_uncounted_failed;
	for (size_t i = 0; i < p->n_pods; i++) {
		const struct job_pod *pod = &p->pods[i];

		if (pod->succeeded && is_new(f, pod, f->was_succeeded))
			f->succeeded++;
		if (pod->failed && is_new(f, pod, f->was_failed) && job_failure_action(f->spec, pod->pod, NULL) != JOB_IGNORE)
			f->failed++;
	}
	if (f->spec->indexed)
		f->succeeded = job_indexes_total(&f->succeeded_indexes);
}

/* --- how soon to try again --- */
static int by_end(const void *a, const void *b)
{
	const struct job_pod *const *x = a, *const *y = b;

	return ((*x)->finished_us > (*y)->finished_us) - ((*x)->finished_us < (*y)->finished_us);
}

static int note_failures(const struct job_facts *f, const struct job_backoff *known, struct job_plan *p)
{
	_cleanup_free_ const struct job_pod **over = calloc(p->n_pods + 1, sizeof(*over));
	size_t n = 0;

	p->backoff = known->known ? *known : (struct job_backoff){ .known = true };
	if (!over)
		return -ENOMEM;
	for (size_t i = 0; i < p->n_pods; i++) {
		const struct job_pod *pod = &p->pods[i];

		if ((pod->succeeded && (!known->known || is_new(f, pod, f->was_succeeded))) ||
		    (pod->failed && (!known->known || is_new(f, pod, f->was_failed))))
			over[n++] = pod;
	}
	qsort(over, n, sizeof(*over), by_end);
	for (size_t i = 0; i < n; i++) {
		p->backoff.failures = over[i]->failed ? p->backoff.failures + 1 : 0;
		p->backoff.last_us = over[i]->finished_us;
	}
	return 0;
}

static int64_t backoff_end(int64_t failures, int64_t last_us)
{
	int64_t delay = BACKOFF_US;

	for (int64_t i = 1; i < failures && delay < BACKOFF_MAX_US; i++)
		delay *= 2;
	return failures ? last_us + MIN(delay, BACKOFF_MAX_US) : 0;
}

/* --- too many --- */
static int by_index(const void *a, const void *b)
{
	const struct job_pod *const *x = a, *const *y = b;

	return ((*x)->index > (*y)->index) - ((*x)->index < (*y)->index);
}

/* Of several pods of one index one stays, and none without an index that is asked for. */
static int choose_repeated(const struct job_pod **active, size_t n, int64_t now, struct job_plan *p, struct xb_jv *left, size_t *n_left)
{
	size_t end;

	qsort(active, n, sizeof(*active), by_index);
	for (size_t i = 0; i < n; i = end) {
		struct xb_jv *same = &p->delete[p->n_delete];
		int r = 0;

		for (end = i; end < n && active[end]->index == active[i]->index; end++)
			p->delete[p->n_delete++] = active[end]->pod;
		if (end - i > 1)
			r = replicas_rank(same, end - i, NULL, 0, now);
		if (r)
			return r;
		if (active[i]->index >= 0)
			left[(*n_left)++] = p->delete[--p->n_delete];
	}
	return 0;
}

static int choose_deletions(const struct job_facts *f, struct xb_arena *a, int64_t at_least, struct job_plan *p)
{
	_cleanup_free_ const struct job_pod **active = calloc(p->n_pods + 1, sizeof(*active));
	_cleanup_free_ struct xb_jv *left = calloc(p->n_pods + 1, sizeof(*left));
	size_t n = 0, n_left = 0, more;
	int r = 0;

	p->delete = all_of(a, p->n_pods, sizeof(*p->delete));
	if (!active || !left || !p->delete)
		return -ENOMEM;
	for (size_t i = 0; i < p->n_pods; i++)
		if (p->pods[i].active)
			active[n++] = &p->pods[i];
	if (f->spec->indexed)
		r = choose_repeated(active, n, f->now, p, left, &n_left);
	for (size_t i = 0; !f->spec->indexed && i < n; i++)
		left[n_left++] = active[i]->pod;
	more = at_least > (int64_t)p->n_delete ? (size_t)at_least - p->n_delete : 0;
	if (!r && more && more < n_left)
		r = replicas_rank(left, n_left, NULL, 0, f->now);
	for (size_t i = 0; !r && i < MIN(more, n_left); i++)
		p->delete[p->n_delete++] = left[i];
	return r;
}

static void count_deletions(struct job_plan *p)
{
	p->before.active -= (int64_t)p->n_delete;
	p->before.terminating += (int64_t)p->n_delete;
	for (size_t i = 0; i < p->n_delete; i++)
		p->before.ready -= pods_ready(p->delete[i], NULL);
}

/* --- too few --- */
static int64_t absolute(const struct job_pod *pod)
{
	return pod->failures + pod->ignored;
}

/* Of the failed pods of an index, which are kept until another counts on from the last. Ascending by index. */
static int choose_delayed(struct job_facts *f, struct xb_arena *a, const struct job_plan *p)
{
	size_t n = 0;

	f->delayed = all_of(a, p->n_pods, sizeof(*f->delayed));
	if (!f->delayed)
		return -ENOMEM;
	for (size_t i = 0; i < p->n_pods; i++) {
		const struct job_pod *pod = &p->pods[i];

		if (pod->failed && pod->tracked && pod->index >= 0 && !job_indexes_has(&f->active_indexes, pod->index) &&
		    !job_indexes_has(&f->succeeded_indexes, pod->index) && !job_indexes_has(&f->failed_indexes, pod->index))
			f->delayed[n++] = pod;
	}
	qsort(f->delayed, n, sizeof(*f->delayed), by_index);
	for (size_t i = 0; i < n; i++) {
		const struct job_pod *pod = f->delayed[i], *last = f->n_delayed ? f->delayed[f->n_delayed - 1] : NULL;

		if (!last || last->index != pod->index)
			f->delayed[f->n_delayed++] = pod;
		else if (absolute(last) <= absolute(pod) && last->finished_us <= pod->finished_us)
			f->delayed[f->n_delayed - 1] = pod;
	}
	return 0;
}

static const struct job_pod *delayed_of(const struct job_facts *f, int64_t index)
{
	const struct job_pod key = { .index = index }, *wanted = &key;
	const struct job_pod **found = f->n_delayed ? bsearch(&wanted, f->delayed, f->n_delayed, sizeof(*f->delayed), by_index) : NULL;

	return found ? *found : NULL;
}

static int choose_indexes(const struct job_facts *f, struct xb_arena *a, size_t room, struct job_plan *p)
{
	struct job_indexes taken = f->succeeded_indexes;
	int r = job_indexes_unite(a, &taken, &f->active_indexes);

	if (!r)
		r = job_indexes_unite(a, &taken, &f->failed_indexes);
	if (!r && f->spec->replace_when_over)
		r = job_indexes_unite(a, &taken, &f->terminating_indexes);
	if (r)
		return r;
	p->n_create = job_indexes_missing(&taken, f->spec->completions, room, p->create);
	return 0;
}

/* Each index has a back-off of its own. */
static void wait_by_index(const struct job_facts *f, struct job_plan *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_create; i++) {
		const struct job_pod *before = delayed_of(f, p->create[i]);
		int64_t end = before ? backoff_end(absolute(before) + 1, before->finished_us) : 0;

		if (end > f->now) {
			again_at(p, end);
			continue;
		}
		p->create[n] = p->create[i];
		p->replaced[n++] = before;
	}
	p->n_create = n;
}

static int choose_creations(struct job_facts *f, struct xb_arena *a, int64_t missing, struct job_plan *p)
{
	int64_t end = f->spec->backoff_limit_per_index < 0 ? backoff_end(p->backoff.failures, p->backoff.last_us) : 0;
	size_t room = (size_t)MIN(missing, JOB_BURST);
	int r = 0;

	if (end > f->now) {
		again_at(p, end);
		return 0;
	}
	p->create = all_of(a, room, sizeof(*p->create));
	p->replaced = all_of(a, room, sizeof(*p->replaced));
	if (!p->create || !p->replaced)
		return -ENOMEM;
	for (; !f->spec->indexed && p->n_create < room; p->n_create++)
		p->create[p->n_create] = -1;
	if (f->spec->indexed)
		r = choose_indexes(f, a, room, p);
	if (!r && f->spec->backoff_limit_per_index >= 0)
		wait_by_index(f, p);
	p->before.active += (int64_t)p->n_create;
	return r;
}

static int64_t wanted(const struct job_facts *f, int64_t active)
{
	if (f->spec->suspended)
		return 0;
	if (f->spec->completions < 0)
		return f->succeeded ? active : f->spec->parallelism;
	return MAX(MIN(f->spec->completions - f->succeeded, f->spec->parallelism), 0);
}

static int manage(struct job_facts *f, struct xb_arena *a, struct job_plan *p)
{
	int64_t active = p->before.active, want = wanted(f, active), missing = want - active;
	int r;

	if (f->spec->replace_when_over)
		missing -= p->before.terminating;
	r = choose_deletions(f, a, MAX(active - want, 0), p);
	if (r)
		return r;
	p->n_delete = MIN(p->n_delete, f->spec->suspended ? p->n_delete : JOB_BURST);
	p->uncounted = true;
	count_deletions(p);
	return p->n_delete || missing <= 0 ? 0 : choose_creations(f, a, missing, p);
}

/* --- whose work is over --- */
static bool may_go(const struct job_facts *f, const struct job_pod *pod)
{
	if (!pod->tracked)
		return false;
	if (f->deleting || f->verdict || pod->succeeded)
		return true;
	return pod->failed && (f->spec->backoff_limit_per_index < 0 || delayed_of(f, pod->index) != pod);
}

static bool is_failure(const struct job_facts *f, const struct job_pod *pod)
{
	if (!pod->failed && (!f->verdict || f->verdict->met))
		return false;
	return (!f->spec->indexed || pod->index >= 0) && job_failure_action(f->spec, pod->pod, NULL) != JOB_IGNORE;
}

/* Names the pod if it is to be counted. False: there is no room for one more. */
static bool name_uncounted(const struct job_facts *f, const struct job_pod *pod, struct job_status *s)
{
	bool room = s->n_uncounted_succeeded + s->n_uncounted_failed < JOB_BURST;
	bool success = pod->succeeded && !xb_map_get(f->was_failed, pod->uid);

	if (success ? f->spec->indexed || xb_map_get(f->was_succeeded, pod->uid) :
		      xb_map_get(f->was_failed, pod->uid) || !is_failure(f, pod))
		return true;
	if (!room)
		return false;
	if (success)
		s->uncounted_succeeded[s->n_uncounted_succeeded++] = pod->uid;
	else
		s->uncounted_failed[s->n_uncounted_failed++] = pod->uid;
	return true;
}

/* False: there are more than go at once. */
static bool track(const struct job_facts *f, struct job_plan *p)
{
	bool all = true;

	for (size_t i = 0; i < p->n_pods; i++) {
		if (!may_go(f, &p->pods[i]))
			continue;
		if (name_uncounted(f, &p->pods[i], &p->before))
			p->let_go[p->n_let_go++] = p->pods[i].pod;
		else
			all = false;
	}
	return all;
}

/* --- the job --- */
static void tell_suspension(const struct job_facts *f, struct job_plan *p)
{
	bool is = xb_jv_is(job_condition(f->job, "Suspended"));

	if (is == f->spec->suspended)
		return;
	p->suspension = is ? "Resumed" : "Suspended";
	if (is)
		job_status_change(&p->before, "Suspended", "False", "JobResumed", "Job resumed");
	else
		job_status_change(&p->before, "Suspended", "True", "JobSuspended", "Job suspended");
	if (is)
		p->before.start_us = f->now;
}

static bool is_complete(const struct job_facts *f, const struct job_plan *p)
{
	if (p->before.active)
		return false;
	return f->spec->completions < 0 ? f->succeeded > 0 : f->succeeded >= f->spec->completions;
}

static int act(struct job_facts *f, struct xb_arena *a, struct job_plan *p)
{
	static const struct job_verdict complete = {
		.met = true, .reason = "CompletionsReached", .message = "Reached expected number of succeeded pods",
	};
	int r = 0;

	if (f->verdict) {
		r = choose_deletions(f, a, p->before.active, p);
		count_deletions(p);
		return r;
	}
	if (!f->deleting)
		r = manage(f, a, p);
	if (r)
		return r;
	if (is_complete(f, p))
		f->verdict = &complete;
	else if (!f->deleting)
		tell_suspension(f, p);
	return 0;
}

static void end_job(const struct job_facts *f, struct job_plan *p)
{
	const struct job_verdict *v = f->verdict;

	job_status_change(&p->after, v->met ? "Complete" : "Failed", "True", v->reason, v->message);
	p->after.completed = v->met;
	p->failed = !v->met;
	p->event = v->met ? "Completed" : v->reason;
	p->event_message = v->met ? "Job completed" : v->message;
	p->write_after = true;
	/* nothing comes between the two */
	p->write_before &= p->n_let_go > 0;
}

static bool differs(const struct job_facts *f, const struct job_plan *p)
{
	const struct job_status *s = &p->before;
	struct xb_jv status = xb_jv_get(f->job, "status"), uncounted = xb_jv_get(status, "uncountedTerminatedPods");
	_cleanup_buf_ struct xb_buf completed = {}, failed = {};

	if (s->completed_indexes)
		job_indexes_write(s->completed_indexes, &completed);
	if (s->failed_indexes)
		job_indexes_write(s->failed_indexes, &failed);
	return s->n_changes || said(f, "active") != s->active || said(f, "ready") != s->ready || !xb_jv_is(xb_jv_get(status, "ready")) ||
	       said(f, "terminating") != s->terminating || said(f, "succeeded") != s->succeeded || said(f, "failed") != s->failed ||
	       s->n_uncounted_succeeded != xb_jv_count(xb_jv_get(uncounted, "succeeded")) ||
	       s->n_uncounted_failed != xb_jv_count(xb_jv_get(uncounted, "failed")) ||
	       !xb_sv_eq(xb_buf_sv(&completed), xb_jv_text(xb_jv_get(status, "completedIndexes"))) ||
	       !xb_sv_eq(xb_buf_sv(&failed), xb_jv_text(xb_jv_get(status, "failedIndexes")));
}

static int conclude(const struct job_facts *f, struct xb_arena *a, struct job_plan *p)
{
	const char *interim = !f->verdict ? NULL : f->verdict->met ? "SuccessCriteriaMet" : "FailureTarget";
	bool all;

	p->let_go = all_of(a, p->n_pods, sizeof(*p->let_go));
	if (!p->let_go)
		return -ENOMEM;
	all = track(f, p);
	if (f->spec->indexed) {
		p->before.completed_indexes = (struct job_indexes *)&f->succeeded_indexes;
		p->before.succeeded = f->succeeded;
	}
	if (f->spec->backoff_limit_per_index >= 0)
		p->before.failed_indexes = (struct job_indexes *)&f->failed_indexes;
	if (interim && !xb_jv_is(job_condition(f->job, interim)))
		job_status_change(&p->before, interim, "True", f->verdict->reason, f->verdict->message);
	p->write_before = differs(f, p);
	p->after = p->before;
	job_status_settle(&p->after);
	p->write_after = p->after.succeeded != p->before.succeeded || p->after.failed != p->before.failed;
	if (f->verdict && all && !p->before.terminating)
		end_job(f, p);
	return 0;
}

static int make(struct job_facts *f, struct xb_arena *a, const struct xb_jv *pods, size_t n, const struct job_backoff *backoff,
		struct job_plan *p)
{
	int r = read_uids(f, "succeeded", &f->was_succeeded);

	if (!r)
		r = read_uids(f, "failed", &f->was_failed);
	if (!r)
		r = read_pods(f, a, pods, n, p);
	if (!r)
		r = read_status(f, a, p);
	if (!r)
		r = job_facts_indexes(f, a, p->pods, n);
	if (r)
		return r;
	count(f, p);
	f->start_us = p->before.start_us;
	if (f->spec->active_deadline >= 0 && !f->spec->suspended)
		again_at(p, f->start_us + f->spec->active_deadline * SECOND_US);
	r = note_failures(f, backoff, p);
	if (!r)
		r = job_judge(f, a, p->pods, n);
	if (!r && f->spec->backoff_limit_per_index >= 0)
		r = choose_delayed(f, a, p);
	if (!r)
		r = act(f, a, p);
	return r ? r : conclude(f, a, p);
}

int job_plan_make(struct xb_arena *a, struct xb_jv job, const struct xb_jv *pods, size_t n, const struct job_backoff *backoff,
		  int64_t now, struct job_plan *ret)
{
	_cleanup_(xb_map_freep) struct xb_map *tracked = xb_map_new(XB_MAP_BORROW);
	struct job_facts *f = xb_arena_alloc(a, sizeof(*f));
	int r;

	*ret = (struct job_plan){};
	if (!tracked || !f)
		return -ENOMEM;
	job_spec_read(job, &ret->spec);
	*f = (struct job_facts){ .job = job, .spec = &ret->spec, .now = now, .tracked = tracked, .deleting = pods_deleting(job) };
	r = make(f, a, pods, n, backoff, ret);
	f->was_succeeded = xb_map_free(f->was_succeeded);
	f->was_failed = xb_map_free(f->was_failed);
	return r;
}
