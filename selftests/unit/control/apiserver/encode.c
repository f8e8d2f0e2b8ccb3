/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../control/apiserver/encode.h"

static const char object[] = "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"7\",\"uid\":\"u\"},\"data\":{\"k\":\"v\"}}";
static struct xb_json *doc;
static struct encoding encoding;

/* One value on a line, which is how watches frame it; the caller frees it. */
static struct xb_json *parsed(struct xb_buf *out)
{
	struct xb_json *d = NULL;

	assert_int_equal(out->err, 0);
	assert_int_equal(out->p[out->n - 1], '\n');
	assert_ptr_equal(strchr(out->p, '\n'), out->p + out->n - 1);
	assert_int_equal(xb_json_parse(xb_buf_sv(out), NULL, &d, NULL), 0);
	xb_buf_done(out);
	return d;
}

static void assert_text(struct xb_jv v, const char *want)
{
	assert_true(xb_jv_streq(v, xb_sv(want)));
}

static void an_object_is_its_own_bytes(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};

	encode_object(&encoding, doc, &out);
	assert_int_equal(out.n, sizeof(object));
	assert_memory_equal(out.p, object, sizeof(object) - 1);
}

static void metadata_alone(void **state)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;
	struct xb_buf out = {};

	encoding.accept.form = ACCEPT_METADATA;
	encode_object(&encoding, doc, &out);
	d = parsed(&out);
	assert_text(xb_jv_get(xb_json_root(d), "kind"), "PartialObjectMetadata");
	assert_text(xb_jv_get(xb_json_root(d), "apiVersion"), "meta.k8s.io/v1");
	assert_text(xb_jv_path(xb_json_root(d), "metadata", "name"), "a");
	assert_false(xb_jv_is(xb_jv_get(xb_json_root(d), "data")));
}

static void a_table(void **state)
{
	static const struct {
		enum include_object include;
		const char *kind;
	} rows[] = { { INCLUDE_METADATA, "PartialObjectMetadata" }, { INCLUDE_OBJECT, "ConfigMap" }, { INCLUDE_NONE, NULL } };

	encoding.accept.form = ACCEPT_TABLE;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;
		struct xb_buf out = {};
		struct xb_jv row, object_;

		encoding.include = rows[i].include;
		encode_object(&encoding, doc, &out);
		d = parsed(&out);
		assert_text(xb_jv_get(xb_json_root(d), "kind"), "Table");
		assert_text(xb_jv_path(xb_json_root(d), "metadata", "resourceVersion"), "7");
		assert_text(xb_jv_get(xb_jv_at(xb_jv_get(xb_json_root(d), "columnDefinitions"), 0), "name"), "Name");
		row = xb_jv_at(xb_jv_get(xb_json_root(d), "rows"), 0);
		assert_int_equal(xb_jv_count(xb_jv_get(row, "cells")), xb_jv_count(xb_jv_get(xb_json_root(d), "columnDefinitions")));
		object_ = xb_jv_get(row, "object");
		if (rows[i].kind)
			assert_text(xb_jv_get(object_, "kind"), rows[i].kind);
		else
			assert_int_equal(xb_jv_type(object_), XB_JSON_NULL);
	}
}

static void lists(void **state)
{
	static const enum accept_form forms[] = { ACCEPT_OBJECT, ACCEPT_TABLE, ACCEPT_METADATA };
	static const char *const kinds[] = { "ConfigMapList", "Table", "PartialObjectMetadataList" };

	for (unsigned i = 0; i < ARRAY_SIZE(forms); i++) {
		_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;
		struct xb_buf out = {};
		struct xb_jv meta;
		int64_t n;

		encoding.accept.form = forms[i];
		encode_list_begin(&encoding, &out);
		encode_list_item(&encoding, doc, true, &out);
		encode_list_item(&encoding, doc, false, &out);
		encode_list_end(9, XB_SV("token"), 3, &out);
		d = parsed(&out);
		assert_text(xb_jv_get(xb_json_root(d), "kind"), kinds[i]);
		assert_int_equal(xb_jv_count(xb_jv_get(xb_json_root(d), forms[i] == ACCEPT_TABLE ? "rows" : "items")), 2);
		meta = xb_jv_get(xb_json_root(d), "metadata");
		assert_text(xb_jv_get(meta, "resourceVersion"), "9");
		assert_text(xb_jv_get(meta, "continue"), "token");
		assert_int_equal(xb_jv_i64(xb_jv_get(meta, "remainingItemCount"), &n), 0);
		assert_int_equal(n, 3);
	}
}

static void an_empty_list(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};

	encode_list_begin(&encoding, &out);
	encode_list_end(5, (struct xb_sv){}, -1, &out);
	assert_string_equal(out.p, "{\"kind\":\"ConfigMapList\",\"apiVersion\":\"v1\",\"items\":[],\"metadata\":{\"resourceVersion\":\"5\"}}\n");
}

/* An object that leaves a selector is shown as it was, with the version at which it left. */
static void events(void **state)
{
	static const enum accept_form forms[] = { ACCEPT_OBJECT, ACCEPT_METADATA };

	for (unsigned i = 0; i < ARRAY_SIZE(forms); i++) {
		_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;
		struct xb_buf out = {};

		encoding.accept.form = forms[i];
		encode_event(&encoding, "DELETED", doc, 12345, false, &out);
		d = parsed(&out);
		assert_text(xb_jv_get(xb_json_root(d), "type"), "DELETED");
		assert_text(xb_jv_path(xb_json_root(d), "object", "metadata", "resourceVersion"), "12345");
		assert_text(xb_jv_path(xb_json_root(d), "object", "metadata", "uid"), "u");
	}
}

static void only_the_first_table_event_defines_columns(void **state)
{
	encoding.accept.form = ACCEPT_TABLE;
	for (int first = 0; first < 2; first++) {
		_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;
		struct xb_buf out = {};

		encode_event(&encoding, "ADDED", doc, 0, first, &out);
		d = parsed(&out);
		assert_int_equal(xb_jv_count(xb_jv_path(xb_json_root(d), "object", "columnDefinitions")) > 0, first);
	}
}

static void bookmarks(void **state)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;
	struct xb_buf out = {};

	encode_bookmark(&encoding, 8, true, &out);
	d = parsed(&out);
	assert_text(xb_jv_get(xb_json_root(d), "type"), "BOOKMARK");
	assert_text(xb_jv_path(xb_json_root(d), "object", "kind"), "ConfigMap");
	assert_text(xb_jv_path(xb_json_root(d), "object", "metadata", "resourceVersion"), "8");
	assert_text(xb_jv_path(xb_json_root(d), "object", "metadata", "annotations", "k8s.io/initial-events-end"), "true");
}

/* Another version than the stored: in objects, in lists, and in events, with their revision. */
static void other_versions_are_converted(void **state)
{
	static const char event[] = "{\"kind\":\"Event\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"e\",\"resourceVersion\":\"7\"},\"message\":\"hello\"}";
	_cleanup_(xb_json_unrefp) struct xb_json *in = NULL, *one = NULL, *list = NULL, *seen = NULL;
	struct xb_buf out = {};
	struct xb_jv v;

	assert_int_equal(xb_json_parse(xb_sv(event), NULL, &in, NULL), 0);
	encoding.kind = xb_kind_by_resource(XB_SV("events.k8s.io"), XB_SV("v1"), XB_SV("events"));
	encode_object(&encoding, in, &out);
	one = parsed(&out);
	assert_text(xb_jv_get(xb_json_root(one), "apiVersion"), "events.k8s.io/v1");
	assert_text(xb_jv_get(xb_json_root(one), "note"), "hello");
	encode_list_begin(&encoding, &out);
	encode_list_item(&encoding, in, true, &out);
	encode_list_end(9, (struct xb_sv){}, -1, &out);
	list = parsed(&out);
	assert_text(xb_jv_get(xb_json_root(list), "apiVersion"), "events.k8s.io/v1");
	assert_text(xb_jv_get(xb_jv_at(xb_jv_get(xb_json_root(list), "items"), 0), "note"), "hello");
	encode_event(&encoding, "DELETED", in, 8, false, &out);
	seen = parsed(&out);
	v = xb_jv_get(xb_json_root(seen), "object");
	assert_text(xb_jv_get(v, "note"), "hello");
	assert_text(xb_jv_path(v, "metadata", "resourceVersion"), "8");
}

static int make_doc(void **state)
{
	encoding = (struct encoding){ .kind = xb_kind_by_resource(XB_SV(""), XB_SV("v1"), XB_SV("configmaps")) };
	return xb_json_parse(xb_sv(object), NULL, &doc, NULL);
}

static int free_doc(void **state)
{
	doc = xb_json_unref(doc);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_doc, free_doc)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_object_is_its_own_bytes), TEST(metadata_alone), TEST(a_table), TEST(lists), TEST(an_empty_list), TEST(events),
		TEST(only_the_first_table_event_defines_columns), TEST(bookmarks), TEST(other_versions_are_converted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
