/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef REFUSE_H
#define REFUSE_H
/*
 * Packets that become their own answer: a TCP reset, SCTP's abort, an ICMP error, an echo reply. For tc only. What is sent is
 * never longer than what came plus the two headers, so nobody is answered with more than he sent by much.
 */
#include "lib/rewrite.h"
#include "lib/sctp.h"

#define BPF_F_IPV6_ (1ull << 7)     /* of bpf_l4_csum_replace(), Linux 6.16: the sum of an IPv6 packet holds no header checksum */

/* The checksum's offset, 0 where there is none to follow. */
static __always_inline __u16 check_offset(const struct packet *p)
{
	if (p->kind == PACKET_ERROR)
		return p->l4 + 2;
	if (p->t.proto == XB_PROTO_TCP)
		return p->l4 + 16;
	if (p->t.proto == XB_PROTO_SCTP)
		return p->l4 + 8;
	return p->t.proto == XB_PROTO_UDP ? p->l4 + 6 : 0;
}

static __always_inline void fix_pseudo(CTX *ctx, const struct packet *p, __u16 offset, __u32 diff, __u64 flags)
{
	if (!p->v4 && bpf_l4_csum_replace(ctx, offset, 0, diff, flags | BPF_F_PSEUDO_HDR | BPF_F_IPV6_) != -EINVAL)
		return;
	bpf_l4_csum_replace(ctx, offset, 0, diff, flags | BPF_F_PSEUDO_HDR);
}

/* Whether layer 4 is summed later, by the device, and its checksum field holds the sum of the pseudo-header only, or nothing with SCTP.
 * The kernel does not say so, but it follows a difference the other way then. */
static __always_inline bool summed_later(CTX *ctx, const struct packet *p)
{
	__u16 offset = check_offset(p);
	__be16 *check = header_at(ctx, offset, sizeof(*check)), was;
	bool later;

	if (!offset || !check)
		return false;
	was = *check;
	if (was ? p->t.proto == XB_PROTO_SCTP : p->t.proto == XB_PROTO_UDP)
		return false;
	fix_pseudo(ctx, p, offset, 1, 0);
	check = header_at(ctx, offset, sizeof(*check));
	if (!check)
		return false;
	later = *check != fixed(was, 1);
	*check = was;
	return later;
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

	if (!tcp || p->tcp_flags & TCP_RST || p->first || p->later)
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

/* RFC 9260, 8.4: as a host answers that has no such association. */
static __always_inline bool become_abort(CTX *ctx, const struct packet *p)
{
	const __u16 bytes = SCTP_BYTES + SCTP_CHUNK_BYTES;
	bool later = summed_later(ctx, p), init = p->chunk == SCTP_INIT;
	struct sctp_header *sctp = header_at(ctx, p->l4, bytes);
	struct ports_header ports;
	__u32 *words;
	__be32 tag;

	if (!sctp || p->chunk == SCTP_ABORT || p->chunk == SCTP_SHUTDOWN_COMPLETE || p->first || p->later)
		return false;
	ports = (struct ports_header){ sctp->src, sctp->dst };
	tag = sctp->tag;
	if (init) {
		sctp = header_at(ctx, p->l4, sizeof(*sctp));
		if (!sctp)
			return false;
		tag = sctp->init_tag;
	}
	if (bpf_skb_change_tail(ctx, (__u32)p->l4 + bytes, 0) < 0)
		return false;
	sctp = header_at(ctx, p->l4, bytes);
	if (!sctp)
		return false;
	/* the flag: the tag is the sender's own, as the other one is not known */
	sctp->src = ports.dst;
	sctp->dst = ports.src;
	sctp->tag = tag;
	sctp->check = 0;
	sctp->type = SCTP_ABORT;
	sctp->flags = !init;
	sctp->len = bpf_htons(SCTP_CHUNK_BYTES);
	words = (__u32 *)sctp;
	if (!later)
		sctp->check = ~(crc_of(~words[0], bytes) ^ crc_of(words[1], bytes - 4) ^ crc_of(words[3], bytes - 12));
	return put_network(ctx, p, XB_PROTO_SCTP, p->l4 - p->l3, (p->v4 ? 0 : p->l4 - p->l3 - IP6_BYTES) + bytes);
}

/* The sum of what stands behind the new headers: the IP header that came, and the first bytes behind it. */
static __always_inline __u32 sum_quoted(CTX *ctx, const struct packet *p, __u16 at, bool later)
{
	__u16 l4 = at + (p->l4 - p->l3);
	const __be32 *ip, *words = header_at(ctx, l4, 8);
	const __be16 *check;
	__u32 sum = 0;

	/* of an IPv4 header with its checksum the sum is zero, which 0xffff is too */
	if (!p->v4) {
		ip = header_at(ctx, at, IP6_BYTES);
		if (!ip)
			return 0;
		sum = sum_words(ip, IP6_BYTES / 4, 0);
	}
	if (p->t.proto == XB_PROTO_SCTP) {
		words = header_at(ctx, l4, SCTP_BYTES);
		if (!words)
			return 0;
		sum = sum_words(words, 2, sum);
		return add32(sum, later ? ~(crc_of(~words[0], SCTP_BYTES) ^ crc_of(words[1], SCTP_BYTES - 4)) : words[2]);
	}
	/* the device makes the sum of all this the complement of what is in the field now */
	if (later) {
		check = header_at(ctx, l4 + (check_offset(p) - p->l4), sizeof(*check));
		return check ? add32(sum, 0xffff & ~*check) : 0;
	}
	if (p->t.proto == XB_PROTO_TCP) {
		words = header_at(ctx, l4, sizeof(struct tcp_header));
		return words ? sum_words(words, 5, sum) : 0;
	}
	return words ? sum_words(words, 2, sum) : 0;
}

static __always_inline bool put_outer(CTX *ctx, const struct packet *p, __u8 proto, __u16 payload)
{
	if (p->v4) {
		struct ip4_header *ip = header_at(ctx, p->l3, sizeof(*ip));

		if (!ip)
			return false;
		*ip = (struct ip4_header){
			.version_ihl = 0x45, .len = bpf_htons(IP4_BYTES + payload), .frag = bpf_htons(0x4000), .ttl = 64, .proto = proto,
			.src = p->t.dst.be32[3], .dst = p->t.src.be32[3],
		};
		ip->check = ~fold(sum_words((const __be32 *)ip, IP4_BYTES / 4, 0));
	} else {
		struct ip6_header *ip = header_at(ctx, p->l3, sizeof(*ip));

		if (!ip)
			return false;
		*ip = (struct ip6_header){ .version_class = 0x60, .payload = bpf_htons(payload), .next = proto, .hop_limit = 64 };
		copy6(ip->src, p->t.dst.be32);
		copy6(ip->dst, p->t.src.be32);
	}
	return true;
}

/*
 * RFC 792, 1191, 4443: an error about the packet, from the address that it was sent to. mtu: of "too big"; 0: the port is not
 * reachable. A header of TCP or SCTP is quoted whole, as the device may yet write its checksum.
 */
static __always_inline bool become_error(CTX *ctx, const struct packet *p, __u32 mtu)
{
	__u16 behind = p->t.proto == XB_PROTO_TCP ? sizeof(struct tcp_header) : p->t.proto == XB_PROTO_SCTP ? SCTP_BYTES : 8;
	__u16 outer = p->v4 ? IP4_BYTES : IP6_BYTES;
	__u16 payload = ICMP_BYTES + (p->l4 - p->l3) + behind;
	__u8 proto = p->v4 ? XB_PROTO_ICMP : XB_PROTO_ICMPV6;
	bool later = summed_later(ctx, p);
	struct icmp_header *icmp;
	__u32 sum;

	/* without extension headers, as what is put in front is a plain header; RFC 1122, 3.2.2, names what must not be answered */
	if ((!p->v4 && p->l4 != p->l3 + IP6_BYTES) || p->later || p->kind == PACKET_FRAGMENT || p->kind == PACKET_ERROR)
		return false;
	if (bpf_skb_change_tail(ctx, (__u32)p->l4 + behind, 0) < 0 ||
	    bpf_skb_adjust_room(ctx, outer + ICMP_BYTES, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_NO_CSUM_RESET) < 0 ||
	    !put_outer(ctx, p, proto, payload))
		return false;
	sum = sum_quoted(ctx, p, p->l3 + outer + ICMP_BYTES, later);
	icmp = header_at(ctx, p->l3 + outer, sizeof(*icmp));
	if (!icmp)
		return false;
	*icmp = (struct icmp_header){ .type = p->v4 ? 3 : mtu ? 2 : 1, .code = p->v4 ? (mtu ? 4 : 3) : mtu ? 0 : 4, .seq = bpf_htons(mtu) };
	sum = sum_words((const __be32 *)icmp, 2, sum);
	if (!p->v4)
		sum = add32(sum, pseudo_sum(p, proto, payload));
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
	return put_addrs(ctx, p->l3, p->v4, &p->t.dst, &p->t.src) && put_hops(ctx, p, 64);
}

#endif
