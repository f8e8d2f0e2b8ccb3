/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <float.h>
#include <math.h>

#include "xb/json.h"

static void writes(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};
	struct xb_jw w = XB_JW(&out);

	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", "Pod");
	xb_jw_ksv(&w, "q\"", XB_SV("\x01\n\"\\<\x7f\xc3\xa9\xff\xed\xa0\x80"));
	xb_jw_key(&w, "list");
	xb_jw_array(&w);
	xb_jw_int(&w, INT64_MIN);
	xb_jw_null(&w);
	xb_jw_array(&w);
	xb_jw_end(&w);
	xb_jw_object(&w);
	xb_jw_end(&w);
	xb_jw_raw(&w, XB_SV("{\"raw\":1}"));
	xb_jw_sv(&w, (struct xb_sv){});
	xb_jw_end(&w);
	xb_jw_kbool(&w, "on", true);
	xb_jw_kint(&w, "n", -1);
	xb_jw_end(&w);
	assert_int_equal(xb_jw_finish(&w), 0);
	assert_string_equal(out.p, "{\"kind\":\"Pod\",\"q\\\"\":\"\\u0001\\n\\\"\\\\<\x7f\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
			    "\xef\xbf\xbd\",\"list\":[-9223372036854775808,null,[],{},{\"raw\":1},\"\"],\"on\":true,\"n\":-1}");
}

/* Each special byte or character at each place of strings around the size of the words that are looked at at once. */
static void quotes_anywhere(void **state)
{
	static const struct {
		const char *in, *out;
	} specials[] = {
		{ "\"", "\\\"" }, { "\\", "\\\\" }, { "\n", "\\n" }, { "\x1f", "\\u001f" }, { " ", " " }, { "\x7f", "\x7f" },
		{ "\xff", "\xef\xbf\xbd" }, { "\xc3", "\xef\xbf\xbd" }, { "\xc3\xa9", "\xc3\xa9" },
		{ "\xf0\x9f\x98\x80\"", "\xf0\x9f\x98\x80\\\"" }, { "\"\"\"", "\\\"\\\"\\\"" },
	};
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHI";

	for (size_t i = 0; i < ARRAY_SIZE(specials); i++) {
		for (int before = 0; before <= 20; before++) {
			for (int after = 0; after <= 12; after++) {
				_cleanup_buf_ struct xb_buf in = {}, expected = {}, out = {};
				_cleanup_free_ char *exact = NULL;

				xb_buf_addf(&in, "%.*s%s%.*s", before, plain, specials[i].in, after, plain);
				xb_buf_addf(&expected, "[\"%.*s%s%.*s\"", before, plain, specials[i].out, after, plain);
				exact = memcpy(malloc(in.n), in.p, in.n); /* the sanitizer sees a read beyond it */
				xb_buf_addc(&out, '[');
				xb_json_quote((struct xb_sv){ exact, in.n }, &out);
				assert_string_equal(out.p, expected.p);
				assert_int_equal(out.n, expected.n);
			}
		}
	}
}

static void appends_to_what_is_there(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};

	for (int i = 0; i < 2; i++) {
		struct xb_jw w = XB_JW(&out);

		xb_jw_int(&w, i);
		assert_int_equal(xb_jw_finish(&w), 0);
		xb_buf_addc(&out, '\n');
	}
	assert_string_equal(out.p, "0\n1\n");
}

#define NESTING(name, ...) \
	static int name(void) \
	{ \
		_cleanup_buf_ struct xb_buf out = {}; \
		struct xb_jw w = XB_JW(&out); \
		__VA_ARGS__; \
		return xb_jw_finish(&w); \
	}
NESTING(nothing, )
NESTING(two_values, xb_jw_int(&w, 1); xb_jw_int(&w, 2))
NESTING(left_open, xb_jw_array(&w))
NESTING(closed_twice, xb_jw_array(&w); xb_jw_end(&w); xb_jw_end(&w))
NESTING(key_in_array, xb_jw_array(&w); xb_jw_key(&w, "k"); xb_jw_end(&w))
NESTING(key_outside, xb_jw_key(&w, "k"); xb_jw_int(&w, 1))
NESTING(value_without_key, xb_jw_object(&w); xb_jw_int(&w, 1); xb_jw_end(&w))
NESTING(key_without_value, xb_jw_object(&w); xb_jw_key(&w, "k"); xb_jw_end(&w))
NESTING(two_keys, xb_jw_object(&w); xb_jw_key(&w, "k"); xb_jw_kint(&w, "k", 1); xb_jw_end(&w))
NESTING(too_deep, for (int i = 0; i < 64; i++) xb_jw_array(&w); for (int i = 0; i < 64; i++) xb_jw_end(&w))
NESTING(deepest, for (int i = 0; i < 63; i++) xb_jw_array(&w); for (int i = 0; i < 63; i++) xb_jw_end(&w))
NESTING(not_a_number, xb_jw_double(&w, NAN))

static void wrong_nesting_shows(void **state)
{
	int (*const wrong[])(void) = { nothing, two_values, left_open, closed_twice, key_in_array, key_outside, value_without_key,
				       key_without_value, two_keys, too_deep, not_a_number };

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(wrong[i](), -EINVAL);
	assert_int_equal(deepest(), 0);
}

static void doubles_are_gos(void **state)
{
	static const struct {
		double d;
		const char *text;
	} rows[] = {
		{ 0, "0" }, { -0.0, "-0" }, { 1, "1" }, { -1.5, "-1.5" }, { 0.1, "0.1" }, { 100, "100" }, { 1e20, "100000000000000000000" },
		{ 1e21, "1e+21" }, { 1.5e300, "1.5e+300" }, { 1e-6, "0.000001" }, { 1e-7, "1e-7" }, { 1.25e-10, "1.25e-10" },
		{ 123456789.123, "123456789.123" }, { 1.2345678901234567e20, "123456789012345670000" }, { -1.5e10, "-15000000000" },
		{ DBL_MAX, "1.7976931348623157e+308" }, { 5e-324, "5e-324" }, { 0.30000000000000004, "0.30000000000000004" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_buf_ struct xb_buf out = {};
		struct xb_jw w = XB_JW(&out);

		xb_jw_double(&w, rows[i].d);
		assert_int_equal(xb_jw_finish(&w), 0);
		assert_string_equal(out.p, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes), cmocka_unit_test(quotes_anywhere),
		cmocka_unit_test(appends_to_what_is_there),
		cmocka_unit_test(wrong_nesting_shows),
		cmocka_unit_test(doubles_are_gos),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
