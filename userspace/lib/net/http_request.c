/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "http_conn.h"

struct xb_sv xb_http_method(const struct xb_http_request *r)
{
	return r->method;
}

struct xb_sv xb_http_path(const struct xb_http_request *r)
{
	struct xb_sv query = r->target, path;

	return xb_sv_split(&query, '?', &path) ? path : (struct xb_sv){};
}

struct xb_sv xb_http_query(const struct xb_http_request *r)
{
	struct xb_sv query = r->target, path;

	xb_sv_split(&query, '?', &path);
	return query;
}

struct xb_sv xb_http_header(const struct xb_http_request *r, const char *name)
{
	struct xb_sv value = {};
	size_t iter = 0;

	xb_http_header_each(r, name, &iter, &value);
	return value;
}

bool xb_http_header_each(const struct xb_http_request *r, const char *name, size_t *iter, struct xb_sv *ret)
{
	return xb_http1_find(r->head, r->fields, r->n_fields, name, iter, ret);
}

bool xb_http_header_next(const struct xb_http_request *r, size_t *iter, struct xb_sv *ret_name, struct xb_sv *ret_value)
{
	const struct xb_http1_field *f = *iter < r->n_fields ? &r->fields[(*iter)++] : NULL;

	if (!f)
		return false;
	*ret_name = (struct xb_sv){ r->head + f->name, f->name_n };
	*ret_value = (struct xb_sv){ r->head + f->value, f->value_n };
	return true;
}

struct xb_sv xb_http_body(const struct xb_http_request *r)
{
	return r->body;
}

const struct xb_tls_peer *xb_http_peer_cert(const struct xb_http_request *r)
{
	return r->conn->transport.peer;
}

const struct sockaddr *xb_http_peer_addr(const struct xb_http_request *r)
{
	return &r->conn->peer.any;
}

bool xb_http_peer_is_local(const struct xb_http_request *r)
{
	const struct sockaddr *peer = xb_http_peer_addr(r);
	const struct sockaddr_in6 *v6 = (const void *)peer;
	const struct sockaddr_in *v4 = (const void *)peer;

	if (peer->sa_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) || (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) && v6->sin6_addr.s6_addr[12] == 127);
}

bool xb_http_patient(struct xb_http_request *r)
{
	r->patient = true;
	return r->waited;
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

void xb_http_on_gone(struct xb_http_request *r, void (*on_gone)(void *arg), void *arg)
{
	r->on_gone = on_gone;
	r->gone_arg = arg;
}

void request_gone(struct xb_http_request *r)
{
	void (*on_gone)(void *arg) = TAKE_PTR(r->on_gone);

	if (on_gone)
		on_gone(r->gone_arg);
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
