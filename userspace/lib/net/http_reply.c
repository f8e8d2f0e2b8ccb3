/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "http_conn.h"
#include "xb/stream.h"

#define GZIP_BYTES (128 << 10)  /* smaller replies are not worth the time, as upstream has it */

/* Its connection is another thread's: here is only what that thread has handed over. */
static bool is_relayed(const struct xb_http_request *r)
{
	return r->reply == &relay_reply;
}

/* Nobody is there to get the reply. */
static bool is_lost(const struct xb_http_request *r)
{
	return r->lost || (!is_relayed(r) && r->conn->phase == PHASE_DEAD);
}

/* A client that hears more than the answers to its patient requests may have more to say. */
static void push(struct xb_http_request *r)
{
	if (!is_relayed(r))
		conn_busy(r->conn);
	r->reply->push(r);
}

static void end(struct xb_http_request *r)
{
	if (!is_relayed(r) && r->patient && !r->streaming)
		conn_beat(r->conn);
	else if (!is_relayed(r))
		conn_busy(r->conn);
	r->reply->end(r);
}

/* Without memory the reply cannot be whole. */
static void queued(struct xb_http_request *r, int error)
{
	if (error)
		r->reply->fail(r);
}

/* A large JSON text goes compressed where the client takes that; without memory it goes as it is. */
static bool compress(struct xb_http_request *r, int code, const char *content_type, struct xb_sv body, struct xb_buf *ret)
{
	if (code != 200 || body.n <= GZIP_BYTES || !content_type || !xb_sv_starts(xb_sv(content_type), "application/json") ||
	    is_relayed(r) || is_lost(r) || !http_accepts_gzip(xb_http_header(r, "Accept-Encoding")) || http_gzip(body, ret))
		return false;
	xb_http_add_header(r, "Content-Encoding", "gzip");
	xb_http_add_header(r, "Vary", "Accept-Encoding");
	return true;
}

int xb_http_add_header(struct xb_http_request *r, const char *name, const char *value)
{
	if (!*name || strpbrk(name, "\r\n: ") || strpbrk(value, "\r\n"))
		return -EINVAL;
	xb_buf_adds(&r->headers, name);
	xb_buf_adds(&r->headers, ": ");
	xb_buf_adds(&r->headers, value);
	xb_buf_adds(&r->headers, "\r\n");
	return r->headers.err;
}

void xb_http_respond_buf(struct xb_http_request *r, int code, const char *content_type, struct xb_buf *body)
{
	struct xb_buf smaller = {};

	if (compress(r, code, content_type, xb_buf_sv(body), &smaller)) {
		xb_buf_done(body);
		*body = smaller;
	}
	if (!is_lost(r))
		r->reply->begin(r, code, content_type, body->n);
	if (is_lost(r) || r->no_body)
		xb_buf_done(body);
	else
		queued(r, http_out_add_buf(r->out, body));
	end(r);
}

void reply_whole(struct xb_http_request *r, int code, const char *content_type, struct http_out *body)
{
	struct xb_buf smaller = {};
	struct iovec first[2];

	/* what was taken over rather than copied is in one piece */
	if (http_out_view(body, first, 2) == 1 &&
	    compress(r, code, content_type, (struct xb_sv){ first[0].iov_base, first[0].iov_len }, &smaller)) {
		http_out_drop(body);
		queued(r, http_out_add_buf(body, &smaller));
	}
	if (!is_lost(r))
		r->reply->begin(r, code, content_type, body->pending);
	if (!is_lost(r) && !r->no_body)
		http_out_splice(r->out, body);
	http_out_drop(body);
	end(r);
}

void xb_http_respond(struct xb_http_request *r, int code, const char *content_type, struct xb_sv body)
{
	if (!is_lost(r))
		r->reply->begin(r, code, content_type, body.n);
	if (!is_lost(r) && !r->no_body)
		queued(r, http_out_add(r->out, body));
	end(r);
}

bool xb_http_reads(struct xb_http_request *r)
{
	if (xb_sv_is(xb_http_method(r), "GET") || xb_sv_is(xb_http_method(r), "HEAD"))
		return true;
	xb_http_add_header(r, "Allow", "GET, HEAD");
	xb_http_respond(r, 405, "text/plain; charset=utf-8", XB_SV("405 method not allowed\n"));
	return false;
}

void reply_fault(struct xb_http_request *r, int code, const char *message)
{
	const struct xb_http_config *config = &r->conn->server->config;
	const char *content_type = "text/plain; charset=utf-8";
	_cleanup_buf_ struct xb_buf body = {};

	count(&r->conn->server->stats.faults, 1);
	if (config->fault_body)
		config->fault_body(code, message, &body, &content_type);
	else
		xb_buf_addf(&body, "%s\n", message);
	xb_http_respond(r, code, content_type, xb_buf_sv(&body));
}

struct xb_http_chunk *xb_http_chunk_new(struct xb_sv bytes)
{
	struct xb_http_chunk *c = malloc(sizeof(*c) + bytes.n);

	if (!c)
		return NULL;
	atomic_init(&c->refs, 1);
	c->n = bytes.n;
	if (bytes.n)
		memcpy(c->bytes, bytes.p, bytes.n);
	return c;
}

struct xb_http_chunk *xb_http_chunk_unref(struct xb_http_chunk *c)
{
	if (c && atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) == 1)
		free(c);
	return NULL;
}

void xb_http_stream_begin(struct xb_http_request *r, int code, const char *content_type,
			  void (*on_drain)(struct xb_http_request *r))
{
	r->streaming = true;
	r->on_drain = on_drain;
	if (is_lost(r))
		return;
	r->reply->begin(r, code, content_type, -1);
	push(r);
	if (!is_relayed(r) && r->conn->server->stopping)
		conn_late(r->conn);
}

static bool begin_piece(struct xb_http_request *r, size_t n)
{
	char size[24];

	if (!n || r->no_body || is_lost(r))
		return false;
	if (r->chunked)
		queued(r, http_out_add(r->out, (struct xb_sv){ size, snprintf(size, sizeof(size), "%zx\r\n", n) }));
	return !is_lost(r);
}

static void end_piece(struct xb_http_request *r, int error)
{
	queued(r, error ? error : r->chunked && !is_lost(r) ? http_out_add(r->out, XB_SV("\r\n")) : 0);
	r->above |= xb_http_stream_pending(r) >= DRAIN_BYTES;
	if (!is_lost(r))
		push(r);
}

void xb_http_stream_write(struct xb_http_request *r, struct xb_sv bytes)
{
	if (begin_piece(r, bytes.n))
		end_piece(r, http_out_add(r->out, bytes));
}

void xb_http_stream_write_chunk(struct xb_http_request *r, struct xb_http_chunk *c)
{
	if (begin_piece(r, c->n))
		end_piece(r, http_out_add_chunk(r->out, c));
}

void reply_stream(struct xb_http_request *r, struct http_out *bytes)
{
	if (begin_piece(r, bytes->pending)) {
		http_out_splice(r->out, bytes);
		end_piece(r, 0);
	}
	http_out_drop(bytes);
}

size_t xb_http_stream_pending(const struct xb_http_request *r)
{
	return r->out->pending + r->ahead;
}

void xb_http_stream_end(struct xb_http_request *r)
{
	if (r->chunked && !r->no_body && !is_lost(r))
		queued(r, http_out_add(r->out, XB_SV("0\r\n\r\n")));
	end(r);
}

void xb_http_stream_abort(struct xb_http_request *r)
{
	if (!is_lost(r))
		r->reply->fail(r);
	end(r);
}

bool xb_http_is_lost(const struct xb_http_request *r)
{
	return is_lost(r);
}

void reply_move(struct xb_http_request *r, http_serve *serve, void *arg)
{
	serve(r, r->conn->poll.loop, arg);
}

void xb_http_move(struct xb_http_request *r, http_serve *serve, void *arg)
{
	xb_http_on_close(r, NULL, NULL);
	r->reply->move(r, serve, arg);
}

int xb_http_upgrade(struct xb_http_request *r, const char *protocol, const struct xb_stream_ops *ops, void *arg,
		    struct xb_stream **ret)
{
	size_t before = r->headers.n;
	struct xb_stream *s;
	int error;

	if (!r->reply->upgrade || !r->conn->h1.parser.minor)
		return -EOPNOTSUPP;
	if (is_lost(r))
		return -ENOTCONN;
	error = xb_http_add_header(r, "Connection", "Upgrade");
	if (!error)
		error = xb_http_add_header(r, "Upgrade", protocol);
	if (!error)
		error = r->reply->upgrade(r, &s);
	if (error) {
		r->headers.n = before;
		return error;
	}
	xb_stream_hand_over(s, ops, arg);
	*ret = s;
	return 0;
}
