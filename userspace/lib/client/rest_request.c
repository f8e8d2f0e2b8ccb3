/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a call asks of curl. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "rest_inner.h"
#include "xb/file.h"

#define CONNECT_MS      10000L
#define REQUEST_MS      30000L
#define DEAD_PEER_MS    30000           /* unacknowledged bytes or keep-alive probes for so long: the connection is lost */
#define MAX_TOKEN       (64UL << 10)
#define UPLOAD_BUFFER   (16L << 10)     /* curl has one for each request with a body: its least, and more than most of ours have */

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

/* Curl sends again what it sent on a kept connection that died without an answer: what writes may have been done by then. And it sends
 * many in a row, between any two of which the process may have stood still. */
static int on_request(void *arg, char *ip, char *local_ip, int port, int local_port)
{
	struct xb_rest_call *c = arg;
	bool again = c->sent;

	if (!rest_may(c->r))
		return CURL_PREREQFUNC_ABORT;
	c->sent = true;
	return again && !c->reads ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static int on_new_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &(int){ DEAD_PEER_MS }, sizeof(int));
	return CURL_SOCKOPT_OK;
}

static void set_transport(struct xb_rest_call *c)
{
	CURL *e = c->easy;

	curl_easy_setopt(e, CURLOPT_PRIVATE, c);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->error);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, rest_call_bytes);
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

int rest_request_set(struct xb_rest_call *c, const struct xb_rest_request *q)
{
	int r;

	set_transport(c);
	r = set_tls(c->r, c->easy);
	return r ? r : set_request(c, q);
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
