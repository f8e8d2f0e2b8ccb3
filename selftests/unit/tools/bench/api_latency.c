/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../tools/bench/api_latency.c"

static struct latency l;

static int empty(void **state)
{
	l = (struct latency){};
	return 0;
}

static void says_nothing_of_nothing(void **state)
{
	assert_int_equal(latency_at(&l, 0.99), 0);
}

static void is_exact_for_one_and_never_beyond_the_most(void **state)
{
	latency_add(&l, 123456789);
	assert_int_equal(latency_at(&l, 0.5), 123456789);
	assert_int_equal(latency_at(&l, 0.99), 123456789);
	assert_int_equal(l.most, 123456789);
}

static void ranks_small_values_exactly(void **state)
{
	for (uint64_t v = 1; v <= 100; v++)
		latency_add(&l, v);
	assert_int_equal(latency_at(&l, 0.5), 50);
	assert_int_equal(latency_at(&l, 0.9), 90);
	assert_int_equal(latency_at(&l, 0.99), 99);
	assert_int_equal(latency_at(&l, 1), 100);
}

/* Whatever the size: at or above the value, by less than one in 128. */
static void keeps_its_precision(void **state)
{
	for (uint64_t v = 1; v < UINT64_MAX / 3; v += v / 4 + 1) {
		uint64_t said;

		l = (struct latency){};
		latency_add(&l, v);
		latency_add(&l, UINT64_MAX);
		said = latency_at(&l, 0.5);
		assert_true(said >= v);
		assert_true(said - v <= v / 128);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(says_nothing_of_nothing, empty),
		cmocka_unit_test_setup(is_exact_for_one_and_never_beyond_the_most, empty),
		cmocka_unit_test_setup(ranks_small_values_exactly, empty), cmocka_unit_test_setup(keeps_its_precision, empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
