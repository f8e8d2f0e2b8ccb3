/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <time.h>

#include "xb/yaml.h"

/* Every document of the stream as a line of JSON, or the fault's text. */
static const char *convert(struct xb_sv yaml, const struct xb_yaml_limits *limits)
{
	_cleanup_(xb_yaml_freep) struct xb_yaml *y = NULL;
	_cleanup_buf_ struct xb_buf out = {}, text = {};
	static char result[4096];
	int r;

	assert_int_equal(xb_yaml_new(yaml, limits, &y), 0);
	while ((r = xb_yaml_next(y, &out, &text)) > 0)
		xb_buf_addc(&out, '\n');
	assert_int_equal(xb_yaml_next(y, &out, &text), 0);
	if (r < 0)
		xb_buf_addsv(&out, xb_buf_sv(&text));
	snprintf(result, sizeof(result), "%s", out.p ? out.p : "");
	return result;
}

struct row {
	const char *yaml, *result;
};

static void check(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_string_equal(convert(xb_sv(rows[i].yaml), NULL), rows[i].result);
}

static void converts(void **state)
{
	static const struct row rows[] = {
		{ "a: 1\nb:\n- x\n- {c: [], d: {}}\n", "{\"a\":1,\"b\":[\"x\",{\"c\":[],\"d\":{}}]}\n" },
		{ "a: |\n  one\n  two\nb: >-\n  one\n  two\n", "{\"a\":\"one\\ntwo\\n\",\"b\":\"one two\"}\n" },
		{ "\"a\": 'it''s'\n", "{\"a\":\"it's\"}\n" },
		{ "{\"json\": [true, null, 1.5, \"x\\n\"]}", "{\"json\":[true,null,1.5,\"x\\n\"]}\n" },
		{ "a: \"\\xff\\0\"", "{\"a\":\"\xc3\xbf\\u0000\"}\n" },
		{ "", "" }, { "# nothing\n", "" }, { "---\n", "null\n" },
		{ "a: 1\n---\n---\n# x\nb: 2\n...\n---\n- 3\n", "{\"a\":1}\nnull\n{\"b\":2}\n[3]\n" },
	};

	check(rows, ARRAY_SIZE(rows));
}

/* What kubectl 1.32 makes of the same. */
static void reads_scalars_as_go_yaml(void **state)
{
	static const struct row rows[] = {
		{ "[y, Y, yes, Yes, YES, on, On, true, True]", "[true,true,true,true,true,true,true,true,true]\n" },
		{ "[n, N, no, off, OFF, false, FALSE]", "[false,false,false,false,false,false,false]\n" },
		{ "[yES, oN, tRUE, nUll, '~', \"no\", 'null']", "[\"yES\",\"oN\",\"tRUE\",\"nUll\",\"~\",\"no\",\"null\"]\n" },
		{ "[~, null, Null, NULL, ]", "[null,null,null,null]\n" },
		{ "a:\n", "{\"a\":null}\n" },
		{ "[0, -0, +1, -1, 1_000, 1__0, 0x1F, 0X1f, -0x10, 0o17, 017, 00, 0b11, -0b11, 0B1, 0x_1]",
		  "[0,0,1,-1,1000,10,31,31,-16,15,15,0,3,-3,1,1]\n" },
		{ "[08, 0o8, _1, 0x, 1x, '1']", "[8,\"0o8\",\"_1\",\"0x\",\"1x\",\"1\"]\n" },
		{ "[18446744073709551615, -9223372036854775808, 18446744073709551616]",
		  "[18446744073709551615,-9223372036854775808,18446744073709552000]\n" },
		{ "[1.0, .5, 5., 1e3, 1E3, 1.5e-3, -.5, +.5, 1e21, 1e-7, 0.1]", "[1,0.5,5,1000,1000,0.0015,-0.5,0.5,1e+21,1e-7,0.1]\n" },
		{ "[1e400, 1e, .e3, ., -, +., 1.2.3, 1e5x]", "[\"1e400\",\"1e\",\".e3\",\".\",\"-\",\"+.\",\"1.2.3\",\"1e5x\"]\n" },
		{ "[12:30:45, 2001-12-14, 2020-01-01T00:00:00Z, 10.96.0.1]",
		  "[\"12:30:45\",\"2001-12-14\",\"2020-01-01T00:00:00Z\",\"10.96.0.1\"]\n" },
		{ "[!!str 5, !!int \"7\", !!float 3, !!bool 'yes', !!null '', !foo x, ! 12, !!str yes]",
		  "[\"5\",7,3,true,null,\"x\",\"12\",\"yes\"]\n" },
	};

	check(rows, ARRAY_SIZE(rows));
}

static void keys_become_strings(void **state)
{
	static const struct row rows[] = {
		{ "1: a\n0x10: b\ntrue: c\nno: d\n\"q\": e\n1.50: f\n", "{\"1\":\"a\",\"16\":\"b\",\"true\":\"c\",\"false\":\"d\",\"q\":\"e\",\"1.5\":\"f\"}\n" },
		{ "~: a\n", "yaml: line 1: a map key must be a string, a number or a boolean" },
		{ "? [a]\n: b\n", "yaml: line 1: a map key must be a string, a number or a boolean" },
		{ "a: 1\nb:\n  c: 1\n  d: 1\n  c: 2\n", "yaml: unmarshal errors:\n  line 5: key \"c\" already set in map" },
		{ "1: a\n'1': b\n", "yaml: unmarshal errors:\n  line 2: key \"1\" already set in map" },
	};

	check(rows, ARRAY_SIZE(rows));
}

static void expands_and_merges(void **state)
{
	static const struct row rows[] = {
		{ "a: &x {p: [1]}\nb: *x\nc: [*x, *x]\n", "{\"a\":{\"p\":[1]},\"b\":{\"p\":[1]},\"c\":[{\"p\":[1]},{\"p\":[1]}]}\n" },
		{ "&k key: &v 1\nb: *k\nc: *v\n", "{\"key\":1,\"b\":\"key\",\"c\":1}\n" },
		{ "- &x 1\n- &x 2\n- *x\n", "[1,2,2]\n" },
		{ "a: &a {x: 1, y1: 2}\nb: {<<: *a, x: 6}\n", "{\"a\":{\"x\":1,\"y1\":2},\"b\":{\"x\":6,\"y1\":2}}\n" },
		{ "a: &a {x: 1, y1: 2}\nb: {x: 6, <<: *a}\n", "{\"a\":{\"x\":1,\"y1\":2},\"b\":{\"x\":6,\"y1\":2}}\n" },
		{ "a: &a {x: 1}\nb: &b {x: 2, z: 3}\nc: {<<: [*a, *b, {q: 4}], w: {<<: *b}}\n",
		  "{\"a\":{\"x\":1},\"b\":{\"x\":2,\"z\":3},\"c\":{\"w\":{\"x\":2,\"z\":3},\"x\":1,\"z\":3,\"q\":4}}\n" },
		{ "\"<<\": {q: 1}\n", "{\"<<\":{\"q\":1}}\n" },
		{ "<<: [1]\n", "yaml: map merge requires map or sequence of maps as the value" },
		{ "<<: x\n", "yaml: map merge requires map or sequence of maps as the value" },
		{ "a: *x\n", "yaml: unknown anchor 'x' referenced" },
		{ "a: &x [*x]\n", "yaml: anchor 'x' value contains itself" },
		{ "a: &x {<<: {b: *x}}\n", "yaml: anchor 'x' value contains itself" },
		{ "a: &x 1\n---\nb: *x\n", "{\"a\":1}\nyaml: unknown anchor 'x' referenced" },
	};

	check(rows, ARRAY_SIZE(rows));
}

static void faults_have_go_yamls_words(void **state)
{
	static const struct row rows[] = {
		{ "a: 1\nb: c: d\n", "yaml: line 2: mapping values are not allowed in this context" },
		{ "a: 1\nb: [1\nc: 2\n", "yaml: line 2: did not find expected ',' or ']'" },
		{ "a: 1\nb: '\n", "yaml: line 3: found unexpected end of stream" },
		{ "a: 1\n\tb: 1\n", "yaml: line 2: found a tab character that violates indentation" },
		{ "a: 1\nb:\n  - c\n d: 1\n", "yaml: line 3: did not find expected key" },
		{ "a: .nan\n", "yaml: line 1: JSON has no number for .nan" },
		{ "a: -.Inf\n", "yaml: line 1: JSON has no number for -.Inf" },
		{ "a: !!int x\n", "yaml: line 1: cannot decode !!str `x` as a !!int" },
		{ "a: !!int 1.5\n", "yaml: line 1: cannot decode !!float `1.5` as a !!int" },
		{ "a: !!binary aGk=\n", "yaml: line 1: !!binary values are not supported" },
		{ "a: 1\n---\nb: [\n", "{\"a\":1}\nyaml: line 3: did not find expected node content" },
	};

	check(rows, ARRAY_SIZE(rows));
}

static struct xb_sv repeated(struct xb_buf *b, const char *text, int times)
{
	xb_buf_clear(b);
	while (times--)
		xb_buf_adds(b, text);
	return xb_buf_sv(b);
}

static void keeps_limits(void **state)
{
	struct xb_yaml_limits limits = { .max_bytes = 100, .max_depth = 3, .max_values = 12, .max_aliased = 4 };
	_cleanup_buf_ struct xb_buf b = {};
	struct xb_yaml *y = NULL;

	assert_string_equal(convert(XB_SV("[[[1]]]"), &limits), "[[[1]]]\n");
	assert_string_equal(convert(XB_SV("[[[[1]]]]"), &limits), "yaml: line 1: exceeded max depth of 3");
	assert_string_equal(convert(XB_SV("[1,2,3,4,5,6,7,8,9,10,11,12]"), &limits), "yaml: line 1: document has too many values");
	assert_string_equal(convert(XB_SV("- &a [1]\n- *a\n- *a\n"), &limits), "[[1],[1],[1]]\n");
	assert_string_equal(convert(XB_SV("- &a [1]\n- *a\n- *a\n- *a\n"), &limits), "yaml: document contains excessive aliasing");
	assert_int_equal(xb_yaml_new(repeated(&b, "#", 101), &limits, &y), -E2BIG);
	assert_null(y);
	assert_string_equal(convert(repeated(&b, "[", 100000), NULL), "yaml: line 1: exceeded max depth of 128");
	assert_string_equal(convert(repeated(&b, "- ", 100000), NULL), "yaml: line 1: exceeded max depth of 128");
}

/* Fifteen levels of nine aliases would be 2 * 10^14 values. */
static void refuses_a_bomb_at_once(void **state)
{
	_cleanup_buf_ struct xb_buf b = {};
	clock_t before;

	xb_buf_adds(&b, "a: &a [x, x, x, x, x, x, x, x, x]\n");
	for (char c = 'b'; c < 'p'; c++) {
		char p = c - 1;

		xb_buf_addf(&b, "%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", c, c, p, p, p, p, p, p, p, p, p);
	}
	before = clock();
	assert_string_equal(convert(xb_buf_sv(&b), NULL), "yaml: document contains excessive aliasing");
	assert_true(clock() - before < CLOCKS_PER_SEC / 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(converts),
		cmocka_unit_test(reads_scalars_as_go_yaml),
		cmocka_unit_test(keys_become_strings),
		cmocka_unit_test(expands_and_merges),
		cmocka_unit_test(faults_have_go_yamls_words),
		cmocka_unit_test(keeps_limits),
		cmocka_unit_test(refuses_a_bomb_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
