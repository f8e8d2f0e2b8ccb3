/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef DECIDE_H
#define DECIDE_H
/*
 * What becomes of a packet: from its tuple and the tables to a verdict. Writes flows, touches no packet.
 *
 * A packet of no service costs what is_bystander() does, where it can tell. A packet of a known flow costs one lookup. A new flow costs a
 * frontend, a service, a backend, and two insertions.
 */
#include "lib/backend.h"
#include "lib/flow_insert.h"
#include "lib/packet.h"
#include "lib/sctp.h"

enum verdict {
	VERDICT_PASS,                   /* nothing to do with it */
	VERDICT_TRANSLATE,
	VERDICT_TUNNEL,                 /* to the backend at f.now, as it is, in an IP packet */
	VERDICT_REFUSE,
	VERDICT_DROP,
	VERDICT_ECHO,                   /* answer the ping */
} __attribute__((packed));

struct answer {
	struct flow f;                  /* f.now: as the packet goes on; f.svc is known before the rest is */
	enum verdict verdict;
	enum xb_reason reason;          /* XB_REASON_NONE: nothing worth counting */
	bool local;                     /* the backend is on this node */
};

/* How long a flow lives without packets, in ticks, about seconds. An open TCP flow outlives the keepalive of two hours (RFC 9293,
 * 3.8.4). */
#define TICKS_NEW         30
#define TICKS_CLOSED      10
#define TICKS_CLOSING     120
#define TICKS_TCP         8100
#define TICKS_UDP         120
#define TICKS_SCTP        600
#define NAT_PORTS_TRIED   16

static __always_inline struct xb_tuple reversed(const struct xb_tuple *t)
{
	return (struct xb_tuple){
		.src = t->dst, .dst = t->src, .sport = t->dport, .dport = t->sport, .proto = t->proto, .family = t->family,
	};
}

static __always_inline __u32 tuple_hash(const struct xb_tuple *t, __u64 seed)
{
	__u64 h = xb_fe_hash(&t->src, t->sport, t->proto, seed);

	return xb_fe_hash(&t->dst, t->dport, t->proto, h);
}

/* --- a flow that is known */

/* A SYN; SCTP's is an INIT. */
static __always_inline bool begins(const struct packet *p)
{
	return p->t.proto == XB_PROTO_TCP ? (p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN :
					    p->t.proto == XB_PROTO_SCTP && p->chunk == SCTP_INIT;
}

/* A SYN with an acknowledgement; SCTP's is an INIT ACK. */
static __always_inline bool answers_beginning(const struct packet *p)
{
	return p->t.proto == XB_PROTO_TCP ? (p->tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) :
					    p->t.proto == XB_PROTO_SCTP && p->chunk == SCTP_INIT_ACK;
}

/* A reset; SCTP's is an ABORT. */
static __always_inline bool ends_at_once(const struct packet *p)
{
	return p->t.proto == XB_PROTO_TCP ? p->tcp_flags & TCP_RST : p->t.proto == XB_PROTO_SCTP && p->chunk == SCTP_ABORT;
}

/* What an entry's state becomes with a packet of its direction. */
static __always_inline enum xb_flow_state tcp_next(const struct packet *p, const struct flow *f)
{
	if (ends_at_once(p) || f->state == XB_FLOW_CLOSED)
		return XB_FLOW_CLOSED;
	/* open when the client has answered the answer; what closes before is nobody's */
	if (f->state == XB_FLOW_NEW && (f->direction == XB_FLOW_REPLY || (p->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_ACK))
		return XB_FLOW_NEW;
	if (p->tcp_flags & TCP_FIN)
		return f->state == XB_FLOW_PEER_FIN ? XB_FLOW_CLOSED : XB_FLOW_FIN;
	return f->state == XB_FLOW_NEW ? XB_FLOW_OPEN : f->state;
}

/* UDP and SCTP: open, too, when the client has answered the answer. One question and its answer are over, and may be anybody's. */
static __always_inline enum xb_flow_state datagram_next(const struct packet *p, const struct flow *f)
{
	if (p->t.proto == XB_PROTO_SCTP && (ends_at_once(p) || p->chunk == SCTP_SHUTDOWN_COMPLETE || f->state == XB_FLOW_CLOSED))
		return XB_FLOW_CLOSED;
	if (f->direction == XB_FLOW_REPLY)
		return f->state == XB_FLOW_NEW ? XB_FLOW_REPLIED : f->state;
	return f->state == XB_FLOW_REPLIED ? XB_FLOW_OPEN : f->state;
}

static __always_inline enum xb_flow_state flow_next(const struct packet *p, const struct flow *f)
{
	return p->t.proto == XB_PROTO_TCP ? tcp_next(p, f) : datagram_next(p, f);
}

static __always_inline __u32 ticks_of(enum xb_proto proto, enum xb_flow_state state)
{
	switch (state) {
	case XB_FLOW_NEW:
	case XB_FLOW_REPLIED:
		return TICKS_NEW;
	case XB_FLOW_OPEN:
		return proto == XB_PROTO_TCP ? TICKS_TCP : proto == XB_PROTO_UDP ? TICKS_UDP : TICKS_SCTP;
	case XB_FLOW_CLOSED:
		return TICKS_CLOSED;
	default:
		return TICKS_CLOSING;
	}
}

/* Whether two keys are those of one flow: in a full table one entry of a pair may give way before the other, and its key be another
 * flow's then. */
SUBPROG bool decide_paired(const struct xb_tuple *key, const struct xb_tuple *twin)
{
	struct flow f = {};
	__u32 left = 0;

	return key && twin && flow_find(twin, 0, &f, &left) && f.now.dport == key->sport && f.now.sport == key->dport &&
	       addr_equal(&f.now.dst, &key->src) && addr_equal(&f.now.src, &key->dst);
}

/* Both entries live as long as either is used: a source port must not be given away while its flow sends one way only. */
static __always_inline void keep_alive(const struct packet *p, const struct flow *f, __u32 left)
{
	enum xb_flow_state state = flow_next(p, f), other = state;
	__u32 ticks = ticks_of(p->t.proto, state);
	struct xb_tuple twin;

	if (state == f->state && left + ticks / 16 >= ticks)
		return;
	if (state == XB_FLOW_FIN || state == XB_FLOW_PEER_FIN)
		other = state == XB_FLOW_FIN ? XB_FLOW_PEER_FIN : XB_FLOW_FIN;
	twin = reversed(&f->now);
	flow_refresh(&p->t, state, ticks);
	if (decide_paired(&p->t, &twin))
		flow_refresh(&twin, other, ticks);
}

/*
 * Whether a flow goes on to its backend. A connection outlives its backend's place in the set (it drains), but a datagram
 * never goes to a backend that is gone, and neither does what begins a connection of its own. An answer to such that a flow
 * at its end did not see is not of it: the client has asked the backend by its own address, from the same port.
 */
static __always_inline bool still_valid(const struct packet *p, struct flow *f)
{
	struct xb_peer backend = { .addr = f->now.dst, .port = f->now.dport };
	const struct xb_svc *svc;
	struct xb_set set;

	if (p->outer && f->direction == XB_FLOW_TUNNEL)
		return false;
	if (f->direction == XB_FLOW_REPLY)
		return f->state < XB_FLOW_FIN || !(begins(p) || answers_beginning(p));
	if (p->t.proto != XB_PROTO_UDP && !begins(p))
		return true;
	if (begins(p) && f->state >= XB_FLOW_FIN)
		return false;
	svc = lookup(&xb_svc, f->svc);
	if (!svc)
		return true;
	set = set_load(svc, f->scope);
	if (set_equal(set, f->set))
		return true;
	if (!still_serves(svc, set, p->v4, &backend))
		return false;
	flow_renew(&p->t, &set);
	return true;
}

/* Whether a tunnel that leads to a known flow is one of ours: it goes to the backend. A flow that this node would tunnel by itself is
 * found out to be gone (still_valid()). */
static __always_inline bool own_tunnel(const struct packet *p, const struct flow *f)
{
	if (f->direction == XB_FLOW_TUNNEL)
		return p->kind != PACKET_ERROR;
	return f->direction == XB_FLOW_FORWARD && addr_equal(&p->tunnel, &f->now.dst);
}

/* True: *a is what becomes of the packet. False: no flow of it is known (any more). Global functions, as rev_put() is: the
 * verifier goes through each once, and its stack is free again afterwards. */
SUBPROG int decide_known(const struct packet *p, struct answer *a)
{
	__u32 left = 0;

	if (!p || !a || !flow_find(&p->t, p->uncounted ? 0 : p->len, &a->f, &left))
		return false;
	if (p->outer && !own_tunnel(p, &a->f)) {
		*a = (struct answer){};
		return false;
	}
	if (p->kind != PACKET_ERROR && !still_valid(p, &a->f)) {
		struct xb_tuple twin = reversed(&a->f.now);

		if (decide_paired(&p->t, &twin))
			flow_remove(&twin);
		flow_remove(&p->t);
		/* a client that uses its port again is no news */
		a->reason = a->f.state < XB_FLOW_FIN ? XB_FLOW_RESELECTED : XB_REASON_NONE;
		a->f = (struct flow){};
		return false;
	}
	if (p->kind != PACKET_ERROR)
		keep_alive(p, &a->f, left);
	else
		a->reason = XB_ERROR_TRANSLATED;
	a->verdict = a->f.direction == XB_FLOW_TUNNEL ? VERDICT_TUNNEL : VERDICT_TRANSLATE;
	return true;
}

/* --- a new one */

static __always_inline bool in_nets4(const struct xb_net4 *nets, const union xb_ip6 *addr)
{
	for (int i = 0; i < XB_NETS_MAX && nets[i].mask.be32; i++)
		if ((addr->be32[3] & nets[i].mask.be32) == nets[i].addr.be32)
			return true;
	return false;
}

static __always_inline bool in_nets6(const struct xb_net6 *nets, const union xb_ip6 *addr)
{
	for (int i = 0; i < XB_NETS_MAX && nets[i].mask.word[0]; i++)
		if ((addr->word[0] & nets[i].mask.word[0]) == nets[i].addr.word[0] &&
		    (addr->word[1] & nets[i].mask.word[1]) == nets[i].addr.word[1])
			return true;
	return false;
}

static __always_inline bool is_pod(const struct xb_node *node, const union xb_ip6 *addr, bool v4)
{
	return v4 ? in_nets4(node->pods4, addr) : in_nets6(node->pods6, addr);
}

static __always_inline bool is_service_addr(const struct xb_node *node, const union xb_ip6 *addr, bool v4)
{
	return v4 ? in_nets4(node->services4, addr) : in_nets6(node->services6, addr);
}

static __always_inline int verdict(struct answer *a, enum verdict v, enum xb_reason reason)
{
	a->verdict = v;
	a->reason = reason;
	return false;
}

static __always_inline int to_service(const struct packet *p, struct xb_fe fe, bool inside, struct answer *a)
{
	struct service s;

	if (!service_load(fe, inside ? XB_SCOPE_EXTERNAL : XB_SCOPE_OUTSIDE, &s))
		return verdict(a, VERDICT_PASS, XB_TABLE_ERROR);
	a->f.svc = s.id;
	a->f.scope = s.scope;
	a->f.set = s.set;
	/* what the node before this one let in. Whether the tunnel is ours is known by its backend */
	if (p->outer)
		return s.svc->dsr && s.set.count;
	if (fe.kind == XB_FRONTEND_LOAD_BALANCER && s.svc->source_ranges && !source_allowed(s.svc, &p->t.src))
		return verdict(a, VERDICT_DROP, XB_DROPPED_SOURCE_RANGE);
	/* nothing that a connection begins with, and none is known: its end, after the flow's */
	if (ends_at_once(p))
		return verdict(a, VERDICT_DROP, XB_REASON_NONE);
	if (s.set.count)
		return true;
	if (s.svc->drop[s.scope < XB_SCOPES ? s.scope : 0])
		return verdict(a, VERDICT_DROP, XB_DROPPED_NO_LOCAL_BACKEND);
	return verdict(a, VERDICT_REFUSE, XB_REFUSED_NO_BACKEND);
}

/* For a packet of no known flow. True: it goes to the service in a->f, and needs a backend. host: this node itself sent it. */
SUBPROG int decide_service(const struct packet *p, bool host, struct answer *a)
{
	const struct xb_node *node = lookup(&xb_node, 0);
	struct dest d = {};
	struct xb_fe fe;

	if (!p || !a || !node)
		return false;
	d.to.addr = p->t.dst;
	d.to.port = p->t.dport;
	d.proto = p->t.proto;
	d.v4 = p->v4;
	if (p->kind == PACKET_ERROR || is_any(&d) || is_loopback(&d))
		return false;
	if (p->outer) {
		if (p->kind != PACKET_TRANSPORT)
			return false;
		/* a node port of another node is none of its addresses here, but its number is the same */
		fe = frontend(&d);
		fe = fe.kind && fe.kind != XB_FRONTEND_NODE_ADDR ? fe : node_port_find(&d);
		return fe.kind && fe.kind != XB_FRONTEND_VIP && fe.kind != XB_FRONTEND_NODE_ADDR && to_service(p, fe, true, a);
	}
	if (p->kind == PACKET_TRANSPORT) {
		fe = frontend(&d);
		if (fe.kind == XB_FRONTEND_VIP)
			return verdict(a, VERDICT_REFUSE, XB_REFUSED_NO_PORT);
		if (fe.kind && fe.kind != XB_FRONTEND_NODE_ADDR)
			return to_service(p, fe, host || is_pod(node, &p->t.src, p->v4), a);
	} else {
		fe = address_find(&p->t.dst, p->v4);
		if (p->kind == PACKET_ECHO && fe.kind == XB_FRONTEND_VIP)
			return verdict(a, VERDICT_ECHO, XB_ECHO_ANSWERED);
		if (p->kind == PACKET_FRAGMENT && fe.kind == XB_FRONTEND_VIP)
			return verdict(a, VERDICT_DROP, XB_DROPPED_FRAGMENT);
		if (p->kind == PACKET_MALFORMED)
			return fe.kind == XB_FRONTEND_VIP ? verdict(a, VERDICT_DROP, XB_DROPPED_MALFORMED) : false;
	}
	if (!fe.kind && is_service_addr(node, &p->t.dst, p->v4))
		return verdict(a, VERDICT_REFUSE, XB_REFUSED_NO_SERVICE);
	return false;
}

static __always_inline int pick(const struct packet *p, const struct service *s, struct xb_peer *ret)
{
	struct xb_slice maglev = slice_load(s->svc);

	if (s->svc->affinity_seconds)
		return affinity_pick(s, &p->t.src, p->v4, ret);
	if (s->scope == XB_SCOPE_OUTSIDE && maglev.size) {
		/* the same on each node, so that a flow may come in by another one */
		__u32 at = tuple_hash(&p->t, 0) % maglev.size;
		const struct xb_mag *line = lookup(&xb_mag, maglev.base + at / XB_MAG_LINE);
		__u16 place = line ? line->position[at % XB_MAG_LINE] : 0xffff;

		if (place < s->set.count)
			return backend_load(s->set.base + place, p->v4, ret);
	}
	/* by the tuple and not at random: a flow whose entry was lost finds its backend while the set is the same */
	return backend_load(s->set.base + ((__u64)tuple_hash(&p->t, fe_seed) * s->set.count >> 32), p->v4, ret);
}

/* The backend of a tunnel's end: on this node, and one of the service's. */
static __always_inline int pick_tunnelled(const struct packet *p, const struct service *s, struct xb_peer *ret)
{
	struct xb_peer want = { .addr = p->tunnel };
	__u32 at = set_from(s->set, p->v4, &want);

	if (at >= s->set.base + s->set.count || backend_load(at, p->v4, ret) < 0 || !ret->local || !addr_equal(&ret->addr, &p->tunnel))
		return -ENOENT;
	return 0;
}

/* Fills in the backend. */
SUBPROG int decide_backend(const struct packet *p, struct answer *a)
{
	struct xb_peer backend = {};
	struct service s = {};

	if (!p || !a)
		return false;
	s.id = a->f.svc;
	s.scope = a->f.scope;
	s.set = a->f.set;
	s.svc = lookup(&xb_svc, s.id);
	if (!s.svc || (!p->outer && pick(p, &s, &backend) < 0))
		return verdict(a, VERDICT_PASS, XB_TABLE_ERROR);
	/* somebody else's tunnel */
	if (p->outer && pick_tunnelled(p, &s, &backend) < 0)
		return verdict(a, VERDICT_PASS, XB_REASON_NONE);
	a->f.now = p->t;
	a->f.now.dst = backend.addr;
	a->f.now.dport = backend.port;
	/* an endpoint need not say where it is, and yet may be this node itself: the API server's is such a one */
	a->local = backend.local || fe_at(&backend.addr, p->v4, 0, XB_PROTO_NONE).kind == XB_FRONTEND_NODE_ADDR;
	if (s.svc->dsr && s.scope == XB_SCOPE_OUTSIDE && !a->local)
		a->f.direction = XB_FLOW_TUNNEL;
	return true;
}

/* -EEXIST: another flow has the answer. -EALREADY: another processor has just made this flow.
 * *f is the answer's for a moment: a copy of it would be more stack than Linux 6.1 has left for flow_insert(). */
static __always_inline int insert_pair(const struct packet *p, struct flow *f)
{
	struct xb_tuple twin = reversed(&f->now);
	int r;

	f->now = reversed(&p->t);
	f->direction = XB_FLOW_REPLY;
	r = flow_insert(&twin, f, TICKS_NEW);
	f->now = reversed(&twin);
	f->direction = XB_FLOW_FORWARD;
	if (r)
		return r;
	r = flow_insert(&p->t, f, TICKS_NEW);
	if (r)
		flow_remove(&twin);
	return r == -EEXIST ? -EALREADY : r;
}

/* From another port. The entry for the answer is the claim to it. One that others have is rare: a compiler that takes it for usual lays the
 * loop out so that its end runs into its beginning, which Linux 6.1 refuses. */
static __always_inline int insert_at_port(const struct packet *p, const struct xb_node *node, struct flow *f)
{
	__u32 h = tuple_hash(&p->t, fe_seed);
	int r = -EEXIST;

	for (int i = 0; i < NAT_PORTS_TRIED; i++) {
		h = h * 0x9e3779b1u + 0x7f4a7c15u;
		f->now.sport = node->nat_first + (h * (__u64)node->nat_count >> 32);
		r = insert_pair(p, f);
		if (__builtin_expect(r != -EEXIST, 1))
			break;
	}
	return r;
}

static __always_inline bool take_node_addr(const struct packet *p, const struct xb_node *node, struct flow *f)
{
	if (p->v4 ? !node->addr4.be32 : !node->addr6.word[0] && !node->addr6.word[1])
		return false;
	if (p->v4)
		map4(&f->now.src, node->addr4.be32);
	else
		f->now.src = node->addr6;
	return true;
}

/*
 * Whether the answer would not find its way back through this node by itself. That of a backend here does, through its own
 * device, unless the backend is the client too: it would see its own address as its client's.
 */
static __always_inline bool masquerades(const struct packet *p, const struct xb_node *node, const struct answer *a, bool host)
{
	if (addr_equal(&p->t.src, &a->f.now.dst))
		return true;
	if (a->local || host)
		return false;
	if (is_pod(node, &p->t.src, p->v4))
		return node->masquerade_all && a->f.scope == XB_SCOPE_INTERNAL;
	return true;
}

static __always_inline enum xb_reason why_no_flow(int r)
{
	switch (r) {
	case -EEXIST:
		return XB_DROPPED_NO_NAT_PORT;
	case -EADDRNOTAVAIL:
		return XB_DROPPED_NO_NAT_ADDRESS;
	default:
		return XB_DROPPED_FLOWS_FULL;
	}
}

/*
 * Makes the flow, or says why there is none, and returns 0. -EEXIST: another flow has the answer, or others have each port that was
 * tried, and it wants to be asked again, for the last time. What is not masqueraded gets a port of its own then, as the same client may
 * reach the same backend by two services from one port; its address stays, for the node's own would not do for a backend in the network
 * of the node. -EALREADY: another processor has just made this flow.
 */
SUBPROG int decide_flow(const struct packet *p, bool host, bool last, struct answer *a)
{
	const struct xb_node *node = lookup(&xb_node, 0);
	bool tunnel, masquerade;
	int r = -EEXIST;

	if (!p || !a || !node)
		return 0;
	tunnel = a->f.direction == XB_FLOW_TUNNEL;
	if (!last && !flow_rate()) {
		verdict(a, VERDICT_DROP, XB_DROPPED_FLOW_RATE);
		return 0;
	}
	if (tunnel) {
		r = flow_insert(&p->t, &a->f, TICKS_NEW);
		r = r == -EEXIST ? -EALREADY : r;
	} else if ((masquerade = masquerades(p, node, a, host)) && !take_node_addr(p, node, &a->f)) {
		r = -EADDRNOTAVAIL;
	} else {
		if (!masquerade)
			r = insert_pair(p, &a->f);
		if (r == -EEXIST && (masquerade || last))
			r = insert_at_port(p, node, &a->f);
	}
	if (r == -EALREADY || (r == -EEXIST && !last))
		return r;
	if (r)
		verdict(a, VERDICT_DROP, why_no_flow(r));
	else
		verdict(a, tunnel ? VERDICT_TUNNEL : VERDICT_TRANSLATE, a->reason ? a->reason : XB_FLOW_MADE);
	return 0;
}

/* Makes way for a flow whose answer another one has that is at its end, for the client uses his port again; or whose last port that was
 * tried is that of a flow which is not open, as the table makes way. */
SUBPROG int decide_release(const struct packet *p, struct answer *a)
{
	struct xb_tuple twin, key;
	struct flow old = {};
	__u32 left = 0;
	bool own;

	if (!p || !a)
		return 0;
	twin = reversed(&a->f.now);
	if (!flow_find(&twin, 0, &old, &left))
		return 0;
	own = old.now.dport == p->t.sport && addr_equal(&old.now.dst, &p->t.src);
	if (own ? old.state < XB_FLOW_FIN : old.state == XB_FLOW_OPEN)
		return 0;
	flow_remove(&twin);
	key = reversed(&old.now);
	if (decide_paired(&twin, &key))
		flow_remove(&key);
	return 0;
}

/* Whether a packet is certainly of no flow and no service, as most are that a node forwards. It takes three lines of memory; about the
 * others decide() says more. */
static __always_inline bool is_bystander(CTX *ctx, __u16 l3, bool v4)
{
	const void *at = plain_header(ctx, l3, v4);
	const struct xb_node *node;
	struct xb_tuple t;

	if (!at)
		return false;
	plain_tuple(at, v4, &t);
	stays_in_memory(&t);
	if (!flow_absent(&t, v4) || !fe_absent(&t.dst, v4))
		return false;
	node = lookup(&xb_node, 0);
	return node && !is_service_addr(node, &t.dst, v4);
}

/* *a is all zero before. */
static __always_inline void decide(const struct packet *p, bool host, struct answer *a)
{
	int r;

	if ((p->kind == PACKET_TRANSPORT || p->kind == PACKET_ERROR) && decide_known(p, a))
		return;
	if (!decide_service(p, host, a) || !decide_backend(p, a))
		return;
	r = decide_flow(p, host, false, a);
	if (r == -EEXIST) {
		decide_release(p, a);
		r = decide_flow(p, host, true, a);
	}
	if (r == -EALREADY && !decide_known(p, a))
		verdict(a, VERDICT_DROP, XB_DROPPED_FLOWS_FULL);
}

#endif
