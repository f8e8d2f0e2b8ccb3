/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The flow table while it grows: two tables, and flows that are copied from the old one while programs use both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "points.h"
#include "flows.h"
#include "lib/flow_copy.h"
#include "xb/model.h"

#define START 1000
#define LIFE 50

/* One jiffy a tick. old 0: the table does not grow. */
static void tables(__u32 sets, __u32 old)
{
	const struct xb_model_size sizes[] = {
		{ "xb_flow4", sets }, { "xb_flow6", sets }, { "xb_flow4_old", old ? old : 1 }, { "xb_flow6_old", old ? old : 1 }, {},
	};

	assert_int_equal(xb_model_new(sizes), 0);
	tick_shift = 0;
	xb_model_set_jiffies(START);
}

static void growth(enum xb_flow_growth g)
{
	struct xb_hdr *hdr = lookup(&xb_hdr, 0);

	hdr->flow4_growth = hdr->flow6_growth = g;
}

static void *old_set(__u32 i, bool v4)
{
	return v4 ? lookup(&xb_flow4_old, i) : lookup(&xb_flow6_old, i);
}

/* How many found no room. */
static int copy_all(bool v4)
{
	int refused = 0;

	for (__u32 i = 0; i <= (v4 ? flow4_old_mask : flow6_old_mask); i++)
		for (__u32 way = 0; way < XB_FLOW_WAYS; way++) {
			int r = flow_copy_way(old_set(i, v4), way, v4, flow_tick());

			assert_true(r == 0 || r == -ENOSPC);
			refused += r != 0;
		}
	return refused;
}

static int in_old(__u32 n, bool v4)
{
	struct xb_tuple key = key_of(n, v4);
	struct flow_wanted w = flow_wanted(&key, v4);
	int copies = 0;

	for (__u32 i = 0; i <= (v4 ? flow4_old_mask : flow6_old_mask); i++)
		copies += flow_where(old_set(i, v4), &w, v4, false, flow_tick(), &(union flow_way){}) < XB_FLOW_WAYS;
	return copies;
}

static void test_goes_to_the_old_first(void **state)
{
	for (int v4 = 0; v4 < 2; v4++) {
		tables(64, 16);
		for (__u32 n = 0; n < 40; n++)
			assert_int_equal(put(n, v4, XB_FLOW_OPEN, LIFE + n), 0);
		refresh(7, v4, XB_FLOW_FIN, 20);
		drop(9, v4);
		for (__u32 n = 0; n < 40; n++) {
			assert_int_equal(copies_of(n, v4), 0);
			assert_int_equal(in_old(n, v4), n != 9);
			assert_int_equal(left_of(n, v4, NULL), n == 7 ? 20 : n == 9 ? 0 : LIFE + n);
			assert_int_equal(put(n, v4, XB_FLOW_OPEN, LIFE), n == 9 ? 0 : -EEXIST);
		}
	}
}

/* An entry's words, without the note that it is a copy. */
static void words_of(__u32 n, bool v4, __u64 ret[16])
{
	struct xb_tuple key = key_of(n, v4);
	struct flow_wanted w = flow_wanted(&key, v4);

	memset(ret, 0, 16 * sizeof(*ret));
	for (int which = FLOW_OLD + FLOW_SECOND; which >= 0; which--) {
		void *set = flow_set(&w, v4, which);
		union flow_way u;
		__u32 way = flow_where(set, &w, v4, false, flow_tick(), &u);

		if (way < XB_FLOW_WAYS)
			memcpy(ret, flow_entry(set, way, v4), v4 ? sizeof(struct xb_flow4) : sizeof(struct xb_flow6));
	}
	ret[FLOW_ADDRS(v4)] &= ~((union flow_key){ .copied = 0xff }).word;
}

static void test_all_is_moved(void **state)
{
	static __u64 before[100][16], after[16];
	enum xb_flow_state is;

	for (int v4 = 0; v4 < 2; v4++) {
		tables(64, 32);
		for (__u32 n = 0; n < 100; n++) {
			assert_int_equal(put(n, v4, n % 3, LIFE + n), 0);
			left_of(n, v4, NULL);
		}
		xb_model_set_jiffies(START + 5);
		growth(XB_FLOW_TO_NEW);
		for (__u32 n = 100; n < 120; n++)
			assert_int_equal(put(n, v4, n % 3, LIFE + n - 5), 0);
		for (__u32 n = 0; n < 120; n++) {
			assert_int_equal(put(n, v4, XB_FLOW_OPEN, LIFE), -EEXIST);
			assert_int_equal(in_old(n, v4), n < 100);
			assert_int_equal(copies_of(n, v4), n >= 100);
		}
		for (__u32 n = 0; n < 100; n++)
			words_of(n, v4, before[n]);
		assert_int_equal(copy_all(v4), 0);
		assert_int_equal(copy_all(v4), 0);
		growth(XB_FLOW_MOVED);
		memset(old_set(0, v4), 0, (v4 ? sizeof(struct xb_flow4_set) : sizeof(struct xb_flow6_set)) * 32);
		for (__u32 n = 0; n < 100; n++) {
			words_of(n, v4, after);
			assert_memory_equal(before[n], after, sizeof(after));
		}
		for (__u32 n = 0; n < 120; n++) {
			assert_int_equal(left_of(n, v4, &is), LIFE + n - 5);
			assert_int_equal(is, n % 3);
			assert_int_equal(copies_of(n, v4), 1);
		}
	}
}

static void renew(__u32 n, bool v4, __u16 gen)
{
	struct xb_tuple key = key_of(n, v4);
	struct xb_set set = { .base = n + 1, .count = 3, .gen = gen };

	flow_renew(&key, &set);
}

static int gen_of(__u32 n, bool v4)
{
	struct xb_tuple key = key_of(n, v4);
	struct flow f = {};
	__u32 left;

	return flow_find(&key, 0, &f, &left) ? f.set.gen : -1;
}

/* Changed before it is copied, and after: it is so afterwards. */
static void test_changes_hold(void **state)
{
	enum xb_flow_state is;

	for (int v4 = 0; v4 < 2; v4++) {
		tables(64, 32);
		for (__u32 n = 0; n < 60; n++)
			put(n, v4, XB_FLOW_OPEN, LIFE);
		growth(XB_FLOW_TO_NEW);
		for (int round = 0; round < 2; round++) {
			for (__u32 n = round * 30; n < (__u32)round * 30 + 10; n++) {
				refresh(n, v4, XB_FLOW_FIN, 20 + n);
				renew(n + 10, v4, 77);
				drop(n + 20, v4);
			}
			copy_all(v4);
		}
		growth(XB_FLOW_MOVED);
		for (__u32 n = 0; n < 60; n++) {
			assert_int_equal(gen_of(n, v4), n % 30 < 10 ? (int)n : n % 30 < 20 ? 77 : -1);
			assert_int_equal(copies_of(n, v4), n % 30 < 20);
			if (n % 30 >= 10)
				continue;
			left_of(n, v4, &is);
			assert_int_equal(left_of(n, v4, NULL), 20 + n);
			assert_int_equal(is, XB_FLOW_FIN);
		}
	}
}

static void test_the_dead_are_left(void **state)
{
	tables(64, 32);
	for (__u32 n = 0; n < 20; n++)
		put(n, true, XB_FLOW_OPEN, 10 + n);
	xb_model_set_jiffies(START + 20);
	growth(XB_FLOW_TO_NEW);
	copy_all(true);
	for (__u32 n = 0; n < 20; n++)
		assert_int_equal(copies_of(n, true), n > 10);
	/* a key that has expired may be put again, in one place, and stays when the old one is looked through once more */
	assert_int_equal(put(9, true, XB_FLOW_OPEN, LIFE), 0);
	copy_all(true);
	assert_int_equal(left_of(9, true, NULL), LIFE);
	assert_int_equal(copies_of(9, true) + in_old(9, true), 1);
}

static void test_no_room(void **state)
{
	tables(2, 2);
	for (__u32 n = 0; n < 14; n++)
		assert_int_equal(put(n, true, XB_FLOW_OPEN, LIFE), 0);
	growth(XB_FLOW_TO_NEW);
	for (__u32 n = 20; n < 26; n++)
		assert_int_equal(put(n, true, XB_FLOW_OPEN, LIFE), 0);
	assert_int_equal(copy_all(true), 6);
	for (__u32 n = 0; n < 14; n++)
		assert_int_equal(left_of(n, true, NULL), LIFE);
}

static void test_mends_what_a_dead_agent_held(void **state)
{
	struct xb_tuple key = key_of(1, true);
	struct flow_wanted w;
	struct xb_flow_head *home;

	tables(4, 2);
	w = flow_wanted(&key, true);
	home = lookup(&xb_flow4, w.hash & flow4_mask);
	put(1, true, XB_FLOW_OPEN, LIFE);
	growth(XB_FLOW_TO_NEW);
	home->way[2] = (struct xb_flow_way){ .tag = w.tag | XB_FLOW_BUSY, .expires = START + FLOW_COPYING };
	home->way[3] = (struct xb_flow_way){ .tag = (w.tag ^ 0x100) | XB_FLOW_BUSY, .expires = START + LIFE };
	assert_int_equal(flow_copy_way(old_set(w.hash & flow4_old_mask, true), 0, true, START), -EAGAIN);
	xb_model_set_jiffies(START + 10);
	flow_copy_mend(home, flow_tick());
	assert_int_equal(home->way[2].tag, 0);
	assert_int_equal(home->way[3].expires, START + LIFE);
	assert_int_equal(copy_all(true), 0);
	assert_int_equal(copies_of(1, true), 1);
}

/* --- one operation whole between any two accesses of the copying, and the other way round */

#define KEYS 24
static __u32 key[KEYS];         /* all of one home in the old table: 0 to 6 fill it, 20 and up are in play */
static int said;                /* by the last of these */

static void put_open(void) { said = put(key[20], true, XB_FLOW_OPEN, 40); }
static void put_other(void) { said = put(key[21], true, XB_FLOW_NEW, 60); }
static void refresh_long(void) { refresh(key[20], true, XB_FLOW_OPEN, 70); }
static void refresh_fin(void) { refresh(key[20], true, XB_FLOW_FIN, 40); }
static void refresh_closed(void) { refresh(key[20], true, XB_FLOW_CLOSED, 40); }
static void refresh_brief(void) { refresh(key[20], true, XB_FLOW_PEER_FIN, 2); }
static void renew_it(void) { renew(key[20], true, 77); }
static void remove_it(void) { drop(key[20], true); }
static void remove_another(void) { drop(key[3], true); }
static void remove_and_put(void) { drop(key[20], true); put_open(); }
static void find_it(void) { said = left_of(key[20], true, NULL); }

static const struct {
	const char *name;
	void (*run)(void);
} ops[] = {
	{ "put_open", put_open }, { "put_other", put_other }, { "refresh_long", refresh_long }, { "refresh_fin", refresh_fin },
	{ "refresh_closed", refresh_closed }, { "refresh_brief", refresh_brief }, { "renew_it", renew_it },
	{ "remove_it", remove_it }, { "remove_another", remove_another }, { "remove_and_put", remove_and_put }, { "find_it", find_it },
};

static void fill(int n)
{
	for (int i = 0; i < n; i++)
		assert_int_equal(put(key[i], true, XB_FLOW_OPEN, 90), 0);
}

static void nothing(void) { fill(2); }
static void there(void) { put(key[20], true, XB_FLOW_OPEN, 40); }
static void closing(void) { put(key[20], true, XB_FLOW_FIN, 40); }
static void there_new(void) { fill(4); put(key[20], true, XB_FLOW_NEW, 3); }
static void spilled(void) { fill(7); put(key[20], true, XB_FLOW_OPEN, 40); }
static void expiring(void) { there_new(); xb_model_set_jiffies(START + 2); }
static void expired(void) { there_new(); xb_model_set_jiffies(START + 3); }
static void dead(void) { there_new(); xb_model_set_jiffies(START + 3 + XB_FLOW_SLACK); }

static void (*const states[])(void) = { nothing, there, closing, there_new, spilled, expiring, expired, dead };

static void copy4(void)
{
	copy_all(true);
}

/* A program that has read a word before is waited for only afterwards. */
static void copy4_to_the_end(void)
{
	copy_all(true);
	growth(XB_FLOW_MOVED);
}

struct seen {
	int left, gen, said;
	enum xb_flow_state state;
};

static void look(struct seen ret[KEYS])
{
	for (int i = 0; i < KEYS; i++) {
		ret[i] = (struct seen){ .gen = gen_of(key[i], true), .said = said };
		ret[i].left = left_of(key[i], true, &ret[i].state);
	}
}

static void begin(__u32 old, size_t s)
{
	tables(4, old);
	states[s]();
	said = 0;
	if (old)
		growth(XB_FLOW_TO_NEW);
}

/* As if there had been no copying. Only, a key may be refused for a moment. */
static void check(size_t s, size_t o, bool inside, int at)
{
	struct seen want[KEYS], got[KEYS];

	growth(XB_FLOW_MOVED);
	look(got);
	for (int i = 0; i < KEYS; i++)
		if (copies_left(key[i], true, 0) > 1)
			fail_msg("state %zu, %s at access %d: key %d is there twice", s, ops[o].name, at, i);
	begin(0, s);
	ops[o].run();
	if (got[0].said == -EEXIST && !said)
		return;
	look(want);
	for (int i = 0; i < KEYS; i++)
		if (memcmp(&want[i], &got[i], sizeof(*want)))
			fail_msg("state %zu, %s %s the copying at access %d: key %d has left %d gen %d state %d put %d, not %d %d %d %d", s, ops[o].name,
				 inside ? "in" : "around", at, i, got[i].left, got[i].gen, got[i].state, got[i].said, want[i].left, want[i].gen,
				 want[i].state, want[i].said);
}

static void test_each_point(void **state)
{
	tables(2, 0);
	keys_of_one_home(key, KEYS);
	for (size_t run = 0; run < sizeof(states) / sizeof(*states) * (sizeof(ops) / sizeof(*ops)) * 2; run++) {
		size_t s = run / 2 % (sizeof(states) / sizeof(*states)), o = run / 2 / (sizeof(states) / sizeof(*states));
		bool inside = run % 2;

		for (int at = 0;; at++) {
			begin(2, s);
			if (!(inside ? run_at(at, copy4, ops[o].run) : run_at(at, ops[o].run, copy4_to_the_end)))
				break;
			check(s, o, inside, at);
		}
	}
}

static int end(void **state)
{
	xb_model_close();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goes_to_the_old_first),
		cmocka_unit_test(test_all_is_moved),
		cmocka_unit_test(test_changes_hold),
		cmocka_unit_test(test_the_dead_are_left),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_mends_what_a_dead_agent_held),
		cmocka_unit_test(test_each_point),
	};

	return cmocka_run_group_tests(tests, NULL, end);
}
