/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "xb/quantity.h"

static void writes_canonical(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "0", "0" }, { "-0", "0" }, { "0Ki", "0" }, { "1", "1" }, { "+1", "1" }, { "-1", "-1" }, { "1000", "1k" }, { "1500", "1500" },
		{ "0.5", "500m" }, { ".5", "500m" }, { "5.", "5" }, { "100m", "100m" }, { "1000m", "1" }, { "2000m", "2" }, { "0.0001", "100u" },
		{ "1.5k", "1500" }, { "1e3", "1e3" }, { "1E3", "1e3" }, { "12e-1", "1200e-3" }, { "1e0", "1" }, { "1E", "1E" }, { "10E", "10E" },
		{ "1024", "1024" }, { "1Ki", "1Ki" }, { "1024Ki", "1Mi" }, { "1024Mi", "1Gi" }, { "1.5Gi", "1536Mi" }, { "1500Mi", "1500Mi" },
		{ "0.5Ki", "512" }, { "1.0001Ki", "1024102400u" }, { "16Ei", "9223372036854775807" }, { "-16Ei", "-9223372036854775807" },
		{ "1n", "1n" }, { "0.1n", "1n" }, { "-0.1n", "-1n" }, { "1.0000000001", "1000000001n" }, { "007", "7" },
		{ "100000000000000000000", "100E" }, { "123456789012345678901234567890123456789", "100000000000E" },
		{ "0.00000000000000000000000000000000000000000000001", "1n" }, { "1e-50", "1e-9" }, { "1e50", "100e27" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct xb_buf out = {};
		struct xb_quantity q;

		assert_int_equal(xb_quantity_parse(xb_sv(cases[i].in), &q), 0);
		xb_quantity_write(&q, &out);
		assert_string_equal(out.p, cases[i].out);
	}
}

static void refuses(void **state)
{
	static const char *const wrong[] = { "", " 1", "1 ", "lots", "+", "-", "m", "1x", "--1", "1.5.5", "0x10", "1e3x", "1e3e3", "1_000" };
	static const char *const suffix[] = { "1e", "1ee3", "1K", "1mm", "1ki", "1k5", "1Kii", "1Mi5" };
	struct xb_quantity q = { .nano = 42 };

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(xb_quantity_parse(xb_sv(wrong[i]), &q), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(suffix); i++)
		assert_int_equal(xb_quantity_parse(xb_sv(suffix[i]), &q), -ENOENT);
	assert_true(q.nano == 42);
}

static void compares_and_rounds_up(void **state)
{
	struct xb_quantity a, b;

	assert_int_equal(xb_quantity_parse(XB_SV("1000m"), &a), 0);
	assert_int_equal(xb_quantity_parse(XB_SV("1"), &b), 0);
	assert_int_equal(xb_quantity_cmp(&a, &b), 0);
	assert_int_equal(xb_quantity_parse(XB_SV("1Ki"), &a), 0);
	assert_int_equal(xb_quantity_parse(XB_SV("1k"), &b), 0);
	assert_int_equal(xb_quantity_cmp(&a, &b), 1);
	assert_int_equal(xb_quantity_cmp(&b, &a), -1);

	assert_int_equal(xb_quantity_parse(XB_SV("100m"), &a), 0);
	assert_int_equal(xb_quantity_value(&a), 1);
	assert_int_equal(xb_quantity_milli(&a), 100);
	assert_int_equal(xb_quantity_parse(XB_SV("1500u"), &a), 0);
	assert_int_equal(xb_quantity_milli(&a), 2);
	assert_int_equal(xb_quantity_parse(XB_SV("10E"), &a), 0);
	assert_true(xb_quantity_value(&a) == INT64_MAX);
	assert_int_equal(xb_quantity_parse(XB_SV("-100m"), &a), 0);
	assert_int_equal(xb_quantity_value(&a), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_canonical),
		cmocka_unit_test(refuses),
		cmocka_unit_test(compares_and_rounds_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
