/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "job_pods.h"
#include "../pods.h"

static int64_t number(struct xb_jv spec, const char *field, int64_t otherwise)
{
	xb_jv_i64(xb_jv_get(spec, field), &otherwise);
	return otherwise;
}

void job_spec_read(struct xb_jv job, struct job_spec *ret)
{
	struct xb_jv spec = xb_jv_get(job, "spec");

	*ret = (struct job_spec){
		.parallelism = number(spec, "parallelism", 1),
		.completions = number(spec, "completions", -1),
		.backoff_limit = number(spec, "backoffLimit", 6),
		.backoff_limit_per_index = number(spec, "backoffLimitPerIndex", -1),
		.max_failed_indexes = number(spec, "maxFailedIndexes", -1),
		.active_deadline = number(spec, "activeDeadlineSeconds", -1),
		.indexed = xb_jv_streq(xb_jv_get(spec, "completionMode"), XB_SV("Indexed")),
		.suspended = xb_jv_true(xb_jv_get(spec, "suspend")),
		.retries_in_place = xb_jv_streq(xb_jv_path(spec, "template", "spec", "restartPolicy"), XB_SV("OnFailure")),
		.replace_when_over = xb_jv_is(xb_jv_get(spec, "podFailurePolicy")) ||
				     xb_jv_streq(xb_jv_get(spec, "podReplacementPolicy"), XB_SV("Failed")),
		.failure_policy = xb_jv_get(spec, "podFailurePolicy"),
		.success_policy = xb_jv_get(spec, "successPolicy"),
	};
}

static struct xb_jv true_condition(struct xb_jv object, struct xb_sv type)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(object, "status", "conditions")); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "type"), type) && xb_jv_streq(xb_jv_get(it.value, "status"), XB_SV("True")))
			return it.value;
	return (struct xb_jv){};
}

struct xb_jv job_condition(struct xb_jv job, const char *type)
{
	return true_condition(job, xb_sv(type));
}

bool job_is_over(struct xb_jv job)
{
	return xb_jv_is(job_condition(job, "Complete")) || xb_jv_is(job_condition(job, "Failed"));
}

bool job_is_elsewhere(struct xb_jv job)
{
	struct xb_jv by = xb_jv_path(job, "spec", "managedBy");

	return xb_jv_is(by) && !xb_jv_streq(by, XB_SV("kubernetes.io/job-controller"));
}

static struct xb_jv annotation(struct xb_jv pod, const char *key)
{
	return xb_jv_path(pod, "metadata", "annotations", key);
}

static int64_t annotated(struct xb_jv pod, const char *key, int64_t otherwise)
{
	int64_t n;

	return !xb_sv_i64(xb_jv_text(annotation(pod, key)), &n) && n >= 0 ? n : otherwise;
}

static bool has_finalizer(struct xb_jv pod)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(pod, "metadata", "finalizers")); xb_jit_next(&it);)
		if (xb_jv_streq(it.value, XB_SV(JOB_TRACKING)))
			return true;
	return false;
}

/* When its last container ended; 0 when one is not known to have. */
static int64_t containers_finished(struct xb_jv pod)
{
	int64_t last = 0, one;

	for (struct xb_jit it = xb_jv_iter(xb_jv_path(pod, "status", "containerStatuses")); xb_jit_next(&it);) {
		one = pods_time(xb_jv_path(it.value, "state", "terminated", "finishedAt"));
		if (!one)
			return 0;
		last = MAX(last, one);
	}
	return last;
}

static int64_t became_unready(struct xb_jv pod)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(pod, "status", "conditions")); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "type"), XB_SV("Ready")) && xb_jv_streq(xb_jv_get(it.value, "status"), XB_SV("False")))
			return pods_time(xb_jv_get(it.value, "lastTransitionTime"));
	return 0;
}

static int64_t finished_us(struct xb_jv pod)
{
	int64_t us = containers_finished(pod), grace = 0;

	if (!us)
		us = became_unready(pod);
	if (us || !pods_deleting(pod))
		return us ? us : pods_time(xb_jv_path(pod, "metadata", "creationTimestamp"));
	xb_jv_i64(xb_jv_path(pod, "metadata", "deletionGracePeriodSeconds"), &grace);
	return pods_time(xb_jv_path(pod, "metadata", "deletionTimestamp")) - grace * 1000000;
}

void job_pod_read(const struct job_spec *spec, struct xb_jv pod, struct job_pod *ret)
{
	struct xb_sv phase = xb_jv_text(xb_jv_path(pod, "status", "phase"));
	bool succeeded = xb_sv_is(phase, "Succeeded"), failed = xb_sv_is(phase, "Failed"), deleting = pods_deleting(pod);

	*ret = (struct job_pod){
		.pod = pod,
		.uid = xb_jv_text(xb_jv_path(pod, "metadata", "uid")),
		.index = spec->indexed ? annotated(pod, JOB_INDEX, -1) : -1,
		.failures = annotated(pod, JOB_INDEX_FAILURES, 0),
		.ignored = annotated(pod, JOB_INDEX_IGNORED, 0),
		.active = !succeeded && !failed && !deleting,
		.terminating = !succeeded && !failed && deleting,
		.succeeded = succeeded,
		.failed = failed,
		.tracked = has_finalizer(pod),
	};
	if (ret->index >= spec->completions)
		ret->index = -1;
	ret->ready = ret->active && pods_ready(pod, NULL);
	/* one that goes may never come to say that it failed */
	if (ret->terminating && !spec->replace_when_over)
		ret->failed = true;
	if (ret->succeeded || ret->failed)
		ret->finished_us = finished_us(pod);
}

/* --- the failure policy --- */
static bool has_code(struct xb_jv codes, int64_t code)
{
	bool in = false;
	int64_t n;

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(codes, "values")); xb_jit_next(&it);)
		in |= !xb_jv_i64(it.value, &n) && n == code;
	return in == xb_jv_streq(xb_jv_get(codes, "operator"), XB_SV("In"));
}

static struct xb_jv container_of_codes(struct xb_jv statuses, struct xb_jv codes, int64_t *ret_code)
{
	struct xb_jv name = xb_jv_get(codes, "containerName");
	int64_t code;

	for (struct xb_jit it = xb_jv_iter(statuses); xb_jit_next(&it);) {
		if (xb_jv_is(name) && !xb_jv_streq(xb_jv_get(it.value, "name"), xb_jv_text(name)))
			continue;
		if (xb_jv_i64(xb_jv_path(it.value, "state", "terminated", "exitCode"), &code) || !code || !has_code(codes, code))
			continue;
		*ret_code = code;
		return it.value;
	}
	return (struct xb_jv){};
}

static struct xb_jv condition_of(struct xb_jv pod, struct xb_jv patterns)
{
	for (struct xb_jit p = xb_jv_iter(patterns); xb_jit_next(&p);)
		for (struct xb_jit c = xb_jv_iter(xb_jv_path(pod, "status", "conditions")); xb_jit_next(&c);)
			if (xb_jv_streq(xb_jv_get(c.value, "type"), xb_jv_text(xb_jv_get(p.value, "type"))) &&
			    xb_jv_streq(xb_jv_get(c.value, "status"), xb_jv_text(xb_jv_get(p.value, "status"))))
				return c.value;
	return (struct xb_jv){};
}

static bool matches(struct xb_jv rule, struct xb_jv pod, unsigned at, struct xb_buf *out)
{
	struct xb_jv codes = xb_jv_get(rule, "onExitCodes"), found;
	struct xb_sv namespace_ = xb_jv_text(xb_jv_path(pod, "metadata", "namespace"));
	struct xb_sv name = xb_jv_text(xb_jv_path(pod, "metadata", "name"));
	int64_t code = 0;

	if (xb_jv_is(codes)) {
		found = container_of_codes(xb_jv_path(pod, "status", "containerStatuses"), codes, &code);
		if (!xb_jv_is(found))
			found = container_of_codes(xb_jv_path(pod, "status", "initContainerStatuses"), codes, &code);
		if (xb_jv_is(found))
			xb_buf_addf(out, "Container %.*s for pod %.*s/%.*s failed with exit code %lld matching FailJob rule at index %u",
				    XB_SV_ARG(xb_jv_text(xb_jv_get(found, "name"))), XB_SV_ARG(namespace_), XB_SV_ARG(name),
				    (long long)code, at);
	} else {
		found = condition_of(pod, xb_jv_get(rule, "onPodConditions"));
		if (xb_jv_is(found))
			xb_buf_addf(out, "Pod %.*s/%.*s has condition %.*s matching FailJob rule at index %u", XB_SV_ARG(namespace_),
				    XB_SV_ARG(name), XB_SV_ARG(xb_jv_text(xb_jv_get(found, "type"))), at);
	}
	return xb_jv_is(found);
}

enum job_action job_failure_action(const struct job_spec *spec, struct xb_jv pod, struct xb_buf *out)
{
	static const char *const actions[] = {
		[JOB_COUNT] = "Count", [JOB_IGNORE] = "Ignore", [JOB_FAIL_INDEX] = "FailIndex", [JOB_FAIL_JOB] = "FailJob",
	};
	_cleanup_buf_ struct xb_buf why = {};
	unsigned at = 0;

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(spec->failure_policy, "rules")); xb_jit_next(&it); at++) {
		xb_buf_clear(&why);
		if (!matches(it.value, pod, at, &why))
			continue;
		for (enum job_action a = JOB_COUNT; a <= JOB_FAIL_JOB; a++) {
			if (!xb_jv_streq(xb_jv_get(it.value, "action"), xb_sv(actions[a])))
				continue;
			if (a == JOB_FAIL_JOB && out)
				xb_buf_addsv(out, xb_buf_sv(&why));
			return a;
		}
	}
	return JOB_COUNT;
}
