/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include "frame.h"
#include "list.h"
#include "metrics.h"
#include "options.h"
#include "server.h"
#include "watch.h"
#include "write.h"
#include "xb/random.h"
#include "xb/time.h"

#define WINDOW (256u << 10)     /* may wait in the connection before the cursor pauses */
#define BOOKMARK_MS 60000
#define PUMPS_A_TURN 64         /* of watches that have news */

struct watch {
	struct request *request;
	struct watch *next, *prev;         /* among the server's */
	TAILQ_ENTRY(watch) due_link;
	bool due;                          /* has news, and waits for its turn */
	struct store_watch *cursor;        /* NULL only when its start was compacted */
	struct store_walk *initial;        /* objects still to be sent as ADDED */
	int64_t end_ms, bookmark_ms;       /* when they are due, by xb_time_ms */
	bool columns;                      /* a Table's event must still define the columns */
	bool initial_end;                  /* a bookmark ends the initial events */
	bool enlisted;
};

static void set_due(struct watch *w, bool due)
{
	struct server *s = w->request->server;

	if (w->due == due)
		return;
	w->due = due;
	if (due)
		TAILQ_INSERT_TAIL(&s->due, w, due_link);
	else
		TAILQ_REMOVE(&s->due, w, due_link);
	if (TAILQ_EMPTY(&s->due))
		uv_idle_stop(&s->pump);
	else
		uv_idle_start(&s->pump, watch_pump);
}

static void release(struct request *q)
{
	struct server *s = q->server;
	struct watch *w = q->state;

	set_due(w, false);
	store_walk_free(w->initial);
	store_watch_free(w->cursor);
	if (w->prev)
		w->prev->next = w->next;
	else if (s->watches == w)
		s->watches = w->next;
	if (w->next)
		w->next->prev = w->prev;
	if (w->enlisted)
		metrics_watch(s->metrics, q, -1);
	if (!s->watches) {
		uv_timer_stop(&s->tick);
		frame_cache_clear(s->frames);
	}
}

static void enlist(struct server *s, struct watch *w)
{
	if (!s->watches)
		uv_timer_start(&s->tick, watch_tick, 1000, 1000);
	w->next = s->watches;
	if (w->next)
		w->next->prev = w;
	s->watches = w;
	metrics_watch(s->metrics, w->request, 1);
	w->enlisted = true;
}

static void write_buf(struct watch *w, const struct xb_buf *b)
{
	if (!b->err)
		xb_http_stream_write(w->request->http, xb_buf_sv(b));
}

static void send_bookmark(struct watch *w, uint64_t revision, bool initial_end)
{
	_cleanup_buf_ struct xb_buf out = {};

	encode_bookmark(&w->request->encoding, revision, initial_end, &out);
	write_buf(w, &out);
	metrics_event(w->request->server->metrics, w->request);
	w->bookmark_ms = xb_time_ms() + BOOKMARK_MS;
}

/* A stream that cannot go on says why as its last event. */
static void end_with_error(struct watch *w, int error, uint64_t from)
{
	_cleanup_status_ struct xb_status s = {};
	_cleanup_buf_ struct xb_buf out = {};
	struct request *q = w->request;

	if (error == -ESTALE)
		xb_status_set(&s, 410, "Expired", "too old resource version: %" PRIu64 " (%" PRIu64 ")", from, store_compacted(q->server->store));
	else
		xb_status_set(&s, 500, "InternalError", "Internal error occurred: %s", strerror(-error));
	encode_error_event(&s, &out);
	write_buf(w, &out);
	request_end_stream(q);
}

static void send_own(struct watch *w, const char *type, const struct xb_json *doc, uint64_t revision)
{
	_cleanup_buf_ struct xb_buf out = {};

	encode_event(&w->request->encoding, type, doc, revision, w->columns, &out);
	write_buf(w, &out);
	metrics_event(w->request->server->metrics, w->request);
	w->columns = false;
}

/*
 * With a selector, what an event is depends on the watcher: an object that begins to match is ADDED, one that no longer
 * does is DELETED, as it last matched and with the version at which it left.
 */
static int send_event(struct watch *w, const struct store_event *v)
{
	static const char *const names[] = { "ADDED", "MODIFIED", "DELETED" };
	struct request *q = w->request;
	bool is = v->type != STORE_DELETED && request_selects(q, xb_json_root(v->object->doc));
	bool was = v->previous && request_selects(q, xb_json_root(v->previous->doc));
	enum frame_type type = !is ? FRAME_DELETED : was ? FRAME_MODIFIED : FRAME_ADDED;
	bool left = !is && v->type != STORE_DELETED;
	const struct xb_json *doc = left && v->previous ? v->previous->doc : v->object->doc;
	struct xb_http_chunk *frame;

	if (!is && !was)
		return 0;
	if (w->columns) {
		send_own(w, names[type], doc, left ? v->revision : 0);
		return 0;
	}
	frame = frame_get(q->server->frames, &q->encoding, type, doc, v->revision, left);
	if (!frame)
		return -ENOMEM;
	xb_http_stream_write_chunk(q->http, frame);
	metrics_event(q->server->metrics, q);
	return 0;
}

/* The next of the initial objects; or the end of them. */
static int send_initial(struct watch *w)
{
	struct store_object *o = store_walk_next(w->initial);
	uint64_t revision = store_walk_revision(w->initial);
	int r;

	if (o) {
		if (request_selects(w->request, xb_json_root(o->doc)))
			send_own(w, "ADDED", o->doc, 0);
		return 0;
	}
	r = store_walk_error(w->initial);
	w->initial = store_walk_free(w->initial);
	if (!r && w->initial_end)
		send_bookmark(w, revision, true);
	return r;
}

static void pump(struct watch *w)
{
	struct request *q = w->request;
	const struct store_event *v;
	int r = 0;

	while (!r && xb_http_stream_pending(q->http) < WINDOW) {
		if (w->initial) {
			r = send_initial(w);
			continue;
		}
		v = store_watch_next(w->cursor);
		if (!v) {
			r = store_watch_error(w->cursor);
			break;
		}
		r = send_event(w, v);
	}
	if (r)
		end_with_error(w, r, store_watch_progress(w->cursor));
}

static void on_ready(void *arg)
{
	set_due(arg, true);
}

/* An event may concern thousands: a few each turn, so that requests come between, and what one wrote is sent from the cache. */
void watch_pump(uv_idle_t *idle)
{
	struct server *s = idle->data;
	struct watch *w;

	for (unsigned i = 0; i < PUMPS_A_TURN && (w = TAILQ_FIRST(&s->due)); i++) {
		set_due(w, false);
		pump(w);
	}
}

static void more(struct request *q)
{
	pump(q->state);
}

/* The server is stopping: the client comes back to another one, or later. */
static void on_shutdown(struct xb_http_request *http)
{
	request_end_stream(xb_http_user(http));
}

void watch_tick(uv_timer_t *t)
{
	struct server *s = t->data;
	int64_t now = xb_time_ms();
	struct watch *next;

	for (struct watch *w = s->watches; w; w = next) {
		bool ends = now >= w->end_ms;

		next = w->next;
		if (w->request->query.allow_bookmarks && !w->initial && (ends || now >= w->bookmark_ms))
			send_bookmark(w, store_watch_progress(w->cursor), false);
		if (ends)
			request_end_stream(w->request);
	}
}

/* What the client does not say is drawn between --min-request-timeout and twice as long, so that not all come back at once. */
static int64_t draw_timeout_ms(const struct request *q)
{
	int64_t least = MAX(q->server->options->min_request_timeout, 1);
	uint32_t spread;

	if (q->query.timeout_seconds > 0)
		return MIN(q->query.timeout_seconds, (int64_t)1 << 40) * 1000;
	xb_random_bytes(&spread, sizeof(spread));
	return (least + spread % least) * 1000;
}

/* Where the events begin, and whether the objects there are now come first (KEP-3157's table for sendInitialEvents). */
static int open_cursor(struct request *q, struct watch *w, const char *prefix, uint64_t revision)
{
	const struct query *y = &q->query;
	struct store *s = q->server->store;
	bool initial = y->send_initial_events == QUERY_TRUE || (y->send_initial_events == QUERY_UNSET && !revision);
	int r;

	if (initial) {
		r = store_walk_new(s, prefix, NULL, 0, &w->initial);
		if (r)
			return r;
		w->initial_end = y->send_initial_events == QUERY_TRUE && y->allow_bookmarks;
		revision = store_walk_revision(w->initial);
	} else if (!revision) {
		revision = store_revision(s);
	}
	return store_watch_new(s, prefix, revision, on_ready, w, &w->cursor);
}

int watch_handler(struct request *q)
{
	struct watch *w = xb_arena_alloc(q->arena, sizeof(*w));
	uint64_t revision = 0;
	const char *prefix;
	int r;

	if (!w)
		return -ENOMEM;
	r = query_check_list(q->arena, &q->query, &q->fault);
	if (!r)
		r = list_read_selectors(q);
	if (!r)
		r = query_revision(q->query.resource_version, false, &revision, &q->fault);
	if (!r)
		r = list_check_revision(q, revision);
	prefix = r ? NULL : list_prefix(q);
	if (r || !prefix)
		return r ? r : -ENOMEM;
	*w = (struct watch){ .request = q, .columns = q->encoding.accept.form == ACCEPT_TABLE };
	w->end_ms = xb_time_ms() + draw_timeout_ms(q);
	w->bookmark_ms = xb_time_ms() + BOOKMARK_MS;
	q->state = w;
	q->release = release;
	r = open_cursor(q, w, prefix, revision);
	if (r && r != -ESTALE)
		return r;
	enlist(q->server, w);
	q->encoding.accept.yaml = false;
	xb_http_on_close(q->http, server_client_left, on_shutdown);
	request_begin_stream(q, "application/json", more);
	if (r)
		end_with_error(w, r, revision);
	else
		pump(w);
	return 0;
}
