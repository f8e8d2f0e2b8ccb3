/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "xb/time.h"

static void formats_and_parses(void **state)
{
	static const struct {
		const char *text, *seconds, *micro;
	} rows[] = {
		{ "2024-02-29T12:34:56Z", "2024-02-29T12:34:56Z", "2024-02-29T12:34:56.000000Z" },
		{ "2024-02-29T12:34:56.123456789+02:00", "2024-02-29T10:34:56Z", "2024-02-29T10:34:56.123456Z" },
		{ "1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.500000Z" },
		{ "2000-01-01T00:00:00-00:30", "2000-01-01T00:30:00Z", "2000-01-01T00:30:00.000000Z" },
		{ "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z" },
	};
	int64_t us;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(xb_time_parse(xb_sv(rows[i].text), &us), 0);
		assert_string_equal(xb_time_format(us).s, rows[i].seconds);
		assert_string_equal(xb_time_format_micro(us).s, rows[i].micro);
	}
	assert_string_equal(xb_time_format(0).s, "1970-01-01T00:00:00Z");
}

static void refuses_other_times(void **state)
{
	static const char *const texts[] = {
		"", "2024-02-30T00:00:00Z", "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-01T24:00:00Z",
		"2024-01-01T00:00:60Z", "2024-01-01T00:00:00", "2024-01-01 00:00:00Z", "2024-01-01T00:00:00.Z",
		"2024-01-01T00:00:00Zx", "2024-01-01T00:00:00+2:00", "2024-1-1T00:00:00Z", "2024-01-01T00:00:00+25:00",
	};
	int64_t us = 7;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(xb_time_parse(xb_sv(texts[i]), &us), -EINVAL);
	assert_int_equal(us, 7);
}

static void durations_are_gos(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
		const char *back;
	} rows[] = {
		{ "0", 0, "0s" }, { "0s", 0, "0s" }, { "90s", 90 * XB_SECOND, "1m30s" }, { "1h", XB_HOUR, "1h0m0s" },
		{ "1h15m30.918s", 4530918 * XB_MILLISECOND, "1h15m30.918s" }, { "-1.5h", -90 * XB_MINUTE, "-1h30m0s" },
		{ "300ms", 300 * XB_MILLISECOND, "300ms" }, { "1.5us", 1500, "1.5\xc2\xb5s" }, { "1ns", 1, "1ns" },
		{ "+5s", 5 * XB_SECOND, "5s" }, { ".5s", XB_SECOND / 2, "500ms" }, { "10.s", 10 * XB_SECOND, "10s" },
		{ "1m0.000000001s", XB_MINUTE + 1, "1m0.000000001s" }, { "12\xc2\xb5s", 12000, "12\xc2\xb5s" },
		{ "-9223372036854775808ns", INT64_MIN, "-2562047h47m16.854775808s" },
	};
	int64_t ns;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(xb_duration_parse(xb_sv(rows[i].text), &ns), 0);
		assert_true(ns == rows[i].ns);
		assert_string_equal(xb_duration_format(ns).s, rows[i].back);
	}
	assert_int_equal(xb_duration_parse(XB_SV("9223372036854775808ns"), &ns), -ERANGE);
	assert_int_equal(xb_duration_parse(XB_SV("99999999999h"), &ns), -ERANGE);
}

static void refuses_other_durations(void **state)
{
	static const char *const texts[] = { "", "1", "s", ".s", "-", "1x", "1s2", "1 s", "1d", "-.s" };
	int64_t ns;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(xb_duration_parse(xb_sv(texts[i]), &ns), -EINVAL);
}

static void ages_are_kubectls(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} rows[] = {
		{ -2, "<invalid>" }, { -1, "0s" }, { 0, "0s" }, { 119, "119s" }, { 120, "2m" }, { 123, "2m3s" },
		{ 599, "9m59s" }, { 600, "10m" }, { 10799, "179m" }, { 10800, "3h" }, { 12000, "3h20m" },
		{ 28799, "7h59m" }, { 28800, "8h" }, { 172799, "47h" }, { 172800, "2d" }, { 180000, "2d2h" },
		{ 691199, "7d23h" }, { 691200, "8d" }, { 694800, "8d" }, { 63071999, "729d" }, { 63072000, "2y" }, { 63072000 + 86400 * 19, "2y19d" },
		{ 86400LL * 365 * 8, "8y" }, { 86400LL * 365 * 8 + 86400 * 100, "8y" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(xb_time_human(rows[i].seconds).s, rows[i].text);
}

static void clocks_run(void **state)
{
	int64_t before = xb_time_ms();

	assert_true(xb_time_ms() >= before);
	assert_true(xb_time_now() > INT64_C(1600000000) * 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_and_parses),
		cmocka_unit_test(refuses_other_times),
		cmocka_unit_test(durations_are_gos),
		cmocka_unit_test(refuses_other_durations),
		cmocka_unit_test(ages_are_kubectls),
		cmocka_unit_test(clocks_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
