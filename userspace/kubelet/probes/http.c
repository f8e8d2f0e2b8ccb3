/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* httpGet and tcpSocket. */
#include "../spec/make.h"
#include "attempt.h"
#include "xb/why.h"

struct http {
	struct attempt base;
	struct web_call *call;
	bool hook;
};

static void cancel(struct attempt *a)
{
	struct http *h = (struct http *)a;

	web_cancel(h->call);
	free(h);
}

/* --- what comes of it --- */
static void on_tcp(void *arg, const struct web_reply *reply)
{
	_cleanup_free_ struct http *h = arg;
	struct attempt_result result = { .outcome = reply->why ? ATTEMPT_FAILURE : ATTEMPT_SUCCESS };

	result.text = result.error = reply->why ?: "";
	h->base.done(h->base.arg, &result);
}

/* Unlike a redirect's, the body of a failure may hold what is not for everybody's eyes. */
static enum attempt_outcome judge(const struct http *h, const struct web_reply *reply, struct xb_buf *text)
{
	if (reply->why && reply->code) {
		xb_buf_adds(text, reply->why);
		return ATTEMPT_ERROR;
	}
	if (reply->why) {
		xb_buf_addf(text, "Get \"%s\": %s", reply->url, reply->why);
		return ATTEMPT_FAILURE;
	}
	if (h->hook)
		return ATTEMPT_SUCCESS;
	if (reply->code < 200 || reply->code >= 400) {
		xb_buf_addf(text, "HTTP probe failed with statuscode: %d", reply->code);
		return ATTEMPT_FAILURE;
	}
	if (reply->code >= 300)
		xb_buf_adds(text, "Probe terminated redirects, Response body: ");
	xb_buf_addsv(text, reply->body);
	return reply->code >= 300 ? ATTEMPT_WARNING : ATTEMPT_SUCCESS;
}

static void on_http(void *arg, const struct web_reply *reply)
{
	_cleanup_free_ struct http *h = arg;
	_cleanup_buf_ struct xb_buf text = {};
	struct attempt_result result = { .outcome = judge(h, reply, &text) };

	result.text = result.error = text.p ?: "";
	h->base.done(h->base.arg, &result);
}

/* --- what is sent --- */
static void add_authority(struct xb_buf *url, struct xb_sv host, uint16_t port)
{
	bool v6 = memchr(host.p, ':', host.n);

	xb_buf_addf(url, "%s%.*s%s:%u", v6 ? "[" : "", XB_SV_ARG(host), v6 ? "]" : "", port);
}

/* What no URL may hold as it is; a percent sign stays, since the path may be encoded already. */
static void add_path(struct xb_buf *url, struct xb_sv path)
{
	if (path.n && *path.p != '/')
		xb_buf_addc(url, '/');
	for (size_t i = 0; i < path.n; i++) {
		unsigned char c = (unsigned char)path.p[i];

		if (c <= ' ' || c >= 0x7f || strchr("\"<>\\^`{|}", c))
			xb_buf_addf(url, "%%%02X", c);
		else
			xb_buf_addc(url, (char)c);
	}
}

static bool is_field_text(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' && *text != '\t')
			return false;
	return true;
}

static int push(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (!longer)
		return -ENOMEM;
	*list = longer;
	return 0;
}

/* To curl "X;" is a field without a value, and "X:" one that is not to be sent. */
static int put_header(struct make *m, struct curl_slist **list, const char *name, const char *value, char **reterr_why)
{
	bool ours = !strcasecmp(name, "Accept") || !strcasecmp(name, "User-Agent");

	if (!is_field_text(name) || !is_field_text(value) || !*name || strchr(name, ':') || strchr(name, ';'))
		return xb_why(reterr_why, -EINVAL, "net/http: invalid header field value for \"%s\"", name);
	return push(list, *value ? make_printf(m, "%s: %s", name, value) : make_printf(m, ours ? "%s:" : "%s;", name));
}

static int put_headers(struct make *m, const struct attempt_tools *t, const struct attempt_request *q, struct curl_slist **list,
		       char **reterr_why)
{
	bool accept = false, agent = false;
	int r = push(list, "Connection: close");

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(q->handler, "httpHeaders")); !r && xb_jit_next(&it);) {
		const char *name = make_text(m, xb_jv_get(it.value, "name"));

		accept |= !strcasecmp(name, "Accept");
		agent |= !strcasecmp(name, "User-Agent");
		r = put_header(m, list, name, make_text(m, xb_jv_get(it.value, "value")), reterr_why);
	}
	if (!r && !accept)
		r = push(list, "Accept: */*");
	/* "kube-probe/1.33" and, for hooks, "kube-lifecycle/1.33" */
	if (!r && !agent)
		r = push(list, q->hook ? make_printf(m, "User-Agent: kube-lifecycle%s", strchr(t->user_agent, '/') ?: "") :
					 make_printf(m, "User-Agent: %s", t->user_agent));
	return r ?: m->failed ? -ENOMEM : 0;
}

static int start(const struct attempt_tools *t, const struct attempt_request *q, struct attempt base, const struct xb_buf *url,
		struct curl_slist *headers, bool tcp, struct attempt **ret)
{
	_cleanup_free_ struct http *h = calloc(1, sizeof(*h));
	struct web_request request = {
		.url = url->p, .headers = headers, .timeout_ms = q->timeout_ms, .connect = tcp, .follow = !q->hook,
	};
	int r;

	if (!h || url->err) {
		curl_slist_free_all(headers);
		return -ENOMEM;
	}
	h->base = base;
	h->base.cancel = cancel;
	h->hook = q->hook;
	r = web_send(t->web, &request, tcp ? on_tcp : on_http, h, &h->call);
	if (r)
		return r;
	*ret = &TAKE_PTR(h)->base;
	return 0;
}

static struct xb_sv host_of(const struct attempt_request *q)
{
	struct xb_sv host = xb_jv_text(xb_jv_get(q->handler, "host"));

	return host.n ? host : xb_sv(q->pod_ip);
}

int http_start(const struct attempt_tools *t, const struct attempt_request *q, struct attempt base, struct attempt **ret, char **reterr_why)
{
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
	bool secure = xb_jv_streq(xb_jv_get(q->handler, "scheme"), XB_SV("HTTPS"));
	_cleanup_buf_ struct xb_buf url = {};
	struct curl_slist *headers = NULL;
	struct make m = { .a = a };
	uint16_t port;
	int r = a ? attempt_port(q->container, xb_jv_get(q->handler, "port"), &port, reterr_why) : -ENOMEM;

	if (r)
		return r;
	xb_buf_adds(&url, secure ? "https://" : "http://");
	add_authority(&url, host_of(q), port);
	add_path(&url, xb_sv(make_text(&m, xb_jv_get(q->handler, "path"))));
	r = put_headers(&m, t, q, &headers, reterr_why);
	if (r) {
		curl_slist_free_all(headers);
		return r;
	}
	return start(t, q, base, &url, headers, false, ret);
}

int tcp_start(const struct attempt_tools *t, const struct attempt_request *q, struct attempt base, struct attempt **ret, char **reterr_why)
{
	_cleanup_buf_ struct xb_buf url = {};
	uint16_t port;
	int r = attempt_port(q->container, xb_jv_get(q->handler, "port"), &port, reterr_why);

	if (r)
		return r;
	xb_buf_adds(&url, "http://");
	add_authority(&url, host_of(q), port);
	return start(t, q, base, &url, NULL, true, ret);
}
