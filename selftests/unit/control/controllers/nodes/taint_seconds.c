/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../../control/controllers/nodes/taint_seconds.h"

static int64_t seconds(const char *taints, const char *tolerations)
{
	_cleanup_(xb_json_unrefp) struct xb_json *a = NULL, *b = NULL;

	assert_int_equal(xb_json_parse(xb_sv(taints), NULL, &a, NULL), 0);
	assert_int_equal(xb_json_parse(xb_sv(tolerations), NULL, &b, NULL), 0);
	return taint_seconds(xb_json_root(a), xb_json_root(b));
}

#define A "{\"key\":\"a\",\"effect\":\"NoExecute\"}"
#define B "{\"key\":\"b\",\"effect\":\"NoExecute\"}"
#define FOR(key, seconds) "{\"key\":\"" key "\",\"operator\":\"Exists\",\"tolerationSeconds\":" #seconds "}"

static void the_least_of_all_taints(void **state)
{
	assert_int_equal(seconds("[]", "[]"), TAINT_FOR_EVER);
	assert_int_equal(seconds("[{\"key\":\"a\",\"effect\":\"NoSchedule\"}]", "[]"), TAINT_FOR_EVER);
	assert_int_equal(seconds("[" A "]", "[]"), 0);
	assert_int_equal(seconds("[" A "]", "[{\"key\":\"a\",\"operator\":\"Exists\"}]"), TAINT_FOR_EVER);
	assert_int_equal(seconds("[" A "]", "[" FOR("a", 300) "]"), 300);
	assert_int_equal(seconds("[" A "," B "]", "[" FOR("a", 300) "," FOR("b", 60) "]"), 60);
	assert_int_equal(seconds("[" A "," B "]", "[" FOR("a", 60) ",{\"key\":\"b\",\"operator\":\"Exists\"}]"), 60);
	assert_int_equal(seconds("[" A "," B "]", "[" FOR("a", 60) "]"), 0);
	assert_int_equal(seconds("[" A "]", "[" FOR("a", -5) "]"), 0);
}

/* As upstream's: of several that tolerate a taint the first counts. */
static void the_first_toleration_counts(void **state)
{
	assert_int_equal(seconds("[" A "]", "[" FOR("a", 300) "," FOR("a", 60) "]"), 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_least_of_all_taints), cmocka_unit_test(the_first_toleration_counts) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
