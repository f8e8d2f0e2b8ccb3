/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NETD_RECONCILE_H
#define NETD_RECONCILE_H
/* Inside of routes.h: the state, and the comparison of all that is wanted with all that is there. */
#include "routes.h"
#include "xb/vec.h"

struct route_list {
	struct xb_route *v;
	size_t n, cap;
};
struct neigh_list {
	struct xb_neigh *v;
	size_t n, cap;
};
struct routes {
	struct routes_config c;
	struct xb_netlink *netlink;
	struct peer self;
	uint32_t underlay;          /* the link with our primary InternalIP; 0: none has it */
	uint32_t link_mtu;
	uint32_t vxlan;             /* index of our device; 0: there is none */
	XB_VEC(uint32_t) links;     /* by which our routes go */
	uint64_t repairs;
	bool begun;                 /* once all was as it should be */
};
/* Paths of all are planned and the device is there. Faults of single ones are noted in them. */
int reconcile(struct routes *r, struct target *const *all, size_t n, char **reterr_why);

#endif
