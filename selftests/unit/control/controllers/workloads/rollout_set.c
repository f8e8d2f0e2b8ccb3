/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../../../../control/controllers/workloads/rollout_set.h"

static struct xb_json *deployment, *set;
static struct rollout r;

static void given(const char *deployment_text, const char *set_text)
{
	struct xb_jv view;

	assert_int_equal(xb_json_parse(xb_sv(deployment_text), NULL, &deployment, NULL), 0);
	assert_int_equal(xb_json_parse(xb_sv(set_text), NULL, &set, NULL), 0);
	view = xb_json_root(set);
	assert_int_equal(rollout_read(xb_json_root(deployment), &view, xb_jv_is(xb_jv_get(view, "spec")), &r), 0);
}

static int teardown(void **state)
{
	rollout_done(&r);
	deployment = xb_json_unref(deployment);
	set = xb_json_unref(set);
	return 0;
}

static void a_set_is_what_the_deployment_says(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};

	given("{\"metadata\":{\"name\":\"web\",\"uid\":\"u\",\"annotations\":{\"a\":\"b\",\"kubectl.kubernetes.io/last-applied-configuration\":\"c\","
	      "\"" ROLLOUT_REVISION "\":\"9\"}},\"spec\":{\"replicas\":4,\"minReadySeconds\":5,\"strategy\":{\"rollingUpdate\":{\"maxSurge\":\"25%\","
	      "\"maxUnavailable\":0}},\"selector\":{\"matchLabels\":{\"app\":\"web\"},\"matchExpressions\":[1]},\"template\":{\"metadata\":{"
	      "\"creationTimestamp\":null,\"labels\":{\"app\":\"web\"},\"annotations\":{\"x\":\"y\"}},\"spec\":{\"s\":1}}}}", "{}");
	r.make = 1;
	rollout_set_write(&r, xb_kind_by_resource(XB_SV("apps"), XB_SV("v1"), XB_SV("deployments")), "hash", &out);
	assert_string_equal(out.p, "{\"kind\":\"ReplicaSet\",\"apiVersion\":\"apps/v1\",\"metadata\":{\"name\":\"web-hash\","
		"\"labels\":{\"app\":\"web\",\"pod-template-hash\":\"hash\"},\"annotations\":{\"a\":\"b\",\"" ROLLOUT_REVISION "\":\"1\","
		"\"" ROLLOUT_DESIRED "\":\"4\",\"" ROLLOUT_MAX "\":\"5\"},\"ownerReferences\":[{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\","
		"\"name\":\"web\",\"uid\":\"u\",\"controller\":true,\"blockOwnerDeletion\":true}]},\"spec\":{\"replicas\":1,\"minReadySeconds\":5,"
		"\"selector\":{\"matchLabels\":{\"app\":\"web\",\"pod-template-hash\":\"hash\"},\"matchExpressions\":[1]},\"template\":{\"metadata\":{"
		"\"labels\":{\"app\":\"web\",\"pod-template-hash\":\"hash\"},\"annotations\":{\"x\":\"y\"}},\"spec\":{\"s\":1}}}}");
}

#define DEPLOYMENT(annotations, more) "{\"metadata\":{\"annotations\":{" annotations "}},\"spec\":{\"replicas\":4," more "\"template\":{\"spec\":{\"t\":1}}}}"
#define SET(annotations) "{\"metadata\":{\"uid\":\"u\",\"resourceVersion\":\"7\",\"annotations\":{" annotations "}},\"spec\":{\"replicas\":4,\"template\":{\"spec\":{\"t\":1}}}}"

static void nothing_differs(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};

	given(DEPLOYMENT("\"a\":\"b\"", ""), SET("\"a\":\"b\",\"" ROLLOUT_REVISION "\":\"1\""));
	rollout_set_patch(&r, r.current, &out);
	assert_int_equal(out.n, 0);
}

static void a_size_is_told_with_the_deployments(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};

	given(DEPLOYMENT("", "\"minReadySeconds\":3,"), SET("\"" ROLLOUT_REVISION "\":\"1\""));
	r.current->size = 2;
	rollout_set_patch(&r, r.current, &out);
	assert_string_equal(out.p, "{\"metadata\":{\"uid\":\"u\",\"resourceVersion\":\"7\",\"annotations\":{\"" ROLLOUT_DESIRED "\":\"4\",\"" ROLLOUT_MAX
				   "\":\"4\"}},\"spec\":{\"replicas\":2,\"minReadySeconds\":3}}");
}

/* Another set had revision 2: this one is current again, as 3. */
static void a_revision_is_remembered(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};

	given(DEPLOYMENT("", ""), SET("\"" ROLLOUT_REVISION "\":\"1\",\"" ROLLOUT_HISTORY "\":\"0\""));
	assert_int_equal(xb_vec_push(&r.sets, (struct rollout_set){ .revision = 2 }), 0);
	r.current = &r.sets.v[0];
	rollout_set_patch(&r, r.current, &out);
	assert_string_equal(out.p, "{\"metadata\":{\"uid\":\"u\",\"resourceVersion\":\"7\",\"annotations\":{\"" ROLLOUT_HISTORY "\":\"0,1\",\""
				   ROLLOUT_REVISION "\":\"3\"}},\"spec\":{}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_set_is_what_the_deployment_says, teardown),
		cmocka_unit_test_teardown(nothing_differs, teardown),
		cmocka_unit_test_teardown(a_size_is_told_with_the_deployments, teardown),
		cmocka_unit_test_teardown(a_revision_is_remembered, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
