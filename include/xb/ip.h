/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_IP_H
#define XB_IP_H
/* IP addresses and networks as values. Bytes are in network order; IPv4 in the first four, the others are zero. */
#include <netinet/in.h>
#include "xb/str.h"

struct xb_ip {
	int family;                 /* AF_INET, AF_INET6; AF_UNSPEC: none */
	unsigned char b[16];
};
struct xb_net {
	struct xb_ip ip;            /* what is behind the prefix may be set: an address on an interface has it */
	unsigned bits;
};
struct xb_ip_text {
	char s[INET6_ADDRSTRLEN + 4]; /* room for "/128" */
};

int xb_ip_parse(struct xb_sv text, struct xb_ip *ret);   /* "10.0.0.1", "fd00::1"; -EINVAL */
int xb_net_parse(struct xb_sv text, struct xb_net *ret); /* "10.0.0.0/8"; -EINVAL */
struct xb_ip_text xb_ip_format(const struct xb_ip *ip);
struct xb_ip_text xb_net_format(const struct xb_net *n);

static inline unsigned xb_ip_bytes(int family)
{
	return family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
}
static inline bool xb_ip_eq(const struct xb_ip *a, const struct xb_ip *b)
{
	return a->family == b->family && !memcmp(a->b, b->b, sizeof(a->b));
}
static inline bool xb_net_eq(const struct xb_net *a, const struct xb_net *b)
{
	return a->bits == b->bits && xb_ip_eq(&a->ip, &b->ip);
}
struct xb_net xb_net_of(const struct xb_ip *ip, unsigned bits);  /* without what is behind the prefix */
struct xb_net xb_net_host(const struct xb_ip *ip);               /* /32 or /128 */
bool xb_net_contains(const struct xb_net *n, const struct xb_ip *ip);
/* Addresses are counted: the one that is n behind; as a number; and the last of a network. Wraps around. */
struct xb_ip xb_ip_add(const struct xb_ip *ip, uint64_t n);
int xb_ip_cmp(const struct xb_ip *a, const struct xb_ip *b);     /* IPv4 before IPv6 */
struct xb_ip xb_net_last(const struct xb_net *n);

#endif
