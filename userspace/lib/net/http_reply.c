/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "http_conn.h"

#define SMALL_BYTES (16 << 10)  /* what is copied beside its neighbours rather than queued alone: one TLS record */
#define IOVECS 16

static const char *reason(int code)
{
	static const struct {
		int code;
		const char *text;
	} reasons[] = {
		{ 200, "OK" }, { 201, "Created" }, { 202, "Accepted" }, { 204, "No Content" }, { 301, "Moved Permanently" },
		{ 302, "Found" }, { 304, "Not Modified" }, { 307, "Temporary Redirect" }, { 400, "Bad Request" },
		{ 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" }, { 408, "Request Timeout" }, { 409, "Conflict" }, { 410, "Gone" },
		{ 412, "Precondition Failed" }, { 413, "Content Too Large" }, { 415, "Unsupported Media Type" },
		{ 417, "Expectation Failed" }, { 422, "Unprocessable Content" }, { 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" }, { 501, "Not Implemented" },
		{ 503, "Service Unavailable" }, { 504, "Gateway Timeout" }, { 505, "HTTP Version Not Supported" },
		{ 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].code == code)
			return reasons[i].text;
	return "";
}

static struct xb_sv segment_bytes(const struct segment *s)
{
	if (s->chunk)
		return (struct xb_sv){ s->chunk->bytes, s->chunk->n };
	return xb_buf_sv(&s->buf);
}

static void segment_free(struct segment *s)
{
	xb_buf_done(&s->buf);
	xb_http_chunk_unref(s->chunk);
	free(s);
}

static struct segment *segment_new(struct conn *c)
{
	struct segment *s = calloc(1, sizeof(*s));

	if (!s) {
		conn_die(c);
		return NULL;
	}
	if (c->out)
		c->out_last->next = s;
	else
		c->out = s;
	c->out_last = s;
	return s;
}

/* Appends a copy, to the last segment where that is small and its own. */
static void queue(struct conn *c, struct xb_sv bytes)
{
	struct segment *s = c->out_last;

	if (c->phase == PHASE_DEAD)
		return;
	if (!c->out || s->chunk || s->buf.n + bytes.n > SMALL_BYTES)
		s = segment_new(c);
	if (!s)
		return;
	xb_buf_addsv(&s->buf, bytes);
	if (s->buf.err)
		conn_die(c);
	else
		c->pending += bytes.n;
}

static void queue_buf(struct conn *c, struct xb_buf *bytes)
{
	struct segment *s;

	if (bytes->n <= SMALL_BYTES / 2) {
		queue(c, xb_buf_sv(bytes));
		xb_buf_done(bytes);
		return;
	}
	s = c->phase == PHASE_DEAD ? NULL : segment_new(c);
	if (!s) {
		xb_buf_done(bytes);
		return;
	}
	c->pending += bytes->n;
	s->buf = *bytes;
	*bytes = (struct xb_buf){};
}

static void queue_chunk(struct conn *c, struct xb_http_chunk *chunk)
{
	struct segment *s = c->phase == PHASE_DEAD ? NULL : segment_new(c);

	if (!s)
		return;
	chunk->refs++;
	s->chunk = chunk;
	c->pending += chunk->n;
}

void conn_drop_output(struct conn *c)
{
	while (c->out) {
		struct segment *s = c->out;

		c->out = s->next;
		segment_free(s);
	}
	c->out_last = NULL;
	c->pending = 0;
}

static void sent(struct conn *c, size_t n)
{
	c->pending -= n;
	c->server->stats.bytes_out += n;
	if (c->wait == WAIT_SEND)
		conn_stop_waiting(c);
	while (n) {
		struct segment *s = c->out;
		size_t part = MIN(n, segment_bytes(s).n - s->at);

		s->at += part;
		n -= part;
		if (s->at < segment_bytes(s).n)
			return;
		c->out = s->next;
		segment_free(s);
	}
}

int conn_flush(struct conn *c)
{
	struct iovec iov[IOVECS];
	ssize_t r;
	int n;

	while (c->pending) {
		n = 0;
		for (struct segment *s = c->out; s && n < IOVECS; s = s->next, n++)
			iov[n] = (struct iovec){ (char *)segment_bytes(s).p + s->at, segment_bytes(s).n - s->at };
		r = c->transport.ops->send(&c->transport, iov, n);
		if (r == -EAGAIN) {
			c->blocked = true;
			return 0;
		}
		if (r < 0)
			return r;
		sent(c, r);
	}
	return 0;
}

/* length < 0: a stream. */
static void queue_head(struct conn *c, int code, const char *content_type, ssize_t length)
{
	struct xb_http_request *r = &c->request;
	_cleanup_buf_ struct xb_buf head = {};
	bool bodyless = code == 204 || code == 304;

	r->no_body = bodyless || xb_sv_is(xb_http1_method(&c->parser), "HEAD");
	r->chunked = length < 0 && c->parser.minor > 0;
	if (length < 0 && !r->chunked)
		c->close = true;
	xb_buf_addf(&head, "HTTP/1.1 %d %s\r\nDate: %s\r\n", code, reason(code), server_date(c->server));
	if (content_type)
		xb_buf_addf(&head, "Content-Type: %s\r\n", content_type);
	if (length >= 0 && !bodyless)
		xb_buf_addf(&head, "Content-Length: %zd\r\n", length);
	if (r->chunked && !bodyless)
		xb_buf_adds(&head, "Transfer-Encoding: chunked\r\n");
	if (c->close || c->server->stopping)
		xb_buf_adds(&head, "Connection: close\r\n");
	xb_buf_addsv(&head, xb_buf_sv(&r->headers));
	xb_buf_adds(&head, "\r\n");
	if (head.err || r->headers.err)
		conn_die(c);
	else
		queue(c, xb_buf_sv(&head));
}

/* The handler lets go of the request. */
static void let_go(struct conn *c)
{
	xb_buf_done(&c->request.headers);
	c->request = (struct xb_http_request){};
	if (c->phase != PHASE_DEAD)
		c->phase = PHASE_FLUSHING;
	conn_run(c);
}

void conn_continue(struct conn *c)
{
	c->parser.expect_continue = false;
	queue(c, XB_SV("HTTP/1.1 100 Continue\r\n\r\n"));
}

void conn_fault(struct conn *c, int code, const char *message)
{
	const char *content_type = "text/plain; charset=utf-8";
	_cleanup_buf_ struct xb_buf body = {};

	c->server->stats.faults++;
	if (c->server->config.fault_body)
		c->server->config.fault_body(code, message, &body, &content_type);
	else
		xb_buf_addf(&body, "%s\n", message);
	c->close = true;
	queue_head(c, code, content_type, body.n);
	if (!c->request.no_body)
		queue(c, xb_buf_sv(&body));
	if (c->phase != PHASE_DEAD)
		c->phase = PHASE_FLUSHING;
}

int xb_http_add_header(struct xb_http_request *r, const char *name, const char *value)
{
	if (!*name || strpbrk(name, "\r\n: ") || strpbrk(value, "\r\n"))
		return -EINVAL;
	xb_buf_addf(&r->headers, "%s: %s\r\n", name, value);
	return r->headers.err;
}

void xb_http_respond_buf(struct xb_http_request *r, int code, const char *content_type, struct xb_buf *body)
{
	struct conn *c = conn_of(r);

	queue_head(c, code, content_type, body->n);
	if (r->no_body)
		xb_buf_done(body);
	else
		queue_buf(c, body);
	let_go(c);
}

void xb_http_respond(struct xb_http_request *r, int code, const char *content_type, struct xb_sv body)
{
	struct conn *c = conn_of(r);

	queue_head(c, code, content_type, body.n);
	if (!r->no_body)
		queue(c, body);
	let_go(c);
}

struct xb_http_chunk *xb_http_chunk_new(struct xb_sv bytes)
{
	struct xb_http_chunk *c = malloc(sizeof(*c) + bytes.n);

	if (!c)
		return NULL;
	c->refs = 1;
	c->n = bytes.n;
	if (bytes.n)
		memcpy(c->bytes, bytes.p, bytes.n);
	return c;
}

struct xb_http_chunk *xb_http_chunk_unref(struct xb_http_chunk *c)
{
	if (c && !--c->refs)
		free(c);
	return NULL;
}

/* Sends what was queued unless conn_run is about to, or the socket is full. */
static void push(struct conn *c)
{
	if (c->phase != PHASE_DEAD && !c->running && !c->blocked && conn_flush(c))
		conn_die(c);
	c->request.above |= c->pending >= DRAIN_BYTES;
	if (c->phase != PHASE_DEAD && !c->running && c->blocked)
		conn_run(c);
}

void xb_http_stream_begin(struct xb_http_request *r, int code, const char *content_type,
			  void (*on_drain)(struct xb_http_request *r))
{
	r->streaming = true;
	r->on_drain = on_drain;
	queue_head(conn_of(r), code, content_type, -1);
	push(conn_of(r));
}

static bool begin_piece(struct xb_http_request *r, size_t n)
{
	char size[24];

	if (!n || r->no_body)
		return false;
	if (r->chunked)
		queue(conn_of(r), (struct xb_sv){ size, snprintf(size, sizeof(size), "%zx\r\n", n) });
	return true;
}

static void end_piece(struct xb_http_request *r)
{
	if (r->chunked)
		queue(conn_of(r), XB_SV("\r\n"));
	push(conn_of(r));
}

void xb_http_stream_write(struct xb_http_request *r, struct xb_sv bytes)
{
	if (!begin_piece(r, bytes.n))
		return;
	queue(conn_of(r), bytes);
	end_piece(r);
}

void xb_http_stream_write_chunk(struct xb_http_request *r, struct xb_http_chunk *c)
{
	if (!begin_piece(r, c->n))
		return;
	queue_chunk(conn_of(r), c);
	end_piece(r);
}

size_t xb_http_stream_pending(const struct xb_http_request *r)
{
	return conn_of(r)->pending;
}

void xb_http_stream_end(struct xb_http_request *r)
{
	struct conn *c = conn_of(r);

	if (r->chunked && !r->no_body)
		queue(c, XB_SV("0\r\n\r\n"));
	let_go(c);
}
