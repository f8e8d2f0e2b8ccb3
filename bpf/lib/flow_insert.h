/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef FLOW_INSERT_H
#define FLOW_INSERT_H
/*
 * A new entry in xb_flow4 or xb_flow6. Cost: two cache lines, head and entry, and one more while the first set has spilled; twice as many
 * heads while the table grows.
 */
#include "lib/flow_table.h"

/* A way that an insertion may take. */
struct flow_place {
	union flow_way was;
	__u32 way;
	__u32 price;                    /* 0: nobody's. Else ticks that a flow has left which gives way; FLOW_DEAR: not to be had */
};
#define FLOW_DEAR (~0u)

static __always_inline __u32 flow_price(union flow_way u, __u32 now)
{
	if (!u.way.tag)
		return 0;
	if (u.way.tag & XB_FLOW_BUSY)
		return FLOW_DEAR;
	if (flow_left(u, now) <= 0)
		return 0;
	return u.way.tag & XB_FLOW_ASSURED ? FLOW_DEAR : (__u32)flow_left(u, now);
}

/* Whether a set has a cheaper way than *best, which it becomes. */
SUBPROG bool flow_cheaper(const struct xb_flow_head *head, __u32 now, struct flow_place *best)
{
	bool found = false;

	if (!head || !best)
		return false;
	for (__u32 i = 0; i < XB_FLOW_WAYS && best->price; i++) {
		union flow_way u = { .word = load_word(&head->way[i]) };
		__u32 price = flow_price(u, now);

		if (price >= best->price)
			continue;
		*best = (struct flow_place){ .was = u, .way = i, .price = price };
		found = true;
	}
	return found;
}

/* Whether a key is, or may be, in another way of a set than this one. What expired lately is cleared, for a slow program may
 * refresh it still. */
static __always_inline bool flow_held(struct xb_flow_head *head, const struct flow_wanted *w, bool v4, __u32 but, __u32 now)
{
	for (__u32 i = 0; i < XB_FLOW_WAYS; i++) {
		union flow_way u = { .word = load_word(&head->way[i]) };

		if (i == but || (u.way.tag & ~(XB_FLOW_BUSY | XB_FLOW_ASSURED)) != w->tag)
			continue;
		if (u.way.tag & XB_FLOW_BUSY)
			return true;
		if (flow_left(u, now) <= -(__s32)XB_FLOW_SLACK || !flow_key_at(after(flow_entry(head, i, v4), u.word), w, v4))
			continue;
		if (flow_left(u, now) > 0 || cas_word(&head->way[i], u.word, 0) != u.word)
			return true;
	}
	return false;
}

static __always_inline bool flow_held_in_of(const struct flow_wanted *w, bool v4, int which, __u32 but, __u32 now)
{
	struct xb_flow_head *head = flow_set(w, v4, which);

	return !head || flow_held(head, w, v4, but, now);
}

/* The same of one of a key's sets. */
SUBPROG bool flow_held_in(const struct flow_wanted *w, bool v4, int which, __u32 but, __u32 now)
{
	if (!w)
		return true;
	return v4 ? flow_held_in_of(w, true, which, but, now) : flow_held_in_of(w, false, which, but, now);
}

/* A key that is being inserted, and where. */
struct flow_claim {
	int which;                      /* the set; before, the table that it is to go to */
	__u32 way;                      /* of the set; XB_FLOW_WAYS: none yet */
	bool alone;                     /* there is no other table that it may be in */
	struct xb_flow_head *first, *second;
};

/* Whether it is, or may be, in another way than its own. In line while there is one table, for a call costs some 15 ns, and what the
 * processor could do meanwhile. */
static __always_inline bool flow_is_elsewhere(const struct flow_claim *c, const struct flow_wanted *w, bool v4, __u32 now)
{
	bool second = c->which & FLOW_SECOND;

	if (c->alone)
		return flow_held(c->first, w, v4, second ? XB_FLOW_WAYS : c->way, now) ||
		       (flow_spilled(c->first, now) && flow_held(c->second, w, v4, second ? c->way : XB_FLOW_WAYS, now));
	for (int i = 0; i < 4; i++)
		if (flow_held_in(w, v4, i, i == c->which ? c->way : XB_FLOW_WAYS, now))
			return true;
	return false;
}

/* Takes a way for a key that is to live until a tick; its word is busy then, and has an expiry for who looks at what nobody ends. */
static __always_inline int flow_take(struct flow_claim *c, const struct flow_wanted *w, bool v4, __u32 now, __u32 until, __u32 busy_until)
{
	union flow_way busy = { .way = { .tag = w->tag | XB_FLOW_BUSY, .expires = busy_until } };
	struct flow_place place = { .way = XB_FLOW_WAYS, .price = FLOW_DEAR };
	struct xb_flow_head *head;

	c->first = head = flow_set(w, v4, c->which);
	c->second = flow_set(w, v4, c->which | FLOW_SECOND);
	c->way = XB_FLOW_WAYS;
	if (!c->first || !c->second)
		return -ENOENT;
	if (flow_is_elsewhere(c, w, v4, now))
		return -EEXIST;
	flow_cheaper(head, now, &place);
	if (place.price && flow_cheaper(c->second, now, &place)) {
		head = c->second;
		c->which |= FLOW_SECOND;
	}
	if (place.way >= XB_FLOW_WAYS)
		return -ENOSPC;
	/* Linux 6.1 knows of what is put on the stack only what it knew when it was */
	c->way = masked(place.way, 7);
	if (head == c->second && !flow_spill(c->first, now, until))
		return -EEXIST;
	if (cas_word(&head->way[c->way], place.was.word, busy.word) != place.was.word)
		return -EEXIST;
	if (flow_is_elsewhere(c, w, v4, now)) {
		store_word(&head->way[c->way], 0);
		return -EEXIST;
	}
	return 0;
}

/* The entry of a way that was taken, which ends its being busy. */
static __always_inline void flow_write(struct xb_flow_head *head, __u32 way, const struct flow_wanted *w, bool v4, const struct flow *f,
				       __u32 now, __u32 ticks)
{
	union flow_way next = { .way = { .tag = w->tag | flow_assured(f->state), .expires = now + ticks } };
	__u64 addrs[4], *entry = flow_entry(head, way, v4), *tail = entry + 2 * FLOW_ADDRS(v4) + 1;
	union flow_key key = w->key;
	union flow_ports ports = { .sport = f->now.sport, .dport = f->now.dport, .svc = f->svc };
	union flow_made made = { .tick = now, .scope = f->scope };

	key.direction = f->direction;
	key.state = f->state;
	flow_pack(&f->now, v4, addrs);
#pragma unroll
	for (int i = 0; i < 4; i++) {
		if (i >= FLOW_ADDRS(v4))
			break;
		store_word(&entry[i], w->addrs[i]);
		store_word(&entry[FLOW_ADDRS(v4) + 1 + i], addrs[i]);
	}
	store_word(&entry[FLOW_ADDRS(v4)], key.word);
	store_word(&tail[FLOW_PORTS], ports.word);
	store_word(&tail[FLOW_SET], load_word(&f->set));
	store_word(&tail[FLOW_BYTES], 0);
	store_word(&tail[FLOW_PACKETS], 0);
	store_word(&tail[FLOW_MADE], made.word);
	publish_word(&head->way[way], next.word);
}

static __always_inline int flow_insert_alone_of(const struct xb_tuple *key, bool v4, const struct flow *f, __u32 ticks)
{
	struct flow_wanted w = flow_wanted(key, v4);
	struct flow_claim c = { .alone = true };
	__u32 now = flow_tick();
	int r = flow_take(&c, &w, v4, now, now + ticks, now + ticks);

	if (r)
		return r;
	flow_write(c.which & FLOW_SECOND ? c.second : c.first, c.way, &w, v4, f, now, ticks);
	return 0;
}

SUBPROG int flow_insert_alone(const struct xb_tuple *key, const struct flow *f, __u32 ticks)
{
	if (!key || !f)
		return -EINVAL;
	return key->family == XB_IPV4 ? flow_insert_alone_of(key, true, f, ticks) : flow_insert_alone_of(key, false, f, ticks);
}

/* While the table grows an insertion is two functions, for the stack is short: what the first returns is the way, for the second. */
static __always_inline int flow_take_growing_of(const struct xb_tuple *key, bool v4, __u32 ticks)
{
	struct flow_claim c = { .which = flow_growth(v4) == XB_FLOW_TO_OLD ? FLOW_OLD : 0 };
	struct flow_wanted w = flow_wanted(key, v4);
	__u32 now = flow_tick();
	int r = flow_take(&c, &w, v4, now, now + ticks, now + ticks);

	return r ? r : c.which << 3 | (int)c.way;
}

SUBPROG int flow_take_growing(const struct xb_tuple *key, __u32 ticks)
{
	if (!key)
		return -EINVAL;
	return key->family == XB_IPV4 ? flow_take_growing_of(key, true, ticks) : flow_take_growing_of(key, false, ticks);
}

static __always_inline int flow_write_growing_of(const struct xb_tuple *key, bool v4, const struct flow *f, __u32 ticks, int taken)
{
	struct flow_wanted w = flow_wanted(key, v4);
	struct xb_flow_head *head = flow_set(&w, v4, taken >> 3);
	__u32 way = masked(taken, 7);

	if (!head || way >= XB_FLOW_WAYS)
		return -ENOENT;
	flow_write(head, way, &w, v4, f, flow_tick(), ticks);
	return 0;
}

SUBPROG int flow_write_growing(const struct xb_tuple *key, const struct flow *f, __u32 ticks, int taken)
{
	if (!key || !f)
		return -EINVAL;
	return key->family == XB_IPV4 ? flow_write_growing_of(key, true, f, ticks, taken) :
					flow_write_growing_of(key, false, f, ticks, taken);
}

/* 0, -EEXIST: the key is there, or may be (nothing was inserted); -ENOSPC: both sets are full of flows that live. One that was not
 * answered yet, or is at its end, gives way to a new one, the nearest to its expiry first; one that is open never does. */
static __always_inline int flow_insert(const struct xb_tuple *key, const struct flow *f, __u32 ticks)
{
	int taken;

	if (flow_growth(key->family == XB_IPV4) == XB_FLOW_MOVED)
		return flow_insert_alone(key, f, ticks);
	taken = flow_take_growing(key, ticks);
	return taken < 0 ? taken : flow_write_growing(key, f, ticks, taken);
}

#endif
