/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include <strings.h>
#include "xb/proxy.h"

#define REFUSAL_BYTES 50000

struct proxy {
	struct xb_http_request *r;      /* NULL: it is answered, or a stream */
	struct xb_upstream *u;
	const struct xb_proxy_ops *ops;
	void *arg;
	char *content_type, *prefix;
	char *authority;                /* "192.0.2.1:80": of the upstream */
	int *status;
	bool upgrades;
	int refused;                    /* that status; its body is gathered */
	struct xb_buf refusal;
	bool streaming;
};

static void proxy_free(struct proxy *p)
{
	xb_upstream_free(p->u);
	if (p->ops->free)
		p->ops->free(p->arg);
	xb_buf_done(&p->refusal);
	free(p->content_type);
	free(p->prefix);
	free(p->authority);
	free(p);
}

static void say_status(const struct proxy *p, int status)
{
	if (p->status)
		*p->status = status;
}

static void fail(struct proxy *p, const char *why)
{
	struct xb_http_request *r = TAKE_PTR(p->r);

	if (p->streaming)
		xb_http_stream_abort(r);
	else
		p->ops->failed(r, why, p->arg);
	proxy_free(p);
}

static bool is_one_of(struct xb_sv name, const char *const *names)
{
	for (; *names; names++)
		if (name.n == strlen(*names) && !strncasecmp(name.p, *names, name.n))
			return true;
	return false;
}

bool xb_proxy_is_hop(struct xb_sv name)
{
	static const char *const hops[] = {
		"Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailer",
		"Transfer-Encoding", "Upgrade", "Content-Length", "Host", "Date", "Expect", NULL
	};

	return is_one_of(name, hops);
}

/* Does the answer's Connection name that field? */
static bool is_listed(const struct xb_upstream *u, struct xb_sv name)
{
	struct xb_sv rest = xb_upstream_field(u, "Connection"), word;

	while (xb_sv_split(&rest, ',', &word)) {
		word = xb_sv_trim(word);
		if (word.n == name.n && name.n && !strncasecmp(word.p, name.p, name.n))
			return true;
	}
	return false;
}

/* A place on the same server is one below the prefix to the client. */
static char *relocated(const struct proxy *p, struct xb_sv location)
{
	static const char *const schemes[] = { "http://", "https://" };
	struct xb_sv path = location;
	char *text;

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		size_t n = strlen(schemes[i]), authority_n = strlen(p->authority);

		if (xb_sv_starts(location, schemes[i]) && location.n >= n + authority_n &&
		    !memcmp(location.p + n, p->authority, authority_n))
			path = (struct xb_sv){ location.p + n + authority_n, location.n - n - authority_n };
	}
	if (!p->prefix || !path.n || path.p[0] != '/' || (path.n > 1 && path.p[1] == '/') || xb_sv_starts(path, p->prefix))
		return xb_sv_dup(location);
	return asprintf(&text, "%s%.*s", p->prefix, XB_SV_ARG(path)) < 0 ? NULL : text;
}

static int copy_fields(struct proxy *p)
{
	static const char *const ours[] = { "Content-Type", "Audit-Id", NULL }, *const location[] = { "Location", NULL };
	struct xb_sv name, value;
	size_t iter = 0;
	int r = 0;

	while (!r && xb_upstream_next(p->u, &iter, &name, &value)) {
		_cleanup_free_ char *n = NULL, *v = NULL;

		if (xb_proxy_is_hop(name) || is_one_of(name, ours) || is_listed(p->u, name))
			continue;
		n = xb_sv_dup(name);
		v = is_one_of(name, location) ? relocated(p, value) : xb_sv_dup(value);
		r = n && v ? xb_http_add_header(p->r, n, v) : -ENOMEM;
	}
	return r;
}

static void on_spliced(void *arg)
{
	proxy_free(arg);
}

static void upgrade(struct proxy *p)
{
	_cleanup_free_ char *protocol = xb_sv_dup(xb_upstream_field(p->u, "Upgrade"));
	struct xb_stream *client, *server;
	int r = protocol ? copy_fields(p) : -ENOMEM;

	if (!r)
		r = xb_http_upgrade(p->r, protocol, NULL, NULL, &client);
	if (r) {
		fail(p, r == -EOPNOTSUPP ? "only a connection of HTTP/1.1 can be upgraded" : strerror(-r));
		return;
	}
	say_status(p, 101);
	p->r = NULL;
	server = xb_upstream_take(p->u, NULL, NULL);
	p->u = xb_upstream_free(p->u);
	if (!xb_splice(client, server, on_spliced, p))
		return;
	xb_stream_free(client);
	xb_stream_free(server);
	proxy_free(p);
}

static void on_drain(struct xb_http_request *r)
{
	struct proxy *p = xb_http_user(r);

	xb_upstream_pause(p->u, false);
}

static void begin(struct proxy *p, int status)
{
	_cleanup_free_ char *type = p->content_type ? NULL : xb_sv_dup(xb_upstream_field(p->u, "Content-Type"));

	if (copy_fields(p)) {
		fail(p, "out of memory");
		return;
	}
	p->streaming = true;
	say_status(p, status);
	xb_http_stream_begin(p->r, status, p->content_type ? p->content_type : type && *type ? type : NULL, on_drain);
}

static const struct xb_proxy_ops nothing;

/* Whoever asked for another protocol gets nothing but that, or a fault. */
static void head(struct xb_upstream *u, int status)
{
	struct proxy *p = xb_upstream_arg(u);
	char why[64];

	if (status == 101 && p->ops->upgraded) {
		p->u = NULL;
		p->ops->upgraded(p->r, u, p->arg);
		p->ops = &nothing;
		proxy_free(p);
	} else if (status == 101) {
		upgrade(p);
	} else if (p->upgrades && status < 400) {
		snprintf(why, sizeof(why), "invalid upgrade response: status code %d", status);
		fail(p, why);
	} else if (p->ops->refused && (status < 200 || status > 299)) {
		p->refused = status;
	} else {
		begin(p, status);
	}
}

static void body(struct xb_upstream *u, struct xb_sv bytes)
{
	struct proxy *p = xb_upstream_arg(u);

	if (p->refused) {
		xb_buf_add(&p->refusal, bytes.p, MIN(bytes.n, REFUSAL_BYTES - p->refusal.n));
		return;
	}
	xb_http_stream_write(p->r, bytes);
	if (xb_http_stream_pending(p->r) >= XB_STREAM_PENDING_MAX)
		xb_upstream_pause(u, true);
}

static void done(struct xb_upstream *u, int error)
{
	struct proxy *p = xb_upstream_arg(u);

	if (p->refused) {
		p->ops->refused(TAKE_PTR(p->r), p->refused, xb_buf_sv(&p->refusal), p->arg);
		proxy_free(p);
	} else if (error) {
		fail(p, xb_upstream_why(u));
	} else {
		xb_http_stream_end(TAKE_PTR(p->r));
		proxy_free(p);
	}
}

static const struct xb_upstream_ops upstream_ops = { head, body, done };

static void on_close(struct xb_http_request *r)
{
	proxy_free(xb_http_user(r));
}

static void on_shutdown(struct xb_http_request *r)
{
	fail(xb_http_user(r), "the server stops");
}

static void serve(struct xb_http_request *r, uv_loop_t *loop, void *arg)
{
	struct proxy *p = arg;
	int error;

	p->r = r;
	xb_http_set_user(r, p);
	if (xb_http_is_lost(r)) {
		fail(p, "the client has left");
		return;
	}
	xb_http_on_close(r, on_close, on_shutdown);
	error = xb_upstream_start(p->u, loop);
	if (error)
		fail(p, strerror(-error));
}

static int copy_texts(struct proxy *p, const struct xb_proxy_request *q)
{
	const struct xb_stream_target *t = &q->upstream.target;

	p->content_type = q->content_type ? strdup(q->content_type) : NULL;
	p->prefix = q->prefix ? strdup(q->prefix) : NULL;
	if (asprintf(&p->authority, strchr(t->host, ':') ? "[%s]:%d" : "%s:%d", t->host, t->port) < 0)
		p->authority = NULL;
	return p->authority && !p->content_type == !q->content_type && !p->prefix == !q->prefix ? 0 : -ENOMEM;
}

int xb_proxy(struct xb_http_request *r, const struct xb_proxy_request *q)
{
	struct proxy *p = calloc(1, sizeof(*p));
	int error;

	if (!p) {
		if (q->ops->free)
			q->ops->free(q->arg);
		return -ENOMEM;
	}
	p->ops = q->ops;
	p->arg = q->arg;
	p->status = q->status;
	p->upgrades = q->upstream.upgrade;
	error = copy_texts(p, q);
	if (!error)
		error = xb_upstream_new(&q->upstream, &upstream_ops, p, &p->u);
	if (error)
		proxy_free(p);
	else
		xb_http_move(r, serve, p);
	return error;
}
