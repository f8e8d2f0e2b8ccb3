/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Trees of documents. */
#include "index.h"
#include "node.h"

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

static unsigned position(const struct xb_tree *n)
{
	unsigned i = 0;

	while ((n = n->prev))
		i++;
	return i;
}

static void add_path(const struct xb_tree *n, struct xb_buf *path)
{
	const struct xb_tree *from_root[1024];
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

static bool tell_duplicate(struct builder *b, const struct xb_tree *n)
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

static bool add_child(struct builder *b, struct xb_tree *parent, uint64_t *names, struct xb_sv key, struct xb_tree *n)
{
	uint64_t bit = name_bit(key);
	struct xb_tree *old = *names & bit ? xb_tree_getsv(parent, key) : NULL;

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
static struct xb_tree *build(struct builder *b, struct xb_tree *parent, uint64_t *names, uint32_t at)
{
	const struct xb_json_entry e = xb_json_entry_at(b->doc, at);
	const char *p = b->doc->bytes + e.start;
	struct xb_tree *n = node_new(b->arena, e.type);
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

struct xb_tree *xb_tree_from(struct xb_arena *a, struct xb_jv v, void (*on_duplicate)(void *arg, const char *path), void *arg)
{
	struct builder b = { .arena = a, .doc = v.doc, .on_duplicate = on_duplicate, .arg = arg };

	if (!v.doc)
		return NULL;
	b.to = v.doc->bytes;
	return build(&b, NULL, NULL, v.at);
}

int xb_tree_read(struct xb_arena *a, struct xb_sv json, const struct xb_json_limits *limits, struct xb_tree **ret)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;
	struct builder b = { .arena = a };
	struct xb_tree *n = NULL;
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

struct xb_tree *xb_tree_parse(struct xb_arena *a, const char *json)
{
	struct xb_tree *n = NULL;
	int r = xb_tree_read(a, xb_sv(json), NULL, &n);

	if (r < 0 && r != -ENOMEM)
		abort();
	return n;
}
