/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_NODE_EVICT_H
#define KUBELET_NODE_EVICT_H
/* Which pod goes first when something runs short, and what it is told: upstream's order and words. Pure. */
#include "pressure.h"

struct candidate {
	struct xb_jv pod, status;       /* each holds a reference to its document */
	uint64_t usage, request;        /* of the signal's resource */
};
bool evict_is_critical(struct xb_jv pod);               /* static, a mirror, or of priority 2000000000 or more: never evicted */
uint64_t evict_request(struct xb_jv pod, enum signal s); /* what it asked for; 0 of what cannot be asked for */
/* Those that use more than they asked for first, then by priority, then by how much more. */
void evict_rank(struct candidate *c, size_t n, enum signal s);
/* "The node was low on resource: memory. Threshold quantity: 100Mi, available: 90Mi. " Appended. */
void evict_write_cause(const struct threshold *t, const struct observation *o, struct xb_buf *out);
/* "Container x was using 20Mi, request is 0, has larger consumption of memory. ", when that is so. Appended. */
void evict_write_container(struct xb_jv container, enum signal s, uint64_t usage, struct xb_buf *out);

/* May the pod's files take only so much: an emptyDir on disk with a sizeLimit, or a container with a limit of ephemeral-storage? */
bool evict_has_disk_limit(struct xb_jv pod);
/* More than all its containers may: that, in upstream's words, appended. False: no. */
bool evict_write_over_limit(struct xb_jv pod, uint64_t bytes, struct xb_buf *out);

#endif
