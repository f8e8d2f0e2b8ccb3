/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A byte of choices, then an IP packet. It and many others that differ from it in a few bytes go through the model of the packets'
 * path: parsed, decided over a table of services and flows, rewritten; and through the whole programs of tc and XDP. What came
 * with right checksums goes on, or is answered, with right checksums, and says that it goes where it was decided that it goes. What is
 * told to be a bystander is let through.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <linux/pkt_cls.h>
#include "lib/model_packet.h"
#include "lib/decide.h"
#include "lib/rewrite.h"
#include "lib/sctp.h"
#include "xb/frontends.h"
#include "xb/model.h"

#define VARIANTS 64
#define PACKET_MAX 2048
#define START (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* --- services: by port, one of each kind */

static const struct {
	__u16 port;
	enum xb_proto proto;
	enum xb_frontend_kind kind;
	__u16 count;                    /* backends */
	__u32 affinity, source_ranges;
	__u8 drop, dsr;
} services[] = {
	{ 80, XB_PROTO_TCP, XB_FRONTEND_CLUSTER_IP, 3, 0, 0, 0, 0 },
	{ 53, XB_PROTO_UDP, XB_FRONTEND_CLUSTER_IP, 2, 0, 0, 0, 0 },
	{ 132, XB_PROTO_SCTP, XB_FRONTEND_CLUSTER_IP, 1, 0, 0, 0, 0 },
	{ 81, XB_PROTO_TCP, XB_FRONTEND_CLUSTER_IP, 3, 100, 0, 0, 0 },
	{ 82, XB_PROTO_TCP, XB_FRONTEND_LOAD_BALANCER, 3, 0, 1, 0, 0 },
	{ 83, XB_PROTO_TCP, XB_FRONTEND_CLUSTER_IP, 0, 0, 0, 0, 0 },
	{ 84, XB_PROTO_UDP, XB_FRONTEND_EXTERNAL_IP, 0, 0, 0, 1, 0 },
	{ 85, XB_PROTO_UDP, XB_FRONTEND_EXTERNAL_IP, 2, 0, 0, 0, 1 },
};

static union xb_ip6 addr(bool v4, __u8 last)
{
	return v4 ? (union xb_ip6){ .b = { [10] = 255, 255, 10, 96, 0, last } } : (union xb_ip6){ .b = { 0xfd, [15] = last } };
}

static void put_backends(__u32 base, __u16 count, bool v4)
{
	for (__u16 i = 0; i < count; i++) {
		union xb_ip6 a = addr(v4, (__u8)(100 + i));
		__u32 index = base + i, *be32;
		struct xb_be4 *be4 = lookup(&xb_be4, index);
		struct xb_be6 *be6 = lookup(&xb_be6, index);

		be32 = &a.be32[3];
		if (v4)
			*be4 = (struct xb_be4){ .addr.be32 = *be32, .port = 8080, .local = i & 1 };
		else
			*be6 = (struct xb_be6){ .addr = a, .port = 8080, .local = i & 1 };
	}
}

static void put_services(bool v4)
{
	enum xb_family family = v4 ? XB_IPV4 : XB_IPV6;
	__u32 size, id = v4 ? 1 : 20;
	struct xb_frontends f;

	if (xb_frontends_init(&f, xb_model_array(v4 ? "xb_fe4" : "xb_fe6", &size), 64, family, fe_seed, -1) < 0)
		abort();
	for (size_t i = 0; i < sizeof(services) / sizeof(*services); i++, id++) {
		struct xb_fe_key key = { .addr = addr(v4, 1), .port = services[i].port, .proto = services[i].proto };
		struct xb_set set = { .base = (__u32)(i * 4), .count = services[i].count, .gen = 1 };
		struct xb_svc *svc = lookup(&xb_svc, id);

		*svc = (struct xb_svc){
			.set = { set, set, set, set }, .affinity_seconds = services[i].affinity,
			.drop = { 0, services[i].drop, services[i].drop },
			.family = family, .proto = services[i].proto, .dsr = services[i].dsr, .source_ranges = services[i].source_ranges,
		};
		put_backends(set.base, set.count, v4);
		must(xb_frontends_put(&f, &key, services[i].kind, id) == 0);
	}
	must(xb_frontends_put(&f, &(struct xb_fe_key){ .addr = addr(v4, 1) }, XB_FRONTEND_VIP, 1) == 0);
	xb_frontends_done(&f);
}

/* Flows of the corpus' clients, the same before each input, so that it alone says what comes of it. */
static struct xb_flow4_set flows4[64];
static struct xb_flow6_set flows6[64];

static void flows_save(void)
{
	__u32 size;

	memcpy(flows4, xb_model_array("xb_flow4", &size), sizeof(flows4));
	memcpy(flows6, xb_model_array("xb_flow6", &size), sizeof(flows6));
}

static void flows_restore(void)
{
	__u32 size;

	memcpy(xb_model_array("xb_flow4", &size), flows4, sizeof(flows4));
	memcpy(xb_model_array("xb_flow6", &size), flows6, sizeof(flows6));
	xb_model_set_jiffies(START);
}

static void put_flows(void)
{
	union xb_ip6 client4 = { .b = { [10] = 255, 255, 10, 1, 2, 3 } }, client6 = { .b = { 0xfd, 1, [15] = 5 } };

	for (size_t i = 0; i < 2 * sizeof(services) / sizeof(*services); i++) {
		struct packet p = { .kind = PACKET_TRANSPORT, .v4 = i & 1, .tcp_flags = TCP_SYN, .len = 60 };
		struct answer a = {};

		p.t = (struct xb_tuple){
			.src = p.v4 ? client4 : client6, .dst = addr(p.v4, 1), .sport = services[i / 2].proto == XB_PROTO_UDP ? 6000 : 5000,
			.dport = services[i / 2].port, .proto = services[i / 2].proto, .family = p.v4 ? XB_IPV4 : XB_IPV6,
		};
		decide(&p, false, &a);
	}
}

/* --- routes */

static __u32 mtu;

/* By one device or another, or not at all. */
static int route(struct bpf_fib_lookup *fib, __u32 *ret_mtu)
{
	const __u8 *dst = fib->family == 2 ? (const __u8 *)&fib->ipv4_dst + 3 : (const __u8 *)fib->ipv6_dst + 15;

	fib->ifindex = 1 + (*dst & 1);
	*ret_mtu = mtu;
	return *dst % 7 ? BPF_FIB_LKUP_RET_SUCCESS : BPF_FIB_LKUP_RET_NOT_FWDED;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct xb_src_key allowed = { .prefix_bits = 32 + 96 + 8, .id = bpf_htonl(1), .addr = addr(true, 0) };
	struct xb_node *node;
	__u8 yes = 1;

	must(xb_model_new(NULL) == 0);
	xb_model_set_route(route);
	put_services(true);
	put_services(false);
	node = lookup(&xb_node, 0);
	node->addr4.be32 = bpf_htonl(0xc0000201);
	node->addr6 = (union xb_ip6){ .b = { 0x20, 1, [15] = 9 } };
	node->nat_first = 40000;
	node->nat_count = 1000;
	node->pods4[0] = (struct xb_net4){ .addr.be32 = bpf_htonl(0x0a600000), .mask.be32 = bpf_htonl(0xffffff00) };
	node->services4[0] = node->pods4[0];
	must(bpf_map_update_elem(&xb_src, &allowed, &yes, BPF_ANY) == 0);
	xb_model_set_jiffies(START);
	put_flows();
	flows_save();
	return 0;
}

/* --- checksums, by addition of everything and not by difference */

static __u32 sum(const __u8 *p, __u32 n, __u32 s)
{
	for (__u32 i = 0; i < n; i++)
		s += i & 1 ? p[i] : (__u32)p[i] << 8;
	return s;
}

static __u16 folded(__u32 s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (__u16)s;
}

/* Where the checksum of layer 4 is; 0: nowhere, or it is not over all of it. */
static __u32 check_at(const struct packet *p, __u32 len)
{
	__u32 end = p->l3 + p->len, last = p->kind == PACKET_ERROR ? p->inner_l4 : p->l4;

	/* what is looked at may lie behind the packet's own end, and then no sum is over it */
	if (p->first || p->later || last + 8 > end || end > len)
		return 0;
	if (p->kind == PACKET_ERROR)
		return p->l4 + 2;
	if (p->kind != PACKET_TRANSPORT || p->t.proto == XB_PROTO_SCTP)
		return 0;
	return p->l4 + (p->t.proto == XB_PROTO_TCP ? 16 : 6);
}

static __u16 sum4(const struct packet *p, const __u8 *bytes)
{
	__u32 n = p->l3 + p->len - p->l4, proto = p->kind == PACKET_ERROR ? (p->v4 ? 0 : 58) : p->t.proto, s;

	s = sum(bytes + p->l4, n, 0);
	if (!p->v4)
		return folded(sum(bytes + p->l3 + 8, 32, s + n + proto));
	return folded(proto ? sum(bytes + p->l3 + 12, 8, s + n + proto) : s);
}

static __u16 sum3(const struct packet *p, const __u8 *bytes)
{
	return p->v4 ? folded(sum(bytes + p->l3, (bytes[p->l3] & 15) * 4, 0)) : 0xffff;
}

/* Whether all that SCTP's checksum is over is there. */
static bool is_sctp(const struct packet *p, __u32 len)
{
	return p->kind == PACKET_TRANSPORT && p->t.proto == XB_PROTO_SCTP && !p->first && !p->later &&
	       p->l4 + SCTP_BYTES <= p->l3 + p->len && p->l3 + p->len <= len;
}

static __u32 crc32c(const struct packet *p, const __u8 *bytes)
{
	__u32 crc = ~0u;

	for (__u32 i = p->l4; i < p->l3 + p->len; i++) {
		crc ^= i - p->l4 >= 8 && i - p->l4 < SCTP_BYTES ? 0 : bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
	}
	return ~crc;
}

static void must_be_right(const struct packet *p, const __u8 *bytes, __u32 len)
{
	__u32 crc;

	if (check_at(p, len))
		must(sum3(p, bytes) == 0xffff && sum4(p, bytes) == 0xffff);
	if (is_sctp(p, len)) {
		memcpy(&crc, bytes + p->l4 + 8, sizeof(crc));
		must(sum3(p, bytes) == 0xffff && crc32c(p, bytes) == crc);
	}
}

static bool get_right(const struct packet *p, __u8 *bytes, __u32 len)
{
	__u32 at = check_at(p, len);
	__u16 s;

	if (p->l4 > len)
		return false;
	if (p->v4) {
		bytes[p->l3 + 10] = bytes[p->l3 + 11] = 0;
		s = (__u16)~sum3(p, bytes);
		bytes[p->l3 + 10] = s >> 8;
		bytes[p->l3 + 11] = (__u8)s;
	}
	if (is_sctp(p, len)) {
		__u32 crc = crc32c(p, bytes);

		memcpy(bytes + p->l4 + 8, &crc, sizeof(crc));
		return true;
	}
	if (!at || at + 2 > p->l3 + p->len)
		return false;
	bytes[at] = bytes[at + 1] = 0;
	s = (__u16)~sum4(p, bytes);
	bytes[at] = s >> 8;
	bytes[at + 1] = (__u8)s;
	return s && sum4(p, bytes) == 0xffff;
}

static inline void fix_checksum(CTX *ctx, const struct packet *p, __u32 addresses, __u32 rest)
{
	__u32 at = p->l4 + (p->kind == PACKET_ERROR ? 2 : p->t.proto == XB_PROTO_TCP ? 16 : 6);
	__be16 *check = header(ctx, at, sizeof(*check));

	if (p->later)
		return;
	if (p->kind != PACKET_ERROR && p->t.proto == XB_PROTO_SCTP)
		sctp_fix(ctx, p);
	else if (check && (*check || p->t.proto != XB_PROTO_UDP || p->kind == PACKET_ERROR))
		*check = fixed(*check, add32(addresses, rest));
}

/* --- a packet */

static bool tuple_is(const struct xb_tuple *a, const struct xb_tuple *b)
{
	return addr_equal(&a->src, &b->src) && addr_equal(&a->dst, &b->dst) && a->sport == b->sport && a->dport == b->dport &&
	       a->proto == b->proto;
}

static void follow(CTX *ctx, const struct packet *p, const struct answer *a, bool right)
{
	struct packet again = {};
	bool done = p->kind == PACKET_ERROR ? rewrite_error(ctx, p, &a->f.now) : rewrite(ctx, p, &a->f.now);

	if (!done)
		return;
	if (p->first)
		note_ports(p);
	if (p->kind == PACKET_TRANSPORT && !p->later) {
		again.kind = parse(ctx, p->v4, p->l3, &again);
		must(again.kind == PACKET_TRANSPORT && tuple_is(&again.t, &a->f.now));
	}
	if (right)
		must_be_right(p, ctx->bytes, ctx->len);
}

/* --- the whole programs */

static void whole(__u8 choices, const __u8 *bytes, __u32 len, bool right)
{
	static struct xb_model_frame out;
	enum xb_model_hook hook = choices & 8 ? XB_MODEL_XDP : choices & 4 ? XB_MODEL_EGRESS : XB_MODEL_INGRESS;
	static __u8 network[XB_MODEL_FRAME] __attribute__((aligned(8)));
	struct model_packet ctx = { network, 0 };
	struct packet p = {};
	__u8 frame[ETH_BYTES + PACKET_MAX] = { [12] = choices & 1 ? 0x08 : 0x86, choices & 1 ? 0x00 : 0xdd };

	memcpy(frame + ETH_BYTES, bytes, len);
	mtu = choices & 16 ? 100 : 1500;
	must(xb_model_run(hook, frame, ETH_BYTES + len, 1 + (choices >> 5 & 1), &out) == 0);
	if (hook == XB_MODEL_XDP)
		must(out.verdict >= XDP_DROP && out.verdict <= XDP_TX);
	else
		must(out.verdict == TC_ACT_UNSPEC || out.verdict == TC_ACT_SHOT || out.verdict == TC_ACT_REDIRECT);
	if (!right || out.verdict == (hook == XB_MODEL_XDP ? XDP_DROP : TC_ACT_SHOT))
		return;
	ctx.len = out.len - ETH_BYTES;
	memcpy(network, out.bytes + ETH_BYTES, ctx.len);
	p.kind = parse(&ctx, choices & 1, 0, &p);
	must(p.kind != PACKET_OTHER && p.kind != PACKET_MALFORMED);
	must_be_right(&p, ctx.bytes, ctx.len);
}

static void one(__u8 choices, __u8 *bytes, __u32 len)
{
	__u8 same[PACKET_MAX];
	struct model_packet ctx = { bytes, len };
	struct packet p = {};
	struct answer a = {};
	bool right, bystander;

	p.kind = parse(&ctx, choices & 1, 0, &p);
	right = choices & 2 && (p.kind == PACKET_TRANSPORT || p.kind == PACKET_ERROR) && get_right(&p, bytes, len);
	memcpy(same, bytes, len);
	whole(choices, same, len, right);
	if (p.kind == PACKET_OTHER || p.kind == PACKET_MALFORMED)
		return;
	bystander = is_bystander(&ctx, 0, choices & 1);
	decide(&p, choices & 4, &a);
	must(a.reason < XB_REASONS && (!bystander || (a.verdict == VERDICT_PASS && !a.reason)));
	if (a.verdict == VERDICT_TRANSLATE && !p.outer)
		follow(&ctx, &p, &a, right);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	__u8 *packet;

	if (n < 2 || n > PACKET_MAX)
		return 0;
	n--;
	flows_restore();
	packet = malloc(n);
	xb_model_set_random(n * 31 + bytes[n]);
	for (int i = 0; packet && i < VARIANTS; i++) {
		memcpy(packet, bytes + 1, n);
		for (int k = 0; k < i % 4; k++)
			packet[xb_model_random() % n % (k < 2 ? 64 : PACKET_MAX)] = (__u8)xb_model_random();
		one(i % 8 ? bytes[0] : (__u8)xb_model_random(), packet, (__u32)n);
		xb_model_set_jiffies(START + 70 * (__u64)i);
	}
	free(packet);
	return 0;
}
