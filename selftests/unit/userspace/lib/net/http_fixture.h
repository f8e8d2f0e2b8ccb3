/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef TEST_HTTP_FIXTURE_H
#define TEST_HTTP_FIXTURE_H
/* A server of HTTP/1.1, a handler for each kind of reply, and clients of it. */
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
	unsigned io_threads;
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

static inline void on_tick(uv_timer_t *t)
{
}

static inline void turn(void)
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

static inline void on_close(struct xb_http_request *r)
{
	f.closed++;
	f.kept = NULL;
}

static inline void on_gone(void *arg)
{
	f.gone++;
}

static inline void on_shutdown(struct xb_http_request *r)
{
	f.shutdowns++;
	f.kept = NULL;
	xb_http_stream_end(r);
}

/* Writes as long as the stream takes it. */
static inline void pump(struct xb_http_request *r)
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

static inline void handler(struct xb_http_request *r, void *arg)
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

static inline void fault_body(int code, const char *message, struct xb_buf *out, const char **ret_content_type)
{
	xb_buf_addf(out, "{\"code\":%d,\"message\":\"%s\"}", code, message);
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

static inline void use_tls(bool client_ca)
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

static inline struct client dial(void)
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

static inline void client_done(struct client *c)
{
	SSL_free(c->ssl);
	close(c->fd);
	xb_buf_done(&c->got);
}

static inline void say_bytes(struct client *c, const char *p, size_t n)
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
static inline bool hear(struct client *c)
{
	char block[16384];
	ssize_t r;

	while ((r = c->ssl ? SSL_read(c->ssl, block, sizeof(block)) : recv(c->fd, block, sizeof(block), 0)) > 0)
		xb_buf_add(&c->got, block, r);
	c->closed |= r == 0 && (!c->ssl || SSL_get_error(c->ssl, 0) != SSL_ERROR_WANT_READ);
	c->closed |= r < 0 && !c->ssl && errno == ECONNRESET;
	return true;
}

static inline size_t count(struct client *c, const char *what)
{
	size_t n = 0;

	for (const char *p = c->got.p; p && (p = strstr(p, what)); p += strlen(what))
		n++;
	return n;
}
#define expect(c, text) wait_for(hear(c) && count((c), (text)))
#define expect_closed(c) wait_for(hear(c) && (c)->closed)

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

/* Each case runs with everything on the owner's loop, and with threads; one that takes seconds, with threads alone. */
#define t_slow(name) { #name ", 2 threads", name, setup, teardown, (void *)2 }
#define t(name) { #name, name, setup, teardown, NULL }, t_slow(name)

#endif
