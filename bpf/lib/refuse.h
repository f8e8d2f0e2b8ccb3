/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef REFUSE_H
#define REFUSE_H
/*
 * Packets that become their own answer: a TCP reset, an ICMP port unreachable, an echo reply. For tc only. What is sent is
 * never longer than what came plus the two headers, so nobody is answered with more than he sent by much.
 */
#include "lib/rewrite.h"

#define BPF_F_IPV6_ (1ull << 7)     /* of bpf_l4_csum_replace(), Linux 6.16: the sum of an IPv6 packet holds no header checksum */

/* The checksum's offset, 0 where there is none to follow. */
static __always_inline __u16 check_offset(const struct packet *p)
{
	if (p->kind == PACKET_ERROR)
		return p->l4 + 2;
	if (p->t.proto == XB_PROTO_TCP)
		return p->l4 + 16;
	return p->t.proto == XB_PROTO_UDP ? p->l4 + 6 : 0;
}

static __always_inline void fix_pseudo(CTX *ctx, const struct packet *p, __u16 offset, __u32 diff, __u64 flags)
{
	if (!p->v4 && bpf_l4_csum_replace(ctx, offset, 0, diff, flags | BPF_F_PSEUDO_HDR | BPF_F_IPV6_) != -EINVAL)
		return;
	bpf_l4_csum_replace(ctx, offset, 0, diff, flags | BPF_F_PSEUDO_HDR);
}

/* Whether layer 4 is summed later, by the device, and its checksum field holds the sum of the pseudo-header only. The kernel
 * does not say so, but it follows a difference the other way then. */
static __always_inline bool summed_later(CTX *ctx, const struct packet *p)
{
	__u16 offset = check_offset(p);
	__be16 *check = header_at(ctx, offset, sizeof(*check)), was;

	if (!offset || !check)
		return false;
	was = *check;
	if (!was && p->t.proto == XB_PROTO_UDP)
		return false;
	fix_pseudo(ctx, p, offset, 1, 0);
	check = header_at(ctx, offset, sizeof(*check));
	return check && *check != fixed(was, 1);
}

static __always_inline void swap_ethernet(CTX *ctx, __u16 l3)
{
	__u16 *mac = l3 ? header_at(ctx, 0, ETH_BYTES) : NULL;

	if (!mac)
		return;
	for (int i = 0; i < 3; i++) {
		__u16 was = mac[i];

		mac[i] = mac[i + 3];
		mac[i + 3] = was;
	}
}

static __always_inline __u32 sum_words(const __be32 *v, int n, __u32 sum)
{
	for (int i = 0; i < n; i++)
		sum = add32(sum, v[i]);
	return sum;
}

static __always_inline __u32 pseudo_sum(const struct packet *p, __u8 proto, __u16 len)
{
	__u32 sum = add32(bpf_htonl(proto), bpf_htonl(len));

	return sum_words(p->t.dst.be32 + (p->v4 ? 3 : 0), p->v4 ? 1 : 4, sum_words(p->t.src.be32 + (p->v4 ? 3 : 0), p->v4 ? 1 : 4, sum));
}

/* The header of the answer, from the service's address to the sender's. ihl: bytes of the IPv4 header, whose options stay. */
static __always_inline bool put_network(CTX *ctx, const struct packet *p, __u8 proto, __u16 ihl, __u16 payload)
{
	if (p->v4) {
		struct ip4_header *ip = header_at(ctx, p->l3, sizeof(*ip));
		__u32 diff;

		if (!ip)
			return false;
		diff = add32(difference16(ip->len, bpf_htons(ihl + payload)), difference16(ip->frag, bpf_htons(0x4000)));
		diff = add32(diff, difference16(bpf_htons(ip->ttl << 8 | ip->proto), bpf_htons(64 << 8 | proto)));
		ip->check = fixed(ip->check, diff);
		ip->len = bpf_htons(ihl + payload);
		ip->frag = bpf_htons(0x4000);
		ip->ttl = 64;
		ip->proto = proto;
		ip->src = p->t.dst.be32[3];
		ip->dst = p->t.src.be32[3];
	} else {
		struct ip6_header *ip = header_at(ctx, p->l3, sizeof(*ip));

		if (!ip)
			return false;
		ip->payload = bpf_htons(payload);
		ip->hop_limit = 64;
		copy6(ip->src, p->t.dst.be32);
		copy6(ip->dst, p->t.src.be32);
	}
	return true;
}

/* RFC 9293, 3.10.7.1: as a closed port answers. */
static __always_inline bool become_reset(CTX *ctx, const struct packet *p)
{
	bool later = summed_later(ctx, p);
	struct tcp_header *tcp = header_at(ctx, p->l4, sizeof(*tcp)), was;
	__u32 sum, len;

	if (!tcp || p->tcp_flags & TCP_RST)
		return false;
	was = *tcp;
	len = p->len - (p->l4 - p->l3) - (was.offset >> 4) * 4;
	if (bpf_skb_change_tail(ctx, (__u32)p->l4 + sizeof(*tcp), 0) < 0)
		return false;
	tcp = header_at(ctx, p->l4, sizeof(*tcp));
	if (!tcp)
		return false;
	*tcp = (struct tcp_header){ .src = was.dst, .dst = was.src, .offset = 5 << 4, .flags = TCP_RST };
	if (p->tcp_flags & TCP_ACK) {
		tcp->seq = was.ack;
	} else {
		tcp->flags |= TCP_ACK;
		tcp->ack = bpf_htonl(bpf_ntohl(was.seq) + len + !!(p->tcp_flags & TCP_SYN) + !!(p->tcp_flags & TCP_FIN));
	}
	sum = pseudo_sum(p, XB_PROTO_TCP, sizeof(*tcp));
	tcp->check = later ? fold(sum) : (__u16)~fold(sum_words((const __be32 *)tcp, 5, sum));
	return put_network(ctx, p, XB_PROTO_TCP, p->l4 - p->l3, (p->v4 ? 0 : p->l4 - p->l3 - IP6_BYTES) + sizeof(*tcp));
}

/* What stands behind the new headers: the IP header that came, and 8 bytes of what is behind it. */
static __always_inline __u32 sum_quoted(CTX *ctx, const struct packet *p, __u16 at, bool later)
{
	const __be32 *l4 = header_at(ctx, at + (p->l4 - p->l3), 8);
	__u32 sum = 0;

	if (!l4)
		return 0;
	/* of an IPv4 header with its checksum the sum is zero, which 0xffff is too */
	if (!p->v4) {
		const __be32 *ip = header_at(ctx, at, IP6_BYTES);

		if (!ip)
			return 0;
		sum = sum_words(ip, IP6_BYTES / 4, 0);
	}
	/* the device will make what it sums up to the complement of what is in the field now */
	if (later)
		return add32(sum, 0xffff & ~fold(pseudo_sum(p, p->t.proto, p->len - (p->l4 - p->l3))));
	return sum_words(l4, 2, sum);
}

/* RFC 792, RFC 4443: port unreachable, from the address that was asked for. */
static __always_inline bool become_unreachable(CTX *ctx, const struct packet *p)
{
	__u16 outer = (p->v4 ? IP4_BYTES : IP6_BYTES), quoted = p->l4 - p->l3 + 8;
	__u8 proto = p->v4 ? XB_PROTO_ICMP : XB_PROTO_ICMPV6;
	bool later = summed_later(ctx, p);
	struct icmp_header *icmp;
	__u32 sum;

	/* without extension headers: what is put in front is a plain header */
	if ((!p->v4 && p->l4 != p->l3 + IP6_BYTES) || p->later)
		return false;
	if (later)
		fix_pseudo(ctx, p, check_offset(p), ~1u, 0);
	if (bpf_skb_change_tail(ctx, (__u32)p->l4 + 8, 0) < 0 ||
	    bpf_skb_adjust_room(ctx, outer + ICMP_BYTES, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_NO_CSUM_RESET) < 0)
		return false;
	if (p->v4) {
		struct ip4_header *ip = header_at(ctx, p->l3, sizeof(*ip));

		if (!ip)
			return false;
		*ip = (struct ip4_header){ .version_ihl = 0x45, .check = 0xffff & ~bpf_htons(0x4500) };
	} else {
		struct ip6_header *ip = header_at(ctx, p->l3, sizeof(*ip));

		if (!ip)
			return false;
		*ip = (struct ip6_header){ .version_class = 0x60, .next = proto };
	}
	if (!put_network(ctx, p, proto, IP4_BYTES, ICMP_BYTES + quoted))
		return false;
	if (p->v4) {
		struct ip4_header *ip = header_at(ctx, p->l3, sizeof(*ip));

		if (!ip)
			return false;
		ip->check = 0;
		ip->check = ~fold(sum_words((const __be32 *)ip, IP4_BYTES / 4, 0));
	}
	sum = sum_quoted(ctx, p, p->l3 + outer + ICMP_BYTES, later);
	icmp = header_at(ctx, p->l3 + outer, sizeof(*icmp));
	if (!icmp)
		return false;
	*icmp = (struct icmp_header){ .type = p->v4 ? 3 : 1, .code = p->v4 ? 3 : 4 };
	sum = add32(sum, *(const __be32 *)icmp);
	if (!p->v4)
		sum = add32(sum, pseudo_sum(p, proto, ICMP_BYTES + quoted));
	icmp->check = ~fold(sum);
	return true;
}

static __always_inline bool become_echo_reply(CTX *ctx, const struct packet *p)
{
	struct icmp_header *icmp = header_at(ctx, p->l4, sizeof(*icmp));
	__u8 type = p->v4 ? 0 : 129;

	if (!icmp)
		return false;
	icmp->check = fixed(icmp->check, difference16(bpf_htons(icmp->type << 8), bpf_htons(type << 8)));
	icmp->type = type;
	return put_addrs(ctx, p->l3, p->v4, &p->t.dst, &p->t.src);
}

#endif
