/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A dialled stream, and a peer by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "xb/stream.h"

struct test {
	uv_loop_t loop;
	int listener, peer;
	struct xb_stream *stream;
	bool opened, ended, answers;
	int closed;                     /* 1: not yet */
	char got[64];
};

static void opened(struct xb_stream *s)
{
	struct test *t = xb_stream_arg(s);

	t->opened = true;
}

static void received(struct xb_stream *s, const char *bytes, size_t n)
{
	struct test *t = xb_stream_arg(s);

	strncat(t->got, bytes ? bytes : "", n);
	t->ended |= !n;
	if (t->answers && n)
		xb_stream_write(s, XB_SV("an answer"));
}

static void closed(struct xb_stream *s, int error)
{
	struct test *t = xb_stream_arg(s);

	t->closed = error;
}

static const struct xb_stream_ops ops = { .opened = opened, .received = received, .closed = closed };

static void turn(struct test *t)
{
	uv_run(&t->loop, UV_RUN_NOWAIT);
	usleep(1000);
}

/* 5 s at most: what is asserted next says that it never came true. */
#define run_until(t, condition) \
	for (int _i = 0; _i < 5000 && !(condition); _i++) \
		turn(t)

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(at);
	struct xb_stream_target to = { .host = "127.0.0.1" };

	assert_non_null(t);
	uv_loop_init(&t->loop);
	t->closed = 1;
	t->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(t->listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(t->listener, 1), 0);
	assert_int_equal(getsockname(t->listener, (struct sockaddr *)&at, &n), 0);
	to.port = ntohs(at.sin_port);
	assert_int_equal(xb_stream_dial(&t->loop, &to, &ops, t, &t->stream), 0);
	t->peer = accept(t->listener, NULL, NULL);
	assert_true(t->peer >= 0);
	while (!t->opened)
		turn(t);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;

	xb_stream_free(t->stream);
	close(t->listener);
	uv_run(&t->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&t->loop), 0);
	free(t);
	return 0;
}

/* A close with something unread is a reset. */
static void peer_speaks_and_leaves(struct test *t)
{
	assert_int_equal(send(t->peer, "last words", 10, 0), 10);
	close(t->peer);
}

static void assert_reset(struct test *t)
{
	assert_string_equal(t->got, "last words");
	assert_in_set(-t->closed, ((unsigned long[]){ ECONNRESET, EPIPE }), 2);
}

static void last_words_before_a_reset_are_heard(void **state)
{
	struct test *t = *state;

	xb_stream_write(t->stream, XB_SV("never read"));
	peer_speaks_and_leaves(t);
	run_until(t, t->closed != 1);
	assert_reset(t);
}

static void and_by_who_finds_it_out_by_writing(void **state)
{
	struct test *t = *state;

	xb_stream_write(t->stream, XB_SV("never read"));
	peer_speaks_and_leaves(t);
	xb_stream_write(t->stream, XB_SV("nor this"));
	xb_stream_write(t->stream, XB_SV("nor this"));
	run_until(t, t->closed != 1);
	assert_reset(t);
}

static void and_by_who_answers_them(void **state)
{
	struct test *t = *state;

	t->answers = true;
	xb_stream_write(t->stream, XB_SV("never read"));
	peer_speaks_and_leaves(t);
	run_until(t, t->closed != 1);
	assert_reset(t);
}

static void and_by_who_does_not_listen_yet(void **state)
{
	struct test *t = *state;

	xb_stream_pause(t->stream, true);
	xb_stream_write(t->stream, XB_SV("never read"));
	peer_speaks_and_leaves(t);
	for (int i = 0; i < 20; i++)
		turn(t);
	assert_int_equal(t->closed, 1);
	assert_string_equal(t->got, "");
	xb_stream_pause(t->stream, false);
	run_until(t, t->closed != 1);
	assert_reset(t);
}

static void an_end_is_no_fault(void **state)
{
	struct test *t = *state;

	assert_int_equal(send(t->peer, "last words", 10, 0), 10);
	close(t->peer);
	run_until(t, t->ended);
	assert_string_equal(t->got, "last words");
	assert_true(t->ended);
	assert_int_equal(t->closed, 1);
	xb_stream_end(t->stream);
	run_until(t, t->closed != 1);
	assert_int_equal(t->closed, 0);
}

int main(void)
{
#define t(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		t(last_words_before_a_reset_are_heard),
		t(and_by_who_finds_it_out_by_writing),
		t(and_by_who_answers_them),
		t(and_by_who_does_not_listen_yet),
		t(an_end_is_no_fault),
	};
#undef t

	return cmocka_run_group_tests(tests, NULL, NULL);
}
