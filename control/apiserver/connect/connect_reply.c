/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <strings.h>
#include "connect_reply.h"

struct reply *reply_new(enum reply_words words, struct request *q, const char *url)
{
	struct reply *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	*p = (struct reply){ words, &q->answer_code, url ? strdup(url) : NULL, xb_sv_dup(q->route.name) };
	if (p->name && !p->url == !url)
		return p;
	reply_free(p);
	return NULL;
}

void reply_free(void *reply)
{
	struct reply *p = reply;

	if (!p)
		return;
	free(p->url);
	free(p->name);
	free(p);
}

void reply_status(struct xb_http_request *r, struct xb_status *s, int *status)
{
	struct xb_buf body = {};

	*status = s->code;
	xb_status_write(s, &body);
	xb_buf_addc(&body, '\n');
	xb_http_respond_buf(r, s->code, "application/json", &body);
	xb_status_done(s);
}

static void failed(struct xb_http_request *r, const char *why, void *arg)
{
	const struct reply *p = arg;
	struct xb_status s = {};

	if (xb_sv_starts(xb_sv(why), "invalid upgrade response") || xb_sv_starts(xb_sv(why), "only a connection of HTTP/1.1"))
		xb_status_set(&s, 500, NULL, "%s", why);
	else if (p->words == REPLY_LOG)
		xb_status_set(&s, 500, NULL, "Get \"%s\": %s", p->url, why);
	else if (p->words == REPLY_STREAM)
		xb_status_set(&s, 500, NULL, "error dialing backend: %s", why);
	else
		xb_status_set(&s, 503, "ServiceUnavailable", "error trying to reach service: %s", why);
	reply_status(r, &s, p->status);
}

/* What a kubelet says is text; clients of this server get a Status (apiserver's GenericHttpResponseChecker). */
static void log_refused(struct xb_http_request *r, int status, struct xb_sv body, void *arg)
{
	const struct reply *p = arg;
	struct xb_status s = {};

	if (status == 500)
		xb_status_set(&s, 500, "InternalError", "Internal error occurred: %.*s", XB_SV_ARG(body));
	else if (status == 400)
		xb_status_set(&s, 400, "BadRequest", "%.*s", XB_SV_ARG(body));
	else if (status == 404)
		xb_status_set(&s, 404, "NotFound", "the server could not find the requested resource ( pods %s)", p->name);
	else if (status == 401)
		xb_status_set(&s, 401, "Unauthorized", "the server has asked for the client to provide credentials ( pods %s)", p->name);
	else if (status == 403)
		xb_status_set(&s, 403, "Forbidden", "%.*s", XB_SV_ARG(body));
	else
		xb_status_set(&s, status < 400 ? 502 : status, "InternalError",
			      "an error on the server (\"%.*s\") has prevented the request from succeeding ( pods %s)", XB_SV_ARG(body), p->name);
	xb_status_details(&s, "", "pods", xb_sv(p->name));
	reply_status(r, &s, p->status);
}

const struct xb_proxy_ops reply_ops = { .failed = failed, .free = reply_free };
const struct xb_proxy_ops reply_log_ops = { .failed = failed, .refused = log_refused, .free = reply_free };

static bool has_prefix(struct xb_sv name, const char *prefix)
{
	size_t n = strlen(prefix);

	return name.n >= n && !strncasecmp(name.p, prefix, n);
}

static bool is_listed(const struct request *q, struct xb_sv name)
{
	struct xb_sv rest, word;
	size_t iter = 0;

	while (xb_http_header_each(q->http, "Connection", &iter, &rest))
		while (xb_sv_split(&rest, ',', &word)) {
			word = xb_sv_trim(word);
			if (word.n == name.n && !strncasecmp(word.p, name.p, name.n))
				return true;
		}
	return false;
}

static bool stays_here(const struct request *q, struct xb_sv name)
{
	return name.p[0] == ':' || xb_proxy_is_hop(name) || is_listed(q, name) || has_prefix(name, "Authorization") ||
	       has_prefix(name, "Impersonate-") || has_prefix(name, "X-Remote-") || has_prefix(name, "X-Forwarded-For");
}

void reply_copy_fields(const struct request *q, struct xb_buf *out)
{
	const struct sockaddr *peer = xb_http_peer_addr(q->http);
	struct xb_sv name, value, before;
	char address[INET6_ADDRSTRLEN] = "";
	size_t iter = 0;

	while (xb_http_header_next(q->http, &iter, &name, &value))
		if (name.n && !stays_here(q, name))
			xb_buf_addf(out, "%.*s: %.*s\r\n", XB_SV_ARG(name), XB_SV_ARG(value));
	uv_ip_name(peer, address, sizeof(address));
	before = xb_http_header(q->http, "X-Forwarded-For");
	xb_buf_addf(out, "X-Forwarded-For: %.*s%s%s\r\n", XB_SV_ARG(before), before.n ? ", " : "", address);
}

const char *reply_upgrade(const struct request *q)
{
	struct xb_sv protocol = xb_http_header(q->http, "Upgrade");

	if (!is_listed(q, XB_SV("Upgrade")))
		return NULL;
	return protocol.n ? xb_arena_strn(q->arena, protocol) : "";
}
