/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "core.h"

#define TICK_MS 1000

struct store_object *store_object_new(const char *key, uint64_t revision, uint64_t created, bool deleted,
				      struct xb_json *doc)
{
	size_t n = strlen(key);
	struct store_object *o = malloc(sizeof(*o) + n + 1);

	if (!o)
		return NULL;
	*o = (struct store_object){
		.refs = 1,
		.deleted = deleted,
		.revision = revision,
		.created = created,
		.doc = xb_json_ref(doc),
		.key_length = n,
	};
	memcpy(o->key, key, n + 1);
	return o;
}

struct store_object *store_object_ref(struct store_object *o)
{
	o->refs++;
	return o;
}

struct store_object *store_object_unref(struct store_object *o)
{
	if (o && !--o->refs) {
		xb_json_unref(o->doc);
		free(o);
	}
	return NULL;
}

/* One row at the start: rows behind the compacted revision are history as well as state. */
static int load_row(void *arg, const struct store_row *row)
{
	struct store *s = arg;
	const struct xb_json_limits limits = { .max_bytes = row->value.n };
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	_cleanup_(store_object_unrefp) struct store_object *o = NULL;
	struct store_slot *slot;
	int r = xb_json_parse(row->value, &limits, &doc, NULL);

	if (!r && row->parts.n)
		r = store_parts_attach(&s->parts, doc, row->parts);
	if (r)
		return r;
	o = store_object_new(row->key.p, row->revision, row->created, row->deleted, doc);
	slot = o ? store_tree_obtain(&s->tree, o->key) : NULL;
	if (!slot)
		return -ENOMEM;
	slot->head = store_object_ref(o);
	r = store_history_reserve(&s->history, 1);
	if (r)
		return r;
	store_write_commit(s, slot, o);
	store_history_trim(&s->history, row->revision > s->loaded ? s->max_bytes : 0, 0);
	return 0;
}

static int load_part(void *arg, uint64_t id, struct xb_sv value)
{
	struct store *s = arg;

	return store_parts_load(&s->parts, id, value);
}

static void part_dead(void *arg, uint64_t id)
{
	struct store *s = arg;

	store_history_bury_part(&s->history, id);
}

static int load(struct store *s, const char *data_dir, char **reterr_why)
{
	const struct store_loader loader = { .part = load_part, .row = load_row, .arg = s };
	int r = store_parts_init(&s->parts, part_dead, s);

	if (!r)
		r = s->engine->open(data_dir, &s->e, &s->loaded, reterr_why);
	s->history.compacted = s->loaded;
	if (!r)
		r = s->engine->load(s->e, &loader, reterr_why);
	store_parts_sweep(&s->parts);
	s->revision = s->assigned = MAX(s->revision, s->loaded);
	return r;
}

static int start(struct store *s, uv_loop_t *loop)
{
	int r;

	s->loop = loop;
	r = uv_async_init(loop, &s->collected, store_write_collect);
	if (r)
		return r;
	uv_idle_init(loop, &s->submit);
	uv_timer_init(loop, &s->tick);
	uv_timer_init(loop, &s->patience);
	s->handles = 4;
	s->collected.data = s->submit.data = s->tick.data = s->patience.data = s;
	uv_unref((uv_handle_t *)&s->collected);
	uv_unref((uv_handle_t *)&s->tick);
	uv_timer_start(&s->tick, store_write_tick, TICK_MS, TICK_MS);
	r = store_committer_start(&s->committer, s->engine, s->e, &s->collected);
	s->threaded = !r;
	return r;
}

int store_open(const struct store_config *c, struct store **ret, char **reterr_why)
{
	_cleanup_(store_closep) struct store *s = calloc(1, sizeof(*s));
	_cleanup_free_ char *why = NULL;
	int r;

	if (!s)
		return -ENOMEM;
	s->queue_end = &s->queue;
	s->max_bytes = c->history_bytes ? c->history_bytes : 64u << 20;
	s->max_seconds = c->history_seconds ? c->history_seconds : 300;
	s->max_value = c->max_value ? c->max_value : 3u << 19;
	s->quota = c->quota;
	s->refuses = c->refuses;
	s->arg = c->arg;
	s->engine = c->engine ? c->engine : &store_sqlite;
	s->loop = c->loop;
	store_watches_init(&s->watches);
	r = load(s, c->data_dir, &why);
	if (!r)
		r = start(s, c->loop);
	if (r) {
		*reterr_why = TAKE_PTR(why);
		return r;
	}
	store_limits_look(s);
	*ret = TAKE_PTR(s);
	return 0;
}

static void drop_slot(struct store_slot *slot)
{
	store_object_unref(slot->committed);
	store_object_unref(slot->head);
}

static void free_objects(struct store *s)
{
	struct store_cursor c;

	for (struct store_slot *slot = store_tree_seek(&s->tree, "", false, &c); slot; slot = store_tree_next(&s->tree, &c))
		drop_slot(slot);
	store_tree_done(&s->tree);
}

static void closed(uv_handle_t *h)
{
	struct store *s = h->data;

	if (!--s->handles)
		free(s);
}

struct store *store_close(struct store *s)
{
	if (!s)
		return NULL;
	if (s->threaded) {
		store_write_drain(s);
		store_committer_stop(&s->committer);
	}
	if (s->e)
		s->engine->close(s->e);
	store_parts_done(&s->parts);
	store_history_done(&s->history);
	store_watches_done(&s->watches);
	free_objects(s);
	store_prefixes_done(s);
	xb_buf_done(&s->scratch);
	if (!s->handles) {
		free(s);
		return NULL;
	}
	uv_close((uv_handle_t *)&s->collected, closed);
	uv_close((uv_handle_t *)&s->submit, closed);
	uv_close((uv_handle_t *)&s->tick, closed);
	uv_close((uv_handle_t *)&s->patience, closed);
	return NULL;
}

uint64_t store_revision(const struct store *s)
{
	return s->revision;
}

uint64_t store_compacted(const struct store *s)
{
	return s->history.compacted;
}

size_t store_count(const struct store *s, const char *prefix)
{
	size_t length = strlen(prefix), n = 0;
	struct store_cursor c;
	struct store_slot *slot = store_tree_seek(&s->tree, prefix, false, &c);

	for (; slot && !strncmp(store_slot_key(slot), prefix, length); slot = store_tree_next(&s->tree, &c))
		n += slot->committed != NULL;
	return n;
}

struct store_object *store_get(struct store *s, const char *key)
{
	const struct store_slot *slot = store_tree_find(&s->tree, key);

	return slot ? slot->committed : NULL;
}

struct store_object *store_head(struct store *s, const char *key)
{
	const struct store_slot *slot = store_tree_find(&s->tree, key);

	if (!slot || !slot->head)
		return slot ? slot->committed : NULL;
	return slot->head->deleted ? NULL : slot->head;
}

void store_stats(const struct store *s, struct store_stats *ret)
{
	*ret = (struct store_stats){
		.size = s->size,
		.quota = s->quota,
		.keys = s->keys,
		.bytes = s->bytes,
		.parts = xb_map_count(s->parts.by_value),
		.history_events = s->history.end - s->history.first,
		.history_bytes = s->history.bytes,
		.commits = s->commits,
		.writes = s->writes,
		.commit_ns_last = s->commit_ns,
		.batch_last = s->batch,
		.write_error = s->write_error,
	};
}
