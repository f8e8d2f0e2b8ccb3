/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NETD_PATH_H
#define NETD_PATH_H
/*
 * How the pods of another node are reached, as what the kernel is to hold for it.
 *
 * Directly: a route to its pods by its InternalIP, which is on a link that both share. By VXLAN: a route by the first address of its pods'
 * network, which its VXLAN device has, a neighbour entry for that and a forwarding entry for the hardware address behind it. Hardware
 * addresses follow from InternalIPs, so nodes tell each other nothing besides their Node objects; nothing is learned and nothing flooded.
 */
#include "peer.h"
#include "xb/netlink.h"

/* rtm_protocol of our routes, by which they are known: used by none in the kernel's header or iproute2's list. */
#define PATH_PROTOCOL 88

enum mode { MODE_AUTO, MODE_DIRECT, MODE_VXLAN };
enum way { WAY_NONE, WAY_DIRECT, WAY_VXLAN };

struct path {
	enum way way[FAMILIES];
	struct xb_route routes[FAMILIES];
	struct xb_neigh neighs[FAMILIES];   /* of WAY_VXLAN */
	struct xb_neigh entry;              /* the forwarding entry; ip is AF_UNSPEC when no way needs one */
};
struct path_from {
	enum mode mode;
	const struct peer *self;
	uint32_t vxlan;             /* index of the device; 0: not there yet, and what is planned with it is to be planned anew */
	/* Whether a packet to ip goes to its link as it is, and by which. 0, or -errno when it goes nowhere. */
	int (*on_link)(void *arg, const struct xb_ip *ip, bool *ret, uint32_t *ret_ifindex);
	void *arg;
};
/* -errno with a sentence when a family's pods cannot be reached; the other's way is in *ret all the same. */
int path_plan(const struct path_from *from, const struct peer *peer, struct path *ret, char **reterr_why);
bool path_uses_vxlan(const struct path *p);
void path_mac(const struct xb_ip *internal, unsigned char ret[6]); /* of the VXLAN device of the node with that InternalIP */
/* What a VXLAN adds to a packet: an Ethernet header, its own, UDP's and that of the IP in which it goes (RFC 7348). */
unsigned path_overhead(int outer);
/* Alike as far as we set it. */
bool path_same_route(const struct xb_route *want, const struct xb_route *have);
bool path_same_neigh(const struct xb_neigh *want, const struct xb_neigh *have);

#endif
