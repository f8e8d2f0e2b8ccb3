/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "xb/backoff.h"

static void doubles_up_to_its_end(void **state)
{
	struct xb_backoff b = { .min_ms = 800, .max_ms = 30000 };
	static const unsigned steps[] = { 1600, 3200, 6400, 12800, 25600, 30000, 30000, 30000 };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		unsigned ms = xb_backoff_next(&b);

		assert_in_range(ms, steps[i] / 2, steps[i]);
	}
	xb_backoff_reset(&b);
	assert_in_range(xb_backoff_next(&b), 800, 1600);
}

static void delays_differ(void **state)
{
	unsigned low = ~0U, high = 0;

	for (int i = 0; i < 200; i++) {
		struct xb_backoff b = { .min_ms = 800, .max_ms = 30000 };
		unsigned ms = xb_backoff_next(&b);

		low = ms < low ? ms : low;
		high = ms > high ? ms : high;
	}
	assert_true(low >= 800 && low < 1000);
	assert_true(high <= 1600 && high > 1400);
}

static void between_reaches_both_ends(void **state)
{
	unsigned seen = 0;

	assert_int_equal(xb_backoff_between(7, 7), 7);
	for (int i = 0; i < 1000; i++)
		seen |= 1U << xb_backoff_between(0, 3);
	assert_int_equal(seen, 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(doubles_up_to_its_end), cmocka_unit_test(delays_differ), cmocka_unit_test(between_reaches_both_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
