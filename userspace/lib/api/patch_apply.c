/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "field_item.h"
#include "xb/patch.h"

/* --- merging */

static int merge(struct xb_arena *a, struct xb_spot s, struct xb_tree *live, const struct xb_tree *config, struct xb_tree **ret);

static int merge_members(struct xb_arena *a, struct xb_spot s, struct xb_tree *live, const struct xb_tree *config)
{
	xb_tree_each(n, config) {
		const struct xb_spot member = xb_spot_member(s, n->key);
		struct xb_tree *old = xb_tree_getsv(live, n->key), *merged;
		int r;

		if (!member.field)
			continue;
		r = merge(a, member, old, n, &merged);
		if (r)
			return r;
		if (merged != old)
			xb_tree_set(live, n->key, merged);
	}
	return 0;
}

/* A list in its own order, each element with its name, and the same by name. */
struct order {
	struct xb_items sorted;
	const struct xb_item **at;
	uint32_t n;
};

static int order_make(struct xb_arena *a, const struct xb_field *f, const struct xb_tree *list, struct order *ret)
{
	struct order o = { .n = list->count };
	int r;

	o.at = xb_arena_alloc(a, (o.n + 1) * sizeof(*o.at));
	r = o.at ? xb_items_sorted(a, f, list, &o.sorted) : -ENOMEM;
	if (r)
		return r;
	for (size_t i = 0; i < o.sorted.n; i++)
		o.at[o.sorted.at[i].place] = &o.sorted.at[i];
	*ret = o;
	return 0;
}

static const struct xb_item *in_other(const struct order *other, const struct xb_item *item)
{
	return item ? xb_items_find(&other->sorted, item->name) : NULL;
}

static int append_merged(struct xb_arena *a, struct xb_spot s, struct xb_tree *out, const struct xb_item *mine,
			 const struct xb_item *theirs)
{
	struct xb_tree *merged;
	int r;

	r = merge(a, (struct xb_spot){ s.field, true }, mine ? mine->value : NULL, theirs->value, &merged);
	if (r)
		return r;
	xb_tree_remove(merged);
	xb_tree_append(out, merged);
	return 0;
}

/* The configuration's elements come in its order; those of live only stay where they are between them. */
static int merge_items(struct xb_arena *a, struct xb_spot s, struct xb_tree *live, const struct order *mine,
		       const struct order *theirs, struct xb_tree *out)
{
	uint32_t j = 0, shared = 0, i = 0;
	int r = 0;

	for (struct xb_tree *n = live->first, *next; !r && n; n = next, i++) {
		const struct xb_item *item = mine->at[i], *match = in_other(theirs, item);

		next = n->next;
		if (!match) {
			xb_tree_remove(n);
			xb_tree_append(out, n);
			continue;
		}
		for (shared = MAX(shared, j); shared < theirs->n && !in_other(mine, theirs->at[shared]);)
			shared++;
		for (; !r && match->place == shared && j <= shared; j++)
			r = append_merged(a, s, out, in_other(mine, theirs->at[j]), theirs->at[j]);
	}
	for (; !r && j < theirs->n; j++)
		r = append_merged(a, s, out, in_other(mine, theirs->at[j]), theirs->at[j]);
	return r;
}

static int merge_lists(struct xb_arena *a, struct xb_spot s, struct xb_tree *live, const struct xb_tree *config, struct xb_tree **ret)
{
	struct xb_tree *out = xb_tree_array(a);
	struct order mine, theirs;
	int r;

	r = out ? order_make(a, s.field, live, &mine) : -ENOMEM;
	if (!r)
		r = order_make(a, s.field, config, &theirs);
	if (!r)
		r = merge_items(a, s, live, &mine, &theirs, out);
	if (r)
		return r;
	*ret = out;
	return 0;
}

/* live is changed in place, or something else takes its place. */
static int merge(struct xb_arena *a, struct xb_spot s, struct xb_tree *live, const struct xb_tree *config, struct xb_tree **ret)
{
	struct xb_tree *copy;
	int r;

	if (xb_spot_is_atomic(s) || !live || live->type != config->type || config->type == XB_JSON_NULL) {
		copy = xb_tree_copy(a, config);
		if (!copy)
			return -ENOMEM;
		*ret = copy;
		return 0;
	}
	if (xb_spot_is_list(s))
		return merge_lists(a, s, live, config, ret);
	r = merge_members(a, s, live, config);
	if (!r)
		*ret = live;
	return r;
}

/* --- pruning */

struct ownership {
	const struct xb_tree *last, *now;
};

static struct ownership below(struct ownership o, struct xb_sv name)
{
	return (struct ownership){ xb_field_set_at(o.last, name), xb_field_set_at(o.now, name) };
}

static bool is_dropped(struct ownership o, bool named)
{
	/* fields that a type names are owned with anything in them, keys and elements only by themselves */
	if (named)
		return o.last && !o.now;
	return xb_field_set_has_self(o.last) && !xb_field_set_has_self(o.now);
}

static int prune(struct xb_arena *a, struct xb_spot s, struct xb_tree *object, struct ownership o)
{
	struct xb_tree *next;
	int r = 0;

	if (xb_spot_is_atomic(s) || xb_field_set_empty(o.last))
		return 0;
	for (struct xb_tree *n = object->first; !r && n; n = next) {
		struct xb_spot inner = { s.field, true };
		const bool had_some = n->first;
		struct ownership owned;
		struct xb_sv name;

		next = n->next;
		if (xb_spot_is_list(s)) {
			r = xb_item_name(a, s.field, n, &name);
		} else {
			inner = xb_spot_member(s, n->key);
			name = xb_item_of_field(a, n->key);
			r = name.p ? 0 : -ENOMEM;
		}
		if (r == -EINVAL || !inner.field) {
			r = 0;
			continue;
		}
		if (r)
			break;
		owned = below(o, name);
		if (is_dropped(owned, xb_spot_is_struct(s))) {
			xb_tree_remove(n);
			continue;
		}
		r = prune(a, inner, n, owned);
		if (had_some && !n->first && !xb_spot_is_list(s))
			xb_tree_remove(n);
	}
	return r;
}

int xb_patch_apply(struct xb_arena *a, const struct xb_type *t, struct xb_tree *target, const struct xb_tree *config,
		   const struct xb_tree *last, const struct xb_tree *owned)
{
	const struct xb_field field = xb_field_root(t);
	const struct xb_spot root = { &field, true };
	int r;

	r = merge_members(a, root, target, config);
	return r ? r : prune(a, root, target, (struct ownership){ last, owned });
}
