/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef TEST_PROBES_FIXTURE_H
#define TEST_PROBES_FIXTURE_H
/* What tests of probes/ share: a loop, a server on loopback that says what a table tells it to, and a runtime that runs nothing. */
#include "../spec/fixture.h"
#include "../../../../../userspace/kubelet/probes/attempt.h"
#include "xb/time.h"

/* --- a loop --- */
static uv_loop_t loop;

static inline bool wait_for(const bool *what, unsigned ms)
{
	int64_t until = xb_time_ms() + ms;
	static uv_timer_t tick;

	uv_timer_init(&loop, &tick); /* the loop turns, even if nothing else would make it */
	uv_timer_start(&tick, (uv_timer_cb)uv_stop, 5, 5);
	while (!*what && xb_time_ms() < until)
		uv_run(&loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&tick, NULL);
	uv_run(&loop, UV_RUN_NOWAIT);
	return *what;
}

/* --- a server --- */
struct answer {
	const char *path;
	const char *bytes;              /* PORT is the server's own; NULL: the connection is closed; "": it says nothing */
};
struct web_server {
	uv_tcp_t listener;
	uint16_t port;
	const struct answer *answers;
	unsigned accepted;
	struct server_peer *peers;
	char last[1024];                /* the head of the last request */
};
struct server_peer {
	uv_tcp_t tcp;
	struct web_server *s;
	struct server_peer *next;
	struct xb_buf in, out;
	uv_write_t write;
	bool closing;
};

static inline void server_peer_gone(uv_handle_t *h)
{
	struct server_peer *p = h->data;

	xb_buf_done(&p->in);
	xb_buf_done(&p->out);
	free(p);
}

static inline void server_peer_close(struct server_peer *p)
{
	struct server_peer **at = &p->s->peers;

	if (p->closing)
		return;
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	p->closing = true;
	uv_close((uv_handle_t *)&p->tcp, server_peer_gone);
}

static inline void server_written(uv_write_t *w, int status)
{
}

static inline void server_send(struct server_peer *p)
{
	uv_buf_t buf = uv_buf_init(p->out.p, p->out.n);

	uv_write(&p->write, (uv_stream_t *)&p->tcp, &buf, 1, server_written);
}

static inline void server_answer(struct server_peer *p)
{
	const char *target = strchr(p->in.p, ' ') + 1, *text = NULL;
	char port[8];

	snprintf(p->s->last, sizeof(p->s->last), "%.*s", (int)p->in.n, p->in.p);
	snprintf(port, sizeof(port), "%u", p->s->port);
	for (const struct answer *a = p->s->answers; a->path; a++)
		if (!strncmp(target, a->path, strlen(a->path)) && strchr(" ?", target[strlen(a->path)]))
			text = a->bytes;
	for (const char *at; text && (at = strstr(text, "PORT")); text = at + 4) {
		xb_buf_add(&p->out, text, at - text);
		xb_buf_adds(&p->out, port);
	}
	if (text)
		xb_buf_adds(&p->out, text);
	if (!text)
		server_peer_close(p);
	else if (p->out.n)
		server_send(p);
}

static inline void server_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct server_peer *p = stream->data;

	if (n < 0) {
		server_peer_close(p);
		return;
	}
	p->in.n += n;
	if (p->in.n && p->in.cap > p->in.n)
		p->in.p[p->in.n] = '\0';
	if (p->in.n && *p->in.p == 0x16 && !p->out.n) { /* a TLS handshake, to a server that knows of none */
		xb_buf_adds(&p->out, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
		server_send(p);
	} else if (p->in.p && strstr(p->in.p, "\r\n\r\n") && !p->out.n) {
		server_answer(p);
	}
}

static inline void server_room(uv_handle_t *h, size_t suggested, uv_buf_t *ret)
{
	struct server_peer *p = h->data;

	xb_buf_reserve(&p->in, 2048);
	*ret = uv_buf_init(p->in.p + p->in.n, 1024);
}

static inline void server_accept(uv_stream_t *listener, int status)
{
	struct web_server *s = listener->data;
	struct server_peer *p = calloc(1, sizeof(*p));

	uv_tcp_init(&loop, &p->tcp);
	p->tcp.data = p;
	p->s = s;
	assert_int_equal(uv_accept(listener, (uv_stream_t *)&p->tcp), 0);
	p->next = s->peers;
	s->peers = p;
	s->accepted++;
	uv_read_start((uv_stream_t *)&p->tcp, server_room, server_read);
}

static inline void server_open(struct web_server *s, const struct answer *answers)
{
	struct sockaddr_in addr;
	int n = sizeof(addr);

	*s = (struct web_server){ .answers = answers };
	uv_ip4_addr("127.0.0.1", 0, &addr);
	uv_tcp_init(&loop, &s->listener);
	s->listener.data = s;
	assert_int_equal(uv_tcp_bind(&s->listener, (struct sockaddr *)&addr, 0), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&s->listener, 64, server_accept), 0);
	uv_tcp_getsockname(&s->listener, (struct sockaddr *)&addr, &n);
	s->port = ntohs(addr.sin_port);
}

static inline void server_close(struct web_server *s)
{
	while (s->peers)
		server_peer_close(s->peers);
	uv_close((uv_handle_t *)&s->listener, NULL);
	uv_run(&loop, UV_RUN_NOWAIT);
}

/* A port of loopback where nobody listens. */
static inline uint16_t closed_port(void)
{
	struct web_server s;

	server_open(&s, NULL);
	server_close(&s);
	return s.port;
}

/* --- a runtime: each command is answered in the loop's next turn by what runtime_says --- */
struct runtime_call {
	uv_timer_t timer;
	runtime_done done;
	void *arg;
};
static struct {
	int code;
	const char *message;
	const char *out, *err;
	int exit_code;
	unsigned calls, cancelled, after_ms;
	char command[256];              /* the last: "container: words (timeout)" */
} runtime_says;

static inline void runtime_call_gone(uv_handle_t *h)
{
	free(h->data);
}

static inline void runtime_answer(uv_timer_t *t)
{
	struct runtime_call *call = t->data;
	Runtime__V1__ExecSyncResponse reply = RUNTIME__V1__EXEC_SYNC_RESPONSE__INIT;

	reply.stdout = (ProtobufCBinaryData){ strlen(runtime_says.out ?: ""), (uint8_t *)runtime_says.out };
	reply.stderr = (ProtobufCBinaryData){ strlen(runtime_says.err ?: ""), (uint8_t *)runtime_says.err };
	reply.exit_code = runtime_says.exit_code;
	uv_close((uv_handle_t *)t, runtime_call_gone);
	call->done(call->arg, runtime_says.code, runtime_says.message ?: "", runtime_says.code ? NULL : &reply.base);
}

int runtime_call(struct runtime *rt, enum runtime_rpc rpc, const ProtobufCMessage *request, unsigned timeout_ms, runtime_done done,
		 void *arg, struct runtime_call **ret_call)
{
	const Runtime__V1__ExecSyncRequest *q = (const Runtime__V1__ExecSyncRequest *)request;
	struct runtime_call *call = calloc(1, sizeof(*call));
	_cleanup_buf_ struct xb_buf line = {};

	assert_int_equal(rpc, RPC_EXEC_SYNC);
	xb_buf_addf(&line, "%s: ", q->container_id);
	add_list(&line, q->cmd, q->n_cmd);
	xb_buf_addf(&line, " (%lld)", (long long)q->timeout);
	snprintf(runtime_says.command, sizeof(runtime_says.command), "%s", line.p);
	runtime_says.calls++;
	uv_timer_init(&loop, &call->timer);
	call->timer.data = call;
	call->done = done;
	call->arg = arg;
	uv_timer_start(&call->timer, runtime_answer, runtime_says.after_ms, 0);
	*ret_call = call;
	return 0;
}

void runtime_cancel(struct runtime_call *call)
{
	if (!call)
		return;
	runtime_says.cancelled++;
	uv_close((uv_handle_t *)&call->timer, runtime_call_gone);
}

/* --- one attempt --- */
struct tried {
	bool over;
	enum attempt_outcome outcome;
	struct xb_buf text, error, output;
};

static inline void on_tried(void *arg, const struct attempt_result *result)
{
	struct tried *t = arg;

	t->over = true;
	t->outcome = result->outcome;
	xb_buf_adds(&t->text, result->text);
	xb_buf_adds(&t->error, result->error ?: "");
	xb_buf_adds(&t->output, result->output ?: "");
}

static inline void tried_done(struct tried *t)
{
	xb_buf_done(&t->text);
	xb_buf_done(&t->error);
	xb_buf_done(&t->output);
}
#define _cleanup_tried_ _cleanup_(tried_done)

/* container: of the handler's container; port stands where the handler says 'PORT'. */
static inline void try(struct web *web, const char *container, const char *handler, uint16_t port, unsigned timeout_ms, bool hook,
		       struct tried *ret)
{
	struct attempt_tools tools = { .loop = &loop, .web = web, .user_agent = "kube-probe/1.33" };
	_cleanup_buf_ struct xb_buf text = {};
	_cleanup_(xb_json_unrefp) struct xb_json *c = parse(container), *h = NULL;
	_cleanup_free_ char *why = NULL;
	struct attempt *a;
	const char *at = strstr(handler, "'PORT'");
	int r;

	xb_buf_addf(&text, at ? "%.*s%u%s" : "%.*s%.0u%s", at ? (int)(at - handler) : (int)strlen(handler), handler, port, at ? at + 6 : "");
	h = parse(text.p);
	*ret = (struct tried){};
	uv_update_time(&loop);
	r = attempt_start(&tools, &(struct attempt_request){ .container = xb_json_root(c), .handler = xb_json_root(h), .container_id = "c0ffee",
			  .pod_ip = "127.0.0.1", .timeout_ms = timeout_ms, .hook = hook }, on_tried, ret, &a, &why);
	if (r == -EINVAL)
		on_tried(ret, &(struct attempt_result){ .outcome = ATTEMPT_ERROR, .text = why });
	else if (r)
		fail_msg("%s: %d", handler, r);
	else if (!wait_for(&ret->over, 3000))
		fail_msg("%s: no answer", handler);
}

#endif
