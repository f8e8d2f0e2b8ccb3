/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SCHEDULER_PREEMPT_H
#define SCHEDULER_PREEMPT_H
/*
 * Which less important pods would have to go for a pod to fit on a node (upstream's framework/preemption): tried on the cache
 * itself, which is as before afterwards. No more of them than needed; disruption budgets are kept where that is possible.
 */
#include "cycle.h"

struct sched_budget {           /* a PodDisruptionBudget */
	struct xb_sv namespace_;
	struct xb_selector *selector;
	int64_t allowed;        /* status.disruptionsAllowed */
	struct xb_jv disrupted; /* status.disruptedPods: those do not count again */
};
struct sched_victims {
	uint32_t node;
	XB_VEC(struct sched_pod *) pods; /* the most important first; borrowed */
	size_t n_violating;     /* how many of them a budget would keep */
};
struct sched_preemption {
	struct sched_cycle *cycle;
	struct sched_cache *cache;
	struct sched_pod *pod;
	const enum sched_verdict *verdicts; /* sched_cycle_explain's */
	struct sched_budget *budgets;
	size_t n_budgets;
	uint64_t random;        /* from which node on they are tried */
};
/*
 * After sched_cycle_explain for the same pod, within the same sched_cycle_begin and sched_cycle_end.
 * 0 and the node and pods. -ENOENT: none, and why is appended: "preemption: 0/3 nodes are available: ...". -ENOMEM.
 * ret is the caller's to release with xb_vec_done(&ret->pods).
 */
int sched_preempt(const struct sched_preemption *x, struct xb_buf *why, struct sched_victims *ret);

#endif
