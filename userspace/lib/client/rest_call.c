/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A call from beginning to end. */
#include "fault.h"
#include "rest_inner.h"

#define MAX_REPLY       (256UL << 20)   /* the most a document may hold */
#define MAX_LINE        (16UL << 20)    /* a watch event: an object is at most 3 MiB */
#define STREAM_BUFFER   16384           /* what curl has for an answer before it hands it on */
#define MAX_STREAMS     100U            /* watches of one connection; beyond them another one is made, for watches only */
#define MAX_CONNECTIONS 2L              /* where one carries many requests: the second while the first is being left */

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
	rest_drive_reread(c->via);
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

void rest_call_drop(struct xb_rest_call *c)
{
	call_cut_off(c);
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

void rest_call_lines(struct xb_rest_call *c)
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

void rest_call_finish(struct xb_rest_call *c, CURLcode result)
{
	_cleanup_status_ struct xb_status status = {};
	long code = call_code(c);
	bool was_stream = streams(c);

	learn_protocol(c);
	call_detach(c);
	if (result)
		rest_drive_reread(c->via);
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

/* --- its bytes --- */
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
	rest_drive_reread(c->via);
}

/* Lines are handed on after curl has returned, since nothing may be started or cancelled from inside it. */
size_t rest_call_bytes(char *p, size_t size, size_t n, void *arg)
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

/* --- the beginning of a call --- */
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
	code = c->easy ? rest_request_set(c, q) : -ENOMEM;
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
