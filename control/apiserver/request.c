/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "access_log.h"
#include "flow.h"
#include "metrics.h"
#include "request.h"
#include "server.h"
#include "xb/random.h"

/* Of the trees of one request, some 140 bytes a value: enough for objects of any real shape at the body's limit of 3 MiB. */
#define ARENA_LIMIT (64u << 20)
#define STREAM_BYTES (256u << 10) /* that a list's window may hold */
#define STREAMS_NS 2000000 /* of writing more, before the loop looks at what else there is */

static const char *verb_of(struct xb_sv method)
{
	static const char *const verbs[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };

	for (unsigned i = 0; i < ARRAY_SIZE(verbs); i++)
		if (xb_sv_is(method, verbs[i]))
			return verbs[i];
	return xb_sv_is(method, "HEAD") ? verbs[0] : "other";
}

/* What the client chose, so that it finds its request in our logs; else one of ours. */
static int choose_audit_id(struct request *q)
{
	struct xb_sv given = xb_http_header(q->http, "Audit-ID");
	char uuid[37];

	if (given.n) {
		q->audit_id = xb_arena_strn(q->arena, given);
	} else {
		xb_uuid(uuid);
		q->audit_id = xb_arena_strn(q->arena, xb_sv(uuid));
	}
	return q->audit_id ? xb_http_add_header(q->http, "Audit-Id", q->audit_id) : -ENOMEM;
}

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
	q->began = uv_hrtime();
	q->audit_id = "";
	if (!http)
		return q;
	q->path = xb_http_path(http);
	q->verb = verb_of(xb_http_method(http));
	q->mutating = strcmp(q->verb, "GET");
	if (choose_audit_id(q)) {
		xb_arena_free(a);
		return NULL;
	}
	LIST_INSERT_HEAD(&s->requests, q, link);
	return q;
}

static void leave_flight(struct request *q)
{
	if (q->served)
		metrics_served(q->server->metrics, q->mutating, -1);
	q->served = false;
}

/* Not among those that may time out. */
static void unlink_request(struct request *q)
{
	if (q->link.le_prev)
		LIST_REMOVE(q, link);
	q->link.le_prev = NULL;
}

struct request *request_free(struct request *q)
{
	if (q->release)
		q->release(q);
	unlink_request(q);
	if (q->in_turn)
		TAILQ_REMOVE(&q->server->streams, q, turn);
	leave_flight(q);
	flow_seat_free(q->seat);
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

static void seat_gone(void *arg)
{
	flow_seat_free(arg);
}

/* The seat goes with the reply: what the client has not taken yet is memory, too. */
static struct xb_http_request *take_http(struct request *q, int code, size_t bytes)
{
	struct xb_http_request *http = q->http;

	q->reply_bytes += bytes;
	if (q->verb && !q->answered) {
		metrics_answered(q->server->metrics, q, code);
		access_log(q, code);
	}
	q->answered = true;
	q->http = NULL;
	if (!http || !q->seat)
		return http;
	flow_seat_widen(q->seat, bytes);
	xb_http_on_gone(http, seat_gone, TAKE_PTR(q->seat));
	return http;
}

/* q may have to stay until the store lets go of it. */
static void free_if_free(struct request *q)
{
	if (!q->in_store)
		request_free(q);
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
	http = take_http(q, code, body->n);
	if (http)
		xb_http_respond_buf(http, code, content_type, body);
	else
		xb_buf_done(body);
	free_if_free(q);
}

void request_reply(struct request *q, int code, const char *content_type, struct xb_sv body)
{
	struct xb_http_request *http = take_http(q, code, body.n);

	if (http)
		xb_http_respond(http, code, content_type, body);
	free_if_free(q);
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
	struct xb_http_request *http = take_http(q, 200, 0);

	if (http)
		xb_http_stream_end(http);
	free_if_free(q);
}

static void on_streams(uv_idle_t *idle)
{
	struct server *s = idle->data;
	uint64_t until = uv_hrtime() + STREAMS_NS;
	struct request *q;

	while ((q = TAILQ_FIRST(&s->streams)) && uv_hrtime() < until) {
		TAILQ_REMOVE(&s->streams, q, turn);
		q->in_turn = false;
		q->more(q);
	}
	if (TAILQ_EMPTY(&s->streams))
		uv_idle_stop(idle);
}

static void on_drain(struct xb_http_request *http)
{
	struct request *q = xb_http_user(http);
	struct server *s = q->server;

	if (q->in_turn)
		return;
	TAILQ_INSERT_TAIL(&s->streams, q, turn);
	q->in_turn = true;
	uv_idle_start(&s->stream_turn, on_streams);
}

void request_begin_stream(struct request *q, const char *content_type, void (*more)(struct request *q))
{
	q->streaming = true;
	q->more = more;
	if (q->seat)
		flow_seat_widen(q->seat, STREAM_BYTES);
	xb_http_stream_begin(q->http, 200, content_type, on_drain);
}

void request_stream(struct request *q, struct xb_sv bytes)
{
	q->reply_bytes += bytes.n;
	xb_http_stream_write(q->http, bytes);
}

void request_time_out(struct request *q)
{
	q->terminated = true;
	unlink_request(q);
	q->seat = q->served ? q->seat : flow_seat_free(q->seat);
	if (q->streaming) {
		request_end_stream(q);
		return;
	}
	xb_status_set(&q->fault, 504, "Timeout", "Timeout: request did not complete within the allotted timeout");
	request_fail(q, -ETIMEDOUT);
}

void request_refuse(struct request *q)
{
	q->terminated = true;
	if (q->http) {
		xb_http_add_header(q->http, "Retry-After", "1");
		xb_http_add_header(q->http, "X-Content-Type-Options", "nosniff");
	}
	request_reply(q, 429, "text/plain; charset=utf-8", XB_SV("Too many requests, please try again later.\n"));
}

void request_runs_long(struct request *q)
{
	q->deadline = 0;
	unlink_request(q);
}

static void on_handed_gone(void *arg)
{
	struct request *q = arg;

	metrics_answered(q->server->metrics, q, q->answer_code);
	request_free(q);
}

struct xb_http_request *request_hand_on(struct request *q)
{
	access_log(q, 0); /* of what comes of it the log knows nothing */
	xb_http_on_close(q->http, NULL, NULL);
	xb_http_on_gone(q->http, on_handed_gone, q);
	return TAKE_PTR(q->http);
}

void request_take_back(struct request *q, struct xb_http_request *http)
{
	xb_http_on_gone(http, NULL, NULL);
	xb_http_on_close(http, server_client_left, NULL);
	q->http = http;
}

void request_warn(struct request *q, struct xb_sv text)
{
	_cleanup_buf_ struct xb_buf value = {};

	q->warned = true;
	xb_buf_adds(&value, "299 - ");
	xb_buf_addq(&value, text);
	if (!value.err && q->http)
		xb_http_add_header(q->http, "Warning", value.p);
}

void request_forget(struct request *q, struct xb_arena_mark mark)
{
	while (q->n_documents)
		xb_json_unref(q->documents[--q->n_documents]);
	xb_arena_release(q->arena, mark);
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
