/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef JSON_NODE_H
#define JSON_NODE_H
/* Making nodes, for the files that build trees. */
#include "xb/tree.h"

/* Every object has one, for the arena in it; the table is made when the object is large and is searched. */
struct xb_tree_index {
	struct xb_arena *arena;
	struct xb_tree **slots; /* open addressing; NULL is empty, &gone was taken out */
	uint32_t mask, used;
};

static inline struct xb_tree *node_new(struct xb_arena *a, enum xb_json_type type)
{
	struct xb_tree *n = xb_arena_alloc(a, sizeof(*n) + (type == XB_JSON_OBJECT ? sizeof(*n->index) : 0));

	if (!n)
		return NULL;
	n->type = type;
	if (type == XB_JSON_OBJECT) {
		n->index = (struct xb_tree_index *)(n + 1);
		n->index->arena = a;
	}
	return n;
}

#endif
