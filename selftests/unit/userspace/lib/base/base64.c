/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "xb/base64.h"

/* RFC 4648 section 10, and what is none. */
static const struct {
	const char *text, *bytes;
} cases[] = {
	{ "", "" }, { "Zg==", "f" }, { "Zm8=", "fo" }, { "Zm9v", "foo" }, { "Zm9vYg==", "foob" }, { "Zm9vYmE=", "fooba" },
	{ "Zm9vYmFy", "foobar" }, { "+/+/", "\xfb\xff\xbf" },
	{ "Z", NULL }, { "Zg", NULL }, { "Zg=", NULL }, { "====", NULL }, { "Z===", NULL }, { "=AAA", NULL }, { "Zg==Zg==", NULL },
	{ "Zm9-", NULL }, { "Zm 9", NULL }, { "Zm9\n", NULL }, { "Zm9\xff", NULL },
};

static void test_decode(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct xb_buf out = {};
		int r = xb_base64_decode(xb_sv(cases[i].text), &out);

		if (r != (cases[i].bytes ? 0 : -EINVAL) || (!r && strcmp(out.p ?: "", cases[i].bytes)))
			fail_msg("%s: %d %s", cases[i].text, r, out.p ?: "");
	}
}

static void test_appends(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};

	xb_buf_adds(&out, "a");
	assert_int_equal(xb_base64_decode(XB_SV("AAE="), &out), 0);
	assert_int_equal(out.n, 3);
	assert_memory_equal(out.p, "a\0\1", 3);
}

static void test_url(void **state)
{
	static const struct {
		const char *text, *bytes; /* NULL: not what is written */
		int result;
	} rows[] = {
		{ "", "", 0 }, { "Zg", "f", 0 }, { "Zm8", "fo", 0 }, { "Zm9v", "foo", 0 }, { "-_8", "\xfb\xff", 0 },
		{ "Zh", NULL, 1 }, { "Zm9", NULL, 1 },
		{ "Z", NULL, -EINVAL }, { "Zm9vZ", NULL, -EINVAL }, { "Zg==", NULL, -EINVAL }, { "+/8", NULL, -EINVAL }, { "Z g", NULL, -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_buf_ struct xb_buf out = {}, back = {};

		assert_int_equal(xb_base64url_decode(xb_sv(rows[i].text), &out), rows[i].result);
		if (!rows[i].bytes)
			continue;
		assert_true(xb_sv_is(xb_buf_sv(&out), rows[i].bytes));
		xb_base64url_encode(xb_buf_sv(&out), &back);
		assert_true(xb_sv_is(xb_buf_sv(&back), rows[i].text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode), cmocka_unit_test(test_appends), cmocka_unit_test(test_url),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
