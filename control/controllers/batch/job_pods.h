/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_JOB_PODS_H
#define CONTROLLERS_JOB_PODS_H
/* What a Job asks for, and what its pods came to. Pure; times are wall clock in microseconds. */
#include "xb/arena.h"
#include "xb/json.h"
#include "xb/kinds.h"

#define JOB_TRACKING        "batch.kubernetes.io/job-tracking" /* the finalizer of a pod that is not counted yet */
#define JOB_INDEX           "batch.kubernetes.io/job-completion-index"
#define JOB_INDEX_FAILURES  "batch.kubernetes.io/job-index-failure-count"
#define JOB_INDEX_IGNORED   "batch.kubernetes.io/job-index-ignored-failure-count"

struct job_spec {
	int64_t parallelism, backoff_limit;
	int64_t completions, backoff_limit_per_index, max_failed_indexes, active_deadline; /* -1: not asked for */
	bool indexed, suspended, retries_in_place;
	bool replace_when_over;         /* a pod that is being deleted is not replaced before it is over */
	struct xb_jv failure_policy, success_policy;
};
void job_spec_read(struct xb_jv job, struct job_spec *ret);
bool job_is_over(struct xb_jv job);     /* Complete or Failed */
bool job_is_elsewhere(struct xb_jv job); /* spec.managedBy names somebody else */
struct xb_jv job_condition(struct xb_jv job, const char *type); /* {}: it has none of the type, or one that is not True */

struct job_pod {
	struct xb_jv pod;
	struct xb_sv uid;
	int64_t index;                  /* of completion; -1: none, or none that the job asks for */
	int64_t finished_us;
	int64_t failures, ignored;      /* of its index, before it */
	bool active, ready, terminating, succeeded, failed;
	bool tracked;                   /* has the finalizer */
};
void job_pod_read(const struct job_spec *spec, struct xb_jv pod, struct job_pod *ret);

enum job_action { JOB_COUNT, JOB_IGNORE, JOB_FAIL_INDEX, JOB_FAIL_JOB };
/* What the failure policy says of a pod that failed; JOB_COUNT without one. With JOB_FAIL_JOB why is appended to out, which may
 * be NULL. */
enum job_action job_failure_action(const struct job_spec *spec, struct xb_jv pod, struct xb_buf *out);

/* The bodies of a job's pods. index -1: of a job without indexes. before: the failed pod of the index that a new one is to
 * replace, and counts on from; NULL for none. A body is good until the next. */
struct job_template {
	struct xb_arena *arena;
	const struct job_spec *spec;
	struct xb_sv name;
	struct xb_tree *pod;
};
int job_template_new(struct xb_arena *a, const struct xb_kind *kind, struct xb_jv job, const struct job_spec *spec,
		     struct job_template *ret);
int job_template_body(struct job_template *t, int64_t index, const struct job_pod *before, struct xb_buf *out);

#endif
