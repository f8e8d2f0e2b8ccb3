/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <sys/resource.h>
#include "xb/http_server.h"

#define DEADLINE_MS 20000

/*
 * Client and server share one thread and one loop: the client's socket is non-blocking and every wait of the test turns
 * the loop until its condition holds.
 */
static struct fixture {
	uv_loop_t loop;
	uv_timer_t tick;                        /* keeps a turn of the loop short */
	struct xb_http_server *server;
	struct xb_tls *tls;
	SSL_CTX *client_ctx;
	SSL_SESSION *resume;                    /* by the next client */
	char dir[32];
	struct xb_http_request *kept;           /* of the handler, when it answers later */
	unsigned handled, gone, closed, shutdowns, drains;
	size_t left, most_pending;              /* of a stream */
	bool done;
	unsigned turns;                         /* of the loop */
} f;

struct client {
	int fd;
	SSL *ssl;
	struct xb_buf got;
	bool closed;
};

static void on_tick(uv_timer_t *t)
{
}

static void turn(void)
{
	f.turns++;
	uv_run(&f.loop, UV_RUN_ONCE);
}

#define wait_for(condition) do {                                                    \
		uint64_t until_ = uv_hrtime() / 1000000 + DEADLINE_MS;               \
		while (!(condition) && uv_hrtime() / 1000000 < until_)               \
			turn();                                                     \
		assert_true(condition);                                             \
	} while (0)

static void on_close(struct xb_http_request *r)
{
	f.closed++;
	f.kept = NULL;
}

static void on_gone(void *arg)
{
	f.gone++;
}

static void on_shutdown(struct xb_http_request *r)
{
	f.shutdowns++;
	f.kept = NULL;
	xb_http_stream_end(r);
}

/* Writes as long as the stream takes it. */
static void pump(struct xb_http_request *r)
{
	static char block[8192];

	f.drains++;
	while (f.left && xb_http_stream_pending(r) < 64 << 10) {
		size_t n = MIN(f.left, sizeof(block));

		memset(block, 'x', sizeof(block));
		xb_http_stream_write(r, (struct xb_sv){ block, n });
		f.left -= n;
		f.most_pending = MAX(f.most_pending, xb_http_stream_pending(r));
	}
	if (!f.left)
		xb_http_stream_end(r);
}

static void handler(struct xb_http_request *r, void *arg)
{
	struct xb_sv path = xb_http_path(r);

	f.handled++;
	xb_http_on_gone(r, on_gone, NULL);
	if (xb_sv_is(path, "/later")) {
		f.kept = r;
	} else if (xb_sv_is(path, "/watch")) {
		f.kept = r;
		xb_http_on_close(r, on_close, on_shutdown);
		xb_http_stream_begin(r, 200, "application/json", NULL);
	} else if (xb_sv_is(path, "/large")) {
		xb_http_on_close(r, on_close, NULL);
		xb_http_stream_begin(r, 200, "text/plain", pump);
		pump(r);
	} else if (xb_sv_is(path, "/whoami")) {
		const struct xb_tls_peer *peer = xb_http_peer_cert(r);

		xb_http_respond(r, 200, "text/plain", xb_sv(peer ? peer->common_name : "nobody"));
	} else {
		struct xb_sv body = xb_http_body(r);

		xb_http_add_header(r, "X-Path", "ok");
		xb_http_respond(r, 200, "text/plain", body.n ? body : path);
	}
}

static void fault_body(int code, const char *message, struct xb_buf *out, const char **ret_content_type)
{
	xb_buf_addf(out, "{\"code\":%d,\"message\":\"%s\"}", code, message);
	*ret_content_type = "application/json";
}

static void start(struct xb_http_config config)
{
	struct sockaddr_in loopback = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	config.loop = &f.loop;
	config.handler = handler;
	config.fault_body = fault_body;
	assert_int_equal(xb_http_server_new(&config, &f.server), 0);
	assert_int_equal(xb_http_server_listen(f.server, (struct sockaddr *)&loopback), 0);
}

static void use_tls(bool client_ca)
{
	static const char *const names[] = { "localhost", NULL }, *const addresses[] = { "127.0.0.1", NULL };
	static const char *const masters[] = { "system:masters", NULL };
	struct xb_cert_request ca = { .common_name = "ca", .is_ca = true, .days = 10 };
	struct xb_cert_request server = {
		.common_name = "server", .dns_names = names, .ip_addresses = addresses, .server_auth = true, .days = 10,
	};
	struct xb_cert_request client = { .common_name = "kubernetes-admin", .organizations = masters, .client_auth = true, .days = 10 };
	struct xb_tls_config config = { .cert_file = "server.crt", .key_file = "server.key", .client_ca_file = client_ca ? "ca.crt" : NULL };

	assert_int_equal(xb_cert_make(&ca, NULL, NULL, "ca.crt", "ca.key", NULL), 0);
	assert_int_equal(xb_cert_make(&server, "ca.crt", "ca.key", "server.crt", "server.key", NULL), 0);
	assert_int_equal(xb_cert_make(&client, "ca.crt", "ca.key", "client.crt", "client.key", NULL), 0);
	assert_int_equal(xb_tls_server_new(&config, &f.tls, NULL), 0);
	f.client_ctx = SSL_CTX_new(TLS_client_method());
	assert_int_equal(SSL_CTX_load_verify_file(f.client_ctx, "ca.crt"), 1);
	SSL_CTX_set_verify(f.client_ctx, SSL_VERIFY_PEER, NULL);
}

static struct client dial(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				  .sin_port = htons(xb_http_server_port(f.server)) };
	struct client c = { .fd = socket(AF_INET, SOCK_STREAM, 0) };
	int r;

	assert_int_equal(connect(c.fd, (struct sockaddr *)&to, sizeof(to)), 0);
	fcntl(c.fd, F_SETFL, O_NONBLOCK);
	if (!f.tls)
		return c;
	c.ssl = SSL_new(f.client_ctx);
	SSL_set_fd(c.ssl, c.fd);
	SSL_set_connect_state(c.ssl);
	if (f.resume)
		SSL_set_session(c.ssl, f.resume);
	assert_int_equal(SSL_set1_host(c.ssl, "localhost"), 1);
	wait_for((r = SSL_do_handshake(c.ssl)) == 1 || SSL_get_error(c.ssl, r) != SSL_ERROR_WANT_READ);
	assert_int_equal(r, 1);
	return c;
}

static void client_done(struct client *c)
{
	SSL_free(c->ssl);
	close(c->fd);
	xb_buf_done(&c->got);
}

static void say_bytes(struct client *c, const char *p, size_t n)
{
	while (n) {
		ssize_t r = c->ssl ? SSL_write(c->ssl, p, n) : send(c->fd, p, n, MSG_NOSIGNAL);

		if (r < 0 && !c->ssl && errno != EAGAIN)
			return; /* the server has closed: what it said counts */
		if (r > 0)
			p += r, n -= r;
		else
			turn();
	}
}
#define say(c, text) say_bytes((c), (text), strlen(text))

/* Reads what there is. */
static bool hear(struct client *c)
{
	char block[16384];
	ssize_t r;

	while ((r = c->ssl ? SSL_read(c->ssl, block, sizeof(block)) : recv(c->fd, block, sizeof(block), 0)) > 0)
		xb_buf_add(&c->got, block, r);
	c->closed |= r == 0 && (!c->ssl || SSL_get_error(c->ssl, 0) != SSL_ERROR_WANT_READ);
	c->closed |= r < 0 && !c->ssl && errno == ECONNRESET;
	return true;
}

static size_t count(struct client *c, const char *what)
{
	size_t n = 0;

	for (const char *p = c->got.p; p && (p = strstr(p, what)); p += strlen(what))
		n++;
	return n;
}
#define expect(c, text) wait_for(hear(c) && count((c), (text)))
#define expect_closed(c) wait_for(hear(c) && (c)->closed)

static uint64_t connections(void)
{
	struct xb_http_stats stats;

	xb_http_server_stats(f.server, &stats);
	return stats.connections;
}

static void requests_in_order_on_one_connection(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };

	start((struct xb_http_config){});
	c = dial();
	say(&c, "GET /one HTTP/1.1\r\nHost: h\r\n\r\nGET /later HTTP/1.1\r\nHost: h\r\n\r\nPOST /three HTTP/1.1\r\nHost: h\r\n"
		"Content-Length: 5\r\n\r\nhelloGET /four HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	expect(&c, "X-Path: ok\r\n\r\n/one");
	wait_for(f.kept);
	assert_int_equal(f.handled, 2);
	xb_http_respond(TAKE_PTR(f.kept), 201, NULL, XB_SV("second"));
	expect_closed(&c);
	assert_non_null(strstr(c.got.p, "second"));
	assert_true(strstr(c.got.p, "second") < strstr(c.got.p, "hello"));
	assert_true(strstr(c.got.p, "hello") < strstr(c.got.p, "/four"));
	assert_int_equal(count(&c, "HTTP/1.1 200 OK\r\n"), 3);
	assert_int_equal(count(&c, "HTTP/1.1 201 Created\r\n"), 1);
	assert_int_equal(count(&c, "Connection: close\r\n"), 1);
	wait_for(connections() == 0);
}

static void what_is_pipelined_waits_outside(void **state)
{
	static const char request[] = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";
	_cleanup_(client_done) struct client c = { .fd = -1 };
	struct xb_http_stats stats;
	size_t sent = 0;

	start((struct xb_http_config){});
	c = dial();
	say(&c, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(f.kept);
	for (int i = 0; i < 20000; i++)
		if (send(c.fd, request, sizeof(request) - 1, MSG_NOSIGNAL) == sizeof(request) - 1)
			sent++;
		else
			break;
	assert_true(sent * sizeof(request) > 200000);
	for (int i = 0; i < 50; i++)
		turn();
	xb_http_server_stats(f.server, &stats);
	assert_true(stats.bytes_in < 100000);
	xb_http_respond(TAKE_PTR(f.kept), 200, NULL, XB_SV("now"));
	wait_for(hear(&c) && f.handled == sent + 1);
	wait_for(hear(&c) && count(&c, "HTTP/1.1 200 OK") == sent + 1);
}

static void head_and_204_have_no_body(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };

	start((struct xb_http_config){});
	c = dial();
	say(&c, "HEAD /name HTTP/1.1\r\nHost: h\r\n\r\nGET /later HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	wait_for(f.kept);
	xb_http_respond(TAKE_PTR(f.kept), 204, NULL, (struct xb_sv){});
	expect_closed(&c);
	assert_int_equal(count(&c, "Content-Length: 5\r\n"), 1);
	assert_int_equal(count(&c, "Content-Length"), 1);
	assert_int_equal(count(&c, "/name"), 0);
}

static void a_chunked_body_and_100_continue(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };

	start((struct xb_http_config){});
	c = dial();
	say(&c, "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n");
	expect(&c, "HTTP/1.1 100 Continue\r\n\r\n");
	say(&c, "3;ext=1\r\nabc\r\n4\r\ndefg\r\n0\r\nTrailer: x\r\n\r\n");
	expect(&c, "\r\n\r\nabcdefg");
}

static void limits_are_answered_in_words(void **state)
{
	static const struct {
		const char *request, *reply;
		size_t filler;
	} cases[] = {
		{ "GET / HTTP/1.1\r\n\r\n", "400 Bad Request", 0 },
		{ "GET /x HTTP/3.0\r\n\r\n", "505 ", 0 },
		{ "\x16\x03\x01\x02\r\n", "400 Bad Request", 0 },
		{ "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4000000\r\n\r\n", "413 Content Too Large", 4000000 },
		{ "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n400000\r\n", "413 Content Too Large", 4000000 },
		{ "GET / HTTP/1.1\r\nHost: h\r\nX: ", "431 Request Header Fields Too Large", 100000 },
		{ "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "400 Bad Request", 0 },
	};
	char *filler = malloc(4000000);

	start((struct xb_http_config){});
	memset(filler, 'a', 4000000);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(client_done) struct client c = dial();

		say(&c, cases[i].request);
		say_bytes(&c, filler, cases[i].filler);
		expect_closed(&c);
		assert_non_null(strstr(c.got.p, cases[i].reply));
		assert_int_equal(count(&c, "Content-Type: application/json\r\n"), 1);
		assert_int_equal(count(&c, "Connection: close\r\n"), 1);
		assert_int_equal(count(&c, "{\"code\":"), 1);
	}
	free(filler);
	assert_int_equal(f.handled, 0);
	wait_for(connections() == 0);
}

static void slow_requests_get_408(void **state)
{
	_cleanup_(client_done) struct client head = { .fd = -1 }, body = { .fd = -1 }, silent = { .fd = -1 };

	start((struct xb_http_config){ .header_seconds = 1, .body_seconds = 1 });
	head = dial();
	body = dial();
	silent = dial();
	say(&head, "GET / HTTP/1.1\r\n");
	say(&body, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc");
	expect_closed(&head);
	expect_closed(&body);
	expect_closed(&silent);
	assert_int_equal(count(&head, "HTTP/1.1 408 "), 1);
	assert_int_equal(count(&body, "HTTP/1.1 408 "), 1);
	assert_int_equal(silent.got.n, 0);
	wait_for(connections() == 0);
}

static void idle_connections_are_closed(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };

	start((struct xb_http_config){ .idle_seconds = 1 });
	c = dial();
	say(&c, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
	expect(&c, "\r\n\r\n/a");
	expect_closed(&c);
	assert_int_equal(count(&c, "HTTP/1.1"), 1);
}

static void a_request_may_be_answered_late(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };
	uint64_t until;

	start((struct xb_http_config){ .header_seconds = 1, .body_seconds = 1, .idle_seconds = 1 });
	c = dial();
	say(&c, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(f.kept);
	until = uv_hrtime() + 1500000000;
	wait_for(uv_hrtime() > until);
	xb_http_respond(TAKE_PTR(f.kept), 200, NULL, XB_SV("at last"));
	expect(&c, "at last");
}

static void a_half_closed_client_gets_its_reply(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };

	start((struct xb_http_config){});
	c = dial();
	say(&c, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
	shutdown(c.fd, SHUT_WR);
	wait_for(f.kept);
	for (int i = 0; i < 20; i++)
		turn();
	xb_http_respond(TAKE_PTR(f.kept), 200, NULL, XB_SV("here you are"));
	expect_closed(&c);
	assert_int_equal(count(&c, "here you are"), 1);
	wait_for(connections() == 0);
}

static void a_half_closed_client_gets_a_whole_stream(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };

	f.left = 3 << 20;
	start((struct xb_http_config){});
	c = dial();
	say(&c, "GET /large HTTP/1.0\r\n\r\n");
	shutdown(c.fd, SHUT_WR);
	expect_closed(&c);
	assert_int_equal(c.got.n - (strstr(c.got.p, "\r\n\r\n") + 4 - c.got.p), 3 << 20);
	assert_int_equal(f.closed, 0);
}

static void a_client_that_leaves_ends_its_watch(void **state)
{
	start((struct xb_http_config){});
	for (int reset = 0; reset < 2; reset++) {
		struct client c = dial();
		struct linger now = { .l_onoff = 1 };

		say(&c, "GET /watch HTTP/1.1\r\nHost: h\r\n\r\n");
		expect(&c, "Transfer-Encoding: chunked\r\n");
		xb_http_stream_write(f.kept, XB_SV("{\"type\":\"ADDED\"}\n"));
		expect(&c, "11\r\n{\"type\":\"ADDED\"}\n\r\n");
		if (reset)
			setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		client_done(&c);
		wait_for(f.closed == reset + 1u);
		wait_for(connections() == 0);
	}
}

static void a_client_that_leaves_before_its_reply_is_survived(void **state)
{
	struct client c;
	struct linger now = { .l_onoff = 1 };

	start((struct xb_http_config){});
	c = dial();
	say(&c, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(f.kept);
	setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	client_done(&c);
	for (int i = 0; i < 20; i++)
		turn();
	assert_int_equal(connections(), 1);
	xb_http_respond(TAKE_PTR(f.kept), 200, NULL, XB_SV("to nobody"));
	wait_for(connections() == 0);
}

static void a_slow_reader_does_not_grow_memory(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };
	size_t before;

	f.left = 32 << 20;
	start((struct xb_http_config){});
	c = dial();
	say(&c, "GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
	for (int i = 0; i < 50; i++)
		turn();
	before = f.left;
	assert_true(before > 1 << 20);
	for (int i = 0; i < 50; i++)
		turn();
	assert_int_equal(f.left, before);
	expect(&c, "\r\n0\r\n\r\n");
	assert_true(c.got.n > 32 << 20);
	assert_true(f.most_pending < (64 + 16) << 10);
}

static void a_request_is_gone_when_its_reply_has_left(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };
	struct xb_buf body = {};

	assert_int_equal(xb_buf_reserve(&body, 32 << 20), 0);
	memset(body.p, 'x', 32 << 20);
	body.n = 32 << 20;
	start((struct xb_http_config){});
	c = dial();
	say(&c, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(f.kept);
	xb_http_respond_buf(TAKE_PTR(f.kept), 200, "text/plain", &body);
	for (int i = 0; i < 50; i++)
		turn();
	assert_int_equal(f.gone, 0);
	wait_for(hear(&c) && f.gone == 1);
	say(&c, "GET /watch HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(f.kept);
	assert_int_equal(f.gone, 1);
	client_done(&c);
	wait_for(f.gone == 2);
}

static void shared_chunks_reach_every_stream(void **state)
{
	_cleanup_(client_done) struct client a = { .fd = -1 }, b = { .fd = -1 };
	struct xb_http_chunk *chunk = xb_http_chunk_new(XB_SV("shared\n"));
	struct xb_http_request *first;

	start((struct xb_http_config){});
	a = dial();
	say(&a, "GET /watch HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(f.kept);
	first = TAKE_PTR(f.kept);
	b = dial();
	say(&b, "GET /watch HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(f.kept);
	xb_http_stream_write_chunk(first, chunk);
	xb_http_stream_write_chunk(f.kept, chunk);
	xb_http_chunk_unref(chunk);
	xb_http_stream_end(first);
	xb_http_stream_end(TAKE_PTR(f.kept));
	expect(&a, "7\r\nshared\n\r\n0\r\n\r\n");
	expect(&b, "7\r\nshared\n\r\n0\r\n\r\n");
}

static void on_done(void *arg)
{
	f.done = true;
}

static void shutdown_ends_idle_ones_and_streams_and_waits_for_replies(void **state)
{
	_cleanup_(client_done) struct client idle = { .fd = -1 }, watch = { .fd = -1 }, later = { .fd = -1 };
	struct xb_http_request *kept;

	start((struct xb_http_config){});
	idle = dial();
	watch = dial();
	later = dial();
	say(&idle, "GET /idle HTTP/1.1\r\nHost: h\r\n\r\n");
	expect(&idle, "\r\n\r\n/idle");
	say(&later, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(f.kept);
	kept = TAKE_PTR(f.kept);
	say(&watch, "GET /watch HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(f.kept);
	xb_http_server_shutdown(f.server, 60000, on_done, NULL);
	expect_closed(&idle);
	expect_closed(&watch);
	assert_int_equal(f.shutdowns, 1);
	assert_int_equal(count(&watch, "\r\n0\r\n\r\n"), 1);
	assert_false(f.done);
	xb_http_respond(kept, 200, NULL, XB_SV("finished"));
	expect_closed(&later);
	assert_int_equal(count(&later, "finished"), 1);
	shutdown(later.fd, SHUT_RDWR);
	shutdown(watch.fd, SHUT_RDWR);
	wait_for(f.done);
}

static void shutdown_gives_up_after_its_grace(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };

	start((struct xb_http_config){});
	c = dial();
	say(&c, "GET /watch HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(f.kept);
	xb_http_on_close(f.kept, on_close, NULL);
	xb_http_server_shutdown(f.server, 50, on_done, NULL);
	wait_for(f.done);
	assert_int_equal(f.closed, 1);
}

static void connections_beyond_the_limit_are_closed(void **state)
{
	_cleanup_(client_done) struct client a = { .fd = -1 }, b = { .fd = -1 };

	start((struct xb_http_config){ .max_connections = 1 });
	a = dial();
	say(&a, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
	expect(&a, "/a");
	b = dial();
	expect_closed(&b);
}

static void no_descriptors_left_does_not_spin(void **state)
{
	_cleanup_(client_done) struct client a = { .fd = -1 };
	struct rlimit before, none;
	int filler[1024], n = 0;
	uint64_t until;

	start((struct xb_http_config){});
	getrlimit(RLIMIT_NOFILE, &before);
	none = (struct rlimit){ MIN(before.rlim_cur, 256u), before.rlim_max };
	setrlimit(RLIMIT_NOFILE, &none);
	a = dial();
	while (n < 1024 && (filler[n] = dup(a.fd)) >= 0)
		n++;
	f.turns = 0;
	until = uv_hrtime() + 300000000;
	wait_for(uv_hrtime() > until);
	assert_true(f.turns < 500);
	while (n)
		close(filler[--n]);
	setrlimit(RLIMIT_NOFILE, &before);
	say(&a, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
	expect(&a, "\r\n\r\n/a");
}

static void tls_serves_and_tells_the_clients_name(void **state)
{
	static const unsigned char alpn[] = "\x08http/1.1";
	_cleanup_(client_done) struct client anonymous = { .fd = -1 }, named = { .fd = -1 };
	const unsigned char *chosen;
	unsigned n;

	use_tls(true);
	start((struct xb_http_config){ .tls = f.tls });
	SSL_CTX_set_alpn_protos(f.client_ctx, alpn, sizeof(alpn) - 1);
	anonymous = dial();
	say(&anonymous, "GET /whoami HTTP/1.1\r\nHost: h\r\n\r\n");
	expect(&anonymous, "\r\n\r\nnobody");
	SSL_get0_alpn_selected(anonymous.ssl, &chosen, &n);
	assert_int_equal(n, 8);
	assert_memory_equal(chosen, "http/1.1", 8);
	assert_int_equal(SSL_CTX_use_certificate_chain_file(f.client_ctx, "client.crt"), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey_file(f.client_ctx, "client.key", SSL_FILETYPE_PEM), 1);
	named = dial();
	say(&named, "GET /whoami HTTP/1.1\r\nHost: h\r\n\r\n");
	expect(&named, "\r\n\r\nkubernetes-admin");
}

static void a_certificate_of_another_ca_is_none(void **state)
{
	struct xb_cert_request other = { .common_name = "intruder", .client_auth = true, .days = 1 };
	_cleanup_(client_done) struct client c = { .fd = -1 };

	use_tls(true);
	start((struct xb_http_config){ .tls = f.tls });
	assert_int_equal(xb_cert_make(&other, NULL, NULL, "other.crt", "other.key", NULL), 0);
	assert_int_equal(SSL_CTX_use_certificate_chain_file(f.client_ctx, "other.crt"), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey_file(f.client_ctx, "other.key", SSL_FILETYPE_PEM), 1);
	c = dial();
	say(&c, "GET /whoami HTTP/1.1\r\nHost: h\r\n\r\n");
	expect(&c, "\r\n\r\nnobody");
}

static void tls_resumes_by_ticket_and_keeps_the_clients_name(void **state)
{
	_cleanup_(client_done) struct client first = { .fd = -1 }, second = { .fd = -1 };

	use_tls(true);
	start((struct xb_http_config){ .tls = f.tls });
	SSL_CTX_use_certificate_chain_file(f.client_ctx, "client.crt");
	SSL_CTX_use_PrivateKey_file(f.client_ctx, "client.key", SSL_FILETYPE_PEM);
	first = dial();
	say(&first, "GET /whoami HTTP/1.1\r\nHost: h\r\n\r\n");
	expect(&first, "kubernetes-admin");
	assert_false(SSL_session_reused(first.ssl));
	f.resume = SSL_get1_session(first.ssl);
	second = dial();
	assert_true(SSL_session_reused(second.ssl));
	say(&second, "GET /whoami HTTP/1.1\r\nHost: h\r\n\r\n");
	expect(&second, "kubernetes-admin");
}

static void old_tls_is_refused(void **state)
{
	struct client c = { .fd = -1 };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int r = 0;

	use_tls(false);
	start((struct xb_http_config){ .tls = f.tls });
	SSL_CTX_set_min_proto_version(f.client_ctx, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(f.client_ctx, TLS1_1_VERSION);
	SSL_CTX_set_cipher_list(f.client_ctx, "ALL:@SECLEVEL=0");
	to.sin_port = htons(xb_http_server_port(f.server));
	c.fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(c.fd, (struct sockaddr *)&to, sizeof(to)), 0);
	fcntl(c.fd, F_SETFL, O_NONBLOCK);
	c.ssl = SSL_new(f.client_ctx);
	SSL_set_fd(c.ssl, c.fd);
	wait_for((r = SSL_connect(c.ssl)) == 1 || SSL_get_error(c.ssl, r) != SSL_ERROR_WANT_READ);
	assert_int_not_equal(r, 1);
	client_done(&c);
	wait_for(connections() == 0);
}

static void plain_http_to_a_tls_port_is_told(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };
	struct xb_tls *tls;

	use_tls(false);
	tls = f.tls;
	start((struct xb_http_config){ .tls = tls });
	f.tls = NULL;
	c = dial();
	f.tls = tls;
	say(&c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	expect_closed(&c);
	assert_non_null(strstr(c.got.p, "Client sent an HTTP request to an HTTPS server."));
}

static void tls_streams_to_a_slow_reader(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };

	f.left = 16 << 20;
	use_tls(false);
	start((struct xb_http_config){ .tls = f.tls });
	c = dial();
	say(&c, "GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
	for (int i = 0; i < 50; i++)
		turn();
	assert_true(f.left > 1 << 20);
	expect(&c, "\r\n0\r\n\r\n");
	assert_true(f.most_pending < (64 + 16) << 10);
}

static void tls_takes_a_large_body(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };
	char *body = malloc(3 << 20);

	use_tls(false);
	start((struct xb_http_config){ .tls = f.tls });
	memset(body, 'b', 3 << 20);
	c = dial();
	say(&c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3145728\r\nConnection: close\r\n\r\n");
	say_bytes(&c, body, 3 << 20);
	expect_closed(&c);
	assert_int_equal(c.got.n - (strstr(c.got.p, "\r\n\r\n") + 4 - c.got.p), 3 << 20);
	free(body);
}

static void a_handshake_that_never_ends_is_cut(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };
	struct xb_tls *tls;

	use_tls(false);
	tls = f.tls;
	start((struct xb_http_config){ .tls = tls, .header_seconds = 1 });
	f.tls = NULL;
	c = dial();
	f.tls = tls;
	say(&c, "\x16\x03\x01");
	expect_closed(&c);
	wait_for(connections() == 0);
}

static void percent_decoding(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};

	assert_int_equal(xb_http_decode(XB_SV("a%2Fb+c%3d"), false, &out), 0);
	assert_string_equal(out.p, "a/b+c=");
	xb_buf_clear(&out);
	assert_int_equal(xb_http_decode(XB_SV("a+b"), true, &out), 0);
	assert_string_equal(out.p, "a b");
	assert_int_equal(xb_http_decode(XB_SV("%"), true, &out), -EINVAL);
	assert_int_equal(xb_http_decode(XB_SV("%4"), true, &out), -EINVAL);
	assert_int_equal(xb_http_decode(XB_SV("%4g"), true, &out), -EINVAL);
	assert_int_equal(xb_http_decode(XB_SV("%00"), true, &out), -EINVAL);
	assert_int_equal(out.n, 3);
}

static int setup(void **state)
{
	f = (struct fixture){ .dir = "/tmp/xebec-test-XXXXXX" };
	uv_loop_init(&f.loop);
	uv_timer_init(&f.loop, &f.tick);
	uv_timer_start(&f.tick, on_tick, 2, 2);
	return mkdtemp(f.dir) ? chdir(f.dir) : -1;
}

static int teardown(void **state)
{
	static const char *const files[] = { "ca", "server", "client", "other" };
	char name[32];

	xb_http_server_free(f.server);
	uv_close((uv_handle_t *)&f.tick, NULL);
	uv_run(&f.loop, UV_RUN_DEFAULT);
	assert_int_equal(f.gone, f.handled); /* each once, whatever the test did */
	xb_tls_free(f.tls);
	SSL_SESSION_free(f.resume);
	SSL_CTX_free(f.client_ctx);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(name, sizeof(name), "%s.crt", files[i]);
		unlink(name);
		snprintf(name, sizeof(name), "%s.key", files[i]);
		unlink(name);
	}
	rmdir(f.dir);
	return uv_loop_close(&f.loop);
}

int main(void)
{
#define t(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		t(requests_in_order_on_one_connection), t(what_is_pipelined_waits_outside),
		t(head_and_204_have_no_body), t(a_chunked_body_and_100_continue),
		t(limits_are_answered_in_words), t(slow_requests_get_408), t(idle_connections_are_closed),
		t(a_request_may_be_answered_late), t(a_half_closed_client_gets_its_reply),
		t(a_half_closed_client_gets_a_whole_stream), t(a_client_that_leaves_ends_its_watch),
		t(a_client_that_leaves_before_its_reply_is_survived), t(a_slow_reader_does_not_grow_memory),
		t(a_request_is_gone_when_its_reply_has_left),
		t(shared_chunks_reach_every_stream), t(shutdown_ends_idle_ones_and_streams_and_waits_for_replies),
		t(shutdown_gives_up_after_its_grace), t(connections_beyond_the_limit_are_closed),
		t(no_descriptors_left_does_not_spin), t(tls_serves_and_tells_the_clients_name),
		t(a_certificate_of_another_ca_is_none), t(tls_resumes_by_ticket_and_keeps_the_clients_name), t(old_tls_is_refused),
		t(plain_http_to_a_tls_port_is_told),
		t(tls_streams_to_a_slow_reader), t(tls_takes_a_large_body), t(a_handshake_that_never_ends_is_cut), t(percent_decoding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
