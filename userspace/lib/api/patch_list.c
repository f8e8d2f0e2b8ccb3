/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "patch_strategic.h"

struct xb_order_place {
	const struct xb_tree *id;
	long index;
};

int xb_order_compare(const struct xb_tree *a, const struct xb_tree *b)
{
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	return a->type == XB_JSON_BOOL ? a->b - b->b : xb_sv_cmp(a->text, b->text);
}

static int by_id(const void *a, const void *b)
{
	const struct xb_order_place *x = a, *y = b;
	const int r = xb_order_compare(x->id, y->id);

	return r ? r : (x->index > y->index) - (x->index < y->index);
}

const struct xb_tree *xb_order_id(const struct xb_tree *element, const char *key)
{
	return key && element->type == XB_JSON_OBJECT ? xb_tree_get(element, key) : element;
}

int xb_order_make(const struct xb_merge *m, const struct xb_tree *list, const char *key, struct xb_order *ret)
{
	struct xb_order o = {};
	long i = 0;

	if (list && list->count) {
		o.all = xb_arena_alloc(m->a, list->count * sizeof(*o.all));
		if (!o.all)
			return -ENOMEM;
	}
	xb_tree_each(element, list) {
		const struct xb_tree *id = xb_order_id(element, key);

		if (!id)
			return xb_merge_no_key(m, element, key);
		o.all[o.n++] = (struct xb_order_place){ id, i++ };
	}
	if (o.n)
		qsort(o.all, o.n, sizeof(*o.all), by_id);
	*ret = o;
	return 0;
}

long xb_order_find(const struct xb_order *o, const struct xb_tree *id)
{
	size_t low = 0, high = o->n;

	while (low < high) {
		const size_t mid = (low + high) / 2;

		if (xb_order_compare(o->all[mid].id, id) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < o->n && !xb_order_compare(o->all[low].id, id) ? o->all[low].index : -1;
}

struct ranked {
	struct xb_tree *element;
	long rank, server, at;
};

static int by_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return x->rank != y->rank ? (x->rank > y->rank) - (x->rank < y->rank) : (x->at > y->at) - (x->at < y->at);
}

int xb_order_arrange(const struct xb_merge *m, struct xb_tree *list, const char *key, const struct xb_order *patch,
		     const struct xb_order *server)
{
	const size_t total = list->count;
	struct ranked *all = xb_arena_alloc(m->a, (total + 1) * sizeof(*all));
	size_t n_patch = 0, n_other = 0, i = 0, j = 0;
	long at = 0;

	if (!all)
		return -ENOMEM;
	/* the patch's from the front, the others' from the back */
	xb_tree_each(element, list) {
		const struct xb_tree *id = xb_order_id(element, key);
		struct ranked r = { .element = element, .at = at++ };

		if (!id)
			return xb_merge_no_key(m, element, key);
		r.server = xb_order_find(server, id);
		r.rank = xb_order_find(patch, id);
		if (r.rank >= 0) {
			all[n_patch++] = r;
		} else {
			r.rank = r.server;
			all[total - ++n_other] = r;
		}
	}
	struct ranked *others = all + n_patch;

	qsort(all, n_patch, sizeof(*all), by_rank);
	qsort(others, n_other, sizeof(*all), by_rank);
	while (list->first)
		xb_tree_remove(list->first);
	while (i < n_patch || j < n_other) {
		const bool other = i == n_patch || (j < n_other && others[j].server >= 0 && others[j].server < all[i].server);

		xb_tree_append(list, other ? others[j++].element : all[i++].element);
	}
	return 0;
}

/* Elements of both lists must be of one type, and no lists. XB_JSON_NONE: there are none. */
static int element_type(const struct xb_merge *m, const struct xb_tree *original, const struct xb_tree *patch, enum xb_json_type *ret)
{
	const struct xb_tree *const lists[] = { original, patch };
	enum xb_json_type type = XB_JSON_NONE;
	_cleanup_buf_ struct xb_buf text = {};

	for (unsigned i = 0; i < ARRAY_SIZE(lists); i++)
		xb_tree_each(element, lists[i]) {
			if (element->type == XB_JSON_ARRAY) {
				xb_status_set(m->reterr, 422, "Invalid", "the server rejected our request due to an error in our request");
				return -EINVAL;
			}
			if (type != XB_JSON_NONE && element->type != type) {
				xb_buf_adds(&text, "list element types are not identical: [");
				xb_merge_add_go(&text, original);
				xb_buf_addc(&text, ' ');
				xb_merge_add_go(&text, patch);
				xb_buf_addc(&text, ']');
				return xb_merge_failed(m, &text);
			}
			type = element->type;
		}
	*ret = type;
	return 0;
}

static void primitives_merge(struct xb_tree *original, struct xb_tree *patch, const struct xb_order *known, const struct xb_order *added)
{
	long i = 0;

	for (struct xb_tree *n = patch->first, *next; n; n = next, i++) {
		next = n->next;
		if (xb_order_find(known, n) >= 0 || xb_order_find(added, n) != i)
			continue;
		xb_tree_remove(n);
		xb_tree_append(original, n);
	}
}

int xb_merge_delete_primitives(const struct xb_merge *m, struct xb_tree *original, const struct xb_tree *patch)
{
	struct xb_order gone;
	int r;

	r = xb_order_make(m, patch, NULL, &gone);
	if (r < 0)
		return r;
	for (struct xb_tree *n = original->first, *next; n; n = next) {
		next = n->next;
		if (xb_order_find(&gone, n) >= 0)
			xb_tree_remove(n);
	}
	return 0;
}

static int objects_delete(const struct xb_merge *m, const char *key, struct xb_tree *original, const struct xb_tree *deletions)
{
	struct xb_order gone;
	int r;

	r = xb_order_make(m, deletions, key, &gone);
	if (r < 0)
		return r;
	for (struct xb_tree *n = original->first, *next; n; n = next) {
		const struct xb_tree *id = xb_order_id(n, key);

		next = n->next;
		if (id && xb_order_find(&gone, id) >= 0)
			xb_tree_remove(n);
	}
	return 0;
}

/* Carries out the elements with a $patch and takes them out of patch. */
static int special_elements(const struct xb_merge *m, const char *key, struct xb_tree *original, struct xb_tree *patch)
{
	struct xb_tree *deletions = xb_tree_array(m->a);
	bool replace = false;
	int r;

	if (!deletions)
		return -ENOMEM;
	for (struct xb_tree *n = patch->first, *next; n; n = next) {
		const struct xb_tree *directive = xb_tree_get(n, "$patch");

		next = n->next;
		if (!directive)
			continue;
		xb_tree_remove(n);
		if (xb_tree_is(directive, "delete")) {
			xb_tree_append(deletions, n);
		} else if (xb_tree_is(directive, "replace")) {
			replace = true;
		} else if (xb_tree_is(directive, "merge")) {
			xb_status_set(m->reterr, 500, "", "merging lists cannot yet be specified in the patch");
			return -EINVAL;
		} else {
			return xb_merge_bad_directive(m, directive, n);
		}
	}
	r = objects_delete(m, key, original, deletions);
	if (r < 0)
		return r;
	while (replace && original->first)
		xb_tree_remove(original->first);
	return 0;
}

static int objects_merge(const struct xb_merge *m, const struct xb_field *f, struct xb_tree *original, struct xb_tree *patch,
			 const struct xb_order *known)
{
	struct xb_tree **elements = xb_arena_alloc(m->a, (original->count + 1) * sizeof(*elements)), *merged;
	size_t i = 0;
	int r;

	if (!elements)
		return -ENOMEM;
	xb_tree_each(element, original)
		elements[i++] = element;
	while (patch->first) {
		struct xb_tree *n = patch->first;
		const long at = xb_order_find(known, xb_order_id(n, f->merge_key));

		xb_tree_remove(n);
		if (at < 0) {
			if (xb_merge_strip(n))
				xb_tree_append(original, n);
			continue;
		}
		r = xb_merge_object(m, f->type, elements[at], n, &merged);
		if (r < 0)
			return r;
		if (merged != elements[at])
			xb_tree_replace(elements[at], merged);
		elements[at] = merged;
	}
	return 0;
}

int xb_merge_list(const struct xb_merge *m, const struct xb_field *f, struct xb_tree *original, struct xb_tree *patch)
{
	struct xb_order patch_order, server_order;
	enum xb_json_type type = XB_JSON_NONE;
	const char *key;
	int r;

	r = element_type(m, original, patch, &type);
	if (r < 0 || type == XB_JSON_NONE)
		return r;
	key = type == XB_JSON_OBJECT ? f->merge_key : NULL;
	if (type == XB_JSON_OBJECT && !key)
		return xb_status_bad_request(m->reterr, "cannot merge lists without merge key for %s", f->name);
	if (key) {
		r = special_elements(m, key, original, patch);
		if (r < 0)
			return r;
	}
	r = xb_order_make(m, original, key, &server_order);
	if (r == 0)
		r = xb_order_make(m, patch, key, &patch_order);
	if (r == 0 && key)
		r = objects_merge(m, f, original, patch, &server_order);
	else if (r == 0)
		primitives_merge(original, patch, &server_order, &patch_order);
	return r < 0 ? r : xb_order_arrange(m, original, key, &patch_order, &server_order);
}
