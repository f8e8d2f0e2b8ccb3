/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Idle watches on one collection, then updates of one object in it, one at a time: how long until each watch has it, and
 * until the last. An event counts by its newline, so nobody else may write to the collection meanwhile.
 */
#include "api.h"
#include "command.h"

enum { OPENING_MOST = 64, SPARE_FILES = 32, MOST_REPLY = 4 << 20 };
enum phase { PHASE_CREATE, PHASE_LIST, PHASE_OPEN, PHASE_EVENTS, PHASE_DELETE };

struct watcher {
	struct call call;
	int events;
	bool begun;
};
struct watch {
	const struct api_options *o;
	const struct target *target;
	struct object *object;
	struct conn_loop loop;
	struct conn writer, *conns;     /* conns: --streams watches on each */
	struct call write;
	struct watcher *watchers;
	struct xb_buf body;             /* of the writer's reply, or of the first refusal */
	struct xb_buf request;          /* of every watch */
	enum phase phase;
	int opened, begun, events, arrived;
	bool acknowledged;
	uint64_t sent_at, acknowledged_at, last_at, answered, bytes_in;
	char *first_error;
	uint64_t failed;
	struct latency ops[API_OPS];
	struct api_watched watched;
};
static struct watch *watch; /* of the one run a process makes */

static void fail(char *fault)
{
	if (watch->first_error)
		free(fault);
	else
		watch->first_error = fault;
	watch->failed++;
	watch->loop.stop = true;
}

static void write_object(enum api_op op)
{
	object_request(watch->object, op, watch->o->first, watch->target, &watch->write.out);
	xb_buf_clear(&watch->body);
	watch->acknowledged = false;
	watch->arrived = 0;
	watch->sent_at = now_ns();
	conn_send(&watch->write);
}

static void next_event(void)
{
	if (watch->events < watch->o->events)
		write_object(API_UPDATE);
	else
		watch->loop.stop = true;
}

static uint64_t since_ack(uint64_t at)
{
	return watch->acknowledged && at > watch->acknowledged_at ? at - watch->acknowledged_at : 0;
}

static void event_done(void)
{
	if (!watch->acknowledged || watch->arrived < watch->o->watches)
		return;
	latency_add(&watch->watched.since_send, watch->last_at - watch->sent_at);
	latency_add(&watch->watched.since_ack, since_ack(watch->last_at));
	watch->events++;
	next_event();
}

/* Few at a time: a server's queue of connections to accept is short. */
static void open_more(void)
{
	int streams = watch->o->streams, most = MAX((int)OPENING_MOST, streams);

	for (; watch->opened < watch->o->watches && watch->opened - watch->begun < most && !watch->failed; watch->opened += streams) {
		int r = conn_open(&watch->conns[watch->opened / streams], &watch->loop);

		if (r)
			fail(strdup(strerror(-r)));
	}
}

static void watch_from(struct xb_sv list)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	_cleanup_buf_ struct xb_buf query = {};
	struct xb_sv version;

	if (xb_json_parse(list, NULL, &doc, NULL)) {
		fail(strdup("the list is not JSON"));
		return;
	}
	version = xb_jv_text(xb_jv_path(xb_json_root(doc), "metadata", "resourceVersion"));
	xb_buf_addf(&query, "watch=1&resourceVersion=%.*s%s%s", XB_SV_ARG(version), watch->o->query ? "&" : "", watch->o->query ? watch->o->query : "");
	if (query.err)
		fail(NULL);
	else
		object_list(watch->object, query.p, watch->target, &watch->request);
}

static void writer_replied(struct call *c)
{
	bool exists = watch->phase == PHASE_CREATE && c->reply.code == 409;

	watch->answered++;
	if (c->reply.code >= 300 && !exists) {
		fail(api_fault(&c->out, c->reply.code, xb_buf_sv(&watch->body)));
		return;
	}
	switch (watch->phase) {
	case PHASE_CREATE:
		watch->phase = PHASE_LIST;
		xb_buf_clear(&watch->body);
		object_list(watch->object, "limit=1", watch->target, &c->out);
		conn_send(c);
		break;
	case PHASE_LIST:
		watch_from(xb_buf_sv(&watch->body));
		watch->loop.stop = true;
		break;
	case PHASE_EVENTS:
		watch->acknowledged_at = now_ns();
		watch->acknowledged = true;
		latency_add(&watch->ops[API_UPDATE], watch->acknowledged_at - watch->sent_at);
		event_done();
		break;
	default:
		watch->loop.stop = true;
	}
}

static void on_ready(struct conn *c)
{
	int first = (c - watch->conns) * watch->o->streams;

	if (c == &watch->writer) {
		write_object(API_CREATE);
		return;
	}
	for (int i = first; i < first + watch->o->streams && i < watch->o->watches && c->ready; i++) {
		struct call *call = &watch->watchers[i].call;

		call->conn = c;
		xb_buf_addsv(&call->out, xb_buf_sv(&watch->request));
		conn_send(call);
	}
}

static void on_head(struct call *c)
{
	struct watcher *w = container_of(c, struct watcher, call);

	if (c == &watch->write || c->reply.code != 200)
		return;
	xb_buf_done(&c->out);
	w->begun = true;
	watch->begun++;
	open_more();
	if (watch->begun == watch->o->watches)
		watch->loop.stop = true;
}

static void watcher_received(struct watcher *w, struct xb_sv piece)
{
	const char *end = piece.p + piece.n;
	bool last = false;

	watch->bytes_in += piece.n;
	for (const char *at = piece.p; (at = memchr(at, '\n', end - at)); at++)
		last = ++w->events == watch->events + 1;
	if (!last)
		return;
	watch->last_at = now_ns();
	latency_add(&watch->watched.receipt, since_ack(watch->last_at));
	watch->arrived++;
	event_done();
}

static void on_piece(struct call *c, struct xb_sv piece)
{
	struct watcher *w = container_of(c, struct watcher, call);

	if (c != &watch->write && w->begun)
		watcher_received(w, piece);
	else if (watch->body.n + piece.n <= MOST_REPLY)
		xb_buf_addsv(&watch->body, piece);
}

static void on_reply(struct call *c)
{
	if (c == &watch->write)
		writer_replied(c);
	else if (c->reply.code == 200)
		fail(strdup("the server ended a watch"));
	else
		fail(api_fault(&watch->request, c->reply.code, xb_buf_sv(&watch->body)));
}

static void on_lost(struct conn *c, const char *why)
{
	fail(strdup(why));
}

static void go(uint64_t until)
{
	int r = watch->failed ? 0 : conn_loop_run(&watch->loop, until);

	if (r)
		fail(strdup(r == -ETIME ? "not everything came in time" : strerror(-r)));
}

static void begin(void)
{
	static const struct conn_ops ops = { .ready = on_ready, .head = on_head, .piece = on_piece, .reply = on_reply, .lost = on_lost };
	int r = usage_allow_files(watch->watched.connections + SPARE_FILES, watch->o->server_pid);

	watch->write.conn = &watch->writer;
	if (!r)
		r = conn_loop_open(&watch->loop, watch->target, &ops);
	if (!r)
		r = conn_open(&watch->writer, &watch->loop);
	if (r)
		fail(strdup(strerror(-r)));
}

static void measure(struct api_report *report, uint64_t until)
{
	uint64_t start;

	report->before = usage_now(watch->o->server_pid);
	start = now_ns();
	watch->phase = PHASE_OPEN;
	open_more();
	go(until);
	watch->watched.open_seconds = (now_ns() - start) / 1e9;
	watch->watched.watches = watch->begun;
	watch->watched.idle = usage_now(watch->o->server_pid);
	start = now_ns();
	watch->phase = PHASE_EVENTS;
	if (!watch->failed)
		next_event();
	if (watch->o->events)
		go(until);
	report->seconds = (now_ns() - start) / 1e9;
	report->after = usage_now(watch->o->server_pid);
	watch->phase = PHASE_DELETE;
	if (!watch->failed)
		write_object(API_DELETE);
	go(until);
}

static void finish(struct api_report *report)
{
	for (unsigned i = 0; i < watch->watched.connections; i++)
		conn_close(&watch->conns[i]);
	conn_close(&watch->writer);
	conn_loop_close(&watch->loop);
	for (int i = 0; i < watch->o->watches; i++)
		xb_buf_done(&watch->watchers[i].call.out);
	xb_buf_done(&watch->write.out);
	xb_buf_done(&watch->body);
	xb_buf_done(&watch->request);
	report->requests = watch->answered;
	report->bytes_in = watch->bytes_in;
	report->failed = watch->failed;
	report->first_error = watch->first_error;
}

int api_watch(const struct api_options *o, const struct target *t, struct object *object)
{
	static struct watch w;
	struct api_report report = { .options = o, .ops = w.ops, .watched = &w.watched };
	uint64_t until = now_ns() + o->seconds * 1000000000ull;

	w = (struct watch){ .o = o, .target = t, .object = object, .loop.epoll = -1 };
	w.watched.connections = (o->watches + o->streams - 1) / o->streams;
	w.watchers = calloc(o->watches, sizeof(*w.watchers));
	w.conns = calloc(w.watched.connections, sizeof(*w.conns));
	watch = &w;
	if (w.watchers && w.conns) {
		begin();
		go(until);
		measure(&report, until);
		finish(&report);
		if (report_print(&report))
			w.failed++;
	} else {
		w.failed++;
	}
	free(w.conns);
	free(w.watchers);
	free(w.first_error);
	return w.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
