/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_JOB_STATUS_H
#define CONTROLLERS_JOB_STATUS_H
/* The status of a Job as it is to be written. Pure; views are of the job and its pods, memory the arena's. */
#include "job_indexes.h"
#include "xb/json.h"

struct job_change {                     /* of a condition, which is added or replaced */
	const char *type, *status, *reason, *message;
};
struct job_status {
	int64_t active, ready, terminating, succeeded, failed;
	int64_t start_us;               /* 0: none */
	bool completed;                 /* now */
	/* Pods that are over, whose finalizer is there yet: in the next status they are in the numbers. */
	struct xb_sv *uncounted_succeeded, *uncounted_failed;
	size_t n_uncounted_succeeded, n_uncounted_failed;
	struct job_indexes *completed_indexes, *failed_indexes; /* NULL: not kept */
	struct job_change changes[3];
	unsigned n_changes;
};
void job_status_change(struct job_status *s, const char *type, const char *status, const char *reason, const char *message);
/* Counts what is uncounted: its finalizers are gone. */
void job_status_settle(struct job_status *s);
/* A merge patch of that status, for the version of the job that it was made from. now: wall clock, microseconds. */
void job_status_patch(struct xb_jv job, struct xb_sv version, const struct job_status *s, int64_t now, struct xb_buf *out);

#endif
