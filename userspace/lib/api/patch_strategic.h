/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_API_PATCH_STRATEGIC_H
#define XB_API_PATCH_STRATEGIC_H
/* Strategic merge patch: what its two halves, objects (patch_strategic.c) and lists (patch_list.c), know of each other. */
#include "xb/patch.h"

struct xb_merge {
	struct xb_arena *a;
	struct xb_status *reterr;
};

/* The outcome is original, changed, or patch, or a new object. t: NULL where no rows describe it. */
int xb_merge_object(const struct xb_merge *m, const struct xb_type *t, struct xb_tree *original, struct xb_tree *patch,
		    struct xb_tree **ret);
/* patch is merged into original, in place. */
int xb_merge_list(const struct xb_merge *m, const struct xb_field *f, struct xb_tree *original, struct xb_tree *patch);
/* Elements of patch, all primitives, are taken out of original. */
int xb_merge_delete_primitives(const struct xb_merge *m, struct xb_tree *original, const struct xb_tree *patch);
/* Makes a piece of the patch fit to stand in an object: no nulls, no directives. False: it is a directive altogether. */
bool xb_merge_strip(struct xb_tree *n);

/* What upstream's merge gives back as a plain error, which its server answers with 500 and no reason. */
int xb_merge_failed(const struct xb_merge *m, const struct xb_buf *text);
int xb_merge_no_key(const struct xb_merge *m, const struct xb_tree *element, const char *key);
int xb_merge_bad_directive(const struct xb_merge *m, const struct xb_tree *directive, const struct xb_tree *in);
void xb_merge_add_go(struct xb_buf *out, const struct xb_tree *n); /* as Go's %v */

/* Elements of a list by their identity: the value of the merge key, or the element itself when key is NULL. */
struct xb_order {
	struct xb_order_place *all; /* sorted by identity; of equal ones the first in the list comes first */
	size_t n;
};
const struct xb_tree *xb_order_id(const struct xb_tree *element, const char *key); /* NULL without merge key */
int xb_order_compare(const struct xb_tree *a, const struct xb_tree *b);
/* list: NULL is an empty one. Elements without a merge key are an error. */
int xb_order_make(const struct xb_merge *m, const struct xb_tree *list, const char *key, struct xb_order *ret);
long xb_order_find(const struct xb_order *o, const struct xb_tree *id); /* -1: not there */
/*
 * Arranges list: elements that the patch names come in its order, the others in the order they had on the server; where
 * both meet, an element stays before those it was before.
 */
int xb_order_arrange(const struct xb_merge *m, struct xb_tree *list, const char *key, const struct xb_order *patch,
		     const struct xb_order *server);

#endif
