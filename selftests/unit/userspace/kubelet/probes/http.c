/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* httpGet and tcpSocket against a real server, with upstream's words for each answer that a server can give. */
#include "fixture.h"
#include "xb/http_server.h"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"
#define TO(code, where) "HTTP/1.1 " code " Found\r\nLocation: " where "\r\nContent-Length: 4\r\n\r\nbody"

static const struct answer answers[] = {
	{ "/ok", OK_ANSWER },
	{ "/", OK_ANSWER },
	{ "/a%20b", OK_ANSWER },
	{ "/chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n" },
	{ "/204", "HTTP/1.1 204 No Content\r\n\r\n" },
	{ "/500", "HTTP/1.1 500 Oh\r\nContent-Length: 6\r\n\r\nsecret" },
	{ "/404", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n" },
	{ "/304", "HTTP/1.1 304 Not Modified\r\n\r\n" },
	{ "/here", TO("302", "/ok") },
	{ "/here-absolute", TO("307", "http://127.0.0.1:PORT/500") },
	{ "/away", TO("302", "http://127.0.0.2:PORT/ok") },
	{ "/nowhere", "HTTP/1.1 302 Found\r\nContent-Length: 4\r\n\r\nbody" },
	{ "/round", TO("301", "/round") },
	{ "/file", TO("302", "file:///etc/passwd") },
	{ "/eof", NULL },
	{ "/silent", "" },
	{ "/slow-body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab" },
	{ "/junk", "SSH-2.0-OpenSSH_9.2\r\n" },
	{},
};

#define GET(more) "{'httpGet':{'port':'PORT'" more "}}"
static const struct {
	const char *what, *handler;
	enum attempt_outcome outcome;
	const char *text;               /* with PORT for the server's */
} cases[] = {
	{ "200", GET(",'path':'/ok'"), ATTEMPT_SUCCESS, "fine" },
	{ "in chunks", GET(",'path':'/chunks','scheme':'HTTP'"), ATTEMPT_SUCCESS, "abc" },
	{ "204", GET(",'path':'/204'"), ATTEMPT_SUCCESS, "" },
	{ "another host's address", GET(",'path':'/ok','host':'127.0.0.1'"), ATTEMPT_SUCCESS, "fine" },
	{ "no path", GET(""), ATTEMPT_SUCCESS, "fine" },
	{ "a path without a slash", GET(",'path':'ok'"), ATTEMPT_SUCCESS, "fine" },
	{ "a path with a space", GET(",'path':'/a b'"), ATTEMPT_SUCCESS, "fine" },
	{ "an encoded path, and a query", GET(",'path':'/a%20b?x=1'"), ATTEMPT_SUCCESS, "fine" },
	{ "500: not what it says", GET(",'path':'/500'"), ATTEMPT_FAILURE, "HTTP probe failed with statuscode: 500" },
	{ "404", GET(",'path':'/404'"), ATTEMPT_FAILURE, "HTTP probe failed with statuscode: 404" },
	{ "304", GET(",'path':'/304'"), ATTEMPT_WARNING, "Probe terminated redirects, Response body: " },
	{ "a redirect to itself", GET(",'path':'/here'"), ATTEMPT_SUCCESS, "fine" },
	{ "whose end counts", GET(",'path':'/here-absolute'"), ATTEMPT_FAILURE, "HTTP probe failed with statuscode: 500" },
	{ "a redirect to another", GET(",'path':'/away'"), ATTEMPT_WARNING, "Probe terminated redirects, Response body: body" },
	{ "to a file of the node", GET(",'path':'/file'"), ATTEMPT_WARNING, "Probe terminated redirects, Response body: body" },
	{ "a redirect to nowhere", GET(",'path':'/nowhere'"), ATTEMPT_WARNING, "Probe terminated redirects, Response body: body" },
	{ "round and round", GET(",'path':'/round'"), ATTEMPT_FAILURE, "Get \"http://127.0.0.1:PORT/round\": stopped after 10 redirects" },
	{ "no answer", GET(",'path':'/eof'"), ATTEMPT_FAILURE, "Get \"http://127.0.0.1:PORT/eof\": EOF" },
	{ "silence", GET(",'path':'/silent'"), ATTEMPT_FAILURE,
	  "Get \"http://127.0.0.1:PORT/silent\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)" },
	{ "half an answer", GET(",'path':'/slow-body'"), ATTEMPT_ERROR, "context deadline exceeded (Client.Timeout or context cancellation while reading body)" },
	{ "another protocol", GET(",'path':'/junk'"), ATTEMPT_FAILURE,
	  "Get \"http://127.0.0.1:PORT/junk\": net/http: HTTP/1.x transport connection broken: malformed HTTP response" },
	{ "HTTPS of a server that has none", GET(",'path':'/ok','scheme':'HTTPS'"), ATTEMPT_FAILURE,
	  "Get \"https://127.0.0.1:PORT/ok\": http: server gave HTTP response to HTTPS client" },
	{ "a header that splits", GET(",'httpHeaders':[{'name':'X','value':'a\\r\\nY: b'}]"), ATTEMPT_ERROR, "net/http: invalid header field value for \"X\"" },
	{ "a connection", "{'tcpSocket':{'port':'PORT'}}", ATTEMPT_SUCCESS, "" },
};

static char *with_port(const char *text, uint16_t port)
{
	struct xb_buf out = {};
	const char *at = strstr(text, "PORT");

	xb_buf_addf(&out, "%.*s", at ? (int)(at - text) : (int)strlen(text), text);
	if (at)
		xb_buf_addf(&out, "%u%s", port, at + 4);
	return out.p ? xb_buf_steal(&out) : strdup("");
}

static void check(const char *what, const struct tried *t, enum attempt_outcome outcome, const char *text)
{
	if (t->outcome != outcome || strcmp(t->text.p ?: "", text))
		fail_msg("%s: %d\n%s, not %d\n%s", what, t->outcome, t->text.p ?: "", outcome, text);
}

static void test_answers(void **state)
{
	struct web_server s;

	server_open(&s, answers);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_tried_ struct tried t;
		_cleanup_free_ char *text = with_port(cases[i].text, s.port);

		try(*state, "{}", cases[i].handler, s.port, 150, false, &t);
		check(cases[i].what, &t, cases[i].outcome, text);
	}
	server_close(&s);
}

static void test_request(void **state)
{
	struct web_server s;
	_cleanup_tried_ struct tried t, own, hook;
	_cleanup_free_ char *expected = NULL;

	server_open(&s, answers);
	try(*state, "{}", GET(",'path':'/ok?x=1'"), s.port, 1000, false, &t);
	expected = with_port("GET /ok?x=1 HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nConnection: close\r\nAccept: */*\r\nUser-Agent: kube-probe/1.33\r\n\r\n", s.port);
	assert_string_equal(s.last, expected);
	try(*state, "{}", GET(",'path':'/ok','httpHeaders':[{'name':'Host','value':'a.b'},{'name':'accept','value':''},{'name':'user-agent','value':'me'},"
			      "{'name':'X-Empty','value':''},{'name':'X','value':'1'},{'name':'X','value':'2'}]"), s.port, 1000, false, &own);
	assert_string_equal(s.last, "GET /ok HTTP/1.1\r\nHost: a.b\r\nConnection: close\r\nuser-agent: me\r\nX-Empty:\r\nX: 1\r\nX: 2\r\n\r\n");
	try(*state, "{}", GET(",'path':'/ok'"), s.port, 1000, true, &hook);
	assert_non_null(strstr(s.last, "\r\nUser-Agent: kube-lifecycle/1.33\r\n"));
	assert_int_equal(s.accepted, 3); /* a connection each */
	server_close(&s);
}

/* A hook wants an answer, whatever it is, from where it asked. */
static void test_hook(void **state)
{
	struct web_server s;
	_cleanup_tried_ struct tried failed, redirected, silent;
	_cleanup_free_ char *text = NULL;

	server_open(&s, answers);
	try(*state, "{}", GET(",'path':'/500'"), s.port, 1000, true, &failed);
	check("500", &failed, ATTEMPT_SUCCESS, "");
	try(*state, "{}", GET(",'path':'/here'"), s.port, 1000, true, &redirected);
	check("a redirect", &redirected, ATTEMPT_SUCCESS, "");
	assert_int_equal(s.accepted, 2);
	try(*state, "{}", GET(",'path':'/eof'"), s.port, 1000, true, &silent);
	text = with_port("Get \"http://127.0.0.1:PORT/eof\": EOF", s.port);
	check("no answer", &silent, ATTEMPT_FAILURE, text);
	server_close(&s);
}

static void test_nobody(void **state)
{
	uint16_t port = closed_port();
	_cleanup_tried_ struct tried t, tcp, six;
	_cleanup_free_ char *text = with_port("Get \"http://127.0.0.1:PORT/x\": dial tcp 127.0.0.1:", port), *whole = NULL, *whole_tcp = NULL, *whole_six = NULL;

	assert_true(asprintf(&whole, "%s%u: connect: connection refused", text, port) > 0);
	try(*state, "{}", GET(",'path':'/x'"), port, 1000, false, &t);
	check("refused", &t, ATTEMPT_FAILURE, whole);
	whole_tcp = with_port("dial tcp 127.0.0.1:PORT: connect: connection refused", port);
	try(*state, "{}", "{'tcpSocket':{'port':'PORT'}}", port, 1000, false, &tcp);
	check("refused", &tcp, ATTEMPT_FAILURE, whole_tcp);
	assert_string_equal(tcp.error.p, whole_tcp);
	whole_six = with_port("dial tcp [::1]:PORT: connect: connection refused", port);
	try(*state, "{}", "{'tcpSocket':{'port':'PORT','host':'::1'}}", port, 1000, false, &six);
	if (!strstr(six.text.p, "cannot assign")) /* where there is IPv6 */
		check("refused", &six, ATTEMPT_FAILURE, whole_six);
}

/* Nothing is kept open, by neither kind. */
static void test_closed_at_once(void **state)
{
	_cleanup_tried_ struct tried tcp, http;
	struct web_server s;
	bool never = false;

	server_open(&s, answers);
	try(*state, "{}", "{'tcpSocket':{'port':'PORT'}}", s.port, 1000, false, &tcp);
	try(*state, "{}", GET(",'path':'/ok'"), s.port, 1000, false, &http);
	wait_for(&never, 30);
	assert_int_equal(s.accepted, 2);
	assert_null(s.peers);
	server_close(&s);
}

/* A listener whose queue is full takes no more connections and says nothing. */
static void test_connect_in_time(void **state)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int waiting[8];
	_cleanup_tried_ struct tried tcp, http;
	_cleanup_free_ char *text = NULL, *url = NULL;
	socklen_t n = sizeof(addr);

	assert_int_equal(bind(fd, (struct sockaddr *)&addr, n), 0);
	assert_int_equal(listen(fd, 0), 0);
	getsockname(fd, (struct sockaddr *)&addr, &n);
	for (size_t i = 0; i < ARRAY_SIZE(waiting); i++) {
		waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		connect(waiting[i], (struct sockaddr *)&addr, n);
	}
	try(*state, "{}", "{'tcpSocket':{'port':'PORT'}}", ntohs(addr.sin_port), 100, false, &tcp);
	text = with_port("dial tcp 127.0.0.1:PORT: i/o timeout", ntohs(addr.sin_port));
	check("tcp", &tcp, ATTEMPT_FAILURE, text);
	try(*state, "{}", GET(",'path':'/x'"), ntohs(addr.sin_port), 100, false, &http);
	url = with_port("Get \"http://127.0.0.1:PORT/x\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)", ntohs(addr.sin_port));
	check("http", &http, ATTEMPT_FAILURE, url);
	for (size_t i = 0; i < ARRAY_SIZE(waiting); i++)
		close(waiting[i]);
}

/* Of a body no more than 10 KiB is read, nor waited for. */
static void test_large_body(void **state)
{
	_cleanup_buf_ struct xb_buf text = {};
	_cleanup_tried_ struct tried t;
	struct web_server s;

	xb_buf_adds(&text, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
	for (int i = 0; i < 20 << 10; i++)
		xb_buf_addc(&text, 'x');
	server_open(&s, (const struct answer[]){ { "/large", text.p }, {} });
	try(*state, "{}", GET(",'path':'/large'"), s.port, 1000, false, &t);
	assert_int_equal(t.outcome, ATTEMPT_SUCCESS);
	assert_int_equal(t.text.n, 10 << 10);
	server_close(&s);
}

static const struct {
	const char *port, *fault;       /* NULL: it is the server's */
} ports[] = {
	{ "'web'", NULL },
	{ "'none'", "strconv.Atoi: parsing \"none\": invalid syntax" },
	{ "'70000'", "invalid port number: 70000" },
	{ "0", "invalid port number: 0" },
	{ "-1", "invalid port number: -1" },
	{ "null", "invalid port number: 0" },
};

static void test_ports(void **state)
{
	struct web_server s;
	char container[100], handler[100];

	server_open(&s, answers);
	snprintf(container, sizeof(container), "{'ports':[{'containerPort':1},{'name':'web','containerPort':%u}]}", s.port);
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		_cleanup_tried_ struct tried t, tcp;

		snprintf(handler, sizeof(handler), "{'httpGet':{'port':%s,'path':'/ok'}}", ports[i].port);
		try(*state, container, handler, 0, 1000, false, &t);
		check(ports[i].port, &t, ports[i].fault ? ATTEMPT_ERROR : ATTEMPT_SUCCESS, ports[i].fault ?: "fine");
		snprintf(handler, sizeof(handler), "{'tcpSocket':{'port':%s}}", ports[i].port);
		try(*state, container, handler, 0, 1000, false, &tcp);
		check(ports[i].port, &tcp, ports[i].fault ? ATTEMPT_ERROR : ATTEMPT_SUCCESS, ports[i].fault ?: "");
	}
	server_close(&s);
}

/* --- HTTPS: whoever signed it --- */
static void on_secure(struct xb_http_request *r, void *arg)
{
	xb_http_respond(r, 200, "text/plain", XB_SV("secure"));
}

static void test_https(void **state)
{
	char cert[] = "/tmp/xebec-probe-cert-XXXXXX", key[] = "/tmp/xebec-probe-key-XXXXXX";
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct xb_cert_request request = { .common_name = "somebody else", .server_auth = true, .days = 1 };
	struct xb_http_server *server;
	_cleanup_(xb_tls_freep) struct xb_tls *tls = NULL;
	_cleanup_free_ char *why = NULL;
	_cleanup_tried_ struct tried t;

	close(mkstemp(cert));
	close(mkstemp(key));
	unlink(cert);
	unlink(key);
	assert_int_equal(xb_cert_make(&request, NULL, NULL, cert, key, &why), 0);
	assert_int_equal(xb_tls_server_new(&(struct xb_tls_config){ .cert_file = cert, .key_file = key }, &tls, &why), 0);
	assert_int_equal(xb_http_server_new(&(struct xb_http_config){ .loop = &loop, .tls = tls, .handler = on_secure }, &server), 0);
	assert_int_equal(xb_http_server_listen(server, (struct sockaddr *)&addr), 0);
	try(*state, "{}", GET(",'path':'/x','scheme':'HTTPS'"), xb_http_server_port(server), 2000, false, &t);
	check("HTTPS", &t, ATTEMPT_SUCCESS, "secure");
	xb_http_server_free(server);
	unlink(cert);
	unlink(key);
}

/* Cancelled ones leave nothing behind and call nobody. */
static void test_cancel(void **state)
{
	struct attempt_tools tools = { .loop = &loop, .web = *state, .user_agent = "x/1" };
	struct attempt_request q = { .pod_ip = "127.0.0.1", .timeout_ms = 50 };
	_cleanup_(xb_json_unrefp) struct xb_json *h = NULL;
	struct tried t = {};
	struct web_server s;
	struct attempt *a;
	char handler[64];
	bool never = false;

	server_open(&s, answers);
	snprintf(handler, sizeof(handler), "{'httpGet':{'port':%u,'path':'/silent'}}", s.port);
	h = parse(handler);
	for (int i = 0; i < 2; i++) {
		q.handler = xb_json_root(h);
		assert_int_equal(attempt_start(&tools, &q, on_tried, &t, &a, NULL), 0);
		if (i)
			wait_for(&never, 20);
		attempt_cancel(a);
	}
	wait_for(&never, 80);
	assert_false(t.over);
	attempt_cancel(NULL);
	server_close(&s);
}

static int setup(void **state)
{
	uv_loop_init(&loop);
	return web_new(&loop, (struct web **)state);
}

static int teardown(void **state)
{
	web_free(*state);
	uv_run(&loop, UV_RUN_DEFAULT);
	return uv_loop_close(&loop);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_answers), T(test_request), T(test_hook), T(test_nobody), T(test_closed_at_once),
		T(test_connect_in_time), T(test_large_body), T(test_ports),
		T(test_https), T(test_cancel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
