/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <sys/queue.h>
#include "event_ttl.h"
#include "follow.h"
#include "registry/strategy.h"
#include "storage.h"
#include "stored.h"
#include "xb/map.h"
#include "xb/time.h"

#define WHEEL 512 /* slots; the time to live takes 256 of them at most, so that no slot holds two rounds */
#define SLICE 256 /* deletions under way at once */

TAILQ_HEAD(entry_list, entry);
struct entry {
	TAILQ_ENTRY(entry) link;
	struct entry_list *on;             /* a slot of the wheel, or what is due */
	struct store_object *object;       /* as it was written last: its key is the entry's */
};

/*
 * A wheel of slots, each for a stretch of time: an entry lies in the slot of the moment at which it is due. When that is past,
 * the whole slot is appended to what is due. A deletion is queued and its entry goes into the next slot: the commit takes it
 * away, and if there is none it is tried again.
 */
struct event_ttl {
	struct store *store;
	uv_loop_t *loop;
	uv_timer_t timer;
	uint64_t ttl, stretch;             /* milliseconds */
	uint64_t passed;                   /* stretches that are over */
	struct entry_list wheel[WHEEL], due;
	struct xb_map *entries;            /* by key, which lies in the object */
	unsigned in_store;
	bool stopped;
	unsigned n_kinds;
	struct expiring {
		struct follow follow;
		char *prefix;
	} kinds[];
};

static void file(struct event_ttl *t, struct entry *e, uint64_t at)
{
	uint64_t stretch = MAX(at / t->stretch + 1, t->passed + 1);

	if (e->on)
		TAILQ_REMOVE(e->on, e, link);
	e->on = &t->wheel[stretch % WHEEL];
	TAILQ_INSERT_TAIL(e->on, e, link);
}

/* When it was written, as far as its document tells; the server sets all of these. */
static int64_t written(const struct store_object *o)
{
	struct xb_jv meta = xb_jv_get(xb_json_root(o->doc), "metadata");
	int64_t newest = 0, time;

	if (!xb_time_parse(xb_jv_text(xb_jv_get(meta, "creationTimestamp")), &time))
		newest = time;
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(meta, "managedFields")); xb_jit_next(&it);)
		if (!xb_time_parse(xb_jv_text(xb_jv_get(stored_whole(it.value), "time")), &time))
			newest = MAX(newest, time);
	return newest;
}

static uint64_t age_ms(const struct store_object *o)
{
	int64_t age = (xb_time_now() - written(o)) / 1000;

	return age > 0 ? (uint64_t)age : 0;
}

static struct xb_sv key_of(const struct store_object *o)
{
	return (struct xb_sv){ o->key, o->key_length };
}

static void entry_free(struct entry *e)
{
	TAILQ_REMOVE(e->on, e, link);
	store_object_unref(e->object);
	free(e);
}

/* The entry of that key, with that object now. */
static struct entry *obtain(struct event_ttl *t, struct store_object *o)
{
	struct entry *e = xb_map_get(t->entries, key_of(o)), *made = e ? NULL : calloc(1, sizeof(*e));

	e = e ? e : made;
	if (!e || xb_map_set(t->entries, key_of(o), e, NULL)) {
		free(made);
		return NULL;
	}
	store_object_unref(e->object);
	e->object = store_object_ref(o);
	return e;
}

static void forget(struct event_ttl *t, const struct store_object *o)
{
	struct entry *e = xb_map_del(t->entries, key_of(o));

	if (e)
		entry_free(e);
}

static int changed(void *arg, struct store_object *now, struct store_object *before)
{
	struct event_ttl *t = arg;
	uint64_t age, clock = uv_now(t->loop);
	struct entry *e;

	if (!now) {
		forget(t, before);
		return 0;
	}
	e = obtain(t, now);
	if (!e)
		return -ENOMEM;
	/* one that is new here may be an old one of the store */
	age = before ? 0 : MIN(age_ms(now), t->ttl);
	file(t, e, clock + t->ttl - age);
	return 0;
}

static void drop_list(struct entry_list *list)
{
	struct entry *e;

	while ((e = TAILQ_FIRST(list)))
		entry_free(e);
}

/* What is there comes anew, and what is gone is noticed when it is due. */
static void reset(void *arg)
{
}

static void step(struct event_ttl *t);

static void deleted(void *arg, int error, struct store_object *o)
{
	struct event_ttl *t = arg;

	if (!--t->in_store && !t->stopped)
		step(t);
}

static int delete_one(struct event_ttl *t, struct entry *e)
{
	struct store_object *o = store_get(t->store, e->object->key);
	_cleanup_(xb_arena_freep) struct xb_arena *arena = NULL;
	_cleanup_buf_ struct xb_buf bytes = {};
	struct store_value last;
	struct xb_tree *tree;
	int r;

	if (!o) {
		forget(t, e->object);
		return 0;
	}
	/* being deleted, or written, which will file it anew */
	if (o != store_head(t->store, e->object->key))
		return 0;
	arena = xb_arena_new(0);
	tree = arena ? stored_tree(arena, o->doc) : NULL;
	r = tree ? stored_value(arena, tree, &bytes, &last) : -ENOMEM;
	if (!r)
		r = store_delete(t->store, o->key, o->revision, &last, deleted, t);
	if (!r)
		t->in_store++;
	return r;
}

/* Slice by slice: the next one begins when all of the last is committed. An error is the store's, which says so itself. */
static void step(struct event_ttl *t)
{
	struct entry *e;

	for (unsigned i = 0; i < t->n_kinds; i++)
		if (follow_catch_up(&t->kinds[i].follow))
			return;
	while (t->in_store < SLICE && (e = TAILQ_FIRST(&t->due))) {
		file(t, e, uv_now(t->loop));
		if (delete_one(t, e))
			return;
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct event_ttl *t = timer->data;
	uint64_t over = uv_now(t->loop) / t->stretch;

	for (unsigned i = 0; i < WHEEL && t->passed < over; i++) {
		struct entry_list *slot = &t->wheel[++t->passed % WHEEL];
		struct entry *e;

		TAILQ_FOREACH(e, slot, link)
			e->on = &t->due;
		TAILQ_CONCAT(&t->due, slot, link);
	}
	t->passed = over;
	if (!t->in_store)
		step(t);
}

static bool expires(const struct xb_kind *k)
{
	return !k->stored && strategy_of(k)->expires;
}

static int follow_kind(struct event_ttl *t, struct expiring *x, const struct xb_kind *k)
{
	x->prefix = storage_prefix(k);
	if (!x->prefix)
		return -ENOMEM;
	x->follow = (struct follow){ .store = t->store, .prefix = x->prefix, .changed = changed, .reset = reset, .arg = t };
	return follow_start(&x->follow);
}

static int begin(struct event_ttl *t)
{
	int r = 0;

	for (unsigned i = 0; i < WHEEL; i++)
		TAILQ_INIT(&t->wheel[i]);
	TAILQ_INIT(&t->due);
	t->entries = xb_map_new(XB_MAP_BORROW);
	if (!t->entries)
		return -ENOMEM;
	t->passed = uv_now(t->loop) / t->stretch;
	for (const struct xb_kind *const *k = xb_kinds; !r && *k; k++)
		if (expires(*k))
			r = follow_kind(t, &t->kinds[t->n_kinds++], *k);
	return r;
}

int event_ttl_new(uv_loop_t *loop, struct store *store, int64_t ttl_ms, struct event_ttl **ret)
{
	struct event_ttl *t;
	unsigned n = 0;
	int r;

	for (const struct xb_kind *const *k = xb_kinds; *k; k++)
		n += expires(*k);
	t = calloc(1, sizeof(*t) + n * sizeof(*t->kinds));
	if (!t)
		return -ENOMEM;
	t->store = store;
	t->loop = loop;
	t->ttl = (uint64_t)ttl_ms;
	t->stretch = MAX(1000u, t->ttl / (WHEEL / 2) + 1);
	uv_timer_init(loop, &t->timer);
	uv_unref((uv_handle_t *)&t->timer);
	t->timer.data = t;
	r = begin(t);
	if (r) {
		event_ttl_stop(t);
		event_ttl_free(t);
		return r;
	}
	uv_timer_start(&t->timer, on_timer, t->stretch, t->stretch);
	*ret = t;
	return 0;
}

void event_ttl_stop(struct event_ttl *t)
{
	if (!t || t->stopped)
		return;
	t->stopped = true;
	uv_close((uv_handle_t *)&t->timer, NULL);
	for (unsigned i = 0; i < t->n_kinds; i++)
		follow_stop(&t->kinds[i].follow);
}

struct event_ttl *event_ttl_free(struct event_ttl *t)
{
	if (!t)
		return NULL;
	for (unsigned i = 0; i < WHEEL; i++)
		drop_list(&t->wheel[i]);
	drop_list(&t->due);
	xb_map_free(t->entries);
	for (unsigned i = 0; i < t->n_kinds; i++)
		free(t->kinds[i].prefix);
	free(t);
	return NULL;
}
