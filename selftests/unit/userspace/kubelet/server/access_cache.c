/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "../../../../../userspace/kubelet/server/access_cache.h"

static void kept_for_a_while(void **state)
{
	struct access_cache *c = access_cache_new(10);
	const char *answer;

	assert_false(access_cache_get(c, XB_SV("q"), 0, &answer));
	access_cache_put(c, XB_SV("q"), "a", 100, 0);
	access_cache_put(c, XB_SV("nobody"), "", 100, 0);
	assert_true(access_cache_get(c, XB_SV("q"), 99, &answer));
	assert_string_equal(answer, "a");
	assert_true(access_cache_get(c, XB_SV("nobody"), 99, &answer));
	assert_string_equal(answer, "");
	assert_false(access_cache_get(c, XB_SV("q"), 100, &answer));
	access_cache_put(c, XB_SV("q"), "b", 300, 200);
	assert_true(access_cache_get(c, XB_SV("q"), 200, &answer));
	assert_string_equal(answer, "b");
	access_cache_free(c);
}

static void not_too_many(void **state)
{
	struct access_cache *c = access_cache_new(3);
	const char *answer;
	char q[16];

	for (int i = 0; i < 100; i++) {
		snprintf(q, sizeof(q), "q%d", i);
		access_cache_put(c, xb_sv(q), "a", 1000 + i, 0);
	}
	assert_false(access_cache_get(c, XB_SV("q96"), 0, &answer));
	assert_true(access_cache_get(c, XB_SV("q97"), 0, &answer));
	assert_true(access_cache_get(c, XB_SV("q99"), 0, &answer));
	access_cache_put(c, XB_SV("late"), "a", 5000, 4000);
	assert_false(access_cache_get(c, XB_SV("q99"), 0, &answer)); /* all that were over have gone */
	assert_true(access_cache_get(c, XB_SV("late"), 4000, &answer));
	access_cache_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(kept_for_a_while), cmocka_unit_test(not_too_many) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
