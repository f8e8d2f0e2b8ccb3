/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "http_conn.h"

#define GZIP_BYTES (128 << 10)  /* smaller replies are not worth the time, as upstream has it */

/* Nobody is there to get the reply. */
static bool is_lost(const struct xb_http_request *r)
{
	return r->lost || r->conn->phase == PHASE_DEAD;
}

/* Without memory the reply cannot be whole. */
static void queued(struct xb_http_request *r, int error)
{
	if (error)
		conn_die(r->conn);
}

/* A large JSON text goes compressed where the client takes that; without memory it goes as it is. */
static void compress_body(struct xb_http_request *r, int code, const char *content_type, struct xb_buf *body)
{
	struct xb_buf smaller = {};

	if (code != 200 || body->n <= GZIP_BYTES || !content_type || !xb_sv_starts(xb_sv(content_type), "application/json") ||
	    !http_accepts_gzip(xb_http_header(r, "Accept-Encoding")) || http_gzip(xb_buf_sv(body), &smaller))
		return;
	xb_http_add_header(r, "Content-Encoding", "gzip");
	xb_http_add_header(r, "Vary", "Accept-Encoding");
	xb_buf_done(body);
	*body = smaller;
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
	compress_body(r, code, content_type, body);
	if (!is_lost(r))
		r->conn->protocol->begin(r, code, content_type, body->n);
	if (is_lost(r) || r->no_body)
		xb_buf_done(body);
	else
		queued(r, http_out_add_buf(r->out, body));
	r->conn->protocol->end(r);
}

void xb_http_respond(struct xb_http_request *r, int code, const char *content_type, struct xb_sv body)
{
	if (!is_lost(r))
		r->conn->protocol->begin(r, code, content_type, body.n);
	if (!is_lost(r) && !r->no_body)
		queued(r, http_out_add(r->out, body));
	r->conn->protocol->end(r);
}

void reply_fault(struct xb_http_request *r, int code, const char *message)
{
	const struct xb_http_config *config = &r->conn->server->config;
	const char *content_type = "text/plain; charset=utf-8";
	_cleanup_buf_ struct xb_buf body = {};

	r->conn->server->stats.faults++;
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

void xb_http_stream_begin(struct xb_http_request *r, int code, const char *content_type,
			  void (*on_drain)(struct xb_http_request *r))
{
	r->streaming = true;
	r->on_drain = on_drain;
	if (is_lost(r))
		return;
	r->conn->protocol->begin(r, code, content_type, -1);
	r->conn->protocol->push(r);
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
	r->above |= r->out->pending >= DRAIN_BYTES;
	if (!is_lost(r))
		r->conn->protocol->push(r);
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

size_t xb_http_stream_pending(const struct xb_http_request *r)
{
	return r->out->pending;
}

void xb_http_stream_end(struct xb_http_request *r)
{
	if (r->chunked && !r->no_body && !is_lost(r))
		queued(r, http_out_add(r->out, XB_SV("0\r\n\r\n")));
	r->conn->protocol->end(r);
}
