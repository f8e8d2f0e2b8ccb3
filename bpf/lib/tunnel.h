/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef TUNNEL_H
#define TUNNEL_H
/* IP in IP (RFC 2003, RFC 2473), to the node of a backend, which answers the client by itself. For tc only. */
#include "lib/rewrite.h"

/* Whether a packet, or each segment that the device makes of it, is too large with another header in front. */
static __always_inline bool exceeds(const CTX *ctx, const struct packet *p, __u32 mtu)
{
	__u32 len = p->len;

	if (ctx->gso_size)
		len = p->l4 - p->l3 + 60 + ctx->gso_size;
	return len + (p->v4 ? IP4_BYTES : IP6_BYTES) > mtu;
}

static __always_inline bool encapsulate(CTX *ctx, const struct packet *p, const struct xb_node *node, const union xb_ip6 *to)
{
	if (p->v4) {
		struct ip4_header *ip;

		if (bpf_skb_adjust_room(ctx, IP4_BYTES, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_ENCAP_L3_IPV4) < 0)
			return false;
		ip = header_at(ctx, p->l3, sizeof(*ip));
		if (!ip)
			return false;
		*ip = (struct ip4_header){
			.version_ihl = 0x45, .len = bpf_htons(p->len + IP4_BYTES), .frag = bpf_htons(0x4000), .ttl = 64,
			.proto = PROTO_IPIP, .src = node->addr4.be32, .dst = to->be32[3],
		};
		ip->check = ~fold(sum_words((const __be32 *)ip, IP4_BYTES / 4, 0));
	} else {
		struct ip6_header *ip;

		if (bpf_skb_adjust_room(ctx, IP6_BYTES, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_ENCAP_L3_IPV6) < 0)
			return false;
		ip = header_at(ctx, p->l3, sizeof(*ip));
		if (!ip)
			return false;
		*ip = (struct ip6_header){ .version_class = 0x60, .payload = bpf_htons(p->len), .next = PROTO_IPV6, .hop_limit = 64 };
		copy6(ip->src, node->addr6.be32);
		copy6(ip->dst, to->be32);
	}
	return true;
}

/* Takes the outer header off. */
static __always_inline bool decapsulate(CTX *ctx, struct packet *p)
{
	if (bpf_skb_adjust_room(ctx, -(__s32)p->outer, BPF_ADJ_ROOM_MAC, 0) < 0)
		return false;
	p->l3 -= p->outer;
	p->l4 -= p->outer;
	p->inner_l3 -= p->outer;
	p->inner_l4 -= p->outer;
	p->outer = 0;
	return true;
}

#endif
