/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which UDP sockets are connected to a backend that does not serve any more: they send without a hook. A walk over the sockets that
 * have asked for services (those with an xb_sku), in all network namespaces; for each that is stale it writes a struct xb_stale.
 */
#include "lib/backend.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define TCP_ESTABLISHED 1           /* a UDP socket that is connected */
#define AF_INET 2

/* What is read of the kernel's own structures, found by name (CO-RE). */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct seq_file;
struct ns_common {
	unsigned int inum;
};
struct net {
	struct ns_common ns;
};
struct possible_net {
	struct net *net;
};
struct sock_common {
	unsigned short skc_family;
	volatile unsigned char skc_state;
	int skc_bound_dev_if;
	__be32 skc_daddr, skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	struct possible_net skc_net;
	union xb_ip6 skc_v6_daddr, skc_v6_rcv_saddr;
};
struct sock {
	struct sock_common __sk_common;
};
struct bpf_iter_meta {
	struct seq_file *seq;
};
struct bpf_iter__bpf_sk_storage_map {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	struct sock *sk;
	void *value;
};
#pragma clang attribute pop

static __always_inline void map4(union xb_ip6 *ret, __be32 addr)
{
	*ret = (union xb_ip6){ .be32 = { 0, 0, bpf_htonl(0xffff), addr } };
}

static __always_inline bool is_stale(const struct xb_sku_flow *flow)
{
	const struct xb_svc *svc = lookup(&xb_svc, flow->svc);
	struct xb_set now;

	if (!svc)
		return false;
	now = set_load(svc, flow->scope);
	return !set_equal(now, flow->set) && !still_serves(svc, now, svc->family == XB_IPV4, &flow->backend);
}

SEC("iter/bpf_sk_storage_map") int xb_stale(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct sock *sk = ctx->sk;
	const struct xb_sku *sku = ctx->value;
	struct xb_sku_flow flow = {};
	struct xb_stale s = {};

	if (!sk || !sku || sk->__sk_common.skc_state != TCP_ESTABLISHED)
		return 0;
	/* a buffer is read at constant places only */
#pragma unroll
	for (__u32 i = 0; i < XB_SKU_WAYS; i++)
		if (sku->connected == i + 1)
			flow = sku->flow[i];
	if (!flow.service.port || !is_stale(&flow))
		return 0;
	s.dport = bpf_ntohs(sk->__sk_common.skc_dport);
	s.sport = sk->__sk_common.skc_num;
	if (sk->__sk_common.skc_family == AF_INET) {
		map4(&s.dst, sk->__sk_common.skc_daddr);
		map4(&s.src, sk->__sk_common.skc_rcv_saddr);
	} else {
		s.dst = sk->__sk_common.skc_v6_daddr;
		s.src = sk->__sk_common.skc_v6_rcv_saddr;
	}
	/* it may have been connected elsewhere before the hook saw it */
	if (s.dport != flow.backend.port || !addr_equal(&s.dst, &flow.backend.addr))
		return 0;
	s.netns = sk->__sk_common.skc_net.net->ns.inum;
	s.ifindex = sk->__sk_common.skc_bound_dev_if;
	s.svc = flow.svc;
	s.cookie = bpf_get_socket_cookie(sk);
	bpf_seq_write(ctx->meta->seq, &s, sizeof(s));
	return 0;
}
