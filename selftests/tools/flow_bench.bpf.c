/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What flow_bench runs: one operation on many keys, on the flow table and on a map as the kernel has them. */
#include "lib/flow_insert.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* What an LRU_HASH of flows would be for IPv4: 16 bytes of key, 40 of what an entry says. */
struct lru_key {
	__u32 src, dst;
	__u16 sport, dport;
	__u32 proto;
};
struct lru_flow {
	__u8 bytes[40];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct lru_key);
	__type(value, struct lru_flow);
} lru SEC(".maps");

__u32 first, keys;              /* operation i is on key first + i, or, with keys, on first + one of keys at random */
__u64 done;

static __always_inline struct xb_tuple key_of(__u32 i)
{
	__u32 n = first + (keys ? (i * 0x9e3779b1u ^ i >> 7) & (keys - 1) : i);

	return (struct xb_tuple){
		.src.be32 = { 0, 0, bpf_htonl(0xffff), bpf_htonl(0x0a000000 + n / 1024) }, .sport = 1024 + n % 1024,
		.dst.be32 = { 0, 0, bpf_htonl(0xffff), bpf_htonl(0x0a600001) }, .dport = 80, .proto = XB_PROTO_TCP, .family = XB_IPV4,
	};
}

static __always_inline struct lru_key lru_key_of(__u32 i)
{
	struct xb_tuple t = key_of(i);

	return (struct lru_key){ .src = t.src.be32[3], .dst = t.dst.be32[3], .sport = t.sport, .dport = t.dport, .proto = t.proto };
}

static long just_keys(__u32 i, void *arg)
{
	struct xb_tuple key = key_of(i);

	asm volatile("" : : "r"(&key) : "memory");
	done++;
	return 0;
}

static long flow_get(__u32 i, void *arg)
{
	struct xb_tuple key = key_of(i);
	struct flow f = {};
	__u32 left = 0;

	done += flow_find(&key, 100, &f, &left);
	return 0;
}

static long flow_put(__u32 i, void *arg)
{
	struct xb_tuple key = key_of(i);
	struct flow f = { .now = key, .svc = 1 };

	done += !flow_insert(&key, &f, 1000);
	return 0;
}

static long flow_drop(__u32 i, void *arg)
{
	struct xb_tuple key = key_of(i);

	flow_remove(&key);
	done++;
	return 0;
}

static long lru_get(__u32 i, void *arg)
{
	struct lru_key key = lru_key_of(i);
	struct lru_flow *f = bpf_map_lookup_elem(&lru, &key);

	if (f) {
		*(__u64 *)f->bytes += 100;
		done++;
	}
	return 0;
}

static long lru_put(__u32 i, void *arg)
{
	struct lru_key key = lru_key_of(i);
	struct lru_flow f = {};

	done += !bpf_map_update_elem(&lru, &key, &f, BPF_NOEXIST);
	return 0;
}

static long lru_drop(__u32 i, void *arg)
{
	struct lru_key key = lru_key_of(i);

	bpf_map_delete_elem(&lru, &key);
	done++;
	return 0;
}

__u32 times;

#define BENCH(name, step) \
	SEC("tc") int name(struct __sk_buff *skb) \
	{ \
		done = 0; \
		return bpf_loop(times, step, NULL, 0); \
	}

BENCH(bench_none, just_keys)
BENCH(bench_get, flow_get)
BENCH(bench_put, flow_put)
BENCH(bench_drop, flow_drop)
BENCH(bench_lru_get, lru_get)
BENCH(bench_lru_put, lru_put)
BENCH(bench_lru_drop, lru_drop)
