/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "../../../../control/store/tree.h"

/* The model: every key there can be, in order, and whether it is in the tree. */
#define KEYS 5000
static struct store_object *model[KEYS];
static bool in[KEYS];
static unsigned count;

static int by_key(const void *a, const void *b)
{
	return strcmp((*(struct store_object *const *)a)->key, (*(struct store_object *const *)b)->key);
}

static int setup(void **state)
{
	for (unsigned i = 0; i < KEYS; i++) {
		model[i] = calloc(1, sizeof(**model) + 32);
		/* bytes above 0x7f come after letters, and one key may begin another */
		snprintf(model[i]->key, 32, "%s%x", i % 3 ? "core/pods/" : "core/\xc3\xbc/", i * 2654435761u % 99991);
	}
	qsort(model, KEYS, sizeof(*model), by_key);
	return 0;
}

static int teardown(void **state)
{
	for (unsigned i = 0; i < KEYS; i++)
		free(model[i]);
	return 0;
}

static void toggle(struct store_tree *t, unsigned i)
{
	struct store_slot *slot;

	assert_int_equal(store_tree_find(t, model[i]->key) != NULL, in[i]);
	if (in[i]) {
		store_tree_remove(t, model[i]->key);
	} else {
		slot = store_tree_obtain(t, model[i]->key);
		assert_non_null(slot);
		assert_null(slot->head);
		assert_null(slot->committed);
		*(i % 2 ? &slot->head : &slot->committed) = model[i];
	}
	in[i] = !in[i];
	count += in[i] ? 1 : -1;
}

static void check_order(const struct store_tree *t, unsigned from, bool behind)
{
	struct store_cursor c;
	struct store_slot *slot = store_tree_seek(t, model[from]->key, behind, &c);
	unsigned i;

	for (i = from + (behind && in[from]); i < KEYS; i++) {
		if (!in[i])
			continue;
		assert_non_null(slot);
		assert_string_equal(store_slot_key(slot), model[i]->key);
		slot = store_tree_next(t, &c);
	}
	assert_null(slot);
	assert_null(store_tree_next(t, &c));
}

static void test_random(void **state)
{
	struct store_tree t = {};
	unsigned seed = 7;

	check_order(&t, 0, false);
	for (unsigned op = 0; op < 60000; op++) {
		/* the tree grows, shrinks to almost nothing, and grows again */
		bool shrink = op / 15000 % 2;
		unsigned i = rand_r(&seed) % KEYS;

		if (in[i] == shrink || rand_r(&seed) % 8 == 0)
			toggle(&t, i);
		if (op % 1000 == 0)
			check_order(&t, rand_r(&seed) % KEYS, op % 2000);
	}
	for (unsigned i = 0; i < KEYS; i++)
		if (in[i])
			toggle(&t, i);
	assert_int_equal(count, 0);
	check_order(&t, 0, false);
	assert_int_equal(t.n_leaves, 0);
	store_tree_done(&t);
}

static void test_in_order_fills_leaves(void **state)
{
	struct store_tree t = {};

	for (unsigned i = 0; i < KEYS; i++)
		toggle(&t, i);
	check_order(&t, 0, true);
	assert_true(t.n_leaves < KEYS / 60);
	store_tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_in_order_fills_leaves),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
