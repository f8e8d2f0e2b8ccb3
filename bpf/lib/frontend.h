/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef FRONTEND_H
#define FRONTEND_H
/* Address, port and protocol -> frontend. */
#include <bpf/bpf_endian.h>
#include "lib/tables.h"

/* Where an application wants to go; IPv4 as ::ffff:a.b.c.d. */
struct dest {
	struct xb_peer to;
	enum xb_proto proto;
	bool v4;
};

union fe_word {
	__u64 word;
	struct xb_fe fe;
};

static __always_inline __u64 bucket_find(const void *bucket, const struct xb_fe_key *key, bool v4)
{
	const union fe_word only = { .fe = { .port = 0xffff, .proto = 0xff } }, want = { .fe = { .port = key->port, .proto = key->proto } };

#pragma unroll
	for (int i = 0; i < XB_FE_WAYS; i++) {
		const void *way = bucket + i * (v4 ? sizeof(struct xb_fe4) : sizeof(struct xb_fe6));
		union fe_word head = { .word = load_word(way) };

		if ((head.word & only.word) != want.word)
			continue;
		way = after(way, head.word);
		if (head.fe.kind && (v4 ? ((const struct xb_fe4 *)way)->addr.be32 == key->addr.be32[3] :
					  addr_equal(&((const struct xb_fe6 *)way)->addr, &key->addr)))
			return head.word;
	}
	return 0;
}

/* Whether keys that found it full lie further on. */
static __always_inline bool bucket_spilled(const void *bucket, bool v4)
{
	return v4 ? ((const struct xb_fe4 *)bucket)->spilled : ((const struct xb_fe6 *)bucket)->spilled;
}

static __always_inline const void *bucket_at(__u64 hash, bool v4)
{
	return v4 ? lookup(&xb_fe4, hash & fe4_mask) : lookup(&xb_fe6, hash & fe6_mask);
}

static __always_inline __u64 family_find(const struct xb_fe_key *key, bool v4)
{
	__u64 hash = xb_fe_hash(&key->addr, key->port, key->proto, fe_seed), word;
	const __u64 *spilled;

#pragma unroll
	for (int probe = 0; probe < 2; probe++, hash >>= 32) {
		const void *bucket = bucket_at(hash, v4);

		if (!bucket)
			return 0;
		word = bucket_find(bucket, key, v4);
		if (word)
			return word;
		if (!bucket_spilled(bucket, v4))
			return 0;
	}
	spilled = v4 ? bpf_map_lookup_elem(&xb_ovf4, key) : bpf_map_lookup_elem(&xb_ovf6, key);
	return spilled ? *spilled : 0;
}

/* The word of a key's entry, or 0. One branch by family for all of it: over several the verifier of Linux 6.1 forgets that
 * they all go the same way. */
static __always_inline __u64 fe_find(const struct xb_fe_key *key, bool v4)
{
	return v4 ? family_find(key, true) : family_find(key, false);
}

static __always_inline struct xb_fe fe_at(const union xb_ip6 *addr, bool v4, __u16 port, enum xb_proto proto)
{
	struct xb_fe_key key = { .addr = *addr, .port = port, .proto = proto };
	union fe_word u = { .word = fe_find(&key, v4) };

	return u.fe;
}

/* Whether nothing is at an address, as far as its first bucket alone can tell: one of twenty is full. */
static __always_inline bool fe_absent(const union xb_ip6 *addr, bool v4)
{
	const struct xb_fe_key key = { .addr = *addr };
	const void *bucket = bucket_at(xb_fe_hash(addr, 0, XB_PROTO_NONE, fe_seed), v4);

	return bucket && !bucket_spilled(bucket, v4) && !bucket_find(bucket, &key, v4);
}

static __always_inline bool is_any(const struct dest *d)
{
	return d->v4 ? !d->to.addr.be32[3] : !d->to.addr.word[0] && !d->to.addr.word[1];
}

static __always_inline bool is_loopback(const struct dest *d)
{
	return d->v4 ? d->to.addr.b[12] == 127 : !d->to.addr.word[0] && d->to.addr.word[1] == bpf_cpu_to_be64(1);
}

/* A global function, as few ask: fe_at() is one only at the price of 15 ns. */
SUBPROG __u64 node_port_word(__u16 port, enum xb_proto proto, bool v4)
{
	struct xb_fe_key key = { .addr.be32 = { 0, 0, v4 ? bpf_htonl(0xffff) : 0, 0 }, .port = port, .proto = proto };

	return fe_find(&key, v4);
}

static __always_inline struct xb_fe node_port_find(const struct dest *d)
{
	union fe_word u = { .word = node_port_word(d->to.port, d->proto, d->v4) };

	return u.fe;
}

/* What an address is by itself; kind 0 when its other ports are none of ours. */
static __always_inline struct xb_fe address_find(const union xb_ip6 *addr, bool v4)
{
	struct xb_fe fe = fe_at(addr, v4, 0, XB_PROTO_NONE);

	return fe.kind == XB_FRONTEND_SHARED ? (struct xb_fe){} : fe;
}

/*
 * The frontend that answers at an address that is not loopback; kind XB_FRONTEND_VIP when the address is a service's but the
 * port is not; kind 0 when it is none of ours.
 */
static __always_inline struct xb_fe frontend(const struct dest *d)
{
	struct xb_fe fe;

	fe = fe_at(&d->to.addr, d->v4, d->to.port, d->proto);
	if (fe.kind)
		return fe;
	fe = address_find(&d->to.addr, d->v4);
	return fe.kind == XB_FRONTEND_NODE_ADDR ? node_port_find(d) : fe;
}

#endif
