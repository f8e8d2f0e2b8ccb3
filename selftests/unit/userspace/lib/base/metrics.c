/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "xb/metrics.h"

static const double bounds[] = { 1, 2, 4 };

static void histogram_counts_what_is_at_most_a_bound(void **state)
{
	uint64_t counts[4] = {};
	struct xb_histogram h = { .bounds = bounds, .n = 3, .counts = counts };

	xb_histogram_observe(&h, 0.5);
	xb_histogram_observe(&h, 2);
	xb_histogram_observe(&h, 2.1);
	xb_histogram_observe(&h, 100);
	for (int i = 0; i < 4; i++)
		assert_int_equal(counts[i], 1);
	assert_int_equal(h.count, 4);
	assert_true(h.sum > 104.5 && h.sum < 104.7);
}

static void histogram_is_written_cumulated(void **state)
{
	uint64_t counts[4] = { 3, 0, 1, 1 };
	struct xb_histogram h = { .bounds = bounds, .n = 3, .counts = counts, .count = 5, .sum = 12.5 };
	_cleanup_buf_ struct xb_buf out = {};

	xb_metrics_histogram(&out, "x_seconds", "name=\"a\"", &h);
	assert_string_equal(out.p, "x_seconds_bucket{name=\"a\",le=\"1\"} 3\nx_seconds_bucket{name=\"a\",le=\"2\"} 3\n"
				   "x_seconds_bucket{name=\"a\",le=\"4\"} 4\nx_seconds_bucket{name=\"a\",le=\"+Inf\"} 5\n"
				   "x_seconds_sum{name=\"a\"} 12.5\nx_seconds_count{name=\"a\"} 5\n");
}

static void process_has_a_start_and_memory(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};
	double resident = 0;

	xb_metrics_process(&out, 1500000);
	assert_non_null(strstr(out.p, "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds 1.5\n"));
	resident = strtod(strstr(out.p, "\nprocess_resident_memory_bytes ") + 31, NULL);
	assert_true(resident > 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(histogram_counts_what_is_at_most_a_bound),
		cmocka_unit_test(histogram_is_written_cumulated),
		cmocka_unit_test(process_has_a_start_and_memory),
	};

	return cmocka_run_group_tests_name("userspace/lib/base/metrics", tests, NULL, NULL);
}
