/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SCHEDULER_SCHEDULER_H
#define SCHEDULER_SCHEDULER_H
/*
 * The scheduler at work: follows the cluster (follow.c), decides a pod after the other while the API server keeps up with what
 * is written (decide.c), makes room by sending pods away (evict.c).
 */
#include <sys/queue.h>
#include "api.h"
#include "cycle.h"
#include "metrics.h"
#include "queue.h"
#include "xb/cache.h"
#include "xb/recorder.h"

struct scheduler {
	/* the caller's */
	struct xb_rest *rest;
	struct xb_recorder *recorder;
	struct sched_metrics *metrics;
	const struct sched_config *config;
	/* own */
	uv_loop_t *loop;
	uv_idle_t busy;                 /* runs while there is something to decide */
	uv_timer_t tick;
	unsigned handles;
	struct xb_cache *copies;
	struct xb_informer *budgets;
	struct sched_cache *cache;
	struct sched_queue *queue;
	XB_VEC(struct sched_cycle *) cycles; /* one a profile */
	struct sched_api *api;
	LIST_HEAD(, sched_reservation) reservations;
	unsigned n_reserving;           /* reservations that are being written */
	uint64_t random;
};
struct scheduler_config {
	struct xb_rest *rest;
	struct xb_recorder *recorder;
	struct sched_metrics *metrics;
	const struct sched_config *config;
	uint64_t seed;
};
/* Borrows everything. -EINVAL: the configuration; reterr_why: a sentence, the caller's to free. -ENOMEM. */
int scheduler_new(const struct scheduler_config *c, struct scheduler **ret, char **reterr_why);
struct scheduler *scheduler_free(struct scheduler *s);  /* before its rest and recorder; the loop must turn once more */
void scheduler_gauges(const struct scheduler *s, struct sched_gauges *ret);

/* Between its files */
static inline const struct sched_profile *sched_profile_of(const struct scheduler *s, const struct sched_pod *p)
{
	return &s->config->profiles.v[p->profile];
}
static inline struct sched_cycle *sched_cycle_of(const struct scheduler *s, const struct sched_pod *p)
{
	return s->cycles.v[p->profile];
}
const struct xb_kind *sched_kind(const char *group, const char *version, const char *plural);
int sched_follow(struct scheduler *s);                  /* makes the copies. 0 or -ENOMEM */
void sched_wake(struct scheduler *s, const struct sched_change *change); /* pods that the change may help are tried again */
void sched_wake_for_room(struct scheduler *s, const struct sched_pod *p, uint32_t node); /* p has left that node */
void sched_work(struct scheduler *s);                   /* there may be something to decide */
void sched_decide(struct scheduler *s, struct sched_pod *p);
void sched_bind(struct scheduler *s, struct sched_pod *p);       /* to the node on which it counts */
/* It counts on its node no more, and is tried again; why is told. */
void sched_take_back(struct scheduler *s, struct sched_pod *p, struct xb_sv why);
/* Gets volumes on p's node for its claims: 1: it is bound, or taken back, when they have them; 0: they have; -errno. */
int sched_reserve(struct scheduler *s, struct sched_pod *p);
void sched_unreserve(struct scheduler *s, struct sched_pod *p);         /* what is reserved for it, if anything, is free again */
void sched_reserve_look(struct scheduler *s, struct xb_sv claim);       /* that claim has changed */
void sched_reserve_tick(struct scheduler *s, int64_t now);
void sched_reserve_done(struct scheduler *s);           /* drops what is under way */
/* Makes room for p: 0 and the node on which; -ENOENT and why there is none appended to the message; -ENOMEM. */
int sched_evict(struct scheduler *s, struct sched_pod *p, const enum sched_verdict *verdicts, struct xb_buf *message, uint32_t *ret);
void sched_tell(struct scheduler *s, const struct sched_pod *p, const char *scheduler, enum xb_event_type type, const char *reason,
		struct xb_sv message);

#endif
