/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SCHEDULER_DOMAINS_H
#define SCHEDULER_DOMAINS_H
/* A number for each value of a topology key: what the nodes of that value have together. */
#include "../cache.h"

struct sched_domains {
	const struct sched_column *column;
	XB_VEC(int64_t) sums;   /* by the column's numbers; [0] is of nodes without the label */
};
void sched_domains_done(struct sched_domains *d);
int sched_domains_start(struct sched_domains *d, struct sched_cache *c, uint32_t key); /* all 0. 0 or -ENOMEM */
void sched_domains_add(struct sched_domains *d, const struct sched_counts *counts);    /* of all nodes */
static inline int64_t sched_domains_get(const struct sched_domains *d, uint32_t node)
{
	return d->sums.v[d->column->domain.v[node]];
}
static inline bool sched_domains_has(const struct sched_domains *d, uint32_t node) /* the node has the label */
{
	return d->column->domain.v[node] != 0;
}

#endif
