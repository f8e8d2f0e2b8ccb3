/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "patch_strategic.h"

#define DELETE_FROM "$deleteFromPrimitiveList"
#define SET_ORDER "$setElementOrder"

/* A patch that upstream calls badly formed: 400. */
static int bad_format(const struct xb_merge *m, const char *what)
{
	return xb_status_bad_request(m->reterr, "invalid patch format of %s", what);
}

int xb_merge_failed(const struct xb_merge *m, const struct xb_buf *text)
{
	if (text->err)
		return text->err;
	xb_status_set(m->reterr, 500, "", "%s", text->p);
	return -EINVAL;
}

void xb_merge_add_go(struct xb_buf *out, const struct xb_tree *n)
{
	const bool map = n->type == XB_JSON_OBJECT;

	if (n->type == XB_JSON_NULL)
		xb_buf_adds(out, "<nil>");
	else if (n->type == XB_JSON_BOOL)
		xb_buf_adds(out, n->b ? "true" : "false");
	else if (!map && n->type != XB_JSON_ARRAY)
		xb_buf_addsv(out, n->text);
	else {
		xb_buf_adds(out, map ? "map[" : "[");
		xb_tree_each(c, n) {
			if (c != n->first)
				xb_buf_addc(out, ' ');
			if (map)
				xb_buf_addf(out, "%.*s:", XB_SV_ARG(c->key));
			xb_merge_add_go(out, c);
		}
		xb_buf_addc(out, ']');
	}
}

int xb_merge_no_key(const struct xb_merge *m, const struct xb_tree *element, const char *key)
{
	_cleanup_buf_ struct xb_buf text = {};

	xb_buf_adds(&text, "map: ");
	xb_merge_add_go(&text, element);
	xb_buf_addf(&text, " does not contain declared merge key: %s", key);
	return xb_merge_failed(m, &text);
}

int xb_merge_bad_directive(const struct xb_merge *m, const struct xb_tree *directive, const struct xb_tree *in)
{
	_cleanup_buf_ struct xb_buf text = {};

	xb_buf_adds(&text, "unknown patch type: ");
	xb_merge_add_go(&text, directive);
	xb_buf_adds(&text, " in map: ");
	xb_merge_add_go(&text, in);
	return xb_merge_failed(m, &text);
}

/* The field behind "<prefix>/", or {} when key is not of that form. */
static struct xb_sv directive_field(struct xb_sv key, const char *prefix)
{
	const size_t n = strlen(prefix);

	if (!xb_sv_starts(key, prefix) || key.n <= n || key.p[n] != '/')
		return (struct xb_sv){};
	return (struct xb_sv){ key.p + n + 1, key.n - n - 1 };
}

static bool is_directive(struct xb_sv key)
{
	return xb_sv_is(key, "$retainKeys") || xb_sv_starts(key, SET_ORDER) || xb_sv_starts(key, DELETE_FROM);
}

bool xb_merge_strip(struct xb_tree *n)
{
	for (struct xb_tree *c = n->first, *next; c; c = next) {
		next = c->next;
		if (n->type == XB_JSON_OBJECT && xb_sv_is(c->key, "$patch"))
			return false;
		if ((n->type == XB_JSON_OBJECT && (c->type == XB_JSON_NULL || is_directive(c->key))) || !xb_merge_strip(c))
			xb_tree_remove(c);
	}
	return true;
}

/* member leaves the patch and becomes (a part of) original. */
static void adopt(struct xb_tree *original, struct xb_sv key, struct xb_tree *member)
{
	struct xb_tree *old = xb_tree_getsv(original, key);

	if (xb_merge_strip(member))
		xb_tree_set(original, key, member);
	else if (old)
		xb_tree_remove(old);
}

/* --- directives of an object */

static int retain_keys(const struct xb_merge *m, struct xb_tree *original, struct xb_tree *patch)
{
	struct xb_tree *keep = xb_tree_get(patch, "$retainKeys");
	struct xb_order kept;
	int r;

	if (!keep)
		return 0;
	xb_tree_remove(keep);
	if (keep->type != XB_JSON_ARRAY)
		return bad_format(m, "retainKeys");
	r = xb_order_make(m, keep, NULL, &kept);
	if (r < 0)
		return r;
	xb_tree_each(member, patch) {
		const struct xb_tree name = { .type = XB_JSON_STRING, .text = member->key };

		if (member->type != XB_JSON_NULL && !xb_sv_starts(member->key, DELETE_FROM) && !xb_sv_starts(member->key, SET_ORDER) &&
		    xb_order_find(&kept, &name) < 0)
			return bad_format(m, "retainKeys");
	}
	for (struct xb_tree *member = original->first, *next; member; member = next) {
		const struct xb_tree name = { .type = XB_JSON_STRING, .text = member->key };

		next = member->next;
		if (xb_order_find(&kept, &name) < 0)
			xb_tree_remove(member);
	}
	return 0;
}

/* The patch's elements must come in the order that is to be set. */
static int check_order(const struct xb_merge *m, const char *key, const struct xb_tree *patch, const struct xb_tree *order)
{
	_cleanup_buf_ struct xb_buf text = {};
	const struct xb_tree *at = order->first, *n = patch ? patch->first : NULL;

	if (!order->first)
		return 0;
	while (n) {
		const struct xb_tree *id = xb_order_id(n, key), *wanted = at ? xb_order_id(at, key) : NULL;

		if (n->type == XB_JSON_OBJECT && xb_tree_get(n, "$patch")) {
			n = n->next;
			continue;
		}
		if (!id || (at && !wanted))
			return xb_merge_no_key(m, id ? at : n, key);
		if (!at) {
			xb_buf_adds(&text, "The order in patch list:\n");
			xb_merge_add_go(&text, patch);
			xb_buf_adds(&text, "\n doesn't match " SET_ORDER " list:\n");
			xb_merge_add_go(&text, order);
			xb_buf_addc(&text, '\n');
			return xb_merge_failed(m, &text);
		}
		if (!xb_order_compare(id, wanted))
			n = n->next;
		at = at->next;
	}
	return 0;
}

/* "$setElementOrder/<name>": <name> is merged here, then ordered, and taken out of the patch. */
static int set_order(const struct xb_merge *m, const struct xb_type *t, struct xb_sv name, struct xb_tree *original, struct xb_tree *patch,
		     const struct xb_tree *order)
{
	const struct xb_field *f = t ? xb_type_field(t, name) : NULL;
	struct xb_tree *list = xb_tree_getsv(original, name), *change = xb_tree_getsv(patch, name);
	struct xb_order wanted, server;
	const char *key;
	int r;

	if (!name.n || order->type != XB_JSON_ARRAY || (list && list->type != XB_JSON_ARRAY) || (change && change->type != XB_JSON_ARRAY))
		return bad_format(m, "setElementOrder list");
	if (!f || f->shape != XB_LIST)
		return xb_status_bad_request(m->reterr, "unable to find api field \"%.*s\" in %s", XB_SV_ARG(name), t ? t->name : "map");
	key = f->kind == XB_T_OBJECT ? f->merge_key : NULL;
	r = check_order(m, key, change, order);
	if (r == 0)
		r = xb_order_make(m, order, key, &wanted);
	if (r == 0)
		r = xb_order_make(m, list, key, &server);
	if (r < 0 || (!list && !change))
		return r;
	if (change)
		xb_tree_remove(change);
	if (!list) {
		xb_merge_strip(change);
		xb_tree_set(original, name, change);
		list = change;
	} else if (change && f->flags & XB_F_MERGE) {
		r = xb_merge_list(m, f, list, change);
	} else if (change) {
		xb_tree_set(original, name, change);
		list = change;
	}
	return r < 0 ? r : xb_order_arrange(m, list, key, &wanted, &server);
}

static int set_orders(const struct xb_merge *m, const struct xb_type *t, struct xb_tree *original, struct xb_tree *patch)
{
	for (struct xb_tree *n = patch->first, *next; n; n = next) {
		struct xb_sv name;
		int r;

		next = n->next;
		if (!xb_sv_starts(n->key, SET_ORDER))
			continue;
		name = directive_field(n->key, SET_ORDER);
		if (next && xb_sv_eq(next->key, name)) /* it will be used up */
			next = next->next;
		xb_tree_remove(n);
		r = set_order(m, t, name, original, patch, n);
		if (r < 0)
			return r;
	}
	return 0;
}

static int delete_from(const struct xb_merge *m, struct xb_tree *original, struct xb_tree *member)
{
	const struct xb_sv name = directive_field(member->key, DELETE_FROM);
	struct xb_tree *list = xb_tree_getsv(original, name);

	if (!name.n)
		return bad_format(m, "primitive list");
	if (!list || list->type != XB_JSON_ARRAY || member->type != XB_JSON_ARRAY)
		return 0;
	return xb_merge_delete_primitives(m, list, member);
}

/* One member of the patch, already taken out of it. */
static int merge_member(const struct xb_merge *m, const struct xb_type *t, struct xb_tree *original, struct xb_tree *member)
{
	const struct xb_field *f = t ? xb_type_field(t, member->key) : NULL;
	struct xb_tree *old = xb_tree_getsv(original, member->key), *merged;
	const struct xb_sv key = member->key;
	int r;

	if (member->type == XB_JSON_NULL) {
		if (old)
			xb_tree_remove(old);
		return 0;
	}
	if (!old || old->type != member->type) {
		adopt(original, key, member);
		return 0;
	}
	if (old->type == XB_JSON_OBJECT && !(f && f->flags & XB_F_REPLACE)) {
		r = xb_merge_object(m, f && f->shape == XB_ONE ? f->type : NULL, old, member, &merged);
		if (r == 0 && merged != old)
			xb_tree_set(original, key, merged);
		return r;
	}
	if (old->type == XB_JSON_ARRAY && f && f->flags & XB_F_MERGE)
		return xb_merge_list(m, f, old, member);
	xb_tree_set(original, key, member);
	return 0;
}

int xb_merge_object(const struct xb_merge *m, const struct xb_type *t, struct xb_tree *original, struct xb_tree *patch,
		    struct xb_tree **ret)
{
	struct xb_tree *directive = xb_tree_get(patch, "$patch");
	int r;

	if (directive && xb_tree_is(directive, "replace")) {
		xb_tree_remove(directive);
		*ret = patch;
		return 0;
	}
	if (directive && xb_tree_is(directive, "delete")) {
		struct xb_tree *empty = xb_tree_object(m->a);

		if (!empty)
			return -ENOMEM;
		*ret = empty;
		return 0;
	}
	if (directive)
		return xb_merge_bad_directive(m, directive, patch);

	r = retain_keys(m, original, patch);
	if (r == 0)
		r = set_orders(m, t, original, patch);
	while (r == 0 && patch->first) {
		struct xb_tree *member = patch->first;

		xb_tree_remove(member);
		r = xb_sv_starts(member->key, DELETE_FROM) ? delete_from(m, original, member) : merge_member(m, t, original, member);
	}
	if (r < 0)
		return r;
	*ret = original;
	return 0;
}

int xb_patch_strategic(struct xb_arena *a, const struct xb_type *t, struct xb_tree **target, struct xb_tree *patch,
		       struct xb_status *reterr)
{
	const struct xb_merge m = { a, reterr };

	if (patch->type != XB_JSON_OBJECT)
		return xb_status_bad_request(reterr, "json: cannot unmarshal array into Go value of type map[string]interface {}");
	return xb_merge_object(&m, t, *target, patch, target);
}
