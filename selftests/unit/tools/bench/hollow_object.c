/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* tests link libraries, and a tool has none: the files themselves */
#include "../../../../tools/bench/hollow_object.c"
#include "../../../../tools/bench/names.c"

#define NOW INT64_C(1767323045000000) /* 2026-01-02T03:04:05Z */
static const struct hollow_options options = { .prefix = "n-", .nodes = 10, .first = 5, .cpu = "4", .memory = "1Gi", .pods_per_node = 110,
					       .zones = 3, .lease_seconds = 10 };

static struct xb_jv parse(const char *text)
{
	struct xb_json *doc;

	assert_int_equal(xb_json_parse(xb_sv(text), NULL, &doc, NULL), 0);
	return xb_json_root(doc);
}

static struct xb_jv parse_done(struct xb_buf *text)
{
	struct xb_jv v = parse(text->p);

	xb_buf_done(text);
	return v;
}

static void release(struct xb_jv v)
{
	xb_json_unref((struct xb_json *)v.doc);
}

static void check_bytes(struct xb_jv v, const char *expected)
{
	struct xb_sv bytes = xb_jv_bytes(v);

	if (!xb_sv_is(bytes, expected))
		fail_msg("%.*s, not %s", XB_SV_ARG(bytes), expected);
}

static void renewals_are_spread_over_the_period(void **state)
{
	struct hollow_round r = { .period_ms = 10000, .n = 5000 };
	unsigned first, expected = 0, most = 0, total = 0;

	for (unsigned ms = 20; ms <= 10000; ms += 20) {
		unsigned n = hollow_round_take(&r, ms, &first);

		if (n)
			assert_int_equal(first, expected % 5000);
		expected += n;
		total += n;
		most = MAX(most, n);
	}
	assert_int_equal(total, 5000);
	assert_int_equal(most, 10);
}

static void few_have_their_turn_once_a_period(void **state)
{
	struct hollow_round r = { .period_ms = 1000, .n = 3 };
	unsigned first;

	assert_int_equal(hollow_round_take(&r, 333, &first), 0);
	assert_int_equal(hollow_round_take(&r, 334, &first), 1);
	assert_int_equal(first, 0);
	assert_int_equal(hollow_round_take(&r, 999, &first), 1);
	assert_int_equal(first, 1);
	assert_int_equal(hollow_round_take(&r, 1400, &first), 2);
	assert_int_equal(first, 2);
}

static void what_was_slept_through_is_due_once(void **state)
{
	struct hollow_round r = { .period_ms = 1000, .n = 4 };
	unsigned first;

	assert_int_equal(hollow_round_take(&r, 60250, &first), 4);
	assert_int_equal(first, 1);
	assert_int_equal(hollow_round_take(&r, 60500, &first), 1);
	assert_int_equal(first, 1);
}

static void ranges_do_not_overlap(void **state)
{
	for (unsigned n = 0; n < HOLLOW_NODES; n++) {
		uint32_t own = hollow_range_of(n).v4;

		assert_int_equal(own >> 23, 10 << 1 | 1);
		if (n)
			assert_int_not_equal(own >> 8, hollow_range_of(n - 1).v4 >> 8);
	}
	assert_string_equal(v4_text(hollow_range_of(0).v4).s, "10.244.0.2");
	assert_string_equal(v4_text(hollow_range_of(257).v4).s, "10.245.1.2");
	assert_string_equal(v4_text(hollow_range_of(12 * 256).v4).s, "10.128.0.2");
	assert_string_equal(v4_text(hollow_range_of(HOLLOW_NODES - 1).v4).s, "10.243.255.2");
}

static void pod_cidrs_go_before(void **state)
{
	struct hollow_range range = hollow_range_of(0);
	struct xb_jv cidrs = parse("[\"fd00:9::/64\", \"10.9.3.0/24\", \"10.9.4.0/24\", \"nonsense\"]");

	hollow_range_read(cidrs, &range);
	assert_string_equal(v4_text(range.v4).s, "10.9.3.2");
	assert_true(range.has_v6);
	assert_string_equal(v6_text(range.v6).s, "fd00:9::2");
	assert_int_equal(hollow_range_slot(&range, XB_SV("10.9.3.2")), 0);
	assert_int_equal(hollow_range_slot(&range, XB_SV("10.9.3.112")), 110);
	assert_int_equal(hollow_range_slot(&range, XB_SV("10.9.3.1")), -ENOENT);
	assert_int_equal(hollow_range_slot(&range, XB_SV("10.9.4.2")), -ENOENT);
	assert_int_equal(hollow_range_slot(&range, XB_SV("")), -ENOENT);
	release(cidrs);
}

static void a_lease_is_small_and_names_its_version(void **state)
{
	struct hollow_lease l = { &options, 7, "c4d671f5-e5aa-43dc-9ef3-7cdc536af850", 42 };
	struct xb_buf text = {};
	struct xb_jv v;

	hollow_write_lease(&l, NOW, &text);
	assert_in_range(text.n, 250, 400);
	v = parse_done(&text);
	check_bytes(xb_jv_get(v, "spec"), "{\"holderIdentity\":\"n-7\",\"leaseDurationSeconds\":40,\"renewTime\":\"2026-01-02T03:04:05.000000Z\"}");
	check_bytes(xb_jv_path(v, "metadata", "resourceVersion"), "\"42\"");
	check_bytes(xb_jv_get(xb_jv_at(xb_jv_path(v, "metadata", "ownerReferences"), 0), "name"), "\"n-7\"");
	release(v);
}

static void a_heartbeat_keeps_the_time_of_the_last_transition(void **state)
{
	struct xb_buf text = {};
	struct xb_jv v, ready;

	hollow_write_heartbeat(NOW, false, &text);
	v = parse_done(&text);
	ready = xb_jv_at(xb_jv_path(v, "status", "conditions"), 3);
	check_bytes(ready, "{\"type\":\"Ready\",\"status\":\"True\",\"lastHeartbeatTime\":\"2026-01-02T03:04:05Z\",\"reason\":\"KubeletReady\","
		    "\"message\":\"kubelet is posting ready status\"}");
	release(v);
	hollow_write_heartbeat(NOW, true, &text);
	v = parse_done(&text);
	ready = xb_jv_at(xb_jv_path(v, "status", "conditions"), 3);
	check_bytes(xb_jv_get(ready, "lastTransitionTime"), "\"2026-01-02T03:04:05Z\"");
	release(v);
}

static void only_the_taint_of_a_new_node_is_taken(void **state)
{
	struct xb_jv node = parse("{\"metadata\":{\"resourceVersion\":\"9\"},\"spec\":{\"taints\":[{\"key\":\"a\",\"effect\":\"NoSchedule\"},"
				  "{\"key\":\"node.kubernetes.io/not-ready\",\"effect\":\"NoSchedule\"}]}}");
	struct xb_buf text = {};

	assert_true(hollow_is_tainted(node));
	hollow_write_untaint(node, &text);
	assert_string_equal(text.p, "{\"metadata\":{\"resourceVersion\":\"9\"},\"spec\":{\"taints\":[{\"key\":\"a\",\"effect\":\"NoSchedule\"}]}}");
	xb_buf_done(&text);
	release(node);
}

#define POD "{\"metadata\":{\"uid\":\"u-1\",\"annotations\":{\"n\":\"12\",\"bad\":\"x\"}},\"spec\":{\"initContainers\":[{\"name\":\"i\",\"image\":\"I\"}," \
	"{\"name\":\"s\",\"image\":\"S\",\"restartPolicy\":\"Always\"}],\"containers\":[{\"name\":\"c\",\"image\":\"C\"}]}," \
	"\"status\":{\"startTime\":\"2026-01-02T03:00:00Z\"}}"

static void a_running_pod_has_addresses_and_containers(void **state)
{
	struct hollow_range range = hollow_range_of(1);
	struct xb_jv pod = parse(POD), v, status;
	struct hollow_pod p = { pod, &range, 1, 3, 2 };
	struct xb_buf text = {};

	hollow_write_running(&p, NOW, &text);
	v = parse_done(&text);
	status = xb_jv_get(v, "status");
	check_bytes(xb_jv_get(v, "metadata"), "{\"uid\":\"u-1\"}");
	check_bytes(xb_jv_get(status, "phase"), "\"Running\"");
	check_bytes(xb_jv_get(status, "startTime"), "\"2026-01-02T03:00:00Z\"");
	check_bytes(xb_jv_get(status, "hostIP"), "\"100.64.0.2\"");
	check_bytes(xb_jv_get(status, "podIPs"), "[{\"ip\":\"10.244.1.5\"}]");
	check_bytes(xb_jv_at(xb_jv_get(status, "containerStatuses"), 0),
		    "{\"name\":\"c\",\"image\":\"C\",\"imageID\":\"C\",\"containerID\":\"hollow://u-1/c/2\",\"restartCount\":2,\"started\":true,\"ready\":true,"
		    "\"state\":{\"running\":{\"startedAt\":\"2026-01-02T03:04:05Z\"}}}");
	check_bytes(xb_jv_path(xb_jv_at(xb_jv_get(status, "initContainerStatuses"), 0), "state", "terminated", "reason"), "\"Completed\"");
	check_bytes(xb_jv_path(xb_jv_at(xb_jv_get(status, "initContainerStatuses"), 1), "state", "running", "startedAt"), "\"2026-01-02T03:04:05Z\"");
	check_bytes(xb_jv_at(xb_jv_get(status, "conditions"), 4), "{\"type\":\"PodScheduled\",\"status\":\"True\"}");
	assert_int_equal(hollow_annotation(pod, "n", 1), 12);
	assert_int_equal(hollow_annotation(pod, "bad", 1), 1);
	assert_int_equal(hollow_annotation(pod, "none", 1), 1);
	release(v);
	release(pod);
}

static void an_ended_pod_says_how(void **state)
{
	struct hollow_range range = hollow_range_of(1);
	struct xb_jv pod = parse(POD), v, status;
	struct hollow_pod p = { pod, &range, 1, 3, 0 };
	struct xb_buf text = {};

	hollow_write_ended(&p, 3, NOW, &text);
	v = parse_done(&text);
	status = xb_jv_get(v, "status");
	check_bytes(xb_jv_get(status, "phase"), "\"Failed\"");
	check_bytes(xb_jv_path(xb_jv_at(xb_jv_get(status, "containerStatuses"), 0), "state"),
		    "{\"terminated\":{\"exitCode\":3,\"reason\":\"Error\",\"startedAt\":\"2026-01-02T03:00:00Z\",\"finishedAt\":\"2026-01-02T03:04:05Z\"}}");
	check_bytes(xb_jv_at(xb_jv_get(status, "conditions"), 2),
		    "{\"type\":\"Ready\",\"status\":\"False\",\"lastTransitionTime\":\"2026-01-02T03:04:05Z\",\"reason\":\"PodFailed\"}");
	release(v);
	hollow_write_delete(pod, &text);
	assert_string_equal(text.p, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"gracePeriodSeconds\":0,\"preconditions\":{\"uid\":\"u-1\"}}");
	xb_buf_done(&text);
	release(pod);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(renewals_are_spread_over_the_period),
		cmocka_unit_test(few_have_their_turn_once_a_period),
		cmocka_unit_test(what_was_slept_through_is_due_once),
		cmocka_unit_test(ranges_do_not_overlap),
		cmocka_unit_test(pod_cidrs_go_before),
		cmocka_unit_test(a_lease_is_small_and_names_its_version),
		cmocka_unit_test(a_heartbeat_keeps_the_time_of_the_last_transition),
		cmocka_unit_test(only_the_taint_of_a_new_node_is_taken),
		cmocka_unit_test(a_running_pod_has_addresses_and_containers),
		cmocka_unit_test(an_ended_pod_says_how),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
