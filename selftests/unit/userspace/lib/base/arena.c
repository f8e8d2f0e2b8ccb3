/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "xb/arena.h"

static void gives_zeroed_aligned_memory(void **state)
{
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
	static const char zero[1000];

	for (size_t n = 1; n < 1000; n++) {
		char *p = xb_arena_alloc(a, n);

		assert_int_equal((uintptr_t)p % 8, 0);
		assert_memory_equal(p, zero, n);
		memset(p, 0xff, n);
	}
	assert_non_null(xb_arena_alloc(a, 1 << 20));
	assert_true(xb_arena_used(a) >= 999 * 500 + (1 << 20));
}

static void copies(void **state)
{
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);

	assert_string_equal(xb_arena_strn(a, (struct xb_sv){ "abcdef", 3 }), "abc");
	assert_string_equal(xb_arena_strn(a, (struct xb_sv){}), "");
	assert_true(xb_sv_is(xb_arena_sv(a, XB_SV("x")), "x"));
	assert_string_equal(xb_arena_printf(a, "%s/%d", "pods", 7), "pods/7");
	assert_string_equal(xb_arena_join(a, (struct xb_sv[]){ XB_SV("pods"), {}, XB_SV(""), { "/abc", 2 }, XB_SV("!") }, 5), "pods/a!");
	assert_string_equal(xb_arena_join(a, NULL, 0), "");
}

static void keeps_its_limit(void **state)
{
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(10000);
	size_t n = 0;

	assert_false(xb_arena_full(a));
	assert_null(xb_arena_alloc(a, 10001));
	assert_true(xb_arena_full(a));
	while (xb_arena_alloc(a, 100))
		n++;
	assert_in_range(n, 90, 100);
	assert_true(xb_arena_used(a) <= 10000);
	assert_null(xb_arena_alloc(a, SIZE_MAX - 3));
}

static void lets_go_of_what_came_since_a_mark(void **state)
{
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(200000);
	struct xb_arena_mark empty = xb_arena_mark(a), one;
	static const char zero[3000];
	char *kept, *p;

	kept = xb_arena_strn(a, XB_SV("kept"));
	one = xb_arena_mark(a);
	for (int round = 0; round < 100; round++) {
		for (size_t n = 0; n < 5; n++) {
			p = xb_arena_alloc(a, 3000);
			assert_memory_equal(p, zero, 3000);
			memset(p, 0xff, 3000);
		}
		assert_true(xb_arena_used(a) > 15000);
		xb_arena_release(a, one);
	}
	assert_string_equal(kept, "kept");
	assert_int_equal(xb_arena_used(a), 8);
	xb_arena_release(a, empty);
	assert_int_equal(xb_arena_used(a), 0);
	assert_non_null(xb_arena_alloc(a, 199000));
}

static void use(unsigned n)
{
	struct xb_arena *a[8];

	for (unsigned i = 0; i < n; i++) {
		a[i] = xb_arena_new(0);
		xb_arena_alloc(a[i], 1000);
		xb_arena_alloc(a[i], 4000);
	}
	for (unsigned i = 0; i < n; i++)
		xb_arena_free(a[i]);
}

/* With ASan nothing is kept, so that a use after free is seen. */
static void gives_back_what_is_not_used_again(void **state)
{
#ifdef __SANITIZE_ADDRESS__
	const bool kept = false;
#else
	const bool kept = true;
#endif

	use(8);
	assert_int_equal(xb_arena_trim(), kept);
	for (int i = 0; i < 10; i++) {
		use(2);
		assert_int_equal(xb_arena_trim(), kept);
	}
	assert_int_equal(xb_arena_trim(), false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_zeroed_aligned_memory),
		cmocka_unit_test(copies),
		cmocka_unit_test(keeps_its_limit),
		cmocka_unit_test(lets_go_of_what_came_since_a_mark),
		cmocka_unit_test(gives_back_what_is_not_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
