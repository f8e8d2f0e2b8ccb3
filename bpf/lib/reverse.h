/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef REVERSE_H
#define REVERSE_H
/* What a TCP socket's application connected to. The kernel holds the socket's lock in all hooks that come here, so a
 * socket does not race with itself; sockets of one set race for its entries. */
#include "lib/tables.h"

static __always_inline __u32 peer_hash(const struct xb_peer *p)
{
	__u64 h = xb_fe_hash(&p->addr, p->port, XB_PROTO_TCP, 0);

	return h ^ (h >> 32);
}

/* Cookies are handed out one after the other, so without a hash neighbours in time are neighbours in memory. */
static __always_inline struct xb_rev_set *rev_set(__u64 cookie)
{
	return lookup(&xb_rev, cookie & rev_mask);
}

/* The way for a socket's entry: where it is already, or a free one, or the older one. */
static __always_inline struct xb_rev *rev_place(struct xb_rev_set *set, __u64 cookie, __u16 now)
{
	struct xb_rev *a = &set->way[0], *b = &set->way[1];
	__u64 in_a = load_word(&a->cookie), in_b = load_word(&b->cookie);

	if (in_a == cookie || in_b == cookie)
		return in_a == cookie ? a : b;
	if (!in_a || !in_b)
		return !in_a ? a : b;
	return (__u16)(now - a->made) >= (__u16)(now - b->made) ? a : b;
}

/* Remembers that a socket's peer is in truth "peer" where the application asked for "service". */
SUBPROG int rev_put(__u64 cookie, const struct xb_peer *service, const struct xb_peer *peer)
{
	struct xb_rev_set *set = rev_set(cookie);
	__u16 now = bpf_jiffies64();
	struct xb_rev *way;
	__u64 was;

	if (!set || !service || !peer)
		return 0;
	way = rev_place(set, cookie, now);
	was = load_word(&way->cookie);
	if (was == XB_REV_BUSY || __sync_val_compare_and_swap(&way->cookie, was, XB_REV_BUSY) != was) {
		COUNT(reverse_lost);
		return 0;
	}
	if (was && was != cookie)
		COUNT(reverse_lost);
	way->addr = service->addr;
	way->port = service->port;
	way->made = now;
	way->peer = peer_hash(peer);
	__sync_lock_test_and_set(&way->cookie, cookie);
	return 1;
}

/* Turns a socket's true peer into what its application connected to. */
static __always_inline bool rev_get(__u64 cookie, struct xb_peer *p)
{
	const struct xb_rev_set *set = rev_set(cookie);

	if (!set)
		return false;
#pragma unroll
	for (int i = 0; i < XB_REV_WAYS; i++) {
		const struct xb_rev *way = &set->way[i];

		if (load_word(&way->cookie) != cookie || way->peer != peer_hash(p))
			continue;
		p->addr = way->addr;
		p->port = way->port;
		return true;
	}
	return false;
}

#endif
