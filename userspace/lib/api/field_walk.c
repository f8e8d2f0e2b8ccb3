/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From objects to the sets of their fields. */
#include "field_item.h"

/* child becomes a member of *set, which is made when it is the first. Mostly they come in order. */
static int attach(struct xb_arena *a, struct xb_tree **set, struct xb_sv element, struct xb_tree *child)
{
	struct xb_tree *before = NULL;

	if (!*set)
		*set = xb_tree_object(a);
	if (!*set || !child || !element.p)
		return -ENOMEM;
	for (struct xb_tree *n = (*set)->last; n && xb_item_cmp(n->key, element) > 0; n = n->prev)
		before = n;
	xb_tree_insert_member(*set, before, element, child);
	return 0;
}

/* The path to *at is in the set. */
static int mark(struct xb_arena *a, struct xb_tree **at)
{
	if (!*at)
		*at = xb_tree_object(a);
	if (!*at)
		return -ENOMEM;
	return xb_field_set_has_self(*at) ? 0 : attach(a, at, XB_SV("."), xb_tree_object(a));
}

/* How deep a value is: what the server alone sets is looked for at the root and in its metadata only. */
enum level { ROOT, METADATA, INSIDE };

static enum level level_below(enum level level, struct xb_sv key)
{
	return level == ROOT && xb_sv_is(key, "metadata") ? METADATA : INSIDE;
}

static bool left_out(enum level level, struct xb_sv key)
{
	static const char *const names[] = { "name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp",
					     "selfLink", "managedFields" };

	if (level == ROOT)
		return xb_sv_is(key, "apiVersion") || xb_sv_is(key, "kind");
	for (unsigned i = 0; level == METADATA && i < ARRAY_SIZE(names); i++)
		if (xb_sv_is(key, names[i]))
			return true;
	return false;
}

/* --- what differs */

struct difference {
	struct xb_tree *changed, *removed;
};

static int compare(struct xb_arena *a, struct xb_spot s, enum level level, const struct xb_tree *old, const struct xb_tree *now,
		   struct difference *ret);

static int compare_leaf(struct xb_arena *a, const struct xb_tree *old, const struct xb_tree *now, struct difference *d)
{
	if (!now)
		return mark(a, &d->removed);
	return old && xb_tree_equal(old, now) ? 0 : mark(a, &d->changed);
}

static int attach_both(struct xb_arena *a, struct xb_sv element, const struct difference *below, struct difference *d)
{
	int r = 0;

	if (below->changed)
		r = attach(a, &d->changed, element, below->changed);
	if (!r && below->removed)
		r = attach(a, &d->removed, element, below->removed);
	return r;
}

static int compare_member(struct xb_arena *a, struct xb_spot s, enum level level, struct xb_sv key, const struct xb_tree *old,
			  const struct xb_tree *now, struct difference *d)
{
	const struct xb_spot member = xb_spot_member(s, key);
	struct difference below = {};
	int r;

	if (!member.field || left_out(level, key))
		return 0;
	r = compare(a, member, level_below(level, key), old, now, &below);
	if (r || (!below.changed && !below.removed))
		return r;
	return attach_both(a, xb_item_of_field(a, key), &below, d);
}

static int compare_members(struct xb_arena *a, struct xb_spot s, enum level level, const struct xb_tree *old,
			   const struct xb_tree *now, struct difference *d)
{
	const struct xb_tree *guess = old ? old->first : NULL, *was; /* both are mostly in the same order */
	uint32_t matched = 0;
	int r = 0;

	for (const struct xb_tree *n = now ? now->first : NULL; !r && n; n = n->next) {
		was = guess && xb_sv_eq(guess->key, n->key) ? guess : xb_tree_getsv(old, n->key);
		if (was) {
			guess = was->next;
			matched++;
		}
		r = compare_member(a, s, level, n->key, was, n, d);
	}
	if (!old || matched == old->count)
		return r;
	for (was = old->first; !r && was; was = was->next)
		if (!xb_tree_getsv(now, was->key))
			r = compare_member(a, s, level, was->key, was, NULL, d);
	return r;
}

static size_t run_of(const struct xb_items *items, size_t i)
{
	size_t n = 1;

	while (i + n < items->n && xb_sv_eq(items->at[i].name, items->at[i + n].name))
		n++;
	return n;
}

/* Elements of one name, n of them before and m now: more than one on either side are one value together. */
static int compare_items(struct xb_arena *a, struct xb_spot s, const struct xb_item *old, size_t n, const struct xb_item *now, size_t m,
			 struct difference *d)
{
	bool same = n == m;

	if (n <= 1 && m <= 1)
		return compare(a, (struct xb_spot){ s.field, true }, INSIDE, n ? old->value : NULL, m ? now->value : NULL, d);
	for (size_t i = 0; same && i < n; i++)
		same = xb_tree_equal(old[i].value, now[i].value);
	if (same)
		return 0;
	return mark(a, m ? &d->changed : &d->removed);
}

static int compare_lists(struct xb_arena *a, struct xb_spot s, const struct xb_tree *old, const struct xb_tree *now,
			 struct difference *d)
{
	struct xb_items was, is;
	size_t i = 0, j = 0;
	int r;

	if (old && now && xb_tree_equal(old, now))
		return 0;
	r = xb_items_sorted(a, s.field, old, &was);
	if (!r)
		r = xb_items_sorted(a, s.field, now, &is);
	while (!r && (i < was.n || j < is.n)) {
		const int order = i == was.n ? 1 : j == is.n ? -1 : xb_item_cmp(was.at[i].name, is.at[j].name);
		const size_t n = order <= 0 ? run_of(&was, i) : 0, m = order >= 0 ? run_of(&is, j) : 0;
		const struct xb_sv name = n ? was.at[i].name : is.at[j].name;
		struct difference below = {};

		r = compare_items(a, s, n ? &was.at[i] : NULL, n, m ? &is.at[j] : NULL, m, &below);
		if (!r)
			r = attach_both(a, name, &below, d);
		i += n;
		j += m;
	}
	return r;
}

static int compare(struct xb_arena *a, struct xb_spot s, enum level level, const struct xb_tree *old, const struct xb_tree *now,
		   struct difference *d)
{
	int r;

	/* empty on both sides says something too: that it is there */
	if (xb_spot_is_atomic(s) || (xb_field_set_empty(old) && xb_field_set_empty(now)))
		return compare_leaf(a, old, now, d);
	if (xb_spot_is_list(s))
		r = compare_lists(a, s, old, now, d);
	else
		r = compare_members(a, s, level, old, now, d);
	if (!r && !old)
		r = mark(a, &d->changed);
	if (!r && !now)
		r = mark(a, &d->removed);
	return r;
}

int xb_field_set_compare(struct xb_arena *a, const struct xb_type *t, const struct xb_tree *old, const struct xb_tree *object,
			 struct xb_tree **ret_changed, struct xb_tree **ret_removed)
{
	const struct xb_field root = xb_field_root(t);
	struct difference d = {};
	int r;

	r = compare_members(a, (struct xb_spot){ &root, true }, ROOT, old, object, &d);
	if (r)
		return r;
	*ret_changed = d.changed;
	*ret_removed = d.removed;
	return 0;
}

/* --- what a configuration claims */

struct claim {
	struct xb_arena *arena;
	struct xb_buf *why;
};

static int claim_value(const struct claim *c, struct xb_spot s, enum level level, const struct xb_tree *n, struct xb_tree **set);

/* The finding's path grows on the way up. element: in words. */
static int found_in(const struct claim *c, struct xb_sv element)
{
	_cleanup_buf_ struct xb_buf rest = *c->why;

	*c->why = (struct xb_buf){};
	xb_item_tell(element, c->why);
	xb_buf_addsv(c->why, xb_buf_sv(&rest));
	return c->why->err ? c->why->err : -EINVAL;
}

static int found(const struct claim *c, const char *what)
{
	xb_buf_addf(c->why, ": %s", what);
	return c->why->err ? c->why->err : -EINVAL;
}

/* owns: the path itself is claimed, whatever is below it. */
static int claim_element(const struct claim *c, struct xb_sv element, struct xb_spot s, enum level level, const struct xb_tree *n,
			 bool owns, struct xb_tree **set)
{
	struct xb_tree *below = NULL;
	int r;

	if (!element.p)
		return -ENOMEM;
	r = claim_value(c, s, level, n, &below);
	if (r == -EINVAL)
		return found_in(c, element);
	if (!r && owns)
		r = mark(c->arena, &below);
	return r || !below ? r : attach(c->arena, set, element, below);
}

static int claim_members(const struct claim *c, struct xb_spot s, enum level level, const struct xb_tree *object, struct xb_tree **set)
{
	int r = 0;

	for (const struct xb_tree *n = object->first; !r && n; n = n->next) {
		const struct xb_spot member = xb_spot_member(s, n->key);
		const struct xb_sv element = xb_item_of_field(c->arena, n->key);
		const bool owns = xb_spot_is_map(s) || n->type == XB_JSON_NULL || (n->type == XB_JSON_OBJECT && !n->first);

		if (!member.field) {
			found(c, "field not declared in schema");
			return element.p ? found_in(c, element) : -ENOMEM;
		}
		if (!left_out(level, n->key))
			r = claim_element(c, element, member, level_below(level, n->key), n, owns, set);
	}
	return r;
}

static int claim_items(const struct claim *c, struct xb_spot s, const struct xb_tree *list, struct xb_tree **set)
{
	struct xb_items items;
	_cleanup_buf_ struct xb_buf words = {};
	int r;

	r = xb_items_sorted(c->arena, s.field, list, &items);
	if (r)
		return r;
	if (items.n < list->count)
		return found(c, "element 0: associative list with keys has an element that omits all key fields");
	for (size_t i = 0; !r && i < items.n; i++) {
		if (i && xb_sv_eq(items.at[i - 1].name, items.at[i].name)) {
			xb_item_tell(items.at[i].name, &words);
			xb_buf_addf(c->why, ": duplicate entries for key %s", words.p ? words.p : "");
			return words.err ? words.err : -EINVAL;
		}
		r = claim_element(c, items.at[i].name, (struct xb_spot){ s.field, true }, INSIDE, items.at[i].value, true, set);
	}
	return r;
}

static int claim_value(const struct claim *c, struct xb_spot s, enum level level, const struct xb_tree *n, struct xb_tree **set)
{
	if (n->type == XB_JSON_NULL)
		return 0;
	if (xb_spot_is_list(s) && n->type != XB_JSON_ARRAY)
		return found(c, "expected list");
	if (!xb_spot_is_list(s) && (xb_spot_is_map(s) || s.field->kind == XB_T_OBJECT) && n->type != XB_JSON_OBJECT)
		return found(c, "expected map");
	if (xb_spot_is_atomic(s))
		return mark(c->arena, set);
	return xb_spot_is_list(s) ? claim_items(c, s, n, set) : claim_members(c, s, level, n, set);
}

int xb_field_set_of(struct xb_arena *a, const struct xb_type *t, const struct xb_tree *config, struct xb_tree **ret,
		    struct xb_buf *retwhy)
{
	const struct xb_field root = xb_field_root(t);
	const struct claim c = { a, retwhy };
	struct xb_tree *set = xb_tree_object(a);
	int r;

	r = set ? claim_members(&c, (struct xb_spot){ &root, true }, ROOT, config, &set) : -ENOMEM;
	if (r)
		return r;
	*ret = set;
	return 0;
}
