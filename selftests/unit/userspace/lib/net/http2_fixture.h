/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef TEST_HTTP2_FIXTURE_H
#define TEST_HTTP2_FIXTURE_H
/* A server of HTTP/2, a handler for each kind of reply, and clients of it. */
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
	unsigned io_threads;
	uv_loop_t loop;
	uv_timer_t tick;
	struct xb_http_server *server;
	struct xb_tls *tls;
	SSL_CTX *client_ctx;
	char dir[32];
	struct xb_http_request *kept[STREAMS];  /* of the handler, when it answers later */
	unsigned n_kept, handled, gone, closed, shutdowns;
	unsigned waited;                        /* of the patient requests */
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

static inline void on_tick(uv_timer_t *t)
{
}

static inline void on_close(struct xb_http_request *r)
{
	f.closed++;
}

static inline void on_gone(void *arg)
{
	f.gone++;
}

static inline void on_shutdown(struct xb_http_request *r)
{
	f.shutdowns++;
	xb_http_stream_end(r);
}

static inline void pump(struct xb_http_request *r)
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

static inline void answer_json(struct xb_http_request *r)
{
	struct xb_buf body = {};

	for (int i = 0; i < 20000; i++)
		xb_buf_addf(&body, "{\"name\":\"pod-%d\"},", i);
	xb_http_respond_buf(r, 200, "application/json", &body);
}

static inline void handler(struct xb_http_request *r, void *arg)
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
	} else if (xb_sv_is(path, "/beat")) {
		f.waited += xb_http_patient(r);
		xb_http_respond(r, 200, "text/plain", path);
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

static inline void fault_body(int code, const char *message, struct xb_buf *out, const char **ret_content_type)
{
	xb_buf_addf(out, "{\"code\":%d}", code);
	*ret_content_type = "application/json";
}

static inline void start(struct xb_http_config config)
{
	struct sockaddr_in loopback = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	config.loop = &f.loop;
	config.io_threads = f.io_threads;
	config.handler = handler;
	config.fault_body = fault_body;
	assert_int_equal(xb_http_server_new(&config, &f.server), 0);
	assert_int_equal(xb_http_server_listen(f.server, (struct sockaddr *)&loopback), 0);
}

/* --- the client --- */
static inline struct reply *reply_of(struct client *c, int32_t id)
{
	assert_true(id > 0 && id / 2 < STREAMS);
	return &c->replies[id / 2];
}

static inline int client_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_n,
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

static inline int client_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t n, void *arg)
{
	xb_buf_add(&reply_of(arg, id)->body, bytes, n);
	return 0;
}

static inline int client_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *arg)
{
	reply_of(arg, id)->closed = true;
	reply_of(arg, id)->error = error;
	return 0;
}

static inline int client_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct client *c = arg;

	if (frame->hd.type != NGHTTP2_GOAWAY)
		return 0;
	c->goaway = true;
	c->goaway_error = frame->goaway.error_code;
	return 0;
}

static inline ssize_t client_read_body(nghttp2_session *session, int32_t id, uint8_t *to, size_t n, uint32_t *flags,
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

static inline void say(struct client *c)
{
	const uint8_t *bytes;
	ssize_t n, r;

	while (!c->closed && (n = nghttp2_session_mem_send(c->session, &bytes)) > 0)
		for (ssize_t at = 0; at < n && !c->closed; at += MAX(r, 0)) {
			r = c->ssl ? SSL_write(c->ssl, bytes + at, n - at) : send(c->fd, bytes + at, n - at, MSG_NOSIGNAL);
			c->closed |= r < 0 && !c->ssl && errno != EAGAIN;
			if (r < 0)
				uv_run(&f.loop, UV_RUN_ONCE);
		}
}

/* One exchange of what both sides have to say. */
static inline bool turn(struct client *c)
{
	uint8_t block[16384];
	ssize_t r;

	say(c);
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

static inline void open_socket(struct client *c)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				  .sin_port = htons(xb_http_server_port(f.server)) };

	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(c->fd, (struct sockaddr *)&to, sizeof(to)), 0);
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
}

/* window 0: as large as it may be */
static inline void dial(struct client *c, unsigned window)
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

static inline void client_done(struct client *c)
{
	nghttp2_session_del(c->session);
	for (int i = 0; c->replies && i < STREAMS; i++)
		xb_buf_done(&c->replies[i].body);
	free(c->replies);
	SSL_free(c->ssl);
	if (c->fd > 0)
		close(c->fd);
}

static inline nghttp2_nv field(const char *name, const char *value)
{
	return (nghttp2_nv){ (uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE };
}

/* extra: one more field, or NULL. body.p == NULL: none. */
static inline int32_t ask(struct client *c, const char *method, const char *path, const char *extra, const char *value, struct xb_sv body)
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

static inline void expect_reply(struct client *c, int32_t id, int status)
{
	wait_for(c, reply_of(c, id)->closed);
	assert_int_equal(reply_of(c, id)->status, status);
}

static inline void expect_body(struct client *c, int32_t id, const char *body)
{
	expect_reply(c, id, 200);
	assert_true(xb_sv_is(xb_buf_sv(&reply_of(c, id)->body), body));
}

static inline uint64_t connections(void)
{
	struct xb_http_stats stats;

	xb_http_server_stats(f.server, &stats);
	return stats.connections;
}

static inline void on_done(void *arg)
{
	f.done = true;
	assert_int_equal(f.gone, f.handled);
}

static inline int setup(void **state)
{
	f = (struct fixture){ .io_threads = (uintptr_t)*state, .dir = "/tmp/xebec-test-XXXXXX" };
	uv_loop_init(&f.loop);
	uv_timer_init(&f.loop, &f.tick);
	uv_timer_start(&f.tick, on_tick, 2, 2);
	return mkdtemp(f.dir) ? chdir(f.dir) : -1;
}

static inline int teardown(void **state)
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

/* Each case runs with everything on the owner's loop, and with threads; one that takes seconds, with threads alone. */
#define t_slow(name) { #name ", 2 threads", name, setup, teardown, (void *)2 }
#define t(name) { #name, name, setup, teardown, NULL }, t_slow(name)

#endif
