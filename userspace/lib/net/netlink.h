/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NET_NETLINK_H
#define NET_NETLINK_H
/* What the parts of xb/netlink.h share: making a request, sending it, reading attributes. */
#include <libmnl/libmnl.h>
#include "xb/netlink.h"

/* A request in n's buffer, of 4 KiB, with its fixed header; attributes follow by mnl_attr_put. */
struct nlmsghdr *netlink_begin(struct xb_netlink *n, uint16_t type, uint16_t flags, const void *header, size_t bytes);
/* Sends it and awaits the end. each: for what comes before that, NULL where nothing may; a dump when flags said so. */
int netlink_run(struct xb_netlink *n, struct nlmsghdr *h, int (*each)(void *arg, const struct nlmsghdr *h), void *arg);

static inline void netlink_put_ip(struct nlmsghdr *h, uint16_t type, const struct xb_ip *ip)
{
	if (ip->family != AF_UNSPEC)
		mnl_attr_put(h, type, xb_ip_bytes(ip->family), ip->b);
}

/* Attributes of a message behind a fixed header, and of a nest, by type; those beyond max are passed over. Whether the header fits. */
bool netlink_attrs(const struct nlmsghdr *h, size_t header, const struct nlattr **by_type, unsigned max);
void netlink_nested(const struct nlattr *nest, const struct nlattr **by_type, unsigned max);
/* Zero, empty, or AF_UNSPEC where the attribute is not there or not of that size. */
uint32_t netlink_u32(const struct nlattr *a);
void netlink_text(const struct nlattr *a, char *ret, size_t size);
void netlink_mac(const struct nlattr *a, unsigned char ret[6]);
struct xb_ip netlink_ip(const struct nlattr *a);

#endif
