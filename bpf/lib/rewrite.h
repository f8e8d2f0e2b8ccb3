/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef REWRITE_H
#define REWRITE_H
/*
 * A packet takes another tuple. Checksums follow by difference (RFC 1624), so a packet that was damaged stays so. Besides
 * what packet.h wants, who includes this defines fix_checksum(), which brings two differences into the checksum of layer 4:
 * addresses are in its pseudo-header only. A later fragment has no such checksum.
 */
#include "lib/packet.h"

static __always_inline void fix_checksum(CTX *ctx, const struct packet *p, __u32 addresses, __u32 rest);

static __always_inline __u32 add32(__u32 a, __u32 b)
{
	__u32 sum = a + b;

	return sum + (sum < a);
}

static __always_inline __u16 fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

static __always_inline __u32 sum_words(const __be32 *v, int n, __u32 sum)
{
	for (int i = 0; i < n; i++)
		sum = add32(sum, v[i]);
	return sum;
}

/* What changes in a sum when one word takes the place of another. */
static __always_inline __u32 difference(__u32 was, __u32 now)
{
	return add32(~was, now);
}

static __always_inline __u32 difference16(__be16 was, __be16 now)
{
	return add32(0xffff & ~was, now);
}

static __always_inline __u32 difference_of_addr(const union xb_ip6 *was, const union xb_ip6 *now, bool v4)
{
	__u32 sum = difference(was->be32[3], now->be32[3]);

	if (v4)
		return sum;
	for (int i = 0; i < 3; i++)
		sum = add32(sum, difference(was->be32[i], now->be32[i]));
	return sum;
}

static __always_inline __be16 fixed(__be16 check, __u32 diff)
{
	return ~fold(add32(0xffff & ~check, diff));
}

/* False: the packet is shorter than it was. */
static __always_inline bool put_addrs(CTX *ctx, __u16 l3, bool v4, const union xb_ip6 *src, const union xb_ip6 *dst)
{
	if (v4) {
		struct ip4_header *ip = header_at(ctx, l3, sizeof(*ip));

		if (!ip)
			return false;
		ip->check = fixed(ip->check, add32(difference(ip->src, src->be32[3]), difference(ip->dst, dst->be32[3])));
		ip->src = src->be32[3];
		ip->dst = dst->be32[3];
	} else {
		struct ip6_header *ip = header_at(ctx, l3, sizeof(*ip));

		if (!ip)
			return false;
		copy6(ip->src, src->be32);
		copy6(ip->dst, dst->be32);
	}
	return true;
}

static __always_inline bool put_ports(CTX *ctx, __u16 l4, __u16 sport, __u16 dport, __u32 *ret_diff)
{
	struct ports_header *ports = header_at(ctx, l4, sizeof(*ports));
	__be16 src = bpf_htons(sport), dst = bpf_htons(dport);

	if (!ports)
		return false;
	*ret_diff = add32(difference16(ports->src, src), difference16(ports->dst, dst));
	ports->src = src;
	ports->dst = dst;
	return true;
}

static __always_inline bool put_hops(CTX *ctx, const struct packet *p, __u8 hops)
{
	if (p->v4) {
		struct ip4_header *ip = header_at(ctx, p->l3, sizeof(*ip));

		if (!ip)
			return false;
		ip->check = fixed(ip->check, difference16(bpf_htons(ip->ttl << 8), bpf_htons(hops << 8)));
		ip->ttl = hops;
	} else {
		struct ip6_header *ip = header_at(ctx, p->l3, sizeof(*ip));

		if (!ip)
			return false;
		ip->hop_limit = hops;
	}
	return true;
}

/* As a router does. False when it had its last hop. */
static __always_inline bool count_hop(CTX *ctx, const struct packet *p)
{
	return p->ttl >= 2 && put_hops(ctx, p, p->ttl - 1);
}

static __always_inline bool rewrite(CTX *ctx, const struct packet *p, const struct xb_tuple *now)
{
	__u32 addresses = add32(difference_of_addr(&p->t.src, &now->src, p->v4), difference_of_addr(&p->t.dst, &now->dst, p->v4));
	__u32 ports = 0;

	if (!put_addrs(ctx, p->l3, p->v4, &now->src, &now->dst))
		return false;
	if (!p->later && !put_ports(ctx, p->l4, now->sport, now->dport, &ports))
		return false;
	fix_checksum(ctx, p, addresses, ports);
	return true;
}

/*
 * An error about a packet of a flow, as the flow's other end knows that packet. now: what an answer to the packet becomes. The
 * sender stays, unless it is the backend itself. The sum over an IPv4 header is zero with its own checksum, so there only ports
 * change the sum of the ICMP message.
 */
static __always_inline bool rewrite_error(CTX *ctx, const struct packet *p, const struct xb_tuple *now)
{
	union xb_ip6 sender, to;
	__u32 addresses, rest = 0;

	if (p->v4) {
		const struct ip4_header *ip = header_at(ctx, p->l3, sizeof(*ip));

		if (!ip)
			return false;
		map4(&sender, ip->src);
		map4(&to, ip->dst);
	} else {
		const struct ip6_header *ip = header_at(ctx, p->l3, sizeof(*ip));

		if (!ip)
			return false;
		copy6(sender.be32, ip->src);
		copy6(to.be32, ip->dst);
	}
	addresses = difference_of_addr(&to, &now->dst, p->v4);
	if (addr_equal(&sender, &p->t.src)) {
		addresses = add32(addresses, difference_of_addr(&sender, &now->src, p->v4));
		sender = now->src;
	}
	if (!put_ports(ctx, p->inner_l4, now->dport, now->sport, &rest) ||
	    !put_addrs(ctx, p->inner_l3, p->v4, &now->dst, &now->src) || !put_addrs(ctx, p->l3, p->v4, &sender, &now->dst))
		return false;
	if (!p->v4)
		rest = add32(rest, add32(difference_of_addr(&p->t.src, &now->src, false), difference_of_addr(&p->t.dst, &now->dst, false)));
	fix_checksum(ctx, p, p->v4 ? 0 : addresses, rest);
	return true;
}

#endif
