/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "xb/time.h"
#include "xb/zone.h"

static void offsets_change_with_the_clocks(void **state)
{
	static const struct {
		const char *zone, *at;
		int64_t offset;
	} rows[] = {
		{ "Etc/UTC", "2026-01-01T00:00:00Z", 0 },
		{ "Asia/Kolkata", "2026-01-01T00:00:00Z", 19800 },
		/* to the second */
		{ "America/New_York", "2026-03-08T06:59:59Z", -18000 },
		{ "America/New_York", "2026-03-08T07:00:00Z", -14400 },
		{ "America/New_York", "2026-11-01T05:59:59Z", -14400 },
		{ "America/New_York", "2026-11-01T06:00:00Z", -18000 },
		/* the first recorded change, and local mean time before it */
		{ "America/New_York", "1883-11-18T16:59:59Z", -17762 },
		{ "America/New_York", "1883-11-18T17:00:00Z", -18000 },
		{ "America/New_York", "2037-07-01T00:00:00Z", -14400 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(xb_zone_freep) struct xb_zone *zone = NULL;
		int64_t at;

		assert_int_equal(xb_zone_load(xb_sv(rows[i].zone), &zone), 0);
		assert_int_equal(xb_time_parse(xb_sv(rows[i].at), &at), 0);
		assert_int_equal(xb_zone_offset(zone, at / 1000000), rows[i].offset);
	}
}

static void none_is_utc(void **state)
{
	assert_int_equal(xb_zone_offset(NULL, 1767225600), 0);
}

static void what_is_no_zone_is_not_read(void **state)
{
	static const struct {
		const char *name;
		int error;
	} rows[] = {
		{ "", -ENOENT },
		{ "Mars/Olympus", -ENOENT },
		{ "/etc/passwd", -ENOENT },
		{ "../../etc/passwd", -ENOENT },
		{ "tzdata.zi", -ENOENT },
		{ "Europe", -EBADMSG },
	};
	struct xb_zone *none = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(xb_zone_load(xb_sv(rows[i].name), &none), rows[i].error);
	assert_int_equal(xb_zone_load(XB_SV("Etc/UTC\0"), &none), -ENOENT);
	assert_null(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offsets_change_with_the_clocks),
		cmocka_unit_test(none_is_utc),
		cmocka_unit_test(what_is_no_zone_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
