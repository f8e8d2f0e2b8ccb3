/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../control/store/core.h"

static struct store_object *object(const char *key, uint64_t revision, bool deleted)
{
	struct xb_json *doc;
	struct store_object *o;

	assert_int_equal(xb_json_parse(XB_SV("{}"), NULL, &doc, NULL), 0);
	o = store_object_new(key, revision, 1, deleted, doc);
	xb_json_unref(doc);
	assert_non_null(o);
	return o;
}

/* A change to key; returns its object, which the history keeps alive. */
static struct store_object *push(struct store_history *h, const char *key, uint64_t revision, struct store_object *previous,
				 bool deleted, uint32_t second)
{
	struct store_object *o = object(key, revision, deleted);

	assert_int_equal(store_history_reserve(h, 1), 0);
	store_history_push(h, o, previous, second);
	store_object_unref(o);
	return o;
}

static void test_finds_revisions_over_gaps(void **state)
{
	struct store_history h = {};

	for (uint64_t r = 10; r < 10 + 3 * 1000; r += 3)
		push(&h, "a/b/c", r, NULL, false, 0);
	assert_int_equal(h.end - h.first, 1000);
	assert_int_equal(store_history_at(&h, store_history_after(&h, 0))->revision, 10);
	assert_int_equal(store_history_at(&h, store_history_after(&h, 10))->revision, 13);
	assert_int_equal(store_history_at(&h, store_history_after(&h, 11))->revision, 13);
	assert_int_equal(store_history_after(&h, 10 + 999 * 3), h.end);
	store_history_done(&h);
}

static void test_age(void **state)
{
	struct store_history h = {};

	for (uint32_t i = 1; i <= 500; i++)
		push(&h, "a/b/c", i, NULL, false, i);
	store_history_trim(&h, UINT64_MAX, 401);
	assert_int_equal(h.compacted, 400);
	assert_int_equal(h.end - h.first, 100);
	assert_int_equal(h.n_dead, 0);
	store_history_done(&h);
}

static void test_bytes_are_what_only_the_history_holds(void **state)
{
	struct store_history h = {};
	struct store_object *a = push(&h, "a/b/c", 2, NULL, false, 0);
	uint64_t bare = h.bytes, each;

	assert_true(bare < store_object_memory(a));
	a = push(&h, "a/b/c", 3, a, false, 0);
	each = h.bytes - bare;
	assert_int_equal(each, bare + store_object_memory(a));
	push(&h, "a/b/c", 4, a, true, 0);
	assert_int_equal(h.bytes, bare + each + each + store_object_memory(a));

	/* a limit lets the oldest go: first the addition, which frees no row, then what the update superseded */
	store_history_trim(&h, h.bytes - 1, 0);
	assert_int_equal(h.compacted, 2);
	assert_int_equal(h.n_dead, 0);
	store_history_trim(&h, h.bytes - 1, 0);
	assert_int_equal(h.compacted, 3);
	assert_int_equal(h.n_dead, 1);
	assert_int_equal(h.dead[0].id, 2);
	assert_int_equal(h.dead[0].at, 3);
	store_history_trim(&h, 0, 0);
	assert_int_equal(h.bytes, 0);
	assert_int_equal(h.compacted, 4);
	assert_int_equal(h.n_dead, 3);
	store_history_buried(&h, 1);
	assert_int_equal(h.dead[0].id, 3);
	assert_int_equal(h.dead[1].id, 4);
	store_history_done(&h);
}

static void test_collection(void **state)
{
	assert_int_equal(store_collection("pods/ns/a"), store_collection("pods/"));
	assert_int_not_equal(store_collection("pods/ns/a"), store_collection("podss/ns/a"));
	assert_int_not_equal(store_collection("/"), 0);
	assert_int_equal(store_collection("pods"), 0);
	assert_int_equal(store_collection(""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_revisions_over_gaps),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_bytes_are_what_only_the_history_holds),
		cmocka_unit_test(test_collection),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
