/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CNI_ATTACH_H
#define CNI_ATTACH_H
/*
 * A pod's link: a veth pair and nothing between its ends and the node's routes. In the pod the interface has its addresses as /32 and
 * /128, and default routes by 169.254.1.1 and fe80::1, which are nobody's: permanent neighbour entries on both sides say whose
 * hardware address they are. So no ARP or neighbour discovery happens, nothing answers for others, and the first packet waits for
 * nothing. On the node there is a route to each address by the pod's device; a strict reverse path filter there holds the pod to its
 * IPv4 addresses.
 *
 * The device's name and the hardware addresses follow from the container's id, so what a call left that died is found by the next.
 */
#include <net/if.h>
#include "config.h"

struct attachment {
	const char *container, *ifname, *netns;
	struct xb_ip ips[2];        /* IPv4, IPv6; AF_UNSPEC: none */
	uint32_t mtu;               /* 0: that of the node's default route; what was taken after attach_add */
	char host_name[IFNAMSIZ];   /* "xb" and 12 hexadecimal digits */
	unsigned char mac[6], host_mac[6];
};
/* Names and hardware addresses, of container and ifname. */
void attach_name(struct attachment *a);
int attach_add(struct attachment *a, struct cni_fault *f);      /* what a call left that died goes first; nothing stays when it fails */
int attach_del(const struct attachment *a, struct cni_fault *f); /* no fault when it is not there */
int attach_check(const struct attachment *a, struct cni_fault *f);
struct xb_ip attach_gateway(int family);

int loopback_set(const char *netns, bool up, struct cni_fault *f);
int loopback_check(const char *netns, struct cni_fault *f);

#endif
