/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../../../../../userspace/kubelet/probes/probes_inner.h"
#include "fixture.h"

static struct probes *probes;
static struct {
	bool over;
	int error;
	char why[400];
} last;

static void on_done(void *arg, int error, const char *why)
{
	assert_false(last.over);
	last.over = true;
	last.error = error;
	snprintf(last.why, sizeof(last.why), "%s", why);
}

static struct hook *run(const char *handler, unsigned timeout_ms)
{
	_cleanup_(xb_json_unrefp) struct xb_json *h = parse(handler), *c = parse("{'name':'c','ports':[]}");
	struct hook *hook = NULL;

	memset(&last, 0, sizeof(last));
	uv_update_time(&loop);
	assert_int_equal(hook_run(probes, xb_json_root(c), xb_json_root(h), "c0ffee", "127.0.0.1", timeout_ms, on_done, NULL, &hook), 0);
	assert_false(last.over);
	return hook;
}

static void expect(const char *handler, unsigned timeout_ms, int error, const char *why)
{
	run(handler, timeout_ms);
	if (!wait_for(&last.over, 2500))
		fail_msg("%s: not over", handler);
	if (last.error != error || strcmp(last.why, why))
		fail_msg("%s: %d %s, not %d %s", handler, last.error, last.why, error, why);
}

static void test_exec(void **state)
{
	expect("{'exec':{'command':['true']}}", 1000, 0, "");
	assert_string_equal(runtime_says.command, "c0ffee: true (1)");
	runtime_says.exit_code = 1;
	runtime_says.out = "said \"no\"\n";
	runtime_says.err = "why";
	expect("{'exec':{'command':['sh','-c','no']}}", 0, -EIO, "error: command 'sh -c no' exited with 1: why, message: \"said \\\"no\\\"\\nwhy\"");
	runtime_says.code = XB_GRPC_DEADLINE_EXCEEDED;
	expect("{'exec':{'command':['sleep','9']}}", 1000, -EIO, "error: command \"sleep 9\" timed out, message: \"\"");
}

static void test_http(void **state)
{
	struct web_server s;
	char handler[100], why[200];

	server_open(&s, (const struct answer[]){ { "/bad", "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n" }, { "/silent", "" }, {} });
	snprintf(handler, sizeof(handler), "{'httpGet':{'port':%u,'path':'/bad'}}", s.port);
	expect(handler, 1000, 0, "");
	snprintf(handler, sizeof(handler), "{'httpGet':{'port':%u,'path':'/silent'}}", s.port);
	snprintf(why, sizeof(why), "error: Get \"http://127.0.0.1:%u/silent\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)", s.port);
	expect(handler, 100, -EIO, why);
	expect("{'httpGet':{'port':'web'}}", 1000, -EINVAL, "error: strconv.Atoi: parsing \"web\": invalid syntax");
	server_close(&s);
}

static void test_sleep(void **state)
{
	int64_t began = xb_time_ms();

	expect("{'sleep':{'seconds':1}}", 0, 0, "");
	assert_true(xb_time_ms() - began >= 990);
	expect("{'sleep':{'seconds':0}}", 100, 0, "");
	began = xb_time_ms();
	expect("{'sleep':{'seconds':60}}", 100, -ETIMEDOUT, "error: container terminated before sleep hook finished");
	assert_true(xb_time_ms() - began < 1000);
}

static void test_others(void **state)
{
	expect("{'tcpSocket':{'port':1}}", 100, 0, "");
	expect("{}", 100, -EINVAL, "error: missing probe handler");
}

static void test_cancel(void **state)
{
	bool never = false;

	runtime_says.after_ms = 10000;
	hook_cancel(run("{'exec':{'command':['true']}}", 1000));
	hook_cancel(run("{'sleep':{'seconds':60}}", 20));
	hook_cancel(run("{}", 20));
	hook_cancel(NULL);
	wait_for(&never, 50);
	assert_false(last.over);
	assert_int_equal(runtime_says.cancelled, 1);
}

/* What is under way goes with probes. */
static void test_free_midway(void **state)
{
	run("{'sleep':{'seconds':60}}", 0);
	runtime_says.after_ms = 10000;
	run("{'exec':{'command':['true']}}", 1000);
	probes = probes_free(probes);
	assert_int_equal(runtime_says.cancelled, 1);
}

static const struct {
	const char *handler, *sentence;
} sentences[] = {
	{ "{'exec':{'command':['sh','-c','exit \\u0031']}}", "Exec lifecycle hook ([sh -c exit 1]) for Container \"c\" in Pod \"web_shop(u-1)\" failed - error: x" },
	{ "{'httpGet':{'path':'/stop','port':1}}", "HTTP lifecycle hook (/stop) for Container \"c\" in Pod \"web_shop(u-1)\" failed - error: x" },
	{ "{'sleep':{'seconds':5}}", "Sleep lifecycle hook (5) for Container \"c\" in Pod \"web_shop(u-1)\" failed - error: x" },
};

static void test_sentences(void **state)
{
	_cleanup_given_ struct given g = given(POD("", ""));

	for (size_t i = 0; i < ARRAY_SIZE(sentences); i++) {
		_cleanup_(xb_json_unrefp) struct xb_json *h = parse(sentences[i].handler);
		_cleanup_buf_ struct xb_buf out = {};

		hook_sentence(g.in.pod, g.in.container, xb_json_root(h), "error: x", &out);
		assert_string_equal(out.p, sentences[i].sentence);
	}
}

static int setup(void **state)
{
	memset(&runtime_says, 0, sizeof(runtime_says));
	uv_loop_init(&loop);
	return probes_new(&(struct probes_config){ .loop = &loop, .user_agent = "kube-probe/1.33" }, &probes);
}

static int teardown(void **state)
{
	probes_free(probes);
	uv_run(&loop, UV_RUN_DEFAULT);
	return uv_loop_close(&loop);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_exec), T(test_http), T(test_sleep), T(test_others), T(test_cancel), T(test_free_midway),
		T(test_sentences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
