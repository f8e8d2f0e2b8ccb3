/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"
#include "xb/field_set.h"

static const struct xb_type *type_of(const char *group, const char *version, const char *kind)
{
	return xb_kind_by_name(xb_sv(group), xb_sv(version), xb_sv(kind))->type;
}

static void claims(struct xb_arena *a, const struct xb_type *t, const char *config, const char *wanted)
{
	_cleanup_buf_ struct xb_buf why = {};
	struct xb_tree *s;
	const int r = xb_field_set_of(a, t, xb_tree_parse(a, config), &s, &why);

	assert_string_equal(r == 0 ? written(a, s) : r == -EINVAL ? why.p : "no memory", wanted);
}

static void a_configuration_claims_what_it_says(void **state)
{
	const struct xb_type *map = type_of("", "v1", "ConfigMap"), *pod = type_of("", "v1", "Pod");

	claims(*state, map, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"cm\"},\"data\":{\"b\":\"1\",\"a\":\"1\"}}",
	       "{\"f:data\":{\"f:a\":{},\"f:b\":{}}}");
	claims(*state, map, "{\"metadata\":{\"labels\":{\"name\":\"x\"},\"finalizers\":[\"x/y\"]},\"data\":{},\"immutable\":null}",
	       "{\"f:data\":{},\"f:immutable\":{},\"f:metadata\":{\"f:finalizers\":{\"v:\\\"x/y\\\"\":{}},\"f:labels\":{\"f:name\":{}}}}");
	claims(*state, pod, "{\"spec\":{\"containers\":[{\"name\":\"x\",\"image\":\"i:1\",\"ports\":[{\"containerPort\":80}],\"args\":[\"a\"]}]}}",
	       "{\"f:spec\":{\"f:containers\":{\"k:{\\\"name\\\":\\\"x\\\"}\":{\".\":{},\"f:args\":{},\"f:image\":{},\"f:name\":{},"
	       "\"f:ports\":{\"k:{\\\"containerPort\\\":80,\\\"protocol\\\":\\\"TCP\\\"}\":{\".\":{},\"f:containerPort\":{}}}}}}}");
	claims(*state, pod, "{\"spec\":{\"nodeSelector\":{\"a\":\"b\"},\"containers\":[]}}", "{\"f:spec\":{\"f:nodeSelector\":{}}}");
}

static void what_does_not_fit_is_told_with_its_place(void **state)
{
	const struct xb_type *pod = type_of("", "v1", "Pod");

	claims(*state, pod, "{\"spec\":{\"foo\":1}}", ".spec.foo: field not declared in schema");
	claims(*state, pod, "{\"spec\":{\"containers\":[{\"name\":\"x\",\"imagee\":\"i\"}]}}",
	       ".spec.containers[name=\"x\"].imagee: field not declared in schema");
	claims(*state, pod, "{\"spec\":{\"containers\":[{\"name\":\"x\"},{\"name\":\"x\"}]}}",
	       ".spec.containers: duplicate entries for key [name=\"x\"]");
	claims(*state, pod, "{\"spec\":{\"containers\":{}}}", ".spec.containers: expected list");
	claims(*state, pod, "{\"spec\":[]}", ".spec: expected map");
}

static void compares(struct xb_arena *a, const struct xb_type *t, const char *old, const char *object, const char *changed,
		     const char *removed)
{
	struct xb_tree *c, *r;

	assert_int_equal(xb_field_set_compare(a, t, xb_tree_parse(a, old), xb_tree_parse(a, object), &c, &r), 0);
	assert_string_equal(written(a, c), changed);
	assert_string_equal(written(a, r), removed);
}

#define POD(containers) "{\"spec\":{\"containers\":[" containers "]}}"
#define X(fields) "{\"f:spec\":{\"f:containers\":{\"k:{\\\"name\\\":\\\"x\\\"}\":" fields "}}}"

static void differences(void **state)
{
	const struct xb_type *pod = type_of("", "v1", "Pod"), *map = type_of("", "v1", "ConfigMap");

	compares(*state, map, "{\"data\":{\"a\":\"1\"}}", "{\"data\":{\"a\":\"1\"}}", "none", "none");
	compares(*state, map, "{}", "{\"data\":{\"a\":\"1\"},\"immutable\":true}", "{\"f:data\":{\".\":{},\"f:a\":{}},\"f:immutable\":{}}", "none");
	compares(*state, map, "{\"data\":{\"a\":\"1\",\"b\":\"1\"}}", "{\"data\":{\"a\":\"2\",\"c\":\"1\"}}",
		 "{\"f:data\":{\"f:a\":{},\"f:c\":{}}}", "{\"f:data\":{\"f:b\":{}}}");
	compares(*state, map, "{\"data\":{\"a\":\"1\"}}", "{}", "none", "{\"f:data\":{\".\":{},\"f:a\":{}}}");
	compares(*state, map, "{\"metadata\":{\"name\":\"a\",\"uid\":\"1\",\"generation\":1}}", "{\"metadata\":{\"name\":\"b\",\"labels\":{\"x\":\"y\"}}}",
		 "{\"f:metadata\":{\"f:labels\":{\".\":{},\"f:x\":{}}}}", "none");
	compares(*state, pod, POD("{\"name\":\"x\",\"image\":\"1\"}"), POD("{\"name\":\"y\"},{\"name\":\"x\",\"image\":\"2\",\"args\":[\"a\"]}"),
		 "{\"f:spec\":{\"f:containers\":{\"k:{\\\"name\\\":\\\"x\\\"}\":{\"f:args\":{},\"f:image\":{}},"
		 "\"k:{\\\"name\\\":\\\"y\\\"}\":{\".\":{},\"f:name\":{}}}}}", "none");
	compares(*state, pod, POD("{\"name\":\"x\"},{\"name\":\"y\"}"), POD("{\"name\":\"y\"},{\"name\":\"x\"}"), "none", "none");
	compares(*state, pod, POD("{\"name\":\"x\"}"), POD(""), "none", X("{\".\":{},\"f:name\":{}}"));
	compares(*state, pod, POD("{\"name\":\"x\"},{\"name\":\"x\",\"image\":\"1\"}"),
		 POD("{\"name\":\"x\"},{\"name\":\"x\",\"image\":\"2\"}"), X("{}"), "none");
	compares(*state, pod, POD("{\"name\":\"x\"}"), POD("{\"name\":\"x\"},{\"name\":\"x\"}"), X("{}"), "none");
	compares(*state, pod, "{\"spec\":{}}", "{\"spec\":{\"securityContext\":{}}}", "{\"f:spec\":{\"f:securityContext\":{}}}", "none");
	compares(*state, pod, "{\"spec\":{}}", "{\"spec\":{\"securityContext\":{\"runAsUser\":1}}}",
		 "{\"f:spec\":{\"f:securityContext\":{\".\":{},\"f:runAsUser\":{}}}}", "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_configuration_claims_what_it_says, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_does_not_fit_is_told_with_its_place, set_up, tear_down),
		cmocka_unit_test_setup_teardown(differences, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
