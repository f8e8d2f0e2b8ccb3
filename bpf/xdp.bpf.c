/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The packets' path before there is a socket buffer, for devices where most of what comes in goes out again: packets to services
 * whose backends are on other nodes, and their answers. What leaves by another device, and all that is not plain (fragments,
 * errors, refusals, pings, the node's own), goes on to tc, which decides the same.
 */
#include <linux/errno.h>
#include "lib/tables.h"

#define CTX struct xdp_md

static __always_inline void *header(CTX *ctx, __u32 offset, __u32 size)
{
	void *p = (void *)(long)ctx->data + offset;

	return p + size > (void *)(long)ctx->data_end ? NULL : p;
}

static __always_inline __u32 length(CTX *ctx)
{
	return (void *)(long)ctx->data_end - (void *)(long)ctx->data;
}

#include "lib/decide.h"
#include "lib/event.h"
#include "lib/rewrite.h"
#include "lib/sctp.h"

struct ethernet_header {
	__u8 dst[6], src[6];
	__be16 type;
};

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* A sum of zero says that there is none, in UDP (RFC 768, 6935). */
static __always_inline void fix_checksum(CTX *ctx, const struct packet *p, __u32 addresses, __u32 rest)
{
	bool udp = p->t.proto == XB_PROTO_UDP;
	__be16 *check;

	if (p->t.proto == XB_PROTO_SCTP) {
		if (rest)
			sctp_fix(ctx, p);
		return;
	}
	check = header_at(ctx, p->l4 + (udp ? 6 : 16), sizeof(*check));
	if (!check || (udp && !*check))
		return;
	*check = fixed(*check, add32(addresses, rest));
	if (udp && !*check)
		*check = 0xffff;
}

SUBPROG int parsed(CTX *ctx, bool v4, struct packet *p)
{
	if (p)
		p->kind = parse(ctx, v4, ETH_BYTES, p);
	return 0;
}

/* The way out of a packet, if that is the device it came in by and its neighbour is known. */
static __always_inline bool route(CTX *ctx, const struct packet *p, const struct xb_tuple *now, struct ethernet_header *ret)
{
	struct bpf_fib_lookup fib = {};

	fib.family = p->v4 ? FAMILY_IPV4 : FAMILY_IPV6;
	fib.l4_protocol = p->t.proto;
	fib.ifindex = ctx->ingress_ifindex;
	fib.tot_len = p->len;
	if (p->v4) {
		fib.ipv4_src = now->src.be32[3];
		fib.ipv4_dst = now->dst.be32[3];
	} else {
		copy6(fib.ipv6_src, now->src.be32);
		copy6(fib.ipv6_dst, now->dst.be32);
	}
	if (bpf_fib_lookup(ctx, &fib, sizeof(fib), 0) != BPF_FIB_LKUP_RET_SUCCESS || fib.ifindex != ctx->ingress_ifindex || p->ttl < 2)
		return false;
	__builtin_memcpy(ret->dst, fib.dmac, sizeof(ret->dst));
	__builtin_memcpy(ret->src, fib.smac, sizeof(ret->src));
	return true;
}

/* SCTP whose checksum may not be there yet, or which may name addresses. */
static __always_inline bool sctp_for_tc(CTX *ctx, const struct packet *p)
{
	const struct sctp_header *sctp = header_at(ctx, p->l4, SCTP_BYTES);

	return !sctp || !sctp->check || begins(p) || answers_beginning(p);
}

/* XDP_PASS: nothing was done to it. */
SUBPROG int send_on(CTX *ctx, const struct packet *p, const struct xb_tuple *now)
{
	struct ethernet_header to, *eth;

	if (!p || !now || !route(ctx, p, now, &to))
		return XDP_PASS;
	if (!rewrite(ctx, p, now) || !count_hop(ctx, p))
		return XDP_DROP;
	eth = header(ctx, 0, sizeof(*eth));
	if (!eth)
		return XDP_DROP;
	__builtin_memcpy(eth->dst, to.dst, sizeof(eth->dst));
	__builtin_memcpy(eth->src, to.src, sizeof(eth->src));
	return XDP_TX;
}

SUBPROG int count_packet(const struct packet *p, struct answer *a)
{
	__u32 left = 0;

	return p && a && flow_find(&p->t, p->len, &a->f, &left);
}

static __always_inline int translate_or_pass(CTX *ctx, bool v4)
{
	struct packet p = {};
	struct answer a = {};
	int r = XDP_PASS;

	parsed(ctx, v4, &p);
	if (p.kind != PACKET_TRANSPORT || p.first || p.later || p.outer)
		return XDP_PASS;
	if (p.t.proto == XB_PROTO_SCTP && sctp_for_tc(ctx, &p))
		return XDP_PASS;
	/* tc counts what it gets */
	p.uncounted = true;
	decide(&p, false, &a);
	if (a.verdict == VERDICT_DROP)
		r = XDP_DROP;
	else if (a.verdict == VERDICT_TRANSLATE)
		r = send_on(ctx, &p, &a.f.now);
	else if (a.verdict != VERDICT_TUNNEL)
		return XDP_PASS;
	if (a.reason)
		event(a.reason, XB_PATH_XDP, ctx->ingress_ifindex, a.f.svc, &p.t, a.verdict != VERDICT_DROP ? &a.f.now : NULL);
	if (r == XDP_TX)
		count_packet(&p, &a);
	return r;
}

static __always_inline int handle(CTX *ctx, bool v4)
{
	return is_bystander(ctx, ETH_BYTES, v4) ? XDP_PASS : translate_or_pass(ctx, v4);
}

SEC("xdp") int xb_xdp(struct xdp_md *ctx)
{
	const struct ethernet_header *eth = header(ctx, 0, sizeof(*eth));

	if (!eth)
		return XDP_PASS;
	if (eth->type == bpf_htons(ETHERTYPE_IPV4))
		return handle(ctx, true);
	return eth->type == bpf_htons(ETHERTYPE_IPV6) ? handle(ctx, false) : XDP_PASS;
}
