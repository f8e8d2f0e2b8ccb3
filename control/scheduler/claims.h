/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SCHEDULER_CLAIMS_H
#define SCHEDULER_CLAIMS_H
/*
 * What a pod's claims ask of nodes (upstream's volumebinding binder.go): the volumes that they have are somewhere; for those
 * that wait for a pod there is a volume, or one can be made there. Read once, then held against nodes.
 */
#include "node_selector.h"
#include "xb/volumes.h"

struct sched_candidate {
	struct xb_jv volume;
	struct xb_volume_rank rank;
	uint32_t host;                  /* host name of the only nodes that reach it, 0: affinity says which do */
	struct sched_node_selector affinity;
};
/* A claim that waits for a pod. */
struct sched_wish {
	struct xb_claim claim;
	struct xb_sv selected;          /* node on which its volume is to be made; {}: none yet */
	XB_VEC(struct sched_candidate) candidates; /* that it may have: by host, the one to choose first */
	bool made;                      /* a volume can be made */
	struct xb_jv topologies;        /* where; {}: anywhere */
};
struct sched_claims {
	XB_VEC(struct sched_node_selector) bound; /* where the volumes are that the claims have */
	bool lost;                      /* one of those is not there */
	XB_VEC(struct sched_wish) wishes; /* the smallest first */
	uint32_t host_label;
	struct xb_jv *chosen;           /* by sched_claims_fit, for each wish: the volume; {}: one is to be made */
	struct xb_buf refusal;          /* why no node will do; empty: some may */
};
/* In place of what s held; objects must not change meanwhile. 0 or -ENOMEM. */
int sched_claims_read(struct sched_claims *s, struct sched_cache *c, const struct sched_pod *p);
void sched_claims_done(struct sched_claims *s);

enum { SCHED_VOLUME_ELSEWHERE = 1, SCHED_NO_VOLUME = 2, SCHED_VOLUME_LOST = 4 };
/* Why they keep the pod from that node; 0: they do not, and it is chosen what they would get there. */
unsigned sched_claims_fit(const struct sched_claims *s, const struct sched_node *node);
bool sched_claims_are_bound(struct sched_cache *c, const struct sched_pod *p); /* nothing has to be done for any of them */

#endif
