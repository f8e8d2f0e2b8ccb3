/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "grpc_conn.h"
#include "xb/vec.h"

#define STREAM_WINDOW (256 << 10)
#define CONN_WINDOW (1 << 20)
#define WIRE_BYTES (64 << 10)   /* made ahead of the socket */
#define TIMEOUT_BYTES 16

static struct xb_grpc_call *call_of(nghttp2_session *session, int32_t id)
{
	return nghttp2_session_get_stream_user_data(session, id);
}

static void conn_free(uv_handle_t *handle)
{
	struct grpc_conn *c = handle->data;

	xb_buf_done(&c->out);
	free(c);
}

void grpc_conn_close(struct grpc_conn *c)
{
	LIST_REMOVE(c, link);
	if (c->g->conn == c)
		c->g->conn = NULL;
	c->g = NULL;
	nghttp2_session_del(c->session);
	c->session = NULL;
	uv_close(&c->u.handle, conn_free);
}

/* Every call on it ends, for the reason given. */
static void conn_die(struct grpc_conn *c, const char *fmt, ...) _printf_(2, 3);
static void conn_die(struct grpc_conn *c, const char *fmt, ...)
{
	struct xb_grpc *g = c->g;
	struct xb_grpc_call *call;
	char why[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	TAILQ_FOREACH(call, &g->calls, link)
		if (call->conn == c) {
			call->conn = NULL;
			grpc_call_fail(call, XB_GRPC_UNAVAILABLE, "%s", why);
		}
	grpc_conn_close(c);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_n,
		     const uint8_t *value, size_t value_n, uint8_t flags, void *arg)
{
	struct xb_grpc_call *call = call_of(session, frame->hd.stream_id);
	int r = 0;

	if (call)
		r = grpc_ending_field(&call->ending, (struct xb_sv){ (char *)name, name_n }, (struct xb_sv){ (char *)value, value_n });
	return r ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct xb_grpc_call *call = call_of(session, frame->hd.stream_id);
	bool body = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;

	/* an interim head (RFC 9113 8.1) says nothing about the end */
	if (call && frame->hd.type == NGHTTP2_HEADERS && call->ending.http / 100 == 1)
		call->ending.http = 0;
	if (call && body && frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
		grpc_call_end(call, NGHTTP2_NO_ERROR);
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t n, void *arg)
{
	struct xb_grpc_call *call = call_of(session, id);

	/* a proxy's page of HTML is no message */
	if (!call || call->ending.http != 200 || !call->ending.grpc)
		return 0;
	xb_buf_add(&call->in, bytes, n);
	grpc_call_news(call);
	return 0;
}

static int on_not_sent(nghttp2_session *session, const nghttp2_frame *frame, int error, void *arg)
{
	struct xb_grpc_call *call = frame->hd.type == NGHTTP2_HEADERS ? call_of(session, frame->hd.stream_id) : NULL;

	if (call)
		call->refused = true;
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *arg)
{
	struct xb_grpc_call *call = call_of(session, id);

	if (call)
		grpc_call_end(call, call->refused ? NGHTTP2_REFUSED_STREAM : code);
	return 0;
}

static ssize_t give_data(nghttp2_session *session, int32_t id, uint8_t *to, size_t room, uint32_t *flags, nghttp2_data_source *source,
			 void *arg)
{
	struct xb_grpc_call *call = call_of(session, id);
	size_t n;

	if (!call)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	n = MIN(room, call->out.n - call->sent);
	if (!n && call->open)
		return NGHTTP2_ERR_DEFERRED;
	if (n)
		memcpy(to, call->out.p + call->sent, n);
	call->sent += n;
	if (call->sent < call->out.n)
		return n;
	call->sent = 0;
	xb_buf_done(&call->out);
	if (!call->open)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return n;
}

static int session_new(struct grpc_conn *c)
{
	static const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW },
	};
	nghttp2_session_callbacks *callbacks = NULL;
	nghttp2_option *option = NULL;
	int r = -ENOMEM;

	if (nghttp2_session_callbacks_new(&callbacks) || nghttp2_option_new(&option))
		goto out;
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_not_sent);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
	/* one call is safe to send before the server has said how many it takes; it would refuse what is too many */
	nghttp2_option_set_peer_max_concurrent_streams(option, 1);
	if (!nghttp2_session_client_new2(&c->session, callbacks, c, option) &&
	    !nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, settings, ARRAY_SIZE(settings)) &&
	    !nghttp2_session_set_local_window_size(c->session, NGHTTP2_FLAG_NONE, 0, CONN_WINDOW))
		r = 0;
out:
	nghttp2_option_del(option);
	nghttp2_session_callbacks_del(callbacks);
	return r;
}

static void on_written(uv_write_t *write, int status)
{
	struct grpc_conn *c = write->data;
	struct xb_grpc *g = c->g;

	c->writing = false;
	if (!g)
		return;
	xb_buf_clear(&c->out);
	if (status < 0)
		conn_die(c, "error writing to server: %s", uv_strerror(status));
	else
		grpc_conn_flush(c);
	grpc_tell(g);
}

void grpc_conn_flush(struct grpc_conn *c)
{
	const uint8_t *bytes;
	uv_buf_t buf;
	ssize_t n = 0;
	int r;

	if (!c->connected || c->writing)
		return;
	while (c->out.n < WIRE_BYTES && (n = nghttp2_session_mem_send(c->session, &bytes)) > 0)
		xb_buf_add(&c->out, bytes, n);
	if (n < 0 || c->out.err) {
		conn_die(c, "error writing to server: out of memory");
		return;
	}
	if (!c->out.n) {
		/* it has said that it leaves, and the last call is over; or that we broke the protocol */
		if (!nghttp2_session_want_read(c->session) && !nghttp2_session_want_write(c->session))
			conn_die(c, "error reading from server: the connection is draining");
		return;
	}
	buf = uv_buf_init(c->out.p, c->out.n);
	c->write.data = c;
	r = uv_write(&c->write, &c->u.stream, &buf, 1, on_written);
	c->writing = r == 0;
	if (r < 0)
		conn_die(c, "error writing to server: %s", uv_strerror(r));
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
	struct grpc_conn *c = handle->data;

	*ret = uv_buf_init(c->in, sizeof(c->in));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct grpc_conn *c = stream->data;
	struct xb_grpc *g = c->g;
	ssize_t r = 0;

	if (n >= 0)
		r = nghttp2_session_mem_recv(c->session, (const uint8_t *)c->in, n);
	if (n == UV_EOF)
		conn_die(c, "error reading from server: EOF");
	else if (n < 0)
		conn_die(c, "error reading from server: %s", uv_strerror(n));
	else if (r < 0)
		conn_die(c, "error reading from server: %s", nghttp2_strerror(r));
	else
		grpc_conn_flush(c);
	grpc_tell(g);
}

static void on_connect(uv_connect_t *connect, int status)
{
	struct grpc_conn *c = connect->data;
	struct xb_grpc *g = c->g;

	if (!g)
		return;
	c->connected = status == 0;
	if (status == 0)
		status = uv_read_start(&c->u.stream, give_room, on_read);
	if (status < 0)
		conn_die(c, "connection error: desc = \"transport: Error while dialing: dial %s %s: connect: %s\"",
			 g->to.any.sa_family == AF_UNIX ? "unix" : "tcp", g->target, uv_strerror(status));
	else
		grpc_conn_flush(c);
	grpc_tell(g);
}

static void dial(struct grpc_conn *c)
{
	struct xb_grpc *g = c->g;
	int r = 0;

	c->connect.data = c;
	if (g->to.any.sa_family == AF_UNIX)
		uv_pipe_connect(&c->connect, &c->u.pipe, g->to.path.sun_path, on_connect);
	else
		r = uv_tcp_connect(&c->connect, &c->u.tcp, &g->to.any, on_connect);
	if (r < 0) /* what libuv does not say later: no route, no such family */
		conn_die(c, "connection error: desc = \"transport: Error while dialing: dial tcp %s: connect: %s\"", g->target,
			 uv_strerror(r));
}

int grpc_conn_get(struct xb_grpc *g, struct grpc_conn **ret)
{
	struct grpc_conn *c = g->conn;
	int r;

	if (c && nghttp2_session_check_request_allowed(c->session)) {
		*ret = c;
		return 0;
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	r = session_new(c);
	if (r == 0)
		r = g->to.any.sa_family == AF_UNIX ? uv_pipe_init(g->loop, &c->u.pipe, 0) : uv_tcp_init(g->loop, &c->u.tcp);
	if (r < 0) {
		nghttp2_session_del(c->session);
		free(c);
		return r;
	}
	c->u.handle.data = c;
	c->g = g;
	g->conn = c;
	LIST_INSERT_HEAD(&g->conns, c, link);
	*ret = c;
	return 0;
}

static nghttp2_nv field(const char *name, const char *value)
{
	return (nghttp2_nv){ (uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE };
}

int grpc_conn_start(struct grpc_conn *c, struct xb_grpc_call *call, const struct xb_grpc_request *q)
{
	struct xb_grpc *g = c->g;
	nghttp2_data_provider data = { .read_callback = give_data };
	char timeout[TIMEOUT_BYTES];
	XB_VEC(nghttp2_nv) head = {};
	int32_t id;
	size_t n = 0;

	if (xb_vec_room(&head, 8 + q->n_metadata))
		return -ENOMEM;
	head.v[n++] = field(":method", "POST");
	head.v[n++] = field(":scheme", "http");
	head.v[n++] = field(":path", q->path);
	head.v[n++] = field(":authority", g->to.any.sa_family == AF_UNIX ? "localhost" : g->target);
	head.v[n++] = field("te", "trailers");
	head.v[n++] = field("content-type", "application/grpc");
	head.v[n++] = field("user-agent", g->user_agent);
	if (q->timeout_ms) {
		grpc_wire_timeout(timeout, q->timeout_ms);
		head.v[n++] = field("grpc-timeout", timeout);
	}
	for (size_t i = 0; i < q->n_metadata; i++)
		head.v[n++] = field(q->metadata[i].name, q->metadata[i].value);
	id = nghttp2_submit_request(c->session, NULL, head.v, n, &data, call);
	xb_vec_done(&head);
	if (id < 0)
		return -ENOMEM;
	call->id = id;
	call->conn = c;
	if (!c->connect.data)
		dial(c);
	else
		grpc_conn_flush(c);
	return 0;
}

void grpc_conn_drop(struct xb_grpc_call *call)
{
	struct grpc_conn *c = call->conn;
	bool over = call->ended && !call->open && call->sent == call->out.n;

	if (!c)
		return;
	call->conn = NULL;
	nghttp2_session_set_stream_user_data(c->session, call->id, NULL);
	if (!over)
		nghttp2_submit_rst_stream(c->session, NGHTTP2_FLAG_NONE, call->id, NGHTTP2_CANCEL);
}
