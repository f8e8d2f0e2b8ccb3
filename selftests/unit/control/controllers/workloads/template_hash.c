/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../../../../control/controllers/workloads/template_hash.h"

static struct xb_buf canonical(const char *json)
{
	struct xb_json *d = NULL;
	struct xb_buf out = {};

	assert_int_equal(xb_json_parse(xb_sv(json), NULL, &d, NULL), 0);
	template_canonical(xb_json_root(d), &out);
	assert_int_equal(out.err, 0);
	xb_json_unref(d);
	return out;
}

static bool same(const char *a, const char *b)
{
	_cleanup_buf_ struct xb_buf x = canonical(a), y = canonical(b);

	return xb_sv_eq(xb_buf_sv(&x), xb_buf_sv(&y));
}

#define POD "{\"metadata\":{\"labels\":{\"a\":\"b\",\"c\":\"d\"}},\"spec\":{\"x\":[1,{\"y\":2,\"z\":3}]}}"

static void order_null_and_the_hash_say_nothing(void **state)
{
	assert_true(same(POD, "{\"spec\":{\"x\":[1,{\"z\":3,\"y\":2}],\"w\":null},\"metadata\":{\"creationTimestamp\":null,"
			      "\"labels\":{\"c\":\"d\",\"pod-template-hash\":\"6c54bd97f8\",\"a\":\"b\"}}}"));
	assert_true(same("{\"metadata\":{\"labels\":{\"pod-template-hash\":\"x\"}},\"spec\":{}}", "{\"spec\":{}}"));
}

static void what_differs_differs(void **state)
{
	assert_false(same(POD, "{\"metadata\":{\"labels\":{\"a\":\"b\",\"c\":\"d\"}},\"spec\":{\"x\":[{\"y\":2,\"z\":3},1]}}"));
	assert_false(same(POD, "{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{\"x\":[1,{\"y\":2,\"z\":3}]}}"));
	assert_false(same("{\"metadata\":{\"annotations\":{\"a\":\"b\"}}}", "{\"metadata\":{\"labels\":{\"a\":\"b\"}}}"));
	assert_false(same("{\"spec\":{\"a\":{}}}", "{\"spec\":{}}"));
}

/* A hash is a name in the cluster: it must be the same in every version. */
static void hashes_stay(void **state)
{
	_cleanup_buf_ struct xb_buf c = canonical(POD);
	struct template_hash none = template_hash(xb_buf_sv(&c), -1), first = template_hash(xb_buf_sv(&c), 0);

	assert_string_equal(c.p, "{\"a\":\"b\",\"c\":\"d\"}{}{\"x\":[1,{\"y\":2,\"z\":3}]}");
	assert_string_equal(none.s, "54595d7b6d");
	assert_string_not_equal(none.s, first.s);
	assert_string_not_equal(first.s, template_hash(xb_buf_sv(&c), 1).s);
	/* FNV-1a of "a" is 0xe40c292c */
	assert_string_equal(template_hash(XB_SV("a"), -1).s, "7d6b446664");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_null_and_the_hash_say_nothing),
		cmocka_unit_test(what_differs_differs),
		cmocka_unit_test(hashes_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
