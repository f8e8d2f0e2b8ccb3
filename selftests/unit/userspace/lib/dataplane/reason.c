/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The words follow the enum: each reason has its row, under its own name, and whatever says no says what to do. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "xb/reason.h"

#define NAME(reason) [reason] = #reason
static const char *const enum_names[XB_REASONS] = {
	NAME(XB_REASON_NONE), NAME(XB_FLOW_MADE), NAME(XB_FLOW_RESELECTED), NAME(XB_ECHO_ANSWERED), NAME(XB_ERROR_TRANSLATED),
	NAME(XB_REFUSED_NO_BACKEND), NAME(XB_REFUSED_NO_PORT), NAME(XB_REFUSED_NO_SERVICE), NAME(XB_DROPPED_NO_LOCAL_BACKEND),
	NAME(XB_DROPPED_SOURCE_RANGE), NAME(XB_DROPPED_FLOWS_FULL), NAME(XB_DROPPED_FLOW_RATE), NAME(XB_DROPPED_NO_NAT_PORT),
	NAME(XB_DROPPED_NO_NAT_ADDRESS), NAME(XB_DROPPED_FRAGMENT), NAME(XB_DROPPED_MALFORMED), NAME(XB_DROPPED_NO_ROUTE),
	NAME(XB_TABLE_ERROR),
};

/* "XB_REFUSED_NO_PORT" as "refused-no-port" */
static void expected_name(const char *enum_name, char *ret, size_t size)
{
	snprintf(ret, size, "%s", enum_name + (strncmp(enum_name, "XB_REASON_", 10) ? 3 : 10));
	for (; *ret; ret++)
		*ret = *ret == '_' ? '-' : (char)tolower(*ret);
}

static void each_has_its_words(void **state)
{
	for (int i = 0; i < XB_REASONS; i++) {
		const struct xb_reason_row *row = xb_reason_row(i);
		enum xb_reason found;
		char name[40];

		assert_non_null(enum_names[i]);
		expected_name(enum_names[i], name, sizeof(name));
		assert_string_equal(row->name, name);
		assert_int_equal(xb_reason_by_name(xb_sv(name), &found), 0);
		assert_int_equal(found, i);
		assert_true(isupper(row->what[0]) && row->what[strlen(row->what) - 1] == '.');
		assert_true(!!row->advice == (xb_reason_is_refusal(i) || i == XB_TABLE_ERROR));
		assert_true(xb_reason_is_refusal(i) == (!strncmp(name, "refused-", 8) || !strncmp(name, "dropped-", 8)));
	}
}

static void others_are_unknown(void **state)
{
	enum xb_reason found;

	assert_string_equal(xb_reason_row(XB_REASONS)->name, "unknown");
	assert_string_equal(xb_reason_row(255)->name, "unknown");
	assert_int_equal(xb_reason_by_name(XB_SV("unknown"), &found), -EINVAL);
	assert_false(xb_reason_is_refusal(255));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_has_its_words), cmocka_unit_test(others_are_unknown) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
