/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "field_item.h"

#define SET_DEPTH 64

static const struct xb_sv self = { ".", 1 };

bool xb_field_set_has_self(const struct xb_tree *at)
{
	return at && (!at->first || xb_sv_eq(at->first->key, self));
}

static int add_self(struct xb_arena *a, struct xb_tree *at)
{
	struct xb_tree *n = xb_tree_object(a);

	if (!n)
		return -ENOMEM;
	xb_tree_insert_member(at, at->first, self, n);
	return 0;
}

struct xb_tree *xb_field_set_at(const struct xb_tree *s, struct xb_sv element)
{
	return xb_tree_getsv(s, element);
}

/* --- what a client sends */

static bool is_value(struct xb_sv text, enum xb_json_type wanted)
{
	struct xb_json *doc = NULL;
	enum xb_json_type type;

	if (xb_json_parse(text, NULL, &doc, NULL))
		return false;
	type = xb_jv_type(xb_json_root(doc));
	xb_json_unref(doc);
	return wanted == XB_JSON_OBJECT ? type == wanted : type != XB_JSON_OBJECT && type != XB_JSON_ARRAY;
}

static bool is_element(struct xb_sv name)
{
	const struct xb_sv rest = { name.p + 2, name.n - 2 };
	int64_t index;

	if (name.n < 2 || name.p[1] != ':')
		return false;
	switch (name.p[0]) {
	case 'f':
		return true;
	case 'k':
		return is_value(rest, XB_JSON_OBJECT);
	case 'v':
		return is_value(rest, XB_JSON_STRING);
	case 'i':
		return !xb_sv_i64(rest, &index);
	default:
		return false;
	}
}

static int by_item(const void *x, const void *y)
{
	const struct xb_tree *const *a = x, *const *b = y;

	return xb_item_cmp((*a)->key, (*b)->key);
}

static int sort_members(struct xb_arena *a, struct xb_tree *s)
{
	const size_t n = s->count;
	struct xb_tree **all, *next;
	bool sorted = true;
	size_t i = 0;

	for (struct xb_tree *c = s->first; c && c->next && sorted; c = c->next)
		sorted = xb_item_cmp(c->key, c->next->key) <= 0;
	if (sorted)
		return 0;
	all = xb_arena_alloc(a, n * sizeof(*all));
	if (!all)
		return -ENOMEM;
	for (struct xb_tree *c = s->first; c; c = next) {
		next = c->next;
		all[i++] = c;
		xb_tree_remove(c);
	}
	qsort(all, n, sizeof(*all), by_item);
	for (i = 0; i < n; i++)
		xb_tree_insert_member(s, NULL, all[i]->key, all[i]);
	return 0;
}

static int check(struct xb_arena *a, struct xb_tree *s, unsigned depth)
{
	int r;

	if (s->type != XB_JSON_OBJECT || depth > SET_DEPTH)
		return -EINVAL;
	xb_tree_each(n, s) {
		if (depth && xb_sv_eq(n->key, self) ? n->type != XB_JSON_OBJECT || n->first : !is_element(n->key))
			return -EINVAL;
		r = check(a, n, depth + 1);
		if (r)
			return r;
	}
	if (s->count == 1 && xb_sv_eq(s->first->key, self))
		xb_tree_remove(s->first);
	return sort_members(a, s);
}

int xb_field_set_check(struct xb_arena *a, struct xb_tree *s)
{
	return check(a, s, 0);
}

/* --- algebra. Both sides are in order, so that one pass finds what is on both. */

static int add_copy(struct xb_arena *a, struct xb_tree *to, struct xb_tree *before, const struct xb_tree *n)
{
	struct xb_tree *copy = xb_tree_copy(a, n);

	if (!copy)
		return -ENOMEM;
	xb_tree_insert_member(to, before, n->key, copy);
	return 0;
}

static int unite(struct xb_arena *a, struct xb_tree *s, const struct xb_tree *more, bool root)
{
	struct xb_tree *at;
	int r = 0;

	if (!root && !s->first != !more->first && !xb_field_set_has_self(s->first ? s : more))
		r = add_self(a, s);
	at = s->first;
	for (const struct xb_tree *n = more->first; !r && n; n = n->next) {
		while (at && xb_item_cmp(at->key, n->key) < 0)
			at = at->next;
		r = at && xb_sv_eq(at->key, n->key) ? unite(a, at, n, false) : add_copy(a, s, at, n);
	}
	return r;
}

int xb_field_set_add(struct xb_arena *a, struct xb_tree *s, const struct xb_tree *more)
{
	return more ? unite(a, s, more, true) : 0;
}

static void remove_self(struct xb_tree *at)
{
	if (!at->first)
		xb_tree_remove(at);
	else if (xb_field_set_has_self(at))
		xb_tree_remove(at->first);
}

void xb_field_set_remove(struct xb_tree *s, const struct xb_tree *less)
{
	struct xb_tree *at = s->first, *next;

	for (const struct xb_tree *n = less ? less->first : NULL; n && at; n = n->next) {
		while (at && xb_item_cmp(at->key, n->key) < 0)
			at = at->next;
		if (!at || !xb_sv_eq(at->key, n->key))
			continue;
		next = at->next;
		if (at->first && n->first) {
			xb_field_set_remove(at, n);
			if (!at->first)
				xb_tree_remove(at);
			else if (at->count == 1 && xb_field_set_has_self(at))
				xb_tree_remove(at->first);
		} else if (xb_field_set_has_self(n)) {
			remove_self(at);
		}
		at = next;
	}
}

static int common(struct xb_arena *a, const struct xb_tree *x, const struct xb_tree *y, bool root, struct xb_tree **ret)
{
	const bool in_both = !root && xb_field_set_has_self(x) && xb_field_set_has_self(y);
	struct xb_tree *s = in_both ? xb_tree_object(a) : NULL, *child;
	const struct xb_tree *at = y->first;
	int r;

	if (in_both && !s)
		return -ENOMEM;
	for (const struct xb_tree *n = x->first; n && at; n = n->next) {
		while (at && xb_item_cmp(at->key, n->key) < 0)
			at = at->next;
		if (!at || !xb_sv_eq(at->key, n->key) || xb_sv_eq(n->key, self))
			continue;
		r = common(a, n, at, false, &child);
		if (r)
			return r;
		if (!child)
			continue;
		if (!s) {
			s = xb_tree_object(a);
			if (!s)
				return -ENOMEM;
		}
		if (in_both && !s->first && add_self(a, s))
			return -ENOMEM;
		xb_tree_insert_member(s, NULL, n->key, child);
	}
	*ret = s;
	return 0;
}

int xb_field_set_common(struct xb_arena *a, const struct xb_tree *x, const struct xb_tree *y, struct xb_tree **ret)
{
	*ret = NULL;
	return x && y ? common(a, x, y, true, ret) : 0;
}

/* --- paths in words */

/* Of one level first all that are in the set, then what is below. */
static int tell(const struct xb_tree *s, struct xb_buf *path, int (*each)(void *arg, struct xb_sv path), void *arg)
{
	const size_t start = path->n;
	int r = 0;

	for (unsigned below = 0; below < 2; below++) {
		for (const struct xb_tree *n = s->first; !r && n; n = n->next) {
			if (xb_sv_eq(n->key, self) || (below ? !n->first : !xb_field_set_has_self(n)))
				continue;
			xb_item_tell(n->key, path);
			r = path->err ? path->err : below ? tell(n, path, each, arg) : each(arg, xb_buf_sv(path));
			path->n = start;
		}
	}
	return r;
}

int xb_field_set_each(const struct xb_tree *s, int (*each)(void *arg, struct xb_sv path), void *arg)
{
	_cleanup_buf_ struct xb_buf path = {};

	return s ? tell(s, &path, each, arg) : 0;
}
