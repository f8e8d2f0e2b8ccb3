/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "xb/random.h"

static void uuids_are_version_4(void **state)
{
	char all[100][37];

	for (int i = 0; i < 100; i++) {
		char *a = all[i];

		xb_uuid(a);
		assert_int_equal(strlen(a), 36);
		assert_int_equal(strspn(a, "0123456789abcdef-"), 36);
		assert_true(a[8] == '-' && a[13] == '-' && a[18] == '-' && a[23] == '-');
		assert_int_equal(a[14], '4');
		assert_non_null(strchr("89ab", a[19]));
		for (int k = 0; k < i; k++)
			assert_string_not_equal(a, all[k]);
	}
}

static void suffixes_use_every_letter(void **state)
{
	static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
	char s[6], seen[256] = {};
	int kinds = 0;

	for (int i = 0; i < 2000; i++) {
		xb_random_suffix(s);
		assert_int_equal(strlen(s), 5);
		for (int k = 0; k < 5; k++)
			seen[(unsigned char)s[k]] = 1;
	}
	for (int c = 0; c < 256; c++) {
		kinds += seen[c];
		assert_true(!seen[c] || strchr(letters, c));
	}
	assert_int_equal(kinds, strlen(letters));
}

static void compares_secrets(void **state)
{
	assert_true(xb_secret_eq("token", "token", 5));
	assert_false(xb_secret_eq("token", "tokem", 5));
	assert_false(xb_secret_eq("token", "uoken", 5));
	assert_true(xb_secret_eq("a", "b", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uuids_are_version_4),
		cmocka_unit_test(suffixes_use_every_letter),
		cmocka_unit_test(compares_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
