/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef STORE_TREE_H
#define STORE_TREE_H
/*
 * An ordered map from keys to slots, in byte order of the keys. It is a B+-tree of two levels: leaves of up to 64 slots
 * and one sorted array of leaves, so that a lookup is two binary searches over arrays and 10 million keys still split
 * with one short memmove. A slot costs 16 bytes, 23 with the usual free space. The key is the one in the slot's
 * objects: nothing is stored twice. References are the caller's business; the tree moves pointers only.
 */
#include "store.h"

struct store_slot {
	struct store_object *committed; /* what readers see; NULL: no such key yet, or any more */
	struct store_object *head;      /* newest version on its way to the disk; NULL: none is */
};
struct store_leaf;
struct store_tree {
	struct store_leaf **leaves;
	size_t n_leaves, cap;
	uint64_t version;               /* of the shape: a cursor or a slot's address is good while it stays the same */
	struct store_slot *found;       /* the last that was asked for, which is asked for again more often than not; NULL: none yet */
	uint64_t found_at;              /* version */
};
/* Frees the nodes; what the slots point to is let go before. */
void store_tree_done(struct store_tree *t);

struct store_slot *store_tree_find(struct store_tree *t, const char *key);
/* Finds or adds. A new slot is empty and must be given an object of that key before the next call. NULL without memory. */
struct store_slot *store_tree_obtain(struct store_tree *t, const char *key);
/* The slot must still have its object; never fails. */
void store_tree_remove(struct store_tree *t, const char *key);

struct store_cursor {
	uint64_t version;
	size_t leaf;
	unsigned slot;
};
/* The first slot at the key, or only behind it; NULL at the end. */
struct store_slot *store_tree_seek(const struct store_tree *t, const char *key, bool behind, struct store_cursor *ret);
/* The slot after the cursor's, which it moves to. The version must not have changed. */
struct store_slot *store_tree_next(const struct store_tree *t, struct store_cursor *c);

static inline const char *store_slot_key(const struct store_slot *s)
{
	return (s->head ? s->head : s->committed)->key;
}

#endif
