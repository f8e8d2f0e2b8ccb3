/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"
#include "xb/patch.h"

/* The patched document, or NULL when the patch is refused as upstream refuses it. */
static const char *patched(struct xb_arena *a, const char *document, const char *operations)
{
	_cleanup_status_ struct xb_status status = {};
	struct xb_tree *target = xb_tree_parse(a, document);

	if (xb_patch_json(a, &target, xb_tree_parse(a, operations), &status) == 0)
		return written(a, target);
	assert_int_equal(status.code, 422);
	assert_string_equal(status.reason, "Invalid");
	assert_string_equal(status.message, "the server rejected our request due to an error in our request");
	return NULL;
}

/* RFC 6902, appendix A, and what lies beside it */
static void rfc_6902(void **state)
{
	static const struct {
		const char *document, *operations, *result;
	} cases[] = {
		{ "{\"foo\":\"bar\"}", "[]", "{\"foo\":\"bar\"}" },
		{ "{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\"}]", "{\"foo\":\"bar\",\"baz\":\"qux\"}" },
		{ "{\"foo\":[\"bar\",\"baz\"]}", "[{\"op\":\"add\",\"path\":\"/foo/1\",\"value\":\"qux\"}]", "{\"foo\":[\"bar\",\"qux\",\"baz\"]}" },
		{ "{\"foo\":[\"bar\"]}", "[{\"op\":\"add\",\"path\":\"/foo/-\",\"value\":[1]}]", "{\"foo\":[\"bar\",[1]]}" },
		{ "{\"foo\":[\"bar\"]}", "[{\"op\":\"add\",\"path\":\"/foo/1\",\"value\":1}]", "{\"foo\":[\"bar\",1]}" },
		{ "{\"foo\":[\"bar\"]}", "[{\"op\":\"add\",\"path\":\"/foo/2\",\"value\":1}]", NULL },
		{ "{\"foo\":[\"bar\"]}", "[{\"op\":\"add\",\"path\":\"/foo/00\",\"value\":1}]", NULL },
		{ "{\"baz\":1,\"foo\":2}", "[{\"op\":\"remove\",\"path\":\"/baz\"}]", "{\"foo\":2}" },
		{ "{\"foo\":[1,2,3]}", "[{\"op\":\"remove\",\"path\":\"/foo/1\"}]", "{\"foo\":[1,3]}" },
		{ "{\"foo\":[1]}", "[{\"op\":\"remove\",\"path\":\"/foo/1\"}]", NULL },
		{ "{\"foo\":[1]}", "[{\"op\":\"remove\",\"path\":\"/foo/-\"}]", NULL },
		{ "{}", "[{\"op\":\"remove\",\"path\":\"/none\"}]", NULL },
		{ "{\"a\":1,\"b\":2}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":{\"x\":0}}]", "{\"a\":{\"x\":0},\"b\":2}" },
		{ "{\"a\":[1,2,3]}", "[{\"op\":\"replace\",\"path\":\"/a/1\",\"value\":9}]", "{\"a\":[1,9,3]}" },
		{ "{}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":1}]", NULL },
		{ "{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"\",\"value\":{\"b\":2}}]", "{\"b\":2}" },
		{ "{\"foo\":{\"bar\":\"baz\",\"w\":1},\"qux\":{}}", "[{\"op\":\"move\",\"from\":\"/foo/w\",\"path\":\"/qux/t\"}]",
		  "{\"foo\":{\"bar\":\"baz\"},\"qux\":{\"t\":1}}" },
		{ "{\"foo\":[1,2,3,4]}", "[{\"op\":\"move\",\"from\":\"/foo/1\",\"path\":\"/foo/3\"}]", "{\"foo\":[1,3,4,2]}" },
		{ "{\"a\":{\"b\":1}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]", NULL },
		{ "{\"a\":1}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a\"}]", "{\"a\":1}" },
		{ "{\"a\":{\"b\":1}}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/c\"},{\"op\":\"add\",\"path\":\"/c/b\",\"value\":2}]",
		  "{\"a\":{\"b\":1},\"c\":{\"b\":2}}" },
		{ "{}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"}]", NULL },
		{ "{\"a\":[1,{\"b\":2}]}", "[{\"op\":\"test\",\"path\":\"/a/1\",\"value\":{\"b\":2}}]", "{\"a\":[1,{\"b\":2}]}" },
		{ "{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":\"1\"}]", NULL },
		{ "{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/b\",\"value\":null}]", "{\"a\":1}" },
		{ "{\"/\":9,\"~1\":10}", "[{\"op\":\"test\",\"path\":\"/~01\",\"value\":10},{\"op\":\"remove\",\"path\":\"/~1\"}]", "{\"~1\":10}" },
		{ "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/b~2\",\"value\":1}]", NULL },
		{ "{\"\":1}", "[{\"op\":\"remove\",\"path\":\"/\"}]", "{}" },
		{ "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/x/y\",\"value\":1}]", NULL },
		{ "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a/y\",\"value\":1}]", NULL },
		{ "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"b\",\"value\":1}]", NULL },
		{ "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/b\"}]", NULL },
		{ "{\"a\":1}", "[{\"op\":\"sing\",\"path\":\"/b\",\"value\":1}]", NULL },
		{ "{\"a\":1}", "[{\"path\":\"/b\",\"value\":1}]", NULL },
		{ "{\"a\":1}", "[{\"op\":\"move\",\"path\":\"/b\"}]", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *result = patched(*state, cases[i].document, cases[i].operations);

		if (!result != !cases[i].result || (result && strcmp(result, cases[i].result)))
			fail_msg("%s on %s gives %s", cases[i].operations, cases[i].document, result ? result : "an error");
	}
}

static void other_shapes_are_bad_requests(void **state)
{
	static const struct {
		const char *operations, *message;
	} cases[] = {
		{ "{}", "json: cannot unmarshal object into Go value of type jsonpatch.Patch" },
		{ "[1]", "json: cannot unmarshal number into Go value of type jsonpatch.Operation" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_status_ struct xb_status status = {};
		struct xb_tree *target = xb_tree_object(*state);

		assert_int_equal(xb_patch_json(*state, &target, xb_tree_parse(*state, cases[i].operations), &status), -EINVAL);
		assert_int_equal(status.code, 400);
		assert_string_equal(status.message, cases[i].message);
	}
}

/* count operations, the one given */
static struct xb_tree *many(struct xb_arena *a, unsigned count, const char *operation)
{
	struct xb_tree *all = xb_tree_array(a);

	while (count--)
		xb_tree_append(all, xb_tree_parse(a, operation));
	return all;
}

static void limits(void **state)
{
	struct xb_tree *target = xb_tree_parse(*state, "{\"a\":[[1,2,3]]}");
	_cleanup_status_ struct xb_status status = {}, status2 = {}, status3 = {};
	struct xb_tree *deep;

	/* each copies all that was copied before */
	assert_int_equal(xb_patch_json(*state, &target, many(*state, 60, "{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/-\"}"), &status), -EINVAL);
	assert_int_equal(status.code, 422);
	assert_true(xb_arena_used(*state) < (32 << 20));

	target = xb_tree_object(*state);
	assert_int_equal(xb_patch_json(*state, &target, many(*state, 10001, "{\"op\":\"add\",\"path\":\"/a\",\"value\":1}"), &status2), -EINVAL);
	assert_int_equal(status2.code, 413);

	/* a document of legal depth may not become deeper by moving one half below the other */
	deep = xb_tree_parse(*state, "1");
	for (int i = 0; i < 100; i++) {
		struct xb_tree *outer = xb_tree_array(*state);

		xb_tree_append(outer, deep);
		deep = outer;
	}
	target = xb_tree_object(*state);
	xb_tree_setc(target, "a", deep);
	xb_tree_setc(target, "b", xb_tree_copy(*state, deep));
	assert_int_equal(xb_patch_json(*state, &target, xb_tree_parse(*state, "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/b/0/0/0/0/0/0/0/0/0/0"
			 "/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/-\"}]"), &status3), -EINVAL);
	assert_int_equal(status3.code, 422);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rfc_6902, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_shapes_are_bad_requests, set_up, tear_down),
		cmocka_unit_test_setup_teardown(limits, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
