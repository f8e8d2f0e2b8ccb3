/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>

#include "node.h"
#include "xb/map.h"

enum { LINEAR = 32, SMALLEST = 128 };

static struct xb_tree gone;

struct xb_tree *xb_tree_object(struct xb_arena *a)
{
	return node_new(a, XB_JSON_OBJECT);
}

struct xb_tree *xb_tree_array(struct xb_arena *a)
{
	return node_new(a, XB_JSON_ARRAY);
}

static struct xb_tree *node_text(struct xb_arena *a, enum xb_json_type type, struct xb_sv text)
{
	struct xb_tree *n = node_new(a, type);

	if (n)
		n->text = text;
	return n;
}

struct xb_tree *xb_tree_str(struct xb_arena *a, struct xb_sv s)
{
	return node_text(a, XB_JSON_STRING, s);
}

struct xb_tree *xb_tree_int(struct xb_arena *a, int64_t n)
{
	char *digits = xb_arena_printf(a, "%lld", (long long)n);

	return digits ? node_text(a, XB_JSON_NUMBER, xb_sv(digits)) : NULL;
}

struct xb_tree *xb_tree_bool(struct xb_arena *a, bool b)
{
	struct xb_tree *n = node_new(a, XB_JSON_BOOL);

	if (n)
		n->b = b;
	return n;
}

/* --- the names of a large object */

static struct xb_tree **index_slot(const struct xb_tree_index *index, struct xb_sv key)
{
	uint32_t at = xb_hash(key) & index->mask;

	while (index->slots[at] && (index->slots[at] == &gone || !xb_sv_eq(index->slots[at]->key, key)))
		at = (at + 1) & index->mask;
	return &index->slots[at];
}

static void index_add(struct xb_tree_index *index, struct xb_tree *n)
{
	*index_slot(index, n->key) = n;
	index->used++;
}

/* Without memory the object stays without index, and is searched one by one. */
static void index_build(const struct xb_tree *object)
{
	struct xb_tree_index *index = object->index;
	uint32_t size = SMALLEST;

	while (size < object->count * 4)
		size *= 2;
	index->slots = xb_arena_alloc(index->arena, size * sizeof(*index->slots));
	index->mask = size - 1;
	index->used = 0;
	if (index->slots)
		xb_tree_each(child, object)
			index_add(index, child);
}

static void index_append(const struct xb_tree *object, struct xb_tree *child)
{
	struct xb_tree_index *index = object->index;

	if (!index || !index->slots)
		return;
	if (index->used >= (index->mask + 1) / 2)
		index_build(object);
	else
		index_add(index, child);
}

static void index_swap(const struct xb_tree *object, const struct xb_tree *from, struct xb_tree *to)
{
	if (object->index && object->index->slots)
		*index_slot(object->index, from->key) = to;
}

/* --- looking */

struct xb_tree *xb_tree_getsv(const struct xb_tree *object, struct xb_sv key)
{
	if (!object || object->type != XB_JSON_OBJECT)
		return NULL;
	if (object->count > LINEAR && object->index) {
		if (!object->index->slots)
			index_build(object);
		if (object->index->slots)
			return *index_slot(object->index, key);
	}
	xb_tree_each(child, object)
		if (xb_sv_eq(child->key, key))
			return child;
	return NULL;
}

struct xb_tree *xb_tree_get(const struct xb_tree *object, const char *key)
{
	return xb_tree_getsv(object, xb_sv(key));
}

struct xb_tree *xb_tree_path_(const struct xb_tree *object, const char *first, ...)
{
	const struct xb_tree *n = object;
	va_list ap;

	va_start(ap, first);
	for (const char *key = first; key; key = va_arg(ap, const char *))
		n = xb_tree_get(n, key);
	va_end(ap);
	return (struct xb_tree *)n;
}

struct xb_sv xb_tree_text(const struct xb_tree *n)
{
	return n && n->type == XB_JSON_STRING ? n->text : (struct xb_sv){};
}

struct xb_sv xb_tree_gettext(const struct xb_tree *object, const char *key)
{
	return xb_tree_text(xb_tree_get(object, key));
}

bool xb_tree_is(const struct xb_tree *n, const char *s)
{
	return n && n->type == XB_JSON_STRING && xb_sv_is(n->text, s);
}

int xb_tree_i64(const struct xb_tree *n, int64_t *ret)
{
	return n && n->type == XB_JSON_NUMBER && !xb_sv_i64(n->text, ret) ? 0 : -EINVAL;
}

int64_t xb_tree_geti64(const struct xb_tree *object, const char *key, int64_t otherwise)
{
	(void)xb_tree_i64(xb_tree_get(object, key), &otherwise);
	return otherwise;
}

bool xb_tree_true(const struct xb_tree *n)
{
	return n && n->type == XB_JSON_BOOL && n->b;
}

/* --- changing */

static void link_before(struct xb_tree *parent, struct xb_tree *before, struct xb_tree *n)
{
	n->parent = parent;
	n->next = before;
	n->prev = before ? before->prev : parent->last;
	*(n->prev ? &n->prev->next : &parent->first) = n;
	*(before ? &before->prev : &parent->last) = n;
	parent->count++;
}

void xb_tree_insert_member(struct xb_tree *object, struct xb_tree *before, struct xb_sv key, struct xb_tree *value)
{
	value->key = key;
	link_before(object, before, value);
	index_append(object, value);
}

void xb_tree_set(struct xb_tree *object, struct xb_sv key, struct xb_tree *value)
{
	struct xb_tree *old = xb_tree_getsv(object, key);

	if (old) {
		xb_tree_replace(old, value);
		return;
	}
	xb_tree_insert_member(object, NULL, key, value);
}

void xb_tree_insert(struct xb_tree *array, struct xb_tree *before, struct xb_tree *value)
{
	value->key = (struct xb_sv){};
	link_before(array, before, value);
}

void xb_tree_append(struct xb_tree *array, struct xb_tree *value)
{
	xb_tree_insert(array, NULL, value);
}

static void unlink_node(struct xb_tree *n)
{
	*(n->prev ? &n->prev->next : &n->parent->first) = n->next;
	*(n->next ? &n->next->prev : &n->parent->last) = n->prev;
	n->parent->count--;
	n->parent = n->next = n->prev = NULL;
}

void xb_tree_remove(struct xb_tree *n)
{
	if (!n->parent)
		return;
	index_swap(n->parent, n, &gone);
	unlink_node(n);
}

void xb_tree_replace(struct xb_tree *n, struct xb_tree *with)
{
	struct xb_tree *parent = n->parent, *next = n->next;

	if (n == with)
		return;
	with->key = n->key;
	index_swap(parent, n, with);
	unlink_node(n);
	link_before(parent, next, with);
}

bool xb_tree_del(struct xb_tree *object, const char *key)
{
	struct xb_tree *n = xb_tree_get(object, key);

	if (n)
		xb_tree_remove(n);
	return n;
}

struct xb_tree *xb_tree_obtain(struct xb_arena *a, struct xb_tree *object, const char *key)
{
	struct xb_tree *n = xb_tree_get(object, key), *fresh;

	if (n && n->type != XB_JSON_NULL)
		return n->type == XB_JSON_OBJECT ? n : NULL;
	if (!object || object->type != XB_JSON_OBJECT)
		return NULL;
	fresh = xb_tree_object(a);
	if (!fresh)
		return NULL;
	if (n) {
		xb_tree_replace(n, fresh);
		return fresh;
	}
	key = xb_arena_strn(a, xb_sv(key));
	if (!key)
		return NULL;
	xb_tree_set(object, xb_sv(key), fresh);
	return fresh;
}

/* --- whole trees. None of these recurses: a patch can nest its document deeper than any parser's limit. */

static struct xb_tree *copy_one(struct xb_arena *a, const struct xb_tree *n)
{
	struct xb_tree *copy = node_new(a, n->type);

	if (!copy)
		return NULL;
	copy->b = n->b;
	copy->key = n->key;
	copy->text = n->text;
	return copy;
}

struct xb_tree *xb_tree_copy(struct xb_arena *a, const struct xb_tree *n)
{
	struct xb_tree *root = n ? copy_one(a, n) : NULL, *into = root;
	const struct xb_tree *from = n;
	struct xb_tree *copy;

	if (!root)
		return NULL;
	while (from) {
		if (from->first) {
			from = from->first;
		} else {
			for (; from != n && !from->next; from = from->parent)
				into = into->parent;
			if (from == n)
				break;
			from = from->next;
			into = into->parent;
		}
		copy = copy_one(a, from);
		if (!copy)
			return NULL;
		link_before(into, NULL, copy);
		into = copy;
	}
	root->key = (struct xb_sv){};
	return root;
}

static bool number_equal(struct xb_sv a, struct xb_sv b)
{
	_cleanup_free_ char *x = NULL, *y = NULL;
	int64_t m, n;

	if (xb_sv_eq(a, b))
		return true;
	if (!xb_sv_i64(a, &m) && !xb_sv_i64(b, &n))
		return m == n;
	x = xb_sv_dup(a);
	y = xb_sv_dup(b);
	return x && y && strtod(x, NULL) == strtod(y, NULL);
}

/* Whether two nodes are equal leaving their children aside. */
static bool equal_one(const struct xb_tree *a, const struct xb_tree *b)
{
	if (!a || !b || a->type != b->type || a->count != b->count)
		return false;
	switch (a->type) {
	case XB_JSON_BOOL:
		return a->b == b->b;
	case XB_JSON_STRING:
		return xb_sv_eq(a->text, b->text);
	case XB_JSON_NUMBER:
		return number_equal(a->text, b->text);
	default:
		return true;
	}
}

bool xb_tree_equal(const struct xb_tree *a, const struct xb_tree *b)
{
	const struct xb_tree *root = a, *in;

	if (!a || !b)
		return a == b;
	if (!equal_one(a, b))
		return false;
	for (;;) {
		if (a->first) {
			in = b;
			a = a->first;
		} else {
			for (; a != root && !a->next; a = a->parent)
				b = b->parent;
			if (a == root)
				return true;
			in = b->parent;
			a = a->next;
		}
		if (in->type == XB_JSON_OBJECT)
			b = xb_tree_getsv(in, a->key);
		else
			b = a->prev ? b->next : in->first;
		if (!equal_one(a, b))
			return false;
	}
}

static void write_one(const struct xb_tree *n, struct xb_buf *out)
{
	switch (n->type) {
	case XB_JSON_STRING:
		xb_json_quote(n->text, out);
		break;
	case XB_JSON_NUMBER:
		xb_buf_addsv(out, n->text);
		break;
	case XB_JSON_BOOL:
		xb_buf_adds(out, n->b ? "true" : "false");
		break;
	case XB_JSON_OBJECT:
		xb_buf_addc(out, '{');
		break;
	case XB_JSON_ARRAY:
		xb_buf_addc(out, '[');
		break;
	default:
		xb_buf_adds(out, "null");
	}
}

static bool is_container(const struct xb_tree *n)
{
	return n->type == XB_JSON_OBJECT || n->type == XB_JSON_ARRAY;
}

struct writer {
	struct xb_buf *out;
	struct xb_tree_mark *marks;
	unsigned n_marks;
};

static struct xb_tree_mark *mark_of(const struct writer *w, const struct xb_tree *n)
{
	for (unsigned i = 0; i < w->n_marks; i++)
		if (w->marks[i].node == n)
			return &w->marks[i];
	return NULL;
}

static void begin_one(const struct writer *w, const struct xb_tree *n, bool is_root)
{
	if (!is_root && n->prev)
		xb_buf_addc(w->out, ',');
	if (!is_root && n->parent->type == XB_JSON_OBJECT) {
		xb_json_quote(n->key, w->out);
		xb_buf_addc(w->out, ':');
	}
	if (n->marked)
		mark_of(w, n)->at = w->out->n;
	write_one(n, w->out);
}

static void end_one(const struct writer *w, const struct xb_tree *n)
{
	struct xb_tree_mark *mark = n->marked ? mark_of(w, n) : NULL;

	if (is_container(n))
		xb_buf_addc(w->out, n->type == XB_JSON_OBJECT ? '}' : ']');
	if (mark)
		mark->n = w->out->n - mark->at;
}

static void write_all(const struct writer *w, const struct xb_tree *root)
{
	const struct xb_tree *n = root;

	for (;;) {
		begin_one(w, n, n == root);
		if (n->first) {
			n = n->first;
			continue;
		}
		for (;;) {
			end_one(w, n);
			if (n == root)
				return;
			if (n->next)
				break;
			n = n->parent;
		}
		n = n->next;
	}
}

void xb_tree_write(const struct xb_tree *n, struct xb_buf *out)
{
	write_all(&(struct writer){ .out = out }, n);
}

void xb_tree_write_marked(const struct xb_tree *n, struct xb_buf *out, struct xb_tree_mark *marks, unsigned n_marks)
{
	for (unsigned i = 0; i < n_marks; i++)
		marks[i].node->marked = true;
	write_all(&(struct writer){ out, marks, n_marks }, n);
	for (unsigned i = 0; i < n_marks; i++)
		marks[i].node->marked = false;
}
