/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_JOB_H
#define CONTROLLERS_JOB_H
/* What the parts of the job loop share: job.c follows changes, job_sync.c works on a job, job_orphan.c on a pod without one. */
#include "job_plan.h"
#include "../work.h"
#include "xb/expectations.h"
#include "xb/map.h"

#define JOB_COMPONENT "job-controller"
#define JOB_EXPIRE_MS (5 * 60 * 1000)

struct jobs {
	struct kcm *kcm;
	const struct xb_kind *kind, *pod_kind;
	struct xb_informer *jobs, *pods;
	struct xb_index *jobs_by_namespace, *pods_by_controller;
	struct xb_expectations *pods_changed, *finalizers_gone; /* pods made and deleted; by the jobs' keys */
	struct xb_map *memories;        /* struct job_memory by the job's key */
	struct kcm_queue *queue, *orphans; /* keys of jobs; of pods with the finalizer whose job is gone or over */
};
struct job_memory {                     /* of a job under way; lost with the process, and made anew */
	char *uid;
	struct job_backoff backoff;
	uint64_t written;               /* version of the status written last: an older copy is stale */
};
void job_forget(struct jobs *l, const char *key);
void job_sync(struct kcm_work *w);
void job_orphan_sync(struct kcm_work *w);
struct xb_jv job_of(const struct jobs *l, struct xb_jv pod); /* that controls it; {}: there is none (any more) */
bool job_tracks(struct xb_jv pod);      /* has the finalizer */
bool job_controls(struct xb_jv pod);    /* is a Job its controller, or nobody */

#endif
