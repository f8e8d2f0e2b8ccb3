/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_NODE_THRESHOLDS_H
#define KUBELET_NODE_THRESHOLDS_H
/* When a node is under pressure: upstream's eviction signals and thresholds. Pure. */
#include "xb/json.h"
#include "xb/quantity.h"
#include "xb/vec.h"

enum signal { SIGNAL_MEMORY, SIGNAL_NODEFS, SIGNAL_NODEFS_INODES, SIGNAL_IMAGEFS, SIGNAL_IMAGEFS_INODES, SIGNAL_PID, SIGNALS };
const char *signal_name(enum signal s);                 /* "memory.available" */
const char *signal_resource(enum signal s);             /* "memory", "ephemeral-storage", "inodes", "pids": in messages */
enum pressure { PRESSURE_MEMORY, PRESSURE_DISK, PRESSURE_PID, PRESSURES };
enum pressure signal_pressure(enum signal s);

struct amount {                         /* of a threshold: percent of the capacity, or a quantity */
	bool is_percent;
	double percent;                 /* 0 to 100 */
	struct xb_quantity quantity;
};
uint64_t amount_of(const struct amount *a, uint64_t capacity);

struct threshold {
	enum signal signal;
	struct amount amount;
	bool hard;
	uint64_t grace_ms;              /* how long it is to be met before something is done; hard: 0 */
};
struct node_thresholds {
	XB_VEC(struct threshold) all;   /* hard before soft, each by signal */
	struct amount reclaim[SIGNALS]; /* evictionMinimumReclaim; {} is 0 */
	uint64_t transition_ms;         /* a condition stays for so long after the last time it was met */
	uint64_t max_pod_grace_s;
};
/* What is kept free of a resource by hard thresholds: taken off what pods may have. */
uint64_t thresholds_kept(const struct node_thresholds *t, enum signal s, uint64_t capacity);

#endif
