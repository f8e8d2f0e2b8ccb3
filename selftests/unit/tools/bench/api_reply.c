/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* tests link libraries, and a tool has none: the file itself */
#include "../../../../tools/bench/api_reply.c"

/* Feeds text in pieces of step bytes, collects the body; returns what the last reply_feed said. */
static int feed(const char *text, size_t step, struct reply *r, struct xb_buf *body)
{
	size_t n = strlen(text), at = 0;
	int said = 0;

	*r = (struct reply){};
	xb_buf_clear(body);
	while (at < n && !said) {
		struct xb_sv in = { text + at, MIN(step, n - at) }, piece;

		at += in.n;
		while (in.n && !said) {
			said = reply_feed(r, &in, &piece);
			xb_buf_addsv(body, piece);
		}
		at -= in.n;
	}
	return said < 0 || at == n ? said : -ENODATA;
}

static void check(const char *text, int code, const char *body)
{
	_cleanup_buf_ struct xb_buf got = {};
	struct reply r;

	for (size_t step = 1; step <= strlen(text); step++) {
		assert_int_equal(feed(text, step, &r, &got), 1);
		assert_int_equal(r.code, code);
		assert_string_equal(got.p ? got.p : "", body);
	}
}

static void check_refused(const char *text)
{
	_cleanup_buf_ struct xb_buf got = {};
	struct reply r;

	for (size_t step = 1; step <= strlen(text); step++)
		assert_int_equal(feed(text, step, &r, &got), -EBADMSG);
}

static void reads_a_body_in_pieces_of_any_size(void **state)
{
	check("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello", 200, "hello");
	check("HTTP/1.1 201 Created\r\ncontent-length:0\r\n\r\n", 201, "");
	check("HTTP/1.1 204 No Content\r\n\r\n", 204, "");
	check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n, world\r\n!\r\n0\r\n\r\n", 200, "hello, world\r\n!");
	check("HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\nTrailer: t\r\n\r\n", 200, "x");
}

static void skips_interim_replies(void **state)
{
	check("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok");
}

static void reads_over_fields_longer_than_its_line(void **state)
{
	char text[1024];

	snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nLong: %0500d\r\nContent-Length: 2\r\n\r\nok", 0);
	check(text, 200, "ok");
}

static void knows_when_the_connection_ends(void **state)
{
	_cleanup_buf_ struct xb_buf body = {};
	struct reply r;

	assert_int_equal(feed("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 100, &r, &body), 1);
	assert_false(r.close);
	assert_int_equal(feed("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 100, &r, &body), 1);
	assert_true(r.close);
	assert_int_equal(feed("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 100, &r, &body), 1);
	assert_true(r.close);
}

static void waits_for_the_rest(void **state)
{
	_cleanup_buf_ struct xb_buf body = {};
	struct reply r;

	assert_int_equal(feed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", 3, &r, &body), 0);
	assert_string_equal(body.p, "hell");
}

static void refuses_what_is_no_reply(void **state)
{
	check_refused("SSH-2.0-OpenSSH_9.2\r\n");
	check_refused("HTTP/1.1 2x0 OK\r\n");
	check_refused("HTTP/2 200\r\n");
	check_refused("HTTP/1.1 200 OK\r\nno colon\r\n");
	check_refused("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n");
	check_refused("HTTP/1.1 200 OK\r\nServer: x\r\n\r\n");
	check_refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
	check_refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000000000000000\r\n");
	check_refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_body_in_pieces_of_any_size), cmocka_unit_test(skips_interim_replies),
		cmocka_unit_test(reads_over_fields_longer_than_its_line), cmocka_unit_test(knows_when_the_connection_ends),
		cmocka_unit_test(waits_for_the_rest), cmocka_unit_test(refuses_what_is_no_reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
