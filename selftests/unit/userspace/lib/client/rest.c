/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <strings.h>
#include "fake_api.h"
#include "xb/file.h"
#include "xb/http_server.h"
#include "xb/rest.h"

struct test {
	uv_loop_t loop;
	struct fake_api api;
	struct xb_rest *rest;
	struct fake_conn *conn;         /* of the last request */
	char method[8], path[512], headers[4096], body[512];
	int answer;                     /* 0: none yet */
	const char *reply;
	bool asked;                     /* whether it may be sent */
	int done, code, retry_after;
	char got[512], reason[64], message[512], lines[512];
	struct xb_rest_call *call, *cancel_at_line;
	uint64_t woken_ns;              /* of the line before */
};

static void on_request(struct fake_conn *c, const char *method, const char *path, const char *headers, const char *body)
{
	struct test *t = c->api->arg;

	t->conn = c;
	snprintf(t->method, sizeof(t->method), "%s", method);
	snprintf(t->path, sizeof(t->path), "%s", path);
	snprintf(t->headers, sizeof(t->headers), "%s", headers);
	snprintf(t->body, sizeof(t->body), "%s", body);
	if (t->answer)
		fake_reply(c, t->answer, t->reply);
}

static void on_done(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct test *t = arg;

	t->done++;
	t->code = code;
	t->retry_after = status->retry_after;
	snprintf(t->got, sizeof(t->got), "%.*s", XB_SV_ARG(body));
	snprintf(t->reason, sizeof(t->reason), "%s", status->reason ? status->reason : "");
	snprintf(t->message, sizeof(t->message), "%s", status->message ? status->message : "");
}

static void on_line(void *arg, struct xb_sv line)
{
	struct test *t = arg;
	size_t n = strlen(t->lines);

	snprintf(t->lines + n, sizeof(t->lines) - n, "[%.*s]", XB_SV_ARG(line));
	assert_in_range(xb_rest_woken_ns(t->rest), MAX(t->woken_ns, 1), uv_hrtime());
	t->woken_ns = xb_rest_woken_ns(t->rest);
	if (t->cancel_at_line)
		xb_rest_cancel(t->cancel_at_line);
}

static char token_file[] = "/tmp/xb-rest-token-XXXXXX";

static void put_token(const char *token)
{
	FILE *f = fopen(token_file, "w");

	assert_non_null(f);
	fputs(token, f);
	fclose(f);
}

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));
	struct xb_kubeconfig k = {};
	char *why = NULL;

	assert_non_null(t);
	uv_loop_init(&t->loop);
	t->api = (struct fake_api){ .loop = &t->loop, .handler = on_request, .arg = t };
	fake_start(&t->api);
	assert_true(asprintf(&k.server, "http://127.0.0.1:%d/base", t->api.port) > 0);
	k.token_file = strdup(token_file);
	put_token("first\n");
	assert_int_equal(xb_rest_new(&t->loop, &k, "test/1", &t->rest, &why), 0);
	xb_kubeconfig_done(&k);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;

	xb_rest_free(t->rest);
	fake_stop(&t->api);
	uv_run(&t->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&t->loop), 0);
	free(t);
	unlink(token_file);
	return 0;
}

static void call(struct test *t, struct xb_rest_request q)
{
	t->done = 0;
	assert_int_equal(xb_rest_send(t->rest, &q, on_done, t, &t->call), 0);
	run_until(&t->loop, t->done);
}

static void get_brings_the_body(void **state)
{
	struct test *t = *state;

	t->answer = 200;
	t->reply = "{\"a\":1}";
	call(t, (struct xb_rest_request){ .method = "GET", .path = "/api/v1/x?y=z" });
	assert_int_equal(t->code, 200);
	assert_string_equal(t->got, "{\"a\":1}");
	assert_string_equal(t->path, "/base/api/v1/x?y=z");
	assert_non_null(strstr(t->headers, "User-Agent: test/1\r\n"));
	assert_non_null(strstr(t->headers, "Accept: application/json\r\n"));
	assert_non_null(strstr(t->headers, "Authorization: Bearer first\r\n"));
}

static void bodies_are_sent(void **state)
{
	struct test *t = *state;

	t->answer = 201;
	t->reply = "{}";
	call(t, (struct xb_rest_request){ .method = "POST", .path = "/p", .content_type = "application/json", .body = XB_SV("{\"b\":2}") });
	assert_string_equal(t->method, "POST");
	assert_string_equal(t->body, "{\"b\":2}");
	assert_non_null(strstr(t->headers, "Content-Type: application/json\r\n"));
	assert_null(strcasestr(t->headers, "Expect:"));
	call(t, (struct xb_rest_request){ .method = "DELETE", .path = "/p" });
	assert_string_equal(t->method, "DELETE");
}

static void token_is_read_anew(void **state)
{
	struct test *t = *state;
	struct xb_rest_request q = { .method = "GET", .path = "/" };

	t->answer = 200;
	t->reply = "";
	call(t, q);
	put_token("  second ");
	call(t, q);
	assert_non_null(strstr(t->headers, "Authorization: Bearer second\r\n"));
	unlink(token_file);
	assert_int_equal(xb_rest_send(t->rest, &q, on_done, t, NULL), -ENOENT);
}

static void on_refused(void *arg)
{
	++*(int *)arg;
}

static void send_as(struct test *t, struct xb_rest *as)
{
	struct xb_rest_request q = { .method = "GET", .path = "/" };

	t->done = 0;
	assert_int_equal(xb_rest_send(as, &q, on_done, t, NULL), 0);
	run_until(&t->loop, t->done);
}

static void somebody_else_shares_the_connection(void **state)
{
	struct test *t = *state;
	struct xb_rest *as = NULL, *other = NULL;
	struct fake_conn *first;
	int refused = 0;

	t->answer = 200;
	t->reply = "";
	assert_int_equal(xb_rest_as(t->rest, "joe", NULL, NULL, &other), 0);
	send_as(t, other);
	first = t->conn;
	assert_int_equal(xb_rest_as(t->rest, "jane", on_refused, &refused, &as), 0);
	send_as(t, as);
	assert_ptr_equal(t->conn, first);
	assert_null(strstr(t->headers, "Authorization:"));
	assert_non_null(strstr(t->headers, "User-Agent: test/1/jane\r\n"));
	assert_string_equal(t->path, "/base/");
	assert_int_equal(xb_rest_set_token(as, XB_SV("one")), 0);
	assert_int_equal(xb_rest_set_token(as, XB_SV("two")), 0);
	send_as(t, as);
	assert_non_null(strstr(t->headers, "Authorization: Bearer two\r\n"));
	assert_int_equal(refused, 0);
	t->answer = 401;
	call(t, (struct xb_rest_request){ .method = "GET", .path = "/" });
	assert_non_null(strstr(t->headers, "Authorization: Bearer first\r\n"));
	assert_int_equal(refused, 0);
	send_as(t, as);
	assert_int_equal(refused, 1);
	assert_int_equal(xb_rest_send(as, &(struct xb_rest_request){ .method = "GET", .path = "/" }, on_done, t, NULL), 0);
	t->done = 0;
	xb_rest_free(as);
	send_as(t, other);
	assert_null(strstr(t->headers, "Authorization:"));
	xb_rest_free(other);
	call(t, (struct xb_rest_request){ .method = "GET", .path = "/" });
	assert_int_equal(t->done, 1);
}

static bool say_no(void *arg)
{
	struct test *t = arg;

	t->asked = true;
	uv_stop(&t->loop);
	return false;
}

static void assert_fenced(struct test *t, struct xb_rest *as)
{
	t->done = 0;
	assert_int_equal(xb_rest_send(as, &(struct xb_rest_request){ .method = "GET", .path = "/" }, on_done, t, NULL), 0);
	run_until(&t->loop, t->asked || t->done);
	assert_true(t->asked);
	assert_int_equal(t->done, 0);
	xb_rest_free(as);
}

static void a_fence_holds_for_somebody_else(void **state)
{
	struct test *t = *state;
	struct xb_rest *as = NULL;

	t->answer = 200;
	t->reply = "";
	assert_int_equal(xb_rest_as(t->rest, "joe", NULL, NULL, &as), 0);
	send_as(t, as);
	xb_rest_fence(t->rest, say_no, t);
	assert_fenced(t, as);
}

static void a_fence_holds_for_who_comes_later(void **state)
{
	struct test *t = *state;
	struct xb_rest *as = NULL;

	xb_rest_fence(t->rest, say_no, t);
	assert_int_equal(xb_rest_as(t->rest, "joe", NULL, NULL, &as), 0);
	assert_fenced(t, as);
}

static unsigned asked;

static bool say_yes_once(void *arg)
{
	return !asked++;
}

/* As when the process stands still while curl sends one after the other. */
static void a_fence_holds_between_requests(void **state)
{
	struct test *t = *state;

	t->answer = 200;
	t->reply = "";
	call(t, (struct xb_rest_request){ .method = "GET", .path = "/" });
	asked = 0;
	xb_rest_fence(t->rest, say_yes_once, t);
	t->done = 0;
	assert_int_equal(xb_rest_send(t->rest, &(struct xb_rest_request){ .method = "POST", .path = "/" }, on_done, t, NULL), 0);
	/* before curl works, before the request, before the answer */
	run_until(&t->loop, asked == 3);
	assert_int_equal(t->api.requests, 1);
	assert_int_equal(t->done, 0);
}

static void connection_is_kept(void **state)
{
	struct test *t = *state;
	struct fake_conn *first;

	t->answer = 200;
	t->reply = "";
	call(t, (struct xb_rest_request){ .method = "GET", .path = "/" });
	first = t->conn;
	call(t, (struct xb_rest_request){ .method = "GET", .path = "/" });
	assert_ptr_equal(t->conn, first);
}

static void servers_status_is_handed_on(void **state)
{
	struct test *t = *state;

	t->answer = 429;
	t->reply = "{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"later \\\"please\\\"\",\"reason\":\"TooManyRequests\",\"code\":429,"
		   "\"details\":{\"retryAfterSeconds\":7}}";
	call(t, (struct xb_rest_request){ .method = "GET", .path = "/" });
	assert_int_equal(t->code, 429);
	assert_string_equal(t->reason, "TooManyRequests");
	assert_string_equal(t->message, "later \"please\"");
	assert_int_equal(t->retry_after, 7);
	t->answer = 502;
	t->reply = "<html>no</html>";
	call(t, (struct xb_rest_request){ .method = "GET", .path = "/" });
	assert_int_equal(t->code, 502);
	assert_non_null(strstr(t->message, "502"));
	t->answer = 403;
	t->reply = "[1,2";
	call(t, (struct xb_rest_request){ .method = "GET", .path = "/" });
	assert_string_equal(t->reason, "Forbidden");
}

static void no_answer_says_why(void **state)
{
	struct test *t = *state;

	call(t, (struct xb_rest_request){ .method = "GET", .path = "/", .timeout_ms = 50 });
	assert_int_equal(t->code, 0);
	assert_non_null(strcasestr(t->message, "timed out"));
	fake_stop(&t->api);
	call(t, (struct xb_rest_request){ .method = "GET", .path = "/" });
	assert_int_equal(t->code, 0);
	assert_non_null(strcasestr(t->message, "connect"));
	fake_start(&t->api);
}

static void cut_answer_is_no_answer(void **state)
{
	struct test *t = *state;
	struct xb_rest_request q = { .method = "GET", .path = "/" };

	assert_int_equal(xb_rest_send(t->rest, &q, on_done, t, NULL), 0);
	run_until(&t->loop, t->conn);
	fake_sendf(t->conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
	fake_drop(t->conn);
	run_until(&t->loop, t->done);
	assert_int_equal(t->code, 0);
}

/* A connection that was used before, and dies with the request: whether that was done nobody knows but the server. */
static void what_may_have_been_done_is_not_sent_again(void **state)
{
	static const char *const methods[] = { "POST", "PUT", "PATCH", "DELETE" };
	struct test *t = *state;
	struct xb_rest_request q = { .path = "/x", .content_type = "application/json", .body = XB_SV("{\"a\":1}") };

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		unsigned seen;

		t->answer = 200;
		t->reply = "{}";
		call(t, (struct xb_rest_request){ .method = "GET", .path = "/x" });
		seen = t->api.requests;
		t->answer = 0;
		t->done = 0;
		q.method = methods[i];
		assert_int_equal(xb_rest_send(t->rest, &q, on_done, t, &t->call), 0);
		run_until(&t->loop, t->api.requests == seen + 1);
		assert_string_equal(t->body, "{\"a\":1}");
		fake_drop(t->conn);
		t->answer = 200;
		run_until(&t->loop, t->done);
		assert_int_equal(t->code, 0);
		assert_int_equal(t->api.requests, seen + 1);
	}
}

static void stream_gives_lines(void **state)
{
	struct test *t = *state;
	struct xb_rest_request q = { .method = "GET", .path = "/w" };

	assert_int_equal(xb_rest_stream(t->rest, &q, on_line, on_done, t, &t->call), 0);
	run_until(&t->loop, t->conn);
	fake_stream(t->conn);
	fake_chunk(t->conn, "one\ntw");
	run_until(&t->loop, t->lines[0]);
	assert_string_equal(t->lines, "[one]");
	fake_chunk(t->conn, "o\n\nthree\nrest");
	fake_stream_end(t->conn);
	run_until(&t->loop, t->done);
	assert_string_equal(t->lines, "[one][two][three]");
	assert_int_equal(t->code, 200);
}

static void refused_stream_gives_a_status(void **state)
{
	struct test *t = *state;
	struct xb_rest_request q = { .method = "GET", .path = "/w" };

	t->answer = 410;
	t->reply = "{\"kind\":\"Status\",\"reason\":\"Expired\",\"message\":\"too old\",\"code\":410}\n";
	assert_int_equal(xb_rest_stream(t->rest, &q, on_line, on_done, t, &t->call), 0);
	run_until(&t->loop, t->done);
	assert_string_equal(t->lines, "");
	assert_int_equal(t->code, 410);
	assert_string_equal(t->reason, "Expired");
}

static void cancelled_calls_are_silent(void **state)
{
	struct test *t = *state;
	struct xb_rest_request q = { .method = "GET", .path = "/w" };

	assert_int_equal(xb_rest_stream(t->rest, &q, on_line, on_done, t, &t->call), 0);
	t->cancel_at_line = t->call;
	run_until(&t->loop, t->conn);
	fake_stream(t->conn);
	fake_chunk(t->conn, "one\ntwo\n");
	run_until(&t->loop, t->lines[0]);
	assert_string_equal(t->lines, "[one]");
	assert_int_equal(xb_rest_send(t->rest, &q, on_done, t, &t->call), 0);
	xb_rest_cancel(t->call);
	for (int i = 0; i < 20; i++)
		uv_run(&t->loop, UV_RUN_NOWAIT);
	assert_int_equal(t->done, 0);
}

static void bad_servers_are_refused(void **state)
{
	struct test *t = *state;
	static char *const urls[] = { "ftp://a", "https://", "http://[" };

	for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
		struct xb_kubeconfig k = { .server = urls[i] };
		struct xb_rest *r = NULL;
		char *why = NULL;

		assert_int_equal(xb_rest_new(&t->loop, &k, "x", &r, &why), -EINVAL);
		assert_non_null(strstr(why, urls[i]));
		free(why);
	}
}

static void queries_are_encoded(void **state)
{
	_cleanup_buf_ struct xb_buf path = {};

	xb_buf_adds(&path, "/api/v1/pods");
	xb_rest_add_query(&path, "labelSelector", XB_SV("a in (b,c),!d/e"));
	xb_rest_add_query(&path, "continue", XB_SV("x+y=~-._Z9\xc3\xa9"));
	assert_string_equal(path.p, "/api/v1/pods?labelSelector=a%20in%20%28b%2Cc%29%2C%21d%2Fe&continue=x%2By%3D~-._Z9%C3%A9");
}

/* --- over TLS: a cluster's own CA, a client certificate, and what must be refused --- */
static char pki[] = "/tmp/xb-rest-pki-XXXXXX";

static char *in_pki(const char *name)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", pki, name) > 0);
	return path;
}

static char *pem_text(const char *name)
{
	_cleanup_free_ char *path = in_pki(name);
	struct xb_buf text = {};

	assert_int_equal(xb_file_read(path, 1 << 16, &text), 0);
	return xb_buf_steal(&text);
}

static void make_cert(struct xb_cert_request q, const char *ca, const char *name)
{
	static const char *const parts[] = { "crt", "key" };
	_cleanup_free_ char *why = NULL;
	char *paths[4] = {};

	for (int i = 0; i < 4; i++) {
		_cleanup_free_ char *file = NULL;

		assert_true(asprintf(&file, "%s.%s", i < 2 ? ca : name, parts[i % 2]) > 0);
		paths[i] = i < 2 && !ca ? NULL : in_pki(file);
	}
	q.days = 2;
	if (xb_cert_make(&q, paths[0], paths[1], paths[2], paths[3], &why) < 0)
		fail_msg("%s: %s", name, why);
	for (int i = 0; i < 4; i++)
		free(paths[i]);
}

static void tells_who_asks(struct xb_http_request *r, void *arg)
{
	const struct xb_tls_peer *peer = xb_http_peer_cert(r);

	xb_http_respond(r, 200, "text/plain", xb_sv(peer ? peer->common_name : "nobody"));
}

struct tls_case {
	const char *ca, *cert;          /* files of the folder; NULL: none */
	bool in_memory, insecure;
	const char *tls_server_name;
	const char *answer;             /* NULL: refused */
};

static void check_tls(struct test *t, int port, const struct tls_case *c)
{
	struct xb_kubeconfig k = { .insecure = c->insecure };
	_cleanup_(xb_rest_freep) struct xb_rest *rest = NULL;
	_cleanup_free_ char *why = NULL;
	struct xb_rest_request q = { .method = "GET", .path = "/" };

	assert_true(asprintf(&k.server, "https://127.0.0.1:%d", port) > 0);
	k.tls_server_name = c->tls_server_name ? strdup(c->tls_server_name) : NULL;
	if (c->ca && c->in_memory)
		k.ca.text = pem_text(c->ca);
	else if (c->ca)
		k.ca.file = in_pki(c->ca);
	if (c->cert && c->in_memory) {
		k.cert.text = pem_text("client.crt");
		k.key.text = pem_text("client.key");
	} else if (c->cert) {
		k.cert.file = in_pki("client.crt");
		k.key.file = in_pki("client.key");
	}
	assert_int_equal(xb_rest_new(&t->loop, &k, "test", &rest, &why), 0);
	xb_kubeconfig_done(&k);
	t->done = 0;
	assert_int_equal(xb_rest_send(rest, &q, on_done, t, NULL), 0);
	run_until(&t->loop, t->done);
	if (c->answer) {
		if (t->code != 200)
			fail_msg("expected %s, got: %s", c->answer, t->message);
		assert_string_equal(t->got, c->answer);
	} else {
		assert_int_equal(t->code, 0);
		assert_non_null(strcasestr(t->message, "certificate"));
	}
}

static void tls_trusts_the_clusters_ca_only(void **state)
{
	static const struct tls_case cases[] = {
		{ .ca = "ca.crt", .tls_server_name = "api.test", .answer = "nobody" },
		{ .ca = "ca.crt", .in_memory = true, .tls_server_name = "api.test", .answer = "nobody" },
		{ .ca = "ca.crt", .cert = "client", .tls_server_name = "api.test", .answer = "jane" },
		{ .ca = "ca.crt", .cert = "client", .in_memory = true, .tls_server_name = "api.test", .answer = "jane" },
		{ .insecure = true, .answer = "nobody" },
		{ .ca = "ca.crt" },                                     /* the certificate does not name 127.0.0.1 */
		{ .ca = "ca.crt", .tls_server_name = "other.test" },
		{ .ca = "other.crt", .tls_server_name = "api.test" },
		{ .tls_server_name = "api.test" },
	};
	static const char *const names[] = { "api.test", NULL };
	static const char *const files[] = { "ca", "other", "server", "client" };
	struct test *t = *state;
	_cleanup_free_ char *cert = NULL, *key = NULL, *ca = NULL, *why = NULL;
	_cleanup_(xb_tls_freep) struct xb_tls *tls = NULL;
	struct xb_http_server *server = NULL;
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct xb_tls_config c;
	struct xb_http_config h;

	assert_non_null(mkdtemp(pki));
	make_cert((struct xb_cert_request){ .common_name = "ca", .is_ca = true }, NULL, "ca");
	make_cert((struct xb_cert_request){ .common_name = "other", .is_ca = true }, NULL, "other");
	make_cert((struct xb_cert_request){ .common_name = "server", .dns_names = names, .server_auth = true }, "ca", "server");
	make_cert((struct xb_cert_request){ .common_name = "jane", .client_auth = true }, "ca", "client");
	cert = in_pki("server.crt");
	key = in_pki("server.key");
	ca = in_pki("ca.crt");
	c = (struct xb_tls_config){ .cert_file = cert, .key_file = key, .client_ca_file = ca };
	assert_int_equal(xb_tls_server_new(&c, &tls, &why), 0);
	h = (struct xb_http_config){ .loop = &t->loop, .tls = tls, .handler = tells_who_asks };
	assert_int_equal(xb_http_server_new(&h, &server), 0);
	assert_int_equal(xb_http_server_listen(server, (struct sockaddr *)&at), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_tls(t, xb_http_server_port(server), &cases[i]);
	xb_http_server_free(server);
	for (int i = 0; i < 20; i++)
		uv_run(&t->loop, UV_RUN_NOWAIT);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char path[300];

		snprintf(path, sizeof(path), "%s/%s.crt", pki, files[i]);
		unlink(path);
		snprintf(path, sizeof(path), "%s/%s.key", pki, files[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(pki), 0);
}

static int make_token_file(void **state)
{
	int fd = mkstemp(token_file);

	close(fd);
	return fd < 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(get_brings_the_body), T(bodies_are_sent), T(token_is_read_anew), T(connection_is_kept),
		T(somebody_else_shares_the_connection), T(a_fence_holds_for_somebody_else),
		T(a_fence_holds_for_who_comes_later), T(a_fence_holds_between_requests),
		T(servers_status_is_handed_on), T(no_answer_says_why), T(cut_answer_is_no_answer),
		T(what_may_have_been_done_is_not_sent_again), T(stream_gives_lines), T(refused_stream_gives_a_status),
		T(cancelled_calls_are_silent), T(bad_servers_are_refused), T(queries_are_encoded),
		T(tls_trusts_the_clusters_ca_only),
	};

	return cmocka_run_group_tests(tests, make_token_file, NULL);
}
