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

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_decode), cmocka_unit_test(test_appends) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
