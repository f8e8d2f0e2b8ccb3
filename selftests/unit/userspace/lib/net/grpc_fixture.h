/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef TEST_GRPC_FIXTURE_H
#define TEST_GRPC_FIXTURE_H
/* A gRPC server on the test's own loop, at a unix socket or a port of loopback, which does what the test says for each path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <endian.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <sys/queue.h>
#include "xb/grpc.h"

struct grpc_peer; /* a connection */
struct grpc_server_call {
	struct grpc_peer *peer;
	LIST_ENTRY(grpc_server_call) link;
	int32_t id;
	char path[64], timeout[32], metadata[64];
	struct xb_buf in;               /* messages of the client, with prefixes */
	struct xb_buf out;              /* to send, likewise */
	size_t sent, step;              /* step: bytes a frame, at most; 0: as many as fit */
	char status[8], message[64];    /* of the trailers; "" for a status: none are sent */
	bool streaming;                 /* more of out comes later */
};
struct grpc_server {
	uv_loop_t *loop;
	union {
		uv_stream_t stream;
		uv_pipe_t pipe;
		uv_tcp_t tcp;
	} listener;
	/* Something came of a call: end says that it was all. By then c->out and c->status are what grpc_reply sends. */
	void (*on_request)(struct grpc_server_call *c, bool end);
	struct grpc_peer *peers;
	unsigned accepted, calls, open, resets;
};
struct grpc_peer {
	struct grpc_server *server;
	union {
		uv_stream_t stream;
		uv_pipe_t pipe;
		uv_tcp_t tcp;
	} u;
	nghttp2_session *session;
	struct grpc_peer *next;
	LIST_HEAD(, grpc_server_call) calls;
	bool closing;
	char in[65536];
};

static inline void grpc_put(struct xb_buf *out, const void *bytes, size_t n)
{
	uint32_t length = htobe32(n);

	xb_buf_addc(out, 0);
	xb_buf_add(out, &length, 4);
	xb_buf_add(out, bytes, n);
}

static inline void server_call_free(struct grpc_server_call *c)
{
	LIST_REMOVE(c, link);
	c->peer->server->open--;
	xb_buf_done(&c->in);
	xb_buf_done(&c->out);
	free(c);
}

static inline void peer_gone(uv_handle_t *h)
{
	struct grpc_peer *p = h->data;

	while (!LIST_EMPTY(&p->calls))
		server_call_free(LIST_FIRST(&p->calls));
	nghttp2_session_del(p->session);
	free(p);
}

static inline void grpc_peer_close(struct grpc_peer *p)
{
	struct grpc_peer **at = &p->server->peers;

	if (p->closing)
		return;
	p->closing = true;
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	uv_close((uv_handle_t *)&p->u.stream, peer_gone);
}

static inline void peer_written(uv_write_t *w, int status)
{
	free(w->data);
	free(w);
}

static inline void peer_flush(struct grpc_peer *p)
{
	const uint8_t *bytes;
	ssize_t n;

	while (!p->closing && (n = nghttp2_session_mem_send(p->session, &bytes)) > 0) {
		uv_write_t *w = calloc(1, sizeof(*w));
		uv_buf_t buf = uv_buf_init(malloc(n), n);

		memcpy(buf.base, bytes, n);
		w->data = buf.base;
		if (uv_write(w, &p->u.stream, &buf, 1, peer_written))
			peer_written(w, 0);
	}
}

static inline nghttp2_nv peer_field(const char *name, const char *value)
{
	return (nghttp2_nv){ (uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value), 0 };
}

static inline ssize_t peer_data(nghttp2_session *s, int32_t id, uint8_t *to, size_t room, uint32_t *flags, nghttp2_data_source *source,
				void *arg)
{
	struct grpc_server_call *c = source->ptr;
	size_t n = MIN(room, c->out.n - c->sent);

	n = c->step ? MIN(n, c->step) : n;
	if (!n && c->streaming)
		return NGHTTP2_ERR_DEFERRED;
	if (n)
		memcpy(to, c->out.p + c->sent, n);
	c->sent += n;
	if (c->sent == c->out.n && !c->streaming) {
		nghttp2_nv trailers[] = { peer_field("grpc-status", c->status), peer_field("grpc-message", c->message) };

		*flags |= NGHTTP2_DATA_FLAG_EOF | (c->status[0] ? NGHTTP2_DATA_FLAG_NO_END_STREAM : 0);
		if (c->status[0])
			nghttp2_submit_trailer(s, id, trailers, 2);
	}
	return n;
}

/* Starts the answer: a head, what is in out, trailers; more of out may be added while streaming is set. */
static inline void grpc_reply(struct grpc_server_call *c)
{
	nghttp2_nv head[] = { peer_field(":status", "200"), peer_field("content-type", "application/grpc") };
	nghttp2_data_provider data = { { .ptr = c }, peer_data };

	nghttp2_submit_response(c->peer->session, c->id, head, 2, &data);
}

static inline void grpc_resume(struct grpc_server_call *c)
{
	nghttp2_session_resume_data(c->peer->session, c->id);
	peer_flush(c->peer);
}

static inline int peer_begin(nghttp2_session *s, const nghttp2_frame *f, void *arg)
{
	struct grpc_peer *p = arg;
	struct grpc_server_call *c = calloc(1, sizeof(*c));

	c->peer = p;
	LIST_INSERT_HEAD(&p->calls, c, link);
	c->id = f->hd.stream_id;
	snprintf(c->status, sizeof(c->status), "0");
	p->server->calls++;
	p->server->open++;
	return nghttp2_session_set_stream_user_data(s, f->hd.stream_id, c);
}

static inline int peer_header(nghttp2_session *s, const nghttp2_frame *f, const uint8_t *name, size_t name_n, const uint8_t *value,
			      size_t value_n, uint8_t flags, void *arg)
{
	struct grpc_server_call *c = nghttp2_session_get_stream_user_data(s, f->hd.stream_id);
	struct xb_sv is = { (char *)name, name_n };

	if (xb_sv_is(is, ":path"))
		snprintf(c->path, sizeof(c->path), "%.*s", (int)value_n, value);
	else if (xb_sv_is(is, "grpc-timeout"))
		snprintf(c->timeout, sizeof(c->timeout), "%.*s", (int)value_n, value);
	else if (xb_sv_is(is, "containerd-namespace"))
		snprintf(c->metadata, sizeof(c->metadata), "%.*s", (int)value_n, value);
	return 0;
}

static inline int peer_chunk(nghttp2_session *s, uint8_t flags, int32_t id, const uint8_t *bytes, size_t n, void *arg)
{
	struct grpc_server_call *c = nghttp2_session_get_stream_user_data(s, id);

	xb_buf_add(&c->in, bytes, n);
	return 0;
}

static inline int peer_frame(nghttp2_session *s, const nghttp2_frame *f, void *arg)
{
	struct grpc_peer *p = arg;
	struct grpc_server_call *c = nghttp2_session_get_stream_user_data(s, f->hd.stream_id);

	if (c && (f->hd.type == NGHTTP2_DATA || f->hd.type == NGHTTP2_HEADERS))
		p->server->on_request(c, f->hd.flags & NGHTTP2_FLAG_END_STREAM);
	if (f->hd.type == NGHTTP2_RST_STREAM)
		p->server->resets++;
	return 0;
}

static inline int peer_stream_close(nghttp2_session *s, int32_t id, uint32_t code, void *arg)
{
	struct grpc_server_call *c = nghttp2_session_get_stream_user_data(s, id);

	if (c)
		server_call_free(c);
	return 0;
}

static inline void peer_room(uv_handle_t *h, size_t suggested, uv_buf_t *ret)
{
	struct grpc_peer *p = h->data;

	*ret = uv_buf_init(p->in, sizeof(p->in));
}

static inline void peer_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct grpc_peer *p = stream->data;

	if (n < 0 || nghttp2_session_mem_recv(p->session, (uint8_t *)buf->base, n) < 0)
		grpc_peer_close(p);
	else
		peer_flush(p);
}

static inline void peer_accept(uv_stream_t *listener, int status)
{
	static const nghttp2_settings_entry settings[] = { { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 20 } };
	struct grpc_server *s = listener->data;
	struct grpc_peer *p = calloc(1, sizeof(*p));
	nghttp2_session_callbacks *callbacks;

	if (listener->type == UV_TCP)
		uv_tcp_init(s->loop, &p->u.tcp);
	else
		uv_pipe_init(s->loop, &p->u.pipe, 0);
	assert_int_equal(uv_accept(listener, &p->u.stream), 0);
	p->u.stream.data = p;
	p->server = s;
	p->next = s->peers;
	s->peers = p;
	s->accepted++;
	nghttp2_session_callbacks_new(&callbacks);
	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, peer_begin);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, peer_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, peer_chunk);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, peer_frame);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, peer_stream_close);
	nghttp2_session_server_new(&p->session, callbacks, p);
	nghttp2_session_callbacks_del(callbacks);
	nghttp2_submit_settings(p->session, 0, settings, 1);
	uv_read_start(&p->u.stream, peer_room, peer_read);
	peer_flush(p);
}

static inline void grpc_server_open(struct grpc_server *s, uv_loop_t *loop, const char *path)
{
	s->loop = loop;
	uv_pipe_init(loop, &s->listener.pipe, 0);
	s->listener.stream.data = s;
	assert_int_equal(uv_pipe_bind(&s->listener.pipe, path), 0);
	assert_int_equal(uv_listen(&s->listener.stream, 16, peer_accept), 0);
}

static inline int grpc_server_open_tcp(struct grpc_server *s, uv_loop_t *loop)
{
	struct sockaddr_in addr;
	int n = sizeof(addr);

	s->loop = loop;
	uv_ip4_addr("127.0.0.1", 0, &addr);
	uv_tcp_init(loop, &s->listener.tcp);
	s->listener.stream.data = s;
	assert_int_equal(uv_tcp_bind(&s->listener.tcp, (struct sockaddr *)&addr, 0), 0);
	assert_int_equal(uv_listen(&s->listener.stream, 16, peer_accept), 0);
	uv_tcp_getsockname(&s->listener.tcp, (struct sockaddr *)&addr, &n);
	return ntohs(addr.sin_port);
}

/* As a server that is killed: its connections break, and nobody listens. */
static inline void grpc_server_kill(struct grpc_server *s)
{
	while (s->peers)
		grpc_peer_close(s->peers);
	if (!uv_is_closing((uv_handle_t *)&s->listener.stream))
		uv_close((uv_handle_t *)&s->listener.stream, NULL);
}

#endif
