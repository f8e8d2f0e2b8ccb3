/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include "../../../../../control/controllers/workloads/daemon_pod.h"

#define SET(spec) "{\"metadata\":{\"name\":\"d\",\"uid\":\"u\",\"annotations\":{\"deprecated.daemonset.template.generation\":\"7\"}}," \
		  "\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"app\":\"d\"}},\"spec\":{" spec "}}}}"
#define NODE(taints) "{\"metadata\":{\"name\":\"n1\",\"labels\":{\"zone\":\"a\"}},\"spec\":{\"taints\":[" taints "]}}"
#define TAINT(key, effect) "{\"key\":\"" key "\",\"effect\":\"" effect "\"}"
#define AFFINITY(terms) "\"affinity\":{\"nodeAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":{\"nodeSelectorTerms\":[" terms "]}}}"
#define PIN(name) "{\"matchFields\":[{\"key\":\"metadata.name\",\"operator\":\"In\",\"values\":[" name "]}]}"

static struct xb_json *a, *b;
static struct xb_arena *arena;

static int teardown(void **state)
{
	a = xb_json_unref(a);
	b = xb_json_unref(b);
	arena = xb_arena_free(arena);
	return 0;
}

static struct xb_jv parsed(const char *text, struct xb_json **doc)
{
	xb_json_unref(*doc);
	assert_int_equal(xb_json_parse(xb_sv(text), NULL, doc, NULL), 0);
	return xb_json_root(*doc);
}

/* "run" and "keep", each when it is so */
static void fits(const char *set, const char *node, bool run, bool keep)
{
	struct daemon_fit fit = daemon_fit(parsed(set, &a), parsed(node, &b));

	assert_int_equal(fit.run, run);
	assert_int_equal(fit.keep, keep);
}

static void fits_where_the_template_may_be(void **state)
{
	fits(SET(""), NODE(""), true, true);
	fits(SET("\"nodeName\":\"n1\""), NODE(""), true, true);
	fits(SET("\"nodeName\":\"n2\""), NODE(""), false, false);
	fits(SET("\"nodeSelector\":{\"zone\":\"a\"}"), NODE(""), true, true);
	fits(SET("\"nodeSelector\":{\"zone\":\"b\"}"), NODE(""), false, false);
	fits(SET(AFFINITY(PIN("\"n2\""))), NODE(""), false, false);
}

static void stays_where_it_is_not_evicted(void **state)
{
	fits(SET(""), NODE(TAINT("own", "PreferNoSchedule")), true, true);
	fits(SET(""), NODE(TAINT("own", "NoSchedule")), false, true);
	fits(SET(""), NODE(TAINT("own", "NoExecute") "," TAINT("own", "NoSchedule")), false, false);
	fits(SET("\"tolerations\":[{\"key\":\"own\",\"operator\":\"Exists\"}]"), NODE(TAINT("own", "NoExecute")), true, true);
}

static void bears_what_ails_a_node(void **state)
{
	static const char *const keys[] = { "disk-pressure", "memory-pressure", "pid-pressure", "unschedulable" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		char node[256];

		snprintf(node, sizeof(node), NODE("{\"key\":\"node.kubernetes.io/%s\",\"effect\":\"NoSchedule\"}"), keys[i]);
		fits(SET(""), node, true, true);
	}
	fits(SET(""), NODE(TAINT("node.kubernetes.io/not-ready", "NoExecute") "," TAINT("node.kubernetes.io/unreachable", "NoExecute")), true, true);
	fits(SET(""), NODE(TAINT("node.kubernetes.io/not-ready", "NoSchedule")), false, true);
	fits(SET(""), NODE(TAINT("node.kubernetes.io/network-unavailable", "NoSchedule")), false, true);
	fits(SET("\"hostNetwork\":true"), NODE(TAINT("node.kubernetes.io/network-unavailable", "NoSchedule")), true, true);
}

static void knows_a_pods_node(void **state)
{
	assert_true(xb_sv_is(daemon_node_of(parsed("{\"spec\":{\"nodeName\":\"n1\"," AFFINITY(PIN("\"n2\"")) "}}", &a)), "n1"));
	assert_true(xb_sv_is(daemon_node_of(parsed("{\"spec\":{" AFFINITY(PIN("\"n2\",\"n3\"") "," PIN("\"n4\"")) "}}", &a)), "n4"));
	assert_int_equal(daemon_node_of(parsed("{\"spec\":{" AFFINITY("{\"matchExpressions\":[]}") "}}", &a)).n, 0);
	assert_int_equal(daemon_node_of(parsed("{\"spec\":{}}", &a)).n, 0);
}

/* What is left of a body after what is the same for all pods. */
static struct xb_jv made(const char *set, const char *node)
{
	const struct xb_kind *kind = xb_kind_by_resource(XB_SV("apps"), XB_SV("v1"), XB_SV("daemonsets"));
	_cleanup_buf_ struct xb_buf body = {};
	struct daemon_template t;

	xb_arena_free(arena);
	arena = xb_arena_new(0);
	assert_int_equal(daemon_template_new(arena, kind, parsed(set, &a), XB_SV("h4sh"), &t), 0);
	assert_int_equal(daemon_template_body(&t, XB_SV("other"), &body), 0);
	assert_int_equal(daemon_template_body(&t, xb_sv(node), &body), 0);
	return parsed(body.p, &b);
}

static void is(struct xb_jv v, const char *expected)
{
	struct xb_sv text = xb_jv_bytes(v);
	char got[4096];

	snprintf(got, sizeof(got), "%.*s", XB_SV_ARG(text));
	assert_string_equal(got, expected);
}

static void a_pod_is_labelled_and_for_its_node(void **state)
{
	struct xb_jv pod = made(SET("\"nodeSelector\":{\"zone\":\"a\"}," AFFINITY("{\"matchExpressions\":[]}")), "n1");

	is(xb_jv_path(pod, "metadata", "labels"), "{\"app\":\"d\",\"pod-template-generation\":\"7\",\"controller-revision-hash\":\"h4sh\"}");
	is(xb_jv_path(pod, "spec", "nodeSelector"), "{\"zone\":\"a\"}");
	is(xb_jv_path(pod, "spec", "affinity"), "{\"nodeAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":{\"nodeSelectorTerms\":["
						PIN("\"n1\"") "]}}}");
	assert_int_equal(xb_jv_count(xb_jv_path(pod, "spec", "tolerations")), 6);
	is(xb_jv_path(made(SET("\"affinity\":{\"podAffinity\":{}}"), "n1"), "spec", "affinity", "podAffinity"), "{}");
}

static void tolerations_are_added_once_and_for_ever(void **state)
{
	struct xb_jv list = xb_jv_path(made(SET("\"hostNetwork\":true,\"tolerations\":["
						"{\"key\":\"node.kubernetes.io/not-ready\",\"operator\":\"Exists\",\"effect\":\"NoExecute\",\"tolerationSeconds\":5},"
						"{\"key\":\"own\",\"operator\":\"Exists\"}]"), "n1"), "spec", "tolerations");

	assert_int_equal(xb_jv_count(list), 8);
	is(xb_jv_at(list, 0), "{\"key\":\"node.kubernetes.io/not-ready\",\"operator\":\"Exists\",\"effect\":\"NoExecute\"}");
	is(xb_jv_at(list, 1), "{\"key\":\"own\",\"operator\":\"Exists\"}");
	is(xb_jv_at(list, 7), "{\"key\":\"node.kubernetes.io/network-unavailable\",\"operator\":\"Exists\",\"effect\":\"NoSchedule\"}");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, teardown)
	const struct CMUnitTest tests[] = {
		TEST(fits_where_the_template_may_be), TEST(stays_where_it_is_not_evicted), TEST(bears_what_ails_a_node),
		TEST(knows_a_pods_node),
		TEST(a_pod_is_labelled_and_for_its_node), TEST(tolerations_are_added_once_and_for_ever),
	};

	return cmocka_run_group_tests_name("control/controllers/daemon_pod", tests, NULL, NULL);
}
