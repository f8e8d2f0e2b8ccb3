/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "grpc_conn.h"

#define MESSAGE_BYTES (16 << 20)

static void call_free(struct xb_grpc_call *call)
{
	grpc_ending_done(&call->ending);
	xb_buf_done(&call->in);
	xb_buf_done(&call->out);
	free(call);
}

/* From now on nothing leads to it but who holds it. */
static void call_unlink(struct xb_grpc_call *call)
{
	TAILQ_REMOVE(&call->g->calls, call, link);
	if (call->in_news)
		TAILQ_REMOVE(&call->g->news, call, news_link);
	call->in_news = false;
	call->gone = true;
}

void grpc_call_news(struct xb_grpc_call *call)
{
	if (call->in_news)
		return;
	call->in_news = true;
	TAILQ_INSERT_TAIL(&call->g->news, call, news_link);
}

static void on_timer(uv_timer_t *timer);

/* At the channel's next deadline, or in the loop's next turn when something waits to be told. */
static void rearm(struct xb_grpc *g, uint64_t deadline)
{
	uint64_t now = uv_now(g->loop), due = TAILQ_EMPTY(&g->news) ? deadline : now;

	if (g->closed || !due || (uv_is_active((uv_handle_t *)&g->timer) && g->due <= due))
		return;
	g->due = due;
	uv_timer_start(&g->timer, on_timer, due > now ? due - now : 0, 0);
}

void grpc_call_end(struct xb_grpc_call *call, uint32_t h2_code)
{
	grpc_ending_settle(&call->ending, h2_code);
	call->ended = true;
	grpc_conn_drop(call);
	grpc_call_news(call);
}

void grpc_call_fail(struct xb_grpc_call *call, int code, const char *fmt, ...)
{
	char why[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	grpc_ending_set(&call->ending, code, "%s", why);
	grpc_conn_drop(call);
	call->ended = true;
	grpc_call_news(call);
}

/* A unary call's one message stays where it is until the end. */
static void check_reply(struct xb_grpc_call *call, struct xb_sv message)
{
	if (call->in.n > GRPC_PREFIX_BYTES + message.n)
		grpc_call_fail(call, XB_GRPC_INTERNAL, "cardinality violation: expected <EOF> for non server-streaming RPCs, "
						       "but received another message");
}

static void take_messages(struct xb_grpc_call *call)
{
	size_t limit = call->g->limit, bytes = 0, at = 0;
	struct xb_sv message;
	int r = 0;

	while (!call->gone && !call->in.err && call->in.n > at) {
		r = grpc_wire_get((struct xb_sv){ call->in.p + at, call->in.n - at }, limit, &message, &bytes);
		if (r <= 0)
			break;
		if (!call->on_message) {
			check_reply(call, message);
			return;
		}
		at += GRPC_PREFIX_BYTES + message.n;
		call->on_message(call->arg, message);
	}
	if (call->gone)
		return;
	if (call->in.err)
		grpc_call_fail(call, XB_GRPC_RESOURCE_EXHAUSTED, "grpc: out of memory");
	else if (r == -EMSGSIZE)
		grpc_call_fail(call, XB_GRPC_RESOURCE_EXHAUSTED, "grpc: received message larger than max (%zu vs. %zu)", bytes, limit);
	else if (r < 0)
		grpc_call_fail(call, XB_GRPC_INTERNAL, "grpc: received a compressed message, which was not offered");
	call->in.n -= at;
	if (!call->in.n)
		xb_buf_done(&call->in);
	else if (at)
		memmove(call->in.p, call->in.p + at, call->in.n);
}

static void conclude(struct xb_grpc_call *call)
{
	struct xb_sv reply = {};
	size_t bytes;

	if (call->ending.code == XB_GRPC_OK && call->on_message && call->in.n)
		grpc_ending_set(&call->ending, XB_GRPC_INTERNAL, "unexpected EOF");
	if (call->ending.code == XB_GRPC_OK && !call->on_message &&
	    grpc_wire_get(xb_buf_sv(&call->in), call->g->limit, &reply, &bytes) != 1)
		grpc_ending_set(&call->ending, XB_GRPC_INTERNAL,
				"cardinality violation: received no response message from non-server-streaming RPC");
	call_unlink(call);
	call->done(call->arg, call->ending.code, call->ending.why ? call->ending.why : "",
		   call->ending.code == XB_GRPC_OK ? reply : (struct xb_sv){});
}

void grpc_tell(struct xb_grpc *g)
{
	struct xb_grpc_call *call;

	while (!g->closed && (call = TAILQ_FIRST(&g->news))) {
		TAILQ_REMOVE(&g->news, call, news_link);
		call->in_news = false;
		call->busy = true;
		take_messages(call);
		if (call->ended && !call->gone)
			conclude(call);
		call->busy = false;
		if (call->gone)
			call_free(call);
	}
	if (!g->closed && TAILQ_EMPTY(&g->calls))
		uv_timer_stop(&g->timer);
}

static void on_timer(uv_timer_t *timer)
{
	struct xb_grpc *g = timer->data;
	uint64_t now = uv_now(g->loop), soonest = 0;
	struct xb_grpc_call *call;
	struct grpc_conn *c, *next;

	TAILQ_FOREACH(call, &g->calls, link) {
		if (call->ended || !call->deadline)
			continue;
		if (call->deadline <= now)
			grpc_call_fail(call, XB_GRPC_DEADLINE_EXCEEDED, "context deadline exceeded");
		else if (!soonest || call->deadline < soonest)
			soonest = call->deadline;
	}
	for (c = LIST_FIRST(&g->conns); c; c = next) {
		next = LIST_NEXT(c, link);
		grpc_conn_flush(c);
	}
	grpc_tell(g);
	rearm(g, soonest);
}

static bool parse_ip(const char *target, struct sockaddr_storage *ret)
{
	const char *colon = strrchr(target, ':');
	char host[64];
	uint64_t port;
	size_t n = colon ? colon - target : 0;
	bool v6 = n > 2 && target[0] == '[' && colon[-1] == ']';

	if (!colon || xb_sv_u64(xb_sv(colon + 1), &port) || !port || port > 65535 || n >= sizeof(host))
		return false;
	memcpy(host, target + v6, n - 2 * v6);
	host[n - 2 * v6] = '\0';
	return v6 ? !uv_ip6_addr(host, port, (struct sockaddr_in6 *)ret) : !uv_ip4_addr(host, port, (struct sockaddr_in *)ret);
}

static int parse_target(struct xb_grpc *g, const char *target)
{
	if (xb_sv_starts(xb_sv(target), "unix://"))
		target += strlen("unix://");
	g->target = strdup(target);
	if (!g->target)
		return -ENOMEM;
	if (target[0] != '/')
		return parse_ip(target, &g->to.ip) ? 0 : -EINVAL;
	if (strlen(target) >= sizeof(g->to.path.sun_path))
		return -ENAMETOOLONG;
	g->to.path.sun_family = AF_UNIX;
	memcpy(g->to.path.sun_path, target, strlen(target) + 1);
	return 0;
}

static void channel_free(struct xb_grpc *g)
{
	free(g->target);
	free(g->user_agent);
	free(g);
}

int xb_grpc_new(const struct xb_grpc_config *config, struct xb_grpc **ret)
{
	struct xb_grpc *g = calloc(1, sizeof(*g));
	int r;

	if (!g)
		return -ENOMEM;
	g->loop = config->loop;
	g->limit = config->max_message_bytes ? config->max_message_bytes : MESSAGE_BYTES;
	g->user_agent = strdup(config->user_agent);
	r = g->user_agent ? parse_target(g, config->target) : -ENOMEM;
	if (r == 0)
		r = uv_timer_init(g->loop, &g->timer);
	if (r < 0) {
		channel_free(g);
		return r;
	}
	g->timer.data = g;
	LIST_INIT(&g->conns);
	TAILQ_INIT(&g->calls);
	TAILQ_INIT(&g->news);
	*ret = g;
	return 0;
}

static void on_closed(uv_handle_t *timer)
{
	channel_free(timer->data);
}

static void call_discard(struct xb_grpc_call *call)
{
	call_unlink(call);
	if (!call->busy)
		call_free(call);
}

struct xb_grpc *xb_grpc_free(struct xb_grpc *g)
{
	if (!g)
		return NULL;
	g->closed = true;
	while (!TAILQ_EMPTY(&g->calls))
		call_discard(TAILQ_FIRST(&g->calls));
	while (!LIST_EMPTY(&g->conns))
		grpc_conn_close(LIST_FIRST(&g->conns));
	uv_close((uv_handle_t *)&g->timer, on_closed);
	return NULL;
}

static int start(struct xb_grpc *g, const struct xb_grpc_request *q, xb_grpc_message message, xb_grpc_done done, void *arg,
		 struct xb_grpc_call **ret_call)
{
	struct xb_grpc_call *call = calloc(1, sizeof(*call));
	struct grpc_conn *c;
	int r;

	if (!call)
		return -ENOMEM;
	*call = (struct xb_grpc_call){ .g = g, .open = q->open, .ending.code = -1, .on_message = message, .done = done, .arg = arg };
	if (q->timeout_ms)
		call->deadline = uv_now(g->loop) + q->timeout_ms;
	if (!q->open)
		grpc_wire_put(&call->out, q->message);
	TAILQ_INSERT_TAIL(&g->calls, call, link);
	r = call->out.err ? call->out.err : grpc_conn_get(g, &c);
	if (r == 0)
		r = grpc_conn_start(c, call, q);
	if (r < 0) {
		call_discard(call);
		return r;
	}
	rearm(g, call->deadline);
	if (ret_call)
		*ret_call = call;
	return 0;
}

int xb_grpc_unary(struct xb_grpc *g, const struct xb_grpc_request *q, xb_grpc_done done, void *arg, struct xb_grpc_call **ret_call)
{
	return start(g, q, NULL, done, arg, ret_call);
}

int xb_grpc_stream(struct xb_grpc *g, const struct xb_grpc_request *q, xb_grpc_message message, xb_grpc_done done, void *arg,
		   struct xb_grpc_call **ret_call)
{
	return start(g, q, message, done, arg, ret_call);
}

/* What the caller added goes out. */
static void push(struct xb_grpc_call *call)
{
	nghttp2_session_resume_data(call->conn->session, call->id);
	grpc_conn_flush(call->conn);
	rearm(call->g, 0);
}

int xb_grpc_write(struct xb_grpc_call *call, struct xb_sv message)
{
	if (!call->conn)
		return 0;
	if (call->sent > call->out.n / 2) {
		call->out.n -= call->sent;
		memmove(call->out.p, call->out.p + call->sent, call->out.n);
		call->sent = 0;
	}
	if (xb_buf_reserve(&call->out, GRPC_PREFIX_BYTES + message.n)) {
		call->out.err = 0; /* nothing of it was taken */
		return -ENOMEM;
	}
	grpc_wire_put(&call->out, message);
	push(call);
	return 0;
}

void xb_grpc_end(struct xb_grpc_call *call)
{
	call->open = false;
	if (call->conn)
		push(call);
}

size_t xb_grpc_unsent(const struct xb_grpc_call *call)
{
	return call->out.n - call->sent;
}

void xb_grpc_cancel(struct xb_grpc_call *call)
{
	struct grpc_conn *c;
	struct xb_grpc *g;

	if (!call)
		return;
	c = call->conn;
	g = call->g;
	grpc_conn_drop(call);
	call_discard(call);
	if (c)
		grpc_conn_flush(c);
	rearm(g, 0);
}
