/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SCHEDULER_METRICS_H
#define SCHEDULER_METRICS_H
/* What is counted, by upstream's names. Times in seconds. */
#include <stdint.h>
#include "xb/str.h"

#define SCHED_MAX_PROFILES 16
#define SCHED_BUCKETS 15        /* 1 ms, doubled */
#define SCHED_LONG_BUCKETS 20   /* 10 ms, doubled */

enum sched_result { SCHED_SCHEDULED, SCHED_UNSCHEDULABLE_RESULT, SCHED_ERROR, SCHED_RESULTS };
struct sched_histogram {
	uint64_t counts[SCHED_LONG_BUCKETS + 1];
	double sum;
};
struct sched_metrics {
	const char *profiles[SCHED_MAX_PROFILES]; /* their names, which need no escape; borrowed */
	unsigned n_profiles;
	/* from taking up a pod to its binding, or to the failure */
	struct sched_histogram attempts[SCHED_MAX_PROFILES][SCHED_RESULTS];
	struct sched_histogram algorithm;       /* finding the node */
	struct sched_histogram sli;             /* from the first wish for a node to the binding */
	uint64_t preemption_attempts, preemption_victims;
};
/* Of the moment of asking. */
struct sched_gauges {
	uint64_t active, backoff, unschedulable, gated, nodes, pods, assumed;
};
void sched_metrics_attempt(struct sched_metrics *m, unsigned profile, enum sched_result result, double seconds);
void sched_metrics_algorithm(struct sched_metrics *m, double seconds);
void sched_metrics_bound(struct sched_metrics *m, double seconds);
void sched_metrics_write(const struct sched_metrics *m, const struct sched_gauges *g, struct xb_buf *out);

#endif
