/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PACKET_H
#define PACKET_H
/*
 * What a packet is: parsed once, into a struct of plain numbers. Who includes this defines CTX, the type of a packet in hand (struct
 * __sk_buff, struct xdp_md, or the model's), and
 *   void *header(CTX *ctx, __u32 offset, __u32 size)   where these bytes can be read and written, NULL if the packet ends before
 *   __u32 length(CTX *ctx)                             bytes of all of it
 */
#include "lib/tables.h"

#define ETH_BYTES 14
#define IP4_BYTES 20
#define IP6_BYTES 40
#define ICMP_BYTES 8
#define OFFSET_MAX 511              /* of any header that is looked at: the verifier wants a bound */
#define EXTENSIONS_MAX 6
#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define FAMILY_IPV4 2               /* AF_INET, AF_INET6 */
#define FAMILY_IPV6 10
#define PROTO_IPIP 4
#define PROTO_IPV6 41

/* RFC 791, 8200, 9293, 768, 9260, 792, 4443. Our own, so that one set of names serves both compilers. */
struct ip4_header {
	__u8 version_ihl, tos;
	__be16 len, id, frag;
	__u8 ttl, proto;
	__be16 check;
	__be32 src, dst;
};
struct ip6_header {
	__u8 version_class, flow[3];
	__be16 payload;
	__u8 next, hop_limit;
	__be32 src[4], dst[4];
};
struct ports_header {
	__be16 src, dst;
};
struct tcp_header {
	__be16 src, dst;
	__be32 seq, ack;
	__u8 offset, flags;
	__be16 window, check, urgent;
};
struct udp_header {
	__be16 src, dst, len, check;
};
struct icmp_header {
	__u8 type, code;
	__be16 check;
	__be16 id, seq;                 /* of echo; otherwise the four bytes before the packet that an error is about */
};
struct ip6_extension {
	__u8 next, len;
	__be16 frag;                    /* of a fragment header */
	__be32 id;
};

#define TCP_FIN 1
#define TCP_SYN 2
#define TCP_RST 4
#define TCP_ACK 16

enum packet_kind {
	PACKET_OTHER,                   /* nothing that services have to do with */
	PACKET_TRANSPORT,               /* TCP, UDP or SCTP, with its ports */
	PACKET_ECHO,                    /* an ICMP echo request */
	PACKET_ERROR,                   /* an ICMP error; its tuple is that of the packet it is about, turned round */
	PACKET_FRAGMENT,                /* of ICMP, or not the first of its datagram, and the first was not seen */
	PACKET_MALFORMED,               /* shorter than its headers say; addresses and protocol are known */
} __attribute__((packed));

/* In bits, as all of it is on the stack of a program, of which Linux 6.1 has not a byte left. */
struct packet {
	struct xb_tuple t;
	union xb_ip6 tunnel;            /* where the outer packet goes */
	__u32 len;                      /* of the IP packet */
	__u32 frag_id;
	__u16 l3, l4;                   /* where its headers begin */
	__u16 inner_l3, inner_l4;       /* those of the packet that it is about */
	__u16 outer;                    /* bytes of the headers before l3 that a tunnel put there; 0: none did */
	enum packet_kind kind;
	__u8 tcp_flags;
	__u8 chunk;                     /* of SCTP: the type of the first */
	__u8 ttl;
	bool v4 : 1;
	bool first : 1;                 /* the first fragment of several */
	bool later : 1;                 /* a fragment without transport header, whose ports are known by the first */
	bool may_fragment : 1;          /* routers may divide it */
	bool uncounted : 1;             /* its flow is to be found, not to be counted: somebody else will see to it */
};

/* NULL also for what lies too far back, behind more options than anybody sends. */
static __always_inline void *header_at(CTX *ctx, __u16 offset, __u32 size)
{
	return offset > OFFSET_MAX ? NULL : header(ctx, masked(offset, OFFSET_MAX), size);
}

static __always_inline bool has_ports(__u8 proto)
{
	return proto == XB_PROTO_TCP || proto == XB_PROTO_UDP || proto == XB_PROTO_SCTP;
}

static __always_inline void map4(union xb_ip6 *to, __be32 addr)
{
	to->be32[0] = 0;
	to->be32[1] = 0;
	to->be32[2] = bpf_htonl(0xffff);
	to->be32[3] = addr;
}

static __always_inline void copy6(__be32 *to, const __be32 *addr)
{
	to[0] = addr[0];
	to[1] = addr[1];
	to[2] = addr[2];
	to[3] = addr[3];
}

/* --- layer 3: addresses, protocol, where layer 4 begins */

struct network {
	__u16 l4;
	__u8 proto, ttl;
	bool later, first, may_fragment;
	__u8 pad;
	__u32 len;                      /* before: what stands when the header says none */
	__u32 frag_id;
};

static __always_inline bool parse_ip4(CTX *ctx, __u16 l3, struct xb_tuple *t, struct network *n)
{
	const struct ip4_header *ip = header_at(ctx, l3, sizeof(*ip));
	__u16 frag;

	if (!ip || (ip->version_ihl >> 4) != 4 || (ip->version_ihl & 15) < 5)
		return false;
	frag = bpf_ntohs(ip->frag);
	map4(&t->src, ip->src);
	map4(&t->dst, ip->dst);
	n->l4 = l3 + (ip->version_ihl & 15) * 4;
	n->proto = ip->proto;
	n->ttl = ip->ttl;
	if (ip->len)
		n->len = bpf_ntohs(ip->len);
	n->later = frag & 0x1fff;
	n->first = !n->later && (frag & 0x2000);
	n->may_fragment = !(frag & 0x4000);
	n->frag_id = bpf_ntohs(ip->id);
	return true;
}

static __always_inline bool is_extension(__u8 proto)
{
	return proto == 0 || proto == 43 || proto == 44 || proto == 60;
}

/* To what lies behind the extension headers. False: nobody sends so many, or one leads elsewhere. Not in line, as few packets have any. */
SUBPROG bool skip_extensions(CTX *ctx, struct network *n)
{
	if (!n)
		return false;
	for (int i = 0; i < EXTENSIONS_MAX; i++) {
		const struct ip6_extension *e;
		__u16 frag;

		if (!is_extension(n->proto))
			return true;
		e = header_at(ctx, n->l4, sizeof(*e));
		if (!e || n->l4 > OFFSET_MAX - 8)
			return false;
		frag = bpf_ntohs(e->frag);
		/* a routing header that leads on: this is not where the checksum says that it goes */
		if (n->proto == 43 && frag & 0xff)
			return false;
		if (n->proto == 44) {
			n->later = frag & 0xfff8;
			n->first = !n->later && (frag & 1);
			n->frag_id = bpf_ntohl(e->id);
			n->l4 += 8;
		} else {
			n->l4 += 8 + e->len * 8;
		}
		n->proto = e->next;
		if (n->later)
			return true;
	}
	return false;
}

static __always_inline bool parse_ip6(CTX *ctx, __u16 l3, struct xb_tuple *t, struct network *n)
{
	const struct ip6_header *ip = header_at(ctx, l3, sizeof(*ip));

	if (!ip || (ip->version_class >> 4) != 6)
		return false;
	copy6(t->src.be32, ip->src);
	copy6(t->dst.be32, ip->dst);
	n->l4 = l3 + IP6_BYTES;
	n->proto = ip->next;
	n->ttl = ip->hop_limit;
	if (ip->payload || ip->next)
		n->len = IP6_BYTES + bpf_ntohs(ip->payload);
	return !is_extension(n->proto) || skip_extensions(ctx, n);
}

/* --- layer 4 */

static __always_inline bool ports_of_first(const struct network *n, struct xb_tuple *t)
{
	struct xb_frag_key key = { .src = t->src, .dst = t->dst, .id = n->frag_id, .proto = n->proto };
	const struct xb_frag *f = bpf_map_lookup_elem(&xb_frag, &key);

	if (!f)
		return false;
	t->sport = f->sport;
	t->dport = f->dport;
	return true;
}

static __always_inline void note_ports(const struct packet *p)
{
	struct xb_frag_key key = { .src = p->t.src, .dst = p->t.dst, .id = p->frag_id, .proto = p->t.proto };
	struct xb_frag f = { p->t.sport, p->t.dport };

	bpf_map_update_elem(&xb_frag, &key, &f, BPF_ANY);
}

static __always_inline enum packet_kind parse_transport(CTX *ctx, struct packet *p, const struct network *n)
{
	__u32 least = n->proto == XB_PROTO_TCP ? sizeof(struct tcp_header) : n->proto == XB_PROTO_SCTP ? 12 : 8;
	const struct ports_header *ports;
	const struct tcp_header *tcp;
	const __u8 *chunk;

	p->t.proto = n->proto;
	if (n->later) {
		p->later = true;
		return ports_of_first(n, &p->t) ? PACKET_TRANSPORT : PACKET_FRAGMENT;
	}
	if (n->l4 - p->l3 + least > n->len)
		return PACKET_MALFORMED;
	if (n->proto == XB_PROTO_TCP) {
		tcp = header_at(ctx, n->l4, sizeof(*tcp));
		if (!tcp)
			return PACKET_MALFORMED;
		p->tcp_flags = tcp->flags;
	}
	ports = header_at(ctx, n->l4, n->proto == XB_PROTO_SCTP ? 12 : 8);
	if (!ports)
		return PACKET_MALFORMED;
	p->t.sport = bpf_ntohs(ports->src);
	p->t.dport = bpf_ntohs(ports->dst);
	if (n->proto == XB_PROTO_SCTP && n->l4 - p->l3 + least < n->len) {
		chunk = header_at(ctx, n->l4 + 12, 1);
		p->chunk = chunk ? *chunk : 0;
	}
	return PACKET_TRANSPORT;
}

static __always_inline bool is_error(bool v4, __u8 type)
{
	return v4 ? type == 3 || type == 11 || type == 12 : type >= 1 && type <= 4;
}

/* The packet that an error is about went the other way, so its answer would have come as the error does. */
static __always_inline enum packet_kind parse_error(CTX *ctx, struct packet *p)
{
	struct network n = {};
	struct xb_tuple t = {};
	const struct ports_header *ports;

	p->inner_l3 = p->l4 + ICMP_BYTES;
	if (!(p->v4 ? parse_ip4(ctx, p->inner_l3, &t, &n) : parse_ip6(ctx, p->inner_l3, &t, &n)) || n.later || !has_ports(n.proto))
		return PACKET_OTHER;
	p->inner_l4 = n.l4;
	ports = header_at(ctx, n.l4, 8);
	if (!ports)
		return PACKET_OTHER;
	p->t.src = t.dst;
	p->t.dst = t.src;
	p->t.sport = bpf_ntohs(ports->dst);
	p->t.dport = bpf_ntohs(ports->src);
	p->t.proto = n.proto;
	return PACKET_ERROR;
}

static __always_inline enum packet_kind parse_icmp(CTX *ctx, struct packet *p, const struct network *n)
{
	const struct icmp_header *icmp = header_at(ctx, n->l4, sizeof(*icmp));

	p->t.proto = n->proto;
	if (n->later || n->first)
		return PACKET_FRAGMENT;
	if (!icmp)
		return PACKET_OTHER;
	if (icmp->type == (p->v4 ? 8 : 128))
		return PACKET_ECHO;
	return is_error(p->v4, icmp->type) ? parse_error(ctx, p) : PACKET_OTHER;
}

/* The header of a packet as nearly all are: TCP, UDP or SCTP with no options or extension headers before it, and no fragment. Its ports
 * can be read too. NULL: it is of another kind, or not in one piece. */
static __always_inline const void *plain_header(CTX *ctx, __u16 l3, bool v4)
{
	const void *at = header(ctx, l3, (v4 ? IP4_BYTES : IP6_BYTES) + sizeof(struct ports_header));
	const struct ip4_header *ip4 = at;
	const struct ip6_header *ip6 = at;

	if (!at)
		return NULL;
	if (v4)
		return ip4->version_ihl == 0x45 && !(ip4->frag & bpf_htons(0x3fff)) && has_ports(ip4->proto) ? at : NULL;
	return ip6->version_class >> 4 == 6 && has_ports(ip6->next) ? at : NULL;
}

static __always_inline void plain_tuple(const void *at, bool v4, struct xb_tuple *ret)
{
	const struct ports_header *ports = at + (v4 ? IP4_BYTES : IP6_BYTES);
	const struct ip4_header *ip4 = at;
	const struct ip6_header *ip6 = at;

	if (v4) {
		map4(&ret->src, ip4->src);
		map4(&ret->dst, ip4->dst);
	} else {
		copy6(ret->src.be32, ip6->src);
		copy6(ret->dst.be32, ip6->dst);
	}
	ret->sport = bpf_ntohs(ports->src);
	ret->dport = bpf_ntohs(ports->dst);
	ret->proto = v4 ? ip4->proto : ip6->next;
	ret->family = v4 ? XB_IPV4 : XB_IPV6;
}

/* The header at p->l3. */
static __always_inline bool parse_network(CTX *ctx, struct packet *p, struct network *n)
{
	if (!(p->v4 ? parse_ip4(ctx, p->l3, &p->t, n) : parse_ip6(ctx, p->l3, &p->t, n)))
		return false;
	p->l4 = n->l4;
	p->len = n->len;
	p->ttl = n->ttl;
	p->first = n->first;
	p->may_fragment = n->may_fragment;
	p->frag_id = n->frag_id;
	return true;
}

/* Fills *p, which is all zero, from the header at l3. Of IP in IP of the same family (RFC 2003, 2473), whole, from the inner one. */
static __always_inline enum packet_kind parse(CTX *ctx, bool v4, __u16 l3, struct packet *p)
{
	__u32 there = length(ctx) - l3;
	/* only one that is larger than the header has a number for may leave it out */
	struct network n = { .len = there > 0xffff ? there : 0 };

	p->v4 = v4;
	p->l3 = l3;
	p->t.family = v4 ? XB_IPV4 : XB_IPV6;
	if (!parse_network(ctx, p, &n))
		return PACKET_OTHER;
	if (n.proto == (v4 ? PROTO_IPIP : PROTO_IPV6) && !n.later && !n.first) {
		p->tunnel = p->t.dst;
		p->outer = n.l4 - l3;
		p->l3 = n.l4;
		there = n.len <= there ? n.len - p->outer : 0;
		n = (struct network){};
		if (!parse_network(ctx, p, &n))
			return PACKET_OTHER;
	}
	if (!n.len || n.len > there) {
		p->t.proto = n.proto;
		return PACKET_MALFORMED;
	}
	if (has_ports(n.proto))
		return parse_transport(ctx, p, &n);
	return n.proto == (v4 ? XB_PROTO_ICMP : XB_PROTO_ICMPV6) ? parse_icmp(ctx, p, &n) : PACKET_OTHER;
}

#endif
