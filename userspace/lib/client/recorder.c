/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <sys/queue.h>
#include "xb/map.h"
#include "xb/owner.h"
#include "xb/recorder.h"
#include "xb/time.h"

#define UNDER_WAY  16
#define WAITING    1000
#define REMEMBERED 4096             /* the rest as client-go's events_cache.go */
#define SIMILAR    10
#define SIMILAR_US (600 * 1000000LL)
#define BURST      25
#define REFILL_US  (300 * 1000000LL)
#define COMBINED   "(combined from similar events): "

/* What is known by one key, of one of three kinds: the allowance of a source and object, the messages that were alike in all
 * else, or an event that was sent. */
struct memory {
	TAILQ_ENTRY(memory) link;       /* the oldest first */
	int64_t at_us;                  /* of the last event */
	double allowance;
	uint64_t messages[SIMILAR + 1]; /* hashes of those that differ */
	unsigned n_messages;
	char *name;                     /* of the event */
	int64_t first_us;
	unsigned count;
	bool there;                     /* the server has it */
	struct write *queued, *under_way;
	size_t key_n;
	char key[];
};
struct write {
	TAILQ_ENTRY(write) link;
	struct xb_recorder *recorder;
	struct memory *memory;
	struct xb_rest_call *call;
	struct xb_buf collection, body; /* the whole event; of one that is there, what changed is cut out when it is sent */
	int64_t last_us;
	unsigned count;
	char *message;
};
TAILQ_HEAD(writes, write);

struct xb_recorder {
	struct xb_rest *rest;
	const char *host;
	struct xb_map *by_key;
	TAILQ_HEAD(, memory) memories;
	struct writes waiting, under_way;
	unsigned n_waiting, n_under_way;
	bool held;
	int64_t last_ns;                /* that the last name was made of */
	struct xb_recorder_stats stats;
};

/* --- memory --- */
static bool is_busy(const struct memory *m)
{
	return m->queued || m->under_way;
}

static void forget(struct xb_recorder *r, struct memory *m)
{
	xb_map_del(r->by_key, (struct xb_sv){ m->key, m->key_n });
	TAILQ_REMOVE(&r->memories, m, link);
	free(m->name);
	free(m);
}

static void forget_oldest(struct xb_recorder *r)
{
	struct memory *m, *next;

	for (m = TAILQ_FIRST(&r->memories); m && xb_map_count(r->by_key) > REMEMBERED; m = next) {
		next = TAILQ_NEXT(m, link);
		if (!is_busy(m))
			forget(r, m);
	}
}

static struct memory *remember(struct xb_recorder *r, const struct xb_buf *key)
{
	struct memory *m = key->err ? NULL : xb_map_get(r->by_key, xb_buf_sv(key));

	if (m) {
		TAILQ_REMOVE(&r->memories, m, link);
		TAILQ_INSERT_TAIL(&r->memories, m, link);
		return m;
	}
	m = key->err ? NULL : calloc(1, sizeof(*m) + key->n);
	if (!m)
		return NULL;
	m->key_n = key->n;
	memcpy(m->key, key->p, key->n);
	if (xb_map_set(r->by_key, (struct xb_sv){ m->key, m->key_n }, m, NULL)) {
		free(m);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&r->memories, m, link);
	return m;
}

static void key_of(const struct xb_event *e, char kind, struct xb_buf *out)
{
	xb_buf_addf(out, "%c%s\n%s\n%.*s", kind, e->component, e->kind->kind, XB_SV_ARG(xb_jv_meta(e->object, "uid")));
	xb_buf_addf(out, "\n%.*s\n%.*s", XB_SV_ARG(xb_jv_meta(e->object, "namespace")), XB_SV_ARG(xb_jv_meta(e->object, "name")));
	if (kind != 's')
		xb_buf_addf(out, "\n%d%s\n%s", e->type, e->reason, e->field_path ? e->field_path : "");
}

/* More than SIMILAR messages lately that differ: from now on they are one. */
static bool is_one_of_many(struct memory *m, struct xb_sv message, int64_t now)
{
	uint64_t hash = xb_hash(message);
	unsigned i = 0;

	if (now - m->at_us > SIMILAR_US)
		m->n_messages = 0;
	m->at_us = now;
	while (i < m->n_messages && m->messages[i] != hash)
		i++;
	if (i == m->n_messages && i < ARRAY_SIZE(m->messages))
		m->messages[m->n_messages++] = hash;
	return m->n_messages > SIMILAR;
}

static bool is_allowed(struct memory *m, int64_t now)
{
	double gained = m->at_us ? (double)(now - m->at_us) / REFILL_US : BURST;

	m->allowance = MIN(m->allowance + gained, BURST);
	m->at_us = now;
	if (m->allowance < 1)
		return false;
	m->allowance--;
	return true;
}

/* --- writes --- */
static struct write *write_free(struct write *w)
{
	if (!w)
		return NULL;
	xb_buf_done(&w->collection);
	xb_buf_done(&w->body);
	free(w->message);
	free(w);
	return NULL;
}
XB_DEFINE_CLEANUP(struct write *, write_free)

static void write_object(struct xb_jw *w, const struct xb_event *e)
{
	static const char *const same[] = { "namespace", "name", "uid", "resourceVersion" };
	_cleanup_buf_ struct xb_buf version = {};

	xb_kind_api_version(e->kind, &version);
	if (version.err)
		w->err = version.err;
	xb_jw_key(w, "involvedObject");
	xb_jw_object(w);
	xb_jw_kstr(w, "kind", e->kind->kind);
	xb_jw_ksv(w, "apiVersion", xb_buf_sv(&version));
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		if (xb_jv_meta(e->object, same[i]).n)
			xb_jw_ksv(w, same[i], xb_jv_meta(e->object, same[i]));
	if (e->field_path)
		xb_jw_kstr(w, "fieldPath", e->field_path);
	xb_jw_end(w);
}

static void write_source(const struct xb_recorder *r, struct xb_jw *w, const struct xb_event *e)
{
	xb_jw_key(w, "source");
	xb_jw_object(w);
	xb_jw_kstr(w, "component", e->component);
	if (r->host)
		xb_jw_kstr(w, "host", r->host);
	xb_jw_end(w);
	xb_jw_kstr(w, "reportingComponent", e->component);
	if (r->host)
		xb_jw_kstr(w, "reportingInstance", r->host);
}

static void write_event(const struct xb_recorder *r, const struct xb_event *e, struct xb_sv namespace_, struct write *o)
{
	struct xb_jw w = XB_JW(&o->body);

	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", "Event");
	xb_jw_kstr(&w, "apiVersion", "v1");
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_ksv(&w, "namespace", namespace_);
	xb_jw_kstr(&w, "name", o->memory->name);
	xb_jw_end(&w);
	write_object(&w, e);
	xb_jw_kstr(&w, "type", e->type == XB_EVENT_WARNING ? "Warning" : "Normal");
	xb_jw_kstr(&w, "reason", e->reason);
	xb_jw_kstr(&w, "message", o->message);
	write_source(r, &w, e);
	xb_jw_kstr(&w, "firstTimestamp", xb_time_format(o->memory->first_us).s);
	xb_jw_kstr(&w, "lastTimestamp", xb_time_format(o->last_us).s);
	xb_jw_kint(&w, "count", o->count);
	xb_jw_end(&w);
	if (xb_jw_finish(&w) < 0)
		o->body.err = -ENOMEM;
}

/* What a repetition changes. */
static void write_patch(const struct write *o, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_kint(&w, "count", o->count);
	xb_jw_kstr(&w, "lastTimestamp", xb_time_format(o->last_us).s);
	xb_jw_kstr(&w, "message", o->message);
	xb_jw_end(&w);
	if (xb_jw_finish(&w) < 0)
		out->err = -ENOMEM;
}

static void send_waiting(struct xb_recorder *r);
static void answered(void *arg, int code, struct xb_sv body, const struct xb_status *status);

static void drop(struct xb_recorder *r, struct write *o)
{
	o->memory->under_way = NULL;
	TAILQ_REMOVE(&r->under_way, o, link);
	r->n_under_way--;
	write_free(o);
}

static int ask(struct xb_recorder *r, struct write *o)
{
	_cleanup_buf_ struct xb_buf path = {}, patch = {};
	struct xb_rest_request q = { .method = "POST", .path = o->collection.p, .content_type = "application/json" };

	q.body = xb_buf_sv(&o->body);
	if (o->memory->there) {
		xb_buf_addf(&path, "%s/%s", o->collection.p, o->memory->name);
		write_patch(o, &patch);
		if (path.err || patch.err)
			return -ENOMEM;
		q = (struct xb_rest_request){ .method = "PATCH", .path = path.p, .body = xb_buf_sv(&patch),
					      .content_type = "application/strategic-merge-patch+json" };
	}
	r->stats.sent++;
	return xb_rest_send(r->rest, &q, answered, o, &o->call);
}

/* An event that is counted up may have expired meanwhile: it is made again. */
static void answered(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct write *o = arg;
	struct xb_recorder *r = o->recorder;

	o->call = NULL;
	if (code == 404 && o->memory->there) {
		o->memory->there = false;
		if (!ask(r, o))
			return;
	}
	if (code >= 200 && code < 300)
		o->memory->there = true;
	else
		r->stats.failed++;
	drop(r, o);
	send_waiting(r);
}

/* Two requests about one event are never under way together: the first may be the one that makes it. */
static struct write *next_waiting(const struct xb_recorder *r)
{
	struct write *o;

	TAILQ_FOREACH(o, &r->waiting, link)
		if (!o->memory->under_way)
			return o;
	return NULL;
}

static void send_waiting(struct xb_recorder *r)
{
	struct write *o;

	while (!r->held && r->n_under_way < UNDER_WAY && (o = next_waiting(r))) {
		TAILQ_REMOVE(&r->waiting, o, link);
		TAILQ_INSERT_TAIL(&r->under_way, o, link);
		r->n_waiting--;
		r->n_under_way++;
		o->memory->queued = NULL;
		o->memory->under_way = o;
		if (ask(r, o)) {
			r->stats.failed++;
			drop(r, o);
		}
	}
}

void xb_recorder_hold(struct xb_recorder *r, bool hold)
{
	r->held = hold;
	send_waiting(r);
}

/* A newer count takes the place of one that still waits. */
static void queue(struct xb_recorder *r, struct write *o)
{
	struct write *older = o->memory->queued;

	if (older) {
		TAILQ_INSERT_BEFORE(older, o, link);
		TAILQ_REMOVE(&r->waiting, older, link);
		write_free(older);
	} else {
		TAILQ_INSERT_TAIL(&r->waiting, o, link);
		r->n_waiting++;
	}
	o->memory->queued = o;
	send_waiting(r);
}

/* --- what comes in --- */
static int name_event(struct xb_recorder *r, struct memory *m, const struct xb_event *e, int64_t now)
{
	_cleanup_buf_ struct xb_buf name = {};

	r->last_ns = MAX(now * 1000, r->last_ns + 1);
	xb_buf_addf(&name, "%.*s.%llx", XB_SV_ARG(xb_jv_meta(e->object, "name")), (unsigned long long)r->last_ns);
	m->name = xb_buf_steal(&name);
	m->first_us = now;
	return m->name ? 0 : -ENOMEM;
}

static int render(struct xb_recorder *r, const struct xb_event *e, struct memory *m, struct xb_buf *message, int64_t now,
		  struct write **ret)
{
	_cleanup_(write_freep) struct write *o = calloc(1, sizeof(*o));
	struct xb_sv namespace_ = xb_jv_meta(e->object, "namespace");

	if (!o || (!m->name && name_event(r, m, e, now)))
		return -ENOMEM;
	if (!namespace_.n)
		namespace_ = XB_SV("default");
	*o = (struct write){ .recorder = r, .memory = m, .last_us = now, .count = m->count + 1, .message = xb_buf_steal(message) };
	xb_buf_addf(&o->collection, "/api/v1/namespaces/%.*s/events", XB_SV_ARG(namespace_));
	if (o->message)
		write_event(r, e, namespace_, o);
	if (!o->message || o->collection.err || o->body.err)
		return -ENOMEM;
	*ret = TAKE_PTR(o);
	return 0;
}

static int correlate(struct xb_recorder *r, const struct xb_event *e, struct xb_buf *message)
{
	_cleanup_buf_ struct xb_buf spam = {}, similar = {}, same = {}, combined = {};
	struct memory *source, *alike, *event;
	struct write *o = NULL;
	int64_t now = xb_time_now();
	int r1;

	key_of(e, 's', &spam);
	key_of(e, 'a', &similar);
	key_of(e, 'e', &same);
	alike = remember(r, &similar);
	source = remember(r, &spam);
	if (!alike || !source)
		return -ENOMEM;
	if (is_one_of_many(alike, xb_buf_sv(message), now)) {
		xb_buf_addf(&combined, COMBINED "%s", message->p);
		message = &combined;
	} else {
		xb_buf_addf(&same, "\n%s", message->p);
	}
	if (!is_allowed(source, now)) {
		r->stats.limited++;
		return 0;
	}
	event = remember(r, &same);
	if (!event || (!event->queued && r->n_waiting == WAITING))
		return -ENOBUFS;
	r1 = render(r, e, event, message, now, &o);
	if (r1)
		return r1;
	event->count++;
	queue(r, o);
	forget_oldest(r);
	return 0;
}

void xb_recorder_event(struct xb_recorder *r, const struct xb_event *e, const char *fmt, ...)
{
	_cleanup_buf_ struct xb_buf message = {};
	va_list ap;

	va_start(ap, fmt);
	xb_buf_addv(&message, fmt, ap);
	va_end(ap);
	r->stats.events++;
	if (message.err || !message.p || correlate(r, e, &message))
		r->stats.dropped++;
}

void xb_recorder_stats(const struct xb_recorder *r, struct xb_recorder_stats *ret)
{
	*ret = r->stats;
}

struct xb_recorder *xb_recorder_new(struct xb_rest *rest, const char *host)
{
	struct xb_recorder *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->rest = rest;
	r->host = host;
	TAILQ_INIT(&r->memories);
	TAILQ_INIT(&r->waiting);
	TAILQ_INIT(&r->under_way);
	r->by_key = xb_map_new(XB_MAP_BORROW);
	if (!r->by_key)
		free(TAKE_PTR(r));
	return r;
}

struct xb_recorder *xb_recorder_free(struct xb_recorder *r)
{
	struct memory *m;
	struct write *o;

	if (!r)
		return NULL;
	while ((o = TAILQ_FIRST(&r->under_way))) {
		xb_rest_cancel(o->call);
		drop(r, o);
	}
	while ((o = TAILQ_FIRST(&r->waiting))) {
		TAILQ_REMOVE(&r->waiting, o, link);
		write_free(o);
	}
	while ((m = TAILQ_FIRST(&r->memories)))
		forget(r, m);
	xb_map_free(r->by_key);
	free(r);
	return NULL;
}
