/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The packets' path: what did not go through a socket hook of this node. On ingress of every device: clients outside, pods whose
 * sockets are not ours, answers of backends. On egress only what the node itself sends: answers of backends in its
 * own network, clients that no hook saw, ICMP errors.
 */
#include <linux/pkt_cls.h>
#include <linux/errno.h>
#include "lib/tables.h"

#define CTX struct __sk_buff

static __always_inline void *header(CTX *ctx, __u32 offset, __u32 size)
{
	void *p = (void *)(long)ctx->data + offset;

	return p + size > (void *)(long)ctx->data_end ? NULL : p;
}

static __always_inline __u32 length(CTX *ctx)
{
	return ctx->len;
}

#include "lib/decide.h"
#include "lib/event.h"
#include "lib/refuse.h"
#include "lib/sctp_init.h"
#include "lib/tunnel.h"

#define LINEAR 128          /* bytes of headers that must be in one piece */

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline void fix_checksum(CTX *ctx, const struct packet *p, __u32 addresses, __u32 rest)
{
	__u64 zero = p->kind == PACKET_TRANSPORT && p->t.proto == XB_PROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0;
	__u16 offset = check_offset(p);
	const __be16 *check = header_at(ctx, offset, sizeof(*check));

	/* nothing makes up for the difference in the sum over all of the packet, where the device gave one */
	if (p->later || (zero && check && !*check)) {
		bpf_csum_update(ctx, p->v4 ? rest : add32(addresses, rest));
		return;
	}
	if (p->kind == PACKET_TRANSPORT && p->t.proto == XB_PROTO_SCTP) {
		if (rest && !summed_later(ctx, p))
			sctp_fix(ctx, p);
		return;
	}
	if (!offset)
		return;
	if (addresses)
		fix_pseudo(ctx, p, offset, addresses, zero);
	if (rest)
		bpf_l4_csum_replace(ctx, offset, 0, rest, zero);
}

/* Where a packet leaves. */
struct hop {
	__u32 ifindex;                  /* 0: up the stack */
	__u32 too_big;                  /* the MTU that it exceeds */
	__u32 mtu;
	__u32 family;                   /* of the next hop: that of an IPv4 route may be IPv6 (RFC 9229) */
	__be32 next[4];
};

/*
 * Without the stack: an answer bears an address of this node, which no other node may send, and so the stack takes it from no
 * device. What the FIB does not forward (it is for this node, its last hop was here) goes up all the same, and the stack knows
 * what to do.
 */
SUBPROG int route(CTX *ctx, const struct packet *p, const struct xb_tuple *now, struct hop *ret)
{
	struct bpf_fib_lookup fib = {};
	long r;

	if (!p || !now || !ret)
		return 0;
	fib.family = p->v4 ? FAMILY_IPV4 : FAMILY_IPV6;
	fib.l4_protocol = p->t.proto;
	fib.ifindex = ctx->ifindex;
	if (p->v4) {
		fib.ipv4_src = now->src.be32[3];
		fib.ipv4_dst = now->dst.be32[3];
	} else {
		copy6(fib.ipv6_src, now->src.be32);
		copy6(fib.ipv6_dst, now->dst.be32);
	}
	r = bpf_fib_lookup(ctx, &fib, sizeof(fib), 0);
	if (r == BPF_FIB_LKUP_RET_FRAG_NEEDED && !p->may_fragment)
		ret->too_big = fib.mtu_result;
	if (r != BPF_FIB_LKUP_RET_SUCCESS && r != BPF_FIB_LKUP_RET_NO_NEIGH)
		return 0;
	ret->ifindex = fib.ifindex;
	ret->mtu = fib.mtu_result;
	ret->family = fib.family;
	copy6(ret->next, fib.ipv6_dst);
	return 0;
}

SUBPROG int translate(CTX *ctx, const struct packet *p, const struct xb_tuple *now)
{
	if (!p || !now)
		return false;
	if (p->kind == PACKET_ERROR)
		return rewrite_error(ctx, p, now);
	if (!rewrite(ctx, p, now))
		return false;
	if (p->t.proto == XB_PROTO_SCTP && (begins(p) || answers_beginning(p)))
		name_no_addresses(ctx, p);
	return true;
}

SUBPROG int reset(CTX *ctx, const struct packet *p)
{
	return p && become_reset(ctx, p);
}

SUBPROG int abort_association(CTX *ctx, const struct packet *p)
{
	return p && become_abort(ctx, p);
}

SUBPROG int error(CTX *ctx, const struct packet *p, __u32 mtu)
{
	return p && become_error(ctx, p, mtu);
}

SUBPROG int parsed(CTX *ctx, bool v4, __u16 l3, struct packet *p)
{
	if (p)
		p->kind = parse(ctx, v4, l3, p);
	return 0;
}

/* Back to where it came from. */
static __always_inline int send_back(CTX *ctx, __u16 l3, bool out)
{
	swap_ethernet(ctx, l3);
	return bpf_redirect(ctx->ifindex, out ? BPF_F_INGRESS : 0);
}

static __always_inline int drop(struct answer *a, enum xb_reason reason)
{
	a->verdict = VERDICT_DROP;
	a->reason = reason;
	return TC_ACT_SHOT;
}

static __always_inline int redirect_to(const struct hop *hop)
{
	struct bpf_redir_neigh next = { .nh_family = hop->family };

	copy6(next.ipv6_nh, hop->next);
	return bpf_redirect_neigh(hop->ifindex, &next, sizeof(next), 0);
}

SUBPROG int send_on(CTX *ctx, __u16 l3, struct packet *p, struct answer *a, bool out)
{
	struct hop hop = {};

	if (!p || !a)
		return TC_ACT_UNSPEC;
	if (p->outer && !decapsulate(ctx, p))
		return drop(a, XB_DROPPED_NO_ROUTE);
	/* what this node sends has its route, unless it goes elsewhere now */
	if (!out || !addr_equal(&p->t.dst, &a->f.now.dst))
		route(ctx, p, &a->f.now, &hop);
	if (hop.too_big)
		return error(ctx, p, hop.too_big) ? send_back(ctx, l3, out) : drop(a, XB_DROPPED_NO_ROUTE);
	if (!translate(ctx, p, &a->f.now))
		return drop(a, XB_DROPPED_MALFORMED);
	if (p->first)
		note_ports(p);
	if (!hop.ifindex || !count_hop(ctx, p))
		return TC_ACT_UNSPEC;
	if (!p->v4)
		bpf_csum_update(ctx, difference16(bpf_htons(p->ttl), bpf_htons(p->ttl - 1)));
	return redirect_to(&hop);
}

SUBPROG int send_tunnelled(CTX *ctx, __u16 l3, const struct packet *p, struct answer *a, bool out)
{
	const struct xb_node *node = lookup(&xb_node, 0);
	struct hop hop = {};

	if (!p || !a || !node)
		return TC_ACT_UNSPEC;
	route(ctx, p, &a->f.now, &hop);
	if (!hop.too_big && hop.mtu && exceeds(ctx, p, hop.mtu))
		hop.too_big = hop.mtu;
	if (hop.too_big) {
		__u32 room = hop.too_big - (p->v4 ? IP4_BYTES : IP6_BYTES);

		return error(ctx, p, room) ? send_back(ctx, l3, out) : drop(a, XB_DROPPED_NO_ROUTE);
	}
	if (p->first)
		note_ports(p);
	if (!hop.ifindex || !encapsulate(ctx, p, node, &a->f.now.dst))
		return drop(a, XB_DROPPED_NO_ROUTE);
	return redirect_to(&hop);
}

static __always_inline int refuse(CTX *ctx, const struct packet *p)
{
	if (p->kind == PACKET_TRANSPORT && p->t.proto == XB_PROTO_TCP)
		return reset(ctx, p);
	return p->kind == PACKET_TRANSPORT && p->t.proto == XB_PROTO_SCTP ? abort_association(ctx, p) : error(ctx, p, 0);
}

static __always_inline int obey(CTX *ctx, __u16 l3, struct packet *p, struct answer *a, bool out)
{
	switch (a->verdict) {
	case VERDICT_TRANSLATE:
		return send_on(ctx, l3, p, a, out);
	case VERDICT_TUNNEL:
		return send_tunnelled(ctx, l3, p, a, out);
	case VERDICT_REFUSE:
		return refuse(ctx, p) ? send_back(ctx, l3, out) : TC_ACT_SHOT;
	case VERDICT_ECHO:
		return become_echo_reply(ctx, p) ? send_back(ctx, l3, out) : TC_ACT_SHOT;
	case VERDICT_DROP:
		return TC_ACT_SHOT;
	default:
		return TC_ACT_UNSPEC;
	}
}

/* Whether there were headers that lay apart, and are in one piece now. That copies what is shared, so it is for those that need it. */
static __always_inline bool more_headers(CTX *ctx)
{
	return ctx->data_end - ctx->data < LINEAR && ctx->len > ctx->data_end - ctx->data &&
	       !bpf_skb_pull_data(ctx, ctx->len < LINEAR ? ctx->len : LINEAR);
}

static __always_inline int translate_or_refuse(CTX *ctx, __u16 l3, bool v4, bool out)
{
	struct packet p = {};
	struct answer a = {};
	bool goes_on;
	int r;

	parsed(ctx, v4, l3, &p);
	if ((p.kind == PACKET_OTHER || p.kind == PACKET_MALFORMED) && more_headers(ctx)) {
		p = (struct packet){};
		parsed(ctx, v4, l3, &p);
	}
	if (p.kind == PACKET_OTHER)
		return TC_ACT_UNSPEC;
	decide(&p, out, &a);
	r = obey(ctx, l3, &p, &a, out);
	goes_on = a.verdict == VERDICT_TRANSLATE || a.verdict == VERDICT_TUNNEL;
	if (a.reason)
		event(a.reason, XB_PATH_TC, ctx->ifindex, a.f.svc, &p.t, goes_on ? &a.f.now : NULL);
	return r;
}

static __always_inline int handle(CTX *ctx, __u16 l3, bool out)
{
	bool v4 = ctx->protocol == bpf_htons(ETHERTYPE_IPV4);

	/* what is forwarded was looked at as it came in */
	if (out && ctx->ingress_ifindex)
		return TC_ACT_UNSPEC;
	if (!v4 && ctx->protocol != bpf_htons(ETHERTYPE_IPV6))
		return TC_ACT_UNSPEC;
	if (v4 ? is_bystander(ctx, l3, true) : is_bystander(ctx, l3, false))
		return TC_ACT_UNSPEC;
	return translate_or_refuse(ctx, l3, v4, out);
}

SEC("tc") int xb_ingress(struct __sk_buff *ctx)
{
	return handle(ctx, ETH_BYTES, false);
}

SEC("tc") int xb_egress(struct __sk_buff *ctx)
{
	return handle(ctx, ETH_BYTES, true);
}

/* for devices without Ethernet headers: tunnels, WireGuard */
SEC("tc") int xb_ingress_l3(struct __sk_buff *ctx)
{
	return handle(ctx, 0, false);
}

SEC("tc") int xb_egress_l3(struct __sk_buff *ctx)
{
	return handle(ctx, 0, true);
}
