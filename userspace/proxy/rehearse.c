/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <endian.h>
#include <linux/pkt_cls.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include "apply_state.h"
#include "xb/abi/flow.h"
#include "xb/bpfobj.h"
#include "xb/why.h"

#define PORT_DISCARD 9              /* the client's */

/* A TCP SYN as it is on the wire. */
struct syn {
	struct __attribute__((packed)) {
		unsigned char macs[12];
		uint16_t type;
		union __attribute__((packed)) {
			struct __attribute__((packed)) {
				struct iphdr ip;
				struct tcphdr tcp;
			} v4;
			struct __attribute__((packed)) {
				struct ip6_hdr ip;
				struct tcphdr tcp;
			} v6;
		};
	} b;
	size_t n;
	bool v4;
};

static uint32_t add(const void *p, size_t n, uint32_t sum)
{
	const unsigned char *b = p;

	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)(b[i] << 8 | b[i + 1]);
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static struct tcphdr tcp_of(const struct syn *s)
{
	return s->v4 ? s->b.v4.tcp : s->b.v6.tcp;
}

/* Of the TCP segment and what counts of the IP header; 0xffff when its checksum is right. */
static uint16_t tcp_sum(const struct syn *s)
{
	const char *ip = (const char *)&s->b.v4.ip;
	uint32_t sum = IPPROTO_TCP + sizeof(struct tcphdr);
	struct tcphdr tcp = tcp_of(s);

	sum = s->v4 ? add(ip + offsetof(struct iphdr, saddr), 8, sum) : add(ip + offsetof(struct ip6_hdr, ip6_src), 32, sum);
	return fold(add(&tcp, sizeof(tcp), sum));
}

/* From the node itself, by loopback's address: no client has it. */
static struct syn make_syn(const union xb_ip6 *to, uint16_t port, bool v4)
{
	struct syn s = { .v4 = v4, .n = offsetof(struct syn, b.v4) + (v4 ? sizeof(s.b.v4) : sizeof(s.b.v6)) };
	struct iphdr ip4 = {
		.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP, .tot_len = htobe16(sizeof(s.b.v4)),
		.saddr = htobe32(INADDR_LOOPBACK), .daddr = to->be32[3],
	};
	struct ip6_hdr ip6 = { .ip6_src = in6addr_loopback };
	struct tcphdr tcp = { .source = htobe16(PORT_DISCARD), .dest = htobe16(port), .syn = 1, .doff = 5, .window = htobe16(65535) };

	s.b.type = htobe16(v4 ? 0x0800 : 0x86dd);
	ip4.check = htobe16((uint16_t)~fold(add(&ip4, sizeof(ip4), 0)));
	ip6.ip6_vfc = 0x60;
	ip6.ip6_hlim = 64;
	ip6.ip6_nxt = IPPROTO_TCP;
	ip6.ip6_plen = htobe16(sizeof(tcp));
	memcpy(&ip6.ip6_dst, to, sizeof(ip6.ip6_dst));
	if (v4) {
		s.b.v4.ip = ip4;
		s.b.v4.tcp = tcp;
		s.b.v4.tcp.check = htobe16((uint16_t)~tcp_sum(&s));
	} else {
		s.b.v6.ip = ip6;
		s.b.v6.tcp = tcp;
		s.b.v6.tcp.check = htobe16((uint16_t)~tcp_sum(&s));
	}
	return s;
}

static int run(const struct bpf_object *o, const char *program, const struct syn *in, struct syn *ret, __u32 *ret_says)
{
	struct syn out = { .n = in->n, .v4 = in->v4 };
	LIBBPF_OPTS(bpf_test_run_opts, opts,
		    .data_in = &in->b, .data_size_in = (__u32)in->n, .data_out = &out.b, .data_size_out = sizeof(out.b));
	int r = bpf_prog_test_run_opts(bpf_program__fd(bpf_object__find_program_by_name(o, program)), &opts);

	if (r < 0)
		return r;
	out.n = opts.data_size_out;
	*ret = out;
	*ret_says = opts.retval;
	return 0;
}

/* What is for no service goes by as it came. */
static int rehearse_bystander(const struct bpf_object *o, const char *program, __u32 passes, char **reterr_why)
{
	/* reserved (RFC 1112), so it is no service's */
	const union xb_ip6 nobody = { .be32 = { 0, 0, htobe32(0xffff), htobe32(0xf0000001) } };
	const struct syn in = make_syn(&nobody, 80, true);
	struct syn out;
	__u32 says;
	int r = run(o, program, &in, &out, &says);

	if (r < 0)
		return xb_why(reterr_why, r, "cannot try %s out: %s", program, strerror(-r));
	if (says != passes || out.n != in.n || memcmp(&out.b, &in.b, in.n))
		return xb_why(reterr_why, -EIO, "%s does not let a packet that is for no service go by (it says %d)", program, (int)says);
	return 0;
}

static bool is_client4(const struct xb_flow4 *e)
{
	const __be32 client = htobe32(INADDR_LOOPBACK);

	return (e->src.be32 == client && e->sport == PORT_DISCARD) || (e->new_dst.be32 == client && e->new_dport == PORT_DISCARD);
}

static bool is_client6(const struct xb_flow6 *e)
{
	return (!memcmp(&e->src, &in6addr_loopback, sizeof(e->src)) && e->sport == PORT_DISCARD) ||
	       (!memcmp(&e->new_dst, &in6addr_loopback, sizeof(e->new_dst)) && e->new_dport == PORT_DISCARD);
}

/* Both entries of the flow: the client is nobody else. What a program makes of a way meanwhile stays. The table is mapped for
 * this alone. */
static int forget(const struct table *t, bool v4)
{
	struct xb_flow4_set *set4;
	struct xb_flow6_set *set6;
	size_t bytes;
	void *mem;
	int r = xb_bpf_mmap(t->fd, &mem, &bytes);

	if (r < 0)
		return r;
	set4 = mem;
	set6 = mem;
	for (__u32 i = 0; i < t->size; i++) {
		struct xb_flow_way *ways = v4 ? set4[i].head.way : set6[i].head.way;

		for (int k = 0; k < XB_FLOW_WAYS; k++) {
			__u64 __attribute__((may_alias)) *word = (void *)&ways[k];
			union {
				__u64 word;
				struct xb_flow_way way;
			} was = { .word = __atomic_load_n(word, __ATOMIC_ACQUIRE) };

			if (was.way.tag && !(was.way.tag & XB_FLOW_BUSY) &&
			    (v4 ? is_client4(&set4[i].way[k]) : is_client6(&set6[i].way[k])))
				__atomic_compare_exchange_n(word, &was.word, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
		}
	}
	munmap(mem, bytes);
	return 0;
}

static bool is_backend(const struct apply *a, struct xb_set set, const struct syn *s)
{
	uint16_t port = be16toh(tcp_of(s).dest);

	for (__u32 i = set.base; i < set.base + set.count; i++) {
		const struct xb_be4 *be4 = (const struct xb_be4 *)a->tables->t[TABLE_BE4].mem + i;
		const struct xb_be6 *be6 = (const struct xb_be6 *)a->tables->t[TABLE_BE6].mem + i;

		if (s->v4 ? be4->port == port && be4->addr.be32 == s->b.v4.ip.daddr :
			    be6->port == port && !memcmp(&be6->addr, &s->b.v6.ip.ip6_dst, sizeof(be6->addr)))
			return true;
	}
	return false;
}

/* What is for a service goes to a backend of its. A drop proves nothing: there may be no room for another flow at the moment. */
static int rehearse_service(const struct apply *a, const struct bpf_object *o, const struct port *port, const struct xb_fe_key *key,
			    char **reterr_why)
{
	const struct syn in = make_syn(&key->addr, key->port, port->family == XB_IPV4);
	struct syn out;
	__u32 says;
	int r = run(o, "xb_egress", &in, &out, &says);

	if (r == 0)
		r = forget(&a->tables->t[in.v4 ? TABLE_FLOW4 : TABLE_FLOW6], in.v4);
	if (r == 0)
		r = forget(&a->tables->t[in.v4 ? TABLE_FLOW4_OLD : TABLE_FLOW6_OLD], in.v4);
	if (r < 0)
		return xb_why(reterr_why, r, "cannot try xb_egress out: %s", strerror(-r));
	if (says == TC_ACT_SHOT)
		return 0;
	if ((says != TC_ACT_REDIRECT && says != (__u32)TC_ACT_UNSPEC) || out.n != in.n ||
	    !is_backend(a, svc_at(a, port->slot)->set[XB_SCOPE_INTERNAL], &out) || tcp_sum(&out) != 0xffff)
		return xb_why(reterr_why, -EIO, "xb_egress does not send a packet for %s to a backend as it should (it says %d)", port->name, (int)says);
	return 0;
}

static const struct xb_fe_key *cluster_ip(const struct port *port)
{
	for (size_t i = 0; i < port->n_frontends; i++)
		if (port->frontends[i].kind == XB_FRONTEND_CLUSTER_IP)
			return &port->frontends[i].key;
	return NULL;
}

/* A service of the tables that can be tried out, if there is one. */
static int rehearse_some_service(const struct apply *a, const struct bpf_object *o, char **reterr_why)
{
	for (__u32 slot = 1; slot < alloc_size(a->slots); slot++) {
		const struct port *port = a->by_slot[slot];
		const struct xb_fe_key *key = port && port->proto == XB_PROTO_TCP ? cluster_ip(port) : NULL;

		if (key && svc_at(a, slot)->set[XB_SCOPE_INTERNAL].count)
			return rehearse_service(a, o, port, key, reterr_why);
	}
	return 0;
}

int rehearse(const struct apply *a, char **reterr_why)
{
	const struct programs *p = &a->tables->programs;
	int r = rehearse_bystander(p->object[OBJECT_TC], "xb_ingress", (__u32)TC_ACT_UNSPEC, reterr_why);

	if (r == 0)
		r = rehearse_bystander(p->object[OBJECT_TC], "xb_egress", (__u32)TC_ACT_UNSPEC, reterr_why);
	if (r == 0 && p->object[OBJECT_XDP])
		r = rehearse_bystander(p->object[OBJECT_XDP], "xb_xdp", XDP_PASS, reterr_why);
	return r < 0 ? r : rehearse_some_service(a, p->object[OBJECT_TC], reterr_why);
}
