/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define CM(rest) "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'c','namespace':'n'}," rest "}"
#define BAD_KEY "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"

static void keys(void **state)
{
	static const struct example examples[] = {
		{ CM("'data':{'a':'1'},'binaryData':{'b':'AQI='}"), "" },
		{ CM("'data':{'a b':'1'}"), "data[a b]: Invalid value: \"a b\": " BAD_KEY },
		{ CM("'data':{'a':'1'},'binaryData':{'a':'AQI='}"), "data[a]: Invalid value: \"a\": duplicate of key present in binaryData" },
	};

	EACH_CREATE(examples);
}

/* Bytes count as they are, not as their text. */
static void size_is_limited(void **state)
{
	struct xb_tree *cm = decoded(xb_tree_parse(arena, quoted(CM("'data':{'a':''}"))));
	size_t n = 1024 * 1024;
	struct write w = write_of(cm);
	char *big = xb_arena_alloc(arena, n * 2);

	memset(big, 'A', n * 2);
	xb_tree_setc(cm, "data", xb_tree_parse(arena, "{}"));
	xb_tree_setc(xb_tree_get(cm, "data"), "a", xb_tree_str(arena, (struct xb_sv){ big, n }));
	assert_string_equal(settle(&w, cm, NULL), "");
	xb_tree_setc(xb_tree_get(cm, "data"), "b", xb_tree_str(arena, XB_SV("x")));
	assert_string_equal(settle(&w, cm, NULL), "[]: Too long: may not be more than 1048576 bytes");
	xb_tree_del(cm, "data");
	xb_tree_setc(cm, "binaryData", xb_tree_parse(arena, "{}"));
	xb_tree_setc(xb_tree_get(cm, "binaryData"), "a", xb_tree_str(arena, (struct xb_sv){ big, n / 3 * 4 }));
	assert_string_equal(settle(&w, cm, NULL), "");
}

static void immutable_stays(void **state)
{
	struct xb_tree *cm = created(CM("'data':{'a':'1'},'immutable':true"));

	assert_string_equal(fault_of_update(cm, "{'data':{'a':'2'}}"), "data: Forbidden: field is immutable when `immutable` is set");
	assert_string_equal(fault_of_update(cm, "{'immutable':null,'binaryData':{'x':''}}"),
		"immutable: Forbidden: field is immutable when `immutable` is set\nbinaryData: Forbidden: field is immutable when `immutable` is set");
	updated(cm, "{'metadata':{'labels':{'a':'b'}}}");
}

static void rows(void **state)
{
	assert_string_equal(row_of(CM("'data':{'a':'1'},'binaryData':{'b':'AQI='}")), "['c',2,'<unknown>']");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keys, setup, teardown),
		cmocka_unit_test_setup_teardown(size_is_limited, setup, teardown),
		cmocka_unit_test_setup_teardown(immutable_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(rows, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
