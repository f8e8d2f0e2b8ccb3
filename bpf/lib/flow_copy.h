/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef FLOW_COPY_H
#define FLOW_COPY_H
/*
 * For the user side alone: brings the flows of the old table into the new one, while programs use both (XB_FLOW_TO_NEW). Nobody inserts
 * into the old one any more, and the old entry stays, so a flow is found at each moment. Cost: three cache lines a flow, of which
 * two are anywhere.
 */
#include "lib/flow_insert.h"

/* Ticks that a way seems to have left which is being copied to: no program's has as many, so what one left who was killed is known by
 * that. */
#define FLOW_COPYING (1u << 30)

/* One entry of the old table. */
struct flow_copy {
	struct xb_flow_head *from;
	__u32 way;
	bool v4;
	struct flow_wanted w;
};

/* Where it is in the new table. */
struct flow_copied {
	struct xb_flow_head *head;
	__u32 way;                      /* XB_FLOW_WAYS: nowhere */
	union flow_way was;
};

static inline struct xb_tuple flow_key_of(const __u64 *entry, bool v4)
{
	union flow_key k = { .word = load_word(&entry[FLOW_ADDRS(v4)]) };
	struct xb_tuple t = { .sport = k.sport, .dport = k.dport, .proto = k.proto, .family = v4 ? XB_IPV4 : XB_IPV6 };
	__u64 addrs[4];

	for (int i = 0; i < FLOW_ADDRS(v4); i++)
		addrs[i] = load_word(&entry[i]);
	flow_unpack(addrs, v4, &t);
	return t;
}

static inline struct flow_copied flow_copied(const struct flow_copy *c, __u32 now)
{
	struct flow_copied to = { .way = XB_FLOW_WAYS };

	for (int which = 0; which < 2 && to.way == XB_FLOW_WAYS; which++) {
		to.head = flow_set(&c->w, c->v4, which);
		to.way = flow_where(to.head, &c->w, c->v4, true, now, &to.was);
	}
	return to;
}

static inline union flow_way flow_copy_word(const struct flow_copy *c)
{
	return (union flow_way){ .word = load_word(&c->from->way[c->way]) };
}

static inline bool flow_lives(union flow_way u, __u32 now)
{
	return u.way.tag && flow_left(u, now) > 0;
}

/* -EEXIST: not now; it may have been removed meanwhile: who did that before the way was taken has changed the old entry, who did it
 * later the word of the way (flow_cancel()). */
static inline int flow_copy_put(const struct flow_copy *c, union flow_way u, __u32 now)
{
	union flow_way next = { .way = { .tag = c->w.tag | (u.way.tag & XB_FLOW_ASSURED), .expires = u.way.expires } };
	union flow_way busy = { .way = { .tag = c->w.tag | XB_FLOW_BUSY, .expires = now + FLOW_COPYING } };
	__u64 *from = flow_entry(c->from, c->way, c->v4), *to;
	struct flow_claim claim = { .alone = true };
	struct xb_flow_head *head;
	int r = flow_take(&claim, &c->w, c->v4, now, u.way.expires, busy.way.expires);

	if (r)
		return r;
	head = claim.which & FLOW_SECOND ? claim.second : claim.first;
	to = flow_entry(head, claim.way, c->v4);
	for (int i = 0; i < 2 * FLOW_ADDRS(c->v4) + 2 + FLOW_MADE; i++) {
		union flow_key k = { .word = load_word(&from[i]) };

		k.copied |= i == FLOW_ADDRS(c->v4);
		store_word(&to[i], k.word);
	}
	if (flow_lives(flow_copy_word(c), now) && cas_word(&head->way[claim.way], busy.word, next.word) == busy.word)
		return 0;
	store_word(&head->way[claim.way], 0);
	return -EEXIST;
}

/* Makes the copy what the old entry is; 1: it was that. Each word of the copy is read before the old entry's, and so was *to before u: as
 * programs change the old one first, nothing newer is undone for good. */
static inline int flow_copy_follow(const struct flow_copy *c, const struct flow_copied *to, union flow_way u)
{
	union flow_way next = { .way = { .tag = c->w.tag | (u.way.tag & XB_FLOW_ASSURED), .expires = u.way.expires } };
	__u64 *from = flow_entry(c->from, c->way, c->v4), *copy = flow_entry(to->head, to->way, c->v4);
	int key = FLOW_ADDRS(c->v4), set = 2 * FLOW_ADDRS(c->v4) + 1 + FLOW_SET;
	union flow_key is = { .word = load_word(&copy[key]) };
	__u64 set_is = load_word(&copy[set]), set_should = load_word(&from[set]);
	union flow_key should = { .word = load_word(&from[key]) };

	if (next.word == to->was.word && is.state == should.state && set_is == set_should)
		return 1;
	if (cas_word(&to->head->way[to->way], to->was.word, next.word) == to->was.word) {
		store_byte((void *)&copy[key] + offsetof(union flow_key, state), should.state);
		store_word(&copy[set], set_should);
	}
	return 0;
}

/* One step. 1: all is as it should be. While the old entry lives, what has its key in the new table is its copy. */
static inline int flow_copy_step(const struct flow_copy *c, __u32 now)
{
	struct flow_copied to = flow_copied(c, now);
	union flow_way u = flow_copy_word(c);
	int r;

	if (!flow_lives(u, now))
		return 1;
	if (to.way < XB_FLOW_WAYS)
		return flow_copy_follow(c, &to, u);
	r = flow_copy_put(c, u, now);
	return r == -EEXIST ? 0 : r;
}

/* 0; -ENOSPC: there is no room for it; -EAGAIN: it changes all the time. */
static inline int flow_copy_way(struct xb_flow_head *from, __u32 way, bool v4, __u32 now)
{
	struct flow_copy c = { .from = from, .way = way, .v4 = v4 };
	union flow_way u = flow_copy_word(&c);
	struct xb_tuple key;
	int r = 0;

	if (!flow_lives(u, now))
		return 0;
	key = flow_key_of(after(flow_entry(from, way, v4), u.word), v4);
	c.w = flow_wanted(&key, v4);
	for (int i = 0; i < 100 && !r; i++)
		r = flow_copy_step(&c, now);
	return r == 1 ? 0 : r ? r : -EAGAIN;
}

/* Frees what an agent that was killed held busy in one set of the new table. */
static inline void flow_copy_mend(struct xb_flow_head *head, __u32 now)
{
	for (__u32 i = 0; i < XB_FLOW_WAYS; i++) {
		union flow_way u = { .word = load_word(&head->way[i]) };

		if (u.way.tag & XB_FLOW_BUSY && flow_left(u, now) > (__s32)(FLOW_COPYING / 2))
			cas_word(&head->way[i], u.word, 0);
	}
}

#endif
