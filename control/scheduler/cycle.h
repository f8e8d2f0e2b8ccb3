/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SCHEDULER_CYCLE_H
#define SCHEDULER_CYCLE_H
/*
 * One decision: the nodes that a pod fits on, and the best of them (upstream's schedule_one.go). In a large cluster nodes are
 * tried until enough fit: that many are compared, and the next pod's trial goes on where this one's ended.
 */
#include "config.h"

struct sched_cycle;
struct sched_cycle_config {
	const struct sched_profile *profile; /* borrowed */
	uint64_t seed;          /* of the choice among equals */
};
/* -EINVAL: arguments of a plugin; reterr_why: a sentence, the caller's to free. -ENOMEM. */
int sched_cycle_new(const struct sched_cycle_config *c, struct sched_cycle **ret, char **reterr_why);
struct sched_cycle *sched_cycle_free(struct sched_cycle *y);
XB_DEFINE_CLEANUP(struct sched_cycle *, sched_cycle_free)

/*
 * Within sched_cycle_begin and sched_cycle_end: room that is being made for pods that are not less important than p is taken
 * meanwhile. begin: 0 or -ENOMEM, to be ended in either case.
 */
int sched_cycle_begin(struct sched_cache *c, const struct sched_pod *p);
void sched_cycle_end(struct sched_cache *c, const struct sched_pod *p);
/* 0 and the node; -ENOENT: none, and p->failed has a bit for each plugin that refused nodes; -ENOMEM. Changes nothing else but
 * the rules that p gets from the profile. */
int sched_cycle_pick(struct sched_cycle *y, struct sched_cache *c, struct sched_pod *p, uint32_t *ret);
/*
 * Why there is none, after -ENOENT: "0/3 nodes are available: 1 Insufficient cpu, 2 Too many pods." Appended. verdicts:
 * by number of the node, of nodes that are there; NULL when they are not asked for.
 */
int sched_cycle_explain(struct sched_cycle *y, struct sched_cache *c, const struct sched_pod *p, struct xb_buf *out,
			enum sched_verdict *verdicts);
/* Does p, the one of the last pick or explain, fit on that node, as other pods are now; why: NULL, or gets the reasons against
 * it. 1, 0 or -ENOMEM. */
int sched_cycle_fits(struct sched_cycle *y, struct sched_cache *c, const struct sched_pod *p, uint32_t node, struct sched_reasons *why);

/* Is p, which was refused, worth another try after that change (upstream's QueueingHints). */
bool sched_cycle_worth(struct sched_cache *c, const struct sched_pod *p, const struct sched_change *change);

/* How many nodes that fit are enough. percentage: of all; 0: 50 less one for each 125 nodes, at least 5. At least 100 nodes. */
size_t sched_cycle_enough(unsigned percentage, size_t nodes);

#endif
