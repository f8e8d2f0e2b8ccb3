/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../control/apiserver/flow.h"

struct asker {                          /* one request */
	const char *name;
	struct flow_seat *seat;
	bool served, refused;
	enum flow_refusal why;
};

static uv_loop_t loop;
static struct flows *flows;
static struct xb_buf order;             /* the names of those that were served after waiting */

static void on_serve(void *arg)
{
	struct asker *a = arg;

	a->served = true;
	xb_buf_adds(&order, a->name);
}

static void on_refuse(void *arg, enum flow_refusal why)
{
	struct asker *a = arg;

	a->refused = true;
	a->why = why;
	a->seat = flow_seat_free(a->seat);
}

static void start(unsigned seats, uint64_t wait_ms)
{
	const struct flow_config c = {
		.loop = &loop, .seats = { seats, seats }, .wait_ms = wait_ms, .serve = on_serve, .refuse = on_refuse,
	};

	assert_int_equal(flows_new(&c, &flows), 0);
}

static int ask_with(struct asker *a, const char *user, size_t body)
{
	int r = flow_enter(flows, FLOW_READ_ONLY, xb_sv(user), body, a, &a->seat);

	a->name = user;
	a->served = !r;
	return r;
}

static int ask(struct asker *a, const char *user)
{
	return ask_with(a, user, 0);
}

static void turn(void)
{
	for (int i = 0; i < 3; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
}

static struct flow_stats now(void)
{
	struct flow_stats st;

	flow_stats(flows, FLOW_READ_ONLY, &st);
	return st;
}

static void leave(struct asker *a, size_t n)
{
	for (size_t i = 0; i < n; i++)
		a[i].seat = flow_seat_free(a[i].seat);
}

static void no_limit_needs_no_seat(void **state)
{
	struct asker a = {};

	start(0, 1000);
	assert_int_equal(ask(&a, "x"), 0);
	assert_null(a.seat);
}

static void the_last_quarter_is_for_others(void **state)
{
	struct asker noisy[12] = {}, quiet = {};

	start(8, 1000);
	for (int i = 0; i < 12; i++)
		assert_int_equal(ask(&noisy[i], "noisy"), i < 6 ? 0 : -EINPROGRESS);
	turn();
	assert_false(noisy[6].served);
	ask(&quiet, "quiet");
	turn();
	assert_true(quiet.served);
	assert_int_equal(now().waiting, 6);
	assert_int_equal(now().seats, 7);
	leave(&quiet, 1);
	leave(noisy, 12);
	assert_int_equal(now().seats, 0);
	assert_int_equal(now().waiting, 0);
}

static void kinds_are_apart(void **state)
{
	struct asker reads = {}, writes = {};

	start(1, 1000);
	assert_int_equal(ask(&reads, "x"), 0);
	assert_int_equal(flow_enter(flows, FLOW_MUTATING, XB_SV("x"), 0, &writes, &writes.seat), 0);
	leave(&reads, 1);
	leave(&writes, 1);
}

static void users_are_served_in_turn(void **state)
{
	struct asker first = {}, a[4] = {}, b[2] = {}, c = {};

	start(1, 1000);
	ask(&first, "f");
	for (int i = 0; i < 4; i++)
		ask(&a[i], "a");
	for (int i = 0; i < 2; i++)
		ask(&b[i], "b");
	ask(&c, "c");
	leave(&first, 1);
	for (int round = 0; round < 7; round++) {
		turn();
		for (int i = 0; i < 4; i++)
			if (a[i].served)
				leave(&a[i], 1);
		for (int i = 0; i < 2; i++)
			if (b[i].served)
				leave(&b[i], 1);
		if (c.served)
			leave(&c, 1);
	}
	assert_string_equal(order.p, "abcabaa");
}

static void bytes_take_seats(void **state)
{
	struct asker wide = {}, huge = {}, small = {};

	start(8, 1000);
	assert_int_equal(ask_with(&wide, "x", 200 << 10), 0); /* 4 seats */
	assert_int_equal(now().seats, 4);
	assert_int_equal(ask_with(&huge, "y", 3 << 20), -EINPROGRESS);
	assert_int_equal(ask(&small, "z"), -EINPROGRESS);
	turn();
	assert_false(huge.served || small.served); /* what needs more than there is has its turn all the same */
	leave(&wide, 1);
	turn();
	assert_true(huge.served);
	assert_false(small.served);
	leave(&huge, 1);
	turn();
	assert_true(small.served);
	flow_seat_widen(small.seat, 64 << 10);
	assert_int_equal(now().seats, 1);
	flow_seat_widen(small.seat, 1);
	assert_int_equal(now().seats, 2);
	leave(&small, 1);
	assert_int_equal(now().seats, 0);
}

static void a_queue_is_bounded_by_its_bytes(void **state)
{
	static struct asker noisy[600], large[4];
	struct asker first = {};
	unsigned waiting = 0;

	memset(noisy, 0, sizeof(noisy));
	start(1, 1000);
	ask(&first, "first");
	for (unsigned i = 0; i < ARRAY_SIZE(noisy); i++)
		waiting += ask(&noisy[i], "noisy") == -EINPROGRESS;
	assert_int_equal(waiting, 512);
	assert_int_equal(now().refused[FLOW_QUEUE_FULL], 88);
	assert_null(noisy[599].seat);
	assert_int_equal(ask_with(&large[0], "large", 3 << 20), -EINPROGRESS);
	assert_int_equal(ask_with(&large[1], "large", 3 << 20), -EINPROGRESS);
	assert_int_equal(ask_with(&large[2], "large", 3 << 20), -EBUSY);
	leave(noisy, ARRAY_SIZE(noisy));
	leave(large, ARRAY_SIZE(large));
	leave(&first, 1);
}

static void the_longest_queue_makes_room(void **state)
{
	enum { USERS = 8, EACH = 512 };
	static struct asker noisy[USERS][EACH];
	struct asker first = {}, quiet = {};
	unsigned refused = 0;
	char name[8];

	start(1, 1000);
	ask(&first, "first");
	for (int u = 0; u < USERS; u++)
		for (int i = 0; i < EACH; i++) {
			snprintf(name, sizeof(name), "%d", u);
			assert_int_equal(ask(&noisy[u][i], name), -EINPROGRESS);
			noisy[u][i].name = "n";
		}
	assert_int_equal(ask(&quiet, "quiet"), -EINPROGRESS);
	for (int u = 0; u < USERS; u++)
		for (int i = 0; i < EACH; i++) {
			refused += noisy[u][i].refused;
			assert_true(!noisy[u][i].refused || i == EACH - 1);
		}
	assert_int_equal(refused, 1);
	assert_false(quiet.refused);
	leave(&quiet, 1);
	leave(noisy[0], USERS * EACH);
	leave(&first, 1);
}

static void nobody_waits_longer_than_that(void **state)
{
	struct asker first = {}, late[2] = {};
	uint64_t until = uv_hrtime() + 5000000000u;

	start(1, 20);
	ask(&first, "a");
	ask(&late[0], "b");
	ask(&late[1], "c");
	leave(&late[1], 1);
	while (!late[0].refused && uv_hrtime() < until)
		uv_run(&loop, UV_RUN_ONCE);
	assert_true(late[0].refused);
	assert_int_equal(late[0].why, FLOW_TIME_OUT);
	assert_false(late[1].refused);
	leave(&first, 1);
}

static void many_users_are_not_remembered_for_ever(void **state)
{
	struct asker a = {};
	char name[16];

	start(1, 1000);
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "user-%d", i);
		assert_int_equal(ask(&a, name), 0);
		leave(&a, 1);
	}
	assert_int_equal(now().seats, 0);
}

static int setup(void **state)
{
	xb_buf_clear(&order);
	return uv_loop_init(&loop);
}

static int teardown(void **state)
{
	flows = flows_free(flows);
	uv_run(&loop, UV_RUN_DEFAULT);
	xb_buf_done(&order);
	return uv_loop_close(&loop);
}

int main(void)
{
#define t(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		t(no_limit_needs_no_seat), t(the_last_quarter_is_for_others), t(kinds_are_apart), t(users_are_served_in_turn),
		t(bytes_take_seats), t(a_queue_is_bounded_by_its_bytes), t(the_longest_queue_makes_room), t(nobody_waits_longer_than_that),
		t(many_users_are_not_remembered_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
