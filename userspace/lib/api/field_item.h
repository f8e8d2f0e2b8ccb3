/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_API_FIELD_ITEM_H
#define XB_API_FIELD_ITEM_H
/* Walking objects by their rows as server-side apply sees them: what is one value, and what a list's elements are called. */
#include "xb/field_set.h"

/* A value on the way down: a field as a whole, or one element of the list or map that it is. */
struct xb_spot {
	const struct xb_field *field;
	bool element;
};
static inline bool xb_spot_is_list(struct xb_spot s)
{
	return s.field->shape == XB_LIST && !s.element;
}
static inline bool xb_spot_is_map(struct xb_spot s)
{
	return s.field->shape == XB_MAP && !s.element;
}
/* Owned and replaced as a whole: scalars, and lists, maps and objects that say so. */
bool xb_spot_is_atomic(struct xb_spot s);
/* The spot of a member; .field is NULL when the type has no such field. */
struct xb_spot xb_spot_member(struct xb_spot s, struct xb_sv key);
/* Does the type itself name its members (an object's fields, unlike a map's keys)? */
static inline bool xb_spot_is_struct(struct xb_spot s)
{
	return !xb_spot_is_list(s) && !xb_spot_is_map(s) && s.field->kind == XB_T_OBJECT;
}
/* A field that stands for a whole object of the type. */
static inline struct xb_field xb_field_root(const struct xb_type *t)
{
	return (struct xb_field){ .name = "", .type = t, .kind = XB_T_OBJECT, .shape = XB_ONE };
}

/* "f:" + name; .p is NULL without memory. */
struct xb_sv xb_item_of_field(struct xb_arena *a, struct xb_sv name);
/* "k:{...}" or "v:..." for an element of a set or map list. -EINVAL: it has none of the keys, or no value of the kind. */
int xb_item_name(struct xb_arena *a, const struct xb_field *list, const struct xb_tree *item, struct xb_sv *ret);
/* Elements of one list. */
struct xb_item {
	struct xb_sv name;
	struct xb_tree *value;
	uint32_t place;        /* in the list */
};
struct xb_items {
	struct xb_item *at;
	size_t n;
};
/* The list's elements by name; what has none is left out, and of those of one name the order stays. */
int xb_items_sorted(struct xb_arena *a, const struct xb_field *f, const struct xb_tree *list, struct xb_items *ret);
const struct xb_item *xb_items_find(const struct xb_items *items, struct xb_sv name);

/* The order of names within a set. */
int xb_item_cmp(struct xb_sv a, struct xb_sv b);
/* A name in words: ".image", "[name=\"x\"]", "[=3]", "[0]". */
void xb_item_tell(struct xb_sv name, struct xb_buf *out);

#endif
