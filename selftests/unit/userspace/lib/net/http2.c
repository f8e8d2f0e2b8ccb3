/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "http2_fixture.h"

static void limits_are_answered_in_words(void **state)
{
	static const struct {
		const char *method, *path, *name, *value;
		int code;
		size_t body;
	} cases[] = {
		{ "POST", "/", "content-length", "4000000", 413, 4000000 },
		{ "POST", "/", NULL, "", 413, 4000000 },
		{ "GET", "/a#b", NULL, "", 400, 0 },
		{ "GET", "/", "expect", "miracles", 417, 0 },
		{ "GET", "/", "x-long", NULL, 431, 0 },
	};
	_cleanup_(client_done) struct client c = {};
	char *filler = malloc(4000000);

	start((struct xb_http_config){ .max_header_bytes = 4096 });
	dial(&c, 0);
	memset(filler, 'a', 4000000);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct xb_sv body = { cases[i].body ? filler : NULL, cases[i].body };
		char expected[16];
		int32_t id;

		filler[8000] = cases[i].value ? 'a' : 0;
		id = ask(&c, cases[i].method, cases[i].path, cases[i].name, cases[i].value ? cases[i].value : filler, body);
		filler[8000] = 'a';
		expect_reply(&c, id, cases[i].code);
		snprintf(expected, sizeof(expected), "{\"code\":%d}", cases[i].code);
		assert_true(xb_sv_is(xb_buf_sv(&reply_of(&c, id)->body), expected));
	}
	assert_int_equal(f.handled, 0);
	expect_body(&c, get(&c, "/still"), "/still");
	free(filler);
}

static void malformed_requests_are_reset(void **state)
{
	_cleanup_(client_done) struct client c = {};
	int32_t ids[4];

	start((struct xb_http_config){});
	dial(&c, 0);
	ids[0] = get(&c, "/a b");
	ids[1] = get(&c, "a");
	ids[2] = ask(&c, "GET", "/", "connection", "close", (struct xb_sv){});
	ids[3] = ask(&c, "POST", "/", "content-length", "7", XB_SV("hello"));
	for (int i = 0; i < 4; i++) {
		expect_reply(&c, ids[i], 0);
		assert_int_equal(reply_of(&c, ids[i])->error, NGHTTP2_PROTOCOL_ERROR);
	}
	expect_body(&c, get(&c, "/good"), "/good");
	assert_int_equal(f.handled, 1);
}

static void a_slow_body_gets_408_alone(void **state)
{
	_cleanup_(client_done) struct client c = {};
	nghttp2_nv fields[] = { field(":method", "POST"), field(":scheme", "http"), field(":authority", "h"), field(":path", "/") };
	int32_t id, watch;

	start((struct xb_http_config){ .body_seconds = 1 });
	dial(&c, 0);
	watch = get(&c, "/watch");
	id = nghttp2_submit_headers(c.session, NGHTTP2_FLAG_NONE, -1, NULL, fields, 4, NULL);
	expect_reply(&c, id, 408);
	assert_false(reply_of(&c, watch)->closed);
	expect_body(&c, get(&c, "/next"), "/next");
}

static void a_flood_of_resets_is_cut(void **state)
{
	_cleanup_(client_done) struct client c = {};
	int32_t ids[100];

	start((struct xb_http_config){});
	dial(&c, 0);
	expect_body(&c, get(&c, "/first"), "/first");
	for (int i = 0; i < 40 && !c.goaway; i++) {
		for (int n = 0; n < 100; n++)
			ids[n] = get(&c, "/watch");
		turn(&c);
		for (int n = 0; n < 100; n++)
			nghttp2_submit_rst_stream(c.session, NGHTTP2_FLAG_NONE, ids[n], NGHTTP2_CANCEL);
		turn(&c);
	}
	wait_for(&c, c.goaway && c.closed);
	shutdown(c.fd, SHUT_RDWR);
	wait_for(&c, connections() == 0);
	assert_int_equal(f.n_kept, f.closed);
	assert_true(f.n_kept < 1500);
}

static void floods_of_idle_frames_are_cut(void **state)
{
	start((struct xb_http_config){});
	for (int kind = 0; kind < 2; kind++) {
		_cleanup_(client_done) struct client c = {};

		dial(&c, 0);
		expect_body(&c, get(&c, "/first"), "/first");
		for (int n = 0; n < 3000 && !c.closed; n++) {
			if (kind == 0)
				nghttp2_submit_ping(c.session, NGHTTP2_FLAG_NONE, NULL);
			else
				nghttp2_submit_settings(c.session, NGHTTP2_FLAG_NONE, NULL, 0);
			if (n % 100 == 99)
				turn(&c);
		}
		wait_for(&c, c.goaway && c.closed);
		assert_int_equal(c.goaway_error, NGHTTP2_ENHANCE_YOUR_CALM);
	}
}

static void shutdown_says_goaway_and_lets_requests_end(void **state)
{
	_cleanup_(client_done) struct client c = {}, idle = {};
	int32_t watch, later;

	start((struct xb_http_config){});
	dial(&idle, 0);
	expect_body(&idle, get(&idle, "/idle"), "/idle");
	dial(&c, 0);
	later = get(&c, "/later");
	wait_for(&c, f.n_kept == 1);
	watch = get(&c, "/watch");
	wait_for(&c, f.n_kept == 2 && reply_of(&c, watch)->status);
	xb_http_server_shutdown(f.server, 60000, on_done, NULL);
	wait_for(&idle, idle.goaway && idle.closed);
	expect_reply(&c, watch, 200);
	assert_int_equal(f.shutdowns, 1);
	assert_int_equal(c.goaway_error, NGHTTP2_NO_ERROR);
	assert_false(f.done);
	xb_http_respond(f.kept[0], 200, NULL, XB_SV("finished"));
	expect_body(&c, later, "finished");
	wait_for(&c, c.closed);
	shutdown(c.fd, SHUT_RDWR);
	shutdown(idle.fd, SHUT_RDWR);
	wait_for(&c, f.done);
	assert_int_equal(f.closed, 0);
}

static void idle_connections_are_closed(void **state)
{
	_cleanup_(client_done) struct client c = {};

	start((struct xb_http_config){ .idle_seconds = 1 });
	dial(&c, 0);
	expect_body(&c, get(&c, "/a"), "/a");
	wait_for(&c, c.goaway && c.closed);
	assert_int_equal(c.goaway_error, NGHTTP2_NO_ERROR);
}

static void a_dead_peer_is_found_by_ping(void **state)
{
	_cleanup_(client_done) struct client dead = {}, alive = {};
	int32_t watch;
	uint64_t until;

	start((struct xb_http_config){ .idle_seconds = 2 });
	dial(&dead, 0);
	dial(&alive, 0);
	get(&dead, "/watch");
	wait_for(&dead, f.n_kept == 1);
	watch = get(&alive, "/watch");
	wait_for(&alive, f.n_kept == 2);
	wait_for(&alive, f.closed == 1);
	until = uv_hrtime() + 1500000000;
	wait_for(&alive, uv_hrtime() > until);
	assert_int_equal(f.closed, 1);
	assert_false(reply_of(&alive, watch)->closed);
	assert_int_equal(connections(), 1);
}

static void garbage_after_the_preface_is_survived(void **state)
{
	uint32_t seed = 1;
	struct client c = { .asleep = true, .closed = true };

	start((struct xb_http_config){});
	for (int round = 0; round < 300; round++) {
		uint8_t bytes[512];
		size_t n;

		for (n = 0; n < sizeof(bytes); n++)
			bytes[n] = (seed = seed * 1664525 + 1013904223) >> 24;
		/* frames of a likely type and length, so that more than the first header is looked at */
		for (n = 0; round % 2 && n + 9 < sizeof(bytes); n += 9 + bytes[n + 2]) {
			bytes[n] = bytes[n + 1] = 0;
			bytes[n + 2] &= 63;
			bytes[n + 3] = n ? bytes[n + 3] % 10 : NGHTTP2_SETTINGS;
			bytes[n + 4] &= n ? 0x2d : 0;
			memset(bytes + n + 5, 0, 3);
			bytes[n + 8] = n ? bytes[n + 8] & 7 : 0;
			if (!n)
				bytes[2] = 0;
		}
		open_socket(&c);
		send(c.fd, NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN, MSG_NOSIGNAL);
		send(c.fd, bytes, sizeof(bytes), MSG_NOSIGNAL);
		for (int i = 0; i < 2; i++)
			uv_run(&f.loop, UV_RUN_ONCE);
		close(c.fd);
	}
	c.session = NULL;
	wait_for(&c, connections() == 0);
}

static void tls_agrees_on_h2_and_tells_the_clients_name(void **state)
{
	static const char *const names[] = { "localhost", NULL };
	static const unsigned char alpn[] = "\x08http/1.1\x02h2";
	struct xb_cert_request ca = { .common_name = "ca", .is_ca = true, .days = 10 };
	struct xb_cert_request server = { .common_name = "server", .dns_names = names, .server_auth = true, .days = 10 };
	struct xb_cert_request client = { .common_name = "admin", .client_auth = true, .days = 10 };
	struct xb_tls_config config = { .cert_file = "server.crt", .key_file = "server.key", .client_ca_file = "ca.crt" };
	_cleanup_(client_done) struct client c = {};
	const unsigned char *chosen;
	unsigned n;
	int r;

	assert_int_equal(xb_cert_make(&ca, NULL, NULL, "ca.crt", "ca.key", NULL), 0);
	assert_int_equal(xb_cert_make(&server, "ca.crt", "ca.key", "server.crt", "server.key", NULL), 0);
	assert_int_equal(xb_cert_make(&client, "ca.crt", "ca.key", "client.crt", "client.key", NULL), 0);
	assert_int_equal(xb_tls_server_new(&config, &f.tls, NULL), 0);
	f.client_ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_alpn_protos(f.client_ctx, alpn, sizeof(alpn) - 1);
	SSL_CTX_use_certificate_chain_file(f.client_ctx, "client.crt");
	SSL_CTX_use_PrivateKey_file(f.client_ctx, "client.key", SSL_FILETYPE_PEM);
	start((struct xb_http_config){ .tls = f.tls });
	dial(&c, 0);
	c.ssl = SSL_new(f.client_ctx);
	SSL_set_fd(c.ssl, c.fd);
	while ((r = SSL_connect(c.ssl)) != 1 && SSL_get_error(c.ssl, r) == SSL_ERROR_WANT_READ)
		uv_run(&f.loop, UV_RUN_ONCE);
	assert_int_equal(r, 1);
	SSL_get0_alpn_selected(c.ssl, &chosen, &n);
	assert_int_equal(n, 2);
	expect_body(&c, get(&c, "/whoami"), "admin");
	f.left = 4 << 20;
	r = get(&c, "/large");
	expect_reply(&c, r, 200);
	assert_int_equal(reply_of(&c, r)->body.n, 4 << 20);
}

static void one_that_begins_when_the_server_stops_is_told(void **state)
{
	_cleanup_(client_done) struct client c = {};
	int32_t later;

	start((struct xb_http_config){});
	dial(&c, 0);
	later = get(&c, "/later");
	wait_for(&c, f.n_kept);
	xb_http_server_shutdown(f.server, 60000, on_done, NULL);
	wait_for(&c, c.goaway);
	xb_http_on_close(f.kept[0], on_close, on_shutdown);
	xb_http_stream_begin(f.kept[0], 200, "text/plain", NULL);
	xb_http_stream_write(f.kept[0], XB_SV("first words"));
	assert_int_equal(f.shutdowns, 0);
	expect_body(&c, later, "first words");
	assert_int_equal(f.shutdowns, 1);
	wait_for(&c, c.closed);
	shutdown(c.fd, SHUT_RDWR);
	wait_for(&c, f.done);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t(limits_are_answered_in_words), t(malformed_requests_are_reset), t_slow(a_slow_body_gets_408_alone),
		t(a_flood_of_resets_is_cut), t(floods_of_idle_frames_are_cut), t(shutdown_says_goaway_and_lets_requests_end),
		t(one_that_begins_when_the_server_stops_is_told),
		t_slow(idle_connections_are_closed), t_slow(a_dead_peer_is_found_by_ping), t(garbage_after_the_preface_is_survived),
		t(tls_agrees_on_h2_and_tells_the_clients_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
