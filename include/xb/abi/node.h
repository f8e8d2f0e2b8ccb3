/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_ABI_NODE_H
#define XB_ABI_NODE_H
/* xb_node, one record, mmap-able: what programs must know of the node and of the cluster's networks. Written in place, so a
 * packet may see part of a change. */
#include "xb/abi/types.h"

#define XB_NETS_MAX 8

/* An address is in it when (address & mask) == addr. A mask that begins with zero ends a list. */
struct xb_net4 {
	union xb_ip4 addr, mask;
};
struct xb_net6 {
	union xb_ip6 addr, mask;
};

struct xb_node {
	union xb_ip4 addr4;             /* what masquerading puts as source; 0: the node has none */
	__u16 nat_first, nat_count;     /* source ports of masquerading, host order; no socket of the node uses them by itself */
	union xb_ip6 addr6;
	/* where pods live: their clients are inside the cluster, and what they send is not masqueraded */
	struct xb_net4 pods4[XB_NETS_MAX];
	struct xb_net6 pods6[XB_NETS_MAX];
	/* where cluster IPs come from: what no service has there is refused. Empty: let through */
	struct xb_net4 services4[XB_NETS_MAX];
	struct xb_net6 services6[XB_NETS_MAX];
	__u8 masquerade_all;            /* also what pods send to cluster IPs */
	__u8 pad[7];
};

_Static_assert(sizeof(struct xb_node) == 24 + 2 * XB_NETS_MAX * (8 + 32) + 8, "no hidden padding");

#endif
