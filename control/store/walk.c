/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "core.h"

/*
 * A walk merges two ordered maps: the store's tree as it is now, and "undone", what each key that has changed since held
 * at the walk's revision. The history fills undone: for each key, "previous" of its first change behind that revision.
 * A slot of undone holds that in committed (NULL: there was no such key), and the change's object in head, for its key.
 */
struct store_walk {
	struct store *s;
	uint64_t revision;
	uint64_t next;                  /* sequence of the first change not yet undone */
	uint32_t collection;
	int error;
	struct store_tree undone;
	struct store_cursor in_tree, in_undone;
	struct store_slot *tree, *undo; /* where the cursors are; behind "last" */
	struct store_object *last;      /* what was returned, referenced */
	bool begun;
	char *start;
	size_t length;
	char prefix[];
};

int store_walk_new(struct store *s, const char *prefix, const char *start, uint64_t at, struct store_walk **ret)
{
	_cleanup_(store_walk_freep) struct store_walk *w = NULL;
	size_t n = strlen(prefix);

	if (!at)
		at = s->revision;
	if (at > s->revision)
		return -ERANGE;
	if (at < s->history.compacted)
		return -ESTALE;
	w = calloc(1, sizeof(*w) + n + 1);
	if (!w)
		return -ENOMEM;
	w->s = s;
	w->revision = at;
	w->next = store_history_after(&s->history, at);
	w->collection = store_collection(prefix);
	w->length = n;
	memcpy(w->prefix, prefix, n + 1);
	w->start = strdup(start && strcmp(start, prefix) > 0 ? start : prefix);
	if (!w->start)
		return -ENOMEM;
	*ret = TAKE_PTR(w);
	return 0;
}

static bool under(const struct store_walk *w, const char *key)
{
	return !strncmp(key, w->prefix, w->length);
}

static int undo(struct store_walk *w)
{
	const struct store_history *h = &w->s->history;

	if (w->next < h->first)
		return -ESTALE;
	for (; w->next < h->end; w->next++) {
		const struct store_change *c = store_history_at(h, w->next);
		struct store_slot *slot;

		if ((w->collection && w->collection != c->collection) || !under(w, c->object->key))
			continue;
		slot = store_tree_obtain(&w->undone, c->object->key);
		if (!slot)
			return -ENOMEM;
		if (slot->head)
			continue;
		slot->head = store_object_ref(c->object);
		slot->committed = c->previous ? store_object_ref(c->previous) : NULL;
	}
	return 0;
}

/* Puts a cursor behind what was returned last, where the map has changed its shape or the walk has just begun. */
static void follow(const struct store_walk *w, const struct store_tree *t, struct store_cursor *c, struct store_slot **at)
{
	if (!w->begun || c->version != t->version)
		*at = store_tree_seek(t, w->last ? w->last->key : w->start, w->last != NULL, c);
}

static struct store_slot *peek(const struct store_walk *w, struct store_slot *at)
{
	return at && under(w, store_slot_key(at)) ? at : NULL;
}

struct store_object *store_walk_next(struct store_walk *w)
{
	struct store_object *o = NULL;

	if (!w->error)
		w->error = undo(w);
	if (w->error)
		return NULL;
	follow(w, &w->s->tree, &w->in_tree, &w->tree);
	follow(w, &w->undone, &w->in_undone, &w->undo);
	w->begun = true;
	while (!o) {
		struct store_slot *tree = peek(w, w->tree), *undo = peek(w, w->undo);
		int order = !tree ? 1 : !undo ? -1 : strcmp(store_slot_key(tree), store_slot_key(undo));

		if (!tree && !undo)
			return NULL;
		o = order < 0 ? tree->committed : undo->committed;
		if (order <= 0)
			w->tree = store_tree_next(&w->s->tree, &w->in_tree);
		if (order >= 0)
			w->undo = store_tree_next(&w->undone, &w->in_undone);
	}
	store_object_unref(w->last);
	w->last = store_object_ref(o);
	return o;
}

uint64_t store_walk_revision(const struct store_walk *w)
{
	return w->revision;
}

int store_walk_error(const struct store_walk *w)
{
	return w->error;
}

static void free_undone(struct store_walk *w)
{
	struct store_cursor c;

	for (struct store_slot *slot = store_tree_seek(&w->undone, "", false, &c); slot;
	     slot = store_tree_next(&w->undone, &c)) {
		store_object_unref(slot->head);
		store_object_unref(slot->committed);
	}
	store_tree_done(&w->undone);
}

struct store_walk *store_walk_free(struct store_walk *w)
{
	if (!w)
		return NULL;
	free_undone(w);
	store_object_unref(w->last);
	free(w->start);
	free(w);
	return NULL;
}
