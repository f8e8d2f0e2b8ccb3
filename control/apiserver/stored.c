/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include "stored.h"

int stored_value(struct xb_arena *a, struct xb_node *object, struct xb_buf *out, struct store_value *ret)
{
	struct xb_tree_mark marks[1 + STORE_SPANS_MAX];
	struct xb_node *meta = xb_tree_obtain(a, object, "metadata"), *hole = xb_tree_str(a, (struct xb_sv){});
	unsigned n = 1;

	if (!meta || !hole)
		return -ENOMEM;
	xb_tree_setc(meta, "resourceVersion", hole);
	marks[0].node = hole;
	xb_tree_each(entry, xb_tree_get(meta, "managedFields")) {
		struct xb_node *fields = xb_tree_get(entry, "fieldsV1");

		if (fields && n < ARRAY_SIZE(marks))
			marks[n++].node = fields;
	}
	xb_tree_write_marked(object, out, marks, n);
	if (out->err)
		return out->err;
	*ret = (struct store_value){ .bytes = xb_buf_sv(out), .hole = marks[0].at + 1, .n_spans = n - 1 };
	for (unsigned i = 1; i < n; i++)
		ret->spans[i - 1] = (struct store_span){ marks[i].at, marks[i].n };
	return 0;
}

/* The node that was made from that place of the document. */
static struct xb_node *node_at(struct xb_node *managed, const char *place)
{
	xb_tree_each(entry, managed) {
		struct xb_node *fields = xb_tree_get(entry, "fieldsV1");

		if (fields && fields->type == XB_JSON_NUMBER && fields->text.p == place)
			return fields;
	}
	return NULL;
}

struct xb_node *stored_tree(struct xb_arena *a, const struct xb_json *doc)
{
	struct xb_node *object = xb_tree_from(a, xb_json_root(doc), NULL, NULL), *number, *value;
	struct store_part_at part;
	unsigned iter = 0;

	while (object && store_part_next(doc, &iter, &part)) {
		number = node_at(xb_tree_path(object, "metadata", "managedFields"), xb_json_bytes(doc).p + part.at);
		value = xb_tree_from(a, xb_json_root(part.value), NULL, NULL);
		if (!value)
			return NULL;
		if (number)
			xb_tree_replace(number, value);
	}
	return object;
}

/* A stretch of the document without parts in it. */
static void write_plain(const char *from, const char *to, struct xb_sv version, uint64_t revision, struct xb_buf *out)
{
	if (!version.p || version.p < from || version.p >= to) {
		xb_buf_add(out, from, to - from);
		return;
	}
	xb_buf_add(out, from, version.p - from);
	xb_buf_addf(out, "\"%" PRIu64 "\"", revision);
	xb_buf_add(out, version.p + version.n, to - version.p - version.n);
}

void stored_write(struct xb_jv v, uint64_t revision, struct xb_buf *out)
{
	struct xb_sv whole = xb_jv_bytes(v), version = {};
	const char *from = whole.p, *to = whole.p + whole.n;
	struct store_part_at part;
	unsigned iter = 0;

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
