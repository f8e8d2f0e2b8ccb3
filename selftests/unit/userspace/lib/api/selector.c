/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "xb/selector.h"

static struct xb_selector *parsed(const char *text)
{
	struct xb_selector *s = NULL;

	assert_int_equal(xb_selector_parse(xb_sv(text), &s, NULL), 0);
	return s;
}

static bool is_selected(const char *selector, const char *labels)
{
	_cleanup_(xb_selector_freep) struct xb_selector *s = parsed(selector);
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;

	assert_int_equal(xb_json_parse(xb_sv(labels), NULL, &d, NULL), 0);
	return xb_selector_matches(s, xb_json_root(d));
}

static void selects(void **state)
{
	static const struct {
		const char *selector, *labels;
		bool selected;
	} cases[] = {
		{ "", "{}", true }, { "  ", "{}", true }, { "a=b", "{\"a\":\"b\"}", true }, { "a==b", "{\"a\":\"b\"}", true },
		{ "a=b", "{\"a\":\"c\"}", false }, { "a=b", "{}", false }, { "a=", "{\"a\":\"\"}", true }, { "a=", "{}", false },
		{ "a!=b", "{\"a\":\"c\"}", true }, { "a!=b", "{}", true }, { "a!=b", "{\"a\":\"b\"}", false },
		{ "a", "{\"a\":\"\"}", true }, { "a", "{}", false }, { "!a", "{}", true }, { "!a", "{\"a\":\"\"}", false },
		{ "a in (b,c)", "{\"a\":\"c\"}", true }, { "a in (b,c)", "{\"a\":\"d\"}", false }, { "a in (b,c)", "{}", false },
		{ "a notin (b,c)", "{\"a\":\"c\"}", false }, { "a notin (b,c)", "{\"a\":\"d\"}", true }, { "a notin (b,c)", "{}", true },
		{ "a in (,b)", "{\"a\":\"\"}", true }, { "a in ()", "{\"a\":\"\"}", true }, { "a in (in,notin)", "{\"a\":\"in\"}", true },
		{ "in=notin", "{\"in\":\"notin\"}", true }, { "a>5", "{\"a\":\"6\"}", true }, { "a>5", "{\"a\":\"5\"}", false },
		{ "a<5", "{\"a\":\"4\"}", true }, { "a<5", "{\"a\":\"x\"}", false }, { "a<5", "{}", false },
		{ " a = b , c != d,e in ( f , g ),!h ", "{\"a\":\"b\",\"e\":\"g\"}", true },
		{ "a=b,c=d", "{\"a\":\"b\",\"c\":\"e\"}", false }, { "example.com/a=b", "{\"example.com/a\":\"b\"}", true },
		{ "a=b", "{\"a\":\"\\u0062\"}", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (is_selected(cases[i].selector, cases[i].labels) != cases[i].selected)
			fail_msg("'%s' on %s", cases[i].selector, cases[i].labels);
	assert_null(parsed(""));
	assert_true(xb_selector_matches(NULL, (struct xb_jv){}));
}

static void missing_labels_are_none(void **state)
{
	_cleanup_(xb_selector_freep) struct xb_selector *is = parsed("a=b"), *not = parsed("a!=b");

	assert_false(xb_selector_matches(is, (struct xb_jv){}));
	assert_true(xb_selector_matches(not, (struct xb_jv){}));
}

#define QUALIFIED \
	"name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. " \
	"'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"

static void refuses_in_upstreams_words(void **state)
{
	static const struct {
		const char *selector, *message;
	} cases[] = {
		{ "a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt" },
		{ "a=b,", "found '', expected: identifier after ','" },
		{ ",a", "found ',', expected: !, identifier, or 'end of string'" },
		{ "=a", "found '=', expected: !, identifier, or 'end of string'" },
		{ "a=b c", "found 'c', expected: ',' or 'end of string'" },
		{ "!a=b", "found '=', expected: ',' or 'end of string'" },
		{ "a in b", "unable to parse requirement: found 'b' expected: '('" },
		{ "a in (b", "unable to parse requirement: found '', expected: ',' or ')'" },
		{ "a in (b c)", "unable to parse requirement: found 'c', expected: ',' or ')'" },
		{ "a==!b", "unable to parse requirement: found '!', expected: identifier" },
		{ "!", "unable to parse requirement: found '', expected: identifier" },
		{ "-a=b", "unable to parse requirement: <nil>: Invalid value: \"-a\": " QUALIFIED },
		{ "a=-", "unable to parse requirement: values[0][a]: Invalid value: \"-\": a valid label must be an empty string or consist of "
			 "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or "
			 "'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')" },
		{ "a>b", "unable to parse requirement: values[0]: Invalid value: \"b\": for 'Gt', 'Lt' operators, the value must be an integer" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_status_ struct xb_status status = {};
		struct xb_selector *s = NULL;

		assert_int_equal(xb_selector_parse(xb_sv(cases[i].selector), &s, &status), -EINVAL);
		assert_null(s);
		assert_int_equal(status.code, 400);
		assert_string_equal(status.message, cases[i].message);
	}
}

static void writes_sorted(void **state)
{
	_cleanup_(xb_selector_freep) struct xb_selector *s = parsed("z,!y,c in (e,d,e),b==1,a=x,d notin (q),e!=r,f>1,g<2");
	_cleanup_buf_ struct xb_buf out = {};

	xb_selector_write(s, &out);
	assert_string_equal(out.p, "a=x,b==1,c in (d,e),d notin (q),e!=r,f>1,g<2,!y,z");
}

static void from_objects(void **state)
{
	static const struct {
		const char *object, *text, *message;
	} cases[] = {
		{ .object = "{}", .text = NULL },
		{ .object = "{\"matchLabels\":{\"b\":\"2\",\"a\":\"1\"}}", .text = "a=1,b=2" },
		{ .object = "{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"In\",\"values\":[\"y\",\"x\"]},{\"key\":\"b\",\"operator\":\"Exists\"},"
			    "{\"key\":\"c\",\"operator\":\"DoesNotExist\"},{\"key\":\"d\",\"operator\":\"NotIn\",\"values\":[\"z\"]}]}",
		  .text = "a in (x,y),b,!c,d notin (z)" },
		{ .object = "{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Is\"}]}", .message = "\"Is\" is not a valid label selector operator" },
		{ .object = "{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"In\",\"values\":[]}]}",
		  .message = "values: Invalid value: []string{}: for 'in', 'notin' operators, values set can't be empty" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;
		_cleanup_(xb_selector_freep) struct xb_selector *s = NULL;
		_cleanup_status_ struct xb_status status = {};
		_cleanup_buf_ struct xb_buf out = {};

		assert_int_equal(xb_json_parse(xb_sv(cases[i].object), NULL, &d, NULL), 0);
		if (xb_selector_from_label_selector(xb_json_root(d), &s, &status) < 0) {
			assert_non_null(cases[i].message);
			assert_string_equal(status.message, cases[i].message);
			continue;
		}
		assert_null(cases[i].message);
		xb_selector_write(s, &out);
		assert_true(xb_sv_eq(xb_buf_sv(&out), xb_sv(cases[i].text)));
	}
}

static void from_a_map(void **state)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;
	_cleanup_(xb_selector_freep) struct xb_selector *s = NULL, *none = NULL;
	_cleanup_buf_ struct xb_buf out = {};

	assert_int_equal(xb_json_parse(XB_SV("{\"b\":\"2\",\"\\u0061\":\"1\"}"), NULL, &d, NULL), 0);
	assert_int_equal(xb_selector_from_map(xb_json_root(d), &s), 0);
	xb_selector_write(s, &out);
	assert_string_equal(out.p, "a=1,b=2");
	assert_true(xb_selector_matches(s, xb_json_root(d)));
	assert_int_equal(xb_selector_from_map((struct xb_jv){}, &none), 0);
	assert_null(none);
}

static void tells_the_pairs_it_demands(void **state)
{
	_cleanup_(xb_selector_freep) struct xb_selector *s = parsed("a=b,c in (d),e in (f,g),h!=i,j==k,l");
	static const char *const pairs[][2] = { { "a", "b" }, { "c", "d" }, { "j", "k" } };
	struct xb_sv key, value;
	size_t i = 0;

	for (; xb_selector_pair(s, i, &key, &value); i++) {
		assert_true(i < ARRAY_SIZE(pairs));
		assert_true(xb_sv_is(key, pairs[i][0]));
		assert_true(xb_sv_is(value, pairs[i][1]));
	}
	assert_int_equal(i, ARRAY_SIZE(pairs));
	assert_false(xb_selector_pair(NULL, 0, &key, &value));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selects),
		cmocka_unit_test(missing_labels_are_none),
		cmocka_unit_test(refuses_in_upstreams_words),
		cmocka_unit_test(writes_sorted),
		cmocka_unit_test(from_objects),
		cmocka_unit_test(from_a_map),
		cmocka_unit_test(tells_the_pairs_it_demands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
