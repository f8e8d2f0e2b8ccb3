/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef FLOWS_H
#define FLOWS_H
/* Keys and flows for tests of the flow table, by number. */
#include "lib/flow_insert.h"

static inline struct xb_tuple key_of(__u32 n, bool v4)
{
	struct xb_tuple t = {
		.sport = (__u16)(1024 + n % 60000), .dport = 80, .proto = n & 1 ? XB_PROTO_UDP : XB_PROTO_TCP,
		.family = v4 ? XB_IPV4 : XB_IPV6,
	};

	if (v4) {
		t.src = (union xb_ip6){ .be32 = { 0, 0, bpf_htonl(0xffff), bpf_htonl(0x0a000000 + n) } };
		t.dst = (union xb_ip6){ .be32 = { 0, 0, bpf_htonl(0xffff), bpf_htonl(0x0a600001) } };
	} else {
		t.src = (union xb_ip6){ .be32 = { bpf_htonl(0xfd000000), n * 7, 1, bpf_htonl(n) } };
		t.dst = (union xb_ip6){ .be32 = { bpf_htonl(0xfd000000), 2, 3, 4 } };
	}
	return t;
}

static inline struct flow flow_of(__u32 n, bool v4, enum xb_flow_state state)
{
	struct flow f = {
		.now = key_of(n ^ 0x5555, v4), .set = { .base = n + 1, .count = 3, .gen = (__u16)n }, .svc = n + 7,
		.scope = XB_SCOPE_OUTSIDE, .direction = n & 1 ? XB_FLOW_REPLY : XB_FLOW_FORWARD, .state = state,
	};

	f.now.proto = key_of(n, v4).proto;
	return f;
}

/* A flow's numbers are its own: what belongs to two flows is found out. */
static inline bool flow_is(const struct flow *f, __u32 n, bool v4)
{
	struct flow want = flow_of(n, v4, f->state);

	return addr_equal(&f->now.src, &want.now.src) && addr_equal(&f->now.dst, &want.now.dst) && f->now.sport == want.now.sport &&
	       f->now.dport == want.now.dport && f->now.proto == want.now.proto && f->now.family == want.now.family &&
	       f->set.base == want.set.base && f->set.count == want.set.count && f->set.gen == want.set.gen && f->svc == want.svc &&
	       f->scope == want.scope && f->direction == want.direction;
}

static inline int put(__u32 n, bool v4, enum xb_flow_state state, __u32 ticks)
{
	struct xb_tuple key = key_of(n, v4);
	struct flow f = flow_of(n, v4, state);

	return flow_insert(&key, &f, ticks);
}

static inline void refresh(__u32 n, bool v4, enum xb_flow_state state, __u32 ticks)
{
	struct xb_tuple key = key_of(n, v4);

	flow_refresh(&key, state, ticks);
}

static inline void drop(__u32 n, bool v4)
{
	struct xb_tuple key = key_of(n, v4);

	flow_remove(&key);
}

/* Ticks that it has left; 0: there is none. -1: it is not what was put. */
static inline int left_of(__u32 n, bool v4, enum xb_flow_state *ret_state)
{
	struct xb_tuple key = key_of(n, v4);
	struct flow f = {};
	__u32 left = 0;

	if (!flow_find(&key, 100, &f, &left))
		return 0;
	if (ret_state)
		*ret_state = f.state;
	return flow_is(&f, n, v4) ? (int)left : -1;
}

/* In how many ways of the table a key is that have more than so many ticks left. */
static inline int copies_left(__u32 n, bool v4, __s32 more)
{
	struct xb_tuple key = key_of(n, v4);
	struct flow_wanted w = flow_wanted(&key, v4);
	int copies = 0;

	for (__u32 i = 0; i <= (v4 ? flow4_mask : flow6_mask); i++) {
		struct xb_flow_head *head = v4 ? lookup(&xb_flow4, i) : lookup(&xb_flow6, i);

		for (__u32 k = 0; k < XB_FLOW_WAYS; k++) {
			union flow_way u = { .way = head->way[k] };

			copies += flow_tagged(u, &w) && flow_left(u, flow_tick()) > more &&
				  flow_key_at(flow_entry(head, k, v4), &w, v4);
		}
	}
	return copies;
}

/* Also those that expired lately. */
static inline int copies_of(__u32 n, bool v4)
{
	return copies_left(n, v4, -(__s32)XB_FLOW_SLACK);
}

static inline __u32 home_of(__u32 n, bool v4)
{
	struct xb_tuple key = key_of(n, v4);

	return (__u32)flow_wanted(&key, v4).hash & (v4 ? flow4_mask : flow6_mask);
}

/* The first n of IPv4 whose home is set 0. */
static inline void keys_of_one_home(__u32 *ret, size_t n)
{
	for (__u32 k = 0; n; k++)
		if (home_of(k, true) == 0) {
			*ret++ = k;
			n--;
		}
}

#endif
