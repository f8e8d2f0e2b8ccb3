/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What packet_bench compares our programs with: programs that do nothing, one that sends each packet back as it is, and the XDP path
 * with the tables of services that peers have, three hash maps: a service by address, port and protocol, its slots by the same
 * and a number, a backend by its own number. It parses, routes, rewrites and sends as ours, and knows no flows.
 */
#include "../../bpf/xdp.bpf.c"

struct peer_key {
	__be32 addr;
	__u16 port, slot;               /* slot 0: the service itself */
	__u32 proto;
};
struct peer_service {
	__u32 count, backend;           /* of a slot: its backend's number */
};
struct peer_backend {
	__be32 addr;
	__u32 port;
};

#define PEER_MAP(name, key_type, value_type) \
	struct { \
		__uint(type, BPF_MAP_TYPE_HASH); \
		__uint(max_entries, 65536); \
		__type(key, key_type); \
		__type(value, value_type); \
	} name SEC(".maps")

PEER_MAP(peer_services, struct peer_key, struct peer_service);
PEER_MAP(peer_slots, struct peer_key, struct peer_service);
PEER_MAP(peer_backends, __u32, struct peer_backend);

SUBPROG int peer_choose(const struct packet *p, struct xb_tuple *now)
{
	const struct peer_service *service, *slot;
	const struct peer_backend *backend;
	struct peer_key key = {};

	if (!p || !now)
		return false;
	key.addr = p->t.dst.be32[3];
	key.port = p->t.dport;
	key.proto = p->t.proto;
	service = bpf_map_lookup_elem(&peer_services, &key);
	if (!service || !service->count)
		return false;
	key.slot = 1 + tuple_hash(&p->t, 0) % service->count;
	slot = bpf_map_lookup_elem(&peer_slots, &key);
	backend = slot ? bpf_map_lookup_elem(&peer_backends, &slot->backend) : NULL;
	if (!backend)
		return false;
	*now = p->t;
	now->dst.be32[3] = backend->addr;
	now->dport = backend->port;
	return true;
}

SEC("xdp") int peer_xdp(struct xdp_md *ctx)
{
	struct packet p = {};
	struct xb_tuple now = {};

	parsed(ctx, true, &p);
	if (p.kind != PACKET_TRANSPORT || !peer_choose(&p, &now))
		return XDP_PASS;
	return send_on(ctx, &p, &now);
}

SEC("xdp") int reflect(struct xdp_md *ctx)
{
	struct ethernet_header *eth = header(ctx, 0, sizeof(*eth));
	__u8 was[6];

	if (!eth)
		return XDP_PASS;
	__builtin_memcpy(was, eth->dst, sizeof(was));
	__builtin_memcpy(eth->dst, eth->src, sizeof(was));
	__builtin_memcpy(eth->src, was, sizeof(was));
	return XDP_TX;
}

SEC("xdp") int xdp_nothing(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("tc") int tc_nothing(struct __sk_buff *ctx)
{
	return -1;
}
