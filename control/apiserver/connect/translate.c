/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <sys/uio.h>
#include "channel.h"
#include "connect_pod.h"
#include "connect_reply.h"
#include "translate.h"
#include "websocket_conn.h"
#include "xb/spdy.h"
#include "xb/upstream.h"

#define ANSWER_MS 60000
#define VERDICT_BYTES 65536     /* of how it ended, or why not */

struct translation {
	struct xb_stream *client, *server; /* server: NULL until the kubelet has upgraded */
	struct xb_upstream *u;          /* until then */
	struct ws_offer offer;
	bool base64;
	bool wanted[N_CHANNELS];
	bool ended[N_CHANNELS];         /* the kubelet has said all there; of CHANNEL_STDIN, the client has */
	struct xb_ws ws;
	struct channel_reader reader;
	struct xb_spdy spdy;
	struct xb_buf verdict;          /* what the kubelet says on its stream "error", or in place of upgrading */
	int refused;                    /* that status */
	char *method_url;               /* Post "https://..." */
	int *status;
};

static void translation_free(struct translation *t)
{
	xb_upstream_free(t->u);
	xb_buf_done(&t->verdict);
	free(t->method_url);
	free(t);
}

/* --- how it ends --- */

static void leave(struct translation *t, enum xb_ws_code code)
{
	ws_close(t->client, code);
	if (t->server)
		xb_stream_leave(t->server);
	translation_free(t);
}

/* json: a Status. The first version has words there, and only when something went wrong. */
static void say_verdict(struct translation *t, struct xb_sv json, const char *words)
{
	if (channel_has_status(t->offer.protocol))
		channel_write(t->client, t->base64, CHANNEL_ERROR, json);
	else if (words)
		channel_write(t->client, t->base64, CHANNEL_ERROR, xb_sv(words));
}

/* Upstream's NewInternalError of what its client of SPDY says. */
static void fail(struct translation *t, const char *what, struct xb_sv why)
{
	_cleanup_status_ struct xb_status s = {};
	_cleanup_buf_ struct xb_buf json = {};

	xb_status_set(&s, 500, "InternalError", "Internal error occurred: %s%.*s", what, XB_SV_ARG(why));
	xb_status_cause(&s, "", xb_sv(strstr(s.message, ": ") + 2), (struct xb_sv){});
	xb_status_write(&s, &json);
	say_verdict(t, xb_buf_sv(&json), s.message);
	leave(t, XB_WS_NORMAL);
}

static void finish(struct translation *t)
{
	static const char success[] = "{\"metadata\":{},\"status\":\"Success\"}";
	_cleanup_(xb_json_unrefp) struct xb_json *status = NULL;
	_cleanup_free_ char *words = NULL;

	if (t->verdict.n && !xb_json_parse(xb_buf_sv(&t->verdict), NULL, &status, NULL) &&
	    !xb_jv_streq(xb_jv_get(xb_json_root(status), "status"), XB_SV("Success")))
		words = xb_jv_dup(xb_jv_get(xb_json_root(status), "message"));
	say_verdict(t, t->verdict.n ? xb_buf_sv(&t->verdict) : XB_SV(success), words);
	leave(t, XB_WS_NORMAL);
}

/* --- from the kubelet --- */

/* Streams are opened in this order, with odd numbers from 1: the kubelet waits for all that it was asked for. */
static const enum channel order[N_CHANNELS] = { CHANNEL_ERROR, CHANNEL_STDIN, CHANNEL_STDOUT, CHANNEL_STDERR, CHANNEL_RESIZE };
static const char *const stream_types[N_CHANNELS] = { "stdin", "stdout", "stderr", "error", "resize" };

static uint32_t stream_of(enum channel c)
{
	for (uint32_t i = 0; i < N_CHANNELS; i++)
		if (order[i] == c)
			return 2 * i + 1;
	return 0;
}

/* N_CHANNELS: none of ours. */
static enum channel channel_of(const struct translation *t, uint32_t stream)
{
	uint32_t i = stream / 2;

	return stream & 1 && i < N_CHANNELS && t->wanted[order[i]] ? order[i] : N_CHANNELS;
}

static int on_data(void *arg, uint32_t stream, struct xb_sv bytes)
{
	struct translation *t = arg;
	enum channel c = channel_of(t, stream);

	if (c == CHANNEL_STDOUT || c == CHANNEL_STDERR)
		channel_write(t->client, t->base64, c, bytes);
	else if (c == CHANNEL_ERROR)
		xb_buf_add(&t->verdict, bytes.p, MIN(bytes.n, VERDICT_BYTES - t->verdict.n));
	return 0;
}

static int on_ended(void *arg, uint32_t stream)
{
	struct translation *t = arg;
	enum channel c = channel_of(t, stream);

	if (c < N_CHANNELS && c != CHANNEL_STDIN)
		t->ended[c] = true;
	return 0;
}

static int on_reset(void *arg, uint32_t stream, uint32_t status)
{
	return on_ended(arg, stream);
}

static int on_ping(void *arg, uint32_t id)
{
	struct translation *t = arg;
	_cleanup_buf_ struct xb_buf frame = {};

	xb_spdy_ping(id, &frame);
	if (!(id & 1))
		xb_stream_write(t->server, xb_buf_sv(&frame));
	return 0;
}

static int on_opened(void *arg, uint32_t stream)
{
	struct translation *t = arg;
	_cleanup_buf_ struct xb_buf frame = {};

	xb_spdy_reset(stream, XB_SPDY_REFUSED, &frame);
	xb_stream_write(t->server, xb_buf_sv(&frame));
	return 0;
}

static int on_replied(void *arg, uint32_t stream)
{
	return 0;
}

static int on_goaway(void *arg)
{
	return 0;
}

static const struct xb_spdy_ops spdy_ops = { on_data, on_replied, on_ended, on_reset, on_ping, on_opened, on_goaway };

static bool all_said(const struct translation *t)
{
	static const enum channel from_kubelet[] = { CHANNEL_STDOUT, CHANNEL_STDERR, CHANNEL_ERROR };

	for (size_t i = 0; i < ARRAY_SIZE(from_kubelet); i++)
		if (t->wanted[from_kubelet[i]] && !t->ended[from_kubelet[i]])
			return false;
	return true;
}

static void server_received(struct xb_stream *s, const char *bytes, size_t n)
{
	struct translation *t = xb_stream_arg(s);
	int r = n ? xb_spdy_feed(&t->spdy, bytes, n) : 0;

	if (r)
		fail(t, "", XB_SV("the kubelet does not speak SPDY/3.1"));
	else if (all_said(t) || (!n && t->verdict.n))
		finish(t);
	else if (!n)
		fail(t, "error reading from error stream: ", XB_SV("unexpected EOF"));
	else if (xb_stream_pending(t->client) >= XB_STREAM_PENDING_MAX)
		xb_stream_pause(s, true);
}

static void server_drained(struct xb_stream *s)
{
	struct translation *t = xb_stream_arg(s);

	xb_stream_pause(t->client, false);
}

static void server_closed(struct xb_stream *s, int error)
{
	struct translation *t = xb_stream_arg(s);

	fail(t, "error reading from error stream: ", xb_sv(xb_stream_why(s)));
}

static const struct xb_stream_ops server_ops = { .received = server_received, .drained = server_drained, .closed = server_closed };

/* --- from the client --- */

static void send_frame(struct translation *t, enum channel c, bool fin, struct xb_sv bytes)
{
	char head[XB_SPDY_HEAD];
	struct iovec iov[2] = { { head, sizeof(head) }, { (char *)bytes.p, bytes.n } };

	xb_spdy_data_head(head, stream_of(c), fin, bytes.n);
	xb_stream_writev(t->server, iov, bytes.n ? 2 : 1);
}

static int take(void *arg, unsigned channel, struct xb_sv bytes)
{
	struct translation *t = arg;
	bool close = channel == CHANNEL_CLOSE && channel_has_close(t->offer.protocol);
	enum channel c = close ? (enum channel)((unsigned char)*bytes.p - (t->base64 ? '0' : 0)) : (enum channel)channel;

	if ((c != CHANNEL_STDIN && c != CHANNEL_RESIZE) || !t->wanted[c] || t->ended[c])
		return 0;
	t->ended[c] = close;
	send_frame(t, c, close, close ? (struct xb_sv){} : bytes);
	return 0;
}

static int on_message(void *arg, enum xb_ws_opcode type, bool first, bool last, struct xb_sv bytes)
{
	struct translation *t = arg;

	return channel_read(&t->reader, type, first, last, bytes);
}

static int on_control(void *arg, enum xb_ws_opcode type, struct xb_sv payload)
{
	struct translation *t = arg;

	return ws_control(t->client, type, payload) ? -ECONNRESET : 0;
}

static const struct xb_ws_ops ws_ops = { on_message, on_control };

static void client_received(struct xb_stream *s, const char *bytes, size_t n)
{
	struct translation *t = xb_stream_arg(s);
	int r = n ? xb_ws_feed(&t->ws, bytes, n) : -ECONNRESET;

	if (r)
		leave(t, r == -EBADMSG ? XB_WS_PROTOCOL_ERROR : XB_WS_NORMAL);
	else if (xb_stream_pending(t->server) >= XB_STREAM_PENDING_MAX)
		xb_stream_pause(s, true);
}

static void client_drained(struct xb_stream *s)
{
	struct translation *t = xb_stream_arg(s);

	if (t->server)
		xb_stream_pause(t->server, false);
}

static void client_closed(struct xb_stream *s, int error)
{
	leave(xb_stream_arg(s), XB_WS_GOING_AWAY);
}

static const struct xb_stream_ops client_ops = { .received = client_received, .drained = client_drained, .closed = client_closed };

/* --- the beginning --- */

static int open_streams(struct translation *t)
{
	_cleanup_buf_ struct xb_buf frames = {};
	int r = xb_spdy_init(&t->spdy, &spdy_ops, t);

	for (size_t i = 0; i < N_CHANNELS && !r; i++)
		if (t->wanted[order[i]])
			r = xb_spdy_open(&t->spdy, stream_of(order[i]), (const char *const[]){ "streamtype", stream_types[order[i]], NULL },
					 &frames);
	if (!r)
		xb_stream_write(t->server, xb_buf_sv(&frames));
	xb_spdy_done(&t->spdy);
	return r;
}

/*
 * The first channel that can be written is told to be there by an empty message, as upstream does; but not before the kubelet is: a
 * kubectl 1.32 that hears of it within a millisecond complains of a channel that it does not know yet.
 */
static void greet(struct translation *t)
{
	enum channel c = t->wanted[CHANNEL_STDOUT] ? CHANNEL_STDOUT : t->wanted[CHANNEL_STDERR] ? CHANNEL_STDERR : CHANNEL_ERROR;

	channel_write(t->client, t->base64, c, (struct xb_sv){});
}

static void head(struct xb_upstream *u, int status)
{
	struct translation *t = xb_upstream_arg(u);
	int r;

	if (status != 101) {
		t->refused = status;
		return;
	}
	if (!xb_sv_is(xb_upstream_field(u, "X-Stream-Protocol-Version"), "v4.channel.k8s.io")) {
		fail(t, "", XB_SV("the kubelet does not speak v4.channel.k8s.io"));
		return;
	}
	t->server = xb_upstream_take(u, &server_ops, t);
	t->u = xb_upstream_free(t->u);
	r = open_streams(t);
	if (r) {
		fail(t, "", xb_sv(strerror(-r)));
		return;
	}
	greet(t);
	xb_stream_pause(t->client, false);
}

static void body(struct xb_upstream *u, struct xb_sv bytes)
{
	struct translation *t = xb_upstream_arg(u);

	xb_buf_add(&t->verdict, bytes.p, MIN(bytes.n, VERDICT_BYTES - t->verdict.n));
}

/* A Status is handed on as it is, anything else is the text of an error. */
static void refuse(struct translation *t)
{
	_cleanup_(xb_json_unrefp) struct xb_json *status = NULL;

	if (!xb_json_parse(xb_buf_sv(&t->verdict), NULL, &status, NULL) &&
	    xb_jv_streq(xb_jv_get(xb_json_root(status), "kind"), XB_SV("Status"))) {
		finish(t);
		return;
	}
	fail(t, "unable to upgrade connection: ", xb_sv_trim(xb_buf_sv(&t->verdict)));
}

static void done(struct xb_upstream *u, int error)
{
	struct translation *t = xb_upstream_arg(u);
	_cleanup_buf_ struct xb_buf why = {};

	if (t->refused) {
		refuse(t);
		return;
	}
	xb_buf_addf(&why, "%s: %s", t->method_url, xb_upstream_why(u));
	fail(t, "error sending request: ", xb_buf_sv(&why));
}

static const struct xb_upstream_ops upstream_ops = { head, body, done };

static void refuse_client(struct xb_http_request *r, struct translation *t, int error)
{
	struct xb_status s = {};

	xb_status_set(&s, 500, "InternalError", "Internal error occurred: %s", strerror(-error));
	reply_status(r, &s, t->status);
	translation_free(t);
}

static void serve(struct xb_http_request *r, uv_loop_t *loop, void *arg)
{
	struct translation *t = arg;
	int error = ws_upgrade(r, &t->offer, &client_ops, t, &t->client);

	if (error) {
		refuse_client(r, t, error);
		return;
	}
	*t->status = 101;
	xb_ws_init(&t->ws, &ws_ops, t);
	xb_stream_pause(t->client, true);
	error = xb_upstream_start(t->u, loop);
	if (error)
		fail(t, "", xb_sv(strerror(-error)));
}

static int prepare(struct request *q, const struct xb_stream_target *target, const char *path, struct translation *t)
{
	const struct xb_upstream_request u = {
		.target = *target, .method = "POST", .path = path, .upgrade = "SPDY/3.1", .answer_ms = ANSWER_MS,
		.fields = XB_SV("X-Stream-Protocol-Version: v4.channel.k8s.io\r\n"),
	};

	t->base64 = channel_is_base64(t->offer.protocol);
	t->reader = (struct channel_reader){ .take = take, .arg = t, .base64 = t->base64 };
	t->wanted[CHANNEL_STDIN] = pod_query_true(q, "stdin");
	t->wanted[CHANNEL_STDOUT] = pod_query_true(q, "stdout");
	t->wanted[CHANNEL_RESIZE] = pod_query_true(q, "tty");
	t->wanted[CHANNEL_STDERR] = pod_query_true(q, "stderr") && !t->wanted[CHANNEL_RESIZE];
	t->wanted[CHANNEL_ERROR] = true;
	t->status = &q->answer_code;
	if (asprintf(&t->method_url, strchr(target->host, ':') ? "Post \"https://[%s]:%d%s\"" : "Post \"https://%s:%d%s\"", target->host,
		     target->port, path) < 0) {
		t->method_url = NULL;
		return -ENOMEM;
	}
	return xb_upstream_new(&u, &upstream_ops, t, &t->u);
}

int translate_serve(struct request *q, const struct xb_stream_target *target, const char *path)
{
	struct ws_offer offer;
	struct translation *t;
	int r = ws_offer_read(q, channel_protocols, &offer);

	if (r)
		return r;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->offer = offer;
	r = prepare(q, target, path, t);
	if (r) {
		translation_free(t);
		return r;
	}
	xb_http_move(request_hand_on(q), serve, t);
	return 0;
}
