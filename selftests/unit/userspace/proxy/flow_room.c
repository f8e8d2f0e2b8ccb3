/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../userspace/proxy/flow_room.h"

static __u32 wanted(__u32 sets, double open, double gain)
{
	struct flow_load l = { .sets = sets, .open = open, .gain = gain };

	return flow_sets_wanted(&l);
}

static void a_set_for_each_flow(void **state)
{
	assert_int_equal(wanted(8192, 0, 0), 8192);
	assert_int_equal(wanted(8192, 2 * 8192, 0), 8192);
	assert_int_equal(wanted(8192, 2 * 8192 + 1, 0), 16384);
	assert_int_equal(wanted(1024, 2 * 1024 + 1, 0), 2048);
}

static void many_at_once(void **state)
{
	assert_int_equal(wanted(8192, 2 * 30000, 0), 32768);
	assert_int_equal(wanted(8192, 2 * 131072, 0), 131072);
	assert_int_equal(wanted(1u << 29, 1e12, 0), 1u << 30);
}

/* It grows before it is full, and to what is enough for a while. */
static void it_fills_fast(void **state)
{
	assert_int_equal(wanted(8192, 10000, 3000), 8192);
	assert_int_equal(wanted(8192, 10000, 4000), 16384);
	assert_int_equal(wanted(8192, 10000, 10000), 32768);
}

static void it_empties(void **state)
{
	assert_int_equal(wanted(8192, 2 * 8192, -5000), 8192);
	assert_int_equal(wanted(8192, 2 * 8193, -5000), 16384);
	assert_int_equal(wanted(65536, 10, -5000), 65536);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_for_each_flow),
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(it_fills_fast),
		cmocka_unit_test(it_empties),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
