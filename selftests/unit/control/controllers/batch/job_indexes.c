/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../../../../control/controllers/batch/job_indexes.h"

static struct xb_arena *arena;

static int setup(void **state)
{
	arena = xb_arena_new(0);
	return 0;
}

static int teardown(void **state)
{
	arena = xb_arena_free(arena);
	return 0;
}

static struct job_indexes parse(const char *text)
{
	struct job_indexes x;

	assert_int_equal(job_indexes_parse(arena, xb_sv(text), 20, &x), 0);
	return x;
}

static void assert_text(const struct job_indexes *x, const char *text)
{
	_cleanup_buf_ struct xb_buf out = {};

	job_indexes_write(x, &out);
	assert_string_equal(out.p ? out.p : "", text);
}

static void reads_and_writes(void **state)
{
	static const struct {
		const char *text, *written;
		int total;
	} rows[] = {
		{ "", "", 0 }, { "1,3-5,7", "1,3-5,7", 5 }, { "0,1", "0,1", 2 }, { "0-1,2", "0-2", 3 },
		{ "18-30,40", "18,19", 2 }, { "a,3,5-x,-2,6", "3,6", 2 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct job_indexes x = parse(rows[i].text);

		assert_text(&x, rows[i].written);
		assert_int_equal(job_indexes_total(&x), rows[i].total);
	}
}

static void adds(void **state)
{
	struct job_indexes x = parse("1,3-5"), y = parse("0-2,9");
	int64_t more[] = { 8, 2, 8, 0 };

	assert_int_equal(job_indexes_add(arena, &x, more, ARRAY_SIZE(more)), 0);
	assert_text(&x, "0-5,8");
	assert_int_equal(job_indexes_common(&x, &y), 3);
	assert_int_equal(job_indexes_unite(arena, &x, &y), 0);
	assert_text(&x, "0-5,8,9");
	assert_true(job_indexes_has(&x, 0) && job_indexes_has(&x, 5) && job_indexes_has(&x, 9));
	assert_false(job_indexes_has(&x, 6) || job_indexes_has(&x, 10));
}

static void finds_the_missing(void **state)
{
	struct job_indexes x = parse("0,2-3"), none = parse("");
	int64_t found[4] = {};

	assert_int_equal(job_indexes_missing(&x, 6, 4, found), 3);
	assert_true(found[0] == 1 && found[1] == 4 && found[2] == 5);
	assert_int_equal(job_indexes_missing(&x, 2, 4, found), 1);
	assert_int_equal(job_indexes_missing(&none, 20, 2, found), 2);
	assert_true(found[0] == 0 && found[1] == 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_and_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(adds, setup, teardown),
		cmocka_unit_test_setup_teardown(finds_the_missing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
