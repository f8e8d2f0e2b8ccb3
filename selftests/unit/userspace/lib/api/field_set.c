/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"
#include "xb/field_set.h"

/* Sets of fields a to e, in the words of the paper: "a", "b.c" as FieldsV1. */
#define ABC "{\"f:a\":{},\"f:b\":{\".\":{},\"f:c\":{}}}"

static void order_is_upstreams(void **state)
{
	static const char *const cases[][2] = {
		{ "{}", "{}" },
		{ "{\"f:b\":{},\"f:a\":{\"f:z\":{},\".\":{}}}", "{\"f:a\":{\".\":{},\"f:z\":{}},\"f:b\":{}}" },
		{ "{\"f:a\":{\".\":{}}}", "{\"f:a\":{}}" },
		{ "{\"i:1\":{},\"v:2\":{},\"k:{\\\"a\\\":1}\":{},\"f:x\":{}}", "{\"f:x\":{},\"k:{\\\"a\\\":1}\":{},\"v:2\":{},\"i:1\":{}}" },
		{ "{\"k:{\\\"port\\\":443}\":{},\"k:{\\\"port\\\":80}\":{}}", "{\"k:{\\\"port\\\":80}\":{},\"k:{\\\"port\\\":443}\":{}}" },
		{ "{\"k:{\\\"n\\\":\\\"ab\\\"}\":{},\"k:{\\\"n\\\":\\\"a\\\"}\":{}}", "{\"k:{\\\"n\\\":\\\"a\\\"}\":{},\"k:{\\\"n\\\":\\\"ab\\\"}\":{}}" },
		{ "{\"k:{\\\"n\\\":\\\"a!\\\"}\":{},\"k:{\\\"n\\\":\\\"a\\\"}\":{}}", "{\"k:{\\\"n\\\":\\\"a\\\"}\":{},\"k:{\\\"n\\\":\\\"a!\\\"}\":{}}" },
		{ "{\"v:\\\"b\\\"}\":{}}", NULL },
		{ "{\".\":{}}", NULL },
		{ "{\"f:a\":1}", NULL },
		{ "{\"f:a\":{\".\":{\"f:b\":{}}}}", NULL },
		{ "{\"a\":{}}", NULL },
		{ "{\"k:3\":{}}", NULL },
		{ "{\"v:{}\":{}}", NULL },
		{ "{\"i:x\":{}}", NULL },
		{ "[]", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct xb_tree *s = xb_tree_parse(*state, cases[i][0]);
		const int r = xb_field_set_check(*state, s);

		if (!cases[i][1])
			assert_int_equal(r, -EINVAL);
		else
			assert_string_equal(r ? "fault" : written(*state, s), cases[i][1]);
	}
}

static void depth_has_a_limit(void **state)
{
	struct xb_tree *s = xb_tree_object(*state), *at = s;

	for (unsigned i = 0; i < 100000; i++) {
		struct xb_tree *below = xb_tree_object(*state);

		xb_tree_insert_member(at, NULL, XB_SV("f:a"), below);
		at = below;
	}
	assert_int_equal(xb_field_set_check(*state, s), -EINVAL);
}

static void algebra(void **state)
{
	static const struct {
		const char *x, *y, *both, *less, *common;
	} cases[] = {
		{ "{}", ABC, ABC, "{}", "none" },
		{ ABC, "{}", ABC, ABC, "none" },
		{ ABC, ABC, ABC, "{}", ABC },
		{ "{\"f:b\":{}}", "{\"f:b\":{\"f:c\":{}}}", "{\"f:b\":{\".\":{},\"f:c\":{}}}", "{\"f:b\":{}}", "none" },
		{ "{\"f:b\":{\"f:c\":{}}}", "{\"f:b\":{}}", "{\"f:b\":{\".\":{},\"f:c\":{}}}", "{\"f:b\":{\"f:c\":{}}}", "none" },
		{ ABC, "{\"f:b\":{}}", ABC, "{\"f:a\":{},\"f:b\":{\"f:c\":{}}}", "{\"f:b\":{}}" },
		{ ABC, "{\"f:b\":{\"f:c\":{}}}", ABC, "{\"f:a\":{},\"f:b\":{}}", "{\"f:b\":{\"f:c\":{}}}" },
		{ "{\"f:a\":{},\"f:d\":{}}", "{\"f:b\":{},\"f:e\":{}}", "{\"f:a\":{},\"f:b\":{},\"f:d\":{},\"f:e\":{}}",
		  "{\"f:a\":{},\"f:d\":{}}", "none" },
		{ "{\"f:b\":{\"f:c\":{},\"f:d\":{}}}", "{\"f:b\":{\"f:c\":{},\"f:d\":{}}}", "{\"f:b\":{\"f:c\":{},\"f:d\":{}}}", "{}",
		  "{\"f:b\":{\"f:c\":{},\"f:d\":{}}}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct xb_tree *x = xb_tree_parse(*state, cases[i].x), *y = xb_tree_parse(*state, cases[i].y), *common;

		assert_int_equal(xb_field_set_common(*state, x, y, &common), 0);
		assert_string_equal(written(*state, common), cases[i].common);
		assert_int_equal(xb_field_set_add(*state, x, y), 0);
		assert_string_equal(written(*state, x), cases[i].both);
		x = xb_tree_parse(*state, cases[i].x);
		xb_field_set_remove(x, y);
		assert_string_equal(written(*state, x), cases[i].less);
	}
}

/* A set that is part of a larger document is still a root of its own. */
static void sets_inside_documents(void **state)
{
	struct xb_tree *doc = xb_tree_parse(*state, "{\"x\":{},\"y\":{\"f:a\":{}}}");

	assert_int_equal(xb_field_set_add(*state, xb_tree_get(doc, "x"), xb_tree_get(doc, "y")), 0);
	assert_string_equal(written(*state, doc), "{\"x\":{\"f:a\":{}},\"y\":{\"f:a\":{}}}");
	xb_field_set_remove(xb_tree_get(doc, "x"), xb_tree_get(doc, "y"));
	assert_string_equal(written(*state, doc), "{\"x\":{},\"y\":{\"f:a\":{}}}");
}

static int gather(void *arg, struct xb_sv path)
{
	xb_buf_addf(arg, "%.*s\n", XB_SV_ARG(path));
	return 0;
}

static void paths_in_words(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};
	const struct xb_tree *s = xb_tree_parse(*state,
		"{\"f:data\":{\"f:a\":{},\"f:b\":{}},\"f:list\":{\".\":{},\"k:{\\\"name\\\":\\\"x\\\",\\\"port\\\":80}\":{\".\":{},\"f:image\":{}},"
		"\"v:\\\"one\\\"\":{},\"i:3\":{}}}");

	assert_int_equal(xb_field_set_each(s, gather, &out), 0);
	assert_string_equal(out.p, ".list\n.data.a\n.data.b\n.list[name=\"x\",port=80]\n.list[=\"one\"]\n.list[3]\n"
				   ".list[name=\"x\",port=80].image\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(order_is_upstreams, set_up, tear_down),
		cmocka_unit_test_setup_teardown(depth_has_a_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(algebra, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sets_inside_documents, set_up, tear_down),
		cmocka_unit_test_setup_teardown(paths_in_words, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
