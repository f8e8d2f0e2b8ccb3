/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "xb/http1.h"

static const struct xb_http1_limits limits = { .head_bytes = 300, .body_bytes = 64, .fields = 4 };

struct expected {
	const char *bytes;
	int code;                       /* 0: a request */
	const char *target, *body;      /* of a request */
	size_t behind;                  /* bytes of the next one */
};

/* Fed in pieces that each end exactly where their memory does, so that ASan sees a read beyond. */
static int feed(struct xb_http1 *p, const char *bytes, size_t n, size_t *ret_used)
{
	char *piece = malloc(n ? n : 1);
	int r;

	memcpy(piece, bytes, n);
	r = xb_http1_feed(p, piece, n, ret_used);
	free(piece);
	return r;
}

static void check(const struct expected *e, struct xb_http1 *p, int r, size_t used)
{
	if (e->code) {
		assert_int_equal(r, -EBADMSG);
		assert_int_equal(p->fault_code, e->code);
		assert_non_null(p->fault);
		return;
	}
	assert_int_equal(r, 1);
	assert_int_equal(used, strlen(e->bytes) - e->behind);
	assert_true(xb_sv_is(xb_http1_target(p), e->target));
	assert_true(xb_sv_is(xb_buf_sv(&p->body), e->body ? e->body : ""));
}

static void check_every_split(const struct expected *e)
{
	size_t n = strlen(e->bytes), used, more;
	struct xb_http1 p;
	int r;

	for (size_t at = 0; at <= n; at++) {
		xb_http1_init(&p, &limits);
		r = feed(&p, e->bytes, at, &used);
		if (!r) {
			assert_int_equal(used, at);
			r = feed(&p, e->bytes + at, n - at, &more);
			used += more;
		}
		check(e, &p, r, used);
		xb_http1_done(&p);
	}
	xb_http1_init(&p, &limits);
	for (used = r = 0; !r && used < n; used += more)
		r = feed(&p, e->bytes + used, 1, &more);
	check(e, &p, r, used);
	xb_http1_done(&p);
}

static void requests(void **state)
{
	static const struct expected cases[] = {
		{ "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 0, "/", NULL, 0 },
		{ "\r\n\r\nGET /a?b=c%20d HTTP/1.1\r\nHOST:h:6443\r\n\r\n", 0, "/a?b=c%20d", NULL, 0 },
		{ "GET /a HTTP/1.0\r\n\r\n", 0, "/a", NULL, 0 },
		{ "GET /a HTTP/1.9\r\nHost:\r\n\r\nGET", 0, "/a", NULL, 3 },
		{ "OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 0, "*", NULL, 0 },
		{ "GET http://h/a/b?c HTTP/1.1\r\nHost: h\r\n\r\n", 0, "/a/b?c", NULL, 0 },
		{ "GET HTTPS://h:1 HTTP/1.1\r\nHost: h\r\n\r\n", 0, "/", NULL, 0 },
		{ "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcdef", 0, "/a", "abc", 3 },
		{ "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 000\r\n\r\nx", 0, "/a", NULL, 1 },
		{ "PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n00A;x=\"y\"\r\n0123456789\r\n0\r\n\r\nG", 0, "/a",
		  "abc0123456789", 1 },
		{ "PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n", 0, "/a", "a", 0 },
		{ "GET /a HTTP/1.1\r\nHost: h\r\nX: \t a\tb \xc3\xa9 \t\r\nY:\r\n\r\n", 0, "/a", NULL, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_every_split(&cases[i]);
}

#define HEAD "GET / HTTP/1.1\r\nHost: h\r\n"
#define CHUNKED "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN

static void faults(void **state)
{
	static const struct {
		const char *bytes;
		int code;
	} cases[] = {
		/* request line */
		{ "GET /\r\n", 400 }, { "GET  / HTTP/1.1\r\n", 400 }, { "GET / HTTP/1.1 \r\n", 400 }, { " GET / HTTP/1.1\r\n", 400 },
		{ "GET / HTTP/1.1\n", 400 }, { "GET / HTTP/1.1\r\r\n", 400 }, { "GE\rT / HTTP/1.1\r\n", 400 }, { "GET / http/1.1\r\n", 400 },
		{ "GET / HTTP/11\r\n", 400 }, { "GET / HTTP/1.10\r\n", 400 }, { "GET / HTTP/2.0\r\n", 505 }, { "PRI * HTTP/2.0\r\n", 505 },
		{ "G(T / HTTP/1.1\r\n", 400 }, { "GET a HTTP/1.1\r\n", 400 }, { "GET * HTTP/1.1\r\n", 400 }, { "GET /\x01 HTTP/1.1\r\n", 400 },
		{ "GET /\xc3\xa9 HTTP/1.1\r\n", 400 }, { "GET /#a HTTP/1.1\r\n", 400 }, { "CONNECT h:1 HTTP/1.1\r\n", 400 },
		{ "GET http:///a HTTP/1.1\r\n", 400 }, { "GET http://h?a HTTP/1.1\r\n", 400 }, { "GET /\t HTTP/1.1\r\n", 400 },
		{ "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\n", 400 },
		/* fields */
		{ "GET / HTTP/1.1\r\n\r\n", 400 }, { HEAD "Host: h\r\n", 400 }, { "GET / HTTP/1.1\r\nHost: a b\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a/b\r\n", 400 }, { HEAD "X : y\r\n", 400 }, { HEAD "X\r\n", 400 }, { HEAD ": y\r\n", 400 },
		{ HEAD "X: a\r\n b\r\n", 400 }, { HEAD "\tX: a\r\n", 400 }, { HEAD "X: a\x01\r\n", 400 }, { HEAD "X: a\x7f\r\n", 400 },
		{ HEAD "X: a\rb\r\n", 400 }, { HEAD "X: a\n", 400 }, { HEAD "X\xc3: a\r\n", 400 },
		{ HEAD "A: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\n", 431 }, { HEAD "X: " FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY, 431 },
		{ "GET /" FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY, 431 }, { HEAD "Expect: 200-ok\r\n", 417 },
		/* framing */
		{ HEAD "Content-Length: 1\r\nContent-Length: 1\r\n", 400 }, { HEAD "Content-Length: 1, 1\r\n", 400 },
		{ HEAD "Content-Length: +1\r\n", 400 }, { HEAD "Content-Length: -1\r\n", 400 }, { HEAD "Content-Length:\r\n", 400 },
		{ HEAD "Content-Length: 0x1\r\n", 400 }, { HEAD "Content-Length: 65\r\n\r\n", 413 },
		{ HEAD "Content-Length: 18446744073709551617\r\n\r\n", 413 }, { HEAD "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
		{ HEAD "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", 400 }, { HEAD "Transfer-Encoding: gzip\r\n", 501 },
		{ HEAD "Transfer-Encoding: gzip, chunked\r\n", 501 }, { HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400 },
		{ "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
		{ CHUNKED "\r\n", 400 }, { CHUNKED "g\r\n", 400 }, { CHUNKED "0x1\r\n", 400 }, { CHUNKED " 1\r\n", 400 }, { CHUNKED "1 \r\n", 400 },
		{ CHUNKED "1\n", 400 }, { CHUNKED "1\r\nab", 400 }, { CHUNKED "1\r\na\n", 400 }, { CHUNKED "-1\r\n", 400 },
		{ CHUNKED "41\r\n", 413 }, { CHUNKED "20\r\n" TEN TEN TEN "01\r\n21\r\n", 413 }, { CHUNKED "0000000000000001\r\n", 400 },
		{ CHUNKED "ffffffffffffffff\r\n", 413 }, { CHUNKED "1;a\x01\r\n", 400 }, { CHUNKED "1;a\n", 400 },
		{ CHUNKED "0\r\nX : y\r\n", 400 }, { CHUNKED "0\r\n X: y\r\n", 400 }, { CHUNKED "0\r\n\n", 400 },
		{ CHUNKED "0\r\nX: " FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY, 431 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_every_split(&(struct expected){ .bytes = cases[i].bytes, .code = cases[i].code });
}

static void chunk_extensions_have_a_limit(void **state)
{
	struct xb_http1 p;
	size_t used;
	int r;

	xb_http1_init(&p, &limits);
	assert_int_equal(xb_http1_feed(&p, CHUNKED "1;", strlen(CHUNKED) + 2, &used), 0);
	for (r = 0, used = 0; !r && used < 10000; used++) {
		size_t one;

		r = xb_http1_feed(&p, "x", 1, &one);
	}
	assert_int_equal(r, -EBADMSG);
	assert_int_equal(p.fault_code, 400);
	xb_http1_done(&p);
}

static void what_a_request_says_of_its_connection(void **state)
{
	static const struct {
		const char *bytes;
		bool close, expect_continue;
	} cases[] = {
		{ HEAD "\r\n", false, false },
		{ HEAD "Connection: keep-alive, Close\r\n\r\n", true, false },
		{ HEAD "Connection: x\r\nConnection: close\r\n\r\n", true, false },
		{ HEAD "Connection: closed\r\n\r\n", false, false },
		{ "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true, false },
		{ HEAD "Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n", false, true },
		{ HEAD "Expect: 100-continue\r\n\r\n", false, false },
		{ "PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", true, false },
	};
	struct xb_http1 p;
	size_t used;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		xb_http1_init(&p, &limits);
		assert_true(xb_http1_feed(&p, cases[i].bytes, strlen(cases[i].bytes), &used) >= 0);
		assert_int_equal(p.close, cases[i].close);
		assert_int_equal(p.expect_continue, cases[i].expect_continue);
		xb_http1_done(&p);
	}
}

static void fields_by_name(void **state)
{
	static const char bytes[] = HEAD "A: 1\r\na:2 \r\nAB: 3\r\n\r\n";
	struct xb_http1 p;
	struct xb_sv value;
	size_t used, iter = 0;

	xb_http1_init(&p, &limits);
	assert_int_equal(xb_http1_feed(&p, bytes, sizeof(bytes) - 1, &used), 1);
	assert_true(xb_sv_is(xb_http1_method(&p), "GET"));
	assert_true(xb_http1_next(&p, "a", &iter, &value));
	assert_true(xb_sv_is(value, "1"));
	assert_true(xb_http1_next(&p, "a", &iter, &value));
	assert_true(xb_sv_is(value, "2"));
	assert_false(xb_http1_next(&p, "a", &iter, &value));
	xb_http1_clear(&p);
	assert_int_equal(xb_http1_feed(&p, bytes, sizeof(bytes) - 1, &used), 1);
	assert_int_equal(p.n_fields, 4);
	xb_http1_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),
		cmocka_unit_test(faults),
		cmocka_unit_test(chunk_extensions_have_a_limit),
		cmocka_unit_test(what_a_request_says_of_its_connection),
		cmocka_unit_test(fields_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
