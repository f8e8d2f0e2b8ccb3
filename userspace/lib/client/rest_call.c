/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Calls, from what was asked to what came of it. */
#include "fault.h"
#include "rest_inner.h"

#define MAX_REPLY       (256UL << 20)   /* the most a document may hold */
#define MAX_LINE        (16UL << 20)    /* a watch event: an object is at most 3 MiB */
#define MAX_STREAMS     100U            /* watches of one connection; beyond them another one is made, for watches only */
#define FILLED          (CURL_MAX_WRITE_SIZE / 2)   /* of curl's buffer, unpacked or not: it may have been too small */

static long call_code(const struct xb_rest_call *c)
{
	long code = 0;

	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &code);
	return code;
}

static bool streams(const struct xb_rest_call *c)
{
	long code = c->line ? call_code(c) : 0;

	return code >= 200 && code < 300;
}

/* --- the end of a call --- */
static void call_free(struct xb_rest_call *c)
{
	TAILQ_REMOVE(&c->r->calls, c, link);
	curl_easy_cleanup(c->easy);
	curl_slist_free_all(c->headers);
	xb_buf_done(&c->in);
	free(c);
}

void rest_call_drop(struct xb_rest_call *c)
{
	rest_drive_remove(c);
	call_free(c);
}

void xb_rest_cancel(struct xb_rest_call *c)
{
	if (!c || c->cancelled)
		return;
	rest_drive_unread(c->via);
	rest_drive_remove(c);
	/* Within one of its own callbacks: whoever called that frees it. */
	if (c->calling)
		c->cancelled = true;
	else
		call_free(c);
}

void rest_call_lines(struct xb_rest_call *c)
{
	size_t begin = 0;

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

	if (result)
		rest_drive_unread(c->via);
	rest_drive_remove(c);
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
	c->cancelled = true; /* done is the end, whoever cancels it in there */
	if (code == 401 && c->r->refused)
		c->r->refused(c->r->refused_arg);
	c->done(c->arg, (int)code, was_stream ? (struct xb_sv){} : xb_buf_sv(&c->in), &status);
	call_free(c);
}

/* --- its bytes --- */
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
	c->via->came = true;
	if (n >= FILLED)
		rest_drive_unread(c->via);
	if (stream && !c->is_ready) {
		c->is_ready = true;
		TAILQ_INSERT_TAIL(&c->via->ready, c, ready_link);
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
	TAILQ_INSERT_HEAD(&r->calls, c, link);
	code = c->easy ? rest_request_set(c, q) : -ENOMEM;
	if (!code)
		code = find_room(r->root, line, &c->via);
	if (code) {
		call_free(c);
		return code;
	}
	c->via->streams += line != NULL;
	c->is_waiting = true;
	TAILQ_INSERT_TAIL(&c->via->waiting, c, waiting_link);
	rest_drive_soon(c->via);
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
