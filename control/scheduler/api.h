/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SCHEDULER_API_H
#define SCHEDULER_API_H
/* What is written to the API server, many requests side by side. A pod may go while one is under way: answers come by key and uid. */
#include "pod.h"
#include "xb/rest.h"

struct sched_api;
/* uid: borrowed. code and status as xb_rest_done's. */
typedef void sched_api_done(void *arg, const char *key, const char *uid, int code, const struct xb_status *status);
struct sched_api *sched_api_new(struct xb_rest *rest, void (*answered)(void *arg), void *arg); /* answered: after each answer */
struct sched_api *sched_api_free(struct sched_api *a);  /* before its rest; what is under way is dropped */
XB_DEFINE_CLEANUP(struct sched_api *, sched_api_free)
unsigned sched_api_under_way(const struct sched_api *a);

/* All: 0 or -errno of sending. done may be NULL. */
int sched_api_bind(struct sched_api *a, const struct sched_pod *p, const char *node, sched_api_done *done, void *arg);
/*
 * Says in the status that there is no node for it, and which one is to become free (NULL: none). Nothing is sent when the object
 * says all that already.
 */
int sched_api_unschedulable(struct sched_api *a, const struct sched_pod *p, const char *reason, struct xb_sv message,
			    const char *nominated);
/* Marks it as disrupted, then deletes it. */
int sched_api_evict(struct sched_api *a, const struct sched_pod *p, const char *scheduler);
int sched_api_unnominate(struct sched_api *a, const struct sched_pod *p);

#endif
