/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "core.h"

struct store_bucket {
	struct store_bucket *next;
	uint64_t hash;
	unsigned watches;
	struct store_watch_list resting;
	size_t length;
	char prefix[];
};
struct store_watch {
	TAILQ_ENTRY(store_watch) link;
	struct store_watch_list *on;    /* the bucket's resting, the woken ones, or NULL: its owner is reading */
	struct store *s;
	struct store_bucket *bucket;
	uint64_t next;                  /* sequence to look at; without meaning while resting */
	uint64_t seen;                  /* revision it has got to, while not resting */
	uint32_t collection;
	int error;
	struct store_event event;
	void (*ready)(void *arg);
	void *arg;
};

#define HASH_SEED 0xcbf29ce484222325
static inline uint64_t hash_byte(uint64_t h, char c)
{
	return (h ^ (unsigned char)c) * 0x100000001b3;
}

void store_watches_init(struct store_watches *w)
{
	TAILQ_INIT(&w->woken);
}

void store_watches_done(struct store_watches *w)
{
	free(w->table);
}

static struct store_bucket *find(const struct store_watches *w, uint64_t hash, const char *prefix, size_t n)
{
	for (struct store_bucket *b = w->table[hash & (w->size - 1)]; b; b = b->next)
		if (b->hash == hash && b->length == n && !memcmp(b->prefix, prefix, n))
			return b;
	return NULL;
}

static int grow(struct store_watches *w)
{
	size_t size = w->size ? w->size * 2 : 64;
	struct store_bucket **table;

	if (w->n_buckets < w->size)
		return 0;
	table = calloc(size, sizeof(*table));
	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < w->size; i++) {
		for (struct store_bucket *b = w->table[i], *next; b; b = next) {
			next = b->next;
			b->next = table[b->hash & (size - 1)];
			table[b->hash & (size - 1)] = b;
		}
	}
	free(w->table);
	w->table = table;
	w->size = size;
	return 0;
}

static struct store_bucket *obtain(struct store_watches *w, const char *prefix)
{
	size_t n = strlen(prefix);
	uint64_t hash = HASH_SEED;
	struct store_bucket *b;

	if (grow(w))
		return NULL;
	for (size_t i = 0; i < n; i++)
		hash = hash_byte(hash, prefix[i]);
	b = find(w, hash, prefix, n);
	if (b)
		return b;
	b = malloc(sizeof(*b) + n + 1);
	if (!b)
		return NULL;
	*b = (struct store_bucket){ .next = w->table[hash & (w->size - 1)], .hash = hash, .length = n };
	memcpy(b->prefix, prefix, n + 1);
	TAILQ_INIT(&b->resting);
	w->table[hash & (w->size - 1)] = b;
	w->n_buckets++;
	return b;
}

static void drop(struct store_watches *w, struct store_bucket *b)
{
	struct store_bucket **at = &w->table[b->hash & (w->size - 1)];

	if (--b->watches)
		return;
	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	w->n_buckets--;
	free(b);
}

static void move(struct store_watch *w, struct store_watch_list *to)
{
	if (w->on)
		TAILQ_REMOVE(w->on, w, link);
	w->on = to;
	if (to)
		TAILQ_INSERT_TAIL(to, w, link);
}

static void wake(struct store_watches *w, uint64_t hash, const struct store_object *o, size_t n, uint64_t sequence)
{
	struct store_bucket *b = find(w, hash, o->key, n);
	struct store_watch *resting;

	while (b && (resting = TAILQ_FIRST(&b->resting))) {
		resting->next = sequence;
		resting->seen = o->revision - 1;
		move(resting, &w->woken);
	}
}

void store_watches_note(struct store_watches *w, const struct store_object *o, uint64_t sequence)
{
	uint64_t hash = HASH_SEED;

	if (!w->n_buckets)
		return;
	wake(w, hash, o, 0, sequence);
	for (size_t i = 0; i < o->key_length; i++) {
		hash = hash_byte(hash, o->key[i]);
		if (o->key[i] == '/' || i + 1 == o->key_length)
			wake(w, hash, o, i + 1, sequence);
	}
}

void store_watches_call(struct store_watches *w)
{
	struct store_watch *woken;

	/* any of them may be freed by a callback: the list is looked at anew each time */
	while ((woken = TAILQ_FIRST(&w->woken))) {
		move(woken, NULL);
		woken->ready(woken->arg);
	}
}

int store_watch_new(struct store *s, const char *prefix, uint64_t from, void (*ready)(void *arg), void *arg,
		    struct store_watch **ret)
{
	struct store_bucket *b;
	struct store_watch *w;

	if (from > s->revision)
		return -ERANGE;
	if (from < s->history.compacted)
		return -ESTALE;
	w = malloc(sizeof(*w));
	if (!w)
		return -ENOMEM;
	b = obtain(&s->watches, prefix);
	if (!b) {
		free(w);
		return -ENOMEM;
	}
	b->watches++;
	*w = (struct store_watch){
		.s = s,
		.bucket = b,
		.next = store_history_after(&s->history, from),
		.seen = from,
		.collection = store_collection(prefix),
		.ready = ready,
		.arg = arg,
	};
	*ret = w;
	return 0;
}

static bool matches(const struct store_bucket *b, const struct store_object *o)
{
	if (b->length && b->prefix[b->length - 1] != '/')
		return o->key_length == b->length && !memcmp(o->key, b->prefix, b->length);
	return o->key_length >= b->length && !memcmp(o->key, b->prefix, b->length);
}

static void let_go(struct store_event *e)
{
	store_object_unref(e->object);
	store_object_unref(e->previous);
	*e = (struct store_event){};
}

static const struct store_event *give(struct store_watch *w, const struct store_change *c)
{
	w->event = (struct store_event){
		.type = c->object->deleted ? STORE_DELETED : c->previous ? STORE_MODIFIED : STORE_ADDED,
		.revision = c->revision,
		.object = store_object_ref(c->object),
		.previous = c->previous ? store_object_ref(c->previous) : NULL,
	};
	return &w->event;
}

const struct store_event *store_watch_next(struct store_watch *w)
{
	const struct store_history *h = &w->s->history;

	let_go(&w->event);
	if (w->error || w->on == &w->bucket->resting)
		return NULL;
	if (w->next < h->first) {
		w->error = -ESTALE;
		return NULL;
	}
	while (w->next < h->end) {
		const struct store_change *c = store_history_at(h, w->next++);

		w->seen = c->revision;
		if ((!w->collection || w->collection == c->collection) && matches(w->bucket, c->object))
			return give(w, c);
	}
	move(w, &w->bucket->resting);
	return NULL;
}

uint64_t store_watch_progress(const struct store_watch *w)
{
	return w->on == &w->bucket->resting ? w->s->revision : w->seen;
}

int store_watch_error(const struct store_watch *w)
{
	return w->error;
}

struct store_watch *store_watch_free(struct store_watch *w)
{
	if (!w)
		return NULL;
	let_go(&w->event);
	move(w, NULL);
	drop(&w->s->watches, w->bucket);
	free(w);
	return NULL;
}
