/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../../../../control/controllers/batch/cronjob_schedule.h"
#include "xb/time.h"

static int64_t at(const char *text)
{
	int64_t us = 0;

	if (text)
		assert_int_equal(xb_time_parse(xb_sv(text), &us), 0);
	return us / 1000000;
}

static void what_is_due(void **state)
{
	static const struct {
		const char *schedule, *since, *now;
		int64_t deadline;
		const char *due, *next;
		bool too_many;
	} rows[] = {
		{ "0 * * * *", "2026-01-01T10:20:00Z", "2026-01-01T10:59:59Z", -1, NULL, "2026-01-01T11:00:00Z", false },
		{ "0 * * * *", "2026-01-01T10:20:00Z", "2026-01-01T11:00:00Z", -1, "2026-01-01T11:00:00Z", "2026-01-01T12:00:00Z", false },
		{ "0 * * * *", "2026-01-01T10:20:00Z", "2026-01-01T14:30:00Z", -1, "2026-01-01T14:00:00Z", "2026-01-01T15:00:00Z", false },
		/* not evenly: weekdays at nine */
		{ "0 9 * * mon-fri", "2026-01-01T00:00:00Z", "2026-01-12T08:00:00Z", -1, "2026-01-09T09:00:00Z", "2026-01-12T09:00:00Z", false },
		{ "* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T01:41:30Z", -1, "2026-01-01T01:41:00Z", "2026-01-01T01:42:00Z", true },
		{ "* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T01:41:30Z", 200, "2026-01-01T01:41:00Z", "2026-01-01T01:42:00Z", false },
		/* the time that was missed is before the deadline */
		{ "0 * * * *", "2026-01-01T10:20:00Z", "2026-01-01T11:30:00Z", 60, NULL, "2026-01-01T12:00:00Z", false },
		{ "@every 1h", "2026-01-01T10:20:00Z", "2026-01-01T12:30:00Z", -1, "2026-01-01T12:20:00Z", "2026-01-01T13:20:00Z", false },
	};
	_cleanup_buf_ struct xb_buf why = {};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cronjob_due d;
		struct xb_cron c;

		assert_int_equal(xb_cron_parse(xb_sv(rows[i].schedule), &c, &why), 0);
		d = cronjob_due(&c, NULL, at(rows[i].since), rows[i].deadline, at(rows[i].now));
		assert_string_equal(xb_time_format(d.at * 1000000).s, xb_time_format(at(rows[i].due) * 1000000).s);
		assert_string_equal(xb_time_format(d.next * 1000000).s, xb_time_format(at(rows[i].next) * 1000000).s);
		assert_int_equal(d.too_many, rows[i].too_many);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
