/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_JOB_PLAN_H
#define CONTROLLERS_JOB_PLAN_H
/*
 * What is to be done for a Job, from what is known of it and its pods (upstream's syncJob). Pure; the plan is views of the job
 * and the pods, and the arena's memory. Its steps, in this order:
 *   1. pods are deleted, or made;
 *   2. before is written, which names the pods that are over ("uncounted");
 *   3. let_go lose their finalizer: from now on they may vanish;
 *   4. after is written, in which they are counted.
 * Killed between two of them, the next process finds each pod counted, named or with its finalizer: once.
 */
#include "job_pods.h"
#include "job_status.h"

#define JOB_BURST 500                   /* pods made or deleted, uncounted ones, in one sync */

struct job_backoff {
	bool known;                     /* false: to be made from all pods that are there */
	int64_t failures;               /* since the last success */
	int64_t last_us;                /* of the last of them */
};
struct job_plan {
	struct job_spec spec;
	struct job_pod *pods;
	size_t n_pods;
	struct xb_jv *delete;
	size_t n_delete;
	bool uncounted;                 /* deletions that are no failures: the finalizer goes first */
	int64_t *create;                /* the index of each, or -1 */
	size_t n_create;
	const struct job_pod **replaced; /* of each of create with backoffLimitPerIndex: the failed pod, or NULL */
	struct xb_jv *let_go;
	size_t n_let_go;
	struct job_status before, after;
	bool write_before, write_after;
	const char *event, *event_message; /* of after: NULL, "Completed", or why it failed */
	bool failed;
	const char *suspension;         /* NULL, "Suspended" or "Resumed": an event of before */
	struct job_backoff backoff;     /* when before is written */
	int64_t again_us;               /* look again then; 0: when something changes */
};
/* pods: all that the job controls. 0 or -ENOMEM. */
int job_plan_make(struct xb_arena *a, struct xb_jv job, const struct xb_jv *pods, size_t n, const struct job_backoff *backoff,
		  int64_t now, struct job_plan *ret);

#endif
