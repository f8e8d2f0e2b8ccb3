/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <sys/queue.h>
#include "informer_index.h"
#include "xb/map.h"

struct bucket {
	struct xb_index *index;
	LIST_HEAD(, membership) members;
	size_t n, key_n;
	char key[];
};
struct membership {
	LIST_ENTRY(membership) link;    /* in its bucket */
	struct membership *next;        /* of the item */
	struct bucket *bucket;
	struct item *item;
};
struct xb_index {
	struct xb_index *next;
	xb_index_keys *keys;
	struct xb_map *buckets;
};
struct xb_index_entry {
	struct xb_index *index;
	struct item *item;
	int error;
};

struct xb_index *informer_index_new(struct xb_index **list, xb_index_keys *keys)
{
	struct xb_index *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->buckets = xb_map_new(XB_MAP_BORROW);
	if (!x->buckets) {
		free(x);
		return NULL;
	}
	x->keys = keys;
	x->next = *list;
	*list = x;
	return x;
}

void informer_indexes_free(struct xb_index *list)
{
	for (struct xb_index *next; list; list = next) {
		next = list->next;
		xb_map_free(list->buckets);
		free(list);
	}
}

static struct bucket *obtain(struct xb_index *x, struct xb_sv key)
{
	struct bucket *b = xb_map_get(x->buckets, key);

	if (b)
		return b;
	b = calloc(1, sizeof(*b) + key.n);
	if (!b)
		return NULL;
	b->index = x;
	b->key_n = key.n;
	if (key.n)
		memcpy(b->key, key.p, key.n);
	if (xb_map_set(x->buckets, (struct xb_sv){ b->key, key.n }, b, NULL)) {
		free(b);
		return NULL;
	}
	return b;
}

static void drop_if_empty(struct bucket *b)
{
	if (b->n)
		return;
	xb_map_del(b->index->buckets, (struct xb_sv){ b->key, b->key_n });
	free(b);
}

static bool has(const struct item *it, const struct bucket *b)
{
	for (const struct membership *m = it->in; m; m = m->next)
		if (m->bucket == b)
			return true;
	return false;
}

void xb_index_add(struct xb_index_entry *e, struct xb_sv key)
{
	struct bucket *b = obtain(e->index, key);
	struct membership *m = NULL;

	if (b && has(e->item, b))
		return;
	if (b)
		m = malloc(sizeof(*m));
	if (!m) {
		e->error = -ENOMEM;
		if (b)
			drop_if_empty(b);
		return;
	}
	*m = (struct membership){ .next = e->item->in, .bucket = b, .item = e->item };
	LIST_INSERT_HEAD(&b->members, m, link);
	b->n++;
	e->item->in = m;
}

int informer_index_add(struct xb_index *list, struct item *it)
{
	struct xb_index_entry e = { .item = it };

	for (e.index = list; e.index; e.index = e.index->next)
		e.index->keys(xb_json_root(it->doc), &e);
	return e.error;
}

void informer_index_drop(struct item *it)
{
	for (struct membership *m = TAKE_PTR(it->in), *next; m; m = next) {
		struct bucket *b = m->bucket;

		next = m->next;
		LIST_REMOVE(m, link);
		b->n--;
		drop_if_empty(b);
		free(m);
	}
}

size_t xb_index_count(const struct xb_index *x, struct xb_sv key)
{
	const struct bucket *b = xb_map_get(x->buckets, key);

	return b ? b->n : 0;
}

bool xb_index_next(const struct xb_index *x, struct xb_sv key, struct xb_index_it *it)
{
	const struct bucket *b = it->begun ? NULL : xb_map_get(x->buckets, key);
	const struct membership *m = it->at;

	if (!it->begun)
		m = b ? LIST_FIRST(&b->members) : NULL;
	else
		m = m ? LIST_NEXT(m, link) : NULL;
	it->begun = true;
	it->at = m;
	it->object = m ? xb_json_root(m->item->doc) : (struct xb_jv){};
	return m;
}
