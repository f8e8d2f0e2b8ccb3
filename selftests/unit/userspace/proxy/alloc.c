/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "../../../../userspace/proxy/alloc.h"

static void test_fills_and_empties(void **state)
{
	_cleanup_(alloc_freep) struct alloc *a = alloc_new(64);
	__u32 base, other;

	for (int round = 0; round < 3; round++) {
		for (__u32 i = 0; i < 64; i++)
			assert_int_equal(alloc_take(a, 1, &base), 0);
		assert_int_equal(alloc_take(a, 1, &other), -ENOSPC);
		assert_int_equal(alloc_used(a), 64);
		for (__u32 i = 0; i < 64; i++)
			alloc_give(a, i, 1);
		assert_int_equal(alloc_used(a), 0);
		assert_int_equal(alloc_take(a, 64, &base), 0);
		assert_int_equal(base, 0);
		alloc_give(a, 0, 64);
	}
}

static void test_rounds_up(void **state)
{
	_cleanup_(alloc_freep) struct alloc *a = alloc_new(16);
	__u32 base;

	assert_int_equal(alloc_take(a, 5, &base), 0);
	assert_int_equal(base % 8, 0);
	assert_int_equal(alloc_used(a), 8);
	assert_int_equal(alloc_take(a, 9, &base), -ENOSPC);
	assert_int_equal(alloc_take(a, 17, &base), -ENOSPC);
	assert_int_equal(alloc_take(a, 8, &base), 0);
	assert_int_equal(alloc_take(a, 1, &base), -ENOSPC);
}

static void test_keeps_large_blocks_whole(void **state)
{
	_cleanup_(alloc_freep) struct alloc *a = alloc_new(16);
	__u32 base;

	assert_int_equal(alloc_take(a, 1, &base), 0);
	for (int i = 0; i < 7; i++)
		assert_int_equal(alloc_take(a, 1, &base), 0);
	assert_int_equal(alloc_take(a, 8, &base), 0);
}

static void test_retired_is_not_handed_out(void **state)
{
	_cleanup_(alloc_freep) struct alloc *a = alloc_new(8);
	__u32 base;

	assert_int_equal(alloc_take(a, 8, &base), 0);
	alloc_retire(a, base, 8);
	assert_int_equal(alloc_used(a), 0);
	assert_int_equal(alloc_retired(a), 8);
	assert_int_equal(alloc_take(a, 1, &base), -ENOSPC);
	alloc_release(a);
	assert_int_equal(alloc_retired(a), 0);
	assert_int_equal(alloc_take(a, 8, &base), 0);
}

static void test_reserve(void **state)
{
	_cleanup_(alloc_freep) struct alloc *a = alloc_new(32);
	__u32 base;

	assert_int_equal(alloc_reserve(a, 8, 3), 0);
	assert_int_equal(alloc_reserve(a, 8, 3), -EEXIST);
	assert_int_equal(alloc_reserve(a, 10, 1), -EEXIST);
	assert_int_equal(alloc_reserve(a, 0, 16), -EEXIST);
	assert_int_equal(alloc_reserve(a, 2, 3), -ERANGE);
	assert_int_equal(alloc_reserve(a, 32, 1), -ERANGE);
	assert_int_equal(alloc_reserve(a, 0, 33), -ERANGE);
	assert_int_equal(alloc_reserve(a, 12, 4), 0);
	assert_int_equal(alloc_take(a, 16, &base), 0);
	assert_int_equal(base, 16);
	assert_int_equal(alloc_take(a, 8, &base), 0);
	assert_int_equal(base, 0);
	assert_int_equal(alloc_take(a, 1, &base), -ENOSPC);
}

static void test_grow(void **state)
{
	_cleanup_(alloc_freep) struct alloc *a = alloc_new(8);
	__u32 base;

	assert_int_equal(alloc_take(a, 4, &base), 0);
	assert_int_equal(alloc_grow(a, 64), 0);
	assert_int_equal(alloc_size(a), 64);
	assert_int_equal(alloc_take(a, 32, &base), 0);
	assert_int_equal(base, 32);
	assert_int_equal(alloc_take(a, 16, &base), 0);
	assert_int_equal(base, 16);
	assert_int_equal(alloc_take(a, 8, &base), 0);
	assert_int_equal(base, 8);
	assert_int_equal(alloc_take(a, 4, &base), 0);
	assert_int_equal(base, 4);
	assert_int_equal(alloc_take(a, 1, &base), -ENOSPC);
	for (int i = 0; i < 5; i++)
		alloc_give(a, (__u32[]){ 0, 32, 16, 8, 4 }[i], (__u32[]){ 4, 32, 16, 8, 4 }[i]);
	assert_int_equal(alloc_take(a, 64, &base), 0);
}

#define SIZE 1024

/* Against a plain map of owners: no two blocks overlap, aligned, and everything comes back. */
static void test_random(void **state)
{
	_cleanup_(alloc_freep) struct alloc *a = alloc_new(SIZE);
	static struct { __u32 base, count; } blocks[SIZE];
	static unsigned char taken[SIZE];
	unsigned seed = 42;
	size_t n = 0;
	__u32 base;

	for (int step = 0; step < 200000; step++) {
		__u32 count = 1 + (__u32)(rand_r(&seed) % (rand_r(&seed) % 8 ? 6 : 200)), round = 1;

		while (round < count)
			round *= 2;
		if (rand_r(&seed) % 2 && alloc_take(a, count, &base) == 0) {
			assert_int_equal(base % round, 0);
			assert_true(base + round <= SIZE);
			for (__u32 i = base; i < base + round; i++) {
				assert_int_equal(taken[i], 0);
				taken[i] = 1;
			}
			blocks[n].base = base;
			blocks[n++].count = count;
		} else if (n) {
			size_t k = (size_t)rand_r(&seed) % n;

			for (round = 1; round < blocks[k].count;)
				round *= 2;
			memset(taken + blocks[k].base, 0, round);
			if (step % 3) {
				alloc_give(a, blocks[k].base, blocks[k].count);
			} else {
				alloc_retire(a, blocks[k].base, blocks[k].count);
				alloc_release(a);
			}
			blocks[k] = blocks[--n];
		}
	}
	while (n--)
		alloc_give(a, blocks[n].base, blocks[n].count);
	assert_int_equal(alloc_used(a), 0);
	assert_int_equal(alloc_take(a, SIZE, &base), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fills_and_empties),
		cmocka_unit_test(test_rounds_up),
		cmocka_unit_test(test_keeps_large_blocks_whole),
		cmocka_unit_test(test_retired_is_not_handed_out),
		cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_grow),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
