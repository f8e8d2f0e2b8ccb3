/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The parser of xb/http1.h on responses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "xb/http1.h"

static const struct xb_http1_limits limits = { .head_bytes = 300, .body_bytes = 64, .fields = 4 };

struct expected {
	const char *bytes;
	int status;                     /* 0: refused */
	const char *body;
	size_t behind;                  /* bytes that are not its own */
	bool to_head, to_end;           /* of HEAD; complete only when the connection ends */
};

static int feed(struct xb_http1 *p, const char *bytes, size_t n, size_t *ret_used)
{
	char *piece = malloc(n ? n : 1);
	int r;

	memcpy(piece, bytes, n);
	r = xb_http1_feed(p, piece, n, ret_used);
	free(piece);
	return r;
}

static void check_split_at(const struct expected *e, size_t at)
{
	size_t n = strlen(e->bytes), used, more = 0;
	struct xb_http1 p;
	int r;

	xb_http1_init_response(&p, &limits, e->to_head);
	r = feed(&p, e->bytes, at, &used);
	if (!r) {
		r = feed(&p, e->bytes + at, n - at, &more);
		used += more;
	}
	if (!r && e->to_end)
		r = xb_http1_end(&p);
	assert_int_equal(r, e->status ? 1 : -EBADMSG);
	if (e->status) {
		assert_int_equal(p.status, e->status);
		assert_int_equal(used, n - e->behind);
		assert_true(xb_sv_is(xb_buf_sv(&p.body), e->body));
	} else {
		assert_int_equal(p.fault_code, 502);
		assert_non_null(p.fault);
	}
	xb_http1_done(&p);
}

static void check_all(const struct expected *e, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t at = 0; at <= strlen(e[i].bytes); at++)
			check_split_at(&e[i], at);
}

static void what_is_a_response(void **state)
{
	static const struct expected cases[] = {
		{ .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP", .status = 200, .body = "abc", .behind = 4 },
		{ .bytes = "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", .status = 404, .body = "" },
		{ .bytes = "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n", .status = 404, .body = "" },
		{ .bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n!", .status = 200,
		  .body = "abcde", .behind = 1 },
		{ .bytes = "HTTP/1.1 204 No Content\r\n\r\n!", .status = 204, .body = "", .behind = 1 },
		{ .bytes = "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n!", .status = 304, .body = "", .behind = 1 },
		{ .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n!", .status = 200, .body = "", .behind = 1, .to_head = true },
		{ .bytes = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: SPDY/3.1\r\n\r\n\x80\x03", .status = 101, .body = "", .behind = 2 },
		{ .bytes = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.0 200 OK\r\n\r\nto the end", .status = 200,
		  .body = "to the end", .to_end = true },
		{ .bytes = "HTTP/1.0 200 OK\r\n\r\n", .status = 200, .body = "", .to_end = true },
	};

	check_all(cases, ARRAY_SIZE(cases));
}

static void what_is_none(void **state)
{
	static const struct expected cases[] = {
		{ .bytes = "\r\nHTTP/1.1 200 OK\r\n\r\n" },
		{ .bytes = "HTTP/2.0 200 OK\r\n\r\n" },
		{ .bytes = "HTTP/1.1 20 OK\r\n\r\n" },
		{ .bytes = "HTTP/1.1 099 OK\r\n\r\n" },
		{ .bytes = "HTTP/1.1  200 OK\r\n\r\n" },
		{ .bytes = "HTTP/1.1 200 OK\n\r\n" },
		{ .bytes = "HTTP/1.1 200 O\001K\r\n\r\n" },
		{ .bytes = "http/1.1 200 OK\r\n\r\n" },
		{ .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n" },
		{ .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n" },
		{ .bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n" },
		{ .bytes = "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n" },
		{ .bytes = "HTTP/1.1 100 Continue\r\nContent-Length: 1\r\n\r\n" },
		{ .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n" },
		{ .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", .to_end = true },
		{ .bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", .to_end = true },
		{ .bytes = "HTTP/1.1 200 OK\r\n", .to_end = true },
		{ .bytes = "", .to_end = true },
	};

	check_all(cases, ARRAY_SIZE(cases));
}

static void interim_ones_end(void **state)
{
	static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct xb_http1 p;
	size_t used;
	int r = 0, n = 0;

	xb_http1_init_response(&p, &limits, false);
	while (!r && n < 100) {
		r = feed(&p, interim, sizeof(interim) - 1, &used);
		n++;
	}
	assert_int_equal(r, -EBADMSG);
	assert_int_equal(n, 9);
	xb_http1_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_a_response), cmocka_unit_test(what_is_none), cmocka_unit_test(interim_ones_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
