/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "http_fixture.h"

static void a_half_closed_client_gets_a_whole_stream(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };

	f.left = 3 << 20;
	start((struct xb_http_config){});
	c = dial();
	say(&c, "GET /large HTTP/1.0\r\n\r\n");
	shutdown(c.fd, SHUT_WR);
	expect_closed(&c);
	assert_int_equal(c.got.n - (strstr(c.got.p, "\r\n\r\n") + 4 - c.got.p), 3 << 20);
	assert_int_equal(f.closed, 0);
}

static void a_client_that_leaves_ends_its_watch(void **state)
{
	start((struct xb_http_config){});
	for (int reset = 0; reset < 2; reset++) {
		struct client c = dial();
		struct linger now = { .l_onoff = 1 };

		say(&c, "GET /watch HTTP/1.1\r\nHost: h\r\n\r\n");
		expect(&c, "Transfer-Encoding: chunked\r\n");
		xb_http_stream_write(f.kept, XB_SV("{\"type\":\"ADDED\"}\n"));
		expect(&c, "11\r\n{\"type\":\"ADDED\"}\n\r\n");
		if (reset)
			setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		client_done(&c);
		wait_for(f.closed == reset + 1u);
		wait_for(connections() == 0);
	}
}

static void a_client_that_leaves_before_its_reply_is_survived(void **state)
{
	struct client c;
	struct linger now = { .l_onoff = 1 };

	start((struct xb_http_config){});
	c = dial();
	say(&c, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(f.kept);
	setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	client_done(&c);
	for (int i = 0; i < 20; i++)
		turn();
	assert_int_equal(connections(), 1);
	xb_http_respond(TAKE_PTR(f.kept), 200, NULL, XB_SV("to nobody"));
	wait_for(connections() == 0);
}

static void a_slow_reader_does_not_grow_memory(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };
	size_t before;

	f.left = 32 << 20;
	start((struct xb_http_config){});
	c = dial();
	say(&c, "GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
	do {
		before = f.left;
		for (int i = 0; i < 50; i++)
			turn();
	} while (f.left < before);
	assert_true(before > 1 << 20);
	wait_for(hear(&c) && c.got.n > 32 << 20);
	expect(&c, "\r\n0\r\n\r\n");
	assert_true(f.most_pending < (64 + 16) << 10);
}

static void a_request_is_gone_when_its_reply_has_left(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };
	struct xb_buf body = {};

	assert_int_equal(xb_buf_reserve(&body, 32 << 20), 0);
	memset(body.p, 'x', 32 << 20);
	body.n = 32 << 20;
	start((struct xb_http_config){});
	c = dial();
	say(&c, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(f.kept);
	xb_http_respond_buf(TAKE_PTR(f.kept), 200, "text/plain", &body);
	for (int i = 0; i < 50; i++)
		turn();
	assert_int_equal(f.gone, 0);
	wait_for(hear(&c) && f.gone == 1);
	say(&c, "GET /watch HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(f.kept);
	assert_int_equal(f.gone, 1);
	client_done(&c);
	wait_for(f.gone == 2);
}

static void shared_chunks_reach_every_stream(void **state)
{
	_cleanup_(client_done) struct client a = { .fd = -1 }, b = { .fd = -1 };
	struct xb_http_chunk *chunk = xb_http_chunk_new(XB_SV("shared\n"));
	struct xb_http_request *first;

	start((struct xb_http_config){});
	a = dial();
	say(&a, "GET /watch HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(f.kept);
	first = TAKE_PTR(f.kept);
	b = dial();
	say(&b, "GET /watch HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(f.kept);
	xb_http_stream_write_chunk(first, chunk);
	xb_http_stream_write_chunk(f.kept, chunk);
	xb_http_chunk_unref(chunk);
	xb_http_stream_end(first);
	xb_http_stream_end(TAKE_PTR(f.kept));
	expect(&a, "7\r\nshared\n\r\n0\r\n\r\n");
	expect(&b, "7\r\nshared\n\r\n0\r\n\r\n");
}

static void shutdown_ends_idle_ones_and_streams_and_waits_for_replies(void **state)
{
	_cleanup_(client_done) struct client idle = { .fd = -1 }, watch = { .fd = -1 }, later = { .fd = -1 };
	struct xb_http_request *kept;

	start((struct xb_http_config){});
	idle = dial();
	watch = dial();
	later = dial();
	say(&idle, "GET /idle HTTP/1.1\r\nHost: h\r\n\r\n");
	expect(&idle, "\r\n\r\n/idle");
	say(&later, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(f.kept);
	kept = TAKE_PTR(f.kept);
	say(&watch, "GET /watch HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(f.kept);
	xb_http_server_shutdown(f.server, 60000, on_done, NULL);
	expect_closed(&idle);
	expect_closed(&watch);
	assert_int_equal(f.shutdowns, 1);
	assert_int_equal(count(&watch, "\r\n0\r\n\r\n"), 1);
	assert_false(f.done);
	xb_http_respond(kept, 200, NULL, XB_SV("finished"));
	expect_closed(&later);
	assert_int_equal(count(&later, "finished"), 1);
	shutdown(later.fd, SHUT_RDWR);
	shutdown(watch.fd, SHUT_RDWR);
	wait_for(f.done);
}

static void one_that_begins_when_the_server_stops_is_told(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };

	start((struct xb_http_config){});
	c = dial();
	say(&c, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(f.kept);
	xb_http_server_shutdown(f.server, 60000, on_done, NULL);
	turn();
	xb_http_on_close(f.kept, on_close, on_shutdown);
	xb_http_stream_begin(f.kept, 200, "text/plain", NULL);
	xb_http_stream_write(f.kept, XB_SV("first words"));
	assert_int_equal(f.shutdowns, 0);
	expect_closed(&c);
	assert_int_equal(f.shutdowns, 1);
	assert_int_equal(count(&c, "first words\r\n0\r\n\r\n"), 1);
	shutdown(c.fd, SHUT_RDWR);
	wait_for(f.done);
}

static void shutdown_gives_up_after_its_grace(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };

	start((struct xb_http_config){});
	c = dial();
	say(&c, "GET /watch HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(f.kept);
	xb_http_on_close(f.kept, on_close, NULL);
	xb_http_server_shutdown(f.server, 50, on_done, NULL);
	wait_for(f.done);
	assert_int_equal(f.closed, 1);
}

static void a_server_that_is_freed_hands_over_no_more(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };
	uint64_t until = uv_hrtime() / 1000000 + DEADLINE_MS;
	struct xb_http_stats stats = {};

	start((struct xb_http_config){});
	c = dial();
	say(&c, "GET /one HTTP/1.1\r\nHost: h\r\n\r\n");
	expect(&c, "/one");
	say(&c, "GET /two HTTP/1.1\r\nHost: h\r\n\r\n");
	/* a thread has it, the handler's loop stands still */
	while (f.io_threads && stats.requests < 2 && uv_hrtime() / 1000000 < until)
		xb_http_server_stats(f.server, &stats);
	f.server = xb_http_server_free(f.server);
	expect_closed(&c);
	assert_int_equal(count(&c, "HTTP/1.1"), 1);
	assert_int_equal(f.handled, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t(a_half_closed_client_gets_a_whole_stream), t(a_client_that_leaves_ends_its_watch),
		t(a_client_that_leaves_before_its_reply_is_survived), t(a_slow_reader_does_not_grow_memory),
		t(a_request_is_gone_when_its_reply_has_left), t(shared_chunks_reach_every_stream),
		t(shutdown_ends_idle_ones_and_streams_and_waits_for_replies), t(shutdown_gives_up_after_its_grace),
		t(one_that_begins_when_the_server_stops_is_told),
		t(a_server_that_is_freed_hands_over_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
