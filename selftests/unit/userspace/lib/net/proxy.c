/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * xb/proxy.h with all that is below it: a server that hands every request on, its clients, and a server behind it that this test
 * plays byte by byte.
 */
#include "http_fixture.h"
#include "xb/proxy.h"

static struct {
	int listener, port;
	struct client conn;             /* of what was handed on */
	const char *upgrade;
	struct xb_tls *tls;
	struct xb_http_server *server;  /* that plays it, where it speaks TLS */
	int status;
	unsigned freed;
	bool refuses;                   /* answers of other than 2xx are ours to say */
} back;

static void on_failed(struct xb_http_request *r, const char *why, void *arg)
{
	xb_http_respond(r, 502, "text/plain", xb_sv(why));
}

static void on_refused(struct xb_http_request *r, int status, struct xb_sv body, void *arg)
{
	xb_http_add_header(r, "X-Refused", body.n ? "in words" : "silently");
	xb_http_respond(r, status, "text/plain", body);
}

static void on_freed(void *arg)
{
	__atomic_fetch_add(&back.freed, 1, __ATOMIC_RELAXED);
}

static const struct xb_proxy_ops ops = { .failed = on_failed, .free = on_freed };
static const struct xb_proxy_ops refusing = { .failed = on_failed, .refused = on_refused, .free = on_freed };

static void hand_on(struct xb_http_request *r, void *arg)
{
	_cleanup_free_ char *method = xb_sv_dup(xb_http_method(r)), *path = xb_sv_dup(xb_http_path(r));
	struct xb_proxy_request q = { .ops = back.refuses ? &refusing : &ops, .prefix = "/front", .status = &back.status };

	f.handled++;
	xb_http_on_gone(r, on_gone, NULL);
	q.upstream = (struct xb_upstream_request){
		.target = { .host = "127.0.0.1", .port = back.port, .tls = back.tls, .timeout_ms = 3000 },
		.method = method, .path = path, .upgrade = back.upgrade, .fields = XB_SV("X-From: front\r\n"), .body = xb_http_body(r),
		.answer_ms = 3000,
	};
	assert_int_equal(xb_proxy(r, &q), 0);
}

static void listen_behind(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(at);

	back.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(back.listener, (struct sockaddr *)&at, n), 0);
	assert_int_equal(listen(back.listener, 8), 0);
	getsockname(back.listener, (struct sockaddr *)&at, &n);
	back.port = ntohs(at.sin_port);
}

static void start_front(void)
{
	struct sockaddr_in loopback = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct xb_http_config config = { .loop = &f.loop, .io_threads = f.io_threads, .handler = hand_on, .fault_body = fault_body };

	listen_behind();
	assert_int_equal(xb_http_server_new(&config, &f.server), 0);
	assert_int_equal(xb_http_server_listen(f.server, (struct sockaddr *)&loopback), 0);
}

static bool accepted(void)
{
	if (back.conn.fd < 0)
		back.conn.fd = accept4(back.listener, NULL, NULL, SOCK_NONBLOCK);
	return back.conn.fd >= 0;
}

/* The request has come, and is answered so. */
static void answer(const char *text)
{
	wait_for(accepted());
	expect(&back.conn, "\r\n\r\n");
	say(&back.conn, text);
}

static void hang_up(void)
{
	close(back.conn.fd);
	back.conn.fd = -1;
	xb_buf_done(&back.conn.got);
	back.conn = (struct client){ .fd = -1 };
}

static int begin(void **state)
{
	back = (typeof(back)){ .listener = -1, .conn.fd = -1 };
	return setup(state);
}

static int end(void **state)
{
	int r;

	hang_up();
	close(back.listener);
	xb_http_server_free(back.server);
	r = teardown(state);
	xb_tls_free(back.tls);
	assert_int_equal(back.freed, f.handled);
	return r;
}

#define GET "GET /x/y HTTP/1.1\r\nHost: h\r\n\r\n"
#define UPGRADE "GET /x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"
#define SWITCHED "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\nX-Stream: 4\r\n\r\n"

static void an_answer_is_handed_on(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };

	start_front();
	c = dial();
	say(&c, "POST /x/y HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody");
	answer("HTTP/1.1 201 Created\r\nContent-Type: a/b\r\nX-To: you\r\nX-Hop: no\r\nConnection: X-Hop\r\nKeep-Alive: 5\r\n"
	       "Location: /there\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
	expect(&c, "3\r\nabc\r\n");
	say(&back.conn, "2\r\nde\r\n0\r\n\r\n");
	expect(&c, "2\r\nde\r\n0\r\n\r\n");
	assert_int_equal(count(&c, "HTTP/1.1 201 Created\r\n"), 1);
	assert_int_equal(count(&c, "Content-Type: a/b\r\n"), 1);
	assert_int_equal(count(&c, "X-To: you\r\n"), 1);
	assert_int_equal(count(&c, "Location: /front/there\r\n"), 1);
	assert_int_equal(count(&c, "X-Hop") + count(&c, "Keep-Alive"), 0);
	assert_int_equal(count(&back.conn, "POST /x/y HTTP/1.1\r\n"), 1);
	assert_int_equal(count(&back.conn, "Content-Length: 4\r\n"), 1);
	assert_int_equal(count(&back.conn, "X-From: front\r\n"), 1);
	expect(&back.conn, "\r\n\r\nbody");
	wait_for(f.gone == 1);
	assert_int_equal(back.status, 201);
	hang_up();
	say(&c, GET); /* the client's connection goes on */
	answer("HTTP/1.1 204 No Content\r\n\r\n");
	expect(&c, "HTTP/1.1 204 No Content");
	wait_for(f.gone == 2);
}

static void what_is_not_there_is_said_in_words(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };
	char words[100];

	start_front();
	close(back.listener);
	back.listener = -1;
	c = dial();
	say(&c, GET);
	snprintf(words, sizeof(words), "dial tcp 127.0.0.1:%d: connect: connection refused", back.port);
	expect(&c, words);
	assert_int_equal(count(&c, "HTTP/1.1 502"), 1);
}

static void a_broken_answer_breaks(void **state)
{
	static const char *const answers[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc",
	};

	start_front();
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		_cleanup_(client_done) struct client c = dial();

		say(&c, GET);
		answer(answers[i]);
		expect(&c, "3\r\nabc\r\n");
		if (i == 2)
			say(&back.conn, "XX");
		else
			hang_up();
		expect_closed(&c);
		assert_int_equal(count(&c, "0\r\n\r\n"), 0);
		hang_up();
	}
}

static void what_is_no_answer_is_a_fault(void **state)
{
	static const char *const answers[] = {
		"SSH-2.0-x\r\n", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "",
	};

	start_front();
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		_cleanup_(client_done) struct client c = dial();

		say(&c, GET);
		answer(answers[i]);
		if (!*answers[i])
			hang_up();
		expect(&c, "HTTP/1.1 502");
		hang_up();
	}
}

static void a_refusal_is_ours_to_say(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };

	back.refuses = true;
	start_front();
	c = dial();
	say(&c, GET);
	answer("HTTP/1.1 400 Bad Request\r\nContent-Length: 7\r\n\r\nwaiting");
	expect(&c, "\r\n\r\nwaiting");
	assert_int_equal(count(&c, "X-Refused: in words\r\n"), 1);
}

static void a_client_that_leaves_is_felt_behind(void **state)
{
	struct client c;

	start_front();
	c = dial();
	say(&c, GET);
	answer("HTTP/1.1 200 OK\r\n\r\nabc");
	expect(&c, "abc");
	client_done(&c);
	expect_closed(&back.conn);
	wait_for(f.gone == 1);
}

static void a_slow_client_stops_what_is_behind(void **state)
{
	static char block[65536];
	_cleanup_(client_done) struct client c = { .fd = -1 };
	size_t sent = 0, before;
	ssize_t r;

	memset(block, 'b', sizeof(block));
	start_front();
	c = dial();
	say(&c, GET);
	answer("HTTP/1.1 200 OK\r\n\r\n");
	do {
		before = sent;
		for (int i = 0; i < 50; i++, turn())
			while ((r = send(back.conn.fd, block, sizeof(block), MSG_NOSIGNAL)) > 0)
				sent += (size_t)r;
	} while (sent > before);
	assert_true(sent < 16 << 20); /* what sockets hold */
	close(back.conn.fd);
	back.conn.fd = -1;
	wait_for(hear(&c) && c.got.n >= sent);
	expect(&c, "\r\n0\r\n\r\n");
}

static void two_connections_become_one(void **state)
{
	static char block[100000];
	_cleanup_(client_done) struct client c = { .fd = -1 };

	back.upgrade = "echo";
	start_front();
	c = dial();
	say(&c, UPGRADE "early");
	answer(SWITCHED "hello");
	expect(&c, "\r\n\r\nhello");
	assert_int_equal(count(&c, "HTTP/1.1 101 Switching Protocols\r\n"), 1);
	assert_int_equal(count(&c, "X-Stream: 4\r\n"), 1);
	assert_int_equal(count(&c, "Upgrade: echo\r\n"), 1);
	assert_int_equal(count(&back.conn, "Connection: Upgrade\r\nUpgrade: echo\r\n"), 1);
	expect(&back.conn, "early");
	memset(block, 'b', sizeof(block));
	say_bytes(&c, block, sizeof(block));
	say_bytes(&back.conn, block, sizeof(block));
	wait_for(hear(&c) && c.got.n > sizeof(block) && hear(&back.conn) && back.conn.got.n > sizeof(block));
	assert_int_equal(f.gone, 0);
	shutdown(c.fd, SHUT_WR);
	expect_closed(&back.conn);
	say(&back.conn, "the last");
	expect(&c, "the last");
	close(back.conn.fd);
	back.conn.fd = -1;
	expect_closed(&c);
	wait_for(f.gone == 1 && connections() == 0);
	assert_int_equal(back.status, 101);
}

static void only_what_was_asked_for_is_an_upgrade(void **state)
{
	static const struct {
		const char *answer, *expected;
	} cases[] = {
		{ "HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\n\r\nGET /secret", "HTTP/1.1 502" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "invalid upgrade response: status code 200" },
		{ "HTTP/1.1 302 Found\r\nLocation: http://x/\r\nContent-Length: 0\r\n\r\n", "invalid upgrade response: status code 302" },
		{ "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", "HTTP/1.1 403 Forbidden" },
	};

	back.upgrade = "echo";
	start_front();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(client_done) struct client c = dial();

		say(&c, UPGRADE);
		answer(cases[i].answer);
		expect(&c, cases[i].expected);
		/* it is still a connection of HTTP: what comes next is not for the server behind */
		assert_int_equal(count(&c, "HTTP/1.1 101"), 0);
		hear(&back.conn);
		assert_int_equal(count(&back.conn, "GET /y"), 0);
		hang_up();
	}
}

static void a_stream_breaks_on_both_sides(void **state)
{
	static const struct linger reset = { .l_onoff = 1 };
	struct client c;

	back.upgrade = "echo";
	start_front();
	c = dial();
	say(&c, UPGRADE);
	answer(SWITCHED);
	expect(&c, "HTTP/1.1 101");
	setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	client_done(&c);
	expect_closed(&back.conn);
	hang_up();
	c = dial();
	say(&c, UPGRADE);
	answer(SWITCHED);
	expect(&c, "HTTP/1.1 101");
	setsockopt(back.conn.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	hang_up();
	expect_closed(&c);
	client_done(&c);
	wait_for(f.gone == 2);
}

static void a_stream_stops_who_sends_too_much(void **state)
{
	static char block[65536];
	_cleanup_(client_done) struct client c = { .fd = -1 };
	size_t sent = 0, before, begun;
	ssize_t r;

	back.upgrade = "echo";
	start_front();
	c = dial();
	say(&c, UPGRADE);
	answer(SWITCHED);
	expect(&c, "HTTP/1.1 101");
	do {
		before = sent;
		for (int i = 0; i < 50; i++, turn())
			while ((r = send(c.fd, block, sizeof(block), MSG_NOSIGNAL)) > 0)
				sent += (size_t)r;
	} while (sent > before);
	assert_true(sent < 16 << 20);
	begun = back.conn.got.n;
	wait_for(hear(&back.conn) && back.conn.got.n == begun + sent);
}

static void a_server_that_stops_ends_streams(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };

	back.upgrade = "echo";
	start_front();
	c = dial();
	say(&c, UPGRADE);
	answer(SWITCHED);
	expect(&c, "HTTP/1.1 101");
	xb_http_server_shutdown(f.server, 10000, on_done, NULL);
	expect_closed(&c);
	expect_closed(&back.conn);
	wait_for(f.done);
}

static void one_that_begins_when_the_server_stops_ends(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };

	back.upgrade = "echo";
	start_front();
	c = dial();
	say(&c, UPGRADE);
	wait_for(f.handled);
	xb_http_server_shutdown(f.server, 10000, on_done, NULL);
	answer(SWITCHED);
	expect(&c, "HTTP/1.1 101");
	expect_closed(&c);
	expect_closed(&back.conn);
	wait_for(f.done);
}

/* A server of TLS is played by our own. */
static void certificates_are_verified(void **state)
{
	static const struct {
		const char *ca, *expected;
	} cases[] = {
		{ "ca.crt", "4\r\n/x/y\r\n" }, { NULL, "4\r\n/x/y\r\n" },
		{ "other.crt", "tls: failed to verify certificate: x509: certificate signed by unknown authority" },
	};
	struct xb_cert_request other = { .common_name = "other", .is_ca = true, .days = 10 };
	struct xb_http_server *front;

	use_tls(false);
	assert_int_equal(xb_cert_make(&other, NULL, NULL, "other.crt", "other.key", NULL), 0);
	start((struct xb_http_config){ .tls = f.tls });
	back.server = TAKE_PTR(f.server);
	start_front();
	front = f.server;
	back.port = xb_http_server_port(back.server);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct xb_tls *tls = f.tls;
		struct client c;

		f.server = front;
		f.tls = NULL;
		c = dial();
		f.tls = tls;
		assert_int_equal(xb_tls_client_new(&(struct xb_tls_client_config){ .ca_file = cases[i].ca }, &back.tls, NULL), 0);
		say(&c, GET);
		expect(&c, cases[i].expected);
		client_done(&c);
		wait_for(f.gone == f.handled && connections() == 0);
		back.tls = xb_tls_free(back.tls);
		back.freed += i < 2; /* the server behind hands nothing on */
	}
}

#define p(name) { #name, name, begin, end, NULL }, { #name ", 2 threads", name, begin, end, (void *)2 }

int main(void)
{
	const struct CMUnitTest tests[] = {
		p(an_answer_is_handed_on), p(what_is_not_there_is_said_in_words), p(a_broken_answer_breaks),
		p(what_is_no_answer_is_a_fault), p(a_refusal_is_ours_to_say),
		p(a_client_that_leaves_is_felt_behind), p(a_slow_client_stops_what_is_behind),
		p(two_connections_become_one), p(only_what_was_asked_for_is_an_upgrade), p(a_stream_breaks_on_both_sides),
		p(a_stream_stops_who_sends_too_much), p(a_server_that_stops_ends_streams), p(one_that_begins_when_the_server_stops_ends),
		p(certificates_are_verified),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
