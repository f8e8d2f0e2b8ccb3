/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../../../../userspace/kubelet/volumes/termination.h"

static void joins_parts_of_lines(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};

	termination_log_text(XB_SV("2024-05-01T10:00:00.000000000Z stdout F one two\n"
				   "2024-05-01T10:00:00.000000000Z stderr P three \n"
				   "2024-05-01T10:00:00.000000000Z stderr F four\n"
				   "broken\n"), &out);
	assert_string_equal(out.p, "one two\nthree four\n");
}

static void keeps_the_last_lines(void **state)
{
	_cleanup_buf_ struct xb_buf log = {}, out = {};

	for (int i = 1; i <= 100; i++)
		xb_buf_addf(&log, "t stdout F line %d\n", i);
	termination_log_text(xb_buf_sv(&log), &out);
	assert_int_equal(strncmp(out.p, "line 21\nline 22\n", 16), 0);
	assert_true(xb_sv_ends(xb_buf_sv(&out), "line 100\n"));
}

static void keeps_the_last_bytes(void **state)
{
	_cleanup_buf_ struct xb_buf log = {}, out = {};

	xb_buf_adds(&log, "t stdout F ");
	for (int i = 0; i < 3000; i++)
		xb_buf_addc(&log, i < 2000 ? 'a' : 'b');
	xb_buf_addc(&log, '\n');
	termination_log_text(xb_buf_sv(&log), &out);
	assert_int_equal(out.n, 2048);
	assert_true(xb_sv_ends(xb_buf_sv(&out), "bbb\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joins_parts_of_lines), cmocka_unit_test(keeps_the_last_lines), cmocka_unit_test(keeps_the_last_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
