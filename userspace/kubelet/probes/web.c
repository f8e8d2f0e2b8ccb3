/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <ctype.h>
#include <stdio.h>
#include <sys/queue.h>

#include "web.h"

#define MAX_BODY      (10 << 10)
#define MAX_REDIRECTS 10

struct web {
	uv_loop_t *loop;
	uv_timer_t timer;
	CURLM *multi;
	LIST_HEAD(, web_call) calls;
};

struct web_call {
	LIST_ENTRY(web_call) link;
	struct web *w;
	CURL *easy;
	struct curl_slist *headers;
	char *url;
	char error[CURL_ERROR_SIZE];
	struct xb_buf body;
	uint64_t deadline;              /* ms of the loop's clock; 0: none */
	unsigned redirects;
	bool connect, follow, full;
	web_done *done;
	void *arg;
};

struct watched {                        /* one socket of curl's */
	uv_poll_t poll;
	struct web *w;
	curl_socket_t fd;
};

static void call_free(struct web_call *c)
{
	curl_easy_cleanup(c->easy);
	curl_slist_free_all(c->headers);
	xb_buf_done(&c->body);
	free(c->url);
	free(c);
}

void web_cancel(struct web_call *c)
{
	if (!c)
		return;
	LIST_REMOVE(c, link);
	curl_multi_remove_handle(c->w->multi, c->easy);
	call_free(c);
}

/* --- words of Go's net and net/http --- */
/* "dial tcp 10.0.0.1:80" */
static void add_dial(const struct web_call *c, struct xb_buf *out)
{
	char *host = NULL, *port = NULL;
	CURLU *u = curl_url();

	if (u && !curl_url_set(u, CURLUPART_URL, c->url, 0) && !curl_url_get(u, CURLUPART_HOST, &host, 0) &&
	    !curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT))
		xb_buf_addf(out, "dial tcp %s:%s", host, port);
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(u);
}

static void add_errno(const struct web_call *c, struct xb_buf *out)
{
	long code = 0;
	size_t at = out->n;

	curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &code);
	xb_buf_adds(out, code ? strerror((int)code) : *c->error ? c->error : "unknown error");
	if (!out->err)
		out->p[at] = (char)tolower((unsigned char)out->p[at]);
}

static void add_read(const struct web_call *c, const char *what, struct xb_buf *out)
{
	const char *local = "", *remote = "";
	long local_port = 0, remote_port = 0;

	curl_easy_getinfo(c->easy, CURLINFO_LOCAL_IP, &local);
	curl_easy_getinfo(c->easy, CURLINFO_LOCAL_PORT, &local_port);
	curl_easy_getinfo(c->easy, CURLINFO_PRIMARY_IP, &remote);
	curl_easy_getinfo(c->easy, CURLINFO_PRIMARY_PORT, &remote_port);
	xb_buf_addf(out, "%s tcp %s:%ld->%s:%ld: %s: ", what, local, local_port, remote, remote_port, what);
	add_errno(c, out);
}

static void add_why(const struct web_call *c, CURLcode result, long code, struct xb_buf *out)
{
	char *host = NULL;
	CURLU *u;

	switch (result) {
	case CURLE_COULDNT_CONNECT:
		add_dial(c, out);
		xb_buf_adds(out, ": connect: ");
		add_errno(c, out);
		break;
	case CURLE_COULDNT_RESOLVE_HOST:
		u = curl_url();
		if (u && !curl_url_set(u, CURLUPART_URL, c->url, 0) && !curl_url_get(u, CURLUPART_HOST, &host, 0))
			xb_buf_addf(out, "dial tcp: lookup %s: no such host", host);
		curl_free(host);
		curl_url_cleanup(u);
		break;
	case CURLE_OPERATION_TIMEDOUT:
		if (c->connect)
			add_dial(c, out);
		xb_buf_adds(out, c->connect ? ": i/o timeout" :
			    code ? "context deadline exceeded (Client.Timeout or context cancellation while reading body)" :
				   "context deadline exceeded (Client.Timeout exceeded while awaiting headers)");
		break;
	case CURLE_GOT_NOTHING:
		xb_buf_adds(out, "EOF");
		break;
	case CURLE_PARTIAL_FILE:
		xb_buf_adds(out, "unexpected EOF");
		break;
	case CURLE_RECV_ERROR:
		add_read(c, "read", out);
		break;
	case CURLE_SEND_ERROR:
		add_read(c, "write", out);
		break;
	case CURLE_SSL_CONNECT_ERROR:
		xb_buf_adds(out, strstr(c->error, "wrong version number") ? "http: server gave HTTP response to HTTPS client" : c->error);
		break;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		xb_buf_adds(out, "net/http: HTTP/1.x transport connection broken: malformed HTTP response");
		break;
	default:
		xb_buf_adds(out, *c->error ? c->error : curl_easy_strerror(result));
	}
}

/* --- redirects --- */
static bool same_host(const char *a, const char *b)
{
	CURLU *ua = curl_url(), *ub = curl_url();
	char *ha = NULL, *hb = NULL;
	bool same = ua && ub && !curl_url_set(ua, CURLUPART_URL, a, 0) && !curl_url_set(ub, CURLUPART_URL, b, 0) &&
		    !curl_url_get(ua, CURLUPART_HOST, &ha, 0) && !curl_url_get(ub, CURLUPART_HOST, &hb, 0) && !strcmp(ha, hb);

	curl_free(ha);
	curl_free(hb);
	curl_url_cleanup(ua);
	curl_url_cleanup(ub);
	return same;
}

static bool begin(struct web_call *c)
{
	uint64_t now = uv_now(c->w->loop);

	if (curl_easy_setopt(c->easy, CURLOPT_URL, c->url))
		return false;
	/* a millisecond, when none is left: 0 would be for ever */
	if (c->deadline)
		curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, c->deadline > now ? (long)(c->deadline - now) : 1L);
	return !curl_multi_add_handle(c->w->multi, c->easy);
}

/* 1: it goes on with another request. -ELOOP: too many. */
static int redirect(struct web_call *c, long code)
{
	char *to = NULL, *copy;

	if (!c->follow || !(code == 301 || code == 302 || code == 303 || code == 307 || code == 308))
		return 0;
	curl_easy_getinfo(c->easy, CURLINFO_REDIRECT_URL, &to);
	if (!to || !same_host(c->url, to))
		return 0;
	if (++c->redirects == MAX_REDIRECTS)
		return -ELOOP;
	copy = strdup(to);
	if (!copy)
		return -ENOMEM;
	free(c->url);
	c->url = copy;
	xb_buf_clear(&c->body);
	c->full = false;
	*c->error = '\0';
	return begin(c) ? 1 : -ENOMEM;
}

/* --- the end of a call --- */
static void finish(struct web_call *c, CURLcode result)
{
	_cleanup_buf_ struct xb_buf why = {};
	struct web_reply reply = {};
	long code = 0;
	int r = 0;

	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &code);
	curl_multi_remove_handle(c->w->multi, c->easy);
	if (result == CURLE_WRITE_ERROR && c->full)
		result = CURLE_OK; /* it says more than anybody wants to read */
	if (result == CURLE_OK)
		r = redirect(c, code);
	if (r > 0)
		return;
	if (result != CURLE_OK)
		add_why(c, result, code, &why);
	else if (r < 0)
		xb_buf_adds(&why, r == -ELOOP ? "stopped after 10 redirects" : "out of memory");
	reply = (struct web_reply){ .code = r < 0 ? 0 : (int)code, .body = xb_buf_sv(&c->body), .url = c->url };
	if (why.n || why.err || c->body.err)
		reply.why = why.n ? why.p : "out of memory";
	LIST_REMOVE(c, link);
	c->done(c->arg, &reply);
	call_free(c);
}

/* --- curl and the loop --- */
static void drive(struct web *w, curl_socket_t fd, int flags)
{
	int running, left;

	curl_multi_socket_action(w->multi, fd, flags, &running);
	for (CURLMsg *m; (m = curl_multi_info_read(w->multi, &left));) {
		struct web_call *c = NULL;
		CURLcode result = m->data.result;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &c);
		finish(c, result);
	}
}

static void on_poll(uv_poll_t *h, int error, int events)
{
	struct watched *s = h->data;
	int flags = error < 0 ? CURL_CSELECT_ERR : 0;

	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	drive(s->w, s->fd, flags);
}

static void on_timer(uv_timer_t *t)
{
	drive(t->data, CURL_SOCKET_TIMEOUT, 0);
}

static int want_timer(CURLM *multi, long ms, void *arg)
{
	struct web *w = arg;

	if (ms < 0)
		uv_timer_stop(&w->timer);
	else
		uv_timer_start(&w->timer, on_timer, (uint64_t)ms, 0);
	return 0;
}

static void watched_closed(uv_handle_t *h)
{
	free(h->data);
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct web *w = arg;
	struct watched *s = socket_arg;
	int events;

	if (what == CURL_POLL_REMOVE) {
		if (s) {
			curl_multi_assign(w->multi, fd, NULL);
			uv_close((uv_handle_t *)&s->poll, watched_closed);
		}
		return 0;
	}
	if (!s) {
		s = calloc(1, sizeof(*s));
		if (!s)
			return -1;
		*s = (struct watched){ .w = w, .fd = fd };
		if (uv_poll_init_socket(w->loop, &s->poll, fd) < 0) {
			free(s);
			return -1;
		}
		s->poll.data = s;
		curl_multi_assign(w->multi, fd, s);
	}
	events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
	return uv_poll_start(&s->poll, events, on_poll) < 0 ? -1 : 0;
}

static size_t on_bytes(char *p, size_t size, size_t n, void *arg)
{
	struct web_call *c = arg;
	size_t room = MAX_BODY - c->body.n, taken = MIN(n, room);

	xb_buf_add(&c->body, p, taken);
	c->full = taken < n;
	return c->body.err ? 0 : taken;
}

/* --- making a call --- */
static void set_options(struct web_call *c)
{
	CURL *e = c->easy;

	curl_easy_setopt(e, CURLOPT_PRIVATE, c);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->error);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, c->headers);
	curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(e, CURLOPT_CONNECT_ONLY, (long)c->connect);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(e, CURLOPT_SSL_ENABLE_ALPN, 0L);
	/* the system's certificates, which nobody asks, would be read for each request */
	curl_easy_setopt(e, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
}

int web_send(struct web *w, const struct web_request *q, web_done *done, void *arg, struct web_call **ret)
{
	struct web_call *c = calloc(1, sizeof(*c));

	if (!c) {
		curl_slist_free_all(q->headers);
		return -ENOMEM;
	}
	*c = (struct web_call){ .w = w, .headers = q->headers, .connect = q->connect, .follow = q->follow, .done = done, .arg = arg };
	c->url = strdup(q->url);
	c->easy = curl_easy_init();
	c->deadline = q->timeout_ms ? uv_now(w->loop) + q->timeout_ms : 0;
	if (!c->url || !c->easy) {
		call_free(c);
		return -ENOMEM;
	}
	set_options(c);
	if (!begin(c)) {
		call_free(c);
		return -ENOMEM;
	}
	LIST_INSERT_HEAD(&w->calls, c, link);
	*ret = c;
	return 0;
}

int web_new(uv_loop_t *loop, struct web **ret)
{
	struct web *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->loop = loop;
	w->multi = curl_multi_init();
	if (!w->multi) {
		free(w);
		return -ENOMEM;
	}
	uv_timer_init(loop, &w->timer);
	w->timer.data = w;
	curl_multi_setopt(w->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(w->multi, CURLMOPT_SOCKETDATA, w);
	curl_multi_setopt(w->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(w->multi, CURLMOPT_TIMERDATA, w);
	*ret = w;
	return 0;
}

static void timer_closed(uv_handle_t *h)
{
	free(h->data);
}

struct web *web_free(struct web *w)
{
	if (!w)
		return NULL;
	while (!LIST_EMPTY(&w->calls))
		web_cancel(LIST_FIRST(&w->calls));
	curl_multi_cleanup(w->multi);
	uv_close((uv_handle_t *)&w->timer, timer_closed);
	return NULL;
}
