/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdlib.h>
#include "field_item.h"

bool xb_spot_is_atomic(struct xb_spot s)
{
	const struct xb_field *f = s.field;

	if (xb_spot_is_list(s))
		return !(f->flags & (XB_F_LIST_SET | XB_F_LIST_MAP));
	if (xb_spot_is_map(s))
		return f->flags & XB_F_ATOMIC;
	if (f->kind != XB_T_OBJECT)
		return true;
	return f->shape == XB_ONE && f->flags & (XB_F_ATOMIC | XB_F_GRANULAR) ? f->flags & XB_F_ATOMIC : f->type->atomic;
}

struct xb_spot xb_spot_member(struct xb_spot s, struct xb_sv key)
{
	if (xb_spot_is_map(s))
		return (struct xb_spot){ s.field, true };
	return (struct xb_spot){ xb_type_field(s.field->type, key), false };
}

/* Names begin alike up to i and differ there: which of the two values at that place is the smaller? */
static int value_cmp(struct xb_sv a, struct xb_sv b, size_t i, size_t token, bool in_string)
{
	const char x = i < a.n ? a.p[i] : 0, y = i < b.n ? b.p[i] : 0;
	double m, n;

	if (in_string) {
		if (x == '"' || y == '"') /* the shorter one ends here */
			return x == '"' ? -1 : 1;
		return (unsigned char)x < (unsigned char)y ? -1 : 1;
	}
	m = strtod(a.p + token, NULL);
	n = strtod(b.p + token, NULL);
	if (m != n)
		return m < n ? -1 : 1;
	return xb_sv_cmp(a, b);
}

static int rank(struct xb_sv name)
{
	static const char order[] = ".fkvi";
	const char *at = name.n ? strchr(order, name.p[0]) : NULL;

	return at ? (int)(at - order) : (int)sizeof(order);
}

int xb_item_cmp(struct xb_sv a, struct xb_sv b)
{
	size_t token = 2;
	bool in_string = false;

	if (!a.n || !b.n || a.p[0] != b.p[0])
		return rank(a) - rank(b);
	if (a.p[0] == 'f')
		return xb_sv_cmp(a, b);
	for (size_t i = 2; i < a.n || i < b.n; i++) {
		if (i >= a.n || i >= b.n || a.p[i] != b.p[i])
			return value_cmp(a, b, i, token, in_string);
		if (a.p[i] == '\\' && in_string && i + 1 < a.n && i + 1 < b.n && a.p[i + 1] == b.p[i + 1])
			i++;
		else if (a.p[i] == '"')
			in_string = !in_string;
		else if (!in_string && a.p[i] == ':')
			token = i + 1;
	}
	return 0;
}

struct xb_sv xb_item_of_field(struct xb_arena *a, struct xb_sv name)
{
	char *text = xb_arena_alloc(a, name.n + 2);

	if (!text)
		return (struct xb_sv){};
	memcpy(text, "f:", 2);
	if (name.n)
		memcpy(text + 2, name.p, name.n);
	return (struct xb_sv){ text, name.n + 2 };
}

static bool add_value(const struct xb_tree *n, struct xb_buf *out)
{
	if (!n || n->type == XB_JSON_NULL || n->type == XB_JSON_OBJECT || n->type == XB_JSON_ARRAY)
		return false;
	if (n->type == XB_JSON_STRING)
		xb_json_quote(n->text, out);
	else if (n->type == XB_JSON_NUMBER)
		xb_buf_addsv(out, n->text);
	else
		xb_buf_adds(out, n->b ? "true" : "false");
	return true;
}

/* The keys of rows stand in the order of their names, which is the order in which they are written. */
static unsigned add_keys(const struct xb_field *list, const struct xb_tree *item, struct xb_buf *out)
{
	struct xb_sv keys = xb_sv(list->map_keys), key;
	unsigned n = 0;

	while (xb_sv_split(&keys, ',', &key)) {
		const struct xb_field *f = xb_type_field(list->type, key);
		const struct xb_tree *value = xb_tree_getsv(item, key);
		const size_t before = out->n;

		xb_buf_adds(out, n ? ",\"" : "\"");
		xb_buf_addsv(out, key);
		xb_buf_adds(out, "\":");
		if (add_value(value, out)) {
			n++;
		} else if (!value && f && f->fallback) {
			xb_buf_adds(out, f->fallback);
			n++;
		} else if (!out->err) {
			out->n = before;
		}
	}
	return n;
}

/* scratch: for reuse from element to element. */
static int name_item(struct xb_arena *a, const struct xb_field *list, const struct xb_tree *item, struct xb_buf *scratch, struct xb_sv *ret)
{
	struct xb_sv kept;
	bool good;

	xb_buf_clear(scratch);
	if (list->flags & XB_F_LIST_MAP) {
		xb_buf_adds(scratch, "k:{");
		good = item->type == XB_JSON_OBJECT && add_keys(list, item, scratch);
		xb_buf_addc(scratch, '}');
	} else {
		xb_buf_adds(scratch, "v:");
		good = add_value(item, scratch);
	}
	if (scratch->err)
		return scratch->err;
	if (!good)
		return -EINVAL;
	kept = xb_arena_sv(a, xb_buf_sv(scratch));
	if (!kept.p)
		return -ENOMEM;
	*ret = kept;
	return 0;
}

int xb_item_name(struct xb_arena *a, const struct xb_field *list, const struct xb_tree *item, struct xb_sv *ret)
{
	_cleanup_buf_ struct xb_buf scratch = {};

	return name_item(a, list, item, &scratch, ret);
}

static int by_name(const void *x, const void *y)
{
	const struct xb_item *a = x, *b = y;
	const int r = xb_item_cmp(a->name, b->name);

	return r ? r : (a->place > b->place) - (a->place < b->place);
}

int xb_items_sorted(struct xb_arena *a, const struct xb_field *f, const struct xb_tree *list, struct xb_items *ret)
{
	_cleanup_buf_ struct xb_buf scratch = {};
	struct xb_items items = {};
	bool sorted = true;
	uint32_t place = 0;
	int r;

	if (list && list->count) {
		items.at = xb_arena_alloc(a, list->count * sizeof(*items.at));
		if (!items.at)
			return -ENOMEM;
	}
	xb_tree_each(n, list) {
		struct xb_item *item = &items.at[items.n];

		r = name_item(a, f, n, &scratch, &item->name);
		if (r == -ENOMEM)
			return r;
		item->value = n;
		item->place = place++;
		sorted = sorted && (r || !items.n || xb_item_cmp(item[-1].name, item->name) <= 0);
		items.n += !r;
	}
	if (!sorted)
		qsort(items.at, items.n, sizeof(*items.at), by_name);
	*ret = items;
	return 0;
}

const struct xb_item *xb_items_find(const struct xb_items *items, struct xb_sv name)
{
	size_t low = 0, high = items->n;

	while (low < high) {
		const size_t mid = (low + high) / 2;

		if (xb_item_cmp(items->at[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < items->n && xb_sv_eq(items->at[low].name, name) ? &items->at[low] : NULL;
}

void xb_item_tell(struct xb_sv name, struct xb_buf *out)
{
	const struct xb_sv rest = { name.p + 2, name.n - 2 };
	struct xb_json *doc = NULL;
	struct xb_jit it;
	bool first = true;

	if (name.p[0] == 'f')
		xb_buf_addc(out, '.');
	else
		xb_buf_adds(out, name.p[0] == 'v' ? "[=" : "[");
	if (name.p[0] != 'k') {
		xb_buf_addsv(out, rest);
	} else if (!xb_json_parse(rest, NULL, &doc, NULL)) {
		for (it = xb_jv_iter(xb_json_root(doc)); xb_jit_next(&it); first = false) {
			xb_buf_adds(out, first ? "" : ",");
			xb_buf_addsv(out, it.key);
			xb_buf_addc(out, '=');
			xb_buf_addsv(out, xb_jv_bytes(it.value));
		}
		xb_json_unref(doc);
	}
	if (name.p[0] != 'f')
		xb_buf_addc(out, ']');
}
