/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include "list.h"
#include "token.h"
#include "write.h"

#define CHUNK (64u << 10)   /* rendered at once; a list that fits is answered whole */
#define WINDOW (256u << 10) /* may wait in the connection before the walk pauses */

struct list {
	struct store_walk *walk;
	struct store_object *last;         /* given last; held, because the token is made from its key */
	struct xb_buf out;
	struct xb_sv start;                /* where the request's own token lets it begin; {} without one */
	size_t prefix;                     /* length of the prefix that the token leaves out */
	int64_t limit, given;              /* limit 0: none */
	int64_t left;                      /* keys from the walk's start on; -1: not known */
	bool more;
};

static void release(struct request *q)
{
	struct list *l = q->state;

	store_walk_free(l->walk);
	store_object_unref(l->last);
	xb_buf_done(&l->out);
}

int list_read_selectors(struct request *q)
{
	int r = xb_selector_parse(q->query.label_selector, &q->labels, &q->fault);

	return r ? r : xb_field_selector_parse(q->query.field_selector, q->route.kind->field_labels, &q->fields, &q->fault);
}

const char *list_prefix(struct request *q)
{
	const struct route *t = &q->route;
	struct xb_sv name = {};

	if (q->fields && (t->namespace_.n || !t->kind->namespaced))
		name = xb_field_selector_name(q->fields);
	return route_key(q->arena, t->kind, t->namespace_, name);
}

int list_check_revision(struct request *q, uint64_t revision)
{
	uint64_t newest = store_revision(q->server->store);

	if (revision <= newest)
		return 0;
	xb_status_set(&q->fault, 504, "Timeout", "Timeout: Too large resource version: %" PRIu64 ", current: %" PRIu64, revision, newest);
	xb_status_cause(&q->fault, "ResourceVersionTooLarge", XB_SV("Too large resource version"), (struct xb_sv){});
	q->fault.retry_after = 1;
	return -ERANGE;
}

/* A page that cannot be had as of its revision any more: the answer says how to go on without one. */
static int expired(struct request *q, struct xb_sv start)
{
	struct token t = { .revision = -1, .start = start, .left = -1 };
	struct xb_sv text = start.n ? token_write(q->arena, &t) : (struct xb_sv){};

	if (!start.n)
		return xb_status_set(&q->fault, 410, "Expired", "The resourceVersion for the provided list is too old.");
	xb_status_set(&q->fault, 410, "Expired", "%s",
		"The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue "
		"parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided "
		"token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was "
		"returned and now may show up in the list.");
	q->fault.continue_ = xb_sv_dup(text);
	return -ESTALE;
}

/* False: there is more, and the chunk is full. */
static bool fill(struct request *q, struct list *l, size_t chunk)
{
	while (l->out.n < chunk) {
		struct store_object *o = store_walk_next(l->walk);

		if (!o)
			return true;
		if (!request_selects(q, xb_json_root(o->doc)))
			continue;
		if (l->limit && l->given == l->limit) {
			l->more = true;
			return true;
		}
		encode_list_item(&q->encoding, o->doc, !l->given++, &l->out);
		store_object_unref(l->last);
		l->last = store_object_ref(o);
	}
	return false;
}

static int finish(struct request *q, struct list *l)
{
	struct token next = { .revision = (int64_t)store_walk_revision(l->walk), .left = -1 };
	struct xb_sv text = {};
	int r = store_walk_error(l->walk);

	if (r)
		return r == -ESTALE ? expired(q, l->start) : r;
	if (l->more) {
		next.start = xb_sv(l->last->key + l->prefix);
		if (l->left >= 0)
			next.left = MAX(l->left - l->given, (int64_t)1);
		text = token_write(q->arena, &next);
		if (!text.n)
			return -ENOMEM;
	}
	encode_list_end(store_walk_revision(l->walk), text, next.left, &l->out);
	return l->out.err;
}

/* With an answer under way there is no other way to tell of a fault than to leave the JSON unfinished. */
static int complete(struct request *q, struct list *l)
{
	struct xb_buf body;
	int r = finish(q, l);

	if (q->streaming) {
		if (!r)
			request_stream(q, xb_buf_sv(&l->out));
		request_end_stream(q);
		return 0;
	}
	if (r)
		return r;
	body = l->out;
	l->out = (struct xb_buf){};
	request_reply_buf(q, 200, negotiate_content_type(&q->encoding.accept), &body);
	return 0;
}

static void more(struct request *q);

static int pump(struct request *q)
{
	struct list *l = q->state;

	for (;;) {
		if (fill(q, l, CHUNK) || l->out.err)
			return complete(q, l);
		if (!q->streaming)
			request_begin_stream(q, negotiate_content_type(&q->encoding.accept), more);
		request_stream(q, xb_buf_sv(&l->out));
		xb_buf_clear(&l->out);
		if (xb_http_stream_pending(q->http) >= WINDOW)
			return 0;
	}
}

static void more(struct request *q)
{
	pump(q);
}

/* Which revision the query asks for: 0 is the newest. */
static int choose_revision(struct request *q, const struct token *t, uint64_t *ret)
{
	const struct query *y = &q->query;
	uint64_t revision;
	int r;

	r = query_revision(y->resource_version, true, &revision, &q->fault);
	if (r)
		return r;
	if (y->continue_.n) {
		if (y->resource_version.n && !xb_sv_is(y->resource_version, "0"))
			return xb_status_bad_request(&q->fault, "specifying resource version is not allowed when using continue");
		*ret = t->revision < 0 ? 0 : (uint64_t)t->revision;
		return 0;
	}
	r = list_check_revision(q, revision);
	if (r)
		return r;
	/* a limit without a match is exact, too: the pages after it will be */
	if (xb_sv_is(y->resource_version_match, "Exact") || (y->limit > 0 && !y->resource_version_match.n))
		*ret = revision;
	else
		*ret = 0;
	return 0;
}

static int open_walk(struct request *q, struct list *l)
{
	struct store *s = q->server->store;
	struct token t = { .left = -1 };
	const char *prefix, *start = NULL;
	uint64_t revision = 0;
	int r = 0;

	if (q->query.continue_.n)
		r = token_read(q->arena, q->query.continue_, &t, &q->fault);
	if (!r)
		r = choose_revision(q, &t, &revision);
	if (r)
		return r;
	l->start = t.start;
	prefix = list_prefix(q);
	/* byte 1 is the least that a key may go on with */
	if (prefix && t.start.n)
		start = xb_arena_printf(q->arena, "%s%.*s\001", prefix, XB_SV_ARG(t.start));
	if (!prefix || (t.start.n && !start))
		return -ENOMEM;
	l->prefix = strlen(prefix);
	r = store_walk_new(s, prefix, start, revision, &l->walk);
	if (r == -ESTALE)
		return expired(q, t.start);
	if (r == -ERANGE)
		return list_check_revision(q, revision);
	if (!q->labels && !q->fields)
		l->left = t.start.n ? t.left : revision && revision < store_revision(s) ? -1 : (int64_t)store_count(s, prefix);
	return r;
}

int list_handler(struct request *q)
{
	struct list *l = xb_arena_alloc(q->arena, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct list){ .limit = MAX(q->query.limit, (int64_t)0), .left = -1 };
	q->state = l;
	q->release = release;
	r = query_check_list(q->arena, &q->query, &q->fault);
	if (!r)
		r = list_read_selectors(q);
	if (!r)
		r = open_walk(q, l);
	if (r)
		return r;
	encode_list_begin(&q->encoding, &l->out);
	return pump(q);
}
