/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "request.h"
#include "server.h"

/* Of the trees of one request, some 140 bytes a value: enough for objects of any real shape at the body's limit of 3 MiB. */
#define ARENA_LIMIT (64u << 20)

struct request *request_new(struct server *s, struct xb_http_request *http)
{
	struct xb_arena *a = xb_arena_new(ARENA_LIMIT);
	struct request *q = a ? xb_arena_alloc(a, sizeof(*q)) : NULL;

	if (!q) {
		xb_arena_free(a);
		return NULL;
	}
	q->server = s;
	q->http = http;
	q->arena = a;
	if (http)
		q->path = xb_http_path(http);
	q->began = uv_hrtime();
	return q;
}

struct request *request_free(struct request *q)
{
	if (q->release)
		q->release(q);
	server_forget(q);
	xb_selector_free(q->labels);
	xb_field_selector_free(q->fields);
	xb_status_done(&q->fault);
	xb_buf_done(&q->strict);
	while (q->n_documents)
		xb_json_unref(q->documents[--q->n_documents]);
	xb_arena_free(q->arena);
	return NULL;
}

int request_keep(struct request *q, struct xb_json *doc)
{
	if (q->n_documents == ARRAY_SIZE(q->documents)) {
		xb_json_unref(doc);
		return -ENOMEM;
	}
	q->documents[q->n_documents++] = doc;
	return 0;
}

void request_reply_buf(struct request *q, int code, const char *content_type, struct xb_buf *body)
{
	struct xb_http_request *http;

	if (body->err) {
		xb_buf_done(body);
		code = 500;
		content_type = "text/plain; charset=utf-8";
		xb_buf_adds(body, "out of memory\n");
	}
	server_note(q, code);
	http = TAKE_PTR(q->http);
	if (http)
		xb_http_respond_buf(http, code, content_type, body);
	else
		xb_buf_done(body);
	request_free(q);
}

void request_reply(struct request *q, int code, const char *content_type, struct xb_sv body)
{
	struct xb_http_request *http;

	server_note(q, code);
	http = TAKE_PTR(q->http);
	if (http)
		xb_http_respond(http, code, content_type, body);
	request_free(q);
}

void request_reply_object(struct request *q, int code, const struct xb_json *doc)
{
	struct xb_buf body = {};

	encode_object(&q->encoding, doc, &body);
	request_reply_buf(q, code, negotiate_content_type(&q->encoding.accept), &body);
}

static void internal_fault(const struct request *q, int error, struct xb_status *s)
{
	if (error == -ENOMEM && xb_arena_full(q->arena)) {
		xb_status_set(s, 413, "RequestEntityTooLarge", "the request needs more memory than the %u MiB that one may have", ARENA_LIMIT >> 20);
		return;
	}
	switch (error) {
	case -EMSGSIZE:
		xb_status_set(s, 413, "RequestEntityTooLarge", "the object is too large for the store");
		return;
	case -EDQUOT:
		/* as upstream hands etcd's words on */
		xb_status_set(s, 500, NULL, "etcdserver: mvcc: database space exceeded");
		return;
	case -ENOSPC:
	case -EROFS:
	case -EIO:
		xb_status_set(s, 500, "InternalError", "Internal error occurred: the store cannot write: %s", strerror(-error));
		return;
	default:
		xb_status_set(s, 500, "InternalError", "Internal error occurred: %s", strerror(-error));
		return;
	}
}

void request_fail(struct request *q, int error)
{
	struct xb_buf body = {};
	char seconds[16];

	if (!q->fault.code)
		internal_fault(q, error, &q->fault);
	if (q->fault.code == 429 && q->http) {
		snprintf(seconds, sizeof(seconds), "%d", q->fault.retry_after);
		xb_http_add_header(q->http, "Retry-After", seconds);
	}
	xb_status_write(&q->fault, &body);
	xb_buf_addc(&body, '\n');
	request_reply_buf(q, q->fault.code, "application/json", &body);
}

static void committed(void *arg, int error, struct store_object *o)
{
	struct request *q = arg;

	q->in_store = false;
	if (error)
		xb_status_done(&q->fault);
	request_fail(q, error ? error : q->fault_error);
}

void request_fail_committed(struct request *q, int error)
{
	int r;

	q->fault_error = error;
	q->in_store = true;
	r = store_barrier(q->server->store, committed, q);
	if (!r)
		return;
	q->in_store = false;
	request_fail(q, r);
}

void request_end_stream(struct request *q)
{
	struct xb_http_request *http;

	server_note(q, 200);
	http = TAKE_PTR(q->http);
	if (http)
		xb_http_stream_end(http);
	request_free(q);
}

void request_warn(struct request *q, struct xb_sv text)
{
	_cleanup_buf_ struct xb_buf value = {};

	xb_buf_adds(&value, "299 - ");
	xb_buf_addq(&value, text);
	if (!value.err && q->http)
		xb_http_add_header(q->http, "Warning", value.p);
}

bool request_selects(const struct request *q, struct xb_jv object)
{
	if (q->labels && !xb_selector_matches(q->labels, xb_jv_path(object, "metadata", "labels")))
		return false;
	return !q->fields || xb_field_selector_matches(q->fields, object);
}

const char *request_resource(const struct request *q)
{
	const struct route *t = &q->route;

	return t->sub ? xb_arena_printf(q->arena, "%s/%s", t->kind->plural, t->sub->name) : t->kind->plural;
}
