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

/* What real controller managers, 1.20 and 1.33, made of these templates: the revisions "ss-6d9f7f77c9" and "test-c77f6d978". */
static void a_revision_is_upstreams(void **state)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;
	_cleanup_buf_ struct xb_buf patch = {}, again = {};

	assert_int_equal(xb_json_parse(XB_SV("{\"metadata\":{\"labels\":{\"app\":\"ss\"}},\"spec\":{\"containers\":[{\"name\":\"c\","
		"\"image\":\"nginx:1.14\",\"ports\":[{\"containerPort\":80,\"protocol\":\"TCP\"}],\"resources\":{},"
		"\"terminationMessagePath\":\"/dev/termination-log\",\"terminationMessagePolicy\":\"File\",\"imagePullPolicy\":\"IfNotPresent\"}],"
		"\"restartPolicy\":\"Always\",\"terminationGracePeriodSeconds\":1,\"dnsPolicy\":\"ClusterFirst\",\"securityContext\":{},"
		"\"schedulerName\":\"default-scheduler\"}}"), NULL, &d, NULL), 0);
	template_patch(xb_json_root(d), &patch);
	assert_int_equal(patch.err, 0);
	assert_true(xb_sv_starts(xb_buf_sv(&patch), "{\"spec\":{\"template\":{\"$patch\":\"replace\",\"metadata\":{\"creationTimestamp\":null,"
		"\"labels\":{\"app\":\"ss\"}},\"spec\":{\"containers\":[{\"image\":\"nginx:1.14\","));
	assert_string_equal(template_patch_hash(xb_buf_sv(&patch), 0).s, "6d9f7f77c9");
	assert_string_not_equal(template_patch_hash(xb_buf_sv(&patch), 1).s, "6d9f7f77c9");
	/* and what is stored is the same again */
	xb_json_unref(d);
	d = NULL;
	assert_int_equal(xb_json_parse(xb_buf_sv(&patch), NULL, &d, NULL), 0);
	template_patch(xb_jv_path(xb_json_root(d), "spec", "template"), &again);
	assert_string_equal(again.p, patch.p);
	assert_string_equal(template_patch_hash(XB_SV("{\"spec\":{\"template\":{\"$patch\":\"replace\",\"metadata\":{\"annotations\":{"
		"\"test\":\"value\"},\"creationTimestamp\":null,\"labels\":{\"app\":\"foo\"}},\"spec\":{\"containers\":[{\"image\":\"test\","
		"\"imagePullPolicy\":\"Always\",\"name\":\"test\",\"resources\":{},\"terminationMessagePath\":\"/dev/termination-log\","
		"\"terminationMessagePolicy\":\"File\"}],\"dnsPolicy\":\"ClusterFirst\",\"restartPolicy\":\"Always\","
		"\"schedulerName\":\"default-scheduler\",\"securityContext\":{},\"terminationGracePeriodSeconds\":30}}}}"), 0).s, "c77f6d978");
}

static void texts_are_written_as_go_does(void **state)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;
	_cleanup_buf_ struct xb_buf patch = {};

	assert_int_equal(xb_json_parse(XB_SV("{\"metadata\":{\"annotations\":{\"a\":\"\\u0041\\/\"}},"
					     "\"spec\":{\"x\":\"a && b >\\u003c \\\"\"}}"), NULL, &d, NULL), 0);
	template_patch(xb_json_root(d), &patch);
	assert_string_equal(patch.p, "{\"spec\":{\"template\":{\"$patch\":\"replace\",\"metadata\":{\"annotations\":{\"a\":\"A/\"},"
		"\"creationTimestamp\":null},\"spec\":{\"x\":\"a \\u0026\\u0026 b \\u003e\\u003c \\\"\"}}}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_null_and_the_hash_say_nothing),
		cmocka_unit_test(what_differs_differs),
		cmocka_unit_test(hashes_stay),
		cmocka_unit_test(a_revision_is_upstreams),
		cmocka_unit_test(texts_are_written_as_go_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
