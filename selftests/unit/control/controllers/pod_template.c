/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../../../control/controllers/pods.h"

static struct xb_json *parse(const char *text)
{
	struct xb_json *d = NULL;

	assert_int_equal(xb_json_parse(xb_sv(text), NULL, &d, NULL), 0);
	return d;
}

static void a_pod_is_what_its_template_says(void **state)
{
	struct xb_json *owner = parse("{\"metadata\":{\"name\":\"web\",\"uid\":\"u1\"}}");
	struct xb_json *template = parse("{\"metadata\":{\"creationTimestamp\":null,\"name\":\"x\",\"labels\":{\"a\":\"b\"},\"finalizers\":[\"f/g\"]},"
					 "\"spec\":{\"containers\":[]}}");
	_cleanup_buf_ struct xb_buf out = {};

	pod_template_write(xb_json_root(template), xb_kind_by_resource(XB_SV("apps"), XB_SV("v1"), XB_SV("replicasets")), xb_json_root(owner), &out);
	assert_string_equal(out.p, "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"generateName\":\"web-\",\"labels\":{\"a\":\"b\"},"
				   "\"finalizers\":[\"f/g\"],\"ownerReferences\":[{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\",\"name\":\"web\","
				   "\"uid\":\"u1\",\"controller\":true,\"blockOwnerDeletion\":true}]},\"spec\":{\"containers\":[]}}");
	xb_json_unref(owner);
	xb_json_unref(template);
}

static void which_pods_count(void **state)
{
	struct xb_json *pods = parse("[{\"status\":{\"phase\":\"Pending\"}},{\"status\":{\"phase\":\"Failed\"}},{\"status\":{\"phase\":\"Succeeded\"}},"
				     "{\"metadata\":{\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"},\"status\":{\"phase\":\"Running\"}},{}]");
	static const bool active[] = { true, false, false, false, true };

	for (size_t i = 0; i < ARRAY_SIZE(active); i++)
		assert_int_equal(pods_active(xb_jv_at(xb_json_root(pods), i)), active[i]);
	xb_json_unref(pods);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pod_is_what_its_template_says),
		cmocka_unit_test(which_pods_count),
	};

	return cmocka_run_group_tests_name("control/controllers/pod_template", tests, NULL, NULL);
}
