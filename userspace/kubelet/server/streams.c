/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* exec, attach, port-forward: the runtime tells where its stream server waits, and the request is handed on to that. And run. */
#include <inttypes.h>
#include <strings.h>
#include "inner.h"
#include "stream_url.h"
#include "xb/proxy.h"

#define RUNTIME_MS 30000
#define PORTS_MAX  1024
#define WORDS_MAX  1024

struct streams_wanted {
	bool in, out, error, tty;
	char **command;
};

static void wanted_done(struct streams_wanted *w)
{
	query_free_all(w->command);
}

static int read_one(struct xb_sv query, const char *name, bool *ret)
{
	_cleanup_free_ char *text = NULL;
	int r = query_text(query, name, &text);

	*ret = text && !strcmp(text, "1");
	return r;
}

static int read_wanted(struct xb_sv query, struct streams_wanted *w)
{
	int r = read_one(query, "input", &w->in);

	r = r ? r : read_one(query, "output", &w->out);
	r = r ? r : read_one(query, "error", &w->error);
	r = r ? r : read_one(query, "tty", &w->tty);
	/* a terminal has one output */
	if (w->tty)
		w->error = false;
	return r ? r : query_all(query, "command", &w->command);
}

static const struct pod *find_pod(const struct exchange *x)
{
	const struct pod *pod = pods_find(x->server->c.pods, x->target.namespace_, x->target.pod);

	return pod && x->target.uid && strcmp(pod_uid(pod), x->target.uid) ? NULL : pod;
}

/* NULL: it was answered. Borrowed until the loop turns. */
static const char *find_container_id(struct exchange *x)
{
	const struct pod *pod = find_pod(x);
	struct pod_container c;

	if (!pod)
		exchange_answer(x, 404, TEXT, XB_SV("pod does not exist"));
	else if (pod_container(pod, x->target.container, false, &c) || !c.running)
		exchange_fail(x, 500, "container not found (\"%s\")", x->target.container);
	else
		return c.id;
	return NULL;
}

static bool read_streams(struct exchange *x, struct streams_wanted *w)
{
	int r = read_wanted(xb_http_query(x->r), w);

	if (r == -ENOMEM)
		exchange_no_memory(x);
	else if (r)
		exchange_answer(x, 400, TEXT, XB_SV("Unable to decode query."));
	else if (!w->in && !w->out && !w->error)
		exchange_answer(x, 400, TEXT, XB_SV("you must specify at least 1 of stdin, stdout, stderr"));
	else
		return true;
	return false;
}

/* --- handing on --- */

static void on_failed(struct xb_http_request *r, const char *why, void *arg)
{
	xb_http_respond(r, 500, TEXT, xb_sv(why));
}

static int copy_fields(struct xb_http_request *r, struct xb_buf *out)
{
	struct xb_sv name, value;
	size_t iter = 0;

	while (xb_http_header_next(r, &iter, &name, &value)) {
		if (xb_proxy_is_hop(name) || (name.n == 13 && !strncasecmp(name.p, "Authorization", 13)))
			continue;
		xb_buf_addf(out, "%.*s: %.*s\r\n", XB_SV_ARG(name), XB_SV_ARG(value));
	}
	return out->err;
}

static void hand_on(struct exchange *x, const char *url)
{
	static const struct xb_proxy_ops ops = { .failed = on_failed };
	struct xb_http_request *r = x->r;
	_cleanup_(stream_url_done) struct stream_url to = {};
	_cleanup_free_ char *method = xb_sv_dup(xb_http_method(r)), *upgrade = NULL;
	_cleanup_buf_ struct xb_buf fields = {};
	struct xb_proxy_request q = { .ops = &ops };
	int e = stream_url_parse(url, &to);

	if (e == -EINVAL) {
		exchange_fail(x, 500, "the runtime's stream server is not of this host: \"%s\"", url);
		return;
	}
	if (xb_http_header(r, "Upgrade").n)
		upgrade = xb_sv_dup(xb_http_header(r, "Upgrade"));
	e = e ? e : copy_fields(r, &fields);
	if (e || !method) {
		exchange_no_memory(x);
		return;
	}
	q.upstream = (struct xb_upstream_request){
		.target = { .host = to.host, .port = to.port, .timeout_ms = RUNTIME_MS }, .method = method, .path = to.path,
		.upgrade = upgrade, .fields = xb_buf_sv(&fields), .body = xb_http_body(r), .answer_ms = RUNTIME_MS,
	};
	exchange_drop(x);
	xb_http_set_user(r, NULL);
	xb_http_on_close(r, NULL, NULL);
	e = xb_proxy(r, &q);
	if (e)
		xb_http_respond(r, e == -ENOMEM ? 500 : 400, TEXT, xb_sv(strerror(-e)));
}

/* How upstream's kubelet passes on what the runtime says. */
static void refuse(struct exchange *x, int code, const char *message)
{
	_cleanup_buf_ struct xb_buf text = {};

	xb_grpc_describe(code, message, &text);
	exchange_answer(x, code == XB_GRPC_NOT_FOUND ? 404 : code == XB_GRPC_RESOURCE_EXHAUSTED ? 429 : 500, TEXT, xb_buf_sv(&text));
}

static void on_exec_url(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	struct exchange *x = arg;

	x->call = NULL;
	if (code)
		refuse(x, code, message);
	else
		hand_on(x, ((const Runtime__V1__ExecResponse *)reply)->url);
}

static void on_attach_url(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	struct exchange *x = arg;

	x->call = NULL;
	if (code)
		refuse(x, code, message);
	else
		hand_on(x, ((const Runtime__V1__AttachResponse *)reply)->url);
}

static void on_port_forward_url(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	struct exchange *x = arg;

	x->call = NULL;
	if (code)
		refuse(x, code, message);
	else
		hand_on(x, ((const Runtime__V1__PortForwardResponse *)reply)->url);
}

static void call(struct exchange *x, enum runtime_rpc rpc, const ProtobufCMessage *q, runtime_done done)
{
	if (runtime_call(x->server->c.runtime, rpc, q, 0, done, x, &x->call))
		exchange_no_memory(x);
}

static size_t count(char **texts)
{
	size_t n = 0;

	while (texts[n])
		n++;
	return n;
}

void serve_exec(struct exchange *x)
{
	Runtime__V1__ExecRequest q = RUNTIME__V1__EXEC_REQUEST__INIT;
	_cleanup_(wanted_done) struct streams_wanted w = {};
	const char *id = read_streams(x, &w) ? find_container_id(x) : NULL;

	if (!id)
		return;
	q.container_id = (char *)id;
	q.cmd = w.command;
	q.n_cmd = count(w.command);
	q.stdin = w.in;
	q.stdout = w.out;
	q.stderr = w.error;
	q.tty = w.tty;
	call(x, RPC_EXEC, &q.base, on_exec_url);
}

void serve_attach(struct exchange *x)
{
	Runtime__V1__AttachRequest q = RUNTIME__V1__ATTACH_REQUEST__INIT;
	_cleanup_(wanted_done) struct streams_wanted w = {};
	const char *id = read_streams(x, &w) ? find_container_id(x) : NULL;

	if (!id)
		return;
	q.container_id = (char *)id;
	q.stdin = w.in;
	q.stdout = w.out;
	q.stderr = w.error;
	q.tty = w.tty;
	call(x, RPC_ATTACH, &q.base, on_attach_url);
}

/* Of WebSockets, which name their ports beforehand: "port=80,81", again and again. */
static bool read_ports(struct exchange *x, int32_t *ports, size_t *ret_n)
{
	char **values = NULL;
	size_t n = 0;
	int r = query_all(xb_http_query(x->r), "port", &values);

	for (size_t i = 0; !r && values[i]; i++) {
		struct xb_sv rest = xb_sv(values[i]), text;
		uint64_t port;

		while (!r && xb_sv_split(&rest, ',', &text)) {
			if (xb_sv_u64(text, &port) || !port || port > 65535 || n == PORTS_MAX)
				r = -EINVAL;
			else
				ports[n++] = (int32_t)port;
		}
	}
	query_free_all(values);
	if (r == -ENOMEM)
		exchange_no_memory(x);
	else if (r)
		exchange_answer(x, 400, TEXT, XB_SV("query parameter \"port\": not a list of ports"));
	*ret_n = n;
	return !r;
}

void serve_port_forward(struct exchange *x)
{
	Runtime__V1__PortForwardRequest q = RUNTIME__V1__PORT_FORWARD_REQUEST__INIT;
	const struct pod *pod = find_pod(x);
	const char *sandbox = pod ? pod_sandbox_id(pod) : NULL;
	int32_t ports[PORTS_MAX];

	if (!pod) {
		exchange_answer(x, 404, TEXT, XB_SV("pod does not exist"));
		return;
	}
	if (!sandbox) {
		exchange_fail(x, 500, "pod not found (\"%s_%s\")", x->target.pod, x->target.namespace_);
		return;
	}
	if (!read_ports(x, ports, &q.n_port))
		return;
	q.pod_sandbox_id = (char *)sandbox;
	q.port = ports;
	call(x, RPC_PORT_FORWARD, &q.base, on_port_forward_url);
}

/* --- run --- */

static void on_run(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	const Runtime__V1__ExecSyncResponse *a = (const void *)reply;
	_cleanup_buf_ struct xb_buf text = {};
	struct exchange *x = arg;

	x->call = NULL;
	if (code) {
		refuse(x, code, message);
		return;
	}
	if (a->exit_code) {
		xb_buf_addf(&text, "command exited with %" PRId32 ": ", a->exit_code);
		xb_buf_add(&text, a->stderr.data, a->stderr.len);
	} else {
		xb_buf_add(&text, a->stdout.data, a->stdout.len);
		xb_buf_add(&text, a->stderr.data, a->stderr.len);
	}
	exchange_answer_buf(x, a->exit_code ? 500 : 200, a->exit_code ? TEXT : JSON, &text);
}

void serve_run(struct exchange *x)
{
	Runtime__V1__ExecSyncRequest q = RUNTIME__V1__EXEC_SYNC_REQUEST__INIT;
	const char *id = find_container_id(x);
	_cleanup_free_ char *command = NULL;
	char *words[WORDS_MAX], *rest;

	if (!id)
		return;
	if (query_text(xb_http_query(x->r), "cmd", &command) || !command) {
		exchange_answer(x, 400, TEXT, XB_SV("query parameter \"cmd\" is required"));
		return;
	}
	rest = command;
	for (char *word; q.n_cmd < ARRAY_SIZE(words) && (word = strsep(&rest, " "));)
		words[q.n_cmd++] = word;
	q.container_id = (char *)id;
	q.cmd = words;
	call(x, RPC_EXEC_SYNC, &q.base, on_run);
}
