/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef TEST_REGISTRY_FIXTURE_H
#define TEST_REGISTRY_FIXTURE_H
/*
 * Writes as the verbs make them, without store and server: decode, defaults, prepare, begin, validate. JSON is written with
 * ' for ". What a write comes to is text: "" when it is good, else its causes, "field: message", one a line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "../../../../../control/apiserver/registry/registry.h"
#include "xb/patch.h"

#define NOW "2026-01-01T00:00:00Z"
enum { NOW_SECONDS = 1767225600 };

static struct xb_arena *arena;
static struct registry *registry;

static inline int setup(void **state)
{
	struct registry_config c = { .service_ranges = "10.96.0.0/12", .node_port_first = 30000, .node_port_last = 32767 };

	arena = xb_arena_new(0);
	return arena ? registry_new(&c, &registry, NULL) : -1;
}

static inline int teardown(void **state)
{
	registry = registry_free(registry);
	arena = xb_arena_free(arena);
	return 0;
}

static inline const char *quoted(const char *text)
{
	char *copy = xb_arena_strn(arena, xb_sv(text));

	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	return copy;
}

static inline const struct xb_kind *kind_of(const struct xb_tree *object)
{
	struct xb_sv version = xb_tree_gettext(object, "apiVersion"), group = {};

	if (memchr(version.p, '/', version.n))
		assert_true(xb_sv_split(&version, '/', &group));
	return xb_kind_by_name(group, version, xb_tree_gettext(object, "kind"));
}

static inline struct write write_of(const struct xb_tree *object)
{
	struct write w = { .arena = arena, .registry = registry, .kind = kind_of(object), .now = NOW };

	assert_non_null(w.kind);
	w.name = xb_tree_text(xb_tree_path(object, "metadata", "name"));
	w.namespace_ = xb_tree_text(xb_tree_path(object, "metadata", "namespace"));
	return w;
}

static inline struct xb_tree *decoded(struct xb_tree *object)
{
	struct write w = write_of(object);
	_cleanup_status_ struct xb_status s = {};
	int r = xb_schema_decode(&(struct xb_decode){ .arena = arena }, w.kind->type, object, &s);

	if (r)
		print_error("%s\n", s.message);
	assert_int_equal(r, 0);
	assert_int_equal(xb_kind_to_stored(w.kind, arena, object), 0);
	if (strategy_of(w.kind)->defaults)
		strategy_of(w.kind)->defaults(&w, object);
	assert_false(w.no_memory);
	return object;
}

static inline const char *causes_of(struct write *w, const struct xb_field_errors *e)
{
	_cleanup_status_ struct xb_status s = {};
	_cleanup_buf_ struct xb_buf b = {};

	assert_false(w->no_memory);
	(void)xb_field_errors_status(e, w->kind->group, w->kind->kind, w->name, &s);
	for (size_t i = 0; i < s.n_causes; i++)
		xb_buf_addf(&b, "%s%s: %s", i ? "\n" : "", s.causes[i].field, s.causes[i].message);
	return xb_arena_strn(arena, xb_buf_sv(&b));
}

/* Allocates, validates and ends the write; it is committed when it is good. */
static inline const char *settle(struct write *w, struct xb_tree *object, const struct xb_tree *old)
{
	const struct strategy *s = strategy_of(w->kind);
	struct xb_field_errors e = { .arena = arena };

	if (s->begin)
		assert_int_equal(s->begin(w, object, old, &e), 0);
	if (!e.n) {
		if (s->validate)
			s->validate(w, object, &e);
		if (old && s->validate_update)
			s->validate_update(w, object, old, &e);
	}
	if (s->end)
		s->end(w, !e.n);
	return causes_of(w, &e);
}

static inline const char *try_create(const char *json, struct xb_tree **ret)
{
	struct xb_tree *object = xb_tree_parse(arena, quoted(json));
	struct write w = write_of(object);

	decoded(object);
	if (strategy_of(w.kind)->prepare_create)
		strategy_of(w.kind)->prepare_create(&w, object);
	*ret = object;
	return settle(&w, object, NULL);
}

static inline const char *fault_of(const char *json)
{
	struct xb_tree *object;

	return try_create(json, &object);
}

static inline struct xb_tree *created(const char *json)
{
	struct xb_tree *object;

	assert_string_equal(try_create(json, &object), "");
	return object;
}

/* The object after a JSON merge patch. */
static inline const char *try_update(const struct xb_tree *old, const char *patch, struct xb_tree **ret)
{
	struct xb_tree *object = xb_tree_copy(arena, old);
	struct write w = write_of(old);

	assert_int_equal(xb_patch_merge(arena, &object, xb_tree_parse(arena, quoted(patch))), 0);
	decoded(object);
	if (strategy_of(w.kind)->prepare_update)
		strategy_of(w.kind)->prepare_update(&w, object, old);
	*ret = object;
	return settle(&w, object, old);
}

static inline const char *fault_of_update(const struct xb_tree *old, const char *patch)
{
	struct xb_tree *object;

	return try_update(old, patch, &object);
}

static inline struct xb_tree *updated(const struct xb_tree *old, const char *patch)
{
	struct xb_tree *object;

	assert_string_equal(try_update(old, patch, &object), "");
	return object;
}

/* What validate_status says when status becomes this. */
static inline const char *fault_of_status(const struct xb_tree *old, const char *status)
{
	struct xb_tree *object = xb_tree_copy(arena, old);
	struct xb_field_errors e = { .arena = arena };
	struct write w = write_of(old);

	xb_tree_setc(object, "status", xb_tree_parse(arena, quoted(status)));
	strategy_of(w.kind)->validate_status(&w, object, old, &e);
	return causes_of(&w, &e);
}

static inline const char *text_of(const struct xb_tree *n)
{
	_cleanup_buf_ struct xb_buf b = {};

	if (!n)
		return "";
	xb_tree_write(n, &b);
	for (char *p = b.p; *p; p++)
		if (*p == '"')
			*p = '\'';
	return xb_arena_strn(arena, xb_buf_sv(&b));
}

/* The table's cells of a stored object, as JSON with ' for ". There are as many as columns. */
static inline const char *row_of(const char *json)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL, *cells = NULL;
	_cleanup_buf_ struct xb_buf b = {};
	struct xb_jw jw = XB_JW(&b);
	struct table_row r = { &jw, NOW_SECONDS };
	const struct strategy *s;

	assert_int_equal(xb_json_parse(xb_sv(quoted(json)), NULL, &d, NULL), 0);
	s = strategy_of(kind_of(xb_tree_from(arena, xb_json_root(d), NULL, NULL)));
	xb_jw_array(&jw);
	s->row(&r, xb_json_root(d));
	xb_jw_end(&jw);
	assert_int_equal(xb_jw_finish(&jw), 0);
	assert_int_equal(xb_json_parse(xb_buf_sv(&b), NULL, &cells, NULL), 0);
	assert_int_equal(xb_jv_count(xb_json_root(cells)), s->n_columns);
	for (char *p = b.p; *p; p++)
		if (*p == '"')
			*p = '\'';
	return xb_arena_strn(arena, xb_buf_sv(&b));
}

struct example { const char *object, *comes_to; };
#define EACH_CREATE(list) \
	for (size_t i_ = 0; i_ < ARRAY_SIZE(list); i_++) \
		assert_string_equal(fault_of((list)[i_].object), (list)[i_].comes_to)
#define EACH_ROW(list) \
	for (size_t i_ = 0; i_ < ARRAY_SIZE(list); i_++) \
		assert_string_equal(row_of((list)[i_].object), (list)[i_].comes_to)

#endif
