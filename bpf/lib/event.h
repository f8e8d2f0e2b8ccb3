/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EVENT_H
#define EVENT_H
/* Why a packet or a call took the way out that it took: counted, and kept in full where a person will ask about it. */
#include "lib/tables.h"

#define EVENT_BUSY (~0ull)          /* seq of a slot that is being written */

/* Counts one, of no interest by itself. */
static __always_inline void count(enum xb_reason reason)
{
	__u64 *counter = lookup(&xb_reason, reason);

	if (counter)
		++*counter;
}

/*
 * The record of event(). A global function, so that the verifier goes through it once for a program and not at each way out. A writer
 * that finds its slot busy has been overtaken by a whole ring: its event is lost, and no reader sees a mixture.
 */
SUBPROG int event_put(__u32 what, __u32 svc, __u64 where, const struct xb_tuple *was, const struct xb_tuple *now)
{
	enum xb_reason reason = what & 0xff;
	bool is_new = reason < XB_REFUSED_NO_BACKEND;
	__u64 *cursor = lookup(&xb_cursor, is_new), n, seq;
	struct xb_event *e;

	if (!cursor || !was)
		return 0;
	n = __sync_fetch_and_add(cursor, 1);
	e = is_new ? lookup(&xb_new, n & new_mask) : lookup(&xb_drop, n & drop_mask);
	if (!e)
		return 0;
	seq = load_word(&e->seq);
	if (seq == EVENT_BUSY || __sync_val_compare_and_swap(&e->seq, seq, EVENT_BUSY) != seq)
		return 0;
	e->time = bpf_ktime_get_ns();
	e->was = *was;
	e->now = now ? *now : (struct xb_tuple){};
	e->path = what >> 8;
	e->netns = e->path == XB_PATH_SOCKET ? where : 0;
	e->ifindex = e->path == XB_PATH_SOCKET ? 0 : where;
	e->svc = svc;
	e->reason = reason;
	__sync_lock_test_and_set(&e->seq, n + 1);
	return 1;
}

/*
 * Counts a refusal, a drop, or a new flow, and keeps it. where: on the socket path the cookie of the client's network namespace,
 * else the index of the device. svc: 0 for none. now: NULL when nothing went on. Costs three locked instructions on lines that all
 * processors share, some 100 ns when they all do it at once.
 */
static __always_inline void event(enum xb_reason reason, enum xb_path path, __u64 where, __u32 svc, const struct xb_tuple *was,
				  const struct xb_tuple *now)
{
	count(reason);
	event_put(reason | path << 8, svc, where, was, now);
}

#endif
