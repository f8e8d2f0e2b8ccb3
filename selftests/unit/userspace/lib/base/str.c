/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "xb/str.h"

static void compares(void **state)
{
	assert_true(xb_sv_eq(XB_SV("a"), XB_SV("a")));
	assert_true(xb_sv_eq((struct xb_sv){}, XB_SV("")));
	assert_false(xb_sv_eq(XB_SV("a"), XB_SV("ab")));
	assert_true(xb_sv_cmp(XB_SV("a"), XB_SV("ab")) < 0);
	assert_true(xb_sv_cmp(XB_SV("b"), XB_SV("ab")) > 0);
	assert_true(xb_sv_cmp(XB_SV("\xff"), XB_SV("a")) > 0);
	assert_int_equal(xb_sv_cmp((struct xb_sv){}, XB_SV("")), 0);
	assert_true(xb_sv_starts(XB_SV("kube-system"), "kube-"));
	assert_false(xb_sv_starts(XB_SV("ku"), "kube-"));
	assert_true(xb_sv_ends(XB_SV("a.json"), ".json"));
	assert_false(xb_sv_ends(XB_SV("n"), "son"));
}

static void trims_and_splits(void **state)
{
	struct xb_sv rest = XB_SV("a,,b,"), part;
	char seen[16] = "";

	assert_true(xb_sv_is(xb_sv_trim(XB_SV(" \t a b\r\n")), "a b"));
	assert_int_equal(xb_sv_trim(XB_SV("  ")).n, 0);
	while (xb_sv_split(&rest, ',', &part)) {
		strncat(seen, part.p, part.n);
		strcat(seen, "|");
	}
	assert_string_equal(seen, "a||b||");
	rest = XB_SV("");
	assert_true(xb_sv_split(&rest, ',', &part));
	assert_false(xb_sv_split(&rest, ',', &part));
}

static void reads_numbers(void **state)
{
	uint64_t u = 7;
	int64_t i = 7;

	assert_int_equal(xb_sv_i64(XB_SV("-9223372036854775808"), &i), 0);
	assert_true(i == INT64_MIN);
	assert_int_equal(xb_sv_i64(XB_SV("9223372036854775808"), &i), -ERANGE);
	assert_true(i == INT64_MIN);
	assert_int_equal(xb_sv_i64(XB_SV("+5"), &i), 0);
	assert_int_equal(i, 5);
	assert_int_equal(xb_sv_i64(XB_SV(""), &i), -EINVAL);
	assert_int_equal(xb_sv_i64(XB_SV("-"), &i), -EINVAL);
	assert_int_equal(xb_sv_i64(XB_SV("1 "), &i), -EINVAL);
	assert_int_equal(xb_sv_u64(XB_SV("18446744073709551615"), &u), 0);
	assert_true(u == UINT64_MAX);
	assert_int_equal(xb_sv_u64(XB_SV("18446744073709551616"), &u), -ERANGE);
	assert_int_equal(xb_sv_u64(XB_SV("99999999999999999999x"), &u), -EINVAL);
	assert_int_equal(xb_sv_u64(XB_SV("-1"), &u), -EINVAL);
}

static void knows_utf8(void **state)
{
	static const struct {
		struct xb_sv bytes;
		size_t n;
	} rows[] = {
		{ XB_SV(""), 0 }, { XB_SV("a"), 1 }, { XB_SV("\xc3\xa9"), 2 }, { XB_SV("\xe2\x82\xac"), 3 },
		{ XB_SV("\xf0\x9f\x98\x80"), 4 }, { XB_SV("\xc0\xaf"), 0 }, { XB_SV("\xe0\x80\xaf"), 0 },
		{ XB_SV("\xed\xa0\x80"), 0 }, { XB_SV("\xf4\x90\x80\x80"), 0 }, { XB_SV("\xc3"), 0 }, { XB_SV("\x80"), 0 },
		{ XB_SV("\xf0\x9f\x98"), 0 }, { XB_SV("\xff"), 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(xb_sv_utf8(rows[i].bytes), rows[i].n);
}

static void buffer_grows(void **state)
{
	_cleanup_buf_ struct xb_buf b = {};
	_cleanup_free_ char *bytes = NULL;

	for (int i = 0; i < 1000; i++)
		xb_buf_addf(&b, "%d,", i);
	xb_buf_addc(&b, 'x');
	xb_buf_addsv(&b, (struct xb_sv){});
	assert_int_equal(b.err, 0);
	assert_int_equal(b.n, 10 * 2 + 90 * 3 + 900 * 4 + 1);
	assert_int_equal(strlen(b.p), b.n);
	assert_true(xb_sv_ends(xb_buf_sv(&b), "998,999,x"));
	xb_buf_clear(&b);
	xb_buf_addf(&b, "%0500d", 1);
	assert_int_equal(b.n, 500);
	bytes = xb_buf_steal(&b);
	assert_int_equal(strlen(bytes), 500);
	assert_null(b.p);
}

static void buffer_takes_numbers(void **state)
{
	_cleanup_buf_ struct xb_buf b = {};

	xb_buf_addu(&b, 0);
	xb_buf_addc(&b, ' ');
	xb_buf_addu(&b, 1203);
	xb_buf_addc(&b, ' ');
	xb_buf_addu(&b, UINT64_MAX);
	assert_string_equal(b.p, "0 1203 18446744073709551615");
}

static void buffer_keeps_its_error(void **state)
{
	struct xb_buf b = {};

	xb_buf_adds(&b, "kept");
	assert_int_equal(xb_buf_reserve(&b, SIZE_MAX / 2), -ENOMEM);
	xb_buf_adds(&b, "not");
	xb_buf_addf(&b, "%s", "this");
	assert_string_equal(b.p, "kept");
	assert_int_equal(b.err, -ENOMEM);
	assert_null(xb_buf_steal(&b));
}

static void quotes_as_go(void **state)
{
	_cleanup_buf_ struct xb_buf b = {};

	xb_buf_addq(&b, XB_SV("a\"\\\n\x01\xc3\xa9"));
	assert_string_equal(b.p, "\"a\\\"\\\\\\n\\x01\xc3\xa9\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares),
		cmocka_unit_test(trims_and_splits),
		cmocka_unit_test(reads_numbers),
		cmocka_unit_test(knows_utf8),
		cmocka_unit_test(buffer_grows),
		cmocka_unit_test(buffer_takes_numbers),
		cmocka_unit_test(buffer_keeps_its_error),
		cmocka_unit_test(quotes_as_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
