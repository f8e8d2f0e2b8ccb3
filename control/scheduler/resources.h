/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SCHEDULER_RESOURCES_H
#define SCHEDULER_RESOURCES_H
/* Amounts of resources: what a node has to give, what a pod asks for. Processor time in thousandths, all else in whole units. */
#include <stdint.h>
#include "names.h"
#include "xb/json.h"
#include "xb/vec.h"

enum sched_resource { SCHED_CPU, SCHED_MEMORY, SCHED_STORAGE, SCHED_PODS, SCHED_RESOURCES };
struct sched_extra {
	uint32_t name;          /* of an extended resource, huge pages, ... */
	int64_t n;
};
struct sched_resources {
	int64_t v[SCHED_RESOURCES];
	XB_VEC(struct sched_extra) extra;
};
void sched_resources_done(struct sched_resources *r);
/* Adds a ResourceList ({"cpu": "100m"}). What is no quantity counts as nothing. 0 or -ENOMEM. */
int sched_resources_read(struct sched_resources *r, struct sched_names *names, struct xb_jv list);
int sched_resources_add(struct sched_resources *r, const struct sched_resources *more);    /* 0 or -ENOMEM */
void sched_resources_sub(struct sched_resources *r, const struct sched_resources *less);   /* what was added before */
int sched_resources_max(struct sched_resources *r, const struct sched_resources *other);   /* each at least the other's; 0 or -ENOMEM */
int64_t sched_resources_extra(const struct sched_resources *r, uint32_t name);

/* What a pod asks for (component-helpers resource.PodRequests): its containers together, or where that is more, what its init
 * containers need one after the other beside the sidecars so far; and its overhead. ret is added to. 0 or -ENOMEM. */
int sched_resources_of_pod(struct sched_names *names, struct xb_jv spec, struct sched_resources *ret);
/* The same for scores: a container that says nothing counts as 100m and 200Mi. [0]: processor, [1]: memory. */
int sched_resources_nonzero(struct sched_names *names, struct xb_jv spec, int64_t ret[2]);

#endif
