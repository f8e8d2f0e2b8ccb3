/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "xb/quota.h"
#include "xb/time.h"

#define MILLI 1000000

static const struct xb_kind *kind(const char *group, const char *plural)
{
	const struct xb_kind *k = xb_kind_by_resource(xb_sv(group), XB_SV("v1"), xb_sv(plural));

	assert_non_null(k);
	return k;
}

/* In thousandths. */
static int64_t amount(const struct xb_kind *k, const char *json, const char *resource)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;
	int64_t now;

	assert_int_equal(xb_time_parse(XB_SV("2026-01-01T00:01:00Z"), &now), 0);
	assert_int_equal(xb_json_parse(xb_sv(json), NULL, &d, NULL), 0);
	return (int64_t)(xb_quota_amount(k, xb_json_root(d), xb_sv(resource), now) / MILLI);
}

#define CONTAINER(requests, limits) "{\"resources\":{\"requests\":{" requests "},\"limits\":{" limits "}}}"

static void a_pod_counts_by_what_it_asks_for(void **state)
{
	static const char pod[] = "{\"spec\":{\"containers\":[" CONTAINER("\"cpu\":\"100m\",\"example.com/gpu\":\"2\",\"hugepages-2Mi\":\"4Mi\"", "\"cpu\":\"1\"") ","
		CONTAINER("\"cpu\":\"200m\"", "") "],\"initContainers\":[" CONTAINER("\"cpu\":\"50m\"", "") "],\"overhead\":{\"cpu\":\"5m\"}}}";
	static const char init[] = "{\"spec\":{\"containers\":[" CONTAINER("\"cpu\":\"100m\"", "") "],\"initContainers\":["
		"{\"restartPolicy\":\"Always\",\"resources\":{\"requests\":{\"cpu\":\"10m\"}}}," CONTAINER("\"cpu\":\"1\"", "") "]}}";
	static const struct {
		const char *resource;
		int64_t milli;
	} cases[] = {
		{ "pods", 1000 }, { "count/pods", 1000 }, { "cpu", 305 }, { "requests.cpu", 305 }, { "limits.cpu", 1005 }, { "requests.memory", 0 },
		{ "requests.example.com/gpu", 2000 }, { "requests.hugepages-2Mi", 4194304000 }, { "hugepages-2Mi", 4194304000 }, { "secrets", 0 },
		{ "count/pods.apps", 0 }, { "services.nodeports", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(amount(kind("", "pods"), pod, cases[i].resource), cases[i].milli);
	assert_int_equal(amount(kind("", "pods"), init, "cpu"), 1010);
}

static void pods_that_are_over_use_nothing(void **state)
{
	static const struct {
		const char *pod;
		int64_t pods;
	} cases[] = {
		{ "{\"status\":{\"phase\":\"Running\"}}", 1000 }, { "{\"status\":{\"phase\":\"Succeeded\"}}", 0 }, { "{\"status\":{\"phase\":\"Failed\"}}", 0 },
		{ "{\"metadata\":{\"deletionTimestamp\":\"2026-01-01T00:00:10Z\",\"deletionGracePeriodSeconds\":30}}", 0 },
		{ "{\"metadata\":{\"deletionTimestamp\":\"2026-01-01T00:00:40Z\",\"deletionGracePeriodSeconds\":30}}", 1000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(amount(kind("", "pods"), cases[i].pod, "pods"), cases[i].pods);
		assert_int_equal(amount(kind("", "pods"), cases[i].pod, "count/pods"), 1000);
	}
}

static void others_count_as_what_they_are(void **state)
{
	static const char balancer[] = "{\"spec\":{\"type\":\"LoadBalancer\",\"ports\":[{\"nodePort\":30000},{\"nodePort\":30001},{}]}}";
	static const char claim[] = "{\"spec\":{\"storageClassName\":\"gold\",\"resources\":{\"requests\":{\"storage\":\"1k\"}}},"
				    "\"status\":{\"allocatedResources\":{\"storage\":\"2k\"}}}";
	static const struct {
		const char *group, *plural, *object, *resource;
		int64_t milli;
	} cases[] = {
		{ "", "services", balancer, "services", 1000 },
		{ "", "services", balancer, "services.loadbalancers", 1000 },
		{ "", "services", balancer, "services.nodeports", 2000 },
		{ "", "services", "{\"spec\":{\"ports\":[{}]}}", "services.loadbalancers", 0 },
		{ "", "persistentvolumeclaims", claim, "persistentvolumeclaims", 1000 },
		{ "", "persistentvolumeclaims", claim, "requests.storage", 2000000 },
		{ "", "persistentvolumeclaims", claim, "gold.storageclass.storage.k8s.io/requests.storage", 2000000 },
		{ "", "persistentvolumeclaims", claim, "gold.storageclass.storage.k8s.io/persistentvolumeclaims", 1000 },
		{ "", "persistentvolumeclaims", claim, "tin.storageclass.storage.k8s.io/requests.storage", 0 },
		{ "", "secrets", "{}", "secrets", 1000 },
		{ "", "secrets", "{}", "count/secrets", 1000 },
		{ "apps", "deployments", "{}", "count/deployments.apps", 1000 },
		{ "apps", "deployments", "{}", "deployments", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(amount(kind(cases[i].group, cases[i].plural), cases[i].object, cases[i].resource), cases[i].milli);
}

static void a_kind_is_measured_by_its_resources(void **state)
{
	static const struct {
		const char *group, *plural, *resource;
		bool measured;
	} cases[] = {
		{ "", "pods", "pods", true }, { "", "pods", "cpu", true }, { "", "pods", "limits.memory", true }, { "", "pods", "requests.example.com/gpu", true },
		{ "", "pods", "limits.example.com/gpu", false }, { "", "pods", "requests.kubernetes.io/x", false }, { "", "pods", "requests.storage", false },
		{ "", "persistentvolumeclaims", "requests.storage", true }, { "", "services", "services.nodeports", true },
		{ "", "persistentvolumeclaims", "x.storageclass.storage.k8s.io/requests.storage", true }, { "", "nodes", "count/nodes", false },
		{ "apps", "deployments", "count/deployments.apps", true }, { "apps", "deployments", "count/deployments", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_true(xb_quota_measures(kind(cases[i].group, cases[i].plural), xb_sv(cases[i].resource)) == cases[i].measured);
}

#define SCOPES(list) "{\"spec\":{\"scopes\":[" list "]}}"
#define SELECTOR(name, operator, more) "{\"spec\":{\"scopeSelector\":{\"matchExpressions\":[{\"scopeName\":\"" name "\",\"operator\":\"" operator "\"" more "}]}}}"

static void scopes_leave_pods_out(void **state)
{
	static const char pod[] = "{\"spec\":{\"priorityClassName\":\"high\",\"activeDeadlineSeconds\":5},\"status\":{\"qosClass\":\"BestEffort\"}}";
	static const struct {
		const char *quota;
		bool selects;
	} cases[] = {
		{ "{}", true }, { SCOPES("\"BestEffort\""), true }, { SCOPES("\"NotBestEffort\""), false }, { SCOPES("\"Terminating\""), true },
		{ SCOPES("\"NotTerminating\""), false }, { SCOPES("\"BestEffort\",\"NotTerminating\""), false }, { SCOPES("\"PriorityClass\""), true },
		{ SELECTOR("PriorityClass", "In", ",\"values\":[\"low\",\"high\"]"), true }, { SELECTOR("PriorityClass", "NotIn", ",\"values\":[\"high\"]"), false },
		{ SELECTOR("PriorityClass", "Exists", ""), true }, { SELECTOR("PriorityClass", "DoesNotExist", ""), false },
		{ SCOPES("\"CrossNamespacePodAffinity\""), false },
	};
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;

	assert_int_equal(xb_json_parse(xb_sv(pod), NULL, &d, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(xb_json_unrefp) struct xb_json *quota = NULL;

		assert_int_equal(xb_json_parse(xb_sv(cases[i].quota), NULL, &quota, NULL), 0);
		assert_true(xb_quota_selects(xb_json_root(quota), kind("", "pods"), xb_json_root(d)) == cases[i].selects);
		assert_true(xb_quota_selects(xb_json_root(quota), kind("", "secrets"), xb_json_root(d)) == !i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pod_counts_by_what_it_asks_for), cmocka_unit_test(pods_that_are_over_use_nothing),
		cmocka_unit_test(others_count_as_what_they_are), cmocka_unit_test(a_kind_is_measured_by_its_resources),
		cmocka_unit_test(scopes_leave_pods_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
