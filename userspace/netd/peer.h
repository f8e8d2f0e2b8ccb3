/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NETD_PEER_H
#define NETD_PEER_H
/* What a Node object says about the network: whose pods are where. */
#include "xb/ip.h"
#include "xb/json.h"

#define FAMILIES 2                  /* 0: IPv4, 1: IPv6 */

struct peer {
	struct xb_net cidrs[FAMILIES];  /* spec.podCIDRs; AF_UNSPEC: none */
	struct xb_ip ips[FAMILIES];     /* the first InternalIP of each family */
	int primary;                    /* the family of the first of all: by it machines reach each other */
};
void peer_read(struct xb_jv node, struct peer *ret); /* what it cannot read is not there */
bool peer_eq(const struct peer *a, const struct peer *b);

static inline int family_index(int family)
{
	return family == AF_INET6;
}

#endif
