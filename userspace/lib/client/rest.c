/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "fault.h"
#include "xb/file.h"
#include "xb/rest.h"
#include "xb/why.h"

#define CONNECT_MS      10000L
#define REQUEST_MS      30000L
#define DEAD_PEER_MS    30000           /* unacknowledged bytes or keep-alive probes for so long: the connection is lost */
#define MAX_REPLY       (256UL << 20)   /* the most a document may hold */
#define MAX_LINE        (16UL << 20)    /* a watch event: an object is at most 3 MiB */
#define MAX_TOKEN       (64UL << 10)
#define UPLOAD_BUFFER   (16L << 10)     /* curl has one for each request with a body: its least, and more than most of ours have */
#define STREAM_BUFFER   16384           /* what curl has for an answer before it hands it on */
#define PROBE_MS        20U             /* from then on until the server is asked for more */
#define MAX_STREAMS     100U            /* watches of one connection; beyond them another one is made, for watches only */
#define MAX_AT_ONCE     250L            /* streams and requests of one connection: as many as upstream's servers allow */
#define MAX_CONNECTIONS 2L              /* where one carries many requests: the second while the first is being left */

/*
 * Debian's libcurl brings GnuTLS along, for protocols that are not used here. Before main() it would set itself up in every process,
 * in 1 MB of memory, unless there is this (GNUTLS_SKIP_GLOBAL_INIT); the linker is told to let it be seen.
 */
int _gnutls_global_init_skip(void);
int _gnutls_global_init_skip(void)
{
	return 1;
}

struct xb_rest {
	struct xb_rest *root;           /* whose connections it uses: itself, unless it is somebody else's name */
	struct xb_rest *nameless;       /* whose connections those with other names use; NULL until there is one */
	struct xb_rest *more;           /* whose connection the streams use that this one has no room for; NULL until there is one */
	unsigned streams;               /* under way on its connection */
	bool multiplexed;               /* its server does HTTP/2 */
	uv_loop_t *loop;
	uv_timer_t timer;               /* curl's */
	uv_timer_t reread;              /* for what curl has left unread */
	bool looked;                    /* of it: at the sockets */
	unsigned filled;                /* calls under way that are */
	unsigned open_timers;
	CURLM *multi;
	TAILQ_HEAD(, watched) sockets;  /* curl's */
	unsigned n_sockets;
	uint64_t woken_ns;              /* when curl was last called for what there is to read */
	void (*refused)(void *arg);     /* of one with a name of its own */
	void *refused_arg;
	struct xb_kubeconfig k;
	char *url;                      /* what curl connects to: k.server, perhaps under its TLS name */
	struct curl_slist *connect_to;  /* where that name really is */
	char *host_header;
	char *user_agent;
	struct xb_rest_call *calls;     /* all; doubly linked */
	struct xb_rest_call *ready;     /* those with lines that came in the turn under way; singly linked */
	bool (*may)(void *arg);         /* NULL: always */
	void *may_arg;
};

struct xb_rest_call {
	struct xb_rest *r;
	struct xb_rest *via;            /* whose connection it uses */
	struct xb_rest_call *prev, *next, *next_ready;
	CURL *easy;
	struct curl_slist *headers;
	char error[CURL_ERROR_SIZE];
	struct xb_buf in;
	size_t scanned;                 /* bytes of in known to hold no newline */
	curl_off_t received;            /* of the answer, as it is packed */
	void (*line)(void *arg, struct xb_sv line);
	xb_rest_done done;
	void *arg;
	bool is_ready, calling, cancelled, too_large;
	bool filled;                    /* once so much came that curl's buffer for it was full */
	bool reads, sent;               /* reads: may be sent as often as is needed */
};

struct watched {                        /* one socket of curl's */
	uv_poll_t poll;
	TAILQ_ENTRY(watched) link;
	struct xb_rest *r;
	curl_socket_t fd;
};

static long call_code(const struct xb_rest_call *c)
{
	long code = 0;

	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &code);
	return code;
}

static bool is_http2(const struct xb_rest_call *c)
{
	long version = 0;

	curl_easy_getinfo(c->easy, CURLINFO_HTTP_VERSION, &version);
	return version == CURL_HTTP_VERSION_2_0;
}

static bool streams(const struct xb_rest_call *c)
{
	long code = c->line ? call_code(c) : 0;

	return code >= 200 && code < 300;
}

static void on_reread(uv_timer_t *t);
static void reread(struct xb_rest *r)
{
	r->looked = false;
	uv_timer_start(&r->reread, on_reread, 0, 0);
}

/* --- the end of a call --- */
static void call_detach(struct xb_rest_call *c)
{
	struct xb_rest *r = c->via;

	curl_multi_remove_handle(r->multi, c->easy);
	r->streams -= c->line != NULL;
	r->filled -= c->filled;
	if (c->is_ready) {
		struct xb_rest_call **at = &r->ready;

		while (*at != c)
			at = &(*at)->next_ready;
		*at = c->next_ready;
		c->is_ready = false;
	}
}

static void call_free(struct xb_rest_call *c)
{
	if (c->prev)
		c->prev->next = c->next;
	else if (c->r->calls == c)
		c->r->calls = c->next;
	if (c->next)
		c->next->prev = c->prev;
	curl_easy_cleanup(c->easy);
	curl_slist_free_all(c->headers);
	xb_buf_done(&c->in);
	free(c);
}

static void call_cut_off(struct xb_rest_call *c)
{
	call_detach(c);
	reread(c->via);
}

void xb_rest_cancel(struct xb_rest_call *c)
{
	if (!c || c->cancelled)
		return;
	call_cut_off(c);
	/* Within one of its own callbacks: whoever called that frees it. */
	if (c->calling)
		c->cancelled = true;
	else
		call_free(c);
}

/* Curl lets a request wait for a connection that is being made only if it knows no other: many at once, when the first is full,
 * would make one each. Those of HTTP/1.1 need one each. */
static void learn_protocol(struct xb_rest_call *c)
{
	if (c->via->multiplexed || !is_http2(c))
		return;
	c->via->multiplexed = true;
	curl_multi_setopt(c->via->multi, CURLMOPT_MAX_HOST_CONNECTIONS, MAX_CONNECTIONS);
}

static void call_lines(struct xb_rest_call *c)
{
	size_t begin = 0;

	learn_protocol(c);
	c->calling = true;
	while (!c->cancelled && c->scanned < c->in.n) {
		char *newline = memchr(c->in.p + c->scanned, '\n', c->in.n - c->scanned);

		if (!newline) {
			c->scanned = c->in.n;
			break;
		}
		c->scanned = newline + 1 - c->in.p;
		if (newline > c->in.p + begin)
			c->line(c->arg, (struct xb_sv){ c->in.p + begin, newline - c->in.p - begin });
		begin = c->scanned;
	}
	c->calling = false;
	if (c->cancelled) {
		call_free(c);
		return;
	}
	if (begin)
		memmove(c->in.p, c->in.p + begin, c->in.n - begin);
	c->in.n -= begin;
	c->scanned -= begin;
}

static void call_finish(struct xb_rest_call *c, CURLcode result)
{
	_cleanup_status_ struct xb_status status = {};
	long code = call_code(c);
	bool was_stream = streams(c);

	learn_protocol(c);
	call_detach(c);
	if (result)
		reread(c->via);
	if (c->in.err || result == CURLE_OUT_OF_MEMORY) {
		code = 0;
		xb_status_set(&status, 0, "", "out of memory");
	} else if (result != CURLE_OK && (!was_stream || c->too_large)) {
		code = 0;
		xb_status_set(&status, 0, "", "%s", c->too_large ? "the answer is too large" :
			      result == CURLE_ABORTED_BY_CALLBACK ? "the connection was lost before the answer came" :
			      c->error[0] ? c->error : curl_easy_strerror(result));
	} else if (code < 200 || code > 299) {
		curl_off_t retry_after = 0;

		fault_read((int)code, xb_buf_sv(&c->in), &status);
		curl_easy_getinfo(c->easy, CURLINFO_RETRY_AFTER, &retry_after);
		if (!status.retry_after)
			status.retry_after = (int)MIN(retry_after, 3600);
	}
	c->cancelled = true;    /* done is the end, whoever cancels it in there */
	if (code == 401 && c->r->refused)
		c->r->refused(c->r->refused_arg);
	c->done(c->arg, (int)code, was_stream ? (struct xb_sv){} : xb_buf_sv(&c->in), &status);
	call_free(c);
}

/* --- curl and the loop --- */
static void deliver(struct xb_rest *r)
{
	int left;

	while (r->ready) {
		struct xb_rest_call *c = r->ready;

		r->ready = c->next_ready;
		c->is_ready = false;
		call_lines(c);
	}
	for (CURLMsg *m; (m = curl_multi_info_read(r->multi, &left));) {
		struct xb_rest_call *c = NULL;
		CURLcode result = m->data.result;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &c);
		call_finish(c, result);
	}
}

/* All that curl sends and reads it does in here. */
static void drive(struct xb_rest *r, curl_socket_t fd, int flags)
{
	int running;

	if (r->may && !r->may(r->may_arg))
		return;
	r->woken_ns = uv_hrtime();
	curl_multi_socket_action(r->multi, fd, flags, &running);
	deliver(r);
}

static void on_poll(uv_poll_t *h, int error, int events)
{
	struct watched *w = h->data;
	int flags = error < 0 ? CURL_CSELECT_ERR : 0;

	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	drive(w->r, w->fd, flags);
}

static void on_timer(uv_timer_t *t)
{
	drive(t->data, CURL_SOCKET_TIMEOUT, 0);
}

static void on_probed(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
}

/*
 * Curl 7.88 reads an HTTP/2 connection for all of its streams into one buffer, and stops in it where a stream's own is full. It runs that
 * stream again for the rest of the frame, but none for what is behind before the server sends more; and none at all when the stream is
 * cut off there. So curl is told that there is more, once the frame's rest has come. If nothing was behind, nghttp2 does not say before
 * the next byte, of whatever, that the frame is at its end, and with it perhaps the answer: the server is asked for a byte then.
 */
static void on_reread(uv_timer_t *t)
{
	struct xb_rest *r = t->data;
	struct watched *w;

	if (r->looked) {
		if (r->filled)
			xb_rest_send(r, &(struct xb_rest_request){ .method = "HEAD", .path = "/version" }, on_probed, NULL, NULL);
		return;
	}
	r->looked = true;
	if (r->filled)
		uv_timer_start(&r->reread, on_reread, PROBE_MS, 0);
	drive(r, CURL_SOCKET_TIMEOUT, 0);       /* the frame's rest, if it is yet to come */
	for (unsigned n = r->n_sockets; n && (w = TAILQ_FIRST(&r->sockets)); n--) {
		TAILQ_REMOVE(&r->sockets, w, link);
		TAILQ_INSERT_TAIL(&r->sockets, w, link);
		drive(r, w->fd, CURL_CSELECT_IN);
	}
}

static int want_timer(CURLM *multi, long ms, void *arg)
{
	struct xb_rest *r = arg;

	if (ms < 0)
		uv_timer_stop(&r->timer);
	else
		uv_timer_start(&r->timer, on_timer, ms, 0);
	return 0;
}

static void watched_closed(uv_handle_t *h)
{
	free(h->data);
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct xb_rest *r = arg;
	struct watched *w = socket_arg;

	if (what == CURL_POLL_REMOVE) {
		if (w) {
			curl_multi_assign(r->multi, fd, NULL);
			TAILQ_REMOVE(&r->sockets, w, link);
			r->n_sockets--;
			uv_close((uv_handle_t *)&w->poll, watched_closed);
		}
		return 0;
	}
	if (!w) {
		w = calloc(1, sizeof(*w));
		if (!w)
			return -1;
		*w = (struct watched){ .r = r, .fd = fd };
		if (uv_poll_init_socket(r->loop, &w->poll, fd) < 0) {
			free(w);
			return -1;
		}
		w->poll.data = w;
		TAILQ_INSERT_TAIL(&r->sockets, w, link);
		r->n_sockets++;
		curl_multi_assign(r->multi, fd, w);
	}
	return uv_poll_start(&w->poll, (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0),
			     on_poll) < 0 ? -1 : 0;
}

/* Curl's buffer, which holds the headers as well. */
static void look_for_filled(struct xb_rest_call *c)
{
	curl_off_t before = c->received;
	long headers = 0;

	curl_easy_getinfo(c->easy, CURLINFO_SIZE_DOWNLOAD_T, &c->received);
	if (!before)
		curl_easy_getinfo(c->easy, CURLINFO_HEADER_SIZE, &headers);
	if (c->received - before + headers < STREAM_BUFFER || !is_http2(c))
		return;
	c->via->filled += !c->filled;
	c->filled = true;
	reread(c->via);
}

/* Lines are handed on after curl has returned, since nothing may be started or cancelled from inside it. */
static size_t on_bytes(char *p, size_t size, size_t n, void *arg)
{
	struct xb_rest_call *c = arg;
	bool stream = streams(c);

	if (c->in.n - c->scanned + n > (stream ? MAX_LINE : MAX_REPLY) && (!stream || !memchr(p, '\n', n))) {
		c->too_large = true;
		return 0;
	}
	xb_buf_add(&c->in, p, n);
	look_for_filled(c);
	if (stream && !c->is_ready) {
		c->is_ready = true;
		c->next_ready = c->via->ready;
		c->via->ready = c;
	}
	return c->in.err ? 0 : n;
}

/* Curl sends again what it sent on a kept connection that died without an answer: what writes may have been done by then. */
static int on_request(void *arg, char *ip, char *local_ip, int port, int local_port)
{
	struct xb_rest_call *c = arg;
	bool again = c->sent;

	c->sent = true;
	return again && !c->reads ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static int on_new_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &(int){ DEAD_PEER_MS }, sizeof(int));
	return CURL_SOCKOPT_OK;
}

/* --- making a call --- */
static CURLcode set_pem(CURL *e, const struct xb_pem *pem, CURLoption file, CURLoption blob)
{
	struct curl_blob b = { .data = pem->text, .len = pem->text ? strlen(pem->text) : 0, .flags = CURL_BLOB_COPY };

	if (pem->file)
		return curl_easy_setopt(e, file, pem->file);
	return pem->text ? curl_easy_setopt(e, blob, &b) : CURLE_OK;
}

static int set_tls(struct xb_rest *r, CURL *e)
{
	const struct xb_kubeconfig *k = &r->k;

	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, k->insecure ? 0L : 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, k->insecure ? 0L : 2L);
	/* With a CA of its own a cluster trusts that one alone; the system's folder would be searched as well. */
	if (k->ca.file || k->ca.text)
		curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	if (set_pem(e, &k->ca, CURLOPT_CAINFO, CURLOPT_CAINFO_BLOB) || set_pem(e, &k->cert, CURLOPT_SSLCERT, CURLOPT_SSLCERT_BLOB) ||
	    set_pem(e, &k->key, CURLOPT_SSLKEY, CURLOPT_SSLKEY_BLOB))
		return -ENOMEM;
	return 0;
}

static int add_header(struct xb_rest_call *c, const char *fmt, ...) _printf_(2, 3);
static int add_header(struct xb_rest_call *c, const char *fmt, ...)
{
	struct curl_slist *longer;
	struct xb_buf text = {};
	va_list ap;

	va_start(ap, fmt);
	xb_buf_addv(&text, fmt, ap);
	va_end(ap);
	longer = text.err ? NULL : curl_slist_append(c->headers, text.p);
	if (text.p)
		explicit_bzero(text.p, text.n);
	xb_buf_done(&text);
	if (!longer)
		return -ENOMEM;
	c->headers = longer;
	return 0;
}

static int add_token(struct xb_rest_call *c)
{
	const struct xb_kubeconfig *k = &c->r->k;
	struct xb_buf text = {};
	struct xb_sv token = xb_sv(k->token);
	int r = 0;

	if (k->token_file) {
		r = xb_file_read(k->token_file, MAX_TOKEN, &text);
		token = xb_sv_trim(xb_buf_sv(&text));
	}
	if (!r && token.n)
		r = add_header(c, "Authorization: Bearer %.*s", XB_SV_ARG(token));
	if (text.p)
		explicit_bzero(text.p, text.n);
	xb_buf_done(&text);
	return r;
}

static int set_headers(struct xb_rest_call *c, const struct xb_rest_request *q)
{
	int r = add_header(c, "Accept: %s", q->accept ? q->accept : "application/json");

	if (!r)
		r = add_header(c, "Expect:");
	if (!r && q->content_type)
		r = add_header(c, "Content-Type: %s", q->content_type);
	if (!r && c->r->host_header)
		r = add_header(c, "%s", c->r->host_header);
	if (!r)
		r = add_token(c);
	if (!r)
		curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers);
	return r;
}

static int set_request(struct xb_rest_call *c, const struct xb_rest_request *q)
{
	_cleanup_buf_ struct xb_buf url = {};
	CURL *e = c->easy;

	xb_buf_adds(&url, c->r->url);
	xb_buf_adds(&url, q->path);
	if (url.err || curl_easy_setopt(e, CURLOPT_URL, url.p) || curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, q->method))
		return -ENOMEM;
	c->reads = !strcmp(q->method, "GET") || !strcmp(q->method, "HEAD");
	if (!strcmp(q->method, "HEAD"))
		curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
	if (q->content_type) {
		curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.n);
		if (curl_easy_setopt(e, CURLOPT_COPYPOSTFIELDS, q->body.p ? q->body.p : ""))
			return -ENOMEM;
	}
	/* A compressed stream would hold events back. */
	if (!c->line)
		curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, q->timeout_ms ? (long)q->timeout_ms : REQUEST_MS);
	return set_headers(c, q);
}

static void set_transport(struct xb_rest_call *c)
{
	CURL *e = c->easy;

	curl_easy_setopt(e, CURLOPT_PRIVATE, c);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->error);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_request);
	curl_easy_setopt(e, CURLOPT_PREREQDATA, c);
	curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, on_new_socket);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(e, CURLOPT_PIPEWAIT, 1L);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(e, CURLOPT_TCP_KEEPIDLE, 15L);
	curl_easy_setopt(e, CURLOPT_TCP_KEEPINTVL, 5L);
	curl_easy_setopt(e, CURLOPT_USERAGENT, c->r->user_agent);
	curl_easy_setopt(e, CURLOPT_CONNECT_TO, c->r->connect_to);
}

/* Whose connection a new call is to use. */
static int find_room(struct xb_rest *root, bool stream, struct xb_rest **ret)
{
	while (stream && root->streams >= MAX_STREAMS) {
		int code = root->more ? 0 : xb_rest_new(root->loop, &root->k, root->user_agent, &root->more, NULL);

		if (code)
			return code;
		root->more->may = root->may;
		root->more->may_arg = root->may_arg;
		root = root->more;
	}
	*ret = root;
	return 0;
}

static int call_start(struct xb_rest *r, const struct xb_rest_request *q, void (*line)(void *arg, struct xb_sv line),
		      xb_rest_done done, void *arg, struct xb_rest_call **ret_call)
{
	struct xb_rest_call *c = calloc(1, sizeof(*c));
	int code;

	if (!c)
		return -ENOMEM;
	*c = (struct xb_rest_call){ .r = r, .line = line, .done = done, .arg = arg, .easy = curl_easy_init() };
	code = c->easy ? 0 : -ENOMEM;
	if (!code) {
		set_transport(c);
		code = set_tls(r, c->easy);
	}
	if (!code)
		code = set_request(c, q);
	if (!code)
		code = find_room(r->root, line, &c->via);
	if (!code && curl_multi_add_handle(c->via->multi, c->easy))
		code = -ENOMEM;
	if (code) {
		call_free(c);
		return code;
	}
	c->via->streams += line != NULL;
	c->next = r->calls;
	if (c->next)
		c->next->prev = c;
	r->calls = c;
	if (ret_call)
		*ret_call = c;
	return 0;
}

int xb_rest_send(struct xb_rest *r, const struct xb_rest_request *q, xb_rest_done done, void *arg, struct xb_rest_call **ret_call)
{
	return call_start(r, q, NULL, done, arg, ret_call);
}

int xb_rest_stream(struct xb_rest *r, const struct xb_rest_request *q, void (*line)(void *arg, struct xb_sv line), xb_rest_done done,
		   void *arg, struct xb_rest_call **ret_call)
{
	return call_start(r, q, line, done, arg, ret_call);
}

void xb_rest_fence(struct xb_rest *r, bool (*may)(void *arg), void *arg)
{
	r->may = may;
	r->may_arg = arg;
	if (r->nameless)
		xb_rest_fence(r->nameless, may, arg);
	if (r->more)
		xb_rest_fence(r->more, may, arg);
}

void xb_rest_add_query(struct xb_buf *path, const char *key, struct xb_sv value)
{
	static const char hex[] = "0123456789ABCDEF";

	xb_buf_addc(path, path->n && memchr(path->p, '?', path->n) ? '&' : '?');
	xb_buf_adds(path, key);
	xb_buf_addc(path, '=');
	for (size_t i = 0; i < value.n; i++) {
		unsigned char b = value.p[i];

		if ((b >= '0' && b <= '9') || (b >= 'A' && b <= 'Z') || (b >= 'a' && b <= 'z') || (b && strchr("-._~", b)))
			xb_buf_addc(path, b);
		else
			xb_buf_add(path, (char[]){ '%', hex[b >> 4], hex[b & 15] }, 3);
	}
}

/* --- the client --- */
static void curl_url_cleanupp(CURLU **u)
{
	curl_url_cleanup(*u);
}
static void curl_freep(char **p)
{
	curl_free(*p);
}

/* The server as curl shall see it. A TLS name other than the host's becomes the URL's host, so that curl sends and checks
 * it; the connection and the Host header keep the real one. */
static int set_server(struct xb_rest *r, char **reterr_why)
{
	_cleanup_(curl_url_cleanupp) CURLU *u = curl_url();
	_cleanup_(curl_freep) char *scheme = NULL, *host = NULL, *port = NULL, *url = NULL;
	_cleanup_buf_ struct xb_buf text = {};

	if (!u)
		return -ENOMEM;
	if (curl_url_set(u, CURLUPART_URL, r->k.server, 0) || curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) ||
	    (strcmp(scheme, "https") && strcmp(scheme, "http")) || curl_url_get(u, CURLUPART_HOST, &host, 0) ||
	    curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT))
		return xb_why(reterr_why, -EINVAL, "'%s' is not an http or https URL", r->k.server);
	if (!r->k.tls_server_name) {
		r->url = strdup(r->k.server);
		return r->url ? 0 : -ENOMEM;
	}
	xb_buf_addf(&text, "::%s:%s", host, port);
	r->connect_to = text.err ? NULL : curl_slist_append(NULL, text.p);
	xb_buf_clear(&text);
	xb_buf_addf(&text, "Host: %s:%s", host, port);
	r->host_header = xb_buf_steal(&text);
	if (!r->connect_to || !r->host_header)
		return -ENOMEM;
	if (curl_url_set(u, CURLUPART_HOST, r->k.tls_server_name, 0) || curl_url_get(u, CURLUPART_URL, &url, 0))
		return xb_why(reterr_why, -EINVAL, "'%s' is not a TLS server name", r->k.tls_server_name);
	r->url = xb_sv_dup(xb_sv_ends(xb_sv(url), "/") ? (struct xb_sv){ url, strlen(url) - 1 } : xb_sv(url));
	return r->url ? 0 : -ENOMEM;
}

static void timer_closed(uv_handle_t *h)
{
	struct xb_rest *r = h->data;

	if (!--r->open_timers)
		free(r);
}

struct xb_rest *xb_rest_free(struct xb_rest *r)
{
	if (!r)
		return NULL;
	xb_rest_free(r->nameless);
	while (r->calls) {
		struct xb_rest_call *c = r->calls;

		call_cut_off(c);
		call_free(c);
	}
	xb_rest_free(r->more);
	/* Closes the idle connections, and with them the sockets' poll handles. */
	if (r->multi)
		curl_multi_cleanup(r->multi);
	curl_slist_free_all(r->connect_to);
	xb_kubeconfig_done(&r->k);
	free(r->host_header);
	free(r->url);
	free(r->user_agent);
	if (r->loop) {
		uv_close((uv_handle_t *)&r->timer, timer_closed);
		uv_close((uv_handle_t *)&r->reread, timer_closed);
	} else {
		free(r);
	}
	return NULL;
}

int xb_rest_new(uv_loop_t *loop, const struct xb_kubeconfig *k, const char *user_agent, struct xb_rest **ret, char **reterr_why)
{
	_cleanup_(xb_rest_freep) struct xb_rest *r = NULL;
	int code;

	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return -ENOMEM;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->root = r;
	TAILQ_INIT(&r->sockets);
	r->user_agent = strdup(user_agent);
	r->multi = curl_multi_init();
	if (!r->user_agent || !r->multi)
		return -ENOMEM;
	code = xb_kubeconfig_copy(k, &r->k);
	if (code < 0)
		return code;
	code = set_server(r, reterr_why);
	if (code < 0)
		return code;
	uv_timer_init(loop, &r->timer);
	uv_timer_init(loop, &r->reread);
	r->timer.data = r->reread.data = r;
	r->open_timers = 2;
	r->loop = loop;
	curl_multi_setopt(r->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, MAX_AT_ONCE);
	curl_multi_setopt(r->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(r->multi, CURLMOPT_SOCKETDATA, r);
	curl_multi_setopt(r->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(r->multi, CURLMOPT_TIMERDATA, r);
	*ret = TAKE_PTR(r);
	return 0;
}

uv_loop_t *xb_rest_loop(const struct xb_rest *r)
{
	return r->root->loop;
}

uint64_t xb_rest_woken_ns(const struct xb_rest *r)
{
	uint64_t newest = 0;

	for (r = r->root; r; r = r->more)
		newest = MAX(newest, r->woken_ns);
	return newest;
}

/* --- as somebody else --- */

/* A multi of its own: curl lets requests wait for a connection that is being made only if it knows no other to that host. */
static int make_nameless(struct xb_rest *r)
{
	_cleanup_kubeconfig_ struct xb_kubeconfig k = {};
	int code = r->nameless ? 0 : xb_kubeconfig_copy(&r->k, &k);

	if (code || r->nameless)
		return code;
	xb_kubeconfig_forget_user(&k);
	code = xb_rest_new(r->loop, &k, r->user_agent, &r->nameless, NULL);
	if (!code)
		xb_rest_fence(r->nameless, r->may, r->may_arg);
	return code;
}

int xb_rest_as(struct xb_rest *r, const char *who, void (*refused)(void *arg), void *arg, struct xb_rest **ret)
{
	_cleanup_(xb_rest_freep) struct xb_rest *n = NULL;
	int code = make_nameless(r);

	if (code)
		return code;
	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	*n = (struct xb_rest){ .root = r->nameless, .refused = refused, .refused_arg = arg };
	if (asprintf(&n->user_agent, "%s/%s", r->user_agent, who) < 0) {
		n->user_agent = NULL;
		return -ENOMEM;
	}
	code = xb_kubeconfig_copy(&r->nameless->k, &n->k);
	if (!code)
		code = set_server(n, NULL);
	if (!code)
		*ret = TAKE_PTR(n);
	return code;
}

int xb_rest_set_token(struct xb_rest *r, struct xb_sv token)
{
	char *copy = xb_sv_dup(token);

	if (!copy)
		return -ENOMEM;
	xb_kubeconfig_forget_user(&r->k);
	r->k.token = copy;
	return 0;
}
