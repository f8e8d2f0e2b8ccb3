/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "connect_proxy.h"
#include "connect_reply.h"
#include "tunnel.h"
#include "websocket_conn.h"

#define ANSWER_MS 60000

struct tunnel {
	struct reply *reply;
	struct ws_offer offer;
	struct xb_stream *client, *server;
	struct xb_ws ws;
};

static void tunnel_free(void *arg)
{
	struct tunnel *t = arg;

	reply_free(t->reply);
	free(t);
}

/* The client is told, the kubelet sees its connection closed once it has all that came before. */
static void end(struct tunnel *t, enum xb_ws_code code)
{
	ws_close(t->client, code);
	xb_stream_leave(t->server);
	tunnel_free(t);
}

static int on_data(void *arg, enum xb_ws_opcode type, bool first, bool last, struct xb_sv bytes)
{
	struct tunnel *t = arg;

	if (type != XB_WS_BINARY)
		return -EBADMSG;
	xb_stream_write(t->server, bytes);
	return 0;
}

static int on_control(void *arg, enum xb_ws_opcode type, struct xb_sv payload)
{
	struct tunnel *t = arg;

	return ws_control(t->client, type, payload) ? -ECONNRESET : 0;
}

static const struct xb_ws_ops ws_ops = { on_data, on_control };

static void client_received(struct xb_stream *s, const char *bytes, size_t n)
{
	struct tunnel *t = xb_stream_arg(s);
	int r = n ? xb_ws_feed(&t->ws, bytes, n) : -ECONNRESET;

	if (r) {
		end(t, r == -EBADMSG ? XB_WS_PROTOCOL_ERROR : XB_WS_NORMAL);
		return;
	}
	if (xb_stream_pending(t->server) >= XB_STREAM_PENDING_MAX)
		xb_stream_pause(t->client, true);
}

static void client_drained(struct xb_stream *s)
{
	struct tunnel *t = xb_stream_arg(s);

	xb_stream_pause(t->server, false);
}

static void server_received(struct xb_stream *s, const char *bytes, size_t n)
{
	struct tunnel *t = xb_stream_arg(s);

	if (!n) {
		end(t, XB_WS_NORMAL);
		return;
	}
	ws_send(t->client, XB_WS_BINARY, XB_SV(""), (struct xb_sv){ bytes, n });
	if (xb_stream_pending(t->client) >= XB_STREAM_PENDING_MAX)
		xb_stream_pause(t->server, true);
}

static void server_drained(struct xb_stream *s)
{
	struct tunnel *t = xb_stream_arg(s);

	xb_stream_pause(t->client, false);
}

static void closed(struct xb_stream *s, int error)
{
	struct tunnel *t = xb_stream_arg(s);

	end(t, s == t->server ? XB_WS_INTERNAL_ERROR : XB_WS_GOING_AWAY);
}

static const struct xb_stream_ops client_ops = { .received = client_received, .drained = client_drained, .closed = closed };
static const struct xb_stream_ops server_ops = { .received = server_received, .drained = server_drained, .closed = closed };

static void failed(struct xb_http_request *r, const char *why, void *arg)
{
	struct tunnel *t = arg;

	reply_ops.failed(r, why, t->reply);
}

static void upgraded(struct xb_http_request *r, struct xb_upstream *u, void *arg)
{
	struct tunnel *t = arg;

	*t->reply->status = 101;
	if (ws_upgrade(r, &t->offer, &client_ops, t, &t->client)) {
		xb_upstream_free(u);
		failed(r, "the client's connection cannot be upgraded", t);
		tunnel_free(t);
		return;
	}
	xb_ws_init(&t->ws, &ws_ops, t);
	t->server = xb_upstream_take(u, &server_ops, t);
	xb_upstream_free(u);
}

static const struct xb_proxy_ops ops = { .failed = failed, .upgraded = upgraded, .free = tunnel_free };

int tunnel_serve(struct request *q, const struct xb_stream_target *target, const char *path)
{
	static const char *const known[] = { "SPDY/3.1+portforward.k8s.io", NULL };
	struct xb_proxy_request p = { .ops = &ops, .status = &q->answer_code };
	struct tunnel *t;
	struct ws_offer offer;
	int r = ws_offer_read(q, known, &offer);

	if (r)
		return r;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->offer = offer;
	t->reply = reply_new(REPLY_STREAM, q, NULL);
	if (!t->reply) {
		tunnel_free(t);
		return -ENOMEM;
	}
	p.arg = t;
	p.upstream = (struct xb_upstream_request){
		.target = *target, .method = "POST", .path = path, .upgrade = "SPDY/3.1", .answer_ms = ANSWER_MS,
		.fields = XB_SV("X-Stream-Protocol-Version: portforward.k8s.io\r\n"),
	};
	return connect_hand_on(q, &p);
}
