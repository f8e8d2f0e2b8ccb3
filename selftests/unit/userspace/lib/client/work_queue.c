/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "xb/work_queue.h"

static struct {
	uv_loop_t loop;
	struct xb_work_queue *q;
	char log[4096];                 /* keys in the order in which work on them began */
	const char *held[64];           /* under way, until the test ends them */
	unsigned n_held;
	bool hold;
	int error;                      /* of work that is not held */
	const char *adds;               /* while it works, it adds this */
} t;

static void work(void *arg, const char *key)
{
	snprintf(t.log + strlen(t.log), sizeof(t.log) - strlen(t.log), "%s ", key);
	if (t.adds)
		xb_work_queue_add(t.q, TAKE_PTR(t.adds));
	if (t.hold) {
		t.held[t.n_held++] = key;
	} else {
		xb_work_queue_done(t.q, key, t.error);
	}
}

static int setup(void **state)
{
	struct xb_work_queue_config c = { .loop = &t.loop, .name = "test", .workers = 2, .work = work };

	memset(&t, 0, sizeof(t));
	uv_loop_init(&t.loop);
	assert_int_equal(xb_work_queue_new(&c, &t.q), 0);
	xb_work_queue_start(t.q);
	return 0;
}

static int teardown(void **state)
{
	xb_work_queue_free(t.q);
	uv_run(&t.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&t.loop), 0);
	return 0;
}

static void run(void)
{
	uv_run(&t.loop, UV_RUN_DEFAULT);
}

/* Lets what can begin begin. */
static void turn(void)
{
	for (int i = 0; i < 5; i++)
		uv_run(&t.loop, UV_RUN_NOWAIT);
}

static void works_on_each_key_once(void **state)
{
	xb_work_queue_add(t.q, "a");
	xb_work_queue_add(t.q, "b");
	xb_work_queue_add(t.q, "a");
	run();
	assert_string_equal(t.log, "a b ");
}

static void waits_for_the_start(void **state)
{
	struct xb_work_queue_config c = { .loop = &t.loop, .name = "late", .work = work };
	struct xb_work_queue *first = t.q;

	assert_int_equal(xb_work_queue_new(&c, &t.q), 0);
	xb_work_queue_add(t.q, "a");
	turn();
	assert_string_equal(t.log, "");
	xb_work_queue_start(t.q);
	run();
	assert_string_equal(t.log, "a ");
	xb_work_queue_free(t.q);
	t.q = first;
}

static void has_no_more_under_way_than_workers(void **state)
{
	struct xb_work_queue_stats stats;
	char key[8];

	t.hold = true;
	for (int i = 0; i < 5; i++) {
		snprintf(key, sizeof(key), "%d", i);
		xb_work_queue_add(t.q, key);
	}
	turn();
	assert_string_equal(t.log, "0 1 ");
	xb_work_queue_stats(t.q, &stats);
	assert_int_equal(stats.depth, 3);
	assert_int_equal(stats.under_way, 2);
	for (unsigned i = 0; i < 5; i++) {
		xb_work_queue_done(t.q, t.held[i], 0);
		t.n_held = i + 2;
		turn();
	}
	assert_string_equal(t.log, "0 1 2 3 4 ");
}

static void never_works_on_a_key_twice_at_a_time(void **state)
{
	t.hold = true;
	xb_work_queue_add(t.q, "a");
	turn();
	xb_work_queue_add(t.q, "a");
	xb_work_queue_add(t.q, "a");
	turn();
	assert_string_equal(t.log, "a ");
	t.hold = false;
	xb_work_queue_done(t.q, t.held[0], 0);
	run();
	assert_string_equal(t.log, "a a ");
}

static void may_add_what_it_works_on(void **state)
{
	t.adds = "a";
	xb_work_queue_add(t.q, "a");
	run();
	assert_string_equal(t.log, "a a ");
}

static void tries_again_later_and_later(void **state)
{
	struct xb_work_queue_stats stats;
	uint64_t began = uv_hrtime();

	t.error = -EIO;
	xb_work_queue_add(t.q, "a");
	for (unsigned n = 1; n <= 5; n++)
		while (xb_work_queue_failures(t.q, "a") < n)
			uv_run(&t.loop, UV_RUN_ONCE);
	/* the loop's clock has whole milliseconds, so that each wait may be one short */
	assert_in_range(uv_hrtime() - began, (5 + 10 + 20 + 40 - 4) * 1000000ull, UINT64_MAX);
	t.error = 0;
	run();
	assert_int_equal(xb_work_queue_failures(t.q, "a"), 0);
	assert_string_equal(t.log, "a a a a a a ");
	xb_work_queue_stats(t.q, &stats);
	assert_int_equal(stats.retries, 5);
	assert_int_equal(stats.done, 6);
}

/* A change brings a key at once, whatever its back-off. */
static void does_not_keep_a_change_waiting(void **state)
{
	t.error = -EIO;
	xb_work_queue_add(t.q, "a");
	turn();
	t.error = 0;
	xb_work_queue_add(t.q, "a");
	turn();
	assert_string_equal(t.log, "a a ");
	assert_int_equal(xb_work_queue_failures(t.q, "a"), 0);
}

static void comes_again_at_once_without_a_failure(void **state)
{
	t.error = -EAGAIN;
	xb_work_queue_add(t.q, "a");
	uv_run(&t.loop, UV_RUN_NOWAIT);
	assert_int_equal(xb_work_queue_failures(t.q, "a"), 0);
	t.error = 0;
	run();
	assert_true(strlen(t.log) >= 4);
}

static void brings_what_is_due_in_its_order(void **state)
{
	static const unsigned ms[] = { 30, 5, 20, 10, 25, 15, 1 };
	char key[8];

	for (unsigned i = 0; i < ARRAY_SIZE(ms); i++) {
		snprintf(key, sizeof(key), "%u", ms[i]);
		xb_work_queue_add_after(t.q, key, ms[i]);
	}
	xb_work_queue_add_after(t.q, "20", 40); /* the sooner one counts */
	xb_work_queue_add_after(t.q, "25", 2);
	xb_work_queue_add(t.q, "30");           /* and now is the soonest */
	run();
	assert_string_equal(t.log, "30 1 25 5 10 15 20 ");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(works_on_each_key_once),
		TEST(waits_for_the_start),
		TEST(has_no_more_under_way_than_workers),
		TEST(never_works_on_a_key_twice_at_a_time),
		TEST(may_add_what_it_works_on),
		TEST(tries_again_later_and_later),
		TEST(does_not_keep_a_change_waiting),
		TEST(comes_again_at_once_without_a_failure),
		TEST(brings_what_is_due_in_its_order),
	};

	return cmocka_run_group_tests_name("userspace/lib/client/work_queue", tests, NULL, NULL);
}
