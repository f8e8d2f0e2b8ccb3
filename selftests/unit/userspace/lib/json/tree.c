/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "xb/tree.h"

struct fixture {
	struct xb_arena *a;
	struct xb_buf out;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->a = xb_arena_new(0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	xb_arena_free(f->a);
	xb_buf_done(&f->out);
	free(f);
	return 0;
}

static const char *text(struct fixture *f, const struct xb_tree *n)
{
	xb_buf_clear(&f->out);
	xb_tree_write(n, &f->out);
	return f->out.p;
}

static void writes_what_it_read(void **state)
{
	static const char *const texts[] = {
		"{\"a\":[1,-2.50e+3,true,false,null,\"x\"],\"b\":{},\"c\":[],\"d\":{\"e\":[[],{},[{\"f\":1}]]}}",
		"[]", "{}", "1", "\"\"", "null", "\"\\u0001\\n\"", "[[[1],2],3]",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct xb_tree *n = xb_tree_parse(f->a, texts[i]);

		assert_string_equal(text(f, n), texts[i]);
		assert_string_equal(text(f, xb_tree_copy(f->a, n)), texts[i]);
		assert_true(xb_tree_equal(n, xb_tree_copy(f->a, n)));
	}
}

static void decodes(void **state)
{
	struct fixture *f = *state;
	struct xb_tree *n = xb_tree_parse(f->a, " { \"\\u0061\" : \"\\ud83d\\ude00\\n\" } ");

	assert_true(xb_tree_is(xb_tree_get(n, "a"), "\xf0\x9f\x98\x80\n"));
	assert_string_equal(text(f, n), "{\"a\":\"\xf0\x9f\x98\x80\\n\"}");
}

static void reads_bytes_that_go_away(void **state)
{
	struct fixture *f = *state;
	char json[] = "{\"a\":[\"\\u0041b\",12]} and more";
	struct xb_tree *n = NULL;

	assert_int_equal(xb_tree_read(f->a, (struct xb_sv){ json, sizeof(json) - sizeof(" and more") }, NULL, &n), 0);
	memset(json, 'x', sizeof(json));
	assert_string_equal(text(f, n), "{\"a\":[\"Ab\",12]}");
	assert_int_equal(xb_tree_read(f->a, XB_SV("{\"a\""), NULL, &n), -EBADMSG);
	assert_int_equal(xb_tree_read(f->a, XB_SV("[[[]]]"), &(struct xb_json_limits){ .max_depth = 2 }, &n), -E2BIG);
}

static void looks(void **state)
{
	struct fixture *f = *state;
	struct xb_tree *n = xb_tree_parse(f->a, "{\"m\":{\"name\":\"x\",\"n\":5,\"on\":true,\"f\":1.5}}");
	struct xb_tree *m = xb_tree_get(n, "m");
	int64_t i = 7;

	assert_true(xb_tree_is(xb_tree_path(n, "m", "name"), "x"));
	assert_null(xb_tree_path(n, "m", "name", "deeper"));
	assert_null(xb_tree_path(NULL, "a"));
	assert_int_equal(xb_tree_gettext(m, "n").n, 0);
	assert_int_equal(xb_tree_i64(xb_tree_get(m, "f"), &i), -EINVAL);
	assert_int_equal(xb_tree_geti64(m, "n", 1), 5);
	assert_int_equal(xb_tree_geti64(m, "name", 1), 1);
	assert_true(xb_tree_true(xb_tree_get(m, "on")));
	assert_false(xb_tree_true(NULL));
}

static void changes(void **state)
{
	struct fixture *f = *state;
	struct xb_tree *n = xb_tree_parse(f->a, "{\"a\":1,\"b\":[1,2,3],\"c\":null,\"d\":\"s\"}");
	struct xb_tree *b = xb_tree_get(n, "b");

	xb_tree_setc(n, "a", xb_tree_str(f->a, XB_SV("one")));
	xb_tree_setc(n, "e", xb_tree_bool(f->a, true));
	xb_tree_remove(b->first->next);
	xb_tree_insert(b, b->first, xb_tree_int(f->a, 0));
	xb_tree_append(b, xb_tree_int(f->a, INT64_MIN));
	assert_string_equal(text(f, n), "{\"a\":\"one\",\"b\":[0,1,3,-9223372036854775808],\"c\":null,\"d\":\"s\",\"e\":true}");
	assert_int_equal(b->count, 4);
	assert_true(xb_tree_del(n, "a"));
	assert_false(xb_tree_del(n, "a"));
	xb_tree_setc(xb_tree_obtain(f->a, n, "c"), "x", xb_tree_array(f->a));
	xb_tree_setc(xb_tree_obtain(f->a, n, "new"), "y", xb_tree_object(f->a));
	assert_null(xb_tree_obtain(f->a, n, "d"));
	assert_null(xb_tree_obtain(f->a, b, "d"));
	xb_tree_replace(b->first, xb_tree_str(f->a, XB_SV("first")));
	assert_string_equal(text(f, n), "{\"b\":[\"first\",1,3,-9223372036854775808],\"c\":{\"x\":[]},\"d\":\"s\",\"e\":true,"
			    "\"new\":{\"y\":{}}}");
}

static void large_objects_stay_right(void **state)
{
	struct fixture *f = *state;
	struct xb_tree *n = xb_tree_object(f->a);
	enum { MANY = 3000 };

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < MANY; i++)
			xb_tree_set(n, xb_sv(xb_arena_printf(f->a, "k%d", i)), xb_tree_int(f->a, i + round));
		for (int i = 0; i < MANY; i += 3)
			assert_true(xb_tree_del(n, xb_arena_printf(f->a, "k%d", i)));
		assert_int_equal(n->count, MANY - MANY / 3);
		for (int i = 0; i < MANY; i++)
			assert_int_equal(xb_tree_geti64(n, xb_arena_printf(f->a, "k%d", i), -1), i % 3 ? i + round : -1);
	}
	assert_true(xb_tree_equal(n, xb_tree_copy(f->a, n)));
}

static void compares(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} rows[] = {
		{ "{\"a\":1,\"b\":[2,{\"c\":3}]}", "{\"b\":[2,{\"c\":3}],\"a\":1}", true },
		{ "{\"a\":{\"x\":1,\"y\":{\"z\":2}},\"b\":1}", "{\"b\":1,\"a\":{\"y\":{\"z\":2},\"x\":1}}", true },
		{ "[1,2]", "[2,1]", false }, { "[1]", "[1,1]", false }, { "{\"a\":1}", "{\"b\":1}", false },
		{ "{\"a\":1,\"b\":1}", "{\"a\":1,\"c\":1}", false }, { "[[1],[2]]", "[[1],[3]]", false },
		{ "1", "1.0", true }, { "100", "1e2", true }, { "1", "\"1\"", false }, { "true", "false", false },
		{ "9007199254740993", "9007199254740992", false }, { "{}", "[]", false }, { "null", "null", true },
		{ "[[],[[],[1]]]", "[[],[[],[1]]]", true }, { "[[],[[],[1]]]", "[[],[[1],[]]]", false },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct xb_tree *a = xb_tree_parse(f->a, rows[i].a), *b = xb_tree_parse(f->a, rows[i].b);

		assert_int_equal(xb_tree_equal(a, b), rows[i].equal);
		assert_int_equal(xb_tree_equal(b, a), rows[i].equal);
	}
	assert_true(xb_tree_equal(NULL, NULL));
	assert_false(xb_tree_equal(NULL, xb_tree_object(f->a)));
}

static void compares_part_of_a_tree(void **state)
{
	struct fixture *f = *state;
	struct xb_tree *n = xb_tree_parse(f->a, "{\"a\":{\"x\":[1]},\"b\":{\"x\":[1]},\"c\":{\"x\":[2]}}");

	assert_true(xb_tree_equal(xb_tree_get(n, "a"), xb_tree_get(n, "b")));
	assert_false(xb_tree_equal(xb_tree_get(n, "b"), xb_tree_get(n, "c")));
	assert_string_equal(text(f, xb_tree_get(n, "b")), "{\"x\":[1]}");
	assert_string_equal(text(f, xb_tree_copy(f->a, xb_tree_get(n, "b"))), "{\"x\":[1]}");
}

static void note_duplicate(void *arg, const char *path)
{
	xb_buf_addf(arg, "%s;", path);
}

static void tells_of_duplicates(void **state)
{
	static const char json[] = "{\"a\":1,\"b\":[0,{\"c\":{\"d\":1,\"d\":2}}],\"a\":{\"x\":[]}}";
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;
	_cleanup_buf_ struct xb_buf paths = {};
	struct fixture *f = *state;
	struct xb_tree *n;

	assert_int_equal(xb_json_parse(XB_SV(json), NULL, &d, NULL), 0);
	n = xb_tree_from(f->a, xb_json_root(d), note_duplicate, &paths);
	assert_string_equal(paths.p, "b[1].c.d;a;");
	assert_string_equal(text(f, n), "{\"a\":{\"x\":[]},\"b\":[0,{\"c\":{\"d\":2}}]}");
	/* text that needs no decoding is not copied */
	n = xb_tree_from(f->a, xb_jv_get(xb_json_root(d), "b"), NULL, NULL);
	assert_in_range((uintptr_t)n->first->text.p, (uintptr_t)xb_json_bytes(d).p, (uintptr_t)xb_json_bytes(d).p + sizeof(json));
}

static void tells_where_nodes_stand(void **state)
{
	struct fixture *f = *state;
	struct xb_tree *n = xb_tree_parse(f->a, "{\"metadata\":{\"resourceVersion\":\"\",\"name\":\"x\"},\"a\":[{\"b\":{}},{\"b\":{\"c\":[1,2]}}]}");
	struct xb_tree_mark marks[] = {
		{ .node = xb_tree_path(n, "metadata", "resourceVersion") },
		{ .node = xb_tree_get(xb_tree_get(n, "a")->last, "b") },
		{ .node = xb_tree_get(xb_tree_get(n, "a")->first, "b") },
	};
	static const char *const want[] = { "\"\"", "{\"c\":[1,2]}", "{}" };

	xb_buf_adds(&f->out, "before");
	xb_tree_write_marked(n, &f->out, marks, ARRAY_SIZE(marks));
	for (unsigned i = 0; i < ARRAY_SIZE(marks); i++) {
		assert_int_equal(marks[i].n, strlen(want[i]));
		assert_memory_equal(f->out.p + marks[i].at, want[i], marks[i].n);
	}
	/* nothing stays behind */
	xb_tree_write(n, &f->out);
}

/* Patches nest what they add; depth is bound by memory alone, so no walk may use the stack for it. */
static void goes_any_depth(void **state)
{
	struct fixture *f = *state;
	struct xb_tree *root = xb_tree_array(f->a), *in = root;

	for (int i = 0; i < 200000; i++) {
		struct xb_tree *child = i % 2 ? xb_tree_array(f->a) : xb_tree_object(f->a);

		if (in->type == XB_JSON_OBJECT)
			xb_tree_setc(in, "k", child);
		else
			xb_tree_append(in, child);
		in = child;
	}
	assert_true(xb_tree_equal(root, xb_tree_copy(f->a, root)));
	assert_int_equal(strlen(text(f, root)), 2 + 200000 * 2 + 100000 * 4);
}

static void says_when_memory_ends(void **state)
{
	struct fixture *f = *state;
	struct xb_json *d = NULL;

	assert_int_equal(xb_json_parse(XB_SV("{\"a\":[1,2,\"\\n\"],\"a\":{\"b\":\"\\u0041\"}}"), NULL, &d, NULL), 0);
	assert_non_null(xb_tree_from(f->a, xb_json_root(d), NULL, NULL));
	for (size_t limit = 1; limit < xb_arena_used(f->a); limit += 8) {
		_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(limit);

		assert_null(xb_tree_from(a, xb_json_root(d), NULL, NULL));
	}
	xb_json_unref(d);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(writes_what_it_read), TEST(decodes), TEST(reads_bytes_that_go_away), TEST(looks), TEST(changes),
		TEST(large_objects_stay_right),
		TEST(compares), TEST(compares_part_of_a_tree), TEST(tells_of_duplicates), TEST(tells_where_nodes_stand),
		TEST(goes_any_depth), TEST(says_when_memory_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
