/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The socket path: a destination that is a service becomes one of its backends at connect() or sendmsg(), before there is
 * a packet, and becomes the service again in what recvmsg() and getpeername() tell the application.
 */
#include "lib/backend.h"
#include "lib/reverse.h"
#include "lib/udp_flow.h"

#define PROCEED 1
#define DENY    0
#define IPPROTO_MPTCP 262

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline enum xb_proto proto_of(const struct bpf_sock_addr *ctx)
{
	switch (ctx->protocol) {
	case XB_PROTO_TCP:
	case IPPROTO_MPTCP:
		return XB_PROTO_TCP;
	case XB_PROTO_UDP:
		return XB_PROTO_UDP;
	default:
		return XB_PROTO_NONE;
	}
}

static __always_inline struct dest dest4(const struct bpf_sock_addr *ctx)
{
	return (struct dest){
		.to.addr.be32 = { 0, 0, bpf_htonl(0xffff), ctx->user_ip4 },
		.to.port = bpf_ntohs(ctx->user_port),
		.proto = proto_of(ctx),
		.v4 = true,
	};
}

static __always_inline struct dest dest6(const struct bpf_sock_addr *ctx)
{
	struct dest d = {
		.to.addr.be32 = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3] },
		.to.port = bpf_ntohs(ctx->user_port),
		.proto = proto_of(ctx),
	};

	d.v4 = !d.to.addr.word[0] && d.to.addr.be32[2] == bpf_htonl(0xffff);
	return d;
}

static __always_inline void rewrite4(struct bpf_sock_addr *ctx, const struct xb_peer *p)
{
	ctx->user_ip4 = p->addr.be32[3];
	ctx->user_port = bpf_htons(p->port);
}

static __always_inline void rewrite6(struct bpf_sock_addr *ctx, const struct xb_peer *p)
{
	ctx->user_ip6[0] = p->addr.be32[0];
	ctx->user_ip6[1] = p->addr.be32[1];
	ctx->user_ip6[2] = p->addr.be32[2];
	ctx->user_ip6[3] = p->addr.be32[3];
	ctx->user_port = bpf_htons(p->port);
}

static __always_inline int refuse(struct bpf_sock_addr *ctx, const struct dest *d, __u32 svc, enum xb_reason reason, int error)
{
	struct xb_tuple was = {
		.dst = d->to.addr, .dport = d->to.port, .proto = d->proto, .family = d->v4 ? XB_IPV4 : XB_IPV6,
	};

	event(reason, XB_PATH_SOCKET, bpf_get_netns_cookie(ctx), svc, &was, NULL);
	return error;
}

/* Loopback is the node's only in the node's own namespace: a pod's is its own. A host port may be at an address of it alone. */
static __always_inline struct xb_fe frontend_of(struct bpf_sock_addr *ctx, const struct dest *d)
{
	struct xb_fe fe;

	if (!is_any(d) && !is_loopback(d))
		return frontend(d);
	if (bpf_get_netns_cookie(ctx) != node_netns)
		return (struct xb_fe){};
	fe = node_port_find(d);
	return fe.kind ? fe : fe_at(&d->to.addr, d->v4, d->to.port, d->proto);
}

/*
 * Whether the ranges have the node's own address, for a process of the node. Its packets alone would not do: one for a backend in the
 * network of the node would come in with the node's address as source, and the node takes that from no device.
 */
static __always_inline bool node_allowed(struct bpf_sock_addr *ctx, const struct dest *d, const struct xb_svc *svc)
{
	const struct xb_node *node = lookup(&xb_node, 0);
	union xb_ip6 addr;

	if (!node || bpf_get_netns_cookie(ctx) != node_netns)
		return false;
	addr = d->v4 ? (union xb_ip6){ .be32 = { 0, 0, bpf_htonl(0xffff), node->addr4.be32 } } : node->addr6;
	return source_allowed(svc, &addr);
}

/*
 * 1: *ret is the service at a destination. 0: there is none, or its packets are looked at for their source address, which is
 * not known yet. Negative: the errno that the application gets. Port 0 asks for a route and not for a service, as
 * getaddrinfo() does to sort addresses.
 */
static __always_inline int service_find(struct bpf_sock_addr *ctx, const struct dest *d, struct service *ret)
{
	struct xb_fe fe = frontend_of(ctx, d);

	if (!fe.kind || fe.kind == XB_FRONTEND_NODE_ADDR || !d->to.port)
		return 0;
	if (fe.kind == XB_FRONTEND_VIP)
		return refuse(ctx, d, 0, XB_REFUSED_NO_PORT, -ECONNREFUSED);
	if (!service_load(fe, XB_SCOPE_EXTERNAL, ret)) {
		count(XB_TABLE_ERROR);
		return 0;
	}
	return fe.kind != XB_FRONTEND_LOAD_BALANCER || !ret->svc->source_ranges || node_allowed(ctx, d, ret->svc);
}

/*
 * Picks a backend for a new connection or flow. 1: *ret is it. 0: let the destination be. Negative: the errno that the
 * application gets. It is never EPERM, which kernel clients such as NFS do not expect of connect().
 *
 * "drop" would let a client wait. A connect() hook cannot: what it lets through keeps the destination it gave, so the SYN
 * would be sent again and again to nowhere even after a backend came up. ETIMEDOUT at once says the same as the wait
 * would, is told apart from a refusal, leaks nothing, and leaves the next try to the client.
 */
static __always_inline int backend_pick(struct bpf_sock_addr *ctx, const struct dest *d, const struct service *s, struct xb_peer *ret)
{
	int r;

	if (!s->set.count)
		return s->svc->drop[s->scope < XB_SCOPES ? s->scope : 0] ?
			       refuse(ctx, d, s->id, XB_DROPPED_NO_LOCAL_BACKEND, -ETIMEDOUT) :
			       refuse(ctx, d, s->id, XB_REFUSED_NO_BACKEND, -ECONNREFUSED);
	if (s->svc->affinity_seconds) {
		union xb_ip6 client = { .word = { 0, bpf_get_netns_cookie(ctx) } };

		r = affinity_pick(s, &client, d->v4, ret);
	} else {
		r = set_pick(s->set, d->v4, ret);
	}
	if (r < 0) {
		count(XB_TABLE_ERROR);
		return 0;
	}
	return 1;
}

static __always_inline int udp_remember(struct bpf_sock_addr *ctx, const struct dest *d, const struct service *s,
					const struct xb_peer *backend, bool connect)
{
	struct xb_sku_flow flow = {
		.service = d->to, .backend = *backend, .set = s->set, .svc = s->id, .scope = s->scope,
	};
	struct xb_sku *sku = sku_get(ctx, true);

	/* without it the answers would come from a stranger */
	if (!sku)
		return -ENOBUFS;
	flow_put(sku, &flow);
	if (connect)
		sku->connected = sku->last + 1;
	return 1;
}

/* It connects to what is no service now. */
static __always_inline void udp_disconnect(struct bpf_sock_addr *ctx)
{
	struct xb_sku *sku = sku_get(ctx, false);

	if (sku)
		sku->connected = 0;
}

/* 1: *ret_backend takes the destination's place. 0: let it be. Negative: refuse with that errno. */
static __always_inline int connect_to(struct bpf_sock_addr *ctx, const struct dest *d, struct xb_peer *ret_backend)
{
	struct service s;
	int r;

	if (!d->proto)
		return 0;
	r = service_find(ctx, d, &s);
	if (r <= 0) {
		if (d->proto == XB_PROTO_UDP)
			udp_disconnect(ctx);
		return r;
	}
	r = backend_pick(ctx, d, &s, ret_backend);
	if (r <= 0)
		return r;
	if (d->proto == XB_PROTO_UDP) {
		COUNT(udp_connect);
		return udp_remember(ctx, d, &s, ret_backend, true);
	}
	COUNT(tcp_connect);
	rev_put(bpf_get_socket_cookie(ctx), &d->to, ret_backend);
	return 1;
}

/*
 * As connect_to(), for each datagram. A choice holds while its set is the same. After a change it is kept if its
 * backend still serves, and a backend that is gone is never used again.
 */
static __always_inline int send_to(struct bpf_sock_addr *ctx, const struct dest *d, struct xb_peer *ret_backend)
{
	struct xb_sku *sku;
	struct xb_sku_flow *flow;
	struct service s;
	int r;

	if (d->proto != XB_PROTO_UDP)
		return 0;
	sku = sku_get(ctx, false);
	flow = sku ? flow_to(sku, &d->to) : NULL;
	if (flow) {
		const struct xb_svc *svc = lookup(&xb_svc, flow->svc);

		*ret_backend = flow->backend;
		if (svc && set_equal(set_load(svc, flow->scope), flow->set))
			return 1;
	}
	r = service_find(ctx, d, &s);
	if (r <= 0)
		return r;
	if (flow && flow->svc == s.id && flow->scope == s.scope && still_serves(s.svc, s.set, d->v4, &flow->backend)) {
		flow->set = s.set;
		return 1;
	}
	r = backend_pick(ctx, d, &s, ret_backend);
	if (r <= 0)
		return r;
	if (flow)
		COUNT(udp_reselect);
	else
		COUNT(udp_flow);
	return udp_remember(ctx, d, &s, ret_backend, false);
}

static __always_inline bool answer_from(struct bpf_sock_addr *ctx, struct xb_peer *peer)
{
	const struct xb_sku *sku = sku_get(ctx, false);

	return sku && flow_reverse(sku, peer);
}

static __always_inline bool peer_name(struct bpf_sock_addr *ctx, const struct dest *d, struct xb_peer *peer)
{
	if (d->proto == XB_PROTO_TCP)
		return rev_get(bpf_get_socket_cookie(ctx), peer);
	return d->proto == XB_PROTO_UDP && answer_from(ctx, peer);
}

static __always_inline int deny(int error)
{
	bpf_set_retval(error);
	return DENY;
}

#define OUTWARD(section, name, family, step) \
	SEC(section) int name(struct bpf_sock_addr *ctx) \
	{ \
		struct dest d = dest##family(ctx); \
		struct xb_peer backend = {}; \
		int r = step(ctx, &d, &backend); \
		\
		if (r < 0) \
			return deny(r); \
		if (r) \
			rewrite##family(ctx, &backend); \
		return PROCEED; \
	}

OUTWARD("cgroup/connect4", xb_connect4, 4, connect_to)
OUTWARD("cgroup/connect6", xb_connect6, 6, connect_to)
OUTWARD("cgroup/sendmsg4", xb_sendmsg4, 4, send_to)
OUTWARD("cgroup/sendmsg6", xb_sendmsg6, 6, send_to)

SEC("cgroup/recvmsg4") int xb_recvmsg4(struct bpf_sock_addr *ctx)
{
	struct xb_peer peer = dest4(ctx).to;

	if (answer_from(ctx, &peer))
		rewrite4(ctx, &peer);
	return PROCEED;
}

SEC("cgroup/recvmsg6") int xb_recvmsg6(struct bpf_sock_addr *ctx)
{
	struct xb_peer peer = dest6(ctx).to;

	if (answer_from(ctx, &peer))
		rewrite6(ctx, &peer);
	return PROCEED;
}

SEC("cgroup/getpeername4") int xb_getpeer4(struct bpf_sock_addr *ctx)
{
	struct dest d = dest4(ctx);
	struct xb_peer peer = d.to;

	if (peer_name(ctx, &d, &peer))
		rewrite4(ctx, &peer);
	return PROCEED;
}

SEC("cgroup/getpeername6") int xb_getpeer6(struct bpf_sock_addr *ctx)
{
	struct dest d = dest6(ctx);
	struct xb_peer peer = d.to;

	if (peer_name(ctx, &d, &peer))
		rewrite6(ctx, &peer);
	return PROCEED;
}
