/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <stdio.h>

#include "xb/ip.h"

int xb_ip_parse(struct xb_sv text, struct xb_ip *ret)
{
	struct xb_ip ip = { .family = text.n && memchr(text.p, ':', text.n) ? AF_INET6 : AF_INET };
	char copy[INET6_ADDRSTRLEN];

	if (!text.n || text.n >= sizeof(copy) || memchr(text.p, '\0', text.n))
		return -EINVAL;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (inet_pton(ip.family, copy, ip.b) != 1)
		return -EINVAL;
	*ret = ip;
	return 0;
}

int xb_net_parse(struct xb_sv text, struct xb_net *ret)
{
	struct xb_sv rest = text, address;
	struct xb_net n;
	uint64_t bits;

	if (!xb_sv_split(&rest, '/', &address) || xb_ip_parse(address, &n.ip) < 0 || !rest.n || rest.n > 3 ||
	    xb_sv_u64(rest, &bits) < 0 || bits > 8 * xb_ip_bytes(n.ip.family))
		return -EINVAL;
	n.bits = (unsigned)bits;
	*ret = n;
	return 0;
}

struct xb_ip_text xb_ip_format(const struct xb_ip *ip)
{
	struct xb_ip_text t = { "none" };

	if (ip->family != AF_UNSPEC)
		inet_ntop(ip->family, ip->b, t.s, sizeof(t.s));
	return t;
}

struct xb_ip_text xb_net_format(const struct xb_net *n)
{
	struct xb_ip_text t = xb_ip_format(&n->ip);
	size_t end = strlen(t.s);

	snprintf(t.s + end, sizeof(t.s) - end, "/%u", n->bits);
	return t;
}

/* The byte at i of a mask of so many bits. */
static unsigned char mask_at(unsigned bits, unsigned i)
{
	return bits >= 8 * i + 8 ? 0xff : bits <= 8 * i ? 0 : (unsigned char)(0xff << (8 - bits % 8));
}

struct xb_net xb_net_of(const struct xb_ip *ip, unsigned bits)
{
	struct xb_net n = { *ip, bits };

	for (unsigned i = 0; i < xb_ip_bytes(ip->family); i++)
		n.ip.b[i] &= mask_at(bits, i);
	return n;
}

struct xb_net xb_net_host(const struct xb_ip *ip)
{
	return (struct xb_net){ *ip, 8 * xb_ip_bytes(ip->family) };
}

bool xb_net_contains(const struct xb_net *n, const struct xb_ip *ip)
{
	for (unsigned i = 0; i < xb_ip_bytes(n->ip.family); i++)
		if ((n->ip.b[i] ^ ip->b[i]) & mask_at(n->bits, i))
			return false;
	return n->ip.family == ip->family;
}

struct xb_ip xb_ip_add(const struct xb_ip *ip, uint64_t n)
{
	struct xb_ip sum = *ip;
	unsigned __int128 carry = n;

	for (unsigned i = xb_ip_bytes(ip->family); i-- > 0; carry >>= 8) {
		carry += sum.b[i];
		sum.b[i] = (unsigned char)carry;
	}
	return sum;
}

int xb_ip_cmp(const struct xb_ip *a, const struct xb_ip *b)
{
	return a->family != b->family ? (a->family == AF_INET ? -1 : 1) : memcmp(a->b, b->b, sizeof(a->b));
}

struct xb_ip xb_net_last(const struct xb_net *n)
{
	struct xb_ip last = xb_net_of(&n->ip, n->bits).ip;

	for (unsigned i = 0; i < xb_ip_bytes(n->ip.family); i++)
		last.b[i] |= (unsigned char)~mask_at(n->bits, i);
	return last;
}
