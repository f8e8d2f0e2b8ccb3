/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "xb/json.h"

static struct xb_json *parse(struct xb_sv json)
{
	struct xb_json *d = NULL;

	assert_int_equal(xb_json_parse(json, NULL, &d, NULL), 0);
	return d;
}

static void same(struct xb_jv a, struct xb_jv b)
{
	struct xb_jit i = xb_jv_iter(a), k = xb_jv_iter(b);

	assert_int_equal(xb_jv_type(a), xb_jv_type(b));
	assert_true(xb_sv_eq(xb_jv_bytes(a), xb_jv_bytes(b)));
	assert_true(xb_jv_escaped(a) == xb_jv_escaped(b));
	while (xb_jit_next(&i)) {
		assert_true(xb_jit_next(&k));
		assert_true(xb_sv_eq(i.key, k.key));
		assert_true(i.key_escaped == k.key_escaped);
		same(i.value, k.value);
	}
	assert_false(xb_jit_next(&k));
}

/* It is what a parser makes of its bytes, and takes no more memory, but for what malloc does not give back. */
static void as_parsed(struct xb_json *copy)
{
	_cleanup_(xb_json_unrefp) struct xb_json *parsed = parse(xb_json_bytes(copy));

	same(xb_json_root(copy), xb_json_root(parsed));
	assert_true(xb_json_memory(copy) <= xb_json_memory(parsed) * 101 / 100 + 32);
}

static void copy_of_each(struct xb_jv v)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;
	struct xb_json_copy c;

	assert_int_equal(xb_json_copy_begin(&c, v), 0);
	xb_json_copy_value(&c, v);
	assert_int_equal(xb_json_copy_end(&c, &d), 0);
	assert_true(xb_sv_eq(xb_json_bytes(d), xb_jv_bytes(v)));
	as_parsed(d);
	for (struct xb_jit it = xb_jv_iter(v); xb_jit_next(&it);)
		copy_of_each(it.value);
}

static const char text[] =
	" { \"kind\" : \"Ser\\u0076ice\",\"metadata\":{\"name\":\"a\\n\" , \"labels\":{ },\"na\\u006de2\":\"x\"} ,"
	"\"spec\":{\"ports\":[{\"port\":80},{\"port\" : -443 , \"on\":true}, [ ] ],\"ratio\":1.5,\"none\":null},"
	"\"brackets\":\"[{\",\"last\":[2,\"[\",3]}\n";

static void of_any_value(void **state)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = parse(XB_SV(text));

	copy_of_each(xb_json_root(d));
}

/* Without members whose name begins with n, and items that are arrays. */
static void copy_some(struct xb_json_copy *c, struct xb_jv v)
{
	bool container = xb_jv_type(v) == XB_JSON_OBJECT || xb_jv_type(v) == XB_JSON_ARRAY;
	uint32_t opened;

	if (!container) {
		xb_json_copy_value(c, v);
		return;
	}
	opened = xb_json_copy_open(c, v);
	for (struct xb_jit it = xb_jv_iter(v); xb_jit_next(&it);)
		if (it.key.p ? *it.key.p != 'n' : xb_jv_type(it.value) != XB_JSON_ARRAY)
			copy_some(c, it.value);
	xb_json_copy_close(c, opened);
}

static struct xb_json *some_of(struct xb_jv v)
{
	struct xb_json *d = NULL;
	struct xb_json_copy c;

	assert_int_equal(xb_json_copy_begin(&c, v), 0);
	copy_some(&c, v);
	assert_int_equal(xb_json_copy_end(&c, &d), 0);
	as_parsed(d);
	return d;
}

static void of_some_of_it(void **state)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = parse(XB_SV(text)), *all = some_of(xb_json_root(d)),
						 *spec = some_of(xb_jv_get(xb_json_root(d), "spec"));

	assert_true(xb_sv_is(xb_json_bytes(all), "{\"kind\" : \"Ser\\u0076ice\",\"metadata\":{\"labels\":{}},\"spec\":{\"ports\":[{\"port\":80},"
			     "{\"port\" : -443,\"on\":true}],\"ratio\":1.5},\"brackets\":\"[{\",\"last\":[2,\"[\",3]}"));
	assert_true(xb_sv_is(xb_json_bytes(spec), "{\"ports\":[{\"port\":80},{\"port\" : -443,\"on\":true}],\"ratio\":1.5}"));
}

/* The index is of the wide kind, and of the narrow one for a part; and the other way round there is no way. */
static void of_a_large_document(void **state)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL, *part = NULL;
	_cleanup_buf_ struct xb_buf out = {};
	struct xb_jv items;

	xb_buf_adds(&out, "{\"few\":[1,2,3],\"items\":[0");
	for (int i = 0; i < 20000; i++)
		xb_buf_addf(&out, ",{\"number\":%d,\"name\":\"item-%d\"}", i, i);
	xb_buf_adds(&out, "],\"behind\":{\"a\":[\"b\"]}}");
	d = parse(xb_buf_sv(&out));
	items = xb_jv_get(xb_json_root(d), "items");
	copy_of_each(xb_jv_get(xb_json_root(d), "few"));
	copy_of_each(xb_jv_get(xb_json_root(d), "behind"));
	copy_of_each(xb_jv_at(items, 19999));
	part = some_of(xb_json_root(d));
	assert_int_equal(xb_jv_count(xb_jv_get(xb_json_root(part), "items")), 20001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_any_value), cmocka_unit_test(of_some_of_it), cmocka_unit_test(of_a_large_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
