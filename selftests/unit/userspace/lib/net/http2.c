/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <zlib.h>
#include "xb/http_server.h"

#define DEADLINE_MS 20000
#define STREAMS 8192

/* Client and server share one thread and one loop, as in the test of HTTP/1.1; nghttp2 speaks for the client. */
static struct fixture {
	uv_loop_t loop;
	uv_timer_t tick;
	struct xb_http_server *server;
	struct xb_tls *tls;
	SSL_CTX *client_ctx;
	char dir[32];
	struct xb_http_request *kept[STREAMS];  /* of the handler, when it answers later */
	unsigned n_kept, handled, gone, closed, shutdowns;
	size_t left, most_pending;              /* of a stream */
	bool done;
} f;

struct reply {
	int status;
	char encoding[16];
	long length;                            /* as announced; -1: not */
	struct xb_buf body;
	struct xb_sv to_send;
	bool closed;
	uint32_t error;
};

struct client {
	int fd;
	SSL *ssl;
	nghttp2_session *session;
	struct reply *replies;                  /* by stream id / 2 */
	bool asleep;                            /* reads nothing */
	bool closed, goaway;
	uint32_t goaway_error;
};

static void on_tick(uv_timer_t *t)
{
}

static void on_close(struct xb_http_request *r)
{
	f.closed++;
}

static void on_gone(void *arg)
{
	f.gone++;
}

static void on_shutdown(struct xb_http_request *r)
{
	f.shutdowns++;
	xb_http_stream_end(r);
}

static void pump(struct xb_http_request *r)
{
	static char block[8192];

	memset(block, 'x', sizeof(block));
	while (f.left && xb_http_stream_pending(r) < 64 << 10) {
		size_t n = MIN(f.left, sizeof(block));

		xb_http_stream_write(r, (struct xb_sv){ block, n });
		f.left -= n;
		f.most_pending = MAX(f.most_pending, xb_http_stream_pending(r));
	}
	if (!f.left)
		xb_http_stream_end(r);
}

static void answer_json(struct xb_http_request *r)
{
	struct xb_buf body = {};

	for (int i = 0; i < 20000; i++)
		xb_buf_addf(&body, "{\"name\":\"pod-%d\"},", i);
	xb_http_respond_buf(r, 200, "application/json", &body);
}

static void handler(struct xb_http_request *r, void *arg)
{
	const struct xb_tls_peer *peer = xb_http_peer_cert(r);
	struct xb_sv path = xb_http_path(r), body = xb_http_body(r);

	f.handled++;
	xb_http_on_gone(r, on_gone, NULL);
	if (xb_sv_is(path, "/later") || xb_sv_is(path, "/watch"))
		f.kept[f.n_kept++] = r;
	if (xb_sv_is(path, "/watch")) {
		xb_http_on_close(r, on_close, on_shutdown);
		xb_http_stream_begin(r, 200, "application/json", NULL);
	} else if (xb_sv_is(path, "/large")) {
		xb_http_on_close(r, on_close, NULL);
		xb_http_stream_begin(r, 200, "text/plain", pump);
		pump(r);
	} else if (xb_sv_is(path, "/whoami")) {
		xb_http_respond(r, 200, "text/plain", xb_sv(peer ? peer->common_name : "nobody"));
	} else if (xb_sv_is(path, "/json")) {
		answer_json(r);
	} else if (xb_sv_is(path, "/host")) {
		xb_http_respond(r, 200, "text/plain", xb_http_header(r, "Host"));
	} else if (xb_sv_is(path, "/none")) {
		xb_http_respond(r, 204, NULL, (struct xb_sv){});
	} else if (!xb_sv_is(path, "/later")) {
		xb_http_add_header(r, "X-Path", "ok");
		xb_http_respond(r, 200, "text/plain", body.n ? body : path);
	}
}

static void fault_body(int code, const char *message, struct xb_buf *out, const char **ret_content_type)
{
	xb_buf_addf(out, "{\"code\":%d}", code);
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

/* --- the client --- */
static struct reply *reply_of(struct client *c, int32_t id)
{
	assert_true(id > 0 && id / 2 < STREAMS);
	return &c->replies[id / 2];
}

static int client_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_n,
			 const uint8_t *value, size_t value_n, uint8_t flags, void *arg)
{
	struct reply *reply = reply_of(arg, frame->hd.stream_id);

	if (!strcmp((char *)name, ":status"))
		reply->status = atoi((char *)value);
	else if (!strcmp((char *)name, "content-length"))
		reply->length = atol((char *)value);
	else if (!strcmp((char *)name, "content-encoding"))
		snprintf(reply->encoding, sizeof(reply->encoding), "%s", (char *)value);
	return 0;
}

static int client_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t n, void *arg)
{
	xb_buf_add(&reply_of(arg, id)->body, bytes, n);
	return 0;
}

static int client_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *arg)
{
	reply_of(arg, id)->closed = true;
	reply_of(arg, id)->error = error;
	return 0;
}

static int client_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct client *c = arg;

	if (frame->hd.type != NGHTTP2_GOAWAY)
		return 0;
	c->goaway = true;
	c->goaway_error = frame->goaway.error_code;
	return 0;
}

static ssize_t client_read_body(nghttp2_session *session, int32_t id, uint8_t *to, size_t n, uint32_t *flags,
				nghttp2_data_source *source, void *arg)
{
	struct reply *reply = reply_of(arg, id);

	n = MIN(n, reply->to_send.n);
	memcpy(to, reply->to_send.p, n);
	reply->to_send = (struct xb_sv){ reply->to_send.p + n, reply->to_send.n - n };
	if (!reply->to_send.n)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return n;
}

/* One exchange of what both sides have to say. */
static bool turn(struct client *c)
{
	uint8_t block[16384];
	const uint8_t *bytes;
	ssize_t n, r;

	while (!c->closed && (n = nghttp2_session_mem_send(c->session, &bytes)) > 0)
		for (ssize_t at = 0; at < n && !c->closed; at += MAX(r, 0)) {
			r = c->ssl ? SSL_write(c->ssl, bytes + at, n - at) : send(c->fd, bytes + at, n - at, MSG_NOSIGNAL);
			c->closed |= r < 0 && !c->ssl && errno != EAGAIN;
			if (r < 0)
				uv_run(&f.loop, UV_RUN_ONCE);
		}
	uv_run(&f.loop, UV_RUN_ONCE);
	if (c->asleep)
		return true;
	while ((r = c->ssl ? SSL_read(c->ssl, block, sizeof(block)) : recv(c->fd, block, sizeof(block), 0)) > 0)
		assert_true(nghttp2_session_mem_recv(c->session, block, r) >= 0);
	c->closed |= r == 0 && (!c->ssl || SSL_get_error(c->ssl, 0) != SSL_ERROR_WANT_READ);
	c->closed |= r < 0 && !c->ssl && errno == ECONNRESET;
	return true;
}

#define wait_for(c, condition) do {                                                  \
		uint64_t until_ = uv_hrtime() / 1000000 + DEADLINE_MS;               \
		while (!(condition) && uv_hrtime() / 1000000 < until_)               \
			turn(c);                                                     \
		assert_true(condition);                                              \
	} while (0)

static void open_socket(struct client *c)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				  .sin_port = htons(xb_http_server_port(f.server)) };

	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(c->fd, (struct sockaddr *)&to, sizeof(to)), 0);
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
}

/* window 0: as large as it may be */
static void dial(struct client *c, unsigned window)
{
	nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window ? window : NGHTTP2_MAX_WINDOW_SIZE },
	};
	nghttp2_session_callbacks *callbacks;
	nghttp2_option *option;

	c->replies = calloc(STREAMS, sizeof(*c->replies));
	for (int i = 0; i < STREAMS; i++)
		c->replies[i].length = -1;
	open_socket(c);
	nghttp2_session_callbacks_new(&callbacks);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, client_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, client_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, client_stream_close);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, client_frame);
	nghttp2_option_new(&option);
	nghttp2_option_set_no_auto_window_update(option, window > 0);
	nghttp2_option_set_peer_max_concurrent_streams(option, 1000);
	assert_int_equal(nghttp2_session_client_new2(&c->session, callbacks, c, option), 0);
	nghttp2_option_del(option);
	nghttp2_session_callbacks_del(callbacks);
	nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, settings, 1);
	nghttp2_session_set_local_window_size(c->session, NGHTTP2_FLAG_NONE, 0, NGHTTP2_MAX_WINDOW_SIZE);
}

static void client_done(struct client *c)
{
	nghttp2_session_del(c->session);
	for (int i = 0; c->replies && i < STREAMS; i++)
		xb_buf_done(&c->replies[i].body);
	free(c->replies);
	SSL_free(c->ssl);
	if (c->fd > 0)
		close(c->fd);
}

static nghttp2_nv field(const char *name, const char *value)
{
	return (nghttp2_nv){ (uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE };
}

/* extra: one more field, or NULL. body.p == NULL: none. */
static int32_t ask(struct client *c, const char *method, const char *path, const char *extra, const char *value, struct xb_sv body)
{
	nghttp2_nv fields[] = { field(":method", method), field(":scheme", "http"), field(":authority", "example.org"),
				field(":path", path), field(extra ? extra : "", value) };
	nghttp2_data_provider provider = { .read_callback = client_read_body };
	int32_t id = nghttp2_submit_request(c->session, NULL, fields, extra ? 5 : 4, body.p ? &provider : NULL, NULL);

	assert_true(id > 0);
	reply_of(c, id)->to_send = body;
	return id;
}
#define get(c, path) ask((c), "GET", (path), NULL, "", (struct xb_sv){})

static void expect_reply(struct client *c, int32_t id, int status)
{
	wait_for(c, reply_of(c, id)->closed);
	assert_int_equal(reply_of(c, id)->status, status);
}

static void expect_body(struct client *c, int32_t id, const char *body)
{
	expect_reply(c, id, 200);
	assert_true(xb_sv_is(xb_buf_sv(&reply_of(c, id)->body), body));
}

static uint64_t connections(void)
{
	struct xb_http_stats stats;

	xb_http_server_stats(f.server, &stats);
	return stats.connections;
}

/* --- */
static void many_requests_at_once(void **state)
{
	_cleanup_(client_done) struct client c = {};
	int32_t later, ids[200];

	start((struct xb_http_config){});
	dial(&c, 0);
	later = get(&c, "/later");
	for (int i = 0; i < 200; i++)
		ids[i] = ask(&c, "POST", "/echo?x=1", NULL, "", i % 2 ? XB_SV("hello") : (struct xb_sv){});
	for (int i = 0; i < 200; i++)
		expect_body(&c, ids[i], i % 2 ? "hello" : "/echo");
	assert_false(reply_of(&c, later)->closed);
	expect_body(&c, get(&c, "/host"), "example.org");
	xb_http_respond(f.kept[0], 201, NULL, XB_SV("at last"));
	expect_reply(&c, later, 201);
	assert_int_equal(reply_of(&c, later)->length, 7);
	assert_int_equal(f.handled, 202);
}

static void more_than_the_limit_are_refused(void **state)
{
	_cleanup_(client_done) struct client c = {};
	int32_t ids[400];
	unsigned refused = 0;

	start((struct xb_http_config){});
	dial(&c, 0);
	for (int i = 0; i < 400; i++)
		ids[i] = get(&c, "/later");
	for (int i = 0; i < 50; i++)
		turn(&c);
	assert_int_equal(f.n_kept, 250);
	for (unsigned i = 0; i < f.n_kept; i++)
		xb_http_respond(f.kept[i], 200, NULL, XB_SV("ok"));
	for (int i = 0; i < 400; i++) {
		wait_for(&c, reply_of(&c, ids[i])->closed);
		refused += reply_of(&c, ids[i])->error == NGHTTP2_REFUSED_STREAM;
	}
	assert_int_equal(refused, 150);
}

static void head_and_204_have_no_body(void **state)
{
	_cleanup_(client_done) struct client c = {};
	int32_t head, none;

	start((struct xb_http_config){});
	dial(&c, 0);
	head = ask(&c, "HEAD", "/name", NULL, "", (struct xb_sv){});
	none = get(&c, "/none");
	expect_reply(&c, head, 200);
	assert_int_equal(reply_of(&c, head)->length, 5);
	assert_int_equal(reply_of(&c, head)->body.n, 0);
	expect_reply(&c, none, 204);
	assert_int_equal(reply_of(&c, none)->length, -1);
}

static void large_bodies_both_ways(void **state)
{
	_cleanup_(client_done) struct client c = {};
	size_t n = 3 << 20;
	char *body = malloc(n);
	int32_t ids[3];

	start((struct xb_http_config){});
	dial(&c, 0);
	for (size_t i = 0; i < n; i++)
		body[i] = i * 7 >> 3;
	for (int i = 0; i < 3; i++)
		ids[i] = ask(&c, "POST", "/echo", "content-length", "3145728", (struct xb_sv){ body, n });
	for (int i = 0; i < 3; i++) {
		expect_reply(&c, ids[i], 200);
		assert_int_equal(reply_of(&c, ids[i])->body.n, n);
		assert_memory_equal(reply_of(&c, ids[i])->body.p, body, n);
	}
	free(body);
}

static void a_slow_reader_of_one_stream_holds_up_no_other(void **state)
{
	_cleanup_(client_done) struct client c = {};
	int32_t large;
	size_t before;

	f.left = 8 << 20;
	start((struct xb_http_config){});
	dial(&c, 100000);
	large = get(&c, "/large");
	wait_for(&c, reply_of(&c, large)->body.n == 100000);
	before = f.left;
	assert_true(before > 7 << 20);
	for (int i = 0; i < 20; i++)
		expect_body(&c, get(&c, "/small"), "/small");
	assert_int_equal(f.left, before);
	assert_true(f.most_pending < (64 + 16) << 10);
	nghttp2_submit_window_update(c.session, NGHTTP2_FLAG_NONE, large, 16 << 20);
	wait_for(&c, reply_of(&c, large)->closed);
	assert_int_equal(reply_of(&c, large)->body.n, 8 << 20);
	assert_int_equal(f.closed, 0);
}

static void a_client_that_reads_nothing_does_not_grow_memory(void **state)
{
	_cleanup_(client_done) struct client c = {};
	int32_t large;
	size_t before;

	f.left = 32 << 20;
	start((struct xb_http_config){});
	dial(&c, 0);
	large = get(&c, "/large");
	c.asleep = true;
	for (int i = 0; i < 200; i++)
		turn(&c);
	before = f.left;
	assert_true(before > 1 << 20);
	for (int i = 0; i < 100; i++)
		turn(&c);
	assert_int_equal(f.left, before);
	assert_true(f.most_pending < (64 + 16) << 10);
	c.asleep = false;
	wait_for(&c, reply_of(&c, large)->closed);
	assert_int_equal(reply_of(&c, large)->body.n, 32 << 20);
}

static void a_reader_that_never_goes_on_is_left(void **state)
{
	_cleanup_(client_done) struct client c = {};
	int32_t large;

	f.left = 8 << 20;
	start((struct xb_http_config){ .body_seconds = 1 });
	dial(&c, 1000);
	large = get(&c, "/large");
	wait_for(&c, reply_of(&c, large)->closed);
	assert_int_equal(reply_of(&c, large)->error, NGHTTP2_CANCEL);
	assert_int_equal(f.closed, 1);
	expect_body(&c, get(&c, "/more"), "/more");
}

static void one_stream_ends_and_the_others_go_on(void **state)
{
	_cleanup_(client_done) struct client c = {};
	struct xb_http_chunk *chunk = xb_http_chunk_new(XB_SV("event\n"));
	int32_t a, b;

	start((struct xb_http_config){});
	dial(&c, 0);
	a = get(&c, "/watch");
	b = get(&c, "/watch");
	wait_for(&c, reply_of(&c, a)->status == 200 && reply_of(&c, b)->status == 200);
	xb_http_stream_write_chunk(f.kept[0], chunk);
	xb_http_stream_write_chunk(f.kept[1], chunk);
	xb_http_chunk_unref(chunk);
	wait_for(&c, reply_of(&c, a)->body.n == 6 && reply_of(&c, b)->body.n == 6);
	nghttp2_submit_rst_stream(c.session, NGHTTP2_FLAG_NONE, a, NGHTTP2_CANCEL);
	wait_for(&c, f.closed == 1);
	xb_http_stream_write(f.kept[1], XB_SV("again\n"));
	wait_for(&c, reply_of(&c, b)->body.n == 12);
	xb_http_stream_end(f.kept[1]);
	expect_body(&c, b, "event\nagain\n");
	assert_int_equal(f.closed, 1);
	assert_int_equal(connections(), 1);
}

static void a_client_that_leaves_is_survived(void **state)
{
	struct client c = {};

	start((struct xb_http_config){});
	dial(&c, 0);
	for (int i = 0; i < 10; i++)
		get(&c, i % 2 ? "/watch" : "/later");
	wait_for(&c, f.n_kept == 10);
	close(TAKE_FD(c.fd));
	c.closed = c.asleep = true;
	wait_for(&c, f.closed == 5);
	assert_int_equal(connections(), 1);
	for (int i = 0; i < 10; i += 2)
		xb_http_respond(f.kept[i], 200, NULL, XB_SV("to nobody"));
	wait_for(&c, connections() == 0);
	assert_int_equal(f.closed, 5);
	client_done(&c);
}

static void limits_are_answered_in_words(void **state)
{
	static const struct {
		const char *method, *path, *name, *value;
		int code;
		size_t body;
	} cases[] = {
		{ "POST", "/", "content-length", "4000000", 413, 4000000 },
		{ "POST", "/", NULL, "", 413, 4000000 },
		{ "GET", "/a#b", NULL, "", 400, 0 },
		{ "GET", "/", "expect", "miracles", 417, 0 },
		{ "GET", "/", "x-long", NULL, 431, 0 },
	};
	_cleanup_(client_done) struct client c = {};
	char *filler = malloc(4000000);

	start((struct xb_http_config){ .max_header_bytes = 4096 });
	dial(&c, 0);
	memset(filler, 'a', 4000000);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct xb_sv body = { cases[i].body ? filler : NULL, cases[i].body };
		char expected[16];
		int32_t id;

		filler[8000] = cases[i].value ? 'a' : 0;
		id = ask(&c, cases[i].method, cases[i].path, cases[i].name, cases[i].value ? cases[i].value : filler, body);
		filler[8000] = 'a';
		expect_reply(&c, id, cases[i].code);
		snprintf(expected, sizeof(expected), "{\"code\":%d}", cases[i].code);
		assert_true(xb_sv_is(xb_buf_sv(&reply_of(&c, id)->body), expected));
	}
	assert_int_equal(f.handled, 0);
	expect_body(&c, get(&c, "/still"), "/still");
	free(filler);
}

static void malformed_requests_are_reset(void **state)
{
	_cleanup_(client_done) struct client c = {};
	int32_t ids[4];

	start((struct xb_http_config){});
	dial(&c, 0);
	ids[0] = get(&c, "/a b");
	ids[1] = get(&c, "a");
	ids[2] = ask(&c, "GET", "/", "connection", "close", (struct xb_sv){});
	ids[3] = ask(&c, "POST", "/", "content-length", "7", XB_SV("hello"));
	for (int i = 0; i < 4; i++) {
		expect_reply(&c, ids[i], 0);
		assert_int_equal(reply_of(&c, ids[i])->error, NGHTTP2_PROTOCOL_ERROR);
	}
	expect_body(&c, get(&c, "/good"), "/good");
	assert_int_equal(f.handled, 1);
}

static void a_slow_body_gets_408_alone(void **state)
{
	_cleanup_(client_done) struct client c = {};
	nghttp2_nv fields[] = { field(":method", "POST"), field(":scheme", "http"), field(":authority", "h"), field(":path", "/") };
	int32_t id, watch;

	start((struct xb_http_config){ .body_seconds = 1 });
	dial(&c, 0);
	watch = get(&c, "/watch");
	id = nghttp2_submit_headers(c.session, NGHTTP2_FLAG_NONE, -1, NULL, fields, 4, NULL);
	expect_reply(&c, id, 408);
	assert_false(reply_of(&c, watch)->closed);
	expect_body(&c, get(&c, "/next"), "/next");
}

static void a_flood_of_resets_is_cut(void **state)
{
	_cleanup_(client_done) struct client c = {};
	int32_t ids[100];

	start((struct xb_http_config){});
	dial(&c, 0);
	expect_body(&c, get(&c, "/first"), "/first");
	for (int i = 0; i < 40 && !c.goaway; i++) {
		for (int n = 0; n < 100; n++)
			ids[n] = get(&c, "/watch");
		turn(&c);
		for (int n = 0; n < 100; n++)
			nghttp2_submit_rst_stream(c.session, NGHTTP2_FLAG_NONE, ids[n], NGHTTP2_CANCEL);
		turn(&c);
	}
	wait_for(&c, c.goaway && c.closed);
	shutdown(c.fd, SHUT_RDWR);
	wait_for(&c, connections() == 0);
	assert_int_equal(f.n_kept, f.closed);
	assert_true(f.n_kept < 1500);
}

static void floods_of_idle_frames_are_cut(void **state)
{
	start((struct xb_http_config){});
	for (int kind = 0; kind < 2; kind++) {
		_cleanup_(client_done) struct client c = {};

		dial(&c, 0);
		expect_body(&c, get(&c, "/first"), "/first");
		for (int n = 0; n < 3000 && !c.closed; n++) {
			if (kind == 0)
				nghttp2_submit_ping(c.session, NGHTTP2_FLAG_NONE, NULL);
			else
				nghttp2_submit_settings(c.session, NGHTTP2_FLAG_NONE, NULL, 0);
			if (n % 100 == 99)
				turn(&c);
		}
		wait_for(&c, c.goaway && c.closed);
		assert_int_equal(c.goaway_error, NGHTTP2_ENHANCE_YOUR_CALM);
	}
}

static void on_done(void *arg)
{
	f.done = true;
}

static void shutdown_says_goaway_and_lets_requests_end(void **state)
{
	_cleanup_(client_done) struct client c = {}, idle = {};
	int32_t watch, later;

	start((struct xb_http_config){});
	dial(&idle, 0);
	expect_body(&idle, get(&idle, "/idle"), "/idle");
	dial(&c, 0);
	later = get(&c, "/later");
	wait_for(&c, f.n_kept == 1);
	watch = get(&c, "/watch");
	wait_for(&c, f.n_kept == 2 && reply_of(&c, watch)->status);
	xb_http_server_shutdown(f.server, 60000, on_done, NULL);
	wait_for(&idle, idle.goaway && idle.closed);
	expect_reply(&c, watch, 200);
	assert_int_equal(f.shutdowns, 1);
	assert_int_equal(c.goaway_error, NGHTTP2_NO_ERROR);
	assert_false(f.done);
	xb_http_respond(f.kept[0], 200, NULL, XB_SV("finished"));
	expect_body(&c, later, "finished");
	wait_for(&c, c.closed);
	shutdown(c.fd, SHUT_RDWR);
	shutdown(idle.fd, SHUT_RDWR);
	wait_for(&c, f.done);
	assert_int_equal(f.closed, 0);
}

static void idle_connections_are_closed(void **state)
{
	_cleanup_(client_done) struct client c = {};

	start((struct xb_http_config){ .idle_seconds = 1 });
	dial(&c, 0);
	expect_body(&c, get(&c, "/a"), "/a");
	wait_for(&c, c.goaway && c.closed);
	assert_int_equal(c.goaway_error, NGHTTP2_NO_ERROR);
}

static void a_dead_peer_is_found_by_ping(void **state)
{
	_cleanup_(client_done) struct client dead = {}, alive = {};
	int32_t watch;
	uint64_t until;

	start((struct xb_http_config){ .idle_seconds = 2 });
	dial(&dead, 0);
	dial(&alive, 0);
	get(&dead, "/watch");
	wait_for(&dead, f.n_kept == 1);
	watch = get(&alive, "/watch");
	wait_for(&alive, f.n_kept == 2);
	wait_for(&alive, f.closed == 1);
	until = uv_hrtime() + 1500000000;
	wait_for(&alive, uv_hrtime() > until);
	assert_int_equal(f.closed, 1);
	assert_false(reply_of(&alive, watch)->closed);
	assert_int_equal(connections(), 1);
}

static void garbage_after_the_preface_is_survived(void **state)
{
	uint32_t seed = 1;
	struct client c = { .asleep = true, .closed = true };

	start((struct xb_http_config){});
	for (int round = 0; round < 300; round++) {
		uint8_t bytes[512];
		size_t n;

		for (n = 0; n < sizeof(bytes); n++)
			bytes[n] = (seed = seed * 1664525 + 1013904223) >> 24;
		/* frames of a likely type and length, so that more than the first header is looked at */
		for (n = 0; round % 2 && n + 9 < sizeof(bytes); n += 9 + bytes[n + 2]) {
			bytes[n] = bytes[n + 1] = 0;
			bytes[n + 2] &= 63;
			bytes[n + 3] = n ? bytes[n + 3] % 10 : NGHTTP2_SETTINGS;
			bytes[n + 4] &= n ? 0x2d : 0;
			memset(bytes + n + 5, 0, 3);
			bytes[n + 8] = n ? bytes[n + 8] & 7 : 0;
			if (!n)
				bytes[2] = 0;
		}
		open_socket(&c);
		send(c.fd, NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN, MSG_NOSIGNAL);
		send(c.fd, bytes, sizeof(bytes), MSG_NOSIGNAL);
		for (int i = 0; i < 2; i++)
			uv_run(&f.loop, UV_RUN_ONCE);
		close(c.fd);
	}
	c.session = NULL;
	for (int i = 0; i < 200 && connections(); i++)
		uv_run(&f.loop, UV_RUN_ONCE);
	assert_int_equal(connections(), 0);
}

static void large_json_goes_compressed_where_that_is_taken(void **state)
{
	_cleanup_(client_done) struct client c = {};
	static unsigned char plain[1 << 20];
	z_stream z = { .next_out = plain, .avail_out = sizeof(plain) };
	struct reply *packed, *unpacked;

	start((struct xb_http_config){});
	dial(&c, 0);
	packed = reply_of(&c, ask(&c, "GET", "/json", "accept-encoding", "br, gzip;q=0.5", (struct xb_sv){}));
	unpacked = reply_of(&c, ask(&c, "GET", "/json", "accept-encoding", "gzip;q=0", (struct xb_sv){}));
	wait_for(&c, packed->closed && unpacked->closed);
	assert_string_equal(packed->encoding, "gzip");
	assert_string_equal(unpacked->encoding, "");
	assert_int_equal(packed->length, packed->body.n);
	assert_true(packed->body.n < unpacked->body.n / 2);
	z.next_in = (unsigned char *)packed->body.p;
	z.avail_in = packed->body.n;
	assert_int_equal(inflateInit2(&z, 31), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	inflateEnd(&z);
	assert_int_equal(z.total_out, unpacked->body.n);
	assert_memory_equal(plain, unpacked->body.p, unpacked->body.n);
}

static void tls_agrees_on_h2_and_tells_the_clients_name(void **state)
{
	static const char *const names[] = { "localhost", NULL };
	static const unsigned char alpn[] = "\x08http/1.1\x02h2";
	struct xb_cert_request ca = { .common_name = "ca", .is_ca = true, .days = 10 };
	struct xb_cert_request server = { .common_name = "server", .dns_names = names, .server_auth = true, .days = 10 };
	struct xb_cert_request client = { .common_name = "admin", .client_auth = true, .days = 10 };
	struct xb_tls_config config = { .cert_file = "server.crt", .key_file = "server.key", .client_ca_file = "ca.crt" };
	_cleanup_(client_done) struct client c = {};
	const unsigned char *chosen;
	unsigned n;
	int r;

	assert_int_equal(xb_cert_make(&ca, NULL, NULL, "ca.crt", "ca.key", NULL), 0);
	assert_int_equal(xb_cert_make(&server, "ca.crt", "ca.key", "server.crt", "server.key", NULL), 0);
	assert_int_equal(xb_cert_make(&client, "ca.crt", "ca.key", "client.crt", "client.key", NULL), 0);
	assert_int_equal(xb_tls_server_new(&config, &f.tls, NULL), 0);
	f.client_ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_alpn_protos(f.client_ctx, alpn, sizeof(alpn) - 1);
	SSL_CTX_use_certificate_chain_file(f.client_ctx, "client.crt");
	SSL_CTX_use_PrivateKey_file(f.client_ctx, "client.key", SSL_FILETYPE_PEM);
	start((struct xb_http_config){ .tls = f.tls });
	dial(&c, 0);
	c.ssl = SSL_new(f.client_ctx);
	SSL_set_fd(c.ssl, c.fd);
	while ((r = SSL_connect(c.ssl)) != 1 && SSL_get_error(c.ssl, r) == SSL_ERROR_WANT_READ)
		uv_run(&f.loop, UV_RUN_ONCE);
	assert_int_equal(r, 1);
	SSL_get0_alpn_selected(c.ssl, &chosen, &n);
	assert_int_equal(n, 2);
	expect_body(&c, get(&c, "/whoami"), "admin");
	f.left = 4 << 20;
	r = get(&c, "/large");
	expect_reply(&c, r, 200);
	assert_int_equal(reply_of(&c, r)->body.n, 4 << 20);
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
	static const char *const files[] = { "ca.crt", "ca.key", "server.crt", "server.key", "client.crt", "client.key" };

	xb_http_server_free(f.server);
	uv_close((uv_handle_t *)&f.tick, NULL);
	/* what the handler has kept without on_close is still its own */
	uv_run(&f.loop, UV_RUN_DEFAULT);
	assert_int_equal(f.gone, f.handled); /* each once, whatever the test did */
	xb_tls_free(f.tls);
	SSL_CTX_free(f.client_ctx);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		unlink(files[i]);
	rmdir(f.dir);
	return uv_loop_close(&f.loop);
}

int main(void)
{
#define t(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		t(many_requests_at_once), t(more_than_the_limit_are_refused), t(head_and_204_have_no_body),
		t(large_bodies_both_ways), t(a_slow_reader_of_one_stream_holds_up_no_other),
		t(a_client_that_reads_nothing_does_not_grow_memory), t(a_reader_that_never_goes_on_is_left),
		t(one_stream_ends_and_the_others_go_on), t(a_client_that_leaves_is_survived),
		t(limits_are_answered_in_words), t(malformed_requests_are_reset), t(a_slow_body_gets_408_alone),
		t(a_flood_of_resets_is_cut), t(floods_of_idle_frames_are_cut),
		t(shutdown_says_goaway_and_lets_requests_end), t(idle_connections_are_closed),
		t(a_dead_peer_is_found_by_ping), t(garbage_after_the_preface_is_survived),
		t(large_json_goes_compressed_where_that_is_taken), t(tls_agrees_on_h2_and_tells_the_clients_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
