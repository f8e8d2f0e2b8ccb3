/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include "encode.h"
#include "stored.h"
#include "registry/strategy.h"
#include "xb/time.h"

static const char *meta_version(const struct encoding *e)
{
	return e->accept.beta ? "meta.k8s.io/v1beta1" : "meta.k8s.io/v1";
}

static void write_group_version(const struct xb_kind *k, struct xb_buf *out)
{
	xb_buf_addf(out, "%s%s%s", k->group, *k->group ? "/" : "", k->version);
}

static const struct strategy *table_of(const struct encoding *e)
{
	return e->table ? e->table : strategy_of(e->kind);
}

static void write_columns(const struct encoding *e, struct xb_jw *w)
{
	const struct strategy *s = table_of(e);
	const struct column *c = s->columns;

	xb_jw_key(w, "columnDefinitions");
	xb_jw_array(w);
	for (unsigned i = 0; i < s->n_columns; i++, c++) {
		xb_jw_object(w);
		xb_jw_kstr(w, "name", c->name);
		xb_jw_kstr(w, "type", c->type);
		xb_jw_kstr(w, "format", c->format);
		xb_jw_kstr(w, "description", c->description);
		xb_jw_kint(w, "priority", c->priority);
		xb_jw_end(w);
	}
	xb_jw_end(w);
}

static struct xb_jv version_of(const struct xb_json *doc)
{
	return xb_jv_path(xb_json_root(doc), "metadata", "resourceVersion");
}

/* Another version than the stored one: through a tree. */
static int write_converted(const struct encoding *e, const struct xb_json *doc, uint64_t revision, struct xb_buf *out)
{
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
	struct xb_tree *object = a ? stored_tree(a, doc) : NULL;
	char digits[24];
	int r;

	if (!object)
		return -ENOMEM;
	if (revision) {
		struct xb_tree *version = xb_tree_path(object, "metadata", "resourceVersion");

		snprintf(digits, sizeof(digits), "%" PRIu64, revision);
		if (version)
			version->text = xb_sv(digits);
	}
	r = xb_kind_from_stored(e->kind, a, object);
	if (!r)
		xb_tree_write(object, out);
	return r;
}

static void write_whole(const struct encoding *e, const struct xb_json *doc, uint64_t revision, struct xb_buf *out)
{
	if (e->kind->stored)
		out->err = write_converted(e, doc, revision, out) ? -ENOMEM : out->err;
	else
		stored_write(xb_json_root(doc), revision, out);
}

static void write_partial(const struct encoding *e, const struct xb_json *doc, uint64_t revision, struct xb_buf *out)
{
	xb_buf_addf(out, "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"%s\",\"metadata\":", meta_version(e));
	stored_write(xb_jv_get(xb_json_root(doc), "metadata"), revision, out);
	xb_buf_addc(out, '}');
}

static void write_cells(const struct encoding *e, const struct xb_json *doc, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);
	struct table_row row = { .w = &w, .now = xb_time_now() / 1000000 };

	xb_jw_array(&w);
	table_of(e)->row(&row, xb_json_root(doc));
	xb_jw_end(&w);
}

static void write_row(const struct encoding *e, const struct xb_json *doc, uint64_t revision, struct xb_buf *out)
{
	xb_buf_adds(out, "{\"cells\":");
	write_cells(e, doc, out);
	xb_buf_adds(out, ",\"object\":");
	if (e->include == INCLUDE_NONE)
		xb_buf_adds(out, "null");
	else if (e->include == INCLUDE_OBJECT)
		write_whole(e, doc, revision, out);
	else
		write_partial(e, doc, revision, out);
	xb_buf_addc(out, '}');
}

static void write_table_head(const struct encoding *e, bool columns, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", "Table");
	xb_jw_kstr(&w, "apiVersion", meta_version(e));
	if (columns)
		write_columns(e, &w);
	else
		xb_buf_adds(out, ",\"columnDefinitions\":null");
	xb_buf_adds(out, ",\"rows\":[");
}

static void write_table(const struct encoding *e, const struct xb_json *doc, uint64_t revision, bool columns,
		  struct xb_buf *out)
{
	write_table_head(e, columns, out);
	write_row(e, doc, revision, out);
	xb_buf_adds(out, "],\"metadata\":{\"resourceVersion\":");
	if (revision)
		xb_buf_addf(out, "\"%" PRIu64 "\"", revision);
	else if (xb_jv_is(version_of(doc)))
		xb_buf_addsv(out, xb_jv_bytes(version_of(doc)));
	else
		xb_buf_adds(out, "\"\"");
	xb_buf_adds(out, "}}");
}

static void write_in_form(const struct encoding *e, const struct xb_json *doc, uint64_t revision, bool columns,
		  struct xb_buf *out)
{
	switch (e->accept.form) {
	case ACCEPT_TABLE:
		write_table(e, doc, revision, columns, out);
		return;
	case ACCEPT_METADATA:
		write_partial(e, doc, revision, out);
		return;
	default:
		write_whole(e, doc, revision, out);
		return;
	}
}

void encode_object(const struct encoding *e, const struct xb_json *doc, struct xb_buf *out)
{
	write_in_form(e, doc, 0, true, out);
	xb_buf_addc(out, '\n');
}

void encode_list_begin(const struct encoding *e, struct xb_buf *out)
{
	switch (e->accept.form) {
	case ACCEPT_TABLE:
		write_table_head(e, true, out);
		return;
	case ACCEPT_METADATA:
		xb_buf_addf(out, "{\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"%s\"", meta_version(e));
		break;
	default:
		xb_buf_addf(out, "{\"kind\":\"%s\",\"apiVersion\":\"", e->kind->list_kind);
		write_group_version(e->kind, out);
		xb_buf_addc(out, '"');
		break;
	}
	xb_buf_adds(out, ",\"items\":[");
}

void encode_list_item(const struct encoding *e, const struct xb_json *doc, bool first, struct xb_buf *out)
{
	if (!first)
		xb_buf_addc(out, ',');
	switch (e->accept.form) {
	case ACCEPT_TABLE:
		write_row(e, doc, 0, out);
		return;
	case ACCEPT_METADATA:
		write_partial(e, doc, 0, out);
		return;
	default:
		write_whole(e, doc, 0, out);
		return;
	}
}

void encode_list_end(uint64_t revision, struct xb_sv continue_, int64_t remaining, struct xb_buf *out)
{
	xb_buf_addf(out, "],\"metadata\":{\"resourceVersion\":\"%" PRIu64 "\"", revision);
	if (continue_.n)
		xb_buf_addf(out, ",\"continue\":\"%.*s\"", XB_SV_ARG(continue_));
	if (continue_.n && remaining >= 0)
		xb_buf_addf(out, ",\"remainingItemCount\":%" PRId64, remaining);
	xb_buf_adds(out, "}}\n");
}

void encode_event(const struct encoding *e, const char *type, const struct xb_json *doc, uint64_t revision, bool columns,
		  struct xb_buf *out)
{
	xb_buf_adds(out, "{\"type\":\"");
	xb_buf_adds(out, type);
	xb_buf_adds(out, "\",\"object\":");
	write_in_form(e, doc, revision, columns, out);
	xb_buf_adds(out, "}\n");
}

void encode_bookmark(const struct encoding *e, uint64_t revision, bool initial_end, struct xb_buf *out)
{
	xb_buf_adds(out, "{\"type\":\"BOOKMARK\",\"object\":");
	if (e->accept.form == ACCEPT_TABLE) {
		write_table_head(e, false, out);
		xb_buf_adds(out, "],");
	} else if (e->accept.form == ACCEPT_METADATA) {
		xb_buf_addf(out, "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"%s\",", meta_version(e));
	} else {
		xb_buf_addf(out, "{\"kind\":\"%s\",\"apiVersion\":\"", e->kind->kind);
		write_group_version(e->kind, out);
		xb_buf_adds(out, "\",");
	}
	xb_buf_addf(out, "\"metadata\":{\"resourceVersion\":\"%" PRIu64 "\"", revision);
	if (e->accept.form != ACCEPT_TABLE) {
		xb_buf_adds(out, ",\"creationTimestamp\":null");
		if (initial_end)
			xb_buf_adds(out, ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}");
	}
	xb_buf_adds(out, "}}}\n");
}

void encode_error_event(const struct xb_status *s, struct xb_buf *out)
{
	xb_buf_adds(out, "{\"type\":\"ERROR\",\"object\":");
	xb_status_write(s, out);
	xb_buf_adds(out, "}\n");
}
