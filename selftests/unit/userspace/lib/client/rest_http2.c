/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Many calls by one connection: HTTP/2 over TLS. The server is in the test's loop, so what it writes in a turn comes at once. */
#include "fake_api.h"
#include "xb/http_server.h"
#include "xb/rest.h"

enum { CALLS = 300, AT_ONCE = 250, STREAMS = 3, LINE = 100 };

struct test {
	uv_loop_t loop;
	char folder[32];
	struct xb_tls *tls;
	struct xb_http_server *server;
	struct xb_rest *rest;
	struct xb_http_request *open[CALLS];
	unsigned n_open, seen, done, failed;
	struct fake_api deaf;           /* takes connections, and never gets as far as TLS */
	size_t lines[STREAMS];
};

static void on_request(struct xb_http_request *r, void *arg)
{
	struct test *t = arg;

	xb_http_on_close(r, NULL, NULL);
	t->open[t->n_open++] = r;
	t->seen++;
}

static void answer_all(struct test *t)
{
	while (t->n_open)
		xb_http_respond(t->open[--t->n_open], 200, "text/plain", XB_SV("yes"));
}

static void serve(struct test *t)
{
	static const char *const addresses[] = { "127.0.0.1", NULL };
	struct xb_cert_request q = { .common_name = "server", .ip_addresses = addresses, .server_auth = true, .days = 2 };
	struct xb_tls_config tls = { .cert_file = "server.crt", .key_file = "server.key" };
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct xb_http_config c = { .loop = &t->loop, .handler = on_request, .arg = t };

	strcpy(t->folder, "/tmp/xb-rest-XXXXXX");
	assert_non_null(mkdtemp(t->folder));
	assert_int_equal(chdir(t->folder), 0);
	assert_int_equal(xb_cert_make(&q, NULL, NULL, "server.crt", "server.key", NULL), 0);
	assert_int_equal(xb_tls_server_new(&tls, &t->tls, NULL), 0);
	c.tls = t->tls;
	assert_int_equal(xb_http_server_new(&c, &t->server), 0);
	assert_int_equal(xb_http_server_listen(t->server, (struct sockaddr *)&at), 0);
}

static void use_server(struct test *t, int port)
{
	struct xb_kubeconfig k = { .insecure = true };

	xb_rest_free(t->rest);
	assert_true(asprintf(&k.server, "https://127.0.0.1:%d", port) > 0);
	assert_int_equal(xb_rest_new(&t->loop, &k, "test/1", &t->rest, NULL), 0);
	xb_kubeconfig_done(&k);
}

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	uv_loop_init(&t->loop);
	serve(t);
	use_server(t, xb_http_server_port(t->server));
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;

	xb_rest_free(t->rest);
	answer_all(t);
	xb_http_server_free(t->server);
	uv_run(&t->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&t->loop), 0);
	xb_tls_free(t->tls);
	unlink("server.crt");
	unlink("server.key");
	assert_int_equal(chdir("/"), 0);
	rmdir(t->folder);
	free(t);
	return 0;
}

static unsigned connections(const struct test *t)
{
	struct xb_http_stats s;

	xb_http_server_stats(t->server, &s);
	return (unsigned)s.accepted;
}

static void on_done(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct test *t = arg;

	t->done++;
	t->failed += !code;
	assert_true(code == 200 || status->message);
}

static void send_calls(struct test *t, unsigned n, struct xb_rest_call **ret_first)
{
	struct xb_rest_request q = { .method = "GET", .path = "/" };

	while (n--) {
		assert_int_equal(xb_rest_send(t->rest, &q, on_done, t, ret_first), 0);
		ret_first = NULL;
	}
}

/* Two connections: before the server says what it allows, curl takes that for 100. */
static void as_many_as_a_connection_carries_are_under_way(void **state)
{
	struct test *t = *state;

	send_calls(t, CALLS, NULL);
	run_until(&t->loop, t->seen == AT_ONCE);
	for (int i = 0; i < 20; i++)
		uv_run(&t->loop, UV_RUN_NOWAIT);
	assert_int_equal(t->seen, AT_ONCE);
	answer_all(t);
	run_until(&t->loop, t->seen == CALLS);
	answer_all(t);
	run_until(&t->loop, t->done == CALLS);
	assert_int_equal(t->failed, 0);
	assert_in_range(connections(t), 1, 2);
}

static void a_stream_that_lasts_holds_nothing_up(void **state)
{
	struct test *t = *state;

	assert_int_equal(xb_rest_stream(t->rest, &(struct xb_rest_request){ .method = "GET", .path = "/w" }, NULL, on_done, t, NULL), 0);
	send_calls(t, 5, NULL);
	run_until(&t->loop, t->n_open == 6);
	assert_int_equal(connections(t), 1);
}

/* --- the connection that is being made --- */
static void no_request(struct fake_conn *c, const char *method, const char *path, const char *headers, const char *body)
{
	fail_msg("a request without TLS: %s", path);
}

static void use_deaf(struct test *t)
{
	t->deaf = (struct fake_api){ .loop = &t->loop, .handler = no_request };
	fake_start(&t->deaf);
	use_server(t, t->deaf.port);
}

static unsigned count(const struct fake_api *api)
{
	unsigned n = 0;

	for (const struct fake_conn *c = api->conns; c; c = c->next)
		n++;
	return n;
}

static void what_waits_for_a_connection_shares_its_fate(void **state)
{
	struct test *t = *state;

	use_deaf(t);
	send_calls(t, 5, NULL);
	run_until(&t->loop, t->deaf.conns && t->deaf.conns->n);
	assert_int_equal(count(&t->deaf), 1);
	fake_drop(t->deaf.conns);
	run_until(&t->loop, t->done == 5);
	assert_int_equal(t->failed, 5);
	assert_null(t->deaf.conns);
	send_calls(t, 1, NULL);
	run_until(&t->loop, t->deaf.conns);
	fake_stop(&t->deaf);
}

static void when_the_one_that_connects_is_cancelled_the_next_does(void **state)
{
	struct test *t = *state;
	struct xb_rest_call *first;
	struct fake_conn *one;

	use_deaf(t);
	send_calls(t, 3, &first);
	run_until(&t->loop, t->deaf.conns && t->deaf.conns->n);
	one = t->deaf.conns;
	xb_rest_cancel(first);
	run_until(&t->loop, t->deaf.conns && t->deaf.conns != one && t->deaf.conns->n);
	assert_int_equal(t->done, 0);
	fake_stop(&t->deaf);
	run_until(&t->loop, t->done == 2);
}

/* One call's own time-out is no news for those that have more time. */
static void the_hasty_one_leaves_alone(void **state)
{
	struct test *t = *state;
	struct xb_rest_request q = { .method = "GET", .path = "/", .timeout_ms = 100 };

	use_deaf(t);
	assert_int_equal(xb_rest_send(t->rest, &q, on_done, t, NULL), 0);
	send_calls(t, 1, NULL);
	run_until(&t->loop, t->done == 1);
	run_until(&t->loop, t->deaf.conns && t->deaf.conns->n);
	assert_int_equal(t->done, 1);
	fake_stop(&t->deaf);
	run_until(&t->loop, t->done == 2);
}

/* --- streams --- */
static void on_line(void *arg, struct xb_sv line)
{
	assert_int_equal(line.n, LINE - 1);
	++*(size_t *)arg;
}

static void write_lines(struct test *t, int stream, size_t n)
{
	char line[LINE];

	memset(line, 'x', sizeof(line));
	line[LINE - 1] = '\n';
	while (n--)
		xb_http_stream_write(t->open[stream], (struct xb_sv){ line, sizeof(line) });
}

static void open_streams(struct test *t)
{
	for (int i = 0; i < STREAMS; i++)
		assert_int_equal(xb_rest_stream(t->rest, &(struct xb_rest_request){ .method = "GET", .path = "/w" }, on_line, on_done,
						&t->lines[i], NULL), 0);
	run_until(&t->loop, t->n_open == STREAMS);
	for (int i = 0; i < STREAMS; i++)
		xb_http_stream_begin(t->open[i], 200, "text/plain", NULL);
}

/* Curl's buffer holds 16 KiB of a stream, and curl reads for one stream what comes for all. */
static void nothing_is_held_back(void **state)
{
	static const size_t sizes[] = { 17, 166, 170, 228, 245, 345, 424, 550 };
	struct test *t = *state;

	open_streams(t);
	for (size_t n = 0; n < ARRAY_SIZE(sizes) * ARRAY_SIZE(sizes) * STREAMS; n++) {
		size_t one = sizes[n / STREAMS / ARRAY_SIZE(sizes)], other = sizes[n / STREAMS % ARRAY_SIZE(sizes)];

		memset(t->lines, 0, sizeof(t->lines));
		write_lines(t, n % STREAMS, one);
		write_lines(t, (n + 1) % STREAMS, other);
		write_lines(t, (n + 2) % STREAMS, 3);
		run_until(&t->loop, t->lines[0] + t->lines[1] + t->lines[2] == one + other + 3);
	}
}

/* --- what is packed --- */
static void answer_packed(struct xb_http_request *r, unsigned seed, size_t n)
{
	_cleanup_buf_ struct xb_buf body = {};

	xb_buf_addc(&body, '[');
	while (body.n < n) {
		seed = seed * 1664525 + 1013904223;
		xb_buf_addf(&body, "{\"name\":\"service-%u\",\"address\":\"10.%u.%u.%u\"},", seed >> 8, seed >> 24, seed >> 16 & 255, seed >> 8 & 255);
	}
	xb_buf_adds(&body, "0]");
	xb_http_respond_buf(r, 200, "application/json", &body);
}

/* Two lists at once, page by page: what comes is less than what it is unpacked to, and some of it is nothing yet. */
static void packed_pages_are_whole_at_once(void **state)
{
	struct test *t = *state;

	for (unsigned n = 0; n < 150; n++) {
		t->done = 0;
		send_calls(t, 2, NULL);
		run_until(&t->loop, t->n_open == 2);
		answer_packed(t->open[0], n, 150000 + n % 37 * 16001);
		answer_packed(t->open[1], n * 7, 200000 + n % 53 * 9001);
		t->n_open = 0;
		run_until(&t->loop, t->done == 2);
		assert_int_equal(t->failed, 0);
	}
}

int main(void)
{
#define t(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		t(as_many_as_a_connection_carries_are_under_way),
		t(a_stream_that_lasts_holds_nothing_up),
		t(what_waits_for_a_connection_shares_its_fate),
		t(when_the_one_that_connects_is_cancelled_the_next_does),
		t(the_hasty_one_leaves_alone),
		t(nothing_is_held_back),
		t(packed_pages_are_whole_at_once),
	};
#undef t

	return cmocka_run_group_tests(tests, NULL, NULL);
}
