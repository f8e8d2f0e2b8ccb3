/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "xb/expectations.h"

static struct xb_expectations *e;
static const struct xb_sv uids[] = { { "u1", 2 }, { "u2", 2 } };

static int setup(void **state)
{
	e = xb_expectations_new(0);
	return e ? 0 : -1;
}

static int teardown(void **state)
{
	e = xb_expectations_free(e);
	return 0;
}

static void what_nobody_awaits_is_met(void **state)
{
	assert_true(xb_expectations_met(e, "a"));
	xb_expectations_created(e, "a");
	xb_expectations_deleted(e, "a", uids[0]);
	xb_expectations_forget(e, "a");
	assert_true(xb_expectations_met(e, "a"));
}

static void creations_are_counted(void **state)
{
	assert_int_equal(xb_expectations_creations(e, "a", 2), 0);
	assert_false(xb_expectations_met(e, "a"));
	assert_true(xb_expectations_met(e, "b"));
	xb_expectations_created(e, "a");
	assert_false(xb_expectations_met(e, "a"));
	xb_expectations_created(e, "a");
	assert_true(xb_expectations_met(e, "a"));
}

static void a_deletion_counts_once(void **state)
{
	assert_int_equal(xb_expectations_deletions(e, "a", uids, 2), 0);
	xb_expectations_deleted(e, "a", uids[0]);
	xb_expectations_deleted(e, "a", uids[0]);
	xb_expectations_deleted(e, "a", XB_SV("another"));
	xb_expectations_created(e, "a");
	assert_false(xb_expectations_met(e, "a"));
	xb_expectations_deleted(e, "a", uids[1]);
	assert_true(xb_expectations_met(e, "a"));
}

static bool is_u2(void *arg, struct xb_sv uid)
{
	return xb_sv_is(uid, "u2");
}

static void a_doubt_is_resolved(void **state)
{
	assert_int_equal(xb_expectations_creations(e, "a", 2), 0);
	xb_expectations_doubt(e, "a");
	xb_expectations_created(e, "a");
	xb_expectations_created(e, "a");
	assert_true(xb_expectations_doubted(e, "a"));
	assert_false(xb_expectations_met(e, "a"));
	xb_expectations_resolve(e, "a", 1, is_u2, NULL);
	assert_false(xb_expectations_doubted(e, "a"));
	assert_false(xb_expectations_met(e, "a"));
	xb_expectations_created(e, "a");
	assert_true(xb_expectations_met(e, "a"));

	assert_int_equal(xb_expectations_deletions(e, "a", uids, 2), 0);
	xb_expectations_doubt(e, "a");
	xb_expectations_resolve(e, "a", 0, is_u2, NULL);
	assert_false(xb_expectations_met(e, "a"));
	xb_expectations_deleted(e, "a", uids[0]);
	assert_true(xb_expectations_met(e, "a"));
	xb_expectations_doubt(e, "b");
	assert_false(xb_expectations_doubted(e, "b"));
}

static void the_last_word_counts(void **state)
{
	assert_int_equal(xb_expectations_creations(e, "a", 5), 0);
	assert_int_equal(xb_expectations_deletions(e, "a", uids, 1), 0);
	xb_expectations_deleted(e, "a", uids[0]);
	assert_true(xb_expectations_met(e, "a"));
	assert_int_equal(xb_expectations_creations(e, "a", 5), 0);
	xb_expectations_forget(e, "a");
	assert_true(xb_expectations_met(e, "a"));
}

static void nothing_is_awaited_for_ever(void **state)
{
	struct xb_expectations *short_ = xb_expectations_new(1);

	assert_int_equal(xb_expectations_creations(short_, "a", 1), 0);
	while (!xb_expectations_met(short_, "a"))
		usleep(200);
	xb_expectations_free(short_);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_nobody_awaits_is_met), TEST(creations_are_counted),	    TEST(a_deletion_counts_once),
		TEST(a_doubt_is_resolved),	 TEST(nothing_is_awaited_for_ever),
		TEST(the_last_word_counts),	 TEST(nothing_is_awaited_for_ever),
	};

	return cmocka_run_group_tests_name("userspace/lib/client/expectations", tests, NULL, NULL);
}
