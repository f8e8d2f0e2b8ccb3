/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "xb/cron.h"
#include "xb/time.h"

static void fields_become_bits(void **state)
{
	_cleanup_buf_ struct xb_buf why = {};
	struct xb_cron c;

	assert_int_equal(xb_cron_parse(XB_SV("*/20 0-2,23 1 jan,DEC mon-fri"), &c, &why), 0);
	assert_true(c.minutes == (1ull | 1ull << 20 | 1ull << 40));
	assert_true(c.hours == (7ull | 1ull << 23));
	assert_true(c.days == 2 && !c.any_day);
	assert_true(c.months == (1ull << 1 | 1ull << 12));
	assert_true(c.weekdays == 0x3e && !c.any_weekday);
	assert_int_equal(xb_cron_parse(XB_SV("CRON_TZ=Europe/Paris 5/30 * * * ?"), &c, &why), 0);
	assert_true(c.minutes == (1ull << 5 | 1ull << 35) && c.hours == 0xffffff && c.any_day && c.any_weekday);
	assert_true(xb_sv_is(c.zone, "Europe/Paris"));
	assert_int_equal(xb_cron_parse(XB_SV("@weekly"), &c, &why), 0);
	assert_true(c.minutes == 1 && c.hours == 1 && c.weekdays == 1 && c.any_day && !c.any_weekday);
	assert_int_equal(xb_cron_parse(XB_SV("@every 1h30m"), &c, &why), 0);
	assert_int_equal(c.every_seconds, 5400);
}

static void what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "", "empty spec string" },
		{ "* * *", "expected exactly 5 fields, found 3: [* * *]" },
		{ "60 * * * *", "end of range (60) above maximum (59): 60" },
		{ "* * 0 * *", "beginning of range (0) below minimum (1): 0" },
		{ "5-3 * * * *", "beginning of range (5) beyond end of range (3): 5-3" },
		{ "*/0 * * * *", "step of range should be a positive number: */0" },
		{ "1-2-3 * * * *", "too many hyphens: 1-2-3" },
		{ "*/2/3 * * * *", "too many slashes: */2/3" },
		{ "x * * * *", "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax" },
		{ "* * * * 99999999999", "end of range (65535) above maximum (6): 99999999999" },
		{ "@often", "unrecognized descriptor: @often" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_buf_ struct xb_buf why = {};
		struct xb_cron c;

		assert_int_equal(xb_cron_parse(xb_sv(bad[i].text), &c, &why), -EINVAL);
		assert_string_equal(why.p, bad[i].why);
	}
}

static void the_next_time(void **state)
{
	static const struct {
		const char *text, *zone, *after, *next;
	} rows[] = {
		{ "*/15 * * * *", NULL, "2026-01-01T00:00:00Z", "2026-01-01T00:15:00Z" },
		{ "59 23 31 12 *", NULL, "2026-12-31T23:59:00Z", "2027-12-31T23:59:00Z" },
		{ "0 0 29 2 *", NULL, "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z" },
		{ "0 0 13 * fri", NULL, "2026-02-01T00:00:00Z", "2026-02-06T00:00:00Z" },
		{ "@every 90m", NULL, "2026-01-01T00:00:10Z", "2026-01-01T01:30:10Z" },
		{ "0 9 * * *", "Asia/Kolkata", "2026-01-01T00:00:00Z", "2026-01-01T03:30:00Z" },
		{ "0 0 * * *", "America/New_York", "2026-07-01T05:00:00Z", "2026-07-02T04:00:00Z" },
		/* clocks go forward at 2 and back at 2 */
		{ "30 2 * * *", "America/New_York", "2026-03-08T05:00:00Z", "2026-03-09T06:30:00Z" },
		{ "0 1 * * *", "America/New_York", "2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z" },
	};
	_cleanup_buf_ struct xb_buf why = {};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(xb_zone_freep) struct xb_zone *zone = NULL;
		struct xb_cron c;
		int64_t after;

		assert_int_equal(xb_cron_parse(xb_sv(rows[i].text), &c, &why), 0);
		assert_int_equal(xb_time_parse(xb_sv(rows[i].after), &after), 0);
		if (rows[i].zone)
			assert_int_equal(xb_zone_load(xb_sv(rows[i].zone), &zone), 0);
		assert_string_equal(xb_time_format(xb_cron_next(&c, zone, after / 1000000) * 1000000).s, rows[i].next);
	}
}

static void a_day_that_never_comes(void **state)
{
	_cleanup_buf_ struct xb_buf why = {};
	struct xb_cron c;

	assert_int_equal(xb_cron_parse(XB_SV("0 0 30 2 *"), &c, &why), 0);
	assert_int_equal(xb_cron_next(&c, NULL, 1767225600), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_become_bits),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(the_next_time),
		cmocka_unit_test(a_day_that_never_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
