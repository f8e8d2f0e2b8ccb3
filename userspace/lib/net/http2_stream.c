/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "http2.h"

#define HEAD_BYTES 480                  /* of a request, mostly */
#define FRAME_BYTES ((16 << 10) - 9)    /* of data: with its frame header it fills one TLS record */
#define BODIES_MAX 8                    /* whole ones that a connection may have here at once */

static struct http2 *side(const struct http2_stream *s)
{
	return s->request.conn->h2;
}

static void set_timed(struct http2_stream *s, bool timed)
{
	struct conn *c = s->request.conn;

	if (s->timed)
		TAILQ_REMOVE(&side(s)->timed, s, timed_link);
	s->timed = timed;
	if (!timed)
		return;
	s->deadline = conn_now(c) + c->server->config.body_seconds * 1000ull;
	TAILQ_INSERT_TAIL(&side(s)->timed, s, timed_link);
}

static void add_news(struct http2_stream *s)
{
	if (s->queued)
		return;
	s->queued = true;
	TAILQ_INSERT_TAIL(&side(s)->news, s, news_link);
}

static void reset(struct http2_stream *s, uint32_t code)
{
	if (nghttp2_submit_rst_stream(side(s)->session, NGHTTP2_FLAG_NONE, s->id, code))
		conn_die(s->request.conn);
}

int http2_stream_new(struct conn *c, int32_t id)
{
	static const nghttp2_extpri fair = { .urgency = NGHTTP2_EXTPRI_DEFAULT_URGENCY, .inc = 1 };
	struct http2 *h = c->h2;
	struct http2_stream *s;

	/* nghttp2 counts its own; these are more while handlers have not yet heard that theirs are gone */
	if (h->n_streams >= 2 * STREAMS_MAX)
		return nghttp2_submit_rst_stream(h->session, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->id = id;
	s->request = (struct xb_http_request){ .conn = c, .reply = &http2_reply, .out = &s->out };
	LIST_INSERT_HEAD(&h->streams, s, link);
	h->n_streams++;
	set_timed(s, true);
	/* a large reply must not keep the others waiting, whatever the client asks for */
	nghttp2_session_change_extpri_stream_priority(h->session, id, &fair, 1);
	return nghttp2_session_set_stream_user_data(h->session, id, s);
}

void http2_stream_free(struct http2_stream *s)
{
	struct http2 *h = side(s);

	set_timed(s, false);
	if (s->queued)
		TAILQ_REMOVE(&h->news, s, news_link);
	LIST_REMOVE(s, link);
	h->body_bytes -= s->body.n;
	if (!--h->n_streams)
		h->idle_at = conn_now(s->request.conn);
	xb_buf_done(&s->head);
	xb_buf_done(&s->body);
	xb_buf_done(&s->request.headers);
	http_out_drop(&s->out);
	free(s->fields);
	request_gone(&s->request);
	free(s);
}

static void set_fault(struct http2_stream *s, int code, const char *message)
{
	if (s->fault_code)
		return;
	s->fault_code = code;
	s->fault = message;
}

static struct xb_http1_field *new_field(struct http2_stream *s)
{
	struct xb_http_request *r = &s->request;

	if (r->n_fields == s->cap_fields) {
		uint32_t cap = s->cap_fields ? 2 * s->cap_fields : 8;
		struct xb_http1_field *bigger = reallocarray(s->fields, cap, sizeof(*bigger));

		if (!bigger)
			return NULL;
		s->fields = bigger;
		s->cap_fields = cap;
	}
	return &s->fields[r->n_fields++];
}

/* RFC 9113 10.5.1: what goes beyond the limit is read, for the compression's state, and not kept. */
int http2_stream_add_field(struct http2_stream *s, struct xb_sv name, struct xb_sv value)
{
	const struct xb_http1_limits *limits = &s->request.conn->server->limits;
	struct xb_http1_field *f;

	if (s->fault_code || xb_sv_is(name, ":scheme"))
		return 0;
	s->list_bytes += name.n + value.n + 32;
	if (s->list_bytes > limits->head_bytes || s->request.n_fields == limits->fields) {
		set_fault(s, 431, "the request header is too large");
		return 0;
	}
	if (xb_sv_is(name, ":authority"))
		name = XB_SV("host");
	f = xb_sv_is(name, ":method") ? &s->method : xb_sv_is(name, ":path") ? &s->target : new_field(s);
	if (!f)
		return -ENOMEM;
	if (!s->head.n)
		xb_buf_reserve(&s->head, HEAD_BYTES);
	*f = (struct xb_http1_field){ s->head.n, name.n, s->head.n + name.n, value.n };
	xb_buf_addsv(&s->head, name);
	xb_buf_addsv(&s->head, value);
	return s->head.err;
}

/* nghttp2 has seen to the rest of RFC 9113 8.3.1. */
static bool is_target(struct xb_sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 127 || s.p[i] == '#')
			return false;
	return s.n > 0;
}

static void check_head(struct http2_stream *s)
{
	struct xb_http_request *r = &s->request;
	struct xb_sv length = xb_http_header(r, "content-length"), expect = xb_http_header(r, "expect");
	uint64_t n;

	if (xb_sv_is(r->method, "CONNECT"))
		set_fault(s, 400, "CONNECT is not supported");
	else if (!is_target(r->target))
		set_fault(s, 400, "malformed request target");
	else if (length.p && !xb_sv_u64(length, &n) && n > r->conn->server->limits.body_bytes)
		set_fault(s, 413, "the request body is too large");
	else if (expect.p && !xb_sv_is(expect, "100-continue"))
		set_fault(s, 417, "unknown expectation");
}

static void say_continue(struct http2_stream *s)
{
	nghttp2_nv status = { (uint8_t *)":status", (uint8_t *)"100", 7, 3, NGHTTP2_NV_FLAG_NONE };

	if (nghttp2_submit_headers(side(s)->session, NGHTTP2_FLAG_NONE, s->id, NULL, &status, 1, NULL))
		conn_die(s->request.conn);
}

void http2_stream_end_head(struct http2_stream *s, bool complete)
{
	struct xb_http_request *r = &s->request;

	r->head = s->head.p;
	r->fields = s->fields;
	r->method = (struct xb_sv){ s->head.p + s->method.value, s->method.value_n };
	r->target = (struct xb_sv){ s->head.p + s->target.value, s->target.value_n };
	if (!s->fault_code)
		check_head(s);
	if (complete)
		http2_stream_complete(s);
	else if (s->fault_code)
		add_news(s);
	else if (xb_http_header(r, "expect").p)
		say_continue(s);
}

int http2_stream_add_body(struct http2_stream *s, struct xb_sv bytes)
{
	struct http2 *h = side(s);
	size_t limit = s->request.conn->server->limits.body_bytes;

	if (s->fault_code)
		return 0;
	if (s->body.n + bytes.n > limit) {
		set_fault(s, 413, "the request body is too large");
		add_news(s);
		return 0;
	}
	if (h->body_bytes + bytes.n > BODIES_MAX * limit) {
		reset(s, NGHTTP2_ENHANCE_YOUR_CALM);
		return 0;
	}
	h->body_bytes += bytes.n;
	xb_buf_addsv(&s->body, bytes);
	return s->body.err;
}

void http2_stream_complete(struct http2_stream *s)
{
	s->complete = true;
	s->request.body = xb_buf_sv(&s->body);
	set_timed(s, false);
	add_news(s);
}

void http2_stream_closed(struct http2_stream *s)
{
	s->closed = s->request.lost = true;
	set_timed(s, false);
	http_out_drop(&s->out);
	add_news(s);
}

void http2_stream_attend(struct http2_stream *s)
{
	struct xb_http_request *r = &s->request;

	TAILQ_REMOVE(&side(s)->news, s, news_link);
	s->queued = false;
	if (s->closed && r->active && r->on_close) {
		r->active = false;
		r->on_close(r);
	}
	if (s->closed) {
		if (!r->active)
			http2_stream_free(s);
	} else if (s->fault_code && !s->answered) {
		reply_fault(r, s->fault_code, s->fault);
	} else if (s->complete && !s->answered && !r->active) {
		conn_hand_over(r);
	} else if (r->active && r->above && s->out.pending < DRAIN_BYTES) {
		r->above = false;
		if (r->on_drain)
			r->on_drain(r);
	}
}

void http2_stream_late(struct http2_stream *s)
{
	set_timed(s, false);
	if (s->complete || s->answered) {
		reset(s, NGHTTP2_CANCEL);
		return;
	}
	set_fault(s, 408, "the request took too long to arrive");
	add_news(s);
}

static ssize_t read_reply(nghttp2_session *session, int32_t id, uint8_t *to, size_t n, uint32_t *flags,
			  nghttp2_data_source *source, void *arg)
{
	struct http2_stream *s = source->ptr;

	n = MIN(MIN(n, s->out.pending), (size_t)FRAME_BYTES);
	if (!n && !s->ended) {
		s->deferred = true;
		return NGHTTP2_ERR_DEFERRED;
	}
	*flags |= NGHTTP2_DATA_FLAG_NO_COPY;
	if (s->ended && n == s->out.pending)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return n;
}

int http2_stream_sent(struct http2_stream *s, size_t n)
{
	int r = http_out_move(&s->out, n, &s->request.conn->out);

	/* what comes of a request after its reply is dropped, for as long as a request may take */
	if (s->complete)
		set_timed(s, s->out.pending > 0);
	if (s->request.above && s->out.pending < DRAIN_BYTES)
		add_news(s);
	return r;
}

static nghttp2_nv field(const char *name, struct xb_sv value)
{
	return (nghttp2_nv){ (uint8_t *)name, (uint8_t *)value.p, strlen(name), value.n, NGHTTP2_NV_FLAG_NONE };
}

/*
 * "Name: value\r\n" each; the names become small letters as RFC 9113 8.2 wants them. What a handler adds is one reply's own (Audit-Id): in
 * the table of the compression it would push out what comes again, and each reply's would be compared with fifty before it.
 */
static size_t add_handlers_fields(struct xb_buf *headers, nghttp2_nv *to, size_t max)
{
	struct xb_sv rest = xb_buf_sv(headers), line;
	size_t n = 0;

	while (n < max && xb_sv_split(&rest, '\n', &line) && line.n) {
		char *colon = memchr(line.p, ':', line.n);

		for (char *p = (char *)line.p; p < colon; p++)
			*p |= *p >= 'A' && *p <= 'Z' ? 'a' - 'A' : 0;
		to[n++] = (nghttp2_nv){ (uint8_t *)line.p, (uint8_t *)colon + 2, colon - line.p,
					line.p + line.n - 1 - (colon + 2), NGHTTP2_NV_FLAG_NO_INDEX };
	}
	return n;
}

static void http2_begin(struct xb_http_request *r, int code, const char *content_type, ssize_t length)
{
	struct http2_stream *s = container_of(r, struct http2_stream, request);
	nghttp2_data_provider reply = { .source.ptr = s, .read_callback = read_reply };
	bool bodyless = code == 204 || code == 304;
	char status[XB_DIGITS_MAX], length_text[XB_DIGITS_MAX];
	nghttp2_nv fields[64];
	size_t n = 0;

	r->no_body = bodyless || xb_sv_is(r->method, "HEAD");
	fields[n++] = field(":status", xb_sv_decimal((uint64_t)code, status));
	fields[n++] = field("date", xb_sv(server_date(r->conn->server)));
	if (content_type)
		fields[n++] = field("content-type", xb_sv(content_type));
	if (length >= 0 && !bodyless)
		fields[n++] = field("content-length", xb_sv_decimal((uint64_t)length, length_text));
	n += add_handlers_fields(&r->headers, fields + n, ARRAY_SIZE(fields) - n);
	s->answered = true;
	if (r->headers.err ||
	    nghttp2_submit_response(side(s)->session, s->id, fields, n, r->no_body || !length ? NULL : &reply))
		conn_die(r->conn);
}

static void http2_push(struct xb_http_request *r)
{
	struct http2_stream *s = container_of(r, struct http2_stream, request);

	if (s->deferred) {
		s->deferred = false;
		if (nghttp2_session_resume_data(side(s)->session, s->id) == NGHTTP2_ERR_NOMEM)
			conn_die(r->conn);
	}
	if (s->out.pending && !s->timed)
		set_timed(s, true);
	if (r->above && s->out.pending < DRAIN_BYTES)
		add_news(s);
	conn_wake(r->conn);
}

static void http2_end(struct xb_http_request *r)
{
	struct http2_stream *s = container_of(r, struct http2_stream, request);

	xb_buf_done(&r->headers);
	r->active = r->above = false;
	s->ended = true;
	if (s->closed)
		add_news(s);
	http2_push(r);
}

static void http2_fail(struct xb_http_request *r)
{
	struct http2_stream *s = container_of(r, struct http2_stream, request);

	if (nghttp2_submit_rst_stream(r->conn->h2->session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_INTERNAL_ERROR))
		conn_die(r->conn);
	else
		conn_wake(r->conn);
}

const struct reply_ops http2_reply = { http2_begin, http2_push, http2_end, http2_fail, reply_move, NULL };
