/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_VOLUME_JOB_H
#define KUBELET_VOLUME_JOB_H
/* The inside of volumes.h: pods, and what is to be done for each, one job after the other. */
#include "plan.h"
#include "volumes.h"
#include "xb/map.h"

#define POD_MODE 0750

struct volumes {
	struct volumes_config c;
	struct tokens *tokens;
	struct claims *claims;
	struct xb_map *pods;            /* uid -> struct volume_pod */
	char *folder;                   /* <root_dir>/pods, without symbolic links */
	int fd;                         /* of it */
	unsigned on_pool;
	bool closing;                   /* goes with the last of those */
};

struct volume_pod {
	struct volumes *v;
	char *uid;
	bool ready, forgotten;
	struct volume_job *jobs;        /* the first one is under way */
};

struct volume_job {
	uv_work_t work;
	struct volume_pod *pod;
	struct volume_job *next;
	/* On the loop, when its turn has come: 0 to go on the pool, -EINPROGRESS to be begun again when something arrives. */
	int (*begin)(struct volume_job *j);
	void (*run)(struct volume_job *j);      /* on the pool */
	void (*release)(struct volume_job *j);  /* what it has besides, and itself */
	volumes_done *done;
	void *arg;
	bool makes_ready;               /* the pod, when it has gone well */
	bool waiting;                   /* begun, and not on the pool */
	int error;                      /* result; why is new */
	char *why;
};
/* Takes j, also on failure (-ENOMEM). */
int volume_job_add(struct volumes *v, const char *uid, struct volume_job *j);
void volume_job_cancel_waiting(struct volumes *v, const char *uid); /* it ends with -ECANCELED */
void volume_job_arrived(void *arg, const char *uid);            /* tokens' and claims' arrived; arg: struct volumes */
/* Work on the pool beside the jobs, which keeps v alive: before, and in its after_work; false: v is gone. */
void volume_pool_enter(struct volumes *v);
bool volume_pool_leave(struct volumes *v);
void volume_pod_forget(struct volume_pod *p);
/* Sets the job's error and why, unless there is one. */
void volume_job_fail(struct volume_job *j, int error, const char *fmt, ...) _printf_(3, 4);

/* The pod's folder, made when it is missing; for the pool. */
int volume_pod_open(const struct volumes *v, const char *uid);

#endif
