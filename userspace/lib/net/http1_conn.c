/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "http_conn.h"
#include "xb/stream.h"

#define PIPELINE_BYTES (16 << 10)       /* read ahead of the reply */

static const char *reason(int code)
{
	static const struct {
		int code;
		const char *text;
	} reasons[] = {
		{ 101, "Switching Protocols" }, { 200, "OK" }, { 201, "Created" }, { 202, "Accepted" }, { 204, "No Content" }, { 301, "Moved Permanently" },
		{ 302, "Found" }, { 304, "Not Modified" }, { 307, "Temporary Redirect" }, { 400, "Bad Request" },
		{ 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" }, { 408, "Request Timeout" }, { 409, "Conflict" }, { 410, "Gone" },
		{ 412, "Precondition Failed" }, { 413, "Content Too Large" }, { 415, "Unsupported Media Type" },
		{ 417, "Expectation Failed" }, { 422, "Unprocessable Content" }, { 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" }, { 501, "Not Implemented" },
		{ 502, "Bad Gateway" }, { 503, "Service Unavailable" }, { 504, "Gateway Timeout" }, { 505, "HTTP Version Not Supported" },
		{ 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].code == code)
			return reasons[i].text;
	return "";
}

static void fault(struct conn *c, int code, const char *message)
{
	c->h1.close = true;
	reply_fault(&c->h1.request, code, message);
}

static void say_continue(struct conn *c)
{
	c->h1.parser.expect_continue = false;
	if (http_out_add(&c->out, XB_SV("HTTP/1.1 100 Continue\r\n\r\n")))
		conn_die(c);
}

static void begin_request(struct conn *c)
{
	struct http1_side *h = &c->h1;
	const struct xb_http1 *p = &h->parser;

	h->phase = HTTP1_REPLYING;
	h->wait = WAIT_NONE;
	h->close = p->close || c->server->stopping;
	h->request.method = xb_http1_method(p);
	h->request.target = xb_http1_target(p);
	h->request.body = xb_buf_sv(&p->body);
	h->request.head = p->head.p;
	h->request.fields = p->fields;
	h->request.n_fields = p->n_fields;
	conn_hand_over(&h->request);
}

/* Gives bytes to the parser until a request is complete; keeps what is behind it for later. */
static void http1_receive(struct conn *c, const char *bytes, size_t n)
{
	struct http1_side *h = &c->h1;
	size_t used;
	int r;

	while (n && h->phase == HTTP1_READING && c->phase == PHASE_OPEN) {
		r = xb_http1_feed(&h->parser, bytes, n, &used);
		h->greeted |= h->parser.head.n > 0;
		bytes += used;
		n -= used;
		if (r == -EBADMSG)
			fault(c, h->parser.fault_code, h->parser.fault);
		else if (r < 0)
			conn_die(c);
		else if (r)
			begin_request(c);
		else if (h->parser.expect_continue && !h->parser.body.n)
			say_continue(c);
	}
	if (c->phase == PHASE_UPGRADED && xb_stream_unread(c->stream, (struct xb_sv){ bytes, n }))
		conn_die(c);
	if (c->phase != PHASE_OPEN)
		return;
	xb_buf_add(&h->in, bytes, n);
	if (h->in.err)
		conn_die(c);
}

/* The reply has left: the next request, or the end. */
static void end_reply(struct conn *c)
{
	struct http1_side *h = &c->h1;
	_cleanup_buf_ struct xb_buf in = h->in;

	h->in = (struct xb_buf){};
	xb_http1_clear(&h->parser);
	request_gone(&h->request);
	h->phase = HTTP1_READING;
	if (h->close || c->server->stopping)
		conn_linger(c);
	else
		http1_receive(c, in.p, in.n);
}

static bool http1_step(struct conn *c)
{
	struct http1_side *h = &c->h1;
	struct xb_http_request *r = &h->request;

	if (h->phase == HTTP1_FLUSHING && !c->out.pending) {
		end_reply(c);
		return true;
	}
	if (h->phase == HTTP1_REPLYING && r->above && c->out.pending < DRAIN_BYTES) {
		r->above = false;
		if (r->on_drain)
			r->on_drain(r);
		return true;
	}
	/* A client that has ended its side gets what is on its way; a stream with nothing on its way has lost its reader. */
	if (c->eof && !c->out.pending && (h->phase == HTTP1_READING || (h->phase == HTTP1_REPLYING && r->streaming && !r->asked)))
		conn_die(c);
	return false;
}

static int http1_wants(const struct conn *c)
{
	if (c->h1.phase == HTTP1_READING || c->h1.in.n < PIPELINE_BYTES)
		return UV_READABLE;
	return c->h1.request.streaming ? UV_DISCONNECT : 0;
}

static enum http1_wait wants_wait(const struct http1_side *h)
{
	if (h->phase != HTTP1_READING)
		return WAIT_NONE;
	if (xb_http1_in_body(&h->parser))
		return WAIT_BODY;
	return h->parser.head.n || !h->greeted ? WAIT_HEAD : WAIT_IDLE;
}

static uint64_t http1_deadline(struct conn *c)
{
	const struct xb_http_config *config = &c->server->config;
	unsigned seconds[] = {
		[WAIT_HEAD] = config->header_seconds, [WAIT_BODY] = config->body_seconds, [WAIT_IDLE] = config->idle_seconds,
	};
	enum http1_wait wait = wants_wait(&c->h1);

	if (wait != c->h1.wait) {
		c->h1.wait = wait;
		c->h1.since = conn_now(c);
	}
	return wait == WAIT_NONE ? 0 : c->h1.since + seconds[wait] * 1000ull;
}

static void http1_on_deadline(struct conn *c)
{
	if (c->h1.parser.head.n && !c->eof && !c->out.pending)
		fault(c, 408, "the request took too long to arrive");
	else
		conn_die(c);
}

static void http1_shutdown(struct conn *c)
{
	struct http1_side *h = &c->h1;

	h->close = true;
	if (h->phase == HTTP1_READING && !h->parser.head.n)
		conn_die(c);
	else if (h->phase == HTTP1_REPLYING)
		conn_tell(&h->request);
}

static void http1_closed(struct conn *c)
{
	struct xb_http_request *r = &c->h1.request;

	if (!r->active || !r->on_close)
		return;
	r->active = false;
	r->on_close(r);
}

static bool http1_held(const struct conn *c)
{
	return c->h1.request.active;
}

static void http1_done(struct conn *c)
{
	request_gone(&c->h1.request);
	xb_http1_done(&c->h1.parser);
	xb_buf_done(&c->h1.in);
	xb_buf_done(&c->h1.request.headers);
}

static void http1_begin(struct xb_http_request *r, int code, const char *content_type, ssize_t length)
{
	struct conn *c = r->conn;
	_cleanup_buf_ struct xb_buf head = {};
	bool bodyless = code == 204 || code == 304;

	r->no_body = bodyless || xb_sv_is(xb_http1_method(&c->h1.parser), "HEAD");
	r->chunked = length < 0 && c->h1.parser.minor > 0;
	if (length < 0 && !r->chunked)
		c->h1.close = true;
	xb_buf_addf(&head, "HTTP/1.1 %d %s\r\nDate: %s\r\n", code, reason(code), server_date(c->server));
	if (content_type)
		xb_buf_addf(&head, "Content-Type: %s\r\n", content_type);
	if (length >= 0 && !bodyless)
		xb_buf_addf(&head, "Content-Length: %zd\r\n", length);
	if (r->chunked && !bodyless)
		xb_buf_adds(&head, "Transfer-Encoding: chunked\r\n");
	if (c->h1.close || c->server->stopping)
		xb_buf_adds(&head, "Connection: close\r\n");
	xb_buf_addsv(&head, xb_buf_sv(&r->headers));
	xb_buf_adds(&head, "\r\n");
	if (head.err || r->headers.err || http_out_add(&c->out, xb_buf_sv(&head)))
		conn_die(c);
}

static void http1_push(struct xb_http_request *r)
{
	conn_wake(r->conn);
}

static void http1_end(struct xb_http_request *r)
{
	struct conn *c = r->conn;

	xb_buf_done(&r->headers);
	*r = (struct xb_http_request){
		.conn = c, .reply = &http1_reply, .out = &c->out, .on_gone = r->on_gone, .gone_arg = r->gone_arg,
	};
	c->h1.phase = HTTP1_FLUSHING;
	conn_run(c);
}

static void http1_fail(struct xb_http_request *r)
{
	conn_die(r->conn);
}

/* The head's last lines are the handler's, who knows what the connection is upgraded to. */
static int http1_upgrade(struct xb_http_request *r, struct xb_stream **ret)
{
	struct conn *c = r->conn;
	_cleanup_buf_ struct xb_buf head = {};
	int error;

	xb_buf_addf(&head, "HTTP/1.1 101 %s\r\nDate: %s\r\n%s\r\n", reason(101), server_date(c->server), r->headers.p ? r->headers.p : "");
	error = head.err ? head.err : r->headers.err ? r->headers.err : conn_upgrade(c, ret);
	if (error)
		return error;
	xb_stream_write(*ret, xb_buf_sv(&head));
	if (xb_stream_unread(*ret, xb_buf_sv(&c->h1.in)))
		conn_die(c);
	xb_buf_done(&c->h1.in);
	xb_http1_clear(&c->h1.parser);
	r->active = false;
	return 0;
}

const struct reply_ops http1_reply = { http1_begin, http1_push, http1_end, http1_fail, reply_move, http1_upgrade };

const struct protocol http1_protocol = {
	.receive = http1_receive, .step = http1_step, .wants = http1_wants, .deadline = http1_deadline,
	.on_deadline = http1_on_deadline, .shutdown = http1_shutdown, .closed = http1_closed, .held = http1_held,
	.done = http1_done,
};
