/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "job_verdict.h"

/* --- indexes --- */
static bool fails_index(const struct job_spec *spec, const struct job_pod *pod)
{
	enum job_action action;

	if (!pod->failed)
		return false;
	action = job_failure_action(spec, pod->pod, NULL);
	return action == JOB_FAIL_INDEX || (action != JOB_IGNORE && pod->failures >= spec->backoff_limit_per_index);
}

static bool is_succeeded(const struct job_spec *spec, const struct job_pod *pod)
{
	return pod->succeeded && pod->tracked;
}

static bool is_failed(const struct job_spec *spec, const struct job_pod *pod)
{
	return spec->backoff_limit_per_index >= 0 && pod->tracked && fails_index(spec, pod);
}

static bool is_active(const struct job_spec *spec, const struct job_pod *pod)
{
	return pod->active;
}

static bool is_terminating(const struct job_spec *spec, const struct job_pod *pod)
{
	return pod->terminating;
}

static int collect(const struct job_facts *f, struct xb_arena *a, const struct job_pod *pods, size_t n, const char *said,
		   bool (*is)(const struct job_spec *spec, const struct job_pod *pod), struct job_indexes *ret)
{
	_cleanup_free_ int64_t *indexes = calloc(n + 1, sizeof(*indexes));
	struct xb_sv before = said ? xb_jv_text(xb_jv_path(f->job, "status", said)) : (struct xb_sv){};
	size_t count = 0;
	int r = indexes ? job_indexes_parse(a, before, f->spec->completions, ret) : -ENOMEM;

	for (size_t i = 0; !r && i < n; i++)
		if (pods[i].index >= 0 && is(f->spec, &pods[i]))
			indexes[count++] = pods[i].index;
	return r ? r : job_indexes_add(a, ret, indexes, count);
}

int job_facts_indexes(struct job_facts *f, struct xb_arena *a, const struct job_pod *pods, size_t n)
{
	int r;

	if (!f->spec->indexed)
		return 0;
	r = collect(f, a, pods, n, "completedIndexes", is_succeeded, &f->succeeded_indexes);
	if (!r)
		r = collect(f, a, pods, n, "failedIndexes", is_failed, &f->failed_indexes);
	if (!r)
		r = collect(f, a, pods, n, NULL, is_active, &f->active_indexes);
	return r ? r : collect(f, a, pods, n, NULL, is_terminating, &f->terminating_indexes);
}

/* --- the verdict --- */
static int judge(struct job_facts *f, struct xb_arena *a, bool met, const char *reason, const char *message)
{
	struct job_verdict *v = xb_arena_alloc(a, sizeof(*v));

	if (!v || !reason || !message)
		return -ENOMEM;
	*v = (struct job_verdict){ met, reason, message };
	f->verdict = v;
	return 0;
}

/* What was decided before stands, whatever happened since. */
static int judge_as_before(struct job_facts *f, struct xb_arena *a)
{
	static const char *const types[] = { "SuccessCriteriaMet", "FailureTarget" };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct xb_jv c = job_condition(f->job, types[i]);
		_cleanup_free_ char *reason = xb_jv_dup(xb_jv_get(c, "reason")), *message = xb_jv_dup(xb_jv_get(c, "message"));

		if (xb_jv_is(c))
			return judge(f, a, !i, xb_arena_strn(a, xb_sv(reason)), xb_arena_strn(a, xb_sv(message)));
	}
	return 0;
}

static int judge_by_policy(struct job_facts *f, struct xb_arena *a, const struct job_pod *pods, size_t n)
{
	_cleanup_buf_ struct xb_buf why = {};

	for (size_t i = 0; xb_jv_is(f->spec->failure_policy) && i < n; i++)
		if (pods[i].failed && job_failure_action(f->spec, pods[i].pod, &why) == JOB_FAIL_JOB)
			return judge(f, a, false, "PodFailurePolicy", xb_arena_strn(a, xb_buf_sv(&why)));
	return 0;
}

static int64_t restarts(struct xb_jv pod, const char *statuses)
{
	int64_t sum = 0, one;

	for (struct xb_jit it = xb_jv_iter(xb_jv_path(pod, "status", statuses)); xb_jit_next(&it);)
		if (!xb_jv_i64(xb_jv_get(it.value, "restartCount"), &one))
			sum += one;
	return sum;
}

/* With restartPolicy OnFailure a pod does not fail: its containers start again. */
static bool restarted_too_often(const struct job_facts *f, const struct job_pod *pods, size_t n)
{
	int64_t sum = 0;

	for (size_t i = 0; f->spec->retries_in_place && i < n; i++)
		if (!pods[i].succeeded && !xb_jv_streq(xb_jv_path(pods[i].pod, "status", "phase"), XB_SV("Failed")))
			sum += restarts(pods[i].pod, "initContainerStatuses") + restarts(pods[i].pod, "containerStatuses");
	return f->spec->retries_in_place && sum > 0 && sum >= f->spec->backoff_limit;
}

static int judge_by_limits(struct job_facts *f, struct xb_arena *a, const struct job_pod *pods, size_t n)
{
	const struct job_spec *s = f->spec;

	if (f->failed > s->backoff_limit || restarted_too_often(f, pods, n))
		return judge(f, a, false, "BackoffLimitExceeded", "Job has reached the specified backoff limit");
	if (s->active_deadline >= 0 && !s->suspended && f->now - f->start_us >= s->active_deadline * 1000000)
		return judge(f, a, false, "DeadlineExceeded", "Job was active longer than specified deadline");
	return 0;
}

static int judge_by_indexes(struct job_facts *f, struct xb_arena *a)
{
	const struct job_spec *s = f->spec;
	int64_t failed = job_indexes_total(&f->failed_indexes);

	if (s->backoff_limit_per_index < 0)
		return 0;
	if (s->max_failed_indexes >= 0 && failed > s->max_failed_indexes)
		return judge(f, a, false, "MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes");
	if (failed && failed + job_indexes_total(&f->succeeded_indexes) >= s->completions)
		return judge(f, a, false, "FailedIndexes", "Job has failed indexes");
	return 0;
}

static int meets(const struct job_facts *f, struct xb_arena *a, struct xb_jv rule, bool *ret)
{
	struct xb_jv indexes = xb_jv_get(rule, "succeededIndexes");
	int64_t need = INT64_MAX, have = job_indexes_total(&f->succeeded_indexes);
	struct job_indexes wanted;
	int r = 0;

	if (xb_jv_is(indexes)) {
		r = job_indexes_parse(a, xb_jv_text(indexes), f->spec->completions, &wanted);
		if (r)
			return r;
		have = job_indexes_common(&f->succeeded_indexes, &wanted);
		need = job_indexes_total(&wanted);
	}
	xb_jv_i64(xb_jv_get(rule, "succeededCount"), &need);
	*ret = have >= need;
	return 0;
}

static int judge_by_success(struct job_facts *f, struct xb_arena *a)
{
	bool met = false;
	int at = 0, r = 0;

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(f->spec->success_policy, "rules")); !r && xb_jit_next(&it); at++) {
		r = meets(f, a, it.value, &met);
		if (!r && met)
			return judge(f, a, true, "SuccessPolicy", xb_arena_printf(a, "Matched rules at index %d", at));
	}
	return r;
}

int job_judge(struct job_facts *f, struct xb_arena *a, const struct job_pod *pods, size_t n)
{
	int r = judge_as_before(f, a);

	if (!r && !f->verdict)
		r = judge_by_policy(f, a, pods, n);
	if (!r && !f->verdict)
		r = judge_by_limits(f, a, pods, n);
	if (!r && !f->verdict)
		r = judge_by_indexes(f, a);
	if (!r && !f->verdict)
		r = judge_by_success(f, a);
	return r;
}
