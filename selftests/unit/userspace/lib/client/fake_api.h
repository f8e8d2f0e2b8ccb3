/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef FAKE_API_H
#define FAKE_API_H
/*
 * An HTTP server as bad as a test wants it: the test answers each request by hand, stops halfway, drops connections and
 * comes back on the same port. In the test's own loop, so nothing races.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <uv.h>
#include "xb/str.h"

struct fake_api;
struct fake_conn {
	struct fake_api *api;
	uv_tcp_t tcp;
	struct fake_conn *prev, *next;
	char in[16384];
	size_t n;
};
struct fake_api {
	uv_loop_t *loop;
	uv_tcp_t listener;
	int port;
	struct fake_conn *conns;
	/* path with query; body is zero-terminated. Answer now with fake_reply, or keep c and stream. */
	void (*handler)(struct fake_conn *c, const char *method, const char *path, const char *headers, const char *body);
	void *arg;
	unsigned requests;
};

static inline void fake_conn_closed(uv_handle_t *h)
{
	free(h->data);
}
static inline void fake_drop(struct fake_conn *c)
{
	if (uv_is_closing((uv_handle_t *)&c->tcp))
		return;
	if (c->prev)
		c->prev->next = c->next;
	else
		c->api->conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
	uv_close((uv_handle_t *)&c->tcp, fake_conn_closed);
}
struct fake_write {
	uv_write_t w;
	char bytes[];
};
static inline void fake_written(uv_write_t *w, int status)
{
	free(w->data);
}
static inline void fake_send(struct fake_conn *c, const char *bytes, size_t n)
{
	struct fake_write *f = malloc(sizeof(*f) + n);
	uv_buf_t b;

	assert_non_null(f);
	memcpy(f->bytes, bytes, n);
	f->w.data = f;
	b = uv_buf_init(f->bytes, (unsigned)n);
	assert_int_equal(uv_write(&f->w, (uv_stream_t *)&c->tcp, &b, 1, fake_written), 0);
}
static inline void fake_sendf(struct fake_conn *c, const char *fmt, ...) _printf_(2, 3);
static inline void fake_sendf(struct fake_conn *c, const char *fmt, ...)
{
	struct xb_buf b = {};
	va_list ap;

	va_start(ap, fmt);
	xb_buf_addv(&b, fmt, ap);
	va_end(ap);
	assert_int_equal(b.err, 0);
	fake_send(c, b.p, b.n);
	xb_buf_done(&b);
}
static inline void fake_reply(struct fake_conn *c, int code, const char *body)
{
	fake_sendf(c, "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", code, strlen(body), body);
}
static inline void fake_stream(struct fake_conn *c)
{
	fake_sendf(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
}
static inline void fake_chunk(struct fake_conn *c, const char *text)
{
	fake_sendf(c, "%zx\r\n%s\r\n", strlen(text), text);
}
static inline void fake_stream_end(struct fake_conn *c)
{
	fake_sendf(c, "0\r\n\r\n");
}

static inline void fake_take_request(struct fake_conn *c)
{
	char *end = memmem(c->in, c->n, "\r\n\r\n", 4), method[8], path[2048];
	char *length;
	size_t body_n = 0, head_n;
	char headers[8192], body[8192];

	if (!end)
		return;
	head_n = end + 4 - c->in;
	assert_true(head_n < sizeof(headers));
	memcpy(headers, c->in, head_n);
	headers[head_n] = 0;
	length = strcasestr(headers, "\r\ncontent-length:");
	if (length)
		body_n = strtoul(length + 17, NULL, 10);
	if (c->n < head_n + body_n)
		return;
	assert_true(body_n < sizeof(body));
	memcpy(body, c->in + head_n, body_n);
	body[body_n] = 0;
	c->n -= head_n + body_n;
	memmove(c->in, c->in + head_n + body_n, c->n);
	assert_int_equal(sscanf(headers, "%7s %2047s", method, path), 2);
	c->api->requests++;
	c->api->handler(c, method, path, headers, body);
}
static inline void fake_alloc(uv_handle_t *h, size_t n, uv_buf_t *b)
{
	struct fake_conn *c = h->data;

	*b = uv_buf_init(c->in + c->n, (unsigned)(sizeof(c->in) - c->n));
}
static inline void fake_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
	struct fake_conn *c = s->data;

	if (n < 0) {
		fake_drop(c);
		return;
	}
	c->n += n;
	fake_take_request(c);
}
static inline void fake_accept(uv_stream_t *s, int status)
{
	struct fake_api *api = s->data;
	struct fake_conn *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->api = api;
	c->tcp.data = c;
	uv_tcp_init(api->loop, &c->tcp);
	assert_int_equal(uv_accept(s, (uv_stream_t *)&c->tcp), 0);
	c->next = api->conns;
	if (c->next)
		c->next->prev = c;
	api->conns = c;
	uv_read_start((uv_stream_t *)&c->tcp, fake_alloc, fake_read);
}
/* port 0 in *api: any; kept for the next start. */
static inline void fake_start(struct fake_api *api)
{
	struct sockaddr_in at;
	int n = sizeof(at);

	uv_tcp_init(api->loop, &api->listener);
	api->listener.data = api;
	uv_ip4_addr("127.0.0.1", api->port, &at);
	assert_int_equal(uv_tcp_bind(&api->listener, (struct sockaddr *)&at, 0), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&api->listener, 16, fake_accept), 0);
	uv_tcp_getsockname(&api->listener, (struct sockaddr *)&at, &n);
	api->port = ntohs(at.sin_port);
}
static inline void fake_stop(struct fake_api *api)
{
	uv_close((uv_handle_t *)&api->listener, NULL);
	while (api->conns)
		fake_drop(api->conns);
}

/* Turns the loop until the condition holds; fails the test after 10 s. */
static inline void fake_late(uv_timer_t *t)
{
	*(int *)t->data = 1;
}
#define run_until(loop_, condition) \
	do { \
		uv_timer_t _late; \
		int _is_late = 0; \
		uv_timer_init((loop_), &_late); \
		_late.data = &_is_late; \
		uv_timer_start(&_late, fake_late, 10000, 0); \
		while (!(condition) && !_is_late) \
			uv_run((loop_), UV_RUN_ONCE); \
		if (_is_late) \
			fail_msg("never came true: %s", #condition); \
		uv_close((uv_handle_t *)&_late, NULL); \
		uv_run((loop_), UV_RUN_NOWAIT); \
	} while (0)

#endif
