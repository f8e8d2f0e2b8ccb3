/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "http_fixture.h"

static void requests_in_order_on_one_connection(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };

	start((struct xb_http_config){});
	c = dial();
	say(&c, "GET /one HTTP/1.1\r\nHost: h\r\n\r\nGET /later HTTP/1.1\r\nHost: h\r\n\r\nPOST /three HTTP/1.1\r\nHost: h\r\n"
		"Content-Length: 5\r\n\r\nhelloGET /four HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	expect(&c, "X-Path: ok\r\n\r\n/one");
	wait_for(f.kept);
	assert_int_equal(f.handled, 2);
	xb_http_respond(TAKE_PTR(f.kept), 201, NULL, XB_SV("second"));
	expect_closed(&c);
	assert_non_null(strstr(c.got.p, "second"));
	assert_true(strstr(c.got.p, "second") < strstr(c.got.p, "hello"));
	assert_true(strstr(c.got.p, "hello") < strstr(c.got.p, "/four"));
	assert_int_equal(count(&c, "HTTP/1.1 200 OK\r\n"), 3);
	assert_int_equal(count(&c, "HTTP/1.1 201 Created\r\n"), 1);
	assert_int_equal(count(&c, "Connection: close\r\n"), 1);
	shutdown(c.fd, SHUT_RDWR);
	wait_for(connections() == 0);
}

static void what_is_pipelined_waits_outside(void **state)
{
	static const char request[] = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";
	_cleanup_(client_done) struct client c = { .fd = -1 };
	struct xb_http_stats stats;
	size_t sent = 0;

	start((struct xb_http_config){});
	c = dial();
	say(&c, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(f.kept);
	for (int i = 0; i < 10000; i++)
		if (send(c.fd, request, sizeof(request) - 1, MSG_NOSIGNAL) == sizeof(request) - 1)
			sent++;
		else
			break;
	assert_true(sent * sizeof(request) > 200000);
	for (int i = 0; i < 50; i++)
		turn();
	xb_http_server_stats(f.server, &stats);
	assert_true(stats.bytes_in < 100000);
	xb_http_respond(TAKE_PTR(f.kept), 200, NULL, XB_SV("now"));
	wait_for(hear(&c) && f.handled == sent + 1);
	wait_for(hear(&c) && count(&c, "HTTP/1.1 200 OK") == sent + 1);
}

static void head_and_204_have_no_body(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };

	start((struct xb_http_config){});
	c = dial();
	say(&c, "HEAD /name HTTP/1.1\r\nHost: h\r\n\r\nGET /later HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	wait_for(f.kept);
	xb_http_respond(TAKE_PTR(f.kept), 204, NULL, (struct xb_sv){});
	expect_closed(&c);
	assert_int_equal(count(&c, "Content-Length: 5\r\n"), 1);
	assert_int_equal(count(&c, "Content-Length"), 1);
	assert_int_equal(count(&c, "/name"), 0);
}

static void a_chunked_body_and_100_continue(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };

	start((struct xb_http_config){});
	c = dial();
	say(&c, "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n");
	expect(&c, "HTTP/1.1 100 Continue\r\n\r\n");
	say(&c, "3;ext=1\r\nabc\r\n4\r\ndefg\r\n0\r\nTrailer: x\r\n\r\n");
	expect(&c, "\r\n\r\nabcdefg");
}

static void limits_are_answered_in_words(void **state)
{
	static const struct {
		const char *request, *reply;
		size_t filler;
	} cases[] = {
		{ "GET / HTTP/1.1\r\n\r\n", "400 Bad Request", 0 },
		{ "GET /x HTTP/3.0\r\n\r\n", "505 ", 0 },
		{ "\x16\x03\x01\x02\r\n", "400 Bad Request", 0 },
		{ "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4000000\r\n\r\n", "413 Content Too Large", 4000000 },
		{ "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n400000\r\n", "413 Content Too Large", 4000000 },
		{ "GET / HTTP/1.1\r\nHost: h\r\nX: ", "431 Request Header Fields Too Large", 100000 },
		{ "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "400 Bad Request", 0 },
	};
	char *filler = malloc(4000000);

	start((struct xb_http_config){});
	memset(filler, 'a', 4000000);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(client_done) struct client c = dial();

		say(&c, cases[i].request);
		say_bytes(&c, filler, cases[i].filler);
		expect_closed(&c);
		assert_non_null(strstr(c.got.p, cases[i].reply));
		assert_int_equal(count(&c, "Content-Type: application/json\r\n"), 1);
		assert_int_equal(count(&c, "Connection: close\r\n"), 1);
		assert_int_equal(count(&c, "{\"code\":"), 1);
	}
	free(filler);
	assert_int_equal(f.handled, 0);
	wait_for(connections() == 0);
}

static void slow_requests_get_408(void **state)
{
	_cleanup_(client_done) struct client head = { .fd = -1 }, body = { .fd = -1 }, silent = { .fd = -1 };

	start((struct xb_http_config){ .header_seconds = 1, .body_seconds = 1 });
	head = dial();
	body = dial();
	silent = dial();
	say(&head, "GET / HTTP/1.1\r\n");
	say(&body, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc");
	expect_closed(&head);
	expect_closed(&body);
	expect_closed(&silent);
	assert_int_equal(count(&head, "HTTP/1.1 408 "), 1);
	assert_int_equal(count(&body, "HTTP/1.1 408 "), 1);
	assert_int_equal(silent.got.n, 0);
	wait_for(connections() == 0);
}

static void idle_connections_are_closed(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };

	start((struct xb_http_config){ .idle_seconds = 1 });
	c = dial();
	say(&c, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
	expect(&c, "\r\n\r\n/a");
	expect_closed(&c);
	assert_int_equal(count(&c, "HTTP/1.1"), 1);
}

static void a_request_may_be_answered_late(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };
	uint64_t until;

	start((struct xb_http_config){ .header_seconds = 1, .body_seconds = 1, .idle_seconds = 1 });
	c = dial();
	say(&c, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(f.kept);
	until = uv_hrtime() + 1500000000;
	wait_for(uv_hrtime() > until);
	xb_http_respond(TAKE_PTR(f.kept), 200, NULL, XB_SV("at last"));
	expect(&c, "at last");
}

static void a_half_closed_client_gets_its_reply(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };

	start((struct xb_http_config){});
	c = dial();
	say(&c, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
	shutdown(c.fd, SHUT_WR);
	wait_for(f.kept);
	for (int i = 0; i < 20; i++)
		turn();
	xb_http_respond(TAKE_PTR(f.kept), 200, NULL, XB_SV("here you are"));
	expect_closed(&c);
	assert_int_equal(count(&c, "here you are"), 1);
	wait_for(connections() == 0);
}

static void connections_beyond_the_limit_are_closed(void **state)
{
	_cleanup_(client_done) struct client a = { .fd = -1 }, b = { .fd = -1 };

	start((struct xb_http_config){ .max_connections = 1 });
	a = dial();
	say(&a, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
	expect(&a, "/a");
	b = dial();
	expect_closed(&b);
}

static void no_descriptors_left_does_not_spin(void **state)
{
	_cleanup_(client_done) struct client a = { .fd = -1 };
	struct rlimit before, none;
	int filler[1024], n = 0;
	uint64_t until;

	start((struct xb_http_config){});
	getrlimit(RLIMIT_NOFILE, &before);
	none = (struct rlimit){ MIN(before.rlim_cur, 256u), before.rlim_max };
	setrlimit(RLIMIT_NOFILE, &none);
	a = dial();
	while (n < 1024 && (filler[n] = dup(a.fd)) >= 0)
		n++;
	f.turns = 0;
	until = uv_hrtime() + 300000000;
	wait_for(uv_hrtime() > until);
	assert_true(f.turns < 500);
	while (n)
		close(filler[--n]);
	setrlimit(RLIMIT_NOFILE, &before);
	say(&a, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
	expect(&a, "\r\n\r\n/a");
}

static void percent_decoding(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};

	assert_int_equal(xb_http_decode(XB_SV("a%2Fb+c%3d"), false, &out), 0);
	assert_string_equal(out.p, "a/b+c=");
	xb_buf_clear(&out);
	assert_int_equal(xb_http_decode(XB_SV("a+b"), true, &out), 0);
	assert_string_equal(out.p, "a b");
	assert_int_equal(xb_http_decode(XB_SV("%"), true, &out), -EINVAL);
	assert_int_equal(xb_http_decode(XB_SV("%4"), true, &out), -EINVAL);
	assert_int_equal(xb_http_decode(XB_SV("%4g"), true, &out), -EINVAL);
	assert_int_equal(xb_http_decode(XB_SV("%00"), true, &out), -EINVAL);
	assert_int_equal(out.n, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t(requests_in_order_on_one_connection), t(what_is_pipelined_waits_outside), t(head_and_204_have_no_body),
		t(a_chunked_body_and_100_continue), t(limits_are_answered_in_words), t_slow(slow_requests_get_408),
		t_slow(idle_connections_are_closed), t_slow(a_request_may_be_answered_late), t(a_half_closed_client_gets_its_reply),
		t(connections_beyond_the_limit_are_closed), t(no_descriptors_left_does_not_spin), t(percent_decoding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
