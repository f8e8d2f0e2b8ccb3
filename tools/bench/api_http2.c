/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <nghttp2/nghttp2.h>
#include "api.h"

/* client-go's: what a stream and a connection may have under way (golang.org/x/net/http2, transport.go) */
enum { STREAM_WINDOW = 4 << 20, CONN_WINDOW = 1 << 30 };

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_n, const uint8_t *value,
		     size_t value_n, uint8_t flags, void *arg)
{
	struct call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	uint64_t code;

	if (call && xb_sv_is((struct xb_sv){ (char *)name, name_n }, ":status") && !xb_sv_u64((struct xb_sv){ (char *)value, value_n }, &code))
		call->reply.code = code;
	return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	const struct conn_ops *ops = ((struct conn *)arg)->loop->ops;

	if (call && frame->hd.type == NGHTTP2_HEADERS && call->reply.code >= 200 && ops->head)
		ops->head(call);
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t n, void *arg)
{
	struct call *call = nghttp2_session_get_stream_user_data(session, id);

	if (call)
		((struct conn *)arg)->loop->ops->piece(call, (struct xb_sv){ (const char *)bytes, n });
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *arg)
{
	struct call *call = nghttp2_session_get_stream_user_data(session, id);
	struct conn *c = arg;

	if (call && code == NGHTTP2_NO_ERROR)
		c->loop->ops->reply(call);
	else if (call)
		c->fault = nghttp2_http2_strerror(code);
	return 0;
}

static int session_new(struct conn *c)
{
	nghttp2_session_callbacks *callbacks;
	int r;

	if (nghttp2_session_callbacks_new(&callbacks))
		return -ENOMEM;
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
	r = nghttp2_session_client_new(&c->session, callbacks, c);
	nghttp2_session_callbacks_del(callbacks);
	return r ? -ENOMEM : 0;
}

int http2_open(struct conn *c)
{
	nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW },
	};

	if (session_new(c) || nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, settings, ARRAY_SIZE(settings)) ||
	    nghttp2_session_set_local_window_size(c->session, NGHTTP2_FLAG_NONE, 0, CONN_WINDOW))
		return -ENOMEM;
	return 0;
}

void http2_close(struct conn *c)
{
	nghttp2_session_del(c->session);
	c->session = NULL;
}

size_t http2_fields(struct xb_sv request, struct http2_field ret[static HTTP2_FIELDS], size_t *ret_n)
{
	struct xb_sv rest = request, line, method;
	size_t n = 0;

	xb_sv_split(&rest, '\n', &line);
	xb_sv_split(&line, ' ', &method);
	ret[n++] = (struct http2_field){ XB_SV(":method"), method };
	xb_sv_split(&line, ' ', &ret[n].value);
	ret[n++].name = XB_SV(":path");
	ret[n++] = (struct http2_field){ XB_SV(":scheme"), XB_SV("https") };
	while (xb_sv_split(&rest, '\n', &line) && line.n > 1 && n < HTTP2_FIELDS) {
		xb_sv_split(&line, ':', &ret[n].name);
		ret[n].value = xb_sv_trim(line);
		if (xb_sv_is(ret[n].name, "Host"))
			ret[n].name = XB_SV(":authority");
		n++;
	}
	*ret_n = n;
	return rest.p ? (size_t)(rest.p - request.p) : request.n;
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *to, size_t n, uint32_t *flags,
			 nghttp2_data_source *source, void *arg)
{
	struct call *call = source->ptr;

	n = MIN(n, call->out.n - call->body_at);
	memcpy(to, call->out.p + call->body_at, n);
	call->body_at += n;
	if (call->body_at == call->out.n)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return n;
}

int http2_submit(struct call *call)
{
	nghttp2_data_provider body = { .source.ptr = call, .read_callback = read_body };
	struct http2_field fields[HTTP2_FIELDS];
	nghttp2_nv nv[HTTP2_FIELDS];
	size_t n;

	call->body_at = http2_fields(xb_buf_sv(&call->out), fields, &n);
	for (size_t i = 0; i < n; i++)
		nv[i] = (nghttp2_nv){ (uint8_t *)fields[i].name.p, (uint8_t *)fields[i].value.p, fields[i].name.n, fields[i].value.n,
				      NGHTTP2_NV_FLAG_NONE };
	return nghttp2_submit_request(call->conn->session, NULL, nv, n, call->body_at < call->out.n ? &body : NULL, call) < 0 ? -ENOMEM : 0;
}

int http2_receive(struct conn *c, struct xb_sv in)
{
	return nghttp2_session_mem_recv(c->session, (const uint8_t *)in.p, in.n) < 0 ? -EBADMSG : 0;
}

int http2_write(struct conn *c)
{
	const uint8_t *bytes;
	ssize_t n;

	while ((n = nghttp2_session_mem_send(c->session, &bytes)) > 0)
		xb_buf_add(&c->wire, bytes, n);
	return n < 0 ? -ENOMEM : c->wire.err;
}
