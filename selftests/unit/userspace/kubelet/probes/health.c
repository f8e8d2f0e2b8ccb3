/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* grpc against a server of the health protocol. */
#include "../../lib/net/grpc_fixture.h"
#include "fixture.h"

/* By the name of the service that is asked for. */
static const struct {
	const char *service;
	const char *status, *message;   /* grpc-status */
	int health;                     /* -1: an answer that is none; -2: no answer at all */
	enum attempt_outcome outcome;
	const char *text;
} services[] = {
	{ "", "0", "", 1, ATTEMPT_SUCCESS, "service healthy" },
	{ "down", "0", "", 2, ATTEMPT_FAILURE, "service unhealthy (responded with \"NOT_SERVING\")" },
	{ "unknown", "0", "", 3, ATTEMPT_FAILURE, "service unhealthy (responded with \"SERVICE_UNKNOWN\")" },
	{ "new", "0", "", 9, ATTEMPT_FAILURE, "service unhealthy (responded with \"9\")" },
	{ "nothing", "0", "", 0, ATTEMPT_FAILURE, "service unhealthy (responded with \"UNKNOWN\")" },
	{ "junk", "0", "", -1, ATTEMPT_FAILURE, "error: health rpc probe failed: the answer is no HealthCheckResponse" },
	{ "absent", "5", "unknown service", 0, ATTEMPT_FAILURE, "error: health rpc probe failed: rpc error: code = NotFound desc = unknown service" },
	{ "other", "12", "unknown service grpc.health.v1.Health", 0, ATTEMPT_FAILURE,
	  "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unknown service grpc.health.v1.Health" },
	{ "silent", "0", "", -2, ATTEMPT_FAILURE, "timeout: health rpc did not complete within 150ms" },
};
static char last_path[64];

static void answer(struct grpc_server_call *c, bool end)
{
	struct xb_sv asked = {};

	if (!end)
		return;
	snprintf(last_path, sizeof(last_path), "%s", c->path);
	if (c->in.n > 7) /* prefix, then field 1 and its length */
		asked = (struct xb_sv){ c->in.p + 7, c->in.n - 7 };
	for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
		if (!xb_sv_is(asked, services[i].service) || services[i].health == -2)
			continue;
		snprintf(c->status, sizeof(c->status), "%s", services[i].status);
		snprintf(c->message, sizeof(c->message), "%s", services[i].message);
		if (services[i].health > 0)
			grpc_put(&c->out, (char[]){ 8, (char)services[i].health }, 2);
		else if (!strcmp(c->status, "0"))
			grpc_put(&c->out, "\xff\xff", services[i].health ? 2 : 0);
		grpc_reply(c);
	}
}

static void test_answers(void **state)
{
	struct grpc_server s = { .on_request = answer };
	int port = grpc_server_open_tcp(&s, &loop);

	for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
		_cleanup_tried_ struct tried t;
		char handler[100];

		snprintf(handler, sizeof(handler), "{'grpc':{'port':'PORT','service':%s%s%s}}", i ? "'" : "", i ? services[i].service : "null", i ? "'" : "");
		try(NULL, "{}", handler, (uint16_t)port, 150, false, &t);
		if (t.outcome != services[i].outcome || strcmp(t.text.p, services[i].text))
			fail_msg("'%s': %d %s, not %s", services[i].service, t.outcome, t.text.p, services[i].text);
		assert_string_equal(last_path, "/grpc.health.v1.Health/Check");
	}
	assert_int_equal(s.accepted, ARRAY_SIZE(services)); /* a connection each */
	grpc_server_kill(&s);
	uv_run(&loop, UV_RUN_NOWAIT);
}

static void test_nobody(void **state)
{
	uint16_t port = closed_port();
	_cleanup_tried_ struct tried t, bad;
	char text[200];

	try(NULL, "{}", "{'grpc':{'port':'PORT'}}", port, 1000, false, &t);
	snprintf(text, sizeof(text), "error: failed to connect service at \"127.0.0.1:%u\": connection error: desc = \"transport: Error while dialing: "
		 "dial tcp 127.0.0.1:%u: connect: connection refused\"", port, port);
	assert_int_equal(t.outcome, ATTEMPT_FAILURE);
	assert_string_equal(t.text.p, text);
	try(NULL, "{}", "{'grpc':{'port':0}}", 0, 1000, false, &bad);
	assert_int_equal(bad.outcome, ATTEMPT_ERROR);
	assert_string_equal(bad.text.p, "invalid port number: 0");
}

static void test_cancel(void **state)
{
	struct attempt_tools tools = { .loop = &loop, .user_agent = "x/1" };
	struct grpc_server s = { .on_request = answer };
	_cleanup_(xb_json_unrefp) struct xb_json *h = NULL;
	struct tried t = {};
	struct attempt *a;
	char handler[64];
	bool never = false;

	snprintf(handler, sizeof(handler), "{'grpc':{'port':%d,'service':'silent'}}", grpc_server_open_tcp(&s, &loop));
	h = parse(handler);
	assert_int_equal(attempt_start(&tools, &(struct attempt_request){ .handler = xb_json_root(h), .pod_ip = "127.0.0.1", .timeout_ms = 60 },
				       on_tried, &t, &a, NULL), 0);
	wait_for(&never, 30);
	attempt_cancel(a);
	wait_for(&never, 60);
	assert_false(t.over);
	grpc_server_kill(&s);
	uv_run(&loop, UV_RUN_NOWAIT);
}

static int setup(void **state)
{
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
	const struct CMUnitTest tests[] = { T(test_answers), T(test_nobody), T(test_cancel) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
