/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "xb/websocket.h"

/* What came, in words: "t<hello>" a whole text, "b<" its first piece, ">" its last; "P(x)" a ping. */
static struct xb_buf heard;

static int on_data(void *arg, enum xb_ws_opcode type, bool first, bool last, struct xb_sv bytes)
{
	xb_buf_addf(&heard, "%s%.*s%s", first ? type == XB_WS_TEXT ? "t<" : "b<" : "", XB_SV_ARG(bytes), last ? ">" : "");
	return 0;
}

static int on_control(void *arg, enum xb_ws_opcode type, struct xb_sv payload)
{
	xb_buf_addf(&heard, "%c(%.*s)", type == XB_WS_PING ? 'P' : type == XB_WS_PONG ? 'p' : 'C', XB_SV_ARG(payload));
	return 0;
}

static const struct xb_ws_ops ops = { on_data, on_control };

static int feed_in_steps(const char *bytes, size_t n, size_t step)
{
	struct xb_ws w;
	int r = 0;

	xb_buf_clear(&heard);
	xb_ws_init(&w, &ops, NULL);
	for (size_t at = 0; at < n && !r; at += step) {
		char *piece = malloc(MIN(step, n - at));

		memcpy(piece, bytes + at, MIN(step, n - at));
		r = xb_ws_feed(&w, piece, MIN(step, n - at));
		free(piece);
	}
	return r;
}

#define MASK "\x11\x22\x33\x44"
/* A frame of a client whose payload, 9 bytes at most, is masked. */
static size_t add_frame(char *to, unsigned first, const char *payload)
{
	size_t n = strlen(payload);

	to[0] = (char)first;
	to[1] = (char)(0x80 | n);
	memcpy(to + 2, MASK, 4);
	for (size_t i = 0; i < n; i++)
		to[6 + i] = payload[i] ^ MASK[i & 3];
	return 6 + n;
}

static void messages_come_whole_or_in_pieces(void **state)
{
	char bytes[256];
	size_t n = 0;

	n += add_frame(bytes + n, 0x81, "hello");
	n += add_frame(bytes + n, 0x02, "ab");
	n += add_frame(bytes + n, 0x89, "ping");
	n += add_frame(bytes + n, 0x00, "cd");
	n += add_frame(bytes + n, 0x00, "");
	n += add_frame(bytes + n, 0x8a, "");
	n += add_frame(bytes + n, 0x80, "");
	n += add_frame(bytes + n, 0x82, "");
	n += add_frame(bytes + n, 0x02, "");
	n += add_frame(bytes + n, 0x80, "e");
	n += add_frame(bytes + n, 0x88, "\x03\xe8");
	for (size_t step = 1; step <= n; step++) {
		assert_int_equal(feed_in_steps(bytes, n, step), 0);
		assert_string_equal(heard.p, "t<hello>b<abP(ping)cdp()>b<>b<e>C(\x03\xe8)");
	}
}

static void long_frames(void **state)
{
	static const size_t lengths[] = { 125, 126, 65535, 65536, 100000 };
	char *bytes = malloc(100100), *expected = malloc(100100);

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		size_t length = lengths[i], head = xb_ws_head(bytes, XB_WS_BINARY, length);

		bytes[1] = (char)(bytes[1] | 0x80);
		memcpy(bytes + head, MASK, 4);
		for (size_t at = 0; at < length; at++)
			bytes[head + 4 + at] = 'x' ^ MASK[at & 3];
		memset(expected, 'x', length + 3);
		memcpy(expected, "b<", 2);
		memcpy(expected + 2 + length, ">", 2);
		assert_int_equal(feed_in_steps(bytes, head + 4 + length, 7000), 0);
		assert_string_equal(heard.p, expected);
	}
	free(bytes);
	free(expected);
}

static void what_a_client_may_not_send(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} cases[] = {
#define CASE(literal) { literal, sizeof(literal) - 1 }
		CASE("\x81\x01x"),                              /* no mask */
		CASE("\xc1\x81" MASK "x"),                      /* a reserved bit */
		CASE("\x83\x81" MASK "x"), CASE("\x8b\x80" MASK), /* reserved opcodes */
		CASE("\x80\x81" MASK "x"),                      /* a continuation of nothing */
		CASE("\x01\x80" MASK "\x81\x80" MASK),          /* a message within another */
		CASE("\x09\x80" MASK),                          /* a ping in pieces */
		CASE("\x89\xfe\x00\x7e" MASK),                  /* a long one */
		CASE("\x82\xfe\x00\x7d" MASK), CASE("\x82\xff\0\0\0\0\0\0\xff\xff" MASK), /* not the shortest form */
		CASE("\x82\xff\x80\0\0\0\0\0\0\0" MASK),
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (size_t step = 1; step <= cases[i].n; step++)
			assert_int_equal(feed_in_steps(cases[i].bytes, cases[i].n, step), -EBADMSG);
}

static void the_handshake_is_answered(void **state)
{
	static const char *const bad[] = { "", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQAA", "dGhlIHNhbXBsZSBub25jZ?==" };
	char accept[XB_WS_ACCEPT_BYTES];

	assert_int_equal(xb_ws_accept(XB_SV("dGhlIHNhbXBsZSBub25jZQ=="), accept), 0);
	assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="); /* RFC 6455 1.3 */
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(xb_ws_accept(xb_sv(bad[i]), accept), -EINVAL);
}

static int forget(void **state)
{
	xb_buf_done(&heard);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_come_whole_or_in_pieces), cmocka_unit_test(long_frames),
		cmocka_unit_test(what_a_client_may_not_send), cmocka_unit_test(the_handshake_is_answered),
	};

	return cmocka_run_group_tests(tests, NULL, forget);
}
