/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

static void test_order_and_kinds(void **state)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = parse(
		"{'spec':{'containers':[{'name':'a'},{'name':'b'}],'ephemeralContainers':[{'name':'debug'}],"
		"'initContainers':[{'name':'i'},{'name':'s','restartPolicy':'Always'},{'name':'n','restartPolicy':null}]}}");
	static const char kinds[] = "isme";
	_cleanup_buf_ struct xb_buf seen = {};
	struct spec_it it = spec_containers(xb_json_root(doc));

	while (spec_next(&it))
		xb_buf_addf(&seen, "%.*s:%c ", XB_SV_ARG(it.name), kinds[it.kind]);
	assert_string_equal(seen.p, "i:i s:s n:i a:m b:m debug:e ");
	assert_false(spec_next(&it));
}

static void test_find(void **state)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = parse("{'spec':{'containers':[{'name':'a','image':'x'}],'initContainers':[{'name':'i'}]}}");
	enum spec_container_kind kind = SPEC_EPHEMERAL;

	assert_true(xb_jv_streq(xb_jv_get(spec_find(xb_json_root(doc), XB_SV("a"), &kind), "image"), XB_SV("x")));
	assert_int_equal(kind, SPEC_MAIN);
	assert_false(xb_jv_is(spec_find(xb_json_root(doc), XB_SV("z"), &kind)));
}

static uint64_t hash_of(const char *container)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = parse(container);

	return spec_hash(xb_json_root(doc));
}

/* What another version wrote beside a running container must be the same here: the number is part of the contract. */
static void test_hash(void **state)
{
	assert_int_equal(hash_of("{'name':'web','image':'nginx:1'}"), 0x1b02ace9941cfe44u);
	assert_int_equal(hash_of("{'name':'web','image':'nginx:1','env':[{'name':'A'}]}"), hash_of("{'image':'nginx:1','name':'web'}"));
	assert_int_not_equal(hash_of("{'name':'web','image':'nginx:1'}"), hash_of("{'name':'web','image':'nginx:2'}"));
	assert_int_not_equal(hash_of("{'name':'a','image':'bc'}"), hash_of("{'name':'ab','image':'c'}"));
}

static void test_log_paths(void **state)
{
	_cleanup_given_ struct given g = given(POD("", ""));
	_cleanup_buf_ struct xb_buf path = {};

	spec_log_folder(g.in.pod, &path);
	xb_buf_addc(&path, '/');
	spec_log_file(XB_SV("c"), 3, &path);
	assert_string_equal(path.p, "shop_web_u-1/c/3.log");
}

static bool is_static(const char *source)
{
	_cleanup_buf_ struct xb_buf text = {};
	struct xb_json *doc;
	bool answer;

	xb_buf_addf(&text, "{'metadata':{'annotations':{%s}}}", source);
	doc = parse(text.p);
	answer = spec_is_static(xb_json_root(doc));
	xb_json_unref(doc);
	return answer;
}

static void test_static(void **state)
{
	assert_true(is_static("'kubernetes.io/config.source':'file'"));
	assert_false(is_static("'kubernetes.io/config.source':'api'"));
	assert_false(is_static(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_kinds), cmocka_unit_test(test_find), cmocka_unit_test(test_hash),
		cmocka_unit_test(test_log_paths), cmocka_unit_test(test_static),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
