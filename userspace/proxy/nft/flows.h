/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NFT_FLOWS_H
#define NFT_FLOWS_H
/*
 * conntrack's entries of UDP. NAT is decided by the first packet of a flow, and a flow of UDP ends only by silence: a client
 * that goes on sending would be sent to a backend that is gone for ever. So the entries of such a backend are deleted, and the
 * next packet is a first one again. TCP ends by itself.
 */
#include "xb/plan.h"
#include "xb/netlink.h"

/* A flow that was sent elsewhere: where its client sent it, and where it went. */
struct nft_flow {
	struct xb_plan_backend to, by; /* without local */
};
/*
 * Deletes those flows that went to a backend and are stale in the eyes of the caller. The kernel looks through its table and
 * hands out those of that address and port alone (CTA_FILTER, Linux 5.9): some ms for a table of 262144 buckets. Returns
 * how many were deleted.
 */
int nft_flows_end(struct xb_netlink *n, int family, const struct xb_plan_backend *by, bool (*stale)(void *arg, const struct nft_flow *f),
		  void *arg);

/* Of an entry, as the kernel tells it; false when it is of no such flow. Outside bytes: nothing is trusted. */
bool nft_flow_read(const struct nlmsghdr *h, int family, struct nft_flow *ret);

#endif
