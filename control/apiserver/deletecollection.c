/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "delete.h"
#include "list.h"
#include "stored.h"

#define SLICE 256 /* deletions queued before the loop goes on with other work */

/* A collection's deletion: slice by slice along one consistent walk, answered with the objects when the last is done. */
struct collection {
	struct request *request;
	struct store_walk *walk;
	struct delete_options options;
	struct xb_buf items;               /* the answer's list so far */
	unsigned n_items, in_store;
	int error;                         /* the first */
	bool walked;
};

struct item {
	struct collection *collection;
	struct xb_arena *arena;
	struct write write;
};

static void release(struct request *q)
{
	struct collection *c = q->state;

	store_walk_free(c->walk);
	xb_buf_done(&c->items);
}

static void step(struct collection *c);

static void add_item(struct collection *c, const struct xb_json *doc)
{
	encode_list_item(&c->request->encoding, doc, !c->n_items++, &c->items);
}

static void item_done(void *arg, int error, struct store_object *o)
{
	struct item *i = arg;
	struct collection *c = i->collection;

	write_end(&i->write, !error);
	if (error && !c->error)
		c->error = error;
	if (!error)
		add_item(c, o->doc);
	xb_arena_free(i->arena);
	if (!--c->in_store)
		step(c);
}

static int queue_item(struct collection *c, struct item *i, const char *key, struct store_object *head, struct deletion_plan *plan)
{
	bool removes = plan->outcome == DELETION_REMOVES;
	_cleanup_buf_ struct xb_buf bytes = {};
	struct store_value value;
	int r;

	r = removes ? write_begin_removal(c->request, &i->write, plan->old) : 0;
	if (r)
		return r;
	r = stored_value(i->arena, plan->object, &bytes, &value);
	if (!r)
		r = (removes ? store_delete : store_put)(c->request->server->store, key, head->revision, &value, item_done, i);
	if (r)
		write_end(&i->write, false);
	else
		c->in_store++;
	return r;
}

/* The namespace and the name are the last parts of the key. */
static void name_of(struct item *i, const struct store_object *o)
{
	struct xb_jv meta = xb_jv_get(xb_json_root(o->doc), "metadata");

	i->write.name = xb_arena_sv(i->arena, xb_jv_text(xb_jv_get(meta, "name")));
	i->write.namespace_ = xb_arena_sv(i->arena, xb_jv_text(xb_jv_get(meta, "namespace")));
}

static int delete_item(struct collection *c, const char *key, struct store_object *head)
{
	struct request *q = c->request;
	_cleanup_(xb_arena_freep) struct xb_arena *arena = xb_arena_new(0);
	struct item *i = arena ? xb_arena_alloc(arena, sizeof(*i)) : NULL;
	struct deletion_plan plan;
	int r;

	if (!i)
		return -ENOMEM;
	*i = (struct item){ .collection = c, .arena = arena, .write = q->write };
	i->write.arena = arena;
	name_of(i, head);
	r = delete_plan(q, &i->write, &c->options, head, &plan);
	if (r)
		return r;
	if (plan.outcome == DELETION_CHANGES_NOTHING || i->write.dry_run) {
		add_item(c, head->doc);
		return 0;
	}
	r = queue_item(c, i, key, head, &plan);
	if (!r)
		TAKE_PTR(arena);
	return r;
}

static void finish(struct collection *c)
{
	struct request *q = c->request;
	struct xb_buf body;

	if (c->error) {
		request_fail(q, c->error);
		return;
	}
	encode_list_end(store_revision(q->server->store), (struct xb_sv){}, -1, &c->items);
	body = c->items;
	c->items = (struct xb_buf){};
	request_reply_buf(q, 200, negotiate_content_type(&q->encoding.accept), &body);
}

static void step(struct collection *c)
{
	struct request *q = c->request;

	while (!c->walked && !c->error && c->in_store < SLICE && q->http) {
		struct store_object *seen = store_walk_next(c->walk), *head;

		if (!seen) {
			c->walked = true;
			c->error = store_walk_error(c->walk);
			break;
		}
		head = store_head(q->server->store, seen->key);
		if (head && request_selects(q, xb_json_root(head->doc)))
			c->error = delete_item(c, seen->key, head);
	}
	q->in_store = c->in_store > 0;
	if (!q->in_store)
		finish(c);
}

int deletecollection_handler(struct request *q)
{
	struct collection *c = xb_arena_alloc(q->arena, sizeof(*c));
	const char *prefix;
	int r;

	if (!c)
		return -ENOMEM;
	c->request = q;
	r = write_init(q);
	if (!r)
		r = list_read_selectors(q);
	if (!r)
		r = delete_options_read(q, &c->options);
	if (r)
		return r;
	q->write.dry_run = q->query.n_dry_run > 0;
	prefix = write_key(q, &q->write);
	r = prefix ? store_walk_new(q->server->store, prefix, NULL, 0, &c->walk) : -ENOMEM;
	if (r)
		return r;
	q->state = c;
	q->release = release;
	encode_list_begin(&q->encoding, &c->items);
	step(c);
	return 0;
}
