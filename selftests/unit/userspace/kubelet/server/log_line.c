/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include "../../../../../userspace/kubelet/server/log_line.h"

#define T "2024-01-02T03:04:05.678901234Z"

static void lines(void **state)
{
	static const struct { const char *line; int error; bool whole; const char *text; } t[] = {
		{ T " stdout F hello world", 0, true, "hello world" }, { T " stderr P part", 0, false, "part" },
		{ T " stdout F ", 0, true, "" }, { T " stdout F", 0, true, "" }, { T " stdout F:x more", 0, true, "more" },
		{ T " stdin F x", -EBADMSG, 0, 0 }, { T " stdout X x", -EBADMSG, 0, 0 }, { "yesterday stdout F x", -EBADMSG, 0, 0 },
		{ "", -EBADMSG, 0, 0 }, { T, -EBADMSG, 0, 0 }, { T " stdout", -EBADMSG, 0, 0 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		struct log_line l = {};

		assert_int_equal(log_line_parse(xb_sv(t[i].line), &l), t[i].error);
		if (t[i].error)
			continue;
		assert_int_equal(l.whole, t[i].whole);
		assert_true(xb_sv_is(l.text, t[i].text));
		assert_true(xb_sv_is(l.time, T));
		assert_int_equal(l.at_us, 1704164645678901);
	}
}

/* What is shown of those lines; true: all of them. */
static bool show(const struct log_wanted *w, const char *const *lines, struct xb_buf *out)
{
	struct log_printer p = { .wanted = w };
	bool more = true;

	for (; *lines && more; lines++) {
		struct log_line l;

		assert_int_equal(log_line_parse(xb_sv(*lines), &l), 0);
		more = log_print(&p, &l, out);
	}
	return more;
}

static void shown(void **state)
{
	static const char *const lines[] = {
		"2024-01-02T03:04:05Z stdout P one ", "2024-01-02T03:04:06Z stdout F line", "2024-01-02T03:04:07Z stderr F two", NULL
	};
	static const struct { struct log_wanted w; bool all; const char *text; } t[] = {
		{ { .limit_bytes = -1 }, true, "one line\ntwo\n" },
		{ { .limit_bytes = -1, .timestamps = true }, true, "2024-01-02T03:04:05Z one line\n2024-01-02T03:04:07Z two\n" },
		{ { .limit_bytes = -1, .since_us = 1704164647000000 }, true, "two\n" },
		{ { .limit_bytes = 6 }, false, "one li" }, { { .limit_bytes = 9 }, false, "one line\n" }, { { .limit_bytes = 1000 }, true, "one line\ntwo\n" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		struct xb_buf out = {};

		assert_int_equal(show(&t[i].w, lines, &out), t[i].all);
		assert_true(xb_sv_is(xb_buf_sv(&out), t[i].text));
		xb_buf_done(&out);
	}
}

static int64_t tail(const char *text, size_t n, int64_t lines)
{
	char path[] = "/tmp/xebec-log-tail-XXXXXX";
	int fd = mkstemp(path);
	int64_t at = -1;

	unlink(path);
	assert_int_equal(write(fd, text, n), n);
	assert_int_equal(log_tail(fd, lines, &at), 0);
	close(fd);
	return at;
}

static void tails(void **state)
{
	assert_int_equal(tail("", 0, 3), 0);
	assert_int_equal(tail("a\nb\nc\n", 6, 0), 6);
	assert_int_equal(tail("a\nb\nc\n", 6, 1), 4);
	assert_int_equal(tail("a\nb\nc\n", 6, 3), 0);
	assert_int_equal(tail("a\nb\nc\n", 6, 9), 0);
	assert_int_equal(tail("a\nb\nc", 5, 1), 4);
	assert_int_equal(tail("a\nb\nc", 5, 2), 2);
	assert_int_equal(tail("\n\n", 2, 1), 1);
}

static void a_tail_over_blocks(void **state)
{
	size_t n = 3 * 65536 + 17;
	char *text = malloc(n);

	memset(text, 'x', n);
	text[10] = '\n';
	text[65536] = '\n'; /* the first of a block, counted from the end */
	text[n - 1] = '\n';
	assert_int_equal(tail(text, n, 1), 65537);
	assert_int_equal(tail(text, n, 2), 11);
	assert_int_equal(tail(text, n, 3), 0);
	text[n - 65536] = '\n';
	assert_int_equal(tail(text, n, 1), (int64_t)n - 65535);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines), cmocka_unit_test(shown), cmocka_unit_test(tails), cmocka_unit_test(a_tail_over_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
