/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <strings.h>
#include "xb/http1.h"
#include "xb/upstream.h"

#define HEAD_BYTES (64 << 10)
#define FIELDS_MAX 128

struct xb_upstream {
	struct xb_stream *stream;       /* NULL once it was taken */
	const struct xb_upstream_ops *ops;
	void *arg;
	struct xb_http1 parser;
	struct xb_buf request;          /* until it is written */
	struct xb_stream_target target; /* its host is ours */
	char *host, *upgrade;
	unsigned answer_ms;
	const char *why;                /* static; NULL: the stream knows */
	bool headed, over;              /* head was called; done was, or there is nothing to say any more */
	bool busy, freed;               /* a callback is on the stack; it goes after that */
};

static const struct xb_http1_limits limits = { .head_bytes = HEAD_BYTES, .body_bytes = UINT64_MAX / 2, .fields = FIELDS_MAX };

static void destroy(struct xb_upstream *u)
{
	xb_stream_free(u->stream);
	xb_http1_done(&u->parser);
	xb_buf_done(&u->request);
	free(u->host);
	free(u->upgrade);
	free(u);
}

struct xb_upstream *xb_upstream_free(struct xb_upstream *u)
{
	if (!u)
		return NULL;
	u->freed = u->over = true;
	if (!u->busy)
		destroy(u);
	return NULL;
}

static void finish(struct xb_upstream *u, int error, const char *why)
{
	if (u->over)
		return;
	u->over = true;
	u->why = why;
	u->ops->done(u, error);
}

static bool switches_as_asked(const struct xb_upstream *u)
{
	struct xb_sv protocol = xb_upstream_field(u, "Upgrade");

	return u->upgrade && protocol.n == strlen(u->upgrade) && !strncasecmp(protocol.p, u->upgrade, protocol.n);
}

static void tell_head(struct xb_upstream *u)
{
	if (u->parser.status == 101 && !switches_as_asked(u)) {
		finish(u, -EBADMSG, "malformed HTTP response: it changes to a protocol that was not asked for");
		return;
	}
	u->headed = true;
	xb_stream_deadline(u->stream, 0);
	u->ops->head(u, u->parser.status);
}

/* A feed takes no more than one message; after 101 the rest is not HTTP. */
static void take_bytes(struct xb_upstream *u, const char *bytes, size_t n)
{
	size_t used;
	int r = xb_http1_feed(&u->parser, bytes, n, &used);

	if (r < 0) {
		finish(u, r, r == -EBADMSG ? u->parser.fault : NULL);
		return;
	}
	if (!u->headed && (r || xb_http1_in_body(&u->parser))) {
		if (u->parser.status == 101 && xb_stream_unread(u->stream, (struct xb_sv){ bytes + used, n - used }))
			finish(u, -ENOMEM, NULL);
		else
			tell_head(u);
	}
	if (!u->over && u->stream && u->parser.body.n)
		u->ops->body(u, xb_buf_sv(&u->parser.body));
	xb_buf_clear(&u->parser.body);
	if (r && u->stream && u->parser.status != 101)
		finish(u, 0, NULL);
}

static void end_bytes(struct xb_upstream *u)
{
	int r = xb_http1_end(&u->parser);

	finish(u, r < 0 ? r : 0, r < 0 ? u->headed ? "unexpected EOF" : "EOF" : NULL);
}

static void received(struct xb_stream *s, const char *bytes, size_t n)
{
	struct xb_upstream *u = xb_stream_arg(s);

	if (u->over)
		return;
	u->busy = true;
	if (n)
		take_bytes(u, bytes, n);
	else
		end_bytes(u);
	u->busy = false;
	if (u->freed)
		destroy(u);
}

static void opened(struct xb_stream *s)
{
	struct xb_upstream *u = xb_stream_arg(s);

	xb_stream_write(s, xb_buf_sv(&u->request));
	xb_buf_done(&u->request);
	xb_stream_deadline(s, u->answer_ms);
}

static void closed(struct xb_stream *s, int error)
{
	struct xb_upstream *u = xb_stream_arg(s);
	bool waited = error == -ETIMEDOUT && !u->request.p;

	u->busy = true;
	finish(u, error ? error : -EBADMSG, waited ? "net/http: timeout awaiting response headers" : NULL);
	u->busy = false;
	if (u->freed)
		destroy(u);
}

static const struct xb_stream_ops stream_ops = { .opened = opened, .received = received, .closed = closed };

static bool is_clean(const char *text)
{
	for (; text && *text; text++)
		if ((unsigned char)*text <= ' ' || *text == 127)
			return false;
	return true;
}

static int write_request(struct xb_upstream *u, const struct xb_upstream_request *q)
{
	const struct xb_stream_target *t = &q->target;
	struct xb_buf *out = &u->request;

	xb_buf_addf(out, "%s %s HTTP/1.1\r\nHost: ", q->method, q->path);
	if (q->host)
		xb_buf_adds(out, q->host);
	else
		xb_buf_addf(out, strchr(t->host, ':') ? "[%s]:%d" : "%s:%d", t->host, t->port);
	if (q->upgrade)
		xb_buf_addf(out, "\r\nConnection: Upgrade\r\nUpgrade: %s\r\n", q->upgrade);
	else
		xb_buf_adds(out, "\r\nConnection: close\r\n");
	if (q->body.n || (strcmp(q->method, "GET") && strcmp(q->method, "HEAD")))
		xb_buf_addf(out, "Content-Length: %zu\r\n", q->body.n);
	xb_buf_addsv(out, q->fields);
	xb_buf_adds(out, "\r\n");
	xb_buf_addsv(out, q->body);
	return out->err;
}

int xb_upstream_new(const struct xb_upstream_request *q, const struct xb_upstream_ops *ops, void *arg, struct xb_upstream **ret)
{
	_cleanup_(xb_upstream_freep) struct xb_upstream *u = calloc(1, sizeof(*u));
	int r;

	if (!u)
		return -ENOMEM;
	if (!is_clean(q->method) || !is_clean(q->path) || !is_clean(q->host) || !is_clean(q->upgrade))
		return -EINVAL;
	u->ops = ops;
	u->arg = arg;
	u->answer_ms = q->answer_ms;
	u->target = q->target;
	u->target.host = u->host = strdup(q->target.host);
	u->upgrade = q->upgrade ? strdup(q->upgrade) : NULL;
	if (!u->host || (q->upgrade && !u->upgrade))
		return -ENOMEM;
	xb_http1_init_response(&u->parser, &limits, !strcmp(q->method, "HEAD"));
	r = write_request(u, q);
	if (!r)
		*ret = TAKE_PTR(u);
	return r;
}

int xb_upstream_start(struct xb_upstream *u, uv_loop_t *loop)
{
	return xb_stream_dial(loop, &u->target, &stream_ops, u, &u->stream);
}

int xb_upstream_send(uv_loop_t *loop, const struct xb_upstream_request *q, const struct xb_upstream_ops *ops, void *arg,
		     struct xb_upstream **ret)
{
	_cleanup_(xb_upstream_freep) struct xb_upstream *u = NULL;
	int r = xb_upstream_new(q, ops, arg, &u);

	if (!r)
		r = xb_upstream_start(u, loop);
	if (!r)
		*ret = TAKE_PTR(u);
	return r;
}

void *xb_upstream_arg(const struct xb_upstream *u)
{
	return u->arg;
}

const char *xb_upstream_why(const struct xb_upstream *u)
{
	return u->why ? u->why : u->stream ? xb_stream_why(u->stream) : "EOF";
}

struct xb_sv xb_upstream_field(const struct xb_upstream *u, const char *name)
{
	struct xb_sv value = {};
	size_t iter = 0;

	xb_http1_next(&u->parser, name, &iter, &value);
	return value;
}

bool xb_upstream_next(const struct xb_upstream *u, size_t *iter, struct xb_sv *ret_name, struct xb_sv *ret_value)
{
	const struct xb_http1_field *f = *iter < u->parser.n_fields ? &u->parser.fields[(*iter)++] : NULL;

	if (!f)
		return false;
	*ret_name = (struct xb_sv){ u->parser.head.p + f->name, f->name_n };
	*ret_value = (struct xb_sv){ u->parser.head.p + f->value, f->value_n };
	return true;
}

void xb_upstream_pause(struct xb_upstream *u, bool paused)
{
	xb_stream_pause(u->stream, paused);
}

struct xb_stream *xb_upstream_take(struct xb_upstream *u, const struct xb_stream_ops *ops, void *arg)
{
	struct xb_stream *s = TAKE_PTR(u->stream);

	u->over = true;
	xb_stream_hand_over(s, ops, arg);
	return s;
}
