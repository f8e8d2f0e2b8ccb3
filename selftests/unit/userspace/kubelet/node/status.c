/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../../userspace/kubelet/node/node.h"
#include "../../../../../userspace/kubelet/node/status.h"

static struct node_thresholds *thresholds;
static struct machine machine;
static struct facts facts;
static struct node_view view;
static bool under[PRESSURES];

static int setup(void **state)
{
	static struct huge_pages pages[] = { { 2 << 20, 64 << 20 } };
	char *why;

	machine = (struct machine){ "mid", "suuid", "bid", "6.1", "Debian", "amd64", { pages, 1, 1 } };
	facts = (struct facts){
		.node_name = "n1", .ips = { "10.0.0.1", "fd00::1" }, .max_pods = 110, .cpu_milli = 2000, .allocatable_cpu_milli = 1900,
		.memory_bytes = UINT64_C(4) << 30, .allocatable_memory_bytes = UINT64_C(3) << 30, .ephemeral_bytes = 1000 * 1024,
		.allocatable_ephemeral_bytes = 1000 * 1024,
	};
	memset(under, 0, sizeof(under));
	view = (struct node_view){
		.facts = &facts, .machine = &machine, .runtime_version = "containerd://1.6.20", .port = 10250, .images = XB_SV("[{\"names\":[\"a\"]}]"),
		.under = under, .now_us = INT64_C(1764000000000000),
	};
	if (node_thresholds_parse((struct xb_jv){}, &thresholds, &why))
		return -1;
	view.thresholds = thresholds;
	return 0;
}

static int teardown(void **state)
{
	thresholds = node_thresholds_free(thresholds);
	return 0;
}

static struct xb_json *parse(const char *json)
{
	struct xb_json *doc;

	assert_int_equal(xb_json_parse(xb_sv(json), NULL, &doc, NULL), 0);
	return doc;
}

static struct xb_json *created(void)
{
	static const char *const labels[] = { "team=a", "kubernetes.io/os=other", NULL }, *const taints[] = { "k=v:NoExecute", "x:NoSchedule", NULL };
	_cleanup_buf_ struct xb_buf out = {};

	assert_int_equal(status_write_node(&view, labels, taints, &out), 0);
	return parse(out.p);
}

static void part(struct xb_jv v, const char *want)
{
	_cleanup_buf_ struct xb_buf got = {};

	xb_buf_addsv(&got, xb_jv_bytes(v));
	assert_string_equal(got.p ? got.p : "", want);
}

static void node_is_whole(void **state)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = created();
	struct xb_jv root = xb_json_root(doc), status = xb_jv_get(root, "status");

	part(xb_jv_path(root, "metadata", "labels"), "{\"beta.kubernetes.io/arch\":\"amd64\",\"beta.kubernetes.io/os\":\"linux\","
	     "\"kubernetes.io/arch\":\"amd64\",\"kubernetes.io/hostname\":\"n1\",\"kubernetes.io/os\":\"linux\",\"team\":\"a\"}");
	part(xb_jv_path(root, "spec", "taints"),
	     "[{\"key\":\"k\",\"value\":\"v\",\"effect\":\"NoExecute\"},{\"key\":\"x\",\"effect\":\"NoSchedule\"}]");
	part(xb_jv_get(status, "capacity"),
	     "{\"cpu\":\"2\",\"ephemeral-storage\":\"1000Ki\",\"hugepages-2Mi\":\"64Mi\",\"memory\":\"4Gi\",\"pods\":\"110\"}");
	part(xb_jv_get(status, "allocatable"),
	     "{\"cpu\":\"1900m\",\"ephemeral-storage\":\"921600\",\"hugepages-2Mi\":\"64Mi\",\"memory\":\"2908Mi\",\"pods\":\"110\"}");
	part(xb_jv_get(status, "addresses"), "[{\"type\":\"InternalIP\",\"address\":\"10.0.0.1\"},{\"type\":\"InternalIP\",\"address\":\"fd00::1\"},"
	     "{\"type\":\"Hostname\",\"address\":\"n1\"}]");
	part(xb_jv_at(xb_jv_get(status, "conditions"), 3), "{\"type\":\"Ready\",\"status\":\"True\",\"lastHeartbeatTime\":\"2025-11-24T16:00:00Z\","
	     "\"lastTransitionTime\":\"2025-11-24T16:00:00Z\",\"reason\":\"KubeletReady\",\"message\":\"kubelet is posting ready status\"}");
	part(xb_jv_get(status, "daemonEndpoints"), "{\"kubeletEndpoint\":{\"Port\":10250}}");
	part(xb_jv_get(status, "images"), "[{\"names\":[\"a\"]}]");
}

static struct xb_json *patch(const struct xb_json *old, bool report, bool *ret_differs)
{
	_cleanup_buf_ struct xb_buf out = {};

	assert_int_equal(status_write_patch(&view, xb_jv_get(xb_json_root(old), "status"), report, ret_differs, &out), 0);
	return parse(out.p);
}

static void only_what_differs_is_sent(void **state)
{
	_cleanup_(xb_json_unrefp) struct xb_json *old = created(), *same = NULL, *due = NULL, *ips = NULL;
	bool differs;

	view.now_us += 5000000;
	same = patch(old, false, &differs);
	assert_false(differs);
	due = patch(old, true, &differs);
	assert_true(differs);
	assert_int_equal(xb_jv_count(xb_jv_get(xb_json_root(due), "status")), 1);
	part(xb_jv_at(xb_jv_path(xb_json_root(due), "status", "conditions"), 0), "{\"type\":\"MemoryPressure\",\"status\":\"False\","
	     "\"lastHeartbeatTime\":\"2025-11-24T16:00:05Z\",\"lastTransitionTime\":\"2025-11-24T16:00:00Z\","
	     "\"reason\":\"KubeletHasSufficientMemory\",\"message\":\"kubelet has sufficient memory available\"}");
	facts.ips[1] = NULL;
	ips = patch(old, false, &differs);
	assert_true(differs);
	part(xb_jv_path(xb_json_root(ips), "status", "addresses"), "[{\"type\":\"InternalIP\",\"address\":\"10.0.0.1\"},"
	     "{\"type\":\"Hostname\",\"address\":\"n1\"},{\"$patch\":\"replace\"}]");
	assert_int_equal(xb_jv_count(xb_jv_get(xb_json_root(ips), "status")), 2);
}

static void others_resources_are_left(void **state)
{
	_cleanup_(xb_json_unrefp) struct xb_json *old = created(), *more = NULL, *same = NULL;
	_cleanup_buf_ struct xb_buf text = {};
	bool differs;

	xb_buf_addsv(&text, xb_json_bytes(old));
	text.p[text.n - 2] = '\0'; /* "}}" */
	text.n -= 2;
	xb_buf_adds(&text, ",\"capacity\":{\"example.com/gpu\":\"1\",\"cpu\":\"2\",\"ephemeral-storage\":\"1000Ki\",\"hugepages-2Mi\":\"64Mi\","
		    "\"memory\":\"4Gi\",\"pods\":\"110\"}}}");
	more = parse(text.p);
	same = patch(more, false, &differs);
	assert_false(differs);
}

static void conditions_turn(void **state)
{
	_cleanup_(xb_json_unrefp) struct xb_json *old = created(), *new = NULL;
	struct xb_jv status = xb_jv_get(xb_json_root(old), "status");
	bool differs;

	assert_null(status_condition_event(&view, status, CONDITION_READY));
	assert_string_equal(status_condition_event(&view, (struct xb_jv){}, CONDITION_DISK), "NodeHasNoDiskPressure");
	view.fault = "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns "
		     "error: cni plugin not initialized";
	view.now_us += 5000000;
	under[PRESSURE_PID] = true;
	assert_string_equal(status_condition_event(&view, status, CONDITION_READY), "NodeNotReady");
	assert_string_equal(status_condition_event(&view, status, CONDITION_PID), "NodeHasInsufficientPID");
	new = patch(old, false, &differs);
	assert_true(differs);
	part(xb_jv_at(xb_jv_path(xb_json_root(new), "status", "conditions"), 2), "{\"type\":\"PIDPressure\",\"status\":\"True\","
	     "\"lastHeartbeatTime\":\"2025-11-24T16:00:05Z\",\"lastTransitionTime\":\"2025-11-24T16:00:05Z\","
	     "\"reason\":\"KubeletHasInsufficientPID\",\"message\":\"kubelet has insufficient PID available\"}");
	part(xb_jv_at(xb_jv_path(xb_json_root(new), "status", "conditions"), 3), "{\"type\":\"Ready\",\"status\":\"False\","
	     "\"lastHeartbeatTime\":\"2025-11-24T16:00:05Z\",\"lastTransitionTime\":\"2025-11-24T16:00:05Z\",\"reason\":\"KubeletNotReady\","
	     "\"message\":\"container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns "
	     "error: cni plugin not initialized\"}");
}

static void labels_are_kept_right(void **state)
{
	static const char *const labels[] = { "topology.kubernetes.io/zone=a", "team=b", NULL };
	_cleanup_(xb_json_unrefp) struct xb_json *old = parse("{\"kubernetes.io/hostname\":\"other\",\"kubernetes.io/os\":\"linux\","
		"\"kubernetes.io/arch\":\"amd64\",\"beta.kubernetes.io/os\":\"linux\",\"mine\":\"x\"}");
	_cleanup_buf_ struct xb_buf out = {};
	bool differs;

	assert_int_equal(status_write_labels(&view, labels, xb_json_root(old), &differs, &out), 0);
	assert_true(differs);
	assert_string_equal(out.p, "{\"metadata\":{\"labels\":{\"beta.kubernetes.io/arch\":\"amd64\",\"kubernetes.io/hostname\":\"n1\","
			    "\"topology.kubernetes.io/zone\":\"a\"}}}");
}

static void flags_are_checked(void **state)
{
	static const struct { const char *labels[2], *taints[2], *why; } t[] = {
		{ { "a" }, { NULL }, "--node-labels: \"a\" is not key=value" },
		{ { NULL }, { "a=b" },
		  "--register-with-taints: \"a=b\" is not key=value:effect with effect NoSchedule, PreferNoSchedule or NoExecute" },
		{ { NULL }, { "a=b:Sometimes" },
		  "--register-with-taints: \"a=b:Sometimes\" is not key=value:effect with effect NoSchedule, PreferNoSchedule or NoExecute" },
	};
	static const char *const allowed[] = {
		"a.node.kubernetes.io/x=1", "topology.kubernetes.io/zone=a", "kubelet.kubernetes.io/y=", "mykubernetes.io/z=1", NULL,
	};
	static const char *const good[] = { "a=b:NoSchedule", "a:PreferNoSchedule", NULL };
	char *why = NULL;

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		assert_int_equal(status_check_flags(t[i].labels, t[i].taints, &why), -EINVAL);
		assert_string_equal(why, t[i].why);
		free(why);
	}
	assert_int_equal(status_check_flags(NULL, good, &why), 0);
	assert_int_equal(status_check_flags((const char *const[]){ "a b=c", NULL }, NULL, &why), -EINVAL);
	assert_int_equal(strncmp(why, "--node-labels: \"a b=c\": ", 24), 0);
	free(why);
	assert_int_equal(status_check_flags((const char *const[]){ "node-role.kubernetes.io/worker=", NULL }, NULL, &why), -EINVAL);
	assert_string_equal(why, "--node-labels: \"node-role.kubernetes.io/worker=\": a node may give itself no such label in the 'kubernetes.io' "
			    "and 'k8s.io' namespaces, but those that begin with kubelet.kubernetes.io or node.kubernetes.io");
	free(why);
	assert_int_equal(status_check_flags(allowed, NULL, &why), 0);
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		test(node_is_whole), test(only_what_differs_is_sent), test(others_resources_are_left), test(conditions_turn),
		test(labels_are_kept_right), test(flags_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
