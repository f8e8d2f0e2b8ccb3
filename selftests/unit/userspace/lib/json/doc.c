/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>

#include "xb/json.h"

static struct xb_json *parse(const char *json)
{
	struct xb_json *d = NULL;

	assert_int_equal(xb_json_parse(xb_sv(json), NULL, &d, NULL), 0);
	return d;
}

static const char service[] =
	" { \"kind\" : \"Service\",\"metadata\":{\"name\":\"a\\u0062\\n\",\"labels\":{ },\"na\\u006de2\":\"x\"} ,"
	"\"spec\":{\"ports\":[{\"port\":80},{\"port\" : -443 , \"on\":true}, [ ] ],\"ratio\":1.5,\"none\":null},"
	"\"twice\":1,\"twice\":{\"last\":[2]}}\n";

static void reads_by_path(void **state)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = parse(service);
	struct xb_jv root = xb_json_root(d), ports = xb_jv_path(root, "spec", "ports");
	int64_t n = 7;

	assert_true(xb_sv_is(xb_jv_text(xb_jv_get(root, "kind")), "Service"));
	assert_true(xb_jv_streq(xb_jv_path(root, "metadata", "name"), XB_SV("ab\n")));
	assert_false(xb_jv_streq(xb_jv_path(root, "metadata", "name"), XB_SV("ab")));
	assert_false(xb_jv_streq(xb_jv_path(root, "metadata", "name"), XB_SV("ab\nc")));
	assert_true(xb_jv_streq(xb_jv_path(root, "metadata", "name2"), XB_SV("x")));
	assert_int_equal(xb_jv_count(ports), 3);
	assert_int_equal(xb_jv_i64(xb_jv_get(xb_jv_at(ports, 1), "port"), &n), 0);
	assert_int_equal(n, -443);
	assert_true(xb_jv_true(xb_jv_get(xb_jv_at(ports, 1), "on")));
	assert_int_equal(xb_jv_i64(xb_jv_path(root, "spec", "ratio"), &n), -EINVAL);
	assert_true(xb_jv_double(xb_jv_path(root, "spec", "ratio")) == 1.5);
	assert_int_equal(xb_jv_type(xb_jv_path(root, "spec", "none")), XB_JSON_NULL);
	assert_int_equal(xb_jv_type(xb_jv_get(root, "twice")), XB_JSON_OBJECT);
}

static void takes_what_is_missing(void **state)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = parse(service);
	struct xb_jv none = xb_jv_path(xb_json_root(d), "spec", "ports", "port", "x");
	struct xb_jit it = xb_jv_iter(none);
	int64_t n;

	assert_false(xb_jv_is(none));
	assert_int_equal(xb_jv_type(none), XB_JSON_NONE);
	assert_int_equal(xb_jv_bytes(none).n, 0);
	assert_false(xb_jit_next(&it));
	assert_false(xb_jv_is(xb_jv_at(none, 0)));
	assert_false(xb_jv_is(xb_jv_at(xb_jv_path(xb_json_root(d), "spec", "ports"), 3)));
	assert_false(xb_jv_is(xb_jv_at(xb_json_root(d), 0)));
	assert_false(xb_jv_streq(none, XB_SV("")));
	assert_null(xb_jv_dup(none));
	assert_int_equal(xb_jv_i64(none, &n), -EINVAL);
	assert_false(xb_jv_true(none));
	assert_false(xb_jv_is(xb_jv_get(xb_json_root(d), "kin")));
	assert_false(xb_jv_is(xb_jv_getsv(xb_json_root(d), (struct xb_sv){})));
	assert_int_equal(xb_jv_i64(xb_jv_get(xb_json_root(d), "kind"), &n), -EINVAL);
}

static void values_know_their_bytes(void **state)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = parse(service);
	struct xb_jv root = xb_json_root(d);

	assert_true(xb_sv_eq(xb_jv_bytes(root), xb_sv_trim(xb_sv(service))));
	assert_true(xb_sv_is(xb_jv_bytes(xb_jv_get(root, "kind")), "\"Service\""));
	assert_true(xb_sv_is(xb_jv_bytes(xb_jv_path(root, "metadata", "labels")), "{ }"));
	assert_true(xb_sv_is(xb_jv_bytes(xb_jv_path(root, "spec", "ports")),
			     "[{\"port\":80},{\"port\" : -443 , \"on\":true}, [ ] ]"));
	assert_true(xb_sv_is(xb_jv_bytes(xb_jv_get(root, "twice")), "{\"last\":[2]}"));
	assert_true(xb_sv_is(xb_jv_bytes(xb_jv_path(root, "twice", "last")), "[2]"));
	assert_true(xb_sv_is(xb_jv_bytes(xb_jv_at(xb_jv_path(root, "spec", "ports"), 1)), "{\"port\" : -443 , \"on\":true}"));
}

static void iterates_in_order(void **state)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = parse("{\"b\":[10,20,30],\"\\u0061\":{},\"b\":0}");
	_cleanup_buf_ struct xb_buf seen = {};
	int64_t n, sum = 0;

	for (struct xb_jit it = xb_jv_iter(xb_json_root(d)); xb_jit_next(&it);)
		xb_buf_addf(&seen, "%.*s%c%.*s;", XB_SV_ARG(it.key), it.key_escaped ? '!' : '=', XB_SV_ARG(xb_jv_bytes(it.value)));
	assert_string_equal(seen.p, "b=[10,20,30];\\u0061!{};b=0;");
	for (struct xb_jit it = xb_jv_iter(xb_json_root(d)); xb_jit_next(&it);)
		for (struct xb_jit in = xb_jv_iter(it.value); xb_jit_next(&in); sum += n)
			assert_int_equal(xb_jv_i64(in.value, &n), 0);
	assert_int_equal(sum, 60);
}

static void decodes_strings(void **state)
{
	static const struct {
		const char *json, *text;
	} rows[] = {
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
		{ "\"a\\u00e9\\u20AC\\ud83d\\ude00z\"", "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z" },
		{ "\"\\ud800\"", "\xef\xbf\xbd" },
		{ "\"\\udc00x\"", "\xef\xbf\xbdx" },
		{ "\"\\ud800\\u0041\"", "\xef\xbf\xbd""A" },
		{ "\"\\ud800\\ud83d\\ude00\"", "\xef\xbf\xbd\xf0\x9f\x98\x80" },
		{ "\"plain\"", "plain" }, { "\"\"", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(xb_json_unrefp) struct xb_json *d = parse(rows[i].json);
		_cleanup_free_ char *text = xb_jv_dup(xb_json_root(d));

		assert_string_equal(text, rows[i].text);
		assert_true(xb_jv_streq(xb_json_root(d), xb_sv(rows[i].text)));
		assert_false(xb_jv_streq(xb_json_root(d), XB_SV("something else")));
	}
}

static void *take_and_drop(void *d)
{
	for (int i = 0; i < 10000; i++)
		xb_json_unref(xb_json_ref(d));
	return xb_json_unref(d);
}

static void is_shared_by_threads(void **state)
{
	struct xb_json *d = parse("[1]");
	pthread_t threads[4];

	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_and_drop, xb_json_ref(d)), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	assert_true(xb_sv_is(xb_jv_bytes(xb_json_root(d)), "[1]"));
	xb_json_unref(d);
}

static void assert_same(struct xb_jv a, struct xb_jv b)
{
	struct xb_jit x = xb_jv_iter(a), y = xb_jv_iter(b);

	assert_int_equal(xb_jv_type(a), xb_jv_type(b));
	assert_true(xb_sv_eq(xb_jv_bytes(a), xb_jv_bytes(b)));
	assert_true(xb_sv_eq(xb_jv_text(a), xb_jv_text(b)));
	assert_int_equal(xb_jv_escaped(a), xb_jv_escaped(b));
	assert_int_equal(xb_jv_count(a), xb_jv_count(b));
	while (xb_jit_next(&x)) {
		assert_true(xb_jit_next(&y));
		assert_true(xb_sv_eq(x.key, y.key) && x.key_escaped == y.key_escaped);
		assert_same(x.value, y.value);
	}
	assert_false(xb_jit_next(&y));
}

/* Small documents have an index of half the size. White space makes one large, and so does an element more than it can skip. */
static void reads_large_documents_as_small_ones(void **state)
{
	static const int lengths[] = { 0, 1, 1021, 1022, 1023, 1024, 5000 };
	_cleanup_free_ char *blank = malloc(70000);

	memset(blank, ' ', 70000);
	for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
		_cleanup_(xb_json_unrefp) struct xb_json *as_it_is = NULL, *padded = NULL;
		_cleanup_buf_ struct xb_buf b = {};

		xb_buf_adds(&b, "{\"a\\u0062\":{\"x\":[");
		for (int n = 0; n < lengths[i]; n++)
			xb_buf_addf(&b, "%s%d", n ? "," : "", n);
		xb_buf_adds(&b, "],\"e\\n\":\"\\t\"},\"last\":[{},[],true,null,-1.5e3,\"\"]}");
		assert_int_equal(xb_json_parse(xb_buf_sv(&b), NULL, &as_it_is, NULL), 0);
		xb_buf_add(&b, blank, 70000);
		assert_int_equal(xb_json_parse(xb_buf_sv(&b), NULL, &padded, NULL), 0);
		assert_int_equal(xb_jv_count(xb_jv_path(xb_json_root(as_it_is), "ab", "x")), lengths[i]);
		assert_same(xb_json_root(as_it_is), xb_json_root(padded));
	}
}

static void assert_with(const char *json, const char *key, const char *text, int error, const char *want)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL, *changed = NULL, *parsed = NULL;
	struct xb_json_change c = { .text = xb_sv(text) };

	assert_int_equal(xb_json_parse(xb_sv(json), NULL, &d, NULL), 0);
	c.string = xb_jv_get(xb_json_root(d), key);
	assert_int_equal(xb_json_with(d, &c, 1, &changed), error);
	assert_true(xb_sv_is(xb_json_bytes(d), json));
	if (error)
		return;
	assert_true(xb_sv_is(xb_json_bytes(changed), want));
	assert_int_equal(xb_json_parse(xb_sv(want), NULL, &parsed, NULL), 0);
	assert_same(xb_json_root(changed), xb_json_root(parsed));
}

static void strings_become_others_of_their_length(void **state)
{
	static const char json[] = "{\"a\":[{}, 1],\"b\":\"old\",\"c\":\"x\\n\",\"d\":{\"e\":\"\"}}";
	_cleanup_(xb_json_unrefp) struct xb_json *other = NULL, *changed = NULL;
	struct xb_json_change c = { .text = XB_SV("new") };

	assert_with(json, "b", "new", 0, "{\"a\":[{}, 1],\"b\":\"new\",\"c\":\"x\\n\",\"d\":{\"e\":\"\"}}");
	assert_with(json, "b", "ne", -EINVAL, NULL);
	assert_with(json, "b", "newer", -EINVAL, NULL);
	assert_with(json, "b", "n\"w", -EINVAL, NULL);
	assert_with(json, "b", "n\\w", -EINVAL, NULL);
	assert_with(json, "b", "n\nw", -EINVAL, NULL);
	assert_with(json, "b", "n\xc3\xa4", -EINVAL, NULL);
	assert_with(json, "c", "new", -EINVAL, NULL);
	assert_with(json, "a", "", -EINVAL, NULL);
	assert_with(json, "none", "", -EINVAL, NULL);
	assert_int_equal(xb_json_parse(xb_sv(json), NULL, &other, NULL), 0);
	c.string = xb_jv_get(xb_json_root(other), "b");
	assert_int_equal(xb_json_with(other, &c, 1, &changed), 0);
	assert_int_equal(xb_json_with(changed, &c, 1, &changed), -EINVAL);
}

/* As long ones have another index, that is copied too. */
static void large_documents_change_as_small_ones(void **state)
{
	_cleanup_buf_ struct xb_buf json = {}, want = {};

	xb_buf_adds(&json, "{\"b\":\"old\",\"list\":[");
	for (int i = 0; i < 20000; i++)
		xb_buf_adds(&json, i ? ",[{}]" : "[{}]");
	xb_buf_adds(&json, "]}");
	xb_buf_addsv(&want, xb_buf_sv(&json));
	memcpy(strstr(want.p, "old"), "new", 3);
	assert_with(json.p, "b", "new", 0, want.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_by_path),
		cmocka_unit_test(takes_what_is_missing),
		cmocka_unit_test(values_know_their_bytes),
		cmocka_unit_test(iterates_in_order),
		cmocka_unit_test(decodes_strings),
		cmocka_unit_test(is_shared_by_threads),
		cmocka_unit_test(reads_large_documents_as_small_ones),
		cmocka_unit_test(strings_become_others_of_their_length),
		cmocka_unit_test(large_documents_change_as_small_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
