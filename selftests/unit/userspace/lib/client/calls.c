/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api_fixture.h"
#include "xb/calls.h"

static struct test {
	struct fixture f;
	struct xb_calls *calls;
	int done, error, answers;
	int means;                      /* what an answer means to the work */
} t;

static void on_done(void *arg, int error)
{
	t.done++;
	t.error = error;
	t.calls = NULL;
}

static int on_answer(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	t.answers++;
	return t.means;
}

static int setup(void **state)
{
	t = (struct test){};
	fixture_start(&t.f);
	t.calls = xb_calls_new(t.f.rest, on_done, NULL);
	assert_non_null(t.calls);
	return 0;
}

static int teardown(void **state)
{
	xb_calls_cancel(t.calls);
	fixture_stop(&t.f);
	return 0;
}

static void add(const char *path, int (*answered)(void *arg, int code, struct xb_sv body, const struct xb_status *status))
{
	struct xb_rest_request q = { .method = "GET", .path = path };

	assert_int_equal(xb_calls_add(t.calls, &q, answered, NULL), 0);
}

static void nothing_to_ask_is_done_at_once(void **state)
{
	xb_calls_end(t.calls);
	assert_int_equal(t.done, 1);
	assert_int_equal(t.error, 0);
}

static void goes_on_when_all_are_answered(void **state)
{
	add("/a", on_answer);
	add("/b", on_answer);
	run_until(&t.f.loop, t.f.n_held == 2);
	fake_reply(t.f.held[0], 200, "{}");
	run_until(&t.f.loop, t.answers == 1);
	xb_calls_end(t.calls);
	assert_int_equal(t.done, 0);
	fake_reply(t.f.held[1], 200, "{}");
	run_until(&t.f.loop, t.done);
	assert_int_equal(t.answers, 2);
	assert_int_equal(t.error, 0);
}

static void waits_for_the_end_though_all_are_answered(void **state)
{
	add("/a", on_answer);
	run_until(&t.f.loop, t.f.n_held == 1);
	fake_reply(t.f.held[0], 200, "{}");
	run_until(&t.f.loop, t.answers == 1);
	assert_int_equal(t.done, 0);
	xb_calls_end(t.calls);
	assert_int_equal(t.done, 1);
}

static void tells_the_first_error(void **state)
{
	add("/a", NULL);
	add("/b", NULL);
	xb_calls_end(t.calls);
	run_until(&t.f.loop, t.f.n_held == 2);
	fake_reply(t.f.held[0], 404, "{}");
	run_until(&t.f.loop, t.f.api.requests == 2);
	fake_reply(t.f.held[1], 500, "{}");
	run_until(&t.f.loop, t.done);
	assert_true(t.error == -ENOENT || t.error == -EIO);
}

static void the_caller_says_what_an_answer_means(void **state)
{
	t.means = 0;
	add("/a", on_answer);
	xb_calls_end(t.calls);
	run_until(&t.f.loop, t.f.n_held == 1);
	fake_reply(t.f.held[0], 404, "{}");
	run_until(&t.f.loop, t.done);
	assert_int_equal(t.error, 0);
}

static int ask_more(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	add("/more", on_answer);
	return 0;
}

static void an_answer_may_ask_more(void **state)
{
	add("/a", ask_more);
	xb_calls_end(t.calls);
	run_until(&t.f.loop, t.f.n_held == 1);
	fake_reply(t.f.held[0], 200, "{}");
	run_until(&t.f.loop, t.f.n_held == 2);
	assert_int_equal(t.done, 0);
	fake_reply(t.f.held[1], 200, "{}");
	run_until(&t.f.loop, t.done);
	assert_int_equal(t.answers, 1);
}

static void what_is_cancelled_is_not_heard_of(void **state)
{
	add("/a", on_answer);
	xb_calls_end(t.calls);
	run_until(&t.f.loop, t.f.n_held == 1);
	t.calls = xb_calls_cancel(t.calls);
	for (int i = 0; i < 5; i++)
		uv_run(&t.f.loop, UV_RUN_NOWAIT);
	assert_int_equal(t.done + t.answers, 0);
}

static void errors_have_names(void **state)
{
	struct xb_status exists = { .reason = "AlreadyExists" }, conflict = { .reason = "Conflict" };

	assert_int_equal(xb_calls_error(201, NULL), 0);
	assert_int_equal(xb_calls_error(404, NULL), -ENOENT);
	assert_int_equal(xb_calls_error(409, &exists), -EEXIST);
	assert_int_equal(xb_calls_error(409, &conflict), -ESTALE);
	assert_int_equal(xb_calls_error(403, NULL), -EACCES);
	assert_int_equal(xb_calls_error(422, NULL), -EINVAL);
	assert_int_equal(xb_calls_error(429, NULL), -EBUSY);
	assert_int_equal(xb_calls_error(0, NULL), -EIO);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(nothing_to_ask_is_done_at_once),
		TEST(goes_on_when_all_are_answered),
		TEST(waits_for_the_end_though_all_are_answered),
		TEST(tells_the_first_error),
		TEST(the_caller_says_what_an_answer_means),
		TEST(an_answer_may_ask_more),
		TEST(what_is_cancelled_is_not_heard_of),
		TEST(errors_have_names),
	};

	return cmocka_run_group_tests_name("userspace/lib/client/calls", tests, NULL, NULL);
}
