/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "http_fixture.h"

static void tls_serves_and_tells_the_clients_name(void **state)
{
	static const unsigned char alpn[] = "\x08http/1.1";
	_cleanup_(client_done) struct client anonymous = { .fd = -1 }, named = { .fd = -1 };
	const unsigned char *chosen;
	unsigned n;

	use_tls(true);
	start((struct xb_http_config){ .tls = f.tls });
	SSL_CTX_set_alpn_protos(f.client_ctx, alpn, sizeof(alpn) - 1);
	anonymous = dial();
	say(&anonymous, "GET /whoami HTTP/1.1\r\nHost: h\r\n\r\n");
	expect(&anonymous, "\r\n\r\nnobody");
	SSL_get0_alpn_selected(anonymous.ssl, &chosen, &n);
	assert_int_equal(n, 8);
	assert_memory_equal(chosen, "http/1.1", 8);
	assert_int_equal(SSL_CTX_use_certificate_chain_file(f.client_ctx, "client.crt"), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey_file(f.client_ctx, "client.key", SSL_FILETYPE_PEM), 1);
	named = dial();
	say(&named, "GET /whoami HTTP/1.1\r\nHost: h\r\n\r\n");
	expect(&named, "\r\n\r\nkubernetes-admin");
}

static void a_certificate_of_another_ca_is_none(void **state)
{
	struct xb_cert_request other = { .common_name = "intruder", .client_auth = true, .days = 1 };
	_cleanup_(client_done) struct client c = { .fd = -1 };

	use_tls(true);
	start((struct xb_http_config){ .tls = f.tls });
	assert_int_equal(xb_cert_make(&other, NULL, NULL, "other.crt", "other.key", NULL), 0);
	assert_int_equal(SSL_CTX_use_certificate_chain_file(f.client_ctx, "other.crt"), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey_file(f.client_ctx, "other.key", SSL_FILETYPE_PEM), 1);
	c = dial();
	say(&c, "GET /whoami HTTP/1.1\r\nHost: h\r\n\r\n");
	expect(&c, "\r\n\r\nnobody");
}

static void tls_resumes_by_ticket_and_keeps_the_clients_name(void **state)
{
	_cleanup_(client_done) struct client first = { .fd = -1 }, second = { .fd = -1 };

	use_tls(true);
	start((struct xb_http_config){ .tls = f.tls });
	SSL_CTX_use_certificate_chain_file(f.client_ctx, "client.crt");
	SSL_CTX_use_PrivateKey_file(f.client_ctx, "client.key", SSL_FILETYPE_PEM);
	first = dial();
	say(&first, "GET /whoami HTTP/1.1\r\nHost: h\r\n\r\n");
	expect(&first, "kubernetes-admin");
	assert_false(SSL_session_reused(first.ssl));
	f.resume = SSL_get1_session(first.ssl);
	second = dial();
	assert_true(SSL_session_reused(second.ssl));
	say(&second, "GET /whoami HTTP/1.1\r\nHost: h\r\n\r\n");
	expect(&second, "kubernetes-admin");
}

static void old_tls_is_refused(void **state)
{
	struct client c = { .fd = -1 };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int r = 0;

	use_tls(false);
	start((struct xb_http_config){ .tls = f.tls });
	SSL_CTX_set_min_proto_version(f.client_ctx, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(f.client_ctx, TLS1_1_VERSION);
	SSL_CTX_set_cipher_list(f.client_ctx, "ALL:@SECLEVEL=0");
	to.sin_port = htons(xb_http_server_port(f.server));
	c.fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(c.fd, (struct sockaddr *)&to, sizeof(to)), 0);
	fcntl(c.fd, F_SETFL, O_NONBLOCK);
	c.ssl = SSL_new(f.client_ctx);
	SSL_set_fd(c.ssl, c.fd);
	wait_for((r = SSL_connect(c.ssl)) == 1 || SSL_get_error(c.ssl, r) != SSL_ERROR_WANT_READ);
	assert_int_not_equal(r, 1);
	client_done(&c);
	wait_for(connections() == 0);
}

static void plain_http_to_a_tls_port_is_told(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };
	struct xb_tls *tls;

	use_tls(false);
	tls = f.tls;
	start((struct xb_http_config){ .tls = tls });
	f.tls = NULL;
	c = dial();
	f.tls = tls;
	say(&c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	expect_closed(&c);
	assert_non_null(strstr(c.got.p, "Client sent an HTTP request to an HTTPS server."));
}

static void tls_streams_to_a_slow_reader(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };

	f.left = 16 << 20;
	use_tls(false);
	start((struct xb_http_config){ .tls = f.tls });
	c = dial();
	say(&c, "GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
	for (int i = 0; i < 50; i++)
		turn();
	assert_true(f.left > 1 << 20);
	wait_for(hear(&c) && c.got.n > 16 << 20);
	expect(&c, "\r\n0\r\n\r\n");
	assert_true(f.most_pending < (64 + 16) << 10);
}

static void tls_takes_a_large_body(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };
	char *body = malloc(3 << 20);

	use_tls(false);
	start((struct xb_http_config){ .tls = f.tls });
	memset(body, 'b', 3 << 20);
	c = dial();
	say(&c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3145728\r\nConnection: close\r\n\r\n");
	say_bytes(&c, body, 3 << 20);
	expect_closed(&c);
	assert_int_equal(c.got.n - (strstr(c.got.p, "\r\n\r\n") + 4 - c.got.p), 3 << 20);
	free(body);
}

static void a_handshake_that_never_ends_is_cut(void **state)
{
	_cleanup_(client_done) struct client c = { .fd = -1 };
	struct xb_tls *tls;

	use_tls(false);
	tls = f.tls;
	start((struct xb_http_config){ .tls = tls, .header_seconds = 1 });
	f.tls = NULL;
	c = dial();
	f.tls = tls;
	say(&c, "\x16\x03\x01");
	expect_closed(&c);
	wait_for(connections() == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t(tls_serves_and_tells_the_clients_name), t(a_certificate_of_another_ca_is_none),
		t(tls_resumes_by_ticket_and_keeps_the_clients_name), t(old_tls_is_refused), t(plain_http_to_a_tls_port_is_told),
		t(tls_streams_to_a_slow_reader), t(tls_takes_a_large_body), t(a_handshake_that_never_ends_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
