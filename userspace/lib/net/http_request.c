/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "http_conn.h"

struct xb_sv xb_http_method(const struct xb_http_request *r)
{
	return xb_http1_method(&conn_of(r)->parser);
}

struct xb_sv xb_http_path(const struct xb_http_request *r)
{
	struct xb_sv query = xb_http1_target(&conn_of(r)->parser), path;

	return xb_sv_split(&query, '?', &path) ? path : (struct xb_sv){};
}

struct xb_sv xb_http_query(const struct xb_http_request *r)
{
	struct xb_sv query = xb_http1_target(&conn_of(r)->parser), path;

	xb_sv_split(&query, '?', &path);
	return query;
}

struct xb_sv xb_http_header(const struct xb_http_request *r, const char *name)
{
	struct xb_sv value = {};
	size_t iter = 0;

	xb_http1_next(&conn_of(r)->parser, name, &iter, &value);
	return value;
}

bool xb_http_header_each(const struct xb_http_request *r, const char *name, size_t *iter, struct xb_sv *ret)
{
	return xb_http1_next(&conn_of(r)->parser, name, iter, ret);
}

struct xb_sv xb_http_body(const struct xb_http_request *r)
{
	return xb_buf_sv(&conn_of(r)->parser.body);
}

const struct xb_tls_peer *xb_http_peer_cert(const struct xb_http_request *r)
{
	return conn_of(r)->transport.peer;
}

const struct sockaddr *xb_http_peer_addr(const struct xb_http_request *r)
{
	return &conn_of(r)->peer.any;
}

void xb_http_set_user(struct xb_http_request *r, void *user)
{
	r->user = user;
}

void *xb_http_user(const struct xb_http_request *r)
{
	return r->user;
}

void xb_http_on_close(struct xb_http_request *r, void (*on_close)(struct xb_http_request *r),
		      void (*on_shutdown)(struct xb_http_request *r))
{
	r->on_close = on_close;
	r->on_shutdown = on_shutdown;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int xb_http_decode(struct xb_sv s, bool query, struct xb_buf *ret)
{
	size_t before = ret->n;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i] == '+' && query ? ' ' : s.p[i];

		if (c == '%') {
			int high = i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1, low = high < 0 ? -1 : hex_digit(s.p[i + 2]);

			c = low < 0 ? 0 : high << 4 | low;
			i += 2;
		}
		if (!c) {
			ret->n = before;
			return -EINVAL;
		}
		xb_buf_addc(ret, c);
	}
	return ret->err;
}
