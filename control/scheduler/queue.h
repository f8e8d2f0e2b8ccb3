/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SCHEDULER_QUEUE_H
#define SCHEDULER_QUEUE_H
/*
 * Pods that want a node: active ones, by priority and then by age; those that were tried and wait out their back-off (1 s,
 * doubled with each attempt, up to 10 s); and parked ones, for which nothing has changed that could help. When no pod is active,
 * those in back-off come before their time, except after a fault (KEP-5142). Times are monotonic milliseconds, given by the caller.
 */
#include "pod.h"

struct sched_queue;
struct sched_queue_config {
	unsigned backoff_ms, max_backoff_ms;    /* 0: 1000 and 10000 */
	unsigned max_parked_ms;                 /* 0: 5 minutes; then a pod is tried whatever has changed */
};
struct sched_queue *sched_queue_new(const struct sched_queue_config *c);        /* NULL without memory */
struct sched_queue *sched_queue_free(struct sched_queue *q);    /* pods are the caller's */
XB_DEFINE_CLEANUP(struct sched_queue *, sched_queue_free)

int sched_queue_add(struct sched_queue *q, struct sched_pod *p, int64_t now);   /* is new: active. 0 or -ENOMEM */
void sched_queue_del(struct sched_queue *q, struct sched_pod *p);               /* from where it is, if anywhere */
/* It was tried in vain: parked, or after a fault in back-off. 0 or -ENOMEM. */
int sched_queue_failed(struct sched_queue *q, struct sched_pod *p, int64_t now);
/* A parked pod is worth another try: active, or in back-off until that is over. 0 or -ENOMEM. */
int sched_queue_wake(struct sched_queue *q, struct sched_pod *p, int64_t now);
/* Calls worth for each parked pod, and wakes those for which it says yes. 0 or -ENOMEM. */
int sched_queue_wake_if(struct sched_queue *q, bool (*worth)(void *arg, const struct sched_pod *p), void *arg, int64_t now);
/* Brings to the active ones those whose back-off or time to be parked is over. 0 or -ENOMEM. */
int sched_queue_tick(struct sched_queue *q, int64_t now);
struct sched_pod *sched_queue_pop(struct sched_queue *q);       /* the next to be tried; counts the attempt. NULL: none */
bool sched_queue_has(const struct sched_queue *q);              /* would pop give one */
size_t sched_queue_count(const struct sched_queue *q, enum sched_place place);

#endif
