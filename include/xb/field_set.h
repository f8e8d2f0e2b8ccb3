/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_FIELD_SET_H
#define XB_FIELD_SET_H
/*
 * Sets of paths to an object's fields: what a manager of fields owns (KEP-555, server-side apply). A set is its FieldsV1
 * tree, so reading and writing one costs nothing beyond the tree itself:
 *   {"f:spec":{"f:containers":{"k:{\"name\":\"x\"}":{".":{},"f:image":{}}},"f:replicas":{}}}
 * f: a field or a map's key; k: an element of a list, by its keys (a list map); v: by its value (a list set); i: by its
 * index. A path is in the set when its node has no members or has the member "."; a node that has others only is on the
 * way to paths. The root is never in it: {} is the empty set. Members stand in upstream's order: ".", f: by name, k: and
 * v: by value, i:. All sets here are so ordered; xb_field_set_check makes them so.
 *
 * What the server alone says of an object belongs to nobody and is in no set made here: apiVersion, kind, and metadata's
 * name, namespace, uid, resourceVersion, generation, creationTimestamp, selfLink, managedFields.
 *
 * Nodes come from the arena. All return 0 or -ENOMEM unless told otherwise. NULL is taken for the empty set.
 */
#include "xb/schema.h"

static inline bool xb_field_set_empty(const struct xb_tree *s)
{
	return !s || !s->first;
}
/* Is this FieldsV1? Puts its members in order. -EINVAL: not a set, or deeper than 64. */
int xb_field_set_check(struct xb_arena *a, struct xb_tree *s);
int xb_field_set_add(struct xb_arena *a, struct xb_tree *s, const struct xb_tree *more); /* s becomes the union; more is copied */
void xb_field_set_remove(struct xb_tree *s, const struct xb_tree *less);                 /* s becomes the difference */
int xb_field_set_common(struct xb_arena *a, const struct xb_tree *x, const struct xb_tree *y, struct xb_tree **ret);

/* One level down, by "f:spec", "k:{...}" and the like: NULL when no path of the set goes there. */
struct xb_tree *xb_field_set_at(const struct xb_tree *s, struct xb_sv element);
bool xb_field_set_has_self(const struct xb_tree *at);                                /* is the path to at, not the root, in the set */
/* In upstream's order and words: ".spec.containers[name=\"x\"].image". path is valid during the call. */
int xb_field_set_each(const struct xb_tree *s, int (*each)(void *arg, struct xb_sv path), void *arg);

/*
 * What an apply configuration claims to own: its scalars, atomic lists and maps, keys of maps and elements of lists. The
 * configuration is as it was sent. A client's fault is -EINVAL and the text of upstream's finding in retwhy:
 * ".spec.foo: field not declared in schema".
 */
int xb_field_set_of(struct xb_arena *a, const struct xb_type *t, const struct xb_tree *config, struct xb_tree **ret,
		    struct xb_buf *retwhy);
/* What became other or new from old to object, and what went. Duplicate elements of a list are one path, and one value. */
int xb_field_set_compare(struct xb_arena *a, const struct xb_type *t, const struct xb_tree *old, const struct xb_tree *object,
			 struct xb_tree **ret_changed, struct xb_tree **ret_removed);

#endif
