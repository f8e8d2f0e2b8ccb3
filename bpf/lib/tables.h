/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef TABLES_H
#define TABLES_H
/* The tables and settings, the same in each object. A table of size 1 here gets its size, or an existing table's fd, from the
 * loader. */
#include <stdbool.h>
#include <linux/bpf.h>
#ifdef __bpf__
#include <bpf/bpf_helpers.h>
#else
#include "lib/model.h"
#endif
#include "xb/abi/event.h"
#include "xb/abi/frontend.h"
#include "xb/abi/hdr.h"
#include "xb/abi/metrics.h"
#include "xb/abi/node.h"
#include "xb/abi/socket.h"
#include "lib/word.h"

#ifdef __bpf__
/* A global function: the verifier goes through it once for a program, and not once for each state that its callers come in. What its
 * pointers lead to must be set to the last byte, before Linux 6.3 also what it only writes. */
#define SUBPROG __noinline
/* Set by the loader. */
#define SETTING const volatile
#endif

SETTING __u64 fe_seed;            /* of xb_fe_hash() */
SETTING __u32 fe4_mask, fe6_mask; /* buckets - 1 */
SETTING __u32 rev_mask;           /* sets - 1 */
SETTING __u32 flow4_mask, flow6_mask; /* sets - 1 */
SETTING __u32 flow4_old_mask, flow6_old_mask; /* likewise, of what a larger table takes the place of; 0: of nothing */
SETTING __u32 drop_mask, new_mask; /* slots - 1 */
SETTING __u32 jiffies_per_second;
SETTING __u32 tick_shift;         /* a tick, jiffies >> tick_shift, is about a second */
SETTING __u32 flow_rate_max = 131072; /* new flows in a tick, of each processor */
SETTING __u64 node_netns;         /* cookie of the node's own network namespace */

#define TABLE(name, value_type) \
	struct { \
		__uint(type, BPF_MAP_TYPE_ARRAY); \
		__uint(map_flags, BPF_F_MMAPABLE); \
		__uint(max_entries, 1); \
		__type(key, __u32); \
		__type(value, value_type); \
	} name SEC(".maps")

TABLE(xb_hdr, struct xb_hdr);
TABLE(xb_fe4, struct xb_fe4_bucket);
TABLE(xb_fe6, struct xb_fe6_bucket);
TABLE(xb_svc, struct xb_svc);
TABLE(xb_name, struct xb_name);
TABLE(xb_be4, struct xb_be4);
TABLE(xb_be6, struct xb_be6);
TABLE(xb_rev, struct xb_rev_set);
TABLE(xb_flow4, struct xb_flow4_set);
TABLE(xb_flow6, struct xb_flow6_set);
TABLE(xb_flow4_old, struct xb_flow4_set);
TABLE(xb_flow6_old, struct xb_flow6_set);
TABLE(xb_node, struct xb_node);
TABLE(xb_mag, struct xb_mag);
TABLE(xb_drop, struct xb_event);
TABLE(xb_new, struct xb_event);
TABLE(xb_cursor, __u64);

#define OVERFLOW(name) \
	struct { \
		__uint(type, BPF_MAP_TYPE_HASH); \
		__uint(map_flags, BPF_F_NO_PREALLOC); \
		__uint(max_entries, 1); \
		__type(key, struct xb_fe_key); \
		__type(value, struct xb_fe); \
	} name SEC(".maps")

OVERFLOW(xb_ovf4);
OVERFLOW(xb_ovf6);

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct xb_aff_key);
	__type(value, struct xb_aff);
} xb_aff SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct xb_frag_key);
	__type(value, struct xb_frag);
} xb_frag SEC(".maps");

/* The value is of no meaning: a network is in it or not. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct xb_src_key);
	__type(value, __u8);
} xb_src SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct xb_sku);
} xb_sku SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xb_metrics);
} xb_metrics SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} xb_reason SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xb_rate);
} xb_rate SEC(".maps");

static __always_inline void *lookup(void *table, __u32 index)
{
	return bpf_map_lookup_elem(table, &index);
}

#define COUNT(counter) do { \
		struct xb_metrics *_m = lookup(&xb_metrics, 0); \
		if (_m) \
			_m->counter++; \
	} while (0)

static __always_inline bool addr_equal(const union xb_ip6 *a, const union xb_ip6 *b)
{
	return a->word[0] == b->word[0] && a->word[1] == b->word[1];
}

static __always_inline bool peer_equal(const struct xb_peer *a, const struct xb_peer *b)
{
	return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

#endif
