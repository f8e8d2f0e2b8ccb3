/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "xb/map.h"
#include "xb/vec.h"

static void sets_gets_deletes(void **state)
{
	_cleanup_(xb_map_freep) struct xb_map *m = xb_map_new(XB_MAP_COPY);
	int one, two;
	void *old;

	assert_null(xb_map_get(m, XB_SV("a")));
	assert_null(xb_map_del(m, XB_SV("a")));
	assert_int_equal(xb_map_set(m, XB_SV("a"), &one, &old), 0);
	assert_null(old);
	assert_int_equal(xb_map_set(m, XB_SV("a"), &two, &old), 0);
	assert_ptr_equal(old, &one);
	assert_ptr_equal(xb_map_get(m, XB_SV("a")), &two);
	assert_int_equal(xb_map_set(m, (struct xb_sv){}, &one, NULL), 0);
	assert_ptr_equal(xb_map_get(m, XB_SV("")), &one);
	assert_int_equal(xb_map_count(m), 2);
	assert_ptr_equal(xb_map_del(m, XB_SV("a")), &two);
	assert_null(xb_map_get(m, XB_SV("a")));
	assert_int_equal(xb_map_count(m), 1);
}

static void borrows_keys(void **state)
{
	_cleanup_(xb_map_freep) struct xb_map *m = xb_map_new(XB_MAP_BORROW);
	char first[] = "key", second[] = "key";
	struct xb_map_it it = {};
	int value;

	xb_map_set(m, xb_sv(first), &value, NULL);
	xb_map_set(m, xb_sv(second), &value, NULL);
	assert_true(xb_map_next(m, &it));
	assert_ptr_equal(it.key.p, second);
	assert_false(xb_map_next(m, &it));
}

static struct xb_sv number(char *into, int i)
{
	return (struct xb_sv){ into, sprintf(into, "default/pod-%d", i) };
}

static void holds_many(void **state)
{
	_cleanup_(xb_map_freep) struct xb_map *m = xb_map_new(XB_MAP_COPY);
	enum { MANY = 100000 };
	struct xb_map_it it = {};
	intptr_t last = 0;
	char key[32];

	for (int round = 0; round < 3; round++) {
		for (intptr_t i = 1; i <= MANY; i++)
			assert_int_equal(xb_map_set(m, number(key, i), (void *)i, NULL), 0);
		for (intptr_t i = 1; i <= MANY; i += 2)
			assert_ptr_equal(xb_map_del(m, number(key, i)), (void *)i);
		assert_int_equal(xb_map_count(m), MANY / 2);
	}
	for (intptr_t i = 1; i <= MANY; i++)
		assert_ptr_equal(xb_map_get(m, number(key, i)), (void *)(i % 2 ? 0 : i));
	for (; xb_map_next(m, &it); last = (intptr_t)it.value) {
		assert_true((intptr_t)it.value > last);
		assert_ptr_equal(xb_map_del(m, it.key), it.value);
	}
	assert_int_equal(last, MANY);
	assert_int_equal(xb_map_count(m), 0);
}

static void hashes_by_content(void **state)
{
	char a[] = "0123456789abcdef", b[] = "x0123456789abcdef";

	for (size_t n = 0; n <= 16; n++) {
		assert_true(xb_hash((struct xb_sv){ a, n }) == xb_hash((struct xb_sv){ b + 1, n }));
		assert_true(xb_hash((struct xb_sv){ a, n }) != xb_hash((struct xb_sv){ b, n + 1 }));
	}
}

static void vector_grows(void **state)
{
	XB_VEC(struct xb_sv) v = {};

	for (int i = 0; i < 100; i++)
		assert_int_equal(xb_vec_push(&v, (struct xb_sv){ "x", i }), 0);
	assert_int_equal(v.n, 100);
	xb_vec_remove(&v, 1);
	assert_int_equal(v.n, 99);
	assert_int_equal(v.v[0].n, 0);
	assert_int_equal(v.v[1].n, 2);
	assert_int_equal(v.v[98].n, 99);
	assert_int_equal(xb_vec_room(&v, SIZE_MAX / 16), -ENOMEM);
	xb_vec_done(&v);
	assert_null(v.v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_gets_deletes),
		cmocka_unit_test(borrows_keys),
		cmocka_unit_test(holds_many),
		cmocka_unit_test(hashes_by_content),
		cmocka_unit_test(vector_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
