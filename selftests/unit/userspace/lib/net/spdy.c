/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <zlib.h>
#include "xb/spdy.h"

static struct xb_buf heard;

static int on_data(void *arg, uint32_t stream, struct xb_sv bytes)
{
	xb_buf_addf(&heard, "%.*s", XB_SV_ARG(bytes));
	return 0;
}

static int on_replied(void *arg, uint32_t stream)
{
	xb_buf_addf(&heard, "[%u accepted]", stream);
	return 0;
}

static int on_ended(void *arg, uint32_t stream)
{
	xb_buf_addf(&heard, "[%u ended]", stream);
	return 0;
}

static int on_reset(void *arg, uint32_t stream, uint32_t status)
{
	xb_buf_addf(&heard, "[%u reset %u]", stream, status);
	return 0;
}

static int on_ping(void *arg, uint32_t id)
{
	xb_buf_addf(&heard, "[ping %u]", id);
	return 0;
}

static int on_opened(void *arg, uint32_t stream)
{
	xb_buf_addf(&heard, "[%u opened]", stream);
	return 0;
}

static int on_goaway(void *arg)
{
	xb_buf_adds(&heard, "[goaway]");
	return 0;
}

static const struct xb_spdy_ops ops = { on_data, on_replied, on_ended, on_reset, on_ping, on_opened, on_goaway };

static int feed_in_steps(const char *bytes, size_t n, size_t step)
{
	struct xb_spdy s;
	int r = 0;

	xb_buf_clear(&heard);
	assert_int_equal(xb_spdy_init(&s, &ops, NULL), 0);
	for (size_t at = 0; at < n && !r; at += step) {
		char *piece = malloc(MIN(step, n - at));

		memcpy(piece, bytes + at, MIN(step, n - at));
		r = xb_spdy_feed(&s, piece, MIN(step, n - at));
		free(piece);
	}
	xb_spdy_done(&s);
	return r;
}

static void frames_come_in_any_pieces(void **state)
{
	static const char bytes[] =
		"\x80\x03\0\x02\0\0\0\x06" "\0\0\0\x05" "zz"            /* SYN_REPLY with a block that is read over */
		"\0\0\0\x05" "\0\0\0\x05" "hello"
		"\0\0\0\x05" "\0\0\0\0"
		"\0\0\0\x03" "\x01\0\0\x03" "bye"
		"\x80\x03\0\x06\0\0\0\x04" "\0\0\0\x02"
		"\x80\x03\0\x08\x01\0\0\x04" "\0\0\0\x07"               /* HEADERS with FIN */
		"\x80\x03\0\x09\0\0\0\x08" "\0\0\0\x05\0\0\1\0"         /* WINDOW_UPDATE, of no meaning */
		"\x80\x03\0\x04\0\0\0\x0c" "\0\0\0\1\0\0\0\4\0\0\0\x64" /* SETTINGS */
		"\x80\x03\0\x01\0\0\0\x0a" "\0\0\0\x02\0\0\0\0\0\0"
		"\x80\x03\0\x03\0\0\0\x08" "\0\0\0\x01\0\0\0\x05"
		"\x80\x03\0\x63\0\0\0\x01" "?"                          /* a type that is not known */
		"\x80\x03\0\x07\0\0\0\x08" "\0\0\0\x01\0\0\0\0";

	for (size_t step = 1; step < sizeof(bytes); step++) {
		assert_int_equal(feed_in_steps(bytes, sizeof(bytes) - 1, step), 0);
		assert_string_equal(heard.p, "[5 accepted]hellobye[3 ended][ping 2][7 ended][2 opened][1 reset 5][goaway]");
	}
}

static void what_is_not_spdy(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} cases[] = {
#define CASE(literal) { literal, sizeof(literal) - 1 }
		CASE("\x80\x02\0\x02\0\0\0\x06"), CASE("\x80\x03\0\x06\0\0\0\x03"), CASE("\x80\x03\0\x03\0\0\0\x07"),
		CASE("\x80\x03\0\x01\0\0\0\x09"), CASE("\x80\x03\0\x04\0\x10\0\0"), CASE("\xff\xff\xff\xff\xff\xff\xff\xff"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(feed_in_steps(cases[i].bytes, cases[i].n, 1), -EBADMSG);
}

/* A reader that has only the id of the draft's dictionary takes it, and what zlib then needs is ours. */
static void headers_are_what_the_other_side_reads(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};
	struct xb_spdy s;
	const unsigned char *block;

	assert_int_equal(xb_spdy_init(&s, &ops, NULL), 0);
	assert_int_equal(xb_spdy_open(&s, 1, (const char *const[]){ "streamtype", "error", NULL }, &out), 0);
	assert_memory_equal(out.p, "\x80\x03\0\x01\0\0", 6);
	assert_memory_equal(out.p + 8, "\0\0\0\x01\0\0\0\0\0\0", 10);
	block = (unsigned char *)out.p + 18;
	assert_int_equal(block[0] & 0x0f, Z_DEFLATED);
	assert_int_equal(block[1] & 0x20, 0x20);        /* FDICT: RFC 1950 */
	assert_memory_equal(block + 2, "\xe3\xc6\xa7\xc2", 4);
	assert_int_equal((unsigned char)out.p[7], out.n - 8);
	xb_spdy_done(&s);
}

static void too_long_headers_are_refused(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};
	char text[2000];
	struct xb_spdy s;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(xb_spdy_init(&s, &ops, NULL), 0);
	assert_int_equal(xb_spdy_open(&s, 1, (const char *const[]){ "streamtype", text, NULL }, &out), -EIO);
	assert_int_equal(out.n, 0);
	xb_spdy_done(&s);
	s = (struct xb_spdy){};
	xb_spdy_done(&s);
}

static void frames_are_written(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};
	char head[XB_SPDY_HEAD];

	xb_spdy_data_head(head, 3, true, 0x010203);
	assert_memory_equal(head, "\0\0\0\x03\x01\x01\x02\x03", 8);
	xb_spdy_reset(2, XB_SPDY_REFUSED, &out);
	xb_spdy_ping(7, &out);
	xb_spdy_goaway(&out);
	assert_int_equal(feed_in_steps(out.p, out.n, 3), 0);
	assert_string_equal(heard.p, "[2 reset 3][ping 7][goaway]");
}

static int forget(void **state)
{
	xb_buf_done(&heard);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_come_in_any_pieces), cmocka_unit_test(what_is_not_spdy),
		cmocka_unit_test(headers_are_what_the_other_side_reads), cmocka_unit_test(too_long_headers_are_refused),
		cmocka_unit_test(frames_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, forget);
}
