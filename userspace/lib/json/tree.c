/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>

#include "index.h"
#include "xb/map.h"
#include "xb/tree.h"

enum { LINEAR = 32, SMALLEST = 128 };

/* Every object has one, for the arena in it; the table is made when the object is large and is searched. */
struct xb_node_index {
	struct xb_arena *arena;
	struct xb_node **slots; /* open addressing; NULL is empty, &gone was taken out */
	uint32_t mask, used;
};

static struct xb_node gone;

static struct xb_node *node_new(struct xb_arena *a, enum xb_json_type type)
{
	struct xb_node *n = xb_arena_alloc(a, sizeof(*n) + (type == XB_JSON_OBJECT ? sizeof(*n->index) : 0));

	if (!n)
		return NULL;
	n->type = type;
	if (type == XB_JSON_OBJECT) {
		n->index = (struct xb_node_index *)(n + 1);
		n->index->arena = a;
	}
	return n;
}

struct xb_node *xb_tree_object(struct xb_arena *a)
{
	return node_new(a, XB_JSON_OBJECT);
}

struct xb_node *xb_tree_array(struct xb_arena *a)
{
	return node_new(a, XB_JSON_ARRAY);
}

static struct xb_node *node_text(struct xb_arena *a, enum xb_json_type type, struct xb_sv text)
{
	struct xb_node *n = node_new(a, type);

	if (n)
		n->text = text;
	return n;
}

struct xb_node *xb_tree_str(struct xb_arena *a, struct xb_sv s)
{
	return node_text(a, XB_JSON_STRING, s);
}

struct xb_node *xb_tree_int(struct xb_arena *a, int64_t n)
{
	char *digits = xb_arena_printf(a, "%lld", (long long)n);

	return digits ? node_text(a, XB_JSON_NUMBER, xb_sv(digits)) : NULL;
}

struct xb_node *xb_tree_bool(struct xb_arena *a, bool b)
{
	struct xb_node *n = node_new(a, XB_JSON_BOOL);

	if (n)
		n->b = b;
	return n;
}

/* --- the names of a large object */

static struct xb_node **index_slot(const struct xb_node_index *index, struct xb_sv key)
{
	uint32_t at = xb_hash(key) & index->mask;

	while (index->slots[at] && (index->slots[at] == &gone || !xb_sv_eq(index->slots[at]->key, key)))
		at = (at + 1) & index->mask;
	return &index->slots[at];
}

static void index_add(struct xb_node_index *index, struct xb_node *n)
{
	*index_slot(index, n->key) = n;
	index->used++;
}

/* Without memory the object stays without index, and is searched one by one. */
static void index_build(const struct xb_node *object)
{
	struct xb_node_index *index = object->index;
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

static void index_append(const struct xb_node *object, struct xb_node *child)
{
	struct xb_node_index *index = object->index;

	if (!index || !index->slots)
		return;
	if (index->used >= (index->mask + 1) / 2)
		index_build(object);
	else
		index_add(index, child);
}

static void index_swap(const struct xb_node *object, const struct xb_node *from, struct xb_node *to)
{
	if (object->index && object->index->slots)
		*index_slot(object->index, from->key) = to;
}

/* --- looking */

struct xb_node *xb_tree_getsv(const struct xb_node *object, struct xb_sv key)
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

struct xb_node *xb_tree_get(const struct xb_node *object, const char *key)
{
	return xb_tree_getsv(object, xb_sv(key));
}

struct xb_node *xb_tree_path_(const struct xb_node *object, const char *first, ...)
{
	const struct xb_node *n = object;
	va_list ap;

	va_start(ap, first);
	for (const char *key = first; key; key = va_arg(ap, const char *))
		n = xb_tree_get(n, key);
	va_end(ap);
	return (struct xb_node *)n;
}

struct xb_sv xb_tree_text(const struct xb_node *n)
{
	return n && n->type == XB_JSON_STRING ? n->text : (struct xb_sv){};
}

struct xb_sv xb_tree_gettext(const struct xb_node *object, const char *key)
{
	return xb_tree_text(xb_tree_get(object, key));
}

bool xb_tree_is(const struct xb_node *n, const char *s)
{
	return n && n->type == XB_JSON_STRING && xb_sv_is(n->text, s);
}

int xb_tree_i64(const struct xb_node *n, int64_t *ret)
{
	return n && n->type == XB_JSON_NUMBER && !xb_sv_i64(n->text, ret) ? 0 : -EINVAL;
}

int64_t xb_tree_geti64(const struct xb_node *object, const char *key, int64_t otherwise)
{
	(void)xb_tree_i64(xb_tree_get(object, key), &otherwise);
	return otherwise;
}

bool xb_tree_true(const struct xb_node *n)
{
	return n && n->type == XB_JSON_BOOL && n->b;
}

/* --- changing */

static void link_before(struct xb_node *parent, struct xb_node *before, struct xb_node *n)
{
	n->parent = parent;
	n->next = before;
	n->prev = before ? before->prev : parent->last;
	*(n->prev ? &n->prev->next : &parent->first) = n;
	*(before ? &before->prev : &parent->last) = n;
	parent->count++;
}

void xb_tree_insert_member(struct xb_node *object, struct xb_node *before, struct xb_sv key, struct xb_node *value)
{
	value->key = key;
	link_before(object, before, value);
	index_append(object, value);
}

void xb_tree_set(struct xb_node *object, struct xb_sv key, struct xb_node *value)
{
	struct xb_node *old = xb_tree_getsv(object, key);

	if (old) {
		xb_tree_replace(old, value);
		return;
	}
	xb_tree_insert_member(object, NULL, key, value);
}

void xb_tree_insert(struct xb_node *array, struct xb_node *before, struct xb_node *value)
{
	value->key = (struct xb_sv){};
	link_before(array, before, value);
}

void xb_tree_append(struct xb_node *array, struct xb_node *value)
{
	xb_tree_insert(array, NULL, value);
}

static void unlink_node(struct xb_node *n)
{
	*(n->prev ? &n->prev->next : &n->parent->first) = n->next;
	*(n->next ? &n->next->prev : &n->parent->last) = n->prev;
	n->parent->count--;
	n->parent = n->next = n->prev = NULL;
}

void xb_tree_remove(struct xb_node *n)
{
	if (!n->parent)
		return;
	index_swap(n->parent, n, &gone);
	unlink_node(n);
}

void xb_tree_replace(struct xb_node *n, struct xb_node *with)
{
	struct xb_node *parent = n->parent, *next = n->next;

	if (n == with)
		return;
	with->key = n->key;
	index_swap(parent, n, with);
	unlink_node(n);
	link_before(parent, next, with);
}

bool xb_tree_del(struct xb_node *object, const char *key)
{
	struct xb_node *n = xb_tree_get(object, key);

	if (n)
		xb_tree_remove(n);
	return n;
}

struct xb_node *xb_tree_obtain(struct xb_arena *a, struct xb_node *object, const char *key)
{
	struct xb_node *n = xb_tree_get(object, key), *fresh;

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

static struct xb_node *copy_one(struct xb_arena *a, const struct xb_node *n)
{
	struct xb_node *copy = node_new(a, n->type);

	if (!copy)
		return NULL;
	copy->b = n->b;
	copy->key = n->key;
	copy->text = n->text;
	return copy;
}

struct xb_node *xb_tree_copy(struct xb_arena *a, const struct xb_node *n)
{
	struct xb_node *root = n ? copy_one(a, n) : NULL, *into = root;
	const struct xb_node *from = n;
	struct xb_node *copy;

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
static bool equal_one(const struct xb_node *a, const struct xb_node *b)
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

bool xb_tree_equal(const struct xb_node *a, const struct xb_node *b)
{
	const struct xb_node *root = a, *in;

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

static void write_one(const struct xb_node *n, struct xb_buf *out)
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

static bool is_container(const struct xb_node *n)
{
	return n->type == XB_JSON_OBJECT || n->type == XB_JSON_ARRAY;
}

struct writer {
	struct xb_buf *out;
	struct xb_tree_mark *marks;
	unsigned n_marks;
};

static struct xb_tree_mark *mark_of(const struct writer *w, const struct xb_node *n)
{
	for (unsigned i = 0; i < w->n_marks; i++)
		if (w->marks[i].node == n)
			return &w->marks[i];
	return NULL;
}

static void begin_one(const struct writer *w, const struct xb_node *n, bool is_root)
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

static void end_one(const struct writer *w, const struct xb_node *n)
{
	struct xb_tree_mark *mark = n->marked ? mark_of(w, n) : NULL;

	if (is_container(n))
		xb_buf_addc(w->out, n->type == XB_JSON_OBJECT ? '}' : ']');
	if (mark)
		mark->n = w->out->n - mark->at;
}

static void write_all(const struct writer *w, const struct xb_node *root)
{
	const struct xb_node *n = root;

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

void xb_tree_write(const struct xb_node *n, struct xb_buf *out)
{
	write_all(&(struct writer){ .out = out }, n);
}

void xb_tree_write_marked(const struct xb_node *n, struct xb_buf *out, struct xb_tree_mark *marks, unsigned n_marks)
{
	for (unsigned i = 0; i < n_marks; i++)
		marks[i].node->marked = true;
	write_all(&(struct writer){ out, marks, n_marks }, n);
	for (unsigned i = 0; i < n_marks; i++)
		marks[i].node->marked = false;
}

/* --- from a document */

struct builder {
	struct xb_arena *arena;
	const struct xb_json *doc;
	const char *to; /* where the document's text is borrowed: its bytes, or a copy of them that lives longer */
	void (*on_duplicate)(void *arg, const char *path);
	void *arg;
};

static bool decode_escaped(struct builder *b, struct xb_sv text, struct xb_sv *ret)
{
	_cleanup_buf_ struct xb_buf decoded = {};

	xb_json_unescape(text, &decoded);
	if (decoded.err)
		return false;
	*ret = xb_arena_sv(b->arena, xb_buf_sv(&decoded));
	return ret->p;
}

static inline bool decode(struct builder *b, struct xb_sv text, bool escaped, struct xb_sv *ret)
{
	if (escaped)
		return decode_escaped(b, text, ret);
	*ret = (struct xb_sv){ b->to + (text.p - b->doc->bytes), text.n };
	return true;
}

/* The string whose opening quote is at *p; leaves *p at the closing one. */
static inline bool decode_string(struct builder *b, const char **p, bool escaped, struct xb_sv *ret)
{
	const char *from = *p + 1;

	*p = xb_json_string_end(b->doc, *p, escaped);
	return decode(b, (struct xb_sv){ from, *p - from }, escaped, ret);
}

static unsigned position(const struct xb_node *n)
{
	unsigned i = 0;

	while ((n = n->prev))
		i++;
	return i;
}

static void add_path(const struct xb_node *n, struct xb_buf *path)
{
	const struct xb_node *from_root[1024];
	size_t depth = 0;

	for (; n->parent && depth < ARRAY_SIZE(from_root); n = n->parent)
		from_root[depth++] = n;
	while (depth--) {
		n = from_root[depth];
		if (n->parent->type == XB_JSON_ARRAY)
			xb_buf_addf(path, "[%u]", position(n));
		else
			xb_buf_addf(path, "%s%.*s", path->n ? "." : "", XB_SV_ARG(n->key));
	}
}

static bool tell_duplicate(struct builder *b, const struct xb_node *n)
{
	_cleanup_buf_ struct xb_buf path = {};

	add_path(n, &path);
	if (path.err)
		return false;
	b->on_duplicate(b->arg, path.p);
	return true;
}

/* A bit that a name sets in its object: while it is clear there is no such member, and none needs to be searched. */
static uint64_t name_bit(struct xb_sv key)
{
	return key.n ? UINT64_C(1) << ((key.n + 3 * key.p[0] + 5 * key.p[key.n / 2] + 7 * key.p[key.n - 1]) & 63) : 1;
}

static bool add_child(struct builder *b, struct xb_node *parent, uint64_t *names, struct xb_sv key, struct xb_node *n)
{
	uint64_t bit = name_bit(key);
	struct xb_node *old = *names & bit ? xb_tree_getsv(parent, key) : NULL;

	*names |= bit;
	if (old && b->on_duplicate && !tell_duplicate(b, old))
		return false;
	if (old)
		xb_tree_replace(old, n);
	else
		xb_tree_insert_member(parent, NULL, key, n);
	return true;
}

/* Recursion is as deep as the parser let the document be. */
static struct xb_node *build(struct builder *b, struct xb_node *parent, uint64_t *names, uint32_t at)
{
	const struct xb_json_entry e = xb_json_entry_at(b->doc, at);
	const char *p = b->doc->bytes + e.start;
	struct xb_node *n = node_new(b->arena, e.type);
	struct xb_sv key = {};
	uint64_t inside = 0;

	if (!n)
		return NULL;
	if (e.member) {
		if (!decode_string(b, &p, e.key_escaped, &key))
			return NULL;
		p = xb_json_behind_key(p);
	}
	if (parent && !add_child(b, parent, names, key, n))
		return NULL;

	switch (n->type) {
	case XB_JSON_BOOL:
		n->b = *p == 't';
		return n;
	case XB_JSON_STRING:
		return decode_string(b, &p, e.escaped, &n->text) ? n : NULL;
	case XB_JSON_NUMBER:
		return decode(b, xb_jv_bytes((struct xb_jv){ b->doc, at }), false, &n->text) ? n : NULL;
	default:
		for (uint32_t child = at + 1; child < e.next; child = xb_json_entry_at(b->doc, child).next)
			if (!build(b, n, &inside, child))
				return NULL;
		return n;
	}
}

struct xb_node *xb_tree_from(struct xb_arena *a, struct xb_jv v, void (*on_duplicate)(void *arg, const char *path), void *arg)
{
	struct builder b = { .arena = a, .doc = v.doc, .on_duplicate = on_duplicate, .arg = arg };

	if (!v.doc)
		return NULL;
	b.to = v.doc->bytes;
	return build(&b, NULL, NULL, v.at);
}

int xb_tree_read(struct xb_arena *a, struct xb_sv json, const struct xb_json_limits *limits, struct xb_node **ret)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;
	struct builder b = { .arena = a };
	struct xb_node *n = NULL;
	int r = xb_json_parse(json, limits, &d, NULL);

	if (r < 0)
		return r;
	b.doc = d;
	b.to = xb_arena_strn(a, json);
	if (b.to)
		n = build(&b, NULL, NULL, 0);
	if (!n)
		return -ENOMEM;
	*ret = n;
	return 0;
}

struct xb_node *xb_tree_parse(struct xb_arena *a, const char *json)
{
	struct xb_node *n = NULL;
	int r = xb_tree_read(a, xb_sv(json), NULL, &n);

	if (r < 0 && r != -ENOMEM)
		abort();
	return n;
}
