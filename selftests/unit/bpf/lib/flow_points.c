/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Two processors on one flow table, without chance: one's operation whole between any two accesses of the other's, for each pair of
 * operations and each state of the sets. Afterwards, and some ticks later, no key is there twice and all that lives is found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "points.h"
#include "flows.h"
#include "xb/model.h"

#define START 1000
#define KEYS 24
static __u32 key[KEYS];         /* all of one home: 0 to 6 fill it, 7 to 13 the other set, 20 and up are in play */

static void put_open(void) { put(key[20], true, XB_FLOW_OPEN, 40); }
static void put_new(void) { put(key[20], true, XB_FLOW_NEW, 3); }
static void put_other(void) { put(key[21], true, XB_FLOW_OPEN, 60); }
static void put_brief(void) { put(key[22], true, XB_FLOW_NEW, 2); }
static void refresh_long(void) { refresh(key[20], true, XB_FLOW_OPEN, 70); }
static void refresh_brief(void) { refresh(key[20], true, XB_FLOW_FIN, 2); }
static void remove_it(void) { drop(key[20], true); }
static void remove_another(void) { drop(key[3], true); }
static void tick(void) { xb_model_set_jiffies(xb_model_jiffies() + 1); }
static void find_it(void) { assert_true(left_of(key[20], true, NULL) >= 0); }

static const struct {
	const char *name;
	void (*run)(void);
} ops[] = {
	{ "put_open", put_open }, { "put_new", put_new }, { "put_other", put_other }, { "put_brief", put_brief },
	{ "refresh_long", refresh_long }, { "refresh_brief", refresh_brief }, { "remove_it", remove_it },
	{ "remove_another", remove_another }, { "tick", tick }, { "find_it", find_it },
};
#define OPS (sizeof(ops) / sizeof(*ops))

static void fill(int n, enum xb_flow_state state, __u32 ticks)
{
	for (int i = 0; i < n; i++)
		assert_int_equal(put(key[i], true, state, ticks), 0);
}

static void nothing(void) {}
static void there(void) { put_open(); }
static void there_new(void) { put_new(); }
static void home_full(void) { fill(7, XB_FLOW_OPEN, 90); }
static void home_full_new(void) { fill(7, XB_FLOW_NEW, 30); }
static void spilled(void) { fill(7, XB_FLOW_OPEN, 90); put_open(); }
static void spilled_briefly(void) { fill(7, XB_FLOW_OPEN, 90); put_new(); }
static void all_full(void) { fill(14, XB_FLOW_OPEN, 90); }
static void all_full_new(void) { fill(14, XB_FLOW_NEW, 90); }
static void one_left(void) { fill(13, XB_FLOW_OPEN, 90); }

static void expiring(void)
{
	put_new();
	xb_model_set_jiffies(START + 2);
}

static void expired(void)
{
	put_new();
	xb_model_set_jiffies(START + 3);
}

static void spilled_expired(void)
{
	spilled_briefly();
	xb_model_set_jiffies(START + 3);
}

static void spilled_dead(void)
{
	spilled_briefly();
	remove_another();
	xb_model_set_jiffies(START + 3 + XB_FLOW_SLACK);
}

static const struct {
	const char *name;
	void (*make)(void);
} states[] = {
	{ "nothing", nothing }, { "there", there }, { "there_new", there_new }, { "home_full", home_full }, { "home_full_new", home_full_new },
	{ "spilled", spilled }, { "spilled_briefly", spilled_briefly }, { "all_full", all_full }, { "all_full_new", all_full_new },
	{ "one_left", one_left }, { "expiring", expiring }, { "expired", expired }, { "spilled_expired", spilled_expired },
	{ "spilled_dead", spilled_dead },
};

static void check(const char *state, const char *first, const char *second, int at)
{
	for (__u32 later = 0; later < 12; later += 3) {
		for (int i = 0; i < KEYS; i++) {
			int left = left_of(key[i], true, NULL);

			if (copies_of(key[i], true) <= 1 && left >= 0 && (left > 0) == copies_left(key[i], true, 0))
				continue;
			fail_msg("%s: %s with %s at access %d: key %d is there %d times and has %d ticks, %d ticks later", state, first, second, at,
				 i, copies_of(key[i], true), left, later);
		}
		xb_model_set_jiffies(xb_model_jiffies() + 3);
	}
}

static void test_each_at_each_point_of_each(void **state)
{
	const struct xb_model_size sizes[] = { { "xb_flow4", 2 }, { "xb_flow6", 2 }, {} };

	assert_int_equal(xb_model_new(sizes), 0);
	keys_of_one_home(key, KEYS);
	for (size_t run = 0; run < sizeof(states) / sizeof(*states) * OPS * OPS; run++) {
		int s = (int)(run / OPS / OPS), a = (int)(run / OPS % OPS), b = (int)(run % OPS);

		for (int at = 0;; at++) {
			assert_int_equal(xb_model_new(sizes), 0);
			tick_shift = 0;
			xb_model_set_jiffies(START);
			states[s].make();
			if (!run_at(at, ops[a].run, ops[b].run))
				break;
			check(states[s].name, ops[a].name, ops[b].name, at);
		}
	}
	xb_model_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_at_each_point_of_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
