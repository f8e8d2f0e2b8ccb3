/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_ABI_FRONTEND_H
#define XB_ABI_FRONTEND_H
/*
 * xb_fe4, xb_fe6: where clients reach services, an exact-match hash table in an mmap-able array of buckets. A key lives
 * in bucket hash & (buckets - 1); when that is full in (hash >> 32) & (buckets - 1); when that is full too in xb_ovf4 or xb_ovf6.
 *
 * Writing (one writer): the address first, then the head word by a release store. Deleting: head word 0. A slot is not
 * reused before a grace period. Reading: the head word, then what depends on it, so a matching entry is whole.
 */
#include "xb/abi/types.h"

#define XB_FE_WAYS 4

/* The head of an entry, one 64-bit word. All zero: empty. The address lies behind it. */
struct xb_fe {
	__u16 port;                 /* host order */
	enum xb_proto proto;
	enum xb_frontend_kind kind;
	__u32 svc;                  /* index in xb_svc; of an address alone how many frontends it has: xb_fe_unit() for each */
} __attribute__((aligned(8)));

struct xb_fe4 {
	struct xb_fe fe;
	union xb_ip4 addr;
	__u32 spilled;              /* in a bucket's first entry: how many keys found it full and lie further on */
};

struct xb_fe6 {
	struct xb_fe fe;
	union xb_ip6 addr;
	__u32 spilled;
	__u32 pad;
};

struct xb_fe4_bucket {
	struct xb_fe4 way[XB_FE_WAYS];
};
struct xb_fe6_bucket {
	struct xb_fe6 way[XB_FE_WAYS];
};

/* xb_ovf4, xb_ovf6: the keys that found two buckets full. IPv4 as ::ffff:a.b.c.d. */
struct xb_fe_key {
	union xb_ip6 addr;
	__u16 port;
	enum xb_proto proto;
	__u8 pad[5];
};

/* Each address that a frontend has is a key by itself too, before the frontend is there and until it is gone: where the address is not
 * found nothing is. */
static inline __attribute__((always_inline)) __u32 xb_fe_unit(enum xb_frontend_kind kind)
{
	return kind == XB_FRONTEND_CLUSTER_IP ? 1 : 1 << 16;
}

/* IPv4 as ::ffff:a.b.c.d. Both halves of the result are used. Address and port meet only after a multiplication: runs of
 * both, as service ranges are, must not cancel each other out. */
static inline __attribute__((always_inline)) __u64 xb_fe_hash(const union xb_ip6 *addr, __u16 port, enum xb_proto proto, __u64 seed)
{
	__u64 h = (addr->word[1] ^ seed) * 0x9e3779b97f4a7c15ull;

	h = (h ^ (h >> 32) ^ addr->word[0] ^ port ^ ((__u64)proto << 16)) * 0xbf58476d1ce4e5b9ull;
	h = (h ^ (h >> 29)) * 0x94d049bb133111ebull;
	return h ^ (h >> 32);
}

_Static_assert(sizeof(struct xb_fe) == 8, "the head is one word");
_Static_assert(sizeof(struct xb_fe4_bucket) == 64 && sizeof(struct xb_fe6_bucket) == 128, "a bucket is whole cache lines");
_Static_assert(sizeof(struct xb_fe_key) == 24, "no hidden padding: hash maps compare bytes");

#endif
