/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* tests link libraries, and a tool has none: the file itself */
#include "../../../../tools/bench/names.c"

static const struct names names = { "n-", 5, 10 };

static void a_name_is_found_by_its_number(void **state)
{
	_cleanup_buf_ struct xb_buf text = {};
	unsigned index;

	for (unsigned i = 0; i < names.n; i++) {
		xb_buf_clear(&text);
		names_add(names, i, &text);
		assert_true(names_find(names, xb_buf_sv(&text), &index));
		assert_int_equal(index, i);
	}
	assert_string_equal(text.p, "n-14");
}

static void others_are_not(void **state)
{
	static const char *const others[] = { "n-4", "n-15", "n-", "n-05", "n-5x", "m-5", "n--5", "n-99999999999999999999", "" };
	unsigned index = 77;

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_false(names_find(names, xb_sv(others[i]), &index));
	assert_int_equal(index, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_found_by_its_number),
		cmocka_unit_test(others_are_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
