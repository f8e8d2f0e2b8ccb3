/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../../control/apiserver/resource_metrics/reading.h"

#define C(metric, value) "container_" metric "{container=\"c\",namespace=\"n\",pod=\"p\"} " value "\n"

static struct reading *reading_of(const char *text)
{
	struct reading *r = reading_new(xb_sv(text), 5000);

	assert_non_null(r);
	return r;
}

static bool container(const char *newer, const char *older, struct usage *ret)
{
	_cleanup_(reading_freep) struct reading *r = reading_of(newer), *before = older ? reading_of(older) : NULL;

	return reading_of_container(r, before, XB_SV("n/p/c"), ret);
}

static void a_rate_is_between_two(void **state)
{
	struct usage u;

	assert_true(container(C("cpu_usage_seconds_total", "12.5 3000") C("memory_working_set_bytes", "1e+06 3000"),
			      C("cpu_usage_seconds_total", "12 1000"), &u));
	assert_float_equal(u.cores, 0.25, 1e-9);
	assert_float_equal(u.memory, 1e6, 1e-9);
	assert_int_equal(u.window_ms, 2000);
	assert_int_equal(u.at_ms, 3000);
}

static void or_since_the_container_began(void **state)
{
	static const char text[] = C("cpu_usage_seconds_total", "2 5000") C("memory_working_set_bytes", "1") C("start_time_seconds", "1");
	struct usage u;

	assert_true(container(text, NULL, &u));
	assert_float_equal(u.cores, 0.5, 1e-9);
	assert_int_equal(u.window_ms, 4000);
	/* a counter that fell, a reading that is no newer */
	assert_true(container(text, C("cpu_usage_seconds_total", "3 1000"), &u));
	assert_float_equal(u.cores, 0.5, 1e-9);
	assert_true(container(text, text, &u));
	assert_int_equal(u.window_ms, 4000);
}

static void or_there_is_none(void **state)
{
	static const char *const texts[] = {
		"", C("cpu_usage_seconds_total", "2 5000"), C("cpu_usage_seconds_total", "2") C("memory_working_set_bytes", "1"),
		C("cpu_usage_seconds_total", "NaN") C("memory_working_set_bytes", "1") C("start_time_seconds", "1"),
		C("cpu_usage_seconds_total", "-1") C("memory_working_set_bytes", "1") C("start_time_seconds", "1"),
		C("cpu_usage_seconds_total", "2 x") C("memory_working_set_bytes", "1") C("start_time_seconds", "1"),
		C("cpu_usage_seconds_total", "2") C("memory_working_set_bytes", "1") C("start_time_seconds", "9"),
	};
	struct usage u;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_false(container(texts[i], NULL, &u));
}

static void lines_that_are_none_are_read_over(void **state)
{
	_cleanup_(reading_freep) struct reading *before = reading_of("node_cpu_usage_seconds_total 1 1000\n");
	_cleanup_(reading_freep) struct reading *r = reading_of(
		"# HELP x\n\nnode_cpu_usage_seconds_total{ 9\nnode_cpu_usage_seconds_total{a=\"b} 9\nnode_cpu_usage_seconds_total_x 9\n"
		"container_cpu_usage_seconds_total{container=\"a\\\"b\",namespace=\"n\",pod=\"p\"} 1\n"
		"container_cpu_usage_seconds_total{container=\"\",namespace=\"n\",pod=\"p\"} 1\n"
		"node_memory_working_set_bytes{x=\"}\"} 7\nnode_cpu_usage_seconds_total 2 2000");
	struct usage u;

	assert_true(reading_is_newer(r, before));
	assert_false(reading_is_newer(before, r));
	assert_true(reading_of_node(r, before, &u));
	assert_float_equal(u.cores, 1, 1e-9);
	assert_float_equal(u.memory, 7, 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rate_is_between_two), cmocka_unit_test(or_since_the_container_began), cmocka_unit_test(or_there_is_none),
		cmocka_unit_test(lines_that_are_none_are_read_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
