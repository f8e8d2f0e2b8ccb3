/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "xb/prometheus.h"

static void histograms_are_cumulative(void **state)
{
	static const double bounds[] = { 0.005, 1, 2.5e6 };
	uint64_t counts[4] = {};
	_cleanup_buf_ struct xb_buf out = {};
	double sum = 0;

	xb_prom_observe(bounds, 3, counts, &sum, 0.005);
	xb_prom_observe(bounds, 3, counts, &sum, 0.5);
	xb_prom_observe(bounds, 3, counts, &sum, 1);
	xb_prom_observe(bounds, 3, counts, &sum, 3e6);
	xb_prom_head(&out, "a_seconds", "histogram", "Some words.");
	xb_prom_histogram(&out, "a_seconds", "x=\"y\"", bounds, 3, counts, sum);
	xb_prom_histogram(&out, "a_seconds", "", bounds, 1, (uint64_t[]){ 1, 0 }, 0.001);
	assert_string_equal(out.p,
		"# HELP a_seconds Some words.\n# TYPE a_seconds histogram\n"
		"a_seconds_bucket{x=\"y\",le=\"0.005\"} 1\na_seconds_bucket{x=\"y\",le=\"1\"} 3\na_seconds_bucket{x=\"y\",le=\"2.5e+06\"} 3\n"
		"a_seconds_bucket{x=\"y\",le=\"+Inf\"} 4\na_seconds_sum{x=\"y\"} 3000001.5\na_seconds_count{x=\"y\"} 4\n"
		"a_seconds_bucket{le=\"0.005\"} 1\na_seconds_bucket{le=\"+Inf\"} 1\na_seconds_sum 0.001\na_seconds_count 1\n");
}

static void samples(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};

	xb_prom_one(&out, "a_total", "counter", "Help.", 9007199254740000);
	xb_prom_sample(&out, "b", "x=\"y\"", 0.1);
	assert_string_equal(out.p, "# HELP a_total Help.\n# TYPE a_total counter\na_total 9.00719925474e+15\nb{x=\"y\"} 0.1\n");
	xb_buf_clear(&out);
	xb_prom_process(&out, 1500000);
	assert_non_null(strstr(out.p, "\nprocess_start_time_seconds 1.5\n"));
	assert_non_null(strstr(out.p, "\nprocess_open_fds "));
	assert_null(strstr(out.p, "process_resident_memory_bytes 0\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(histograms_are_cumulative), cmocka_unit_test(samples) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
