/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../../control/controllers/nodes/node_state.h"
#include "xb/time.h"

#define NOW "2026-01-02T00:00:00Z"
#define META "\"metadata\":{\"resourceVersion\":\"7\",\"creationTimestamp\":\"2026-01-01T00:00:00Z\"}"
#define CONDITION(type, status) "{\"type\":\"" type "\",\"status\":\"" status "\"}"
#define NODE(spec, conditions) "{" META ",\"spec\":{" spec "},\"status\":{\"conditions\":[" conditions "]}}"
#define TAINT(key, effect) "{\"key\":\"node.kubernetes.io/" key "\",\"effect\":\"" effect "\"}"
#define ADDED(key, effect) "{\"key\":\"node.kubernetes.io/" key "\",\"effect\":\"" effect "\",\"timeAdded\":\"" NOW "\"}"
#define TAINTS(list) "\"taints\":[" list "]"
#define SPEC(list) "{\"metadata\":{\"resourceVersion\":\"7\"},\"spec\":{" TAINTS(list) "}}"

static struct xb_json *doc;
static int64_t now;

static struct xb_jv node(const char *text)
{
	xb_json_unref(doc);
	doc = NULL;
	assert_int_equal(xb_json_parse(xb_sv(text), NULL, &doc, NULL), 0);
	return xb_json_root(doc);
}

static int setup(void **state)
{
	return xb_time_parse(XB_SV(NOW), &now);
}

static int teardown(void **state)
{
	doc = xb_json_unref(doc);
	return 0;
}

static void assert_spec(const char *text, enum node_execute execute, const char *expected)
{
	_cleanup_buf_ struct xb_buf out = {};

	node_spec_patch(node(text), execute, now, &out);
	assert_int_equal(out.err, 0);
	assert_string_equal(out.p ? out.p : "", expected);
}

static void assert_zone(const char *labels, const char *expected)
{
	_cleanup_buf_ struct xb_buf text = {}, out = {};

	xb_buf_addf(&text, "{\"metadata\":{\"labels\":{%s}}}", labels);
	node_state_zone(node(text.p), &out);
	assert_string_equal(out.p ? out.p : "", expected);
}

static void a_zone_has_a_region(void **state)
{
	assert_zone("", "");
	assert_zone("\"topology.kubernetes.io/zone\":\"z\"", "/z");
	assert_zone("\"topology.kubernetes.io/zone\":\"z\",\"topology.kubernetes.io/region\":\"r\"", "r/z");
	assert_zone("\"topology.kubernetes.io/zone\":\"z\",\"failure-domain.beta.kubernetes.io/zone\":\"old\"", "/old");
}

static void silence_makes_all_unknown(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};

#define CHANGED "\"lastTransitionTime\":\"" NOW "\","
	node_silence_patch(node(NODE("", CONDITION("MemoryPressure", "False") "," CONDITION("PIDPressure", "Unknown") "," CONDITION("Ready", "True"))),
			   now, &out);
	assert_string_equal(out.p, "{\"metadata\":{\"resourceVersion\":\"7\"},\"status\":{\"conditions\":["
		"{\"type\":\"Ready\",\"status\":\"Unknown\"," CHANGED "\"reason\":\"NodeStatusUnknown\",\"message\":\"Kubelet stopped posting node status.\"},"
		"{\"type\":\"MemoryPressure\",\"status\":\"Unknown\"," CHANGED "\"reason\":\"NodeStatusUnknown\","
		"\"message\":\"Kubelet stopped posting node status.\"},"
		"{\"type\":\"DiskPressure\",\"status\":\"Unknown\",\"lastHeartbeatTime\":\"2026-01-01T00:00:00Z\"," CHANGED
		"\"reason\":\"NodeStatusNeverUpdated\",\"message\":\"Kubelet never posted node status.\"}]}}");
}

static void silence_is_said_once(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};

	node_silence_patch(node(NODE("", CONDITION("Ready", "Unknown"))), now, &out);
	assert_int_equal(out.n, 0);
}

static void taints_follow_conditions(void **state)
{
	assert_spec(NODE("", CONDITION("Ready", "True")), NODE_EXECUTE_LATER, "");
	assert_spec(NODE("", CONDITION("Ready", "True") "," CONDITION("DiskPressure", "True") "," CONDITION("MemoryPressure", "Unknown")),
		    NODE_EXECUTE_LATER, SPEC(ADDED("disk-pressure", "NoSchedule")));
	assert_spec(NODE("\"unschedulable\":true", CONDITION("Ready", "True")), NODE_EXECUTE_LATER, SPEC(ADDED("unschedulable", "NoSchedule")));
	assert_spec(NODE("\"unschedulable\":true," TAINTS(TAINT("unschedulable", "NoSchedule")), CONDITION("Ready", "True")), NODE_EXECUTE_LATER, "");
}

static void others_taints_stay_in_their_order(void **state)
{
#define MINE "{\"key\":\"mine\",\"value\":\"x\",\"effect\":\"NoExecute\"}"
	assert_spec(NODE(TAINTS(MINE "," TAINT("not-ready", "NoSchedule") "," TAINT("unschedulable", "NoExecute")),
			 CONDITION("Ready", "True") "," CONDITION("PIDPressure", "True")),
		    NODE_EXECUTE_LATER, SPEC(MINE "," TAINT("unschedulable", "NoExecute") "," ADDED("pid-pressure", "NoSchedule")));
}

static void what_never_spoke_keeps_its_taint(void **state)
{
	assert_spec(NODE(TAINTS(TAINT("not-ready", "NoSchedule")), ""), NODE_EXECUTE_LATER, "");
}

static void execute_waits_for_its_turn(void **state)
{
	static const char silent[] = NODE("", CONDITION("Ready", "Unknown"));

	assert_true(node_awaits_execute(node(silent)));
	assert_spec(silent, NODE_EXECUTE_LATER, SPEC(ADDED("unreachable", "NoSchedule")));
	assert_spec(silent, NODE_EXECUTE_NOW, SPEC(ADDED("unreachable", "NoSchedule") "," ADDED("unreachable", "NoExecute")));
	assert_spec(silent, NODE_EXECUTE_NEVER, SPEC(ADDED("unreachable", "NoSchedule")));
}

static void execute_is_exchanged_at_once(void **state)
{
	static const char swap[] = NODE(TAINTS(TAINT("unreachable", "NoSchedule") "," TAINT("unreachable", "NoExecute")), CONDITION("Ready", "False"));

	assert_false(node_awaits_execute(node(swap)));
	assert_spec(swap, NODE_EXECUTE_LATER, SPEC(ADDED("not-ready", "NoSchedule") "," ADDED("not-ready", "NoExecute")));
	assert_spec(swap, NODE_EXECUTE_NEVER, SPEC(ADDED("not-ready", "NoSchedule")));
}

static void execute_goes_with_its_cause(void **state)
{
	assert_spec(NODE(TAINTS(TAINT("unreachable", "NoSchedule") "," TAINT("unreachable", "NoExecute")), CONDITION("Ready", "True")),
		    NODE_EXECUTE_LATER, SPEC(""));
}

static void the_older_label_follows(void **state)
{
	assert_spec("{\"metadata\":{\"resourceVersion\":\"7\",\"labels\":{\"kubernetes.io/os\":\"linux\",\"beta.kubernetes.io/arch\":\"arm\"}}}",
		    NODE_EXECUTE_LATER, "{\"metadata\":{\"resourceVersion\":\"7\",\"labels\":{\"beta.kubernetes.io/os\":\"linux\"}}}");
	assert_spec("{\"metadata\":{\"labels\":{\"kubernetes.io/os\":\"linux\",\"beta.kubernetes.io/os\":\"linux\"}}}", NODE_EXECUTE_LATER, "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_zone_has_a_region),
		TEST(silence_makes_all_unknown),
		TEST(silence_is_said_once),
		TEST(taints_follow_conditions),
		TEST(others_taints_stay_in_their_order),
		TEST(what_never_spoke_keeps_its_taint),
		TEST(execute_waits_for_its_turn),
		TEST(execute_is_exchanged_at_once),
		TEST(execute_goes_with_its_cause),
		TEST(the_older_label_follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
