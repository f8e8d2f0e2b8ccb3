/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../../control/controllers/nodes/node_zones.h"

static const struct zone_rules rules = { .rate = 0.1, .secondary_rate = 0.01, .unhealthy_threshold = 0.55, .large_cluster = 10 };
static struct zones *zones;
static struct zone *a, *b;
static struct zone_member members[8];

static int setup(void **state)
{
	zones = zones_new(&rules);
	a = zones_obtain(zones, XB_SV("r/a"));
	b = zones_obtain(zones, XB_SV("r/b"));
	memset(members, 0, sizeof(members));
	return 0;
}

static int teardown(void **state)
{
	zones = zones_free(zones);
	return 0;
}

static enum zones_turn judge(unsigned a_ready, unsigned a_other, unsigned b_ready, unsigned b_other, int64_t now)
{
	const unsigned counts[] = { a_ready, a_other, b_ready, b_other };

	zones_count_begin(zones);
	for (unsigned i = 0; i < 4; i++)
		for (unsigned k = 0; k < counts[i]; k++)
			zones_count(i < 2 ? a : b, i % 2 == 0);
	return zones_judge(zones, now);
}

/* Who is let through at once, and when the next is. */
static void assert_turns(int64_t now, int n, int64_t wait)
{
	while (zones_next(zones, now))
		n--;
	assert_int_equal(n, 0);
	assert_int_equal(zones_wait_ms(zones, now), wait);
}

static void a_key_is_one_zone(void **state)
{
	assert_ptr_equal(zones_obtain(zones, XB_SV("r/a")), a);
	assert_ptr_not_equal(a, b);
}

static void one_after_the_other_in_each_zone(void **state)
{
	assert_int_equal(judge(9, 1, 9, 1, 0), ZONES_SAME);
	for (unsigned i = 0; i < 3; i++)
		zone_wait(a, &members[i]);
	zone_wait(a, &members[0]);
	zone_wait(b, &members[3]);
	assert_ptr_equal(zones_next(zones, 0), &members[0]);
	assert_ptr_equal(zones_next(zones, 0), &members[3]);
	assert_turns(0, 0, 10000);
	assert_turns(9999, 0, 1);
	zone_leave(a, &members[1]);
	assert_ptr_equal(zones_next(zones, 10000), &members[2]);
	assert_turns(10000, 0, -1);
}

static void many_not_ready_slows_a_large_zone_and_stops_a_small_one(void **state)
{
	judge(20, 0, 9, 0, 0);
	for (unsigned i = 0; i < 3; i++)
		zone_wait(a, &members[i]);
	for (unsigned i = 3; i < 6; i++)
		zone_wait(b, &members[i]);
	assert_turns(0, 2, 10000);
	judge(9, 11, 4, 5, 1000);
	assert_turns(100999, 0, 1);
	assert_turns(101000, 1, 100000);
	judge(20, 0, 5, 4, 101000);
	assert_turns(101000, 0, 10000);
	assert_turns(111000, 2, 10000);
}

static void two_are_not_many(void **state)
{
	judge(1, 2, 1, 3, 0);
	zone_wait(a, &members[0]);
	assert_turns(0, 1, -1);
	zone_wait(b, &members[1]);
	assert_turns(0, 0, -1);
}

/* A zone that is down is emptied: others are not, so it is not the control plane's fault. */
static void a_whole_zone_is_emptied(void **state)
{
	judge(0, 9, 9, 0, 0);
	zone_wait(a, &members[0]);
	assert_turns(0, 1, -1);
}

static void all_zones_are_not(void **state)
{
	judge(9, 0, 9, 0, 0);
	assert_int_equal(judge(0, 9, 0, 9, 1000), ZONES_STOPPED);
	assert_true(zones_stopped(zones));
	zone_wait(a, &members[0]);
	assert_turns(1000000, 0, -1);
	assert_int_equal(judge(0, 9, 0, 9, 1000000), ZONES_SAME);
	assert_int_equal(judge(0, 9, 1, 8, 1000000), ZONES_RESUMED);
	assert_false(zones_stopped(zones));
	assert_turns(1009999, 0, 1);
	assert_turns(1010000, 1, -1);
}

static void no_node_at_all_is_no_fault(void **state)
{
	assert_int_equal(judge(0, 0, 0, 0, 0), ZONES_SAME);
	assert_false(zones_stopped(zones));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_key_is_one_zone),
		TEST(one_after_the_other_in_each_zone),
		TEST(many_not_ready_slows_a_large_zone_and_stops_a_small_one),
		TEST(two_are_not_many),
		TEST(a_whole_zone_is_emptied),
		TEST(all_zones_are_not),
		TEST(no_node_at_all_is_no_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
