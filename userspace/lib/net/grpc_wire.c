/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <endian.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>

#include "grpc_wire.h"

#define TIMEOUT_MAX 99999999u /* eight digits */

static const char *const code_names[] = {
	"OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists", "PermissionDenied",
	"ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented", "Internal", "Unavailable", "DataLoss",
	"Unauthenticated",
};

const char *xb_grpc_code_name(int code)
{
	return code_names[code >= 0 && code < (int)ARRAY_SIZE(code_names) ? code : XB_GRPC_UNKNOWN];
}

void xb_grpc_describe(int code, const char *why, struct xb_buf *out)
{
	xb_buf_addf(out, "rpc error: code = %s desc = %s", xb_grpc_code_name(code), why);
}

void grpc_wire_put(struct xb_buf *out, struct xb_sv message)
{
	uint32_t n = htobe32(message.n);

	if (message.n > UINT32_MAX) {
		out->err = -ENOMEM;
		return;
	}
	xb_buf_reserve(out, GRPC_PREFIX_BYTES + message.n);
	xb_buf_addc(out, 0); /* not compressed */
	xb_buf_add(out, &n, sizeof(n));
	xb_buf_addsv(out, message);
}

int grpc_wire_get(struct xb_sv bytes, size_t limit, struct xb_sv *ret_message, size_t *ret_bytes)
{
	uint32_t n;

	if (!bytes.n)
		return 0;
	if (bytes.p[0])
		return -EPROTO;
	if (bytes.n < GRPC_PREFIX_BYTES)
		return 0;
	memcpy(&n, bytes.p + 1, sizeof(n));
	n = be32toh(n);
	if (n > limit) {
		*ret_bytes = n;
		return -EMSGSIZE;
	}
	if (bytes.n - GRPC_PREFIX_BYTES < n)
		return 0;
	*ret_message = (struct xb_sv){ bytes.p + GRPC_PREFIX_BYTES, n };
	return 1;
}

void grpc_wire_timeout(char ret[16], unsigned ms)
{
	if (ms <= TIMEOUT_MAX)
		snprintf(ret, 16, "%um", ms);
	else
		snprintf(ret, 16, "%uS", ms / 1000 + !!(ms % 1000));
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* What is no escape stays as it is: an error's text is not lost for a mistake in it. */
static char *percent_decode(struct xb_sv s)
{
	_cleanup_buf_ struct xb_buf out = {};

	xb_buf_reserve(&out, s.n);
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '%' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0) {
			c = hex(s.p[i + 1]) << 4 | hex(s.p[i + 2]);
			i += 2;
		}
		xb_buf_addc(&out, c ? c : ' ');
	}
	return xb_buf_steal(&out);
}

int grpc_ending_field(struct grpc_ending *e, struct xb_sv name, struct xb_sv value)
{
	int64_t n;

	if (xb_sv_is(name, "grpc-status") && e->code < 0) {
		e->code = xb_sv_i64(value, &n) == 0 && n >= 0 && n <= INT32_MAX ? n : XB_GRPC_UNKNOWN;
	} else if (xb_sv_is(name, "grpc-message") && !e->why) {
		e->why = percent_decode(value);
		return e->why ? 0 : -ENOMEM;
	} else if (xb_sv_is(name, ":status") && !e->http) {
		e->http = xb_sv_i64(value, &n) == 0 && n >= 100 && n <= 999 ? n : 999;
	} else if (xb_sv_is(name, "content-type")) {
		e->grpc = xb_sv_starts(value, "application/grpc");
	}
	return 0;
}

int grpc_ending_set(struct grpc_ending *e, int code, const char *fmt, ...)
{
	_cleanup_buf_ struct xb_buf why = {};
	va_list ap;

	va_start(ap, fmt);
	xb_buf_addv(&why, fmt, ap);
	va_end(ap);
	free(e->why);
	e->why = xb_buf_steal(&why);
	e->code = code;
	return e->why ? 0 : -ENOMEM;
}

/* doc/http-grpc-status-mapping.md */
static int code_of_http(int http)
{
	switch (http) {
	case 400:
		return XB_GRPC_INTERNAL;
	case 401:
		return XB_GRPC_UNAUTHENTICATED;
	case 403:
		return XB_GRPC_PERMISSION_DENIED;
	case 404:
		return XB_GRPC_UNIMPLEMENTED;
	case 429:
	case 502:
	case 503:
	case 504:
		return XB_GRPC_UNAVAILABLE;
	default:
		return XB_GRPC_UNKNOWN;
	}
}

static int code_of_reset(uint32_t h2_code)
{
	switch (h2_code) {
	case NGHTTP2_REFUSED_STREAM:
		return XB_GRPC_UNAVAILABLE;
	case NGHTTP2_CANCEL:
		return XB_GRPC_CANCELLED;
	case NGHTTP2_ENHANCE_YOUR_CALM:
		return XB_GRPC_RESOURCE_EXHAUSTED;
	case NGHTTP2_INADEQUATE_SECURITY:
		return XB_GRPC_PERMISSION_DENIED;
	default:
		return XB_GRPC_INTERNAL;
	}
}

int grpc_ending_settle(struct grpc_ending *e, uint32_t h2_code)
{
	if (e->code < 0 && h2_code != NGHTTP2_NO_ERROR)
		return grpc_ending_set(e, code_of_reset(h2_code), "stream terminated by RST_STREAM with error code: %s",
				       nghttp2_http2_strerror(h2_code));
	if (e->code < 0 && e->http && e->http != 200)
		return grpc_ending_set(e, code_of_http(e->http), "unexpected HTTP status code received from server: %d", e->http);
	if (e->code < 0 && !e->grpc)
		return grpc_ending_set(e, XB_GRPC_UNKNOWN, "malformed header: missing HTTP content-type");
	if (e->code < 0)
		return grpc_ending_set(e, XB_GRPC_INTERNAL, "server closed the stream without sending trailers");
	return 0;
}

void grpc_ending_done(struct grpc_ending *e)
{
	free(e->why);
	e->why = NULL;
}
