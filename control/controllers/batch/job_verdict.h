/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_JOB_VERDICT_H
#define CONTROLLERS_JOB_VERDICT_H
/* Is a Job to end, and how. Pure; job_plan.c fills the facts and asks. */
#include "job_indexes.h"
#include "job_pods.h"
#include "xb/map.h"

struct job_verdict {
	bool met;                       /* its work is done; otherwise it failed */
	const char *reason, *message;
};
struct job_facts {
	struct xb_jv job;
	const struct job_spec *spec;
	int64_t now, start_us;
	bool deleting;
	struct xb_map *tracked;         /* uids of pods with the finalizer */
	struct xb_map *was_succeeded, *was_failed; /* uids that the status names as uncounted */
	int64_t succeeded, failed;      /* counted, uncounted and new */
	struct job_indexes succeeded_indexes, failed_indexes, active_indexes, terminating_indexes;
	const struct job_pod **delayed; /* with backoffLimitPerIndex: the last failure of each index that waits, by index */
	size_t n_delayed;
	const struct job_verdict *verdict; /* NULL: it goes on */
};
int job_facts_indexes(struct job_facts *f, struct xb_arena *a, const struct job_pod *pods, size_t n); /* 0 or -ENOMEM */
int job_judge(struct job_facts *f, struct xb_arena *a, const struct job_pod *pods, size_t n); /* sets verdict. 0 or -ENOMEM */

#endif
