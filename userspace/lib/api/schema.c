/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "scalar.h"
#include "xb/field_error.h"

static int name_cmp(struct xb_sv name, const struct xb_field *f)
{
	int r = memcmp(name.p, f->name, MIN(name.n, f->name_len));

	return r ? r : (name.n > f->name_len) - (name.n < f->name_len);
}

const struct xb_field *xb_type_field(const struct xb_type *t, struct xb_sv name)
{
	unsigned low = 0, high = t->n_fields;

	if (!name.n)
		return NULL;
	while (low < high) {
		const unsigned mid = (low + high) / 2;
		const int r = name_cmp(name, &t->fields[mid]);

		if (!r)
			return &t->fields[mid];
		if (r < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

/* One value on the way down: where it is, and the Go type that an error would name. */
struct spot {
	const struct xb_decode *d;
	const struct xb_type *in;    /* the struct that has the field; NULL at the root */
	const struct xb_field *field;
	const struct xb_path *at;
	struct xb_status *reterr;
};

static int object_decode(const struct spot *where, const struct xb_type *t, struct xb_tree *object);

/* The fields on the way, as encoding/json keeps them: without indexes and keys. */
static void add_field_stack(const struct xb_path *at, struct xb_buf *out)
{
	if (at->up)
		add_field_stack(at->up, out);
	if (!at->name)
		return;
	if (out->n)
		xb_buf_addc(out, '.');
	xb_buf_adds(out, at->name);
}

static const char *package_name(const struct xb_type *t)
{
	return strrchr(t->package, '.') + 1;
}

static void add_go_type(const struct xb_field *f, bool element, struct xb_buf *out)
{
	static const char *const names[] = {
		[XB_T_STRING] = "string", [XB_T_BOOL] = "bool", [XB_T_INT32] = "int32", [XB_T_INT64] = "int64",
		[XB_T_DOUBLE] = "float64", [XB_T_BYTES] = "[]uint8", [XB_T_TIME] = "v1.Time", [XB_T_MICRO_TIME] = "v1.MicroTime",
		[XB_T_QUANTITY] = "resource.Quantity", [XB_T_INT_OR_STRING] = "intstr.IntOrString", [XB_T_ANY] = "v1.FieldsV1", [XB_T_STRINGS] = "v1.ExtraValue",
	};

	if (!element && f->shape == XB_LIST)
		xb_buf_adds(out, "[]");
	if (!element && f->shape == XB_MAP)
		xb_buf_adds(out, "map[string]");
	if (f->kind == XB_T_OBJECT)
		xb_buf_addf(out, "%s.%s", package_name(f->type), f->type->name);
	else
		xb_buf_adds(out, names[f->kind]);
}

static int wrong_type(const struct spot *where, const struct xb_tree *n, bool element)
{
	_cleanup_buf_ struct xb_buf text = {}, stack = {};

	xb_buf_addf(&text, "json: cannot unmarshal %s", xb_scalar_json_type(n));
	if (n->type == XB_JSON_NUMBER && (where->field->kind == XB_T_INT32 || where->field->kind == XB_T_INT64))
		xb_buf_addf(&text, " %.*s", XB_SV_ARG(n->text));
	add_field_stack(where->at, &stack);
	xb_buf_addf(&text, " into Go struct field %s.%s of type ", where->in->name, stack.p ? stack.p : "");
	add_go_type(where->field, element, &text);
	return text.err ? text.err : xb_status_bad_request(where->reterr, "%s", text.p);
}

static struct xb_tree *zero_value(struct xb_arena *a, const struct xb_field *f)
{
	return f->kind == XB_T_OBJECT ? xb_tree_object(a) : xb_scalar_zero(a, f->kind);
}

/* A list's or map's element, or a field's only value. */
static int value_decode(const struct spot *where, struct xb_tree *n)
{
	const struct xb_field *f = where->field;
	int r;

	if (f->kind == XB_T_OBJECT)
		return n->type == XB_JSON_OBJECT ? object_decode(where, f->type, n) : wrong_type(where, n, true);
	r = xb_scalar_decode(where->d->arena, f->kind, n, where->reterr);
	return r == -EDOM ? wrong_type(where, n, true) : r;
}

static int elements_decode(const struct spot *where, struct xb_tree *list)
{
	long i = 0;

	for (struct xb_tree *n = list->first, *next; n; n = next, i++) {
		const struct xb_path at = { where->at, NULL, n->key, list->type == XB_JSON_OBJECT ? -1 : i };
		const struct spot element = { where->d, where->in, where->field, &at, where->reterr };
		int r;

		next = n->next;
		if (n->type == XB_JSON_NULL && where->field->kind != XB_T_ANY) {
			struct xb_tree *zero = zero_value(where->d->arena, where->field);

			if (!zero)
				return -ENOMEM;
			xb_tree_replace(n, zero);
			n = zero;
		}
		r = value_decode(&element, n);
		if (r < 0)
			return r;
	}
	return 0;
}

static void relink(struct xb_tree *parent, struct xb_tree *const *children, size_t n)
{
	struct xb_tree *last = NULL;

	parent->first = NULL;
	for (size_t i = 0; i < n; i++) {
		if (!children[i])
			continue;
		children[i]->prev = last;
		children[i]->next = NULL;
		if (last)
			last->next = children[i];
		else
			parent->first = children[i];
		last = children[i];
	}
	parent->last = last;
}

static int by_key(const void *a, const void *b)
{
	const struct xb_tree *const *x = a, *const *y = b;

	return xb_sv_cmp((*x)->key, (*y)->key);
}

static int map_sort(struct xb_arena *a, struct xb_tree *map)
{
	struct xb_tree **all;
	size_t n = 0;
	bool sorted = true;

	for (struct xb_tree *c = map->first; c && c->next && sorted; c = c->next)
		sorted = xb_sv_cmp(c->key, c->next->key) < 0;
	if (sorted)
		return 0;
	all = xb_arena_alloc(a, map->count * sizeof(*all));
	if (!all)
		return -ENOMEM;
	xb_tree_each(c, map)
		all[n++] = c;
	qsort(all, n, sizeof(*all), by_key);
	relink(map, all, n);
	return 0;
}

static int field_decode(const struct spot *where, struct xb_tree *n)
{
	int r;

	switch ((enum xb_field_shape)where->field->shape) {
	case XB_ONE:
		return value_decode(where, n);
	case XB_LIST:
		return n->type == XB_JSON_ARRAY ? elements_decode(where, n) : wrong_type(where, n, false);
	case XB_MAP:
		if (n->type != XB_JSON_OBJECT)
			return wrong_type(where, n, false);
		r = elements_decode(where, n);
		return r < 0 ? r : map_sort(where->d->arena, n);
	}
	return 0;
}

static bool says_nothing(const struct xb_field *f, const struct xb_tree *n)
{
	if (f->flags & (XB_F_REQUIRED | XB_F_POINTER))
		return false;
	return f->shape == XB_ONE ? f->kind != XB_T_OBJECT && xb_scalar_is_zero(f->kind, n) : !n->count;
}

static int fallback_node(struct xb_arena *a, const char *json, struct xb_tree **ret)
{
	const size_t n = strlen(json);

	if (json[0] == '"')
		*ret = xb_tree_str(a, (struct xb_sv){ json + 1, n - 2 });
	else if (json[0] == '{')
		*ret = xb_tree_object(a);
	else if (json[0] == 't' || json[0] == 'f')
		*ret = xb_tree_bool(a, json[0] == 't');
	else
		*ret = xb_tree_int(a, strtoll(json, NULL, 10));
	return *ret ? 0 : -ENOMEM;
}

/* What stands for a field that is not there: its default, the zero value Go's encoder would write, or nothing. */
static int missing_node(const struct xb_decode *d, const struct xb_field *f, struct xb_tree **ret)
{
	const bool written = f->shape == XB_ONE && f->kind == XB_T_OBJECT ? true : f->flags & XB_F_REQUIRED;

	*ret = NULL;
	if (f->fallback && !d->no_defaults)
		return fallback_node(d->arena, f->fallback, ret);
	if (!written || f->flags & XB_F_POINTER)
		return 0;
	if (f->shape == XB_ONE && (f->kind == XB_T_TIME || f->kind == XB_T_MICRO_TIME || f->kind == XB_T_ANY))
		return 0;
	*ret = f->shape == XB_LIST ? xb_tree_array(d->arena) : f->shape == XB_MAP ? xb_tree_object(d->arena) : zero_value(d->arena, f);
	return *ret ? 0 : -ENOMEM;
}

/* Fields without a value get one where they must have it. */
static int object_fill(const struct spot *where, const struct xb_type *t, struct xb_tree *object, struct xb_tree **slots)
{
	for (unsigned i = 0; i < t->n_fields; i++) {
		const struct xb_field *f = &t->fields[i];
		int r;

		if (slots[i])
			continue;
		r = missing_node(where->d, f, &slots[i]);
		if (r < 0)
			return r;
		if (!slots[i])
			continue;
		xb_tree_set(object, (struct xb_sv){ f->name, f->name_len }, slots[i]);
		if (f->kind == XB_T_OBJECT && f->shape == XB_ONE) {
			const struct spot inner = { where->d, t, f, where->at, where->reterr };

			r = object_decode(&inner, f->type, slots[i]);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int report_unknown(const struct spot *where, struct xb_sv name)
{
	_cleanup_buf_ struct xb_buf path = {};

	if (!where->d->unknown)
		return 0;
	if (where->at) {
		xb_path_write(where->at, &path);
		xb_buf_addc(&path, '.');
	}
	xb_buf_addsv(&path, name);
	if (path.err)
		return path.err;
	where->d->unknown(where->d->arg, path.p ? path.p : "");
	return 0;
}

static int object_decode(const struct spot *where, const struct xb_type *t, struct xb_tree *object)
{
	struct xb_tree *slots[XB_TYPE_FIELDS] = {};
	const struct xb_field *guess = t->fields; /* input is mostly in order: try the next row first */
	int r;

	for (struct xb_tree *n = object->first, *next; n; n = next) {
		const struct xb_field *f = guess < t->fields + t->n_fields && n->key.n && !name_cmp(n->key, guess) ? guess
										: xb_type_field(t, n->key);
		next = n->next;
		if (!f) {
			r = report_unknown(where, n->key);
			if (r < 0)
				return r;
			xb_tree_remove(n);
			continue;
		}
		guess = f + 1;
		if (n->type == XB_JSON_NULL) {
			xb_tree_remove(n);
			continue;
		}
		const struct xb_path at = { where->at, f->name, {}, -1 };
		const struct spot field = { where->d, t, f, &at, where->reterr };

		r = field_decode(&field, n);
		if (r < 0)
			return r;
		if (says_nothing(f, n))
			xb_tree_remove(n);
		else
			slots[f - t->fields] = n;
	}
	r = object_fill(where, t, object, slots);
	if (r < 0)
		return r;
	relink(object, slots, t->n_fields);
	return 0;
}

int xb_schema_decode(const struct xb_decode *d, const struct xb_type *t, struct xb_tree *object, struct xb_status *reterr)
{
	const struct spot root = { .d = d, .reterr = reterr };

	if (object->type != XB_JSON_OBJECT)
		return xb_status_bad_request(reterr, "json: cannot unmarshal %s into Go value of type %s.%s", xb_scalar_json_type(object),
					     package_name(t), t->name);
	return object_decode(&root, t, object);
}
