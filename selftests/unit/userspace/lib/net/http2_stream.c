/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "http2_fixture.h"

/* --- */
static void many_requests_at_once(void **state)
{
	_cleanup_(client_done) struct client c = {};
	int32_t later, ids[200];

	start((struct xb_http_config){});
	dial(&c, 0);
	later = get(&c, "/later");
	for (int i = 0; i < 200; i++)
		ids[i] = ask(&c, "POST", "/echo?x=1", NULL, "", i % 2 ? XB_SV("hello") : (struct xb_sv){});
	for (int i = 0; i < 200; i++)
		expect_body(&c, ids[i], i % 2 ? "hello" : "/echo");
	assert_false(reply_of(&c, later)->closed);
	expect_body(&c, get(&c, "/host"), "example.org");
	xb_http_respond(f.kept[0], 201, NULL, XB_SV("at last"));
	expect_reply(&c, later, 201);
	assert_int_equal(reply_of(&c, later)->length, 7);
	assert_int_equal(f.handled, 202);
}

static void more_than_the_limit_are_refused(void **state)
{
	_cleanup_(client_done) struct client c = {};
	int32_t ids[400];
	unsigned refused = 0;

	start((struct xb_http_config){});
	dial(&c, 0);
	for (int i = 0; i < 400; i++)
		ids[i] = get(&c, "/later");
	wait_for(&c, f.n_kept == 250);
	for (int i = 0; i < 50; i++)
		turn(&c);
	assert_int_equal(f.n_kept, 250);
	for (unsigned i = 0; i < f.n_kept; i++)
		xb_http_respond(f.kept[i], 200, NULL, XB_SV("ok"));
	for (int i = 0; i < 400; i++) {
		wait_for(&c, reply_of(&c, ids[i])->closed);
		refused += reply_of(&c, ids[i])->error == NGHTTP2_REFUSED_STREAM;
	}
	assert_int_equal(refused, 150);
}

/* How many the server has read, once it reads no more. The handler's loop stands still meanwhile. */
static uint64_t requests_at_rest(void)
{
	uint64_t before, until = uv_hrtime() / 1000000 + DEADLINE_MS;
	struct xb_http_stats stats = {};

	do {
		before = stats.requests;
		uv_sleep(200);
		xb_http_server_stats(f.server, &stats);
	} while (stats.requests > before || (f.io_threads && before < 8000 && uv_hrtime() / 1000000 < until));
	return before;
}

static void requests_wait_outside_while_the_handler_is_busy(void **state)
{
	struct client clients[48] = {};
	uint64_t n;

	start((struct xb_http_config){});
	for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
		dial(&clients[i], 0);
	wait_for(&clients[0], connections() == ARRAY_SIZE(clients));
	for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
		for (int k = 0; k < 250; k++)
			get(&clients[i], "/x");
		say(&clients[i]);
	}
	n = requests_at_rest();
	assert_true(n < 9000);
	assert_true(!f.io_threads || n > 8000);
	for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
		for (int k = 0; k < 250; k++)
			expect_body(&clients[i], 2 * k + 1, "/x");
		client_done(&clients[i]);
	}
}

static void head_and_204_have_no_body(void **state)
{
	_cleanup_(client_done) struct client c = {};
	int32_t head, none;

	start((struct xb_http_config){});
	dial(&c, 0);
	head = ask(&c, "HEAD", "/name", NULL, "", (struct xb_sv){});
	none = get(&c, "/none");
	expect_reply(&c, head, 200);
	assert_int_equal(reply_of(&c, head)->length, 5);
	assert_int_equal(reply_of(&c, head)->body.n, 0);
	expect_reply(&c, none, 204);
	assert_int_equal(reply_of(&c, none)->length, -1);
}

static void large_bodies_both_ways(void **state)
{
	_cleanup_(client_done) struct client c = {};
	size_t n = 3 << 20;
	char *body = malloc(n);
	int32_t ids[3];

	start((struct xb_http_config){});
	dial(&c, 0);
	for (size_t i = 0; i < n; i++)
		body[i] = i * 7 >> 3;
	for (int i = 0; i < 3; i++)
		ids[i] = ask(&c, "POST", "/echo", "content-length", "3145728", (struct xb_sv){ body, n });
	for (int i = 0; i < 3; i++) {
		expect_reply(&c, ids[i], 200);
		assert_int_equal(reply_of(&c, ids[i])->body.n, n);
		assert_memory_equal(reply_of(&c, ids[i])->body.p, body, n);
	}
	free(body);
}

/* What the handler keeps for itself, once it writes no more. */
static size_t left_at_rest(struct client *c)
{
	size_t before;

	do {
		before = f.left;
		for (int i = 0; i < 100; i++)
			turn(c);
	} while (f.left < before);
	return before;
}

static void a_slow_reader_of_one_stream_holds_up_no_other(void **state)
{
	_cleanup_(client_done) struct client c = {};
	int32_t large;
	size_t before;

	f.left = 8 << 20;
	start((struct xb_http_config){});
	dial(&c, 100000);
	large = get(&c, "/large");
	wait_for(&c, reply_of(&c, large)->body.n == 100000);
	before = left_at_rest(&c);
	assert_true(before > 7 << 20);
	for (int i = 0; i < 20; i++)
		expect_body(&c, get(&c, "/small"), "/small");
	assert_int_equal(f.left, before);
	assert_true(f.most_pending < (64 + 16) << 10);
	nghttp2_submit_window_update(c.session, NGHTTP2_FLAG_NONE, large, 16 << 20);
	wait_for(&c, reply_of(&c, large)->closed);
	assert_int_equal(reply_of(&c, large)->body.n, 8 << 20);
	assert_int_equal(f.closed, 0);
}

static void a_client_that_reads_nothing_does_not_grow_memory(void **state)
{
	_cleanup_(client_done) struct client c = {};
	int32_t large;
	size_t before;

	f.left = 32 << 20;
	start((struct xb_http_config){});
	dial(&c, 0);
	large = get(&c, "/large");
	c.asleep = true;
	before = left_at_rest(&c);
	assert_true(before > 1 << 20);
	assert_true(f.most_pending < (64 + 16) << 10);
	c.asleep = false;
	wait_for(&c, reply_of(&c, large)->closed);
	assert_int_equal(reply_of(&c, large)->body.n, 32 << 20);
}

static void a_reader_that_never_goes_on_is_left(void **state)
{
	_cleanup_(client_done) struct client c = {};
	int32_t large;

	f.left = 8 << 20;
	start((struct xb_http_config){ .body_seconds = 1 });
	dial(&c, 1000);
	large = get(&c, "/large");
	wait_for(&c, reply_of(&c, large)->closed);
	assert_int_equal(reply_of(&c, large)->error, NGHTTP2_CANCEL);
	assert_int_equal(f.closed, 1);
	expect_body(&c, get(&c, "/more"), "/more");
}

static void one_stream_ends_and_the_others_go_on(void **state)
{
	_cleanup_(client_done) struct client c = {};
	struct xb_http_chunk *chunk = xb_http_chunk_new(XB_SV("event\n"));
	int32_t a, b;

	start((struct xb_http_config){});
	dial(&c, 0);
	a = get(&c, "/watch");
	b = get(&c, "/watch");
	wait_for(&c, reply_of(&c, a)->status == 200 && reply_of(&c, b)->status == 200);
	xb_http_stream_write_chunk(f.kept[0], chunk);
	xb_http_stream_write_chunk(f.kept[1], chunk);
	xb_http_chunk_unref(chunk);
	wait_for(&c, reply_of(&c, a)->body.n == 6 && reply_of(&c, b)->body.n == 6);
	nghttp2_submit_rst_stream(c.session, NGHTTP2_FLAG_NONE, a, NGHTTP2_CANCEL);
	wait_for(&c, f.closed == 1);
	xb_http_stream_write(f.kept[1], XB_SV("again\n"));
	wait_for(&c, reply_of(&c, b)->body.n == 12);
	xb_http_stream_end(f.kept[1]);
	expect_body(&c, b, "event\nagain\n");
	assert_int_equal(f.closed, 1);
	assert_int_equal(connections(), 1);
}

static void a_client_that_leaves_is_survived(void **state)
{
	struct client c = {};

	start((struct xb_http_config){});
	dial(&c, 0);
	for (int i = 0; i < 10; i++)
		get(&c, i % 2 ? "/watch" : "/later");
	wait_for(&c, f.n_kept == 10);
	close(TAKE_FD(c.fd));
	c.closed = c.asleep = true;
	wait_for(&c, f.closed == 5);
	assert_int_equal(connections(), 1);
	for (int i = 0; i < 10; i += 2)
		xb_http_respond(f.kept[i], 200, NULL, XB_SV("to nobody"));
	wait_for(&c, connections() == 0);
	assert_int_equal(f.closed, 5);
	client_done(&c);
}

/* Its leaving and the replies pass each other; of every second request nobody wants to know when it is gone. */
static void a_client_that_leaves_while_it_is_answered_is_survived(void **state)
{
	start((struct xb_http_config){});
	for (int round = 0; round < 40; round++) {
		_cleanup_(client_done) struct client c = {};

		f.n_kept = 0;
		dial(&c, 0);
		for (int i = 0; i < 200; i++)
			get(&c, "/later");
		wait_for(&c, f.n_kept == 200);
		close(TAKE_FD(c.fd));
		c.closed = c.asleep = true;
		for (unsigned i = 0; i < f.n_kept; i++) {
			if (i % 2) {
				xb_http_on_gone(f.kept[i], NULL, NULL);
				f.gone++;
			}
			xb_http_respond(f.kept[i], 200, NULL, XB_SV("to whom?"));
		}
	}
}

static void large_json_goes_compressed_where_that_is_taken(void **state)
{
	_cleanup_(client_done) struct client c = {};
	static unsigned char plain[1 << 20];
	z_stream z = { .next_out = plain, .avail_out = sizeof(plain) };
	struct reply *packed, *unpacked;

	start((struct xb_http_config){});
	dial(&c, 0);
	packed = reply_of(&c, ask(&c, "GET", "/json", "accept-encoding", "br, gzip;q=0.5", (struct xb_sv){}));
	unpacked = reply_of(&c, ask(&c, "GET", "/json", "accept-encoding", "gzip;q=0", (struct xb_sv){}));
	wait_for(&c, packed->closed && unpacked->closed);
	assert_string_equal(packed->encoding, "gzip");
	assert_string_equal(unpacked->encoding, "");
	assert_int_equal(packed->length, packed->body.n);
	assert_true(packed->body.n < unpacked->body.n / 2);
	z.next_in = (unsigned char *)packed->body.p;
	z.avail_in = packed->body.n;
	assert_int_equal(inflateInit2(&z, 31), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	inflateEnd(&z);
	assert_int_equal(z.total_out, unpacked->body.n);
	assert_memory_equal(plain, unpacked->body.p, unpacked->body.n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t(many_requests_at_once), t(requests_wait_outside_while_the_handler_is_busy), t(more_than_the_limit_are_refused),
		t(head_and_204_have_no_body), t(large_bodies_both_ways), t(a_slow_reader_of_one_stream_holds_up_no_other),
		t(a_client_that_reads_nothing_does_not_grow_memory), t(a_reader_that_never_goes_on_is_left),
		t(one_stream_ends_and_the_others_go_on), t(a_client_that_leaves_is_survived),
		t(a_client_that_leaves_while_it_is_answered_is_survived),
		t(large_json_goes_compressed_where_that_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
