/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "grpc_fixture.h"
#include <malloc.h>

#define SOCKET "/tmp/xb-grpc-test.%d"
#define LIMIT 100000
#define LARGE (12 << 20)

static struct {
	uv_loop_t loop;
	struct grpc_server server;
	struct xb_grpc *channel;
	char socket[64];
	struct grpc_server_call *held;  /* of the server */
} t;

struct answer {
	int code;
	char why[200];
	struct xb_buf reply;
	unsigned messages, done;
	struct xb_grpc_call *call;
	void (*on_message)(struct answer *a);
};

static void count_up(struct grpc_server_call *c)
{
	for (unsigned i = 0; i < 1000; i++)
		grpc_put(&c->out, &i, sizeof(i));
}

static void set_ending(struct grpc_server_call *c, const char *status, const char *message)
{
	snprintf(c->status, sizeof(c->status), "%s", status);
	snprintf(c->message, sizeof(c->message), "%s", message);
}

static void answer_head_only(struct grpc_server_call *c, const char *http, const char *type, const char *status, const char *message)
{
	nghttp2_nv head[] = { peer_field(":status", http), peer_field("content-type", type), peer_field("grpc-status", status),
			      peer_field("grpc-message", message) };

	nghttp2_submit_response(c->peer->session, c->id, head, status[0] ? 4 : 2, NULL);
}

static void answer_large(struct grpc_server_call *c, size_t n)
{
	char *bytes = calloc(1, n);

	memset(bytes, 'x', n);
	grpc_put(&c->out, bytes, n);
	free(bytes);
	grpc_reply(c);
}

static void answer_faults(struct grpc_server_call *c)
{
	if (!strcmp(c->path, "/two")) {
		grpc_put(&c->out, "a", 1);
		grpc_put(&c->out, "b", 1);
	} else if (!strcmp(c->path, "/compressed")) {
		xb_buf_add(&c->out, "\1\0\0\0\1x", 6);
	} else if (!strcmp(c->path, "/cut")) {
		xb_buf_add(&c->out, "\0\0\0\0\5abc", 8);
	} else if (!strcmp(c->path, "/no-trailers")) {
		grpc_put(&c->out, "a", 1);
		set_ending(c, "", "");
	} else if (!strcmp(c->path, "/late-error")) {
		grpc_put(&c->out, "half", 4);
		set_ending(c, "10", "100%25 of it");
	}
	grpc_reply(c);
}

/* The server: what it does for each path. */
static void on_request(struct grpc_server_call *c, bool end)
{
	nghttp2_session *session = c->peer->session;

	if (!strcmp(c->path, "/bidi") && c->in.n) {
		bool first = !c->out.p;

		xb_buf_addsv(&c->out, xb_buf_sv(&c->in));
		c->in.n = 0;
		c->streaming = !end;
		if (first)
			grpc_reply(c);
	}
	if (!strcmp(c->path, "/bidi")) {
		c->streaming = !end;
		nghttp2_session_resume_data(session, c->id);
		return;
	}
	if (!end)
		return;
	if (!strcmp(c->path, "/split"))
		c->step = 1;
	if (!strcmp(c->path, "/echo") || !strcmp(c->path, "/split")) {
		xb_buf_addsv(&c->out, xb_buf_sv(&c->in));
		grpc_reply(c);
	} else if (!strcmp(c->path, "/said")) {
		_cleanup_buf_ struct xb_buf said = {};

		xb_buf_addf(&said, "%s %s", c->metadata, c->timeout);
		grpc_put(&c->out, said.p, said.n);
		grpc_reply(c);
	} else if (!strcmp(c->path, "/count")) {
		count_up(c);
		grpc_reply(c);
	} else if (!strcmp(c->path, "/large")) {
		answer_large(c, LARGE);
	} else if (!strcmp(c->path, "/hold")) {
		t.held = c;
	} else if (!strcmp(c->path, "/not-found")) {
		answer_head_only(c, "200", "application/grpc", "5", "no%20such%20thing:%20%E2%9C%93%zz%");
	} else if (!strcmp(c->path, "/proxy")) {
		answer_head_only(c, "503", "text/html", "", "");
	} else if (!strcmp(c->path, "/web")) {
		answer_head_only(c, "200", "text/html", "", "");
	} else if (!strcmp(c->path, "/reset")) {
		nghttp2_submit_rst_stream(session, 0, c->id, NGHTTP2_ENHANCE_YOUR_CALM);
	} else if (!strcmp(c->path, "/goaway")) {
		nghttp2_submit_goaway(session, 0, c->id, NGHTTP2_NO_ERROR, NULL, 0);
		t.held = c;
	} else if (!strcmp(c->path, "/die")) {
		grpc_peer_close(c->peer);
	} else {
		answer_faults(c);
	}
}

static void on_done(void *arg, int code, const char *why, struct xb_sv reply)
{
	struct answer *a = arg;

	a->done++;
	a->code = code;
	a->call = NULL;
	snprintf(a->why, sizeof(a->why), "%s", why);
	if (reply.p)
		xb_buf_addsv(&a->reply, reply);
}

static void on_message(void *arg, struct xb_sv message)
{
	struct answer *a = arg;

	a->messages++;
	xb_buf_addsv(&a->reply, message);
	if (a->on_message)
		a->on_message(a);
}

static int open_channel(void **state)
{
	struct xb_grpc_config c = { .loop = &t.loop, .target = t.socket, .user_agent = "test" };

	t.held = NULL;
	uv_loop_init(&t.loop);
	snprintf(t.socket, sizeof(t.socket), "unix://" SOCKET, getpid());
	c.target = t.socket;
	t.server = (struct grpc_server){ .on_request = on_request };
	grpc_server_open(&t.server, &t.loop, t.socket + strlen("unix://"));
	return xb_grpc_new(&c, &t.channel);
}

static int close_channel(void **state)
{
	t.channel = xb_grpc_free(t.channel);
	grpc_server_kill(&t.server);
	uv_run(&t.loop, UV_RUN_DEFAULT);
	unlink(t.socket + strlen("unix://"));
	return uv_loop_close(&t.loop);
}

static void unary(const char *path, struct xb_sv message, struct answer *a)
{
	struct xb_grpc_request q = { .path = path, .message = message, .timeout_ms = 20000 };

	assert_int_equal(xb_grpc_unary(t.channel, &q, on_done, a, &a->call), 0);
	assert_int_equal(a->done, 0);
}

static void stream(const char *path, struct answer *a)
{
	struct xb_grpc_request q = { .path = path, .message = XB_SV("m"), .timeout_ms = 20000 };

	assert_int_equal(xb_grpc_stream(t.channel, &q, on_message, on_done, a, &a->call), 0);
}

static void wait_for(struct answer *a)
{
	while (!a->done)
		uv_run(&t.loop, UV_RUN_ONCE);
	assert_int_equal(a->done, 1);
}

static void ends(const char *path, bool streams, int code, const char *why)
{
	struct answer a = {};

	if (streams)
		stream(path, &a);
	else
		unary(path, XB_SV("m"), &a);
	wait_for(&a);
	assert_string_equal(a.why, why);
	assert_int_equal(a.code, code);
	if (!streams)
		assert_int_equal(a.reply.n, 0);
	xb_buf_done(&a.reply);
}

static void answers(const char *path, struct xb_sv message, struct xb_sv want)
{
	struct answer a = {};

	unary(path, message, &a);
	wait_for(&a);
	assert_string_equal(a.why, "");
	assert_int_equal(a.code, XB_GRPC_OK);
	assert_true(xb_sv_eq(xb_buf_sv(&a.reply), want));
	xb_buf_done(&a.reply);
}

static void test_unary(void **state)
{
	answers("/echo", XB_SV("hello"), XB_SV("hello"));
	answers("/echo", XB_SV(""), XB_SV(""));
	answers("/split", XB_SV("one byte a frame"), XB_SV("one byte a frame"));
	assert_int_equal(t.server.accepted, 1);
}

static void test_metadata(void **state)
{
	static const struct xb_grpc_metadata metadata = { "containerd-namespace", "k8s.io" };
	struct xb_grpc_request q = { .path = "/said", .metadata = &metadata, .n_metadata = 1, .timeout_ms = 1500 };
	struct answer a = {};

	assert_int_equal(xb_grpc_unary(t.channel, &q, on_done, &a, NULL), 0);
	wait_for(&a);
	assert_string_equal(a.reply.p, "k8s.io 1500m");
	a.done = a.reply.n = 0;
	q.timeout_ms = 4000000001;
	assert_int_equal(xb_grpc_unary(t.channel, &q, on_done, &a, NULL), 0);
	wait_for(&a);
	assert_string_equal(a.reply.p, "k8s.io 4000001S");
	xb_buf_done(&a.reply);
}

static void test_large(void **state)
{
	char *bytes = calloc(1, LARGE);
	struct answer a = {};

	unary("/large", XB_SV(""), &a);
	wait_for(&a);
	assert_int_equal(a.code, XB_GRPC_OK);
	assert_int_equal(a.reply.n, LARGE);
	answers("/echo", (struct xb_sv){ bytes, LARGE }, (struct xb_sv){ bytes, LARGE });
	free(bytes);
	xb_buf_done(&a.reply);
}

static void test_limit(void **state)
{
	struct xb_grpc_config c = { .loop = &t.loop, .target = t.socket, .user_agent = "test", .max_message_bytes = LIMIT };

	xb_grpc_free(t.channel);
	assert_int_equal(xb_grpc_new(&c, &t.channel), 0);
	ends("/large", false, XB_GRPC_RESOURCE_EXHAUSTED, "grpc: received message larger than max (12582912 vs. 100000)");
	ends("/large", true, XB_GRPC_RESOURCE_EXHAUSTED, "grpc: received message larger than max (12582912 vs. 100000)");
	answers("/echo", XB_SV("goes on"), XB_SV("goes on"));
	assert_int_equal(t.server.open, 0);
	assert_int_equal(t.server.accepted, 1);
}

static void test_errors(void **state)
{
	ends("/not-found", false, XB_GRPC_NOT_FOUND, "no such thing: \xe2\x9c\x93%zz%");
	ends("/not-found", true, XB_GRPC_NOT_FOUND, "no such thing: \xe2\x9c\x93%zz%");
	ends("/late-error", false, XB_GRPC_ABORTED, "100% of it");
	ends("/proxy", false, XB_GRPC_UNAVAILABLE, "unexpected HTTP status code received from server: 503");
	ends("/web", false, XB_GRPC_UNKNOWN, "malformed header: missing HTTP content-type");
	ends("/reset", false, XB_GRPC_RESOURCE_EXHAUSTED, "stream terminated by RST_STREAM with error code: ENHANCE_YOUR_CALM");
	ends("/no-trailers", false, XB_GRPC_INTERNAL, "server closed the stream without sending trailers");
	ends("/compressed", false, XB_GRPC_INTERNAL, "grpc: received a compressed message, which was not offered");
	ends("/cut", true, XB_GRPC_INTERNAL, "unexpected EOF");
	ends("/cut", false, XB_GRPC_INTERNAL, "cardinality violation: received no response message from non-server-streaming RPC");
	ends("/none", false, XB_GRPC_INTERNAL, "cardinality violation: received no response message from non-server-streaming RPC");
	ends("/two", false, XB_GRPC_INTERNAL,
	     "cardinality violation: expected <EOF> for non server-streaming RPCs, but received another message");
	answers("/echo", XB_SV("goes on"), XB_SV("goes on"));
	assert_int_equal(t.server.accepted, 1);
}

static void cancel_in_message(struct answer *a)
{
	if (a->messages == 10)
		xb_grpc_cancel(a->call);
}

static void free_in_message(struct answer *a)
{
	if (a->messages == 10)
		t.channel = xb_grpc_free(t.channel);
}

static void test_stream(void **state)
{
	struct answer a = {};
	unsigned last;

	stream("/count", &a);
	wait_for(&a);
	assert_int_equal(a.code, XB_GRPC_OK);
	assert_int_equal(a.messages, 1000);
	memcpy(&last, a.reply.p + a.reply.n - sizeof(last), sizeof(last));
	assert_int_equal(last, 999);
	xb_buf_done(&a.reply);
}

static void test_cancel(void **state)
{
	struct answer a = { .on_message = cancel_in_message }, b = {}, c = { .on_message = free_in_message };

	stream("/count", &a);
	stream("/count", &b);
	wait_for(&b);
	assert_int_equal(a.messages, 10);
	assert_int_equal(a.done, 0);
	unary("/hold", XB_SV(""), &a);
	while (t.server.open == 0)
		uv_run(&t.loop, UV_RUN_ONCE);
	xb_grpc_cancel(a.call);
	xb_grpc_cancel(NULL);
	while (t.server.open)
		uv_run(&t.loop, UV_RUN_ONCE);
	assert_int_equal(a.done, 0);
	stream("/count", &c);
	while (t.channel)
		uv_run(&t.loop, UV_RUN_ONCE);
	assert_int_equal(c.messages, 10);
	xb_buf_done(&a.reply);
	xb_buf_done(&b.reply);
	xb_buf_done(&c.reply);
}

static void write_next(struct answer *a)
{
	if (a->messages < 100)
		assert_int_equal(xb_grpc_write(a->call, XB_SV("more")), 0);
	else
		xb_grpc_end(a->call);
}

static void test_bidi(void **state)
{
	struct xb_grpc_request q = { .path = "/bidi", .open = true };
	struct answer a = { .on_message = write_next }, b = {};
	char block[65536] = "";

	assert_int_equal(xb_grpc_stream(t.channel, &q, on_message, on_done, &a, &a.call), 0);
	assert_int_equal(xb_grpc_write(a.call, XB_SV("first")), 0);
	wait_for(&a);
	assert_int_equal(a.code, XB_GRPC_OK);
	assert_int_equal(a.messages, 100);
	/* all at once, beyond every window */
	assert_int_equal(xb_grpc_stream(t.channel, &q, on_message, on_done, &b, &b.call), 0);
	for (unsigned i = 0; i < 64; i++)
		assert_int_equal(xb_grpc_write(b.call, (struct xb_sv){ block, sizeof(block) }), 0);
	assert_true(xb_grpc_unsent(b.call) > 2 << 20);
	xb_grpc_end(b.call);
	wait_for(&b);
	assert_int_equal(b.code, XB_GRPC_OK);
	assert_int_equal(b.messages, 64);
	xb_buf_done(&a.reply);
	xb_buf_done(&b.reply);
}

static void test_deadline(void **state)
{
	struct xb_grpc_request q = { .path = "/hold", .timeout_ms = 30 };
	struct answer late = {}, later = {}, never = {};

	unary("/hold", XB_SV(""), &never);
	assert_int_equal(xb_grpc_unary(t.channel, &q, on_done, &late, NULL), 0);
	q.timeout_ms = 60;
	assert_int_equal(xb_grpc_unary(t.channel, &q, on_done, &later, NULL), 0);
	wait_for(&late);
	assert_int_equal(late.code, XB_GRPC_DEADLINE_EXCEEDED);
	assert_string_equal(late.why, "context deadline exceeded");
	assert_int_equal(later.done, 0);
	wait_for(&later);
	assert_int_equal(later.code, XB_GRPC_DEADLINE_EXCEEDED);
	while (t.server.open > 1) /* the server is told */
		uv_run(&t.loop, UV_RUN_ONCE);
	assert_int_equal(never.done, 0);
	xb_grpc_cancel(never.call);
}

static void test_peer_death(void **state)
{
	struct answer a = {}, b = {};
	char want[200];

	unary("/hold", XB_SV(""), &a);
	unary("/die", XB_SV(""), &b);
	wait_for(&a);
	wait_for(&b);
	assert_int_equal(a.code, XB_GRPC_UNAVAILABLE);
	assert_int_equal(b.code, XB_GRPC_UNAVAILABLE);
	assert_string_equal(a.why, "error reading from server: EOF");
	answers("/echo", XB_SV("again"), XB_SV("again"));
	assert_int_equal(t.server.accepted, 2);

	grpc_server_kill(&t.server);
	uv_run(&t.loop, UV_RUN_NOWAIT);
	unlink(t.socket + strlen("unix://"));
	snprintf(want, sizeof(want), "connection error: desc = \"transport: Error while dialing: dial unix %s: connect: no such file or "
				     "directory\"", t.socket + strlen("unix://"));
	ends("/echo", false, XB_GRPC_UNAVAILABLE, want);
	t.server = (struct grpc_server){ .on_request = on_request };
	grpc_server_open(&t.server, &t.loop, t.socket + strlen("unix://"));
	answers("/echo", XB_SV("back"), XB_SV("back"));
}

static void test_goaway(void **state)
{
	struct answer a = {}, b = {};

	unary("/goaway", XB_SV("a"), &a);
	while (!t.held)
		uv_run(&t.loop, UV_RUN_ONCE);
	while (nghttp2_session_want_write(t.held->peer->session))
		uv_run(&t.loop, UV_RUN_ONCE);
	uv_run(&t.loop, UV_RUN_NOWAIT);
	unary("/echo", XB_SV("b"), &b); /* on a new connection */
	wait_for(&b);
	assert_int_equal(b.code, XB_GRPC_OK);
	assert_int_equal(t.server.accepted, 2);
	assert_int_equal(a.done, 0);
	grpc_put(&t.held->out, "done", 4);
	grpc_reply(t.held); /* what was taken is finished */
	peer_flush(t.held->peer);
	t.held = NULL;
	wait_for(&a);
	assert_int_equal(a.code, XB_GRPC_OK);
	assert_string_equal(a.reply.p, "done");
	xb_buf_done(&a.reply);
	xb_buf_done(&b.reply);
}

static void test_tcp(void **state)
{
	struct grpc_server server = { .on_request = on_request };
	int port = grpc_server_open_tcp(&server, &t.loop);
	struct xb_grpc *unix_channel = t.channel;
	struct xb_grpc_config c = { .loop = &t.loop, .user_agent = "test" };
	char target[32], want[200];

	snprintf(target, sizeof(target), "127.0.0.1:%d", port);
	c.target = target;
	assert_int_equal(xb_grpc_new(&c, &t.channel), 0);
	answers("/echo", XB_SV("tcp"), XB_SV("tcp"));
	grpc_server_kill(&server);
	uv_run(&t.loop, UV_RUN_NOWAIT);
	snprintf(want, sizeof(want), "connection error: desc = \"transport: Error while dialing: dial tcp %s: connect: connection refused\"",
		 target);
	ends("/echo", false, XB_GRPC_UNAVAILABLE, want);
	xb_grpc_free(t.channel);
	t.channel = unix_channel;
}

static void test_targets(void **state)
{
	static const char *const wrong[] = { "", "name:80", "1.2.3.4", "1.2.3.4:0", "1.2.3.4:65536", "[::1:80", "::1:80", "relative/path" };
	struct xb_grpc_config c = { .loop = &t.loop, .user_agent = "test" };
	struct xb_grpc *g = NULL;
	char path[200];

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		c.target = wrong[i];
		assert_int_equal(xb_grpc_new(&c, &g), -EINVAL);
	}
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[108] = '\0';
	c.target = path;
	assert_int_equal(xb_grpc_new(&c, &g), -ENAMETOOLONG);
	path[107] = '\0';
	assert_int_equal(xb_grpc_new(&c, &g), 0);
	xb_grpc_free(g);
	c.target = "[::1]:80";
	assert_int_equal(xb_grpc_new(&c, &g), 0);
	xb_grpc_free(g);
}

static void test_words(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};

	xb_grpc_describe(XB_GRPC_NOT_FOUND, "no such pod", &out);
	assert_string_equal(out.p, "rpc error: code = NotFound desc = no such pod");
	assert_string_equal(xb_grpc_code_name(XB_GRPC_UNAUTHENTICATED), "Unauthenticated");
	assert_string_equal(xb_grpc_code_name(17), "Unknown");
	assert_string_equal(xb_grpc_code_name(-1), "Unknown");
}

static void on_one_of_many(void *arg, int code, const char *why, struct xb_sv reply)
{
	unsigned *left = arg;

	assert_string_equal(why, "");
	assert_int_equal(code, XB_GRPC_OK);
	--*left;
}

/* More at once than the server takes, and what they took is given back. */
static void test_many(void **state)
{
	struct xb_grpc_request q = { .path = "/echo", .message = XB_SV("many"), .timeout_ms = 20000 };
	size_t before = 0;

	for (int round = 0; round < 60; round++) {
		unsigned left = 100;

		for (int i = 0; i < 100; i++)
			assert_int_equal(xb_grpc_unary(t.channel, &q, on_one_of_many, &left, NULL), 0);
		while (left)
			uv_run(&t.loop, UV_RUN_ONCE);
		if (round == 10)
			before = mallinfo2().uordblks;
	}
	assert_true(mallinfo2().uordblks <= before + 4096);
	assert_int_equal(t.server.accepted, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_channel, close_channel)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_unary), TEST(test_metadata), TEST(test_large), TEST(test_limit), TEST(test_errors), TEST(test_stream),
		TEST(test_cancel), TEST(test_bidi), TEST(test_deadline), TEST(test_peer_death), TEST(test_goaway), TEST(test_tcp),
		TEST(test_targets), TEST(test_words), TEST(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
