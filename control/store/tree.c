/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tree.h"

#define LEAF_SLOTS 64

struct store_leaf {
	unsigned n; /* at least 1 */
	struct store_slot slots[LEAF_SLOTS];
};

void store_tree_done(struct store_tree *t)
{
	for (size_t i = 0; i < t->n_leaves; i++)
		free(t->leaves[i]);
	free(t->leaves);
	*t = (struct store_tree){};
}

/* The leaf in which the key is or belongs: the last one that begins at or before it, or the first. */
static size_t leaf_of(const struct store_tree *t, const char *key)
{
	size_t low = 0, high = t->n_leaves;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(store_slot_key(&t->leaves[middle]->slots[0]), key) <= 0)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* The first slot in the leaf whose key is not below the given one; leaf->n when all are. */
static unsigned slot_of(const struct store_leaf *leaf, const char *key, bool *ret_found)
{
	unsigned low = 0, high = leaf->n;

	*ret_found = false;
	while (low < high) {
		unsigned middle = (low + high) / 2;
		int order = strcmp(store_slot_key(&leaf->slots[middle]), key);

		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
			*ret_found |= !order;
		}
	}
	return low;
}

struct store_slot *store_tree_find(struct store_tree *t, const char *key)
{
	struct store_leaf *leaf;
	bool found;
	unsigned slot;

	if (t->found && t->found_at == t->version && !strcmp(store_slot_key(t->found), key))
		return t->found;
	if (!t->n_leaves)
		return NULL;
	leaf = t->leaves[leaf_of(t, key)];
	slot = slot_of(leaf, key, &found);
	if (!found)
		return NULL;
	t->found = &leaf->slots[slot];
	t->found_at = t->version;
	return t->found;
}

static struct store_leaf *add_leaf(struct store_tree *t, size_t at)
{
	struct store_leaf *leaf = malloc(sizeof(*leaf));

	if (!leaf)
		return NULL;
	if (t->n_leaves == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 16;
		struct store_leaf **leaves = reallocarray(t->leaves, cap, sizeof(*leaves));

		if (!leaves) {
			free(leaf);
			return NULL;
		}
		t->leaves = leaves;
		t->cap = cap;
	}
	memmove(&t->leaves[at + 1], &t->leaves[at], (t->n_leaves - at) * sizeof(*t->leaves));
	t->leaves[at] = leaf;
	t->n_leaves++;
	leaf->n = 0;
	return leaf;
}

static void remove_leaf(struct store_tree *t, size_t at)
{
	free(t->leaves[at]);
	t->n_leaves--;
	memmove(&t->leaves[at], &t->leaves[at + 1], (t->n_leaves - at) * sizeof(*t->leaves));
}

struct store_slot *store_tree_obtain(struct store_tree *t, const char *key)
{
	struct store_leaf *leaf, *upper;
	bool found = false;
	size_t at;
	unsigned slot;

	if (!t->n_leaves && !add_leaf(t, 0))
		return NULL;
	at = leaf_of(t, key);
	leaf = t->leaves[at];
	slot = slot_of(leaf, key, &found);
	if (found)
		return &leaf->slots[slot];
	if (leaf->n == LEAF_SLOTS) {
		/* keys that come in order fill their leaves: at the end of a leaf the new key alone moves on */
		unsigned keep = slot == LEAF_SLOTS ? LEAF_SLOTS : LEAF_SLOTS / 2;

		upper = add_leaf(t, at + 1);
		if (!upper)
			return NULL;
		upper->n = LEAF_SLOTS - keep;
		memcpy(upper->slots, &leaf->slots[keep], upper->n * sizeof(*upper->slots));
		leaf->n = keep;
		if (slot >= keep) {
			leaf = upper;
			slot -= keep;
		}
	}
	memmove(&leaf->slots[slot + 1], &leaf->slots[slot], (leaf->n - slot) * sizeof(*leaf->slots));
	leaf->slots[slot] = (struct store_slot){};
	leaf->n++;
	t->version++;
	return &leaf->slots[slot];
}

/* Two neighbours that together fill half a leaf become one, so that deletions give memory back. */
static void merge(struct store_tree *t, size_t at)
{
	struct store_leaf *a = t->leaves[at], *b = t->leaves[at + 1];

	if (a->n + b->n > LEAF_SLOTS / 2)
		return;
	memcpy(&a->slots[a->n], b->slots, b->n * sizeof(*b->slots));
	a->n += b->n;
	remove_leaf(t, at + 1);
}

void store_tree_remove(struct store_tree *t, const char *key)
{
	size_t at = leaf_of(t, key);
	struct store_leaf *leaf = t->leaves[at];
	bool found;
	unsigned slot = slot_of(leaf, key, &found);

	leaf->n--;
	memmove(&leaf->slots[slot], &leaf->slots[slot + 1], (leaf->n - slot) * sizeof(*leaf->slots));
	t->version++;
	if (!leaf->n)
		remove_leaf(t, at);
	else if (at + 1 < t->n_leaves)
		merge(t, at);
	else if (at)
		merge(t, at - 1);
}

static struct store_slot *settle(const struct store_tree *t, struct store_cursor *c)
{
	if (c->leaf < t->n_leaves && c->slot == t->leaves[c->leaf]->n) {
		c->leaf++;
		c->slot = 0;
	}
	return c->leaf < t->n_leaves ? &t->leaves[c->leaf]->slots[c->slot] : NULL;
}

struct store_slot *store_tree_seek(const struct store_tree *t, const char *key, bool behind, struct store_cursor *ret)
{
	bool found = false;

	*ret = (struct store_cursor){ .version = t->version };
	if (!t->n_leaves)
		return NULL;
	ret->leaf = leaf_of(t, key);
	ret->slot = slot_of(t->leaves[ret->leaf], key, &found);
	if (found && behind)
		ret->slot++;
	return settle(t, ret);
}

struct store_slot *store_tree_next(const struct store_tree *t, struct store_cursor *c)
{
	if (c->leaf < t->n_leaves)
		c->slot++;
	return settle(t, c);
}
