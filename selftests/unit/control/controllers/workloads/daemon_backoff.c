/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../../../../control/controllers/workloads/daemon_backoff.h"

#define SECOND 1000000ll
#define MINUTE (60 * SECOND)

static struct daemon_backoff *backoff;

static int setup(void **state)
{
	backoff = daemon_backoff_new();
	return backoff ? 0 : -1;
}

static int teardown(void **state)
{
	backoff = daemon_backoff_free(backoff);
	return 0;
}

static int64_t take(const char *uid, const char *node, int64_t now)
{
	return daemon_backoff_take(backoff, xb_sv(uid), xb_sv(node), now);
}

static void each_time_it_waits_twice_as_long(void **state)
{
	int64_t now = 50 * MINUTE;

	assert_int_equal(take("u", "n", now), 0);
	assert_int_equal(take("u", "n", now + SECOND / 4), 3 * SECOND / 4);
	for (int64_t delay = SECOND; delay < 15 * MINUTE; delay *= 2) {
		assert_int_equal(take("u", "n", now + delay - 1), 1);
		now += delay;
		assert_int_equal(take("u", "n", now), 0);
	}
	assert_int_equal(take("u", "n", now + 15 * MINUTE - 1), 1);
	assert_int_equal(take("u", "n", now + 15 * MINUTE), 0);
}

static void each_set_and_node_waits_for_itself(void **state)
{
	assert_int_equal(take("u", "n", 0), 0);
	assert_int_equal(take("u", "m", 0), 0);
	assert_int_equal(take("v", "n", 0), 0);
	assert_int_equal(take("v", "n", 1), SECOND - 1);
}

static void long_ago_is_forgotten(void **state)
{
	assert_int_equal(take("u", "n", 0), 0);
	assert_int_equal(take("u", "m", 20 * MINUTE), 0);
	assert_int_equal(take("u", "n", 31 * MINUTE), 0);
	assert_int_equal(take("u", "n", 31 * MINUTE), SECOND);
	assert_int_equal(take("u", "m", 31 * MINUTE), 0);
	assert_int_equal(take("u", "m", 31 * MINUTE), 2 * SECOND);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(each_time_it_waits_twice_as_long), TEST(each_set_and_node_waits_for_itself), TEST(long_ago_is_forgotten),
	};

	return cmocka_run_group_tests_name("control/controllers/daemon_backoff", tests, NULL, NULL);
}
