/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../../../control/controllers/percent.h"

static int of(const char *json, int64_t total, bool up, int64_t *ret)
{
	struct xb_json *d = NULL;
	int r;

	assert_int_equal(xb_json_parse(xb_sv(json), NULL, &d, NULL), 0);
	r = percent_of(xb_json_root(d), total, up, ret);
	xb_json_unref(d);
	return r;
}

static void is_a_number_or_a_part(void **state)
{
	static const struct {
		const char *json;
		int64_t total;
		bool up;
		int64_t is;
	} rows[] = {
		{ "3", 10, true, 3 }, { "0", 10, true, 0 }, { "\"25%\"", 4, true, 1 }, { "\"25%\"", 10, true, 3 }, { "\"25%\"", 10, false, 2 },
		{ "\"0%\"", 10, true, 0 }, { "\"100%\"", 7, false, 7 }, { "\"25%\"", 0, true, 0 }, { "\"1%\"", 1, true, 1 }, { "\"1%\"", 1, false, 0 },
	};
	int64_t n;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(of(rows[i].json, rows[i].total, rows[i].up, &n), 0);
		assert_int_equal(n, rows[i].is);
	}
	assert_int_equal(percent_of((struct xb_jv){}, 10, true, &n), 0);
	assert_int_equal(n, 0);
}

static void refuses_the_rest(void **state)
{
	static const char *const bad[] = { "\"25\"", "\"%\"", "\"a%\"", "\"1.5%\"", "\"99999999999%\"", "true", "[]" };
	int64_t n = 7;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(of(bad[i], 10, true, &n), -EINVAL);
	assert_int_equal(n, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(is_a_number_or_a_part), cmocka_unit_test(refuses_the_rest) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
