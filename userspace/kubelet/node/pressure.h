/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_NODE_PRESSURE_H
#define KUBELET_NODE_PRESSURE_H
/* What is left of memory, disks and process IDs, and what follows from it: upstream's eviction manager without its deeds. */
#include "thresholds.h"

struct observation {
	bool known;
	uint64_t available, capacity;
};
/* Reads what there is: proc ("/proc"), the file systems of the two folders; imagefs NULL: not known. Some five small reads. */
void observe(const char *proc, const char *nodefs, const char *imagefs, struct observation ret[SIGNALS]);

/* Pure: which thresholds are met, for how long, and what the node is told to be under. */
struct pressure_state {
	const struct node_thresholds *thresholds; /* borrowed */
	bool *met;                      /* each threshold: now */
	uint64_t *since_ms;             /* each threshold: since when it is met */
	uint64_t last_ms[PRESSURES];    /* when it was last met */
	bool under[PRESSURES];          /* the conditions */
};
int pressure_new(const struct node_thresholds *t, struct pressure_state **ret);
struct pressure_state *pressure_free(struct pressure_state *p);
XB_DEFINE_CLEANUP(struct pressure_state *, pressure_free)
/* now_ms: monotonic, not 0. */
void pressure_observe(struct pressure_state *p, const struct observation o[SIGNALS], uint64_t now_ms);
/* What is to be relieved: memory before the rest, in the order of thresholds; NULL: nothing, or its grace runs. */
const struct threshold *pressure_worst(const struct pressure_state *p, uint64_t now_ms);

#endif
