/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define EXEC(words) "{'exec':{'command':[" words "]}}"
static const char container[] = "{'env':[{'name':'A','value':'one'},{'name':'F','valueFrom':{'fieldRef':{'fieldPath':'metadata.name'}}}]}";

static void run(const char *handler, unsigned timeout_ms, bool hook, struct tried *t)
{
	try(NULL, container, handler, 0, timeout_ms, hook, t);
}

static void test_success(void **state)
{
	_cleanup_tried_ struct tried t;

	runtime_says.out = "to out\n";
	runtime_says.err = "to err\n";
	run(EXEC("'cat','$(A)$(NONE)','$$(A)','-$(F)-'"), 1500, false, &t);
	assert_int_equal(t.outcome, ATTEMPT_SUCCESS);
	assert_string_equal(t.text.p, "to out\nto err\n");
	/* static variables only; and the runtime's time is in whole seconds */
	assert_string_equal(runtime_says.command, "c0ffee: cat one$(NONE) $(A) -- (2)");
}

static void test_hook_is_literal(void **state)
{
	_cleanup_tried_ struct tried t;

	run(EXEC("'echo','$(A)','$$(A)'"), 0, true, &t);
	assert_string_equal(runtime_says.command, "c0ffee: echo $(A) $$(A) (0)");
}

static void test_failure(void **state)
{
	_cleanup_tried_ struct tried t;

	runtime_says.out = "out ";
	runtime_says.err = "no such thing";
	runtime_says.exit_code = 3;
	run(EXEC("'cat','x'"), 1000, false, &t);
	assert_int_equal(t.outcome, ATTEMPT_FAILURE);
	assert_string_equal(t.text.p, "out no such thing");
	assert_string_equal(t.error.p, "command 'cat x' exited with 3: no such thing");
	assert_string_equal(t.output.p, "out no such thing");
}

static void test_out_of_time(void **state)
{
	_cleanup_tried_ struct tried t;

	runtime_says.code = XB_GRPC_DEADLINE_EXCEEDED;
	runtime_says.message = "failed to exec in container: timeout 1s exceeded: context deadline exceeded";
	run(EXEC("'sleep','10'"), 1000, false, &t);
	assert_int_equal(t.outcome, ATTEMPT_FAILURE);
	assert_string_equal(t.text.p, "command \"sleep 10\" timed out");
	assert_string_equal(t.error.p, t.text.p);
	assert_int_equal(t.output.n, 0);
}

static void test_cannot(void **state)
{
	_cleanup_tried_ struct tried t;

	runtime_says.code = XB_GRPC_UNKNOWN;
	runtime_says.message = "failed to exec in container: exec: \"nope\": executable file not found in $PATH";
	run(EXEC("'nope'"), 1000, false, &t);
	assert_int_equal(t.outcome, ATTEMPT_ERROR);
	assert_string_equal(t.text.p, "rpc error: code = Unknown desc = failed to exec in container: exec: \"nope\": executable file not found in $PATH");
}

static void test_much_output(void **state)
{
	_cleanup_tried_ struct tried t;
	static char much[20 << 10];

	memset(much, 'x', sizeof(much) - 1);
	runtime_says.out = much;
	runtime_says.err = "never seen";
	run(EXEC("'cat'"), 1000, false, &t);
	assert_int_equal(t.text.n, 10 << 10);
}

static void test_no_handler(void **state)
{
	_cleanup_tried_ struct tried t;

	run("{'periodSeconds':1}", 1000, false, &t);
	assert_int_equal(t.outcome, ATTEMPT_ERROR);
	assert_string_equal(t.text.p, "missing probe handler");
}

static int setup(void **state)
{
	memset(&runtime_says, 0, sizeof(runtime_says));
	return uv_loop_init(&loop);
}

static int teardown(void **state)
{
	uv_run(&loop, UV_RUN_DEFAULT);
	return uv_loop_close(&loop);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_success), T(test_hook_is_literal), T(test_failure), T(test_out_of_time), T(test_cannot),
		T(test_much_output), T(test_no_handler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
