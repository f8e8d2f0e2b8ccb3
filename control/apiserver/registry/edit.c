/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "edit.h"

void edit_member(struct write *w, struct xb_tree *object, struct xb_sv key, struct xb_tree *value)
{
	if (object && value)
		xb_tree_set(object, key, value);
	else
		w->no_memory = true;
}

void edit_node(struct write *w, struct xb_tree *object, const char *key, struct xb_tree *value)
{
	edit_member(w, object, xb_sv(key), value);
}

void edit_str(struct write *w, struct xb_tree *object, const char *key, const char *text)
{
	edit_sv(w, object, key, xb_sv(text));
}

void edit_sv(struct write *w, struct xb_tree *object, const char *key, struct xb_sv text)
{
	edit_node(w, object, key, xb_tree_str(w->arena, text));
}

void edit_int(struct write *w, struct xb_tree *object, const char *key, int64_t n)
{
	edit_node(w, object, key, xb_tree_int(w->arena, n));
}

void edit_bool(struct write *w, struct xb_tree *object, const char *key, bool b)
{
	edit_node(w, object, key, xb_tree_bool(w->arena, b));
}

void edit_json(struct write *w, struct xb_tree *object, const char *key, const char *json)
{
	edit_node(w, object, key, xb_tree_parse(w->arena, json));
}

void edit_entry(struct write *w, struct xb_tree *map, struct xb_sv key, struct xb_sv text)
{
	edit_member(w, map, key, text.p ? xb_tree_str(w->arena, text) : NULL);
}

void edit_append(struct write *w, struct xb_tree *array, struct xb_tree *value)
{
	if (array && value)
		xb_tree_append(array, value);
	else
		w->no_memory = true;
}

void edit_str_default(struct write *w, struct xb_tree *object, const char *key, const char *text)
{
	if (!xb_tree_get(object, key))
		edit_str(w, object, key, text);
}

void edit_bool_default(struct write *w, struct xb_tree *object, const char *key, bool b)
{
	if (!xb_tree_get(object, key))
		edit_bool(w, object, key, b);
}

struct xb_tree *edit_obtain(struct write *w, struct xb_tree *object, const char *key)
{
	struct xb_tree *n = xb_tree_obtain(w->arena, object, key);

	if (!n)
		w->no_memory = true;
	return n;
}

struct xb_tree *edit_obtain_array(struct write *w, struct xb_tree *object, const char *key)
{
	if (!xb_tree_get(object, key))
		edit_node(w, object, key, xb_tree_array(w->arena));
	return xb_tree_get(object, key);
}

void edit_keep(struct write *w, struct xb_tree *object, const struct xb_tree *old, const char *key)
{
	const struct xb_tree *kept = xb_tree_get(old, key);

	if (kept)
		edit_node(w, object, key, xb_tree_copy(w->arena, kept));
	else
		xb_tree_del(object, key);
}

void edit_condition(struct write *w, struct xb_tree *status, const char *type, const char *value)
{
	struct xb_tree *conditions = edit_obtain_array(w, status, "conditions"), *c = NULL;

	xb_tree_each(each, conditions)
		if (xb_tree_is(xb_tree_get(each, "type"), type))
			c = each;
	if (c && xb_tree_is(xb_tree_get(c, "status"), value))
		return;
	if (!c) {
		c = xb_tree_parse(w->arena, "{\"lastProbeTime\":null}");
		edit_append(w, conditions, c);
		edit_str(w, c, "type", type);
	}
	edit_str(w, c, "status", value);
	edit_str(w, c, "lastTransitionTime", w->now);
}

bool edit_is_empty(const struct xb_tree *n)
{
	return !n || !n->first;
}

bool edit_same(const struct xb_tree *a, const struct xb_tree *b, const char *key)
{
	return xb_tree_equal(xb_tree_get(a, key), xb_tree_get(b, key));
}
