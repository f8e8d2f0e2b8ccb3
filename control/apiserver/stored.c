/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include "stored.h"

enum {
	LEVELS = 6,                      /* an object and, in it, spec.jobTemplate.spec.template.spec */
	ROOM = 1024,                     /* for a small object */
};

/* Objects on the way to what is alike; lists in them; and what is, in either those objects or the lists' entries. */
static const struct xb_sv ways[] = { XB_SV("metadata"), XB_SV("spec"), XB_SV("template"), XB_SV("jobTemplate") };
static const struct xb_sv lists[] = { XB_SV("managedFields"), XB_SV("containers"), XB_SV("initContainers"), XB_SV("volumes") };
static const struct xb_sv alike[] = {
	XB_SV("ownerReferences"), XB_SV("env"), XB_SV("envFrom"), XB_SV("command"), XB_SV("args"), XB_SV("livenessProbe"),
	XB_SV("readinessProbe"), XB_SV("startupProbe"), XB_SV("lifecycle"), XB_SV("securityContext"), XB_SV("projected"),
	XB_SV("tolerations"), XB_SV("topologySpreadConstraints"),
};

static bool is_named(const struct xb_tree *n, const struct xb_sv *names, size_t n_names)
{
	for (size_t i = 0; i < n_names; i++)
		if (xb_sv_eq(n->key, names[i]))
			return true;
	return false;
}

struct found {
	bool event;                      /* its component made others in the same second: all that managedFields tells is alike */
	unsigned n;
	struct xb_tree_mark marks[1 + STORE_SPANS_MAX];
};

static void mark(struct found *f, struct xb_tree *n)
{
	if (f->n < ARRAY_SIZE(f->marks))
		f->marks[f->n++].node = n;
}

/* Owners are named by uid and addresses by themselves: a set with those is one object's, and only pieces of it are alike. */
static bool is_ones_own(const struct xb_tree *fields)
{
	return xb_tree_path(fields, "f:metadata", "f:ownerReferences") || xb_tree_path(fields, "f:status", "f:podIPs");
}

static void find_alike_fields(struct found *f, struct xb_tree *fields)
{
	if (!is_ones_own(fields)) {
		mark(f, fields);
		return;
	}
	xb_tree_each(part, fields) {
		struct xb_tree *conditions = xb_sv_is(part->key, "f:status") ? xb_tree_get(part, "f:conditions") : NULL;

		if (conditions)
			mark(f, conditions);
		else if (xb_sv_is(part->key, "f:metadata") || xb_sv_is(part->key, "f:spec"))
			mark(f, part);
	}
}

static void find_alike(struct found *f, const struct xb_tree *in, unsigned levels)
{
	xb_tree_each(child, in) {
		if (!child->first)
			continue;
		if (is_named(child, alike, ARRAY_SIZE(alike)))
			mark(f, child);
		else if (xb_sv_is(child->key, "fieldsV1"))
			find_alike_fields(f, child);
		else if (levels && child->type == XB_JSON_OBJECT && is_named(child, ways, ARRAY_SIZE(ways)))
			find_alike(f, child, levels - 1);
		else if (levels && child->type == XB_JSON_ARRAY && is_named(child, lists, ARRAY_SIZE(lists)))
			xb_tree_each(entry, child) {
				if (f->event)
					mark(f, entry);
				find_alike(f, entry, 0);
			}
	}
}

int stored_value(struct xb_arena *a, struct xb_tree *object, struct xb_buf *out, struct store_value *ret)
{
	struct xb_tree *meta = xb_tree_obtain(a, object, "metadata"), *hole = xb_tree_str(a, (struct xb_sv){});
	struct found f = { .event = xb_tree_is(xb_tree_get(object, "kind"), "Event"), .n = 1 };

	if (!meta || !hole)
		return -ENOMEM;
	xb_tree_setc(meta, "resourceVersion", hole);
	f.marks[0].node = hole;
	find_alike(&f, object, LEVELS);
	xb_buf_reserve(out, ROOM);
	xb_tree_write_marked(object, out, f.marks, f.n);
	if (out->err)
		return out->err;
	*ret = (struct store_value){ .bytes = xb_buf_sv(out), .hole = f.marks[0].at + 1, .n_spans = f.n - 1 };
	for (unsigned i = 1; i < f.n; i++)
		ret->spans[i - 1] = (struct store_span){ f.marks[i].at, f.marks[i].n };
	return 0;
}

/* In the document's order: what comes behind n and all that is in it. */
static struct xb_tree *behind(struct xb_tree *n)
{
	while (n && !n->next)
		n = n->parent;
	return n ? n->next : NULL;
}

/* The node that was made from the number at that place of the document: n, or one that comes later. */
static struct xb_tree *number_at(struct xb_tree *n, const char *place)
{
	while (n && !(n->type == XB_JSON_NUMBER && n->text.p == place))
		n = n->first ? n->first : behind(n);
	return n;
}

struct xb_tree *stored_tree(struct xb_arena *a, const struct xb_json *doc)
{
	struct xb_tree *object = xb_tree_from(a, xb_json_root(doc), NULL, NULL), *at = object, *number, *value;
	struct store_part_at part;
	unsigned iter = 0;

	while (at && store_part_next(doc, &iter, &part)) {
		number = number_at(at, xb_json_bytes(doc).p + part.at);
		value = xb_tree_from(a, xb_json_root(part.value), NULL, NULL);
		if (!number || !value)
			return NULL;
		xb_tree_replace(number, value);
		at = behind(value);
	}
	return object;
}

struct xb_jv stored_whole(struct xb_jv v)
{
	const char *number = xb_jv_type(v) == XB_JSON_NUMBER ? xb_jv_bytes(v).p : NULL;
	struct store_part_at part;
	unsigned iter = 0;

	while (number && store_part_next(v.doc, &iter, &part))
		if (xb_json_bytes(v.doc).p + part.at == number)
			return xb_json_root(part.value);
	return v;
}

/* A stretch of the document without parts in it. */
static void write_plain(const char *from, const char *to, struct xb_sv version, uint64_t revision, struct xb_buf *out)
{
	if (!version.p || version.p < from || version.p >= to) {
		xb_buf_add(out, from, to - from);
		return;
	}
	xb_buf_add(out, from, version.p - from);
	xb_buf_addc(out, '"');
	xb_buf_addu(out, revision);
	xb_buf_addc(out, '"');
	xb_buf_add(out, version.p + version.n, to - version.p - version.n);
}

/* Of all its parts. */
static size_t parts_bytes(const struct xb_json *doc)
{
	struct store_part_at part;
	unsigned iter = 0;
	size_t n = 0;

	while (store_part_next(doc, &iter, &part))
		n += xb_json_bytes(part.value).n;
	return n;
}

void stored_write(struct xb_jv v, uint64_t revision, struct xb_buf *out)
{
	struct xb_sv whole = xb_jv_bytes(v), version = {};
	const char *from = whole.p, *to = whole.p + whole.n;
	struct store_part_at part;
	unsigned iter = 0;

	xb_buf_reserve(out, whole.n + parts_bytes(v.doc));
	if (revision)
		version = xb_jv_bytes(xb_jv_path(xb_json_root(v.doc), "metadata", "resourceVersion"));
	while (store_part_next(v.doc, &iter, &part)) {
		const char *place = xb_json_bytes(v.doc).p + part.at;

		if (place < from || place >= to)
			continue;
		write_plain(from, place, version, revision, out);
		xb_buf_addsv(out, xb_json_bytes(part.value));
		from = place + part.n;
	}
	write_plain(from, to, version, revision, out);
}
