/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef FLOW_TABLE_H
#define FLOW_TABLE_H
/*
 * xb_flow4 and xb_flow6: what becomes of the packets of a flow. The layout and its protocol of writing are in xb/abi/flow.h. The
 * same text is the user side's (lib/model.h). Insertion is in lib/flow_insert.h.
 *
 * Cost: a hit is two cache lines, head and entry; a miss is one; each one more while the set has spilled. While the table grows
 * there is an old one too, where a miss of the new one costs the same again, and changes are made in both.
 */
#include <linux/errno.h>
#include <stddef.h>
#include <bpf/bpf_endian.h>
#include "lib/tables.h"

/* What an entry says, whatever its family. */
struct flow {
	struct xb_tuple now;            /* as the packet goes on */
	struct xb_set set;
	__u32 svc;
	enum xb_scope scope;
	enum xb_flow_direction direction;
	enum xb_flow_state state;
	__u8 pad;
};

/* An entry is read and written by words, for others do meanwhile: the addresses of the key, the ports of the key, the new
 * addresses, and these. */
enum {
	FLOW_PORTS,
	FLOW_SET,
	FLOW_BYTES,
	FLOW_PACKETS,
	FLOW_MADE,
};

union flow_key {
	__u64 word;
	struct {
		__u16 sport, dport;
		enum xb_proto proto;
		enum xb_flow_direction direction;
		enum xb_flow_state state;
		__u8 copied;
	};
};

union flow_ports {
	__u64 word;
	struct {
		__u16 sport, dport;
		__u32 svc;
	};
};

union flow_made {
	__u64 word;
	struct {
		__u32 tick;
		enum xb_scope scope;
		__u8 pad[3];
	};
};

union flow_way {
	__u64 word;
	struct xb_flow_way way;
};

#define AT(type, field) offsetof(struct type, field)
_Static_assert(AT(xb_flow4, sport) == 8 && AT(xb_flow4, new_src) == 16 && AT(xb_flow4, new_sport) == 24, "the words of an entry");
_Static_assert(AT(xb_flow4, set) == 32 && AT(xb_flow4, made) == 56 && AT(xb_flow4, scope) == 60, "the words of an entry");
_Static_assert(AT(xb_flow6, sport) == 32 && AT(xb_flow6, new_src) == 40 && AT(xb_flow6, new_sport) == 72, "the words of an entry");
_Static_assert(AT(xb_flow6, set) == 80 && AT(xb_flow6, made) == 104 && AT(xb_flow6, scope) == 108, "the words of an entry");
_Static_assert(sizeof(struct flow) == 56, "no hidden padding: subprograms are handed it");
#undef AT

/* How many words the two addresses are. */
#define FLOW_ADDRS(v4) ((v4) ? 1 : 4)

static __always_inline void flow_pack(const struct xb_tuple *t, bool v4, __u64 ret[4])
{
	if (v4) {
		union {
			__be32 be32[2];
			__u64 word;
		} both = { .be32 = { t->src.be32[3], t->dst.be32[3] } };

		ret[0] = both.word;
		return;
	}
	ret[0] = t->src.word[0];
	ret[1] = t->src.word[1];
	ret[2] = t->dst.word[0];
	ret[3] = t->dst.word[1];
}

static __always_inline void flow_unpack(const __u64 addrs[4], bool v4, struct xb_tuple *ret)
{
	if (v4) {
		union {
			__u64 word;
			__be32 be32[2];
		} both = { .word = addrs[0] };

		ret->src = (union xb_ip6){ .be32 = { 0, 0, bpf_htonl(0xffff), both.be32[0] } };
		ret->dst = (union xb_ip6){ .be32 = { 0, 0, bpf_htonl(0xffff), both.be32[1] } };
		return;
	}
	ret->src = (union xb_ip6){ .word = { addrs[0], addrs[1] } };
	ret->dst = (union xb_ip6){ .word = { addrs[2], addrs[3] } };
}

/* A key, ready to be looked for. */
struct flow_wanted {
	__u64 addrs[4];
	__u64 hash;
	union flow_key key;             /* direction and state 0 */
	__u32 tag;
	__u32 pad;
};

static __always_inline __u64 flow_mix(__u64 h, __u64 more, __u64 by)
{
	return (h ^ (h >> 32) ^ more) * by;
}

static __always_inline struct flow_wanted flow_wanted(const struct xb_tuple *t, bool v4)
{
	struct flow_wanted w = { .key = { .sport = t->sport, .dport = t->dport, .proto = t->proto } };
	__u64 h;

	flow_pack(t, v4, w.addrs);
	h = (w.addrs[0] ^ fe_seed) * 0x9e3779b97f4a7c15ull;
	if (!v4) {
		h = flow_mix(h, w.addrs[1], 0xbf58476d1ce4e5b9ull);
		h = flow_mix(h, w.addrs[2], 0x9e3779b97f4a7c15ull);
		h = flow_mix(h, w.addrs[3], 0x94d049bb133111ebull);
	}
	h = flow_mix(h, w.key.word, 0xbf58476d1ce4e5b9ull);
	h = flow_mix(h, 0, 0x94d049bb133111ebull);
	w.hash = h ^ (h >> 32);
	w.tag = w.hash >> 32 & ~(XB_FLOW_BUSY | XB_FLOW_ASSURED);
	if (!w.tag)
		w.tag = XB_FLOW_BUSY + XB_FLOW_ASSURED + 1;
	return w;
}

static __always_inline __u32 flow_tick(void)
{
	return bpf_jiffies64() >> tick_shift;
}

/* The sets of a key: the first or second, never the same, of the table or of the old one. */
#define FLOW_SECOND 1
#define FLOW_OLD 2
#define FLOW_COPIES 4                   /* of the table only what was copied from the old one */

static __always_inline void *flow_set(const struct flow_wanted *w, bool v4, int which)
{
	__u64 hash = which & FLOW_SECOND ? w->hash ^ (w->hash >> 32 | 1) : w->hash;

	if (which & FLOW_OLD)
		return v4 ? lookup(&xb_flow4_old, hash & flow4_old_mask) : lookup(&xb_flow6_old, hash & flow6_old_mask);
	return v4 ? lookup(&xb_flow4, hash & flow4_mask) : lookup(&xb_flow6, hash & flow6_mask);
}

/* How far the growth of the table is. Without an old one the verifier sees that, and leaves out all that is about it. */
static __always_inline enum xb_flow_growth flow_growth(bool v4)
{
	const struct xb_hdr *hdr;

	if (!(v4 ? flow4_old_mask : flow6_old_mask))
		return XB_FLOW_MOVED;
	hdr = lookup(&xb_hdr, 0);
	return hdr ? load_word(v4 ? &hdr->flow4_growth : &hdr->flow6_growth) : XB_FLOW_MOVED;
}

static __always_inline void *flow_entry(void *set, __u32 way, bool v4)
{
	return set + sizeof(struct xb_flow_head) + way * (v4 ? sizeof(struct xb_flow4) : sizeof(struct xb_flow6));
}

static __always_inline bool flow_key_at(const __u64 *entry, const struct flow_wanted *w, bool v4)
{
	const union flow_key only = { .sport = 0xffff, .dport = 0xffff, .proto = 0xff };
	__u64 differ = load_word(entry) ^ w->addrs[0];

	if (v4)
		return !(differ | ((load_word(&entry[FLOW_ADDRS(true)]) & only.word) ^ w->key.word));
	differ |= (load_word(&entry[FLOW_ADDRS(false)]) & only.word) ^ w->key.word;
#pragma unroll
	for (int i = 1; i < FLOW_ADDRS(false); i++)
		differ |= load_word(&entry[i]) ^ w->addrs[i];
	return !differ;
}

/* Signed: negative and 0 are the past. */
static __always_inline __s32 flow_left(union flow_way u, __u32 now)
{
	return (__s32)(u.way.expires - now);
}

/* The bit that keeps a flow of that state from giving way. */
static __always_inline __u32 flow_assured(enum xb_flow_state state)
{
	return state == XB_FLOW_OPEN ? XB_FLOW_ASSURED : 0;
}

static __always_inline bool flow_tagged(union flow_way u, const struct flow_wanted *w)
{
	return (u.way.tag & ~XB_FLOW_ASSURED) == w->tag;
}

union flow_spill {
	__u64 word;
	struct {
		__u32 until, pad;
	};
};

/* Whether keys of this first set may live in second ones. */
static __always_inline bool flow_spilled(const struct xb_flow_head *first, __u32 now)
{
	union flow_spill u = { .word = load_word(&first->spilled_until) };

	return (__s32)(u.until - now) > 0;
}

/* Notes that a key of this first set lives in its second one. False: too many did so at once. */
static __always_inline bool flow_spill(struct xb_flow_head *first, __u32 now, __u32 expires)
{
	union flow_spill next = { .until = expires + XB_FLOW_SLACK };

	for (int i = 0; i < 4; i++) {
		union flow_spill u = { .word = load_word(&first->spilled_until) };

		if (((__s32)(u.until - now) > 0 && (__s32)(u.until - next.until) >= 0) ||
		    cas_word(&first->spilled_until, u.word, next.word) == u.word)
			return true;
	}
	return false;
}

static __always_inline bool flow_is_copy(const __u64 *entry, bool v4)
{
	union flow_key k = { .word = load_word(&entry[FLOW_ADDRS(v4)]) };

	return k.copied;
}

/* Where a key is in a set, though it may have expired lately, and the word of its way; XB_FLOW_WAYS: nowhere. */
static __always_inline __u32 flow_where(void *set, const struct flow_wanted *w, bool v4, bool copies, __u32 now, union flow_way *ret)
{
	const struct xb_flow_head *head = set;

	for (__u32 i = 0; i < XB_FLOW_WAYS; i++) {
		union flow_way u = { .word = load_word(&head->way[i]) };
		const void *entry = flow_entry(set, i, v4);

		if (!flow_tagged(u, w) || flow_left(u, now) <= -(__s32)XB_FLOW_SLACK || !flow_key_at(after(entry, u.word), w, v4) ||
		    (copies && !flow_is_copy(after(entry, u.word), v4)))
			continue;
		*ret = u;
		return i;
	}
	return XB_FLOW_WAYS;
}

/* Reads and counts the entry of a way whose word was u. False: it is another's meanwhile. */
static __always_inline bool flow_read(void *set, __u32 way, union flow_way u, const struct xb_tuple *key, bool v4, __u32 len,
				      struct flow *ret)
{
	const struct xb_flow_head *head = set;
	__u64 *entry = flow_entry(set, way, v4), *tail = entry + 2 * FLOW_ADDRS(v4) + 1, addrs[4], all;
	const __u64 *from = after(entry, u.word), *from_tail = after(tail, u.word);
	union flow_key k = { .word = load_word(&from[FLOW_ADDRS(v4)]) };
	union flow_ports ports = { .word = load_word(&from_tail[FLOW_PORTS]) };
	union flow_made made = { .word = load_word(&from_tail[FLOW_MADE]) };
	union {
		__u64 word;
		struct xb_set set;
	} chosen = { .word = load_word(&from_tail[FLOW_SET]) };
	union flow_way again;

	all = k.word | ports.word | made.word | chosen.word;
#pragma unroll
	for (int i = 0; i < 4; i++) {
		if (i >= FLOW_ADDRS(v4))
			break;
		addrs[i] = load_word(&from[FLOW_ADDRS(v4) + 1 + i]);
		all |= addrs[i];
	}
	again.word = load_word(after(&head->way[way], all));
	if ((again.way.tag ^ u.way.tag) & ~XB_FLOW_ASSURED)
		return false;
	if (len) {
		store_word(&tail[FLOW_BYTES], load_word(&tail[FLOW_BYTES]) + len);
		store_word(&tail[FLOW_PACKETS], load_word(&tail[FLOW_PACKETS]) + 1);
	}
	flow_unpack(addrs, v4, &ret->now);
	ret->now.sport = ports.sport;
	ret->now.dport = ports.dport;
	ret->now.proto = key->proto;
	ret->now.family = key->family;
	ret->set = chosen.set;
	ret->svc = ports.svc;
	ret->scope = made.scope;
	ret->direction = k.direction;
	ret->state = k.state;
	return true;
}

/* Whether a key is in one of the tables (0 or FLOW_OLD): then *ret_found says whether it lives, and could be read. */
static __always_inline bool flow_find_in(int table, const struct flow_wanted *w, bool v4, const struct xb_tuple *key, __u32 len,
					 struct flow *ret, __u32 *ret_left, bool *ret_found)
{
	__u32 now = flow_tick(), way;
	union flow_way u;

#pragma unroll
	for (int which = 0; which < 2; which++) {
		void *set = flow_set(w, v4, table | which);

		if (!set)
			return false;
		way = flow_where(set, w, v4, false, now, &u);
		if (way < XB_FLOW_WAYS) {
			*ret_found = flow_left(u, now) > 0 && flow_read(set, way, u, key, v4, len, ret);
			*ret_left = flow_left(u, now);
			return true;
		}
		if (!flow_spilled(set, now))
			return false;
	}
	return false;
}

/* What is in both is younger in the new one. How far growth is must be known first: later it may be over, and the entry copied to where
 * it was looked for before. */
static __always_inline bool flow_find_of(const struct xb_tuple *key, bool v4, __u32 len, struct flow *ret, __u32 *ret_left)
{
	enum xb_flow_growth growth = flow_growth(v4);
	struct flow_wanted w = flow_wanted(key, v4);
	bool found = false;

	if (!flow_find_in(0, &w, v4, key, len, ret, ret_left, &found) && growth != XB_FLOW_MOVED)
		flow_find_in(FLOW_OLD, &w, v4, key, len, ret, ret_left, &found);
	return found;
}

/* The entry of a packet, when there is one that has not expired, counted (packets, and bytes by len) unless len is 0. *ret_left:
 * ticks that it has left, so that the caller refreshes only what has moved. */
SUBPROG bool flow_find(const struct xb_tuple *key, __u32 len, struct flow *ret, __u32 *ret_left)
{
	if (!key || !ret || !ret_left)
		return false;
	return key->family == XB_IPV4 ? flow_find_of(key, true, len, ret, ret_left) : flow_find_of(key, false, len, ret, ret_left);
}

/* Whether a key is in no table, as far as the head of its first set alone can tell: not in programs that know an old table too, nor
 * while keys of the set may live in another one. */
static __always_inline bool flow_absent(const struct xb_tuple *key, bool v4)
{
	__u32 now = flow_tick();
	struct flow_wanted w = flow_wanted(key, v4);
	const struct xb_flow_head *head = flow_set(&w, v4, 0);

	if ((v4 ? flow4_old_mask : flow6_old_mask) || !head || flow_spilled(head, now))
		return false;
#pragma unroll
	for (int i = 0; i < XB_FLOW_WAYS; i++) {
		union flow_way u = { .word = load_word(&head->way[i]) };

		if (flow_tagged(u, &w))
			return false;
	}
	return true;
}

static __always_inline bool flow_refresh_in(int table, const struct flow_wanted *w, bool v4, enum xb_flow_state state, __u32 ticks)
{
	struct xb_flow_head *first = flow_set(w, v4, table), *head = first;
	__u32 now = flow_tick(), way, at;
	union flow_way u, next;

#pragma unroll
	for (int which = 0; which < 2; which++, head = flow_set(w, v4, table | FLOW_SECOND)) {
		if (!first || !head)
			return false;
		way = flow_where(head, w, v4, table & FLOW_COPIES, now, &u);
		if (way >= XB_FLOW_WAYS) {
			if (!flow_spilled(first, now))
				return false;
			continue;
		}
		next.way.expires = now + ticks;
		next.way.tag = (u.way.tag & ~XB_FLOW_ASSURED) | flow_assured(state);
		if (flow_left(u, now) <= 0 || (which && !flow_spill(first, now, next.way.expires)))
			return false;
		if (next.word != u.word && cas_word(&head->way[way], u.word, next.word) != u.word)
			return false;
		at = FLOW_ADDRS(v4) * sizeof(__u64) + offsetof(union flow_key, state);
		store_byte(flow_entry(head, way, v4) + at, state);
		return true;
	}
	return false;
}

/* While the table grows, a change is made in the old one before the new one: who copies the entry meanwhile either sees it there, or has
 * put already what is changed here then. In the new one a later flow of the same key may be. */
static __always_inline void flow_refresh_of(const struct xb_tuple *key, bool v4, enum xb_flow_state state, __u32 ticks)
{
	struct flow_wanted w = flow_wanted(key, v4);
	bool old = flow_growth(v4) != XB_FLOW_MOVED && flow_refresh_in(FLOW_OLD, &w, v4, state, ticks);

	flow_refresh_in(old ? FLOW_COPIES : 0, &w, v4, state, ticks);
}

/* Sets the state of an entry and lets it live for so many ticks from now. Nothing when it is not there, or another processor
 * does the same. */
SUBPROG int flow_refresh(const struct xb_tuple *key, enum xb_flow_state state, __u32 ticks)
{
	if (!key)
		return 0;
	if (key->family == XB_IPV4)
		flow_refresh_of(key, true, state, ticks);
	else
		flow_refresh_of(key, false, state, ticks);
	return 0;
}

static __always_inline bool flow_renew_in(int table, const struct flow_wanted *w, bool v4, struct xb_set set)
{
	__u32 now = flow_tick(), way;
	union flow_way u;

	for (int which = 0; which < 2; which++) {
		void *at = flow_set(w, v4, table | which);
		__u64 *tail;

		if (!at)
			return false;
		way = flow_where(at, w, v4, table & FLOW_COPIES, now, &u);
		if (way >= XB_FLOW_WAYS)
			continue;
		tail = (__u64 *)flow_entry(at, way, v4) + 2 * FLOW_ADDRS(v4) + 1;
		store_word(&tail[FLOW_SET], load_word(&set));
		return true;
	}
	return false;
}

static __always_inline void flow_renew_of(const struct xb_tuple *key, bool v4, struct xb_set set)
{
	struct flow_wanted w = flow_wanted(key, v4);
	bool old = flow_growth(v4) != XB_FLOW_MOVED && flow_renew_in(FLOW_OLD, &w, v4, set);

	flow_renew_in(old ? FLOW_COPIES : 0, &w, v4, set);
}

/* The set by which an entry holds from now on. */
SUBPROG int flow_renew(const struct xb_tuple *key, const struct xb_set *set)
{
	if (!key || !set)
		return 0;
	if (key->family == XB_IPV4)
		flow_renew_of(key, true, *set);
	else
		flow_renew_of(key, false, *set);
	return 0;
}

/* Tells who copies a key into this set that it has been removed (lib/flow_copy.h). What else is busy is published all the same. */
static __always_inline void flow_cancel(struct xb_flow_head *head, const struct flow_wanted *w)
{
	for (__u32 i = 0; i < XB_FLOW_WAYS; i++) {
		union flow_way u = { .word = load_word(&head->way[i]) }, next = u;

		next.way.tag |= XB_FLOW_ASSURED;
		if (u.way.tag == (w->tag | XB_FLOW_BUSY))
			cas_word(&head->way[i], u.word, next.word);
	}
}

static __always_inline bool flow_remove_in(int table, const struct flow_wanted *w, bool v4, bool growing)
{
	__u32 now = flow_tick(), way;
	union flow_way u;

	/* each set once more, for an entry that was refreshed meanwhile, or that appeared */
	for (int i = 0; i < 4; i++) {
		struct xb_flow_head *head = flow_set(w, v4, table | (i & FLOW_SECOND));

		if (!head)
			return false;
		way = flow_where(head, w, v4, table & FLOW_COPIES, now, &u);
		if (way < XB_FLOW_WAYS && cas_word(&head->way[way], u.word, 0) == u.word)
			return true;
		if (growing)
			flow_cancel(head, w);
	}
	return false;
}

static __always_inline void flow_remove_of(const struct xb_tuple *key, bool v4)
{
	bool growing = flow_growth(v4) != XB_FLOW_MOVED;
	struct flow_wanted w = flow_wanted(key, v4);
	bool old = growing && flow_remove_in(FLOW_OLD, &w, v4, false);

	flow_remove_in(old ? FLOW_COPIES : 0, &w, v4, growing);
}

SUBPROG int flow_remove(const struct xb_tuple *key)
{
	if (!key)
		return 0;
	if (key->family == XB_IPV4)
		flow_remove_of(key, true);
	else
		flow_remove_of(key, false);
	return 0;
}

/* Whether this processor may make another flow in this tick: memory holds under a SYN flood. */
static __always_inline bool flow_rate(void)
{
	struct xb_rate *rate = lookup(&xb_rate, 0);
	__u32 now = flow_tick();

	if (!rate)
		return false;
	if (rate->tick != now) {
		rate->tick = now;
		rate->made = 0;
	}
	if (rate->made >= flow_rate_max)
		return false;
	rate->made++;
	return true;
}

#endif
