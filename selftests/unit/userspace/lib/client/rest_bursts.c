/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Bursts, by HTTP/2 over TLS and by plain HTTP/1.1. Curl's buffer holds 16 KiB of an answer, and by HTTP/2 it reads for one stream what
 * comes for all. The server is in the test's loop, so what it writes in a turn comes at once. No more than a thousand streams of a
 * connection are ended: curl resets those that have ended, and the server takes many for a flood.
 */
#include "fake_api.h"
#include "xb/http_server.h"
#include "xb/rest.h"

enum { STREAMS = 3, LINE = 100, BURSTS = 192 };

struct test;
struct stream {
	struct test *test;
	struct xb_rest_call *call;
	struct xb_http_request *at_server;
	size_t lines;
};

struct test {
	uv_loop_t loop;
	struct xb_tls *tls;             /* NULL: plain */
	struct xb_http_server *server;
	int port;
	struct xb_rest *rest;
	struct xb_http_request *open[STREAMS + 2];
	unsigned n_open, done, failed, probes;
	size_t body;                    /* bytes of the answers */
	struct stream streams[STREAMS];
	struct stream *to_cancel;       /* by the next line of any other */
};

static void on_request(struct xb_http_request *r, void *arg)
{
	struct test *t = arg;

	if (xb_sv_is(xb_http_path(r), "/version")) {
		t->probes++;
		xb_http_respond(r, 200, "text/plain", XB_SV(""));
		return;
	}
	xb_http_on_close(r, NULL, NULL);
	t->open[t->n_open++] = r;
}

/* At any port, then at the same. */
static void serve(struct test *t)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(t->port) };
	struct xb_http_config c = { .loop = &t->loop, .handler = on_request, .arg = t, .tls = t->tls };

	assert_int_equal(xb_http_server_new(&c, &t->server), 0);
	assert_int_equal(xb_http_server_listen(t->server, (struct sockaddr *)&at), 0);
	t->port = xb_http_server_port(t->server);
}

static void make_tls(struct test *t)
{
	static const char *const addresses[] = { "127.0.0.1", NULL };
	struct xb_cert_request q = { .common_name = "server", .ip_addresses = addresses, .server_auth = true, .days = 2 };
	struct xb_tls_config tls = { .cert_file = "server.crt", .key_file = "server.key" };
	char folder[] = "/tmp/xb-rest-XXXXXX";

	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(xb_cert_make(&q, NULL, NULL, "server.crt", "server.key", NULL), 0);
	assert_int_equal(xb_tls_server_new(&tls, &t->tls, NULL), 0);
	unlink("server.crt");
	unlink("server.key");
	assert_int_equal(chdir("/"), 0);
	rmdir(folder);
}

static int setup_any(void **state, bool tls)
{
	struct test *t = calloc(1, sizeof(*t));
	struct xb_kubeconfig k = { .insecure = true };

	assert_non_null(t);
	uv_loop_init(&t->loop);
	if (tls)
		make_tls(t);
	serve(t);
	assert_true(asprintf(&k.server, "%s://127.0.0.1:%d", tls ? "https" : "http", t->port) > 0);
	assert_int_equal(xb_rest_new(&t->loop, &k, "test/1", &t->rest, NULL), 0);
	xb_kubeconfig_done(&k);
	*state = t;
	return 0;
}

static int setup(void **state)
{
	return setup_any(state, true);
}


static void end_stream(struct test *t, unsigned i)
{
	if (t->streams[i].at_server)
		xb_http_stream_end(t->streams[i].at_server);
	t->streams[i].at_server = NULL;
}

static int teardown(void **state)
{
	struct test *t = *state;

	xb_rest_free(t->rest);
	for (unsigned i = 0; i < STREAMS; i++)
		end_stream(t, i);
	xb_http_server_free(t->server);
	uv_run(&t->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&t->loop), 0);
	xb_tls_free(t->tls);
	free(t);
	return 0;
}

static unsigned connections(const struct test *t)
{
	struct xb_http_stats s;

	xb_http_server_stats(t->server, &s);
	return (unsigned)s.accepted;
}

/* --- streams --- */
static void on_line(void *arg, struct xb_sv line)
{
	struct stream *s = arg;
	struct test *t = s->test;

	assert_int_equal(line.n, LINE - 1);
	s->lines++;
	if (t->to_cancel && t->to_cancel != s) {
		xb_rest_cancel(t->to_cancel->call);
		t->to_cancel = NULL;
	}
}

static void on_stream_done(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct stream *s = arg;

	s->test->done++;
}

static void open_stream(struct test *t, unsigned i)
{
	struct stream *s = &t->streams[i];

	s->test = t;
	assert_int_equal(xb_rest_stream(t->rest, &(struct xb_rest_request){ .method = "GET", .path = "/w" }, on_line, on_stream_done, s,
					&s->call), 0);
	run_until(&t->loop, t->n_open);
	s->at_server = t->open[--t->n_open];
	xb_http_stream_begin(s->at_server, 200, "text/plain", NULL);
}

static void open_streams(struct test *t)
{
	for (unsigned i = 0; i < STREAMS; i++)
		open_stream(t, i);
}

static void write_lines(struct test *t, unsigned stream, size_t n)
{
	char line[LINE];

	memset(line, 'x', sizeof(line));
	line[LINE - 1] = '\n';
	while (n--)
		xb_http_stream_write(t->streams[stream].at_server, (struct xb_sv){ line, sizeof(line) });
}

/* The nth of many: lines for a stream. */
static size_t in_burst_for(unsigned n, unsigned stream)
{
	static const size_t sizes[] = { 17, 166, 170, 228, 245, 345, 424, 550 };

	switch ((stream + n) % STREAMS) {
	case 0:
		return sizes[n / STREAMS / ARRAY_SIZE(sizes) % ARRAY_SIZE(sizes)];
	case 1:
		return sizes[n / STREAMS % ARRAY_SIZE(sizes)];
	default:
		return 3;
	}
}

static size_t in_burst(unsigned n)
{
	size_t sum = 0;

	for (unsigned i = 0; i < STREAMS; i++)
		sum += in_burst_for(n, i);
	return sum;
}

static void write_burst(struct test *t, unsigned n)
{
	for (unsigned i = 0; i < STREAMS; i++) {
		t->streams[i].lines = 0;
		write_lines(t, i, in_burst_for(n, i));
	}
}

static size_t came(const struct test *t)
{
	size_t sum = 0;

	for (unsigned i = 0; i < STREAMS; i++)
		sum += t->streams[i].lines;
	return sum;
}

static void nothing_is_held_back(void **state)
{
	struct test *t = *state;

	open_streams(t);
	for (unsigned n = 0; n < BURSTS; n++) {
		write_burst(t, n);
		run_until(&t->loop, came(t) == in_burst(n));
	}
	assert_int_equal(connections(t), t->tls ? 1 : STREAMS);
}

/* --- requests --- */
static void on_done(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct test *t = arg;

	t->done++;
	t->failed += code != 200;
	t->body += body.n;
}

static void send_calls(struct test *t, unsigned n)
{
	struct xb_rest_request q = { .method = "GET", .path = "/" };

	t->done = 0;
	t->body = 0;
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(xb_rest_send(t->rest, &q, on_done, t, NULL), 0);
	run_until(&t->loop, t->n_open == n);
}

static void requests_and_streams_hold_nothing_of_each_other_back(void **state)
{
	static char body[60000];
	struct test *t = *state;

	memset(body, 'y', sizeof(body));
	open_streams(t);
	for (unsigned n = 0; n < BURSTS; n++) {
		size_t answer = 16000 + n * 8837 % 44000;

		send_calls(t, 1);
		write_burst(t, n);
		xb_http_respond(t->open[--t->n_open], 200, "text/plain", (struct xb_sv){ body, answer });
		run_until(&t->loop, t->done && came(t) == in_burst(n));
		assert_int_equal(t->body, answer);
	}
	assert_int_equal(t->failed, 0);
}

static size_t answer_packed(struct xb_http_request *r, unsigned seed, size_t n)
{
	_cleanup_buf_ struct xb_buf body = {};
	size_t whole;

	xb_buf_addc(&body, '[');
	while (body.n < n) {
		seed = seed * 1664525 + 1013904223;
		xb_buf_addf(&body, "{\"name\":\"service-%u\",\"address\":\"10.%u.%u.%u\"},", seed >> 8, seed >> 24, seed >> 16 & 255, seed >> 8 & 255);
	}
	xb_buf_adds(&body, "0]");
	whole = body.n;
	xb_http_respond_buf(r, 200, "application/json", &body);
	return whole;
}

/* Two lists at once, page by page: what comes is less than what it is unpacked to, and some of it is nothing yet. */
static void packed_pages_are_whole_at_once(void **state)
{
	struct test *t = *state;

	for (unsigned n = 0; n < 60; n++) {
		size_t sum;

		send_calls(t, 2);
		sum = answer_packed(t->open[0], n, 150000 + n % 37 * 16001);
		sum += answer_packed(t->open[1], n * 7, 200000 + n % 53 * 9001);
		t->n_open = 0;
		run_until(&t->loop, t->done == 2);
		assert_int_equal(t->body, sum);
	}
	assert_int_equal(t->failed, 0);
}

static void answer_call(struct test *t)
{
	send_calls(t, 1);
	xb_http_respond(t->open[--t->n_open], 200, "text/plain", XB_SV("yes"));
	run_until(&t->loop, t->done);
	assert_int_equal(t->failed, 0);
}

/* Before the first answer curl does not know that each stream needs a connection of its own, and sends nothing beside it. */
static int setup_plain(void **state)
{
	int r = setup_any(state, false);

	answer_call(*state);
	return r;
}

/* --- ends --- */
static void one_that_is_cancelled_leaves_nothing_unread(void **state)
{
	struct test *t = *state;

	open_streams(t);
	for (unsigned n = 0; n < BURSTS; n++) {
		unsigned gone = n / 2 % STREAMS;

		write_burst(t, n);
		t->to_cancel = &t->streams[gone];
		run_until(&t->loop, came(t) - t->streams[gone].lines == in_burst(n) - in_burst_for(n, gone));
		end_stream(t, gone);
		open_stream(t, gone);
	}
	assert_true(!t->tls || connections(t) == 1);
}

static void one_that_is_cancelled_alone_leaves_no_broken_connection(void **state)
{
	struct test *t = *state;

	for (unsigned n = 0; n < BURSTS; n++) {
		open_stream(t, 0);
		write_lines(t, 0, 2000 + n);
		run_until(&t->loop, t->streams[0].lines);
		xb_rest_cancel(t->streams[0].call);
		t->streams[0].lines = 0;
		answer_call(t);
		end_stream(t, 0);
	}
}

static void write_burst_and_end(struct test *t, unsigned n)
{
	t->done = 0;
	write_burst(t, n);
	for (unsigned i = 0; i < STREAMS; i++)
		end_stream(t, i);
}

/* The end of a stream is no news until it is read. */
static void what_came_before_the_end_is_handed_on(void **state)
{
	struct test *t = *state;

	for (unsigned n = 0; n < 100; n++) {
		open_streams(t);
		write_burst_and_end(t, n);
		run_until(&t->loop, t->done == STREAMS);
		assert_int_equal(came(t), in_burst(n));
	}
}

static void what_came_before_the_connection_is_closed_is_handed_on(void **state)
{
	struct test *t = *state;

	for (unsigned n = 0; n < 60; n++) {
		open_streams(t);
		write_burst_and_end(t, n);
		xb_http_server_shutdown(t->server, 10000, NULL, NULL);
		run_until(&t->loop, t->done == STREAMS);
		assert_int_equal(came(t), in_burst(n));
		xb_http_server_free(t->server);
		serve(t);
		answer_call(t);
	}
}

int main(void)
{
#define t(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define plain(name) { "plain: " #name, name, setup_plain, teardown, NULL }
	const struct CMUnitTest tests[] = {
		t(nothing_is_held_back),
		t(requests_and_streams_hold_nothing_of_each_other_back),
		t(packed_pages_are_whole_at_once),
		t(one_that_is_cancelled_leaves_nothing_unread),
		t(one_that_is_cancelled_alone_leaves_no_broken_connection),
		t(what_came_before_the_end_is_handed_on),
		t(what_came_before_the_connection_is_closed_is_handed_on),
		plain(nothing_is_held_back),
		plain(requests_and_streams_hold_nothing_of_each_other_back),
		plain(packed_pages_are_whole_at_once),
		plain(one_that_is_cancelled_leaves_nothing_unread),
		plain(what_came_before_the_end_is_handed_on),
		plain(what_came_before_the_connection_is_closed_is_handed_on),
	};
#undef plain
#undef t

	return cmocka_run_group_tests(tests, NULL, NULL);
}
