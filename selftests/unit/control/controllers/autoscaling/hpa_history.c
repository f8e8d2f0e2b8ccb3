/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../../../../control/controllers/autoscaling/hpa_history.h"

#define S INT64_C(1000000)
#define START (1000000 * S)
#define RULES(up, down) "{\"scaleUp\":{" up "},\"scaleDown\":{" down "}}"
#define POLICIES(window, select, list) "\"stabilizationWindowSeconds\":" window ",\"selectPolicy\":\"" select "\",\"policies\":[" list "]"
#define PODS(value, period) "{\"type\":\"Pods\",\"value\":" value ",\"periodSeconds\":" period "}"
#define PERCENT(value, period) "{\"type\":\"Percent\",\"value\":" value ",\"periodSeconds\":" period "}"

static struct hpa_history h;
static struct xb_json *behavior;

static int end(void **state)
{
	hpa_history_done(&h);
	behavior = xb_json_unref(behavior);
	return 0;
}

static struct xb_jv rules(void)
{
	return behavior ? xb_json_root(behavior) : (struct xb_jv){};
}

static void behave(const char *text)
{
	end(NULL);
	assert_int_equal(xb_json_parse(xb_sv(text), NULL, &behavior, NULL), 0);
}

static struct hpa_verdict normalize(int64_t current, int64_t desired, int64_t second)
{
	struct hpa_bounds b = { .behavior = rules(), .min = 2, .max = 50, .current = current, .down_window = 300 * S };
	struct hpa_verdict v;

	assert_int_equal(hpa_history_normalize(&h, &b, desired, START + second * S, &v), 0);
	return v;
}

static void assert_verdict(struct hpa_verdict v, int64_t replicas, const char *able, const char *limit)
{
	assert_int_equal(v.replicas, replicas);
	assert_string_equal(v.able, able);
	assert_string_equal(v.limit, limit);
	assert_true(v.limited == !!strcmp(limit, "DesiredWithinRange"));
}

static void without_a_behavior_the_old_rules_hold(void **state)
{
	assert_verdict(normalize(10, 15, 0), 15, "ReadyForNewScale", "DesiredWithinRange");
	assert_verdict(normalize(15, 100, 15), 30, "ReadyForNewScale", "ScaleUpLimit");
	assert_verdict(normalize(30, 100, 30), 50, "ReadyForNewScale", "TooManyReplicas");
	/* the highest of five minutes */
	assert_verdict(normalize(30, 20, 320), 50, "ScaleDownStabilized", "TooManyReplicas");
	assert_verdict(normalize(30, 1, 331), 20, "ScaleDownStabilized", "DesiredWithinRange");
	assert_verdict(normalize(20, 1, 1000), 2, "ReadyForNewScale", "TooFewReplicas");
	assert_verdict(normalize(1, 10, 2000), 4, "ReadyForNewScale", "ScaleUpLimit");
}

static void what_was_there_first_counts(void **state)
{
	assert_int_equal(hpa_history_begin(&h, 12, START), 0);
	assert_int_equal(hpa_history_begin(&h, 40, START), 0);
	assert_verdict(normalize(12, 3, 10), 12, "ScaleDownStabilized", "DesiredWithinRange");
	assert_verdict(normalize(12, 3, 301), 3, "ReadyForNewScale", "DesiredWithinRange");
}

static void windows_hold_back_both_ways(void **state)
{
	behave(RULES(POLICIES("60", "Max", PERCENT("1000", "15")), POLICIES("120", "Max", PERCENT("100", "15"))));
	assert_verdict(normalize(10, 10, 0), 10, "ReadyForNewScale", "DesiredWithinRange");
	assert_verdict(normalize(10, 20, 30), 10, "ScaleUpStabilized", "DesiredWithinRange");
	assert_verdict(normalize(10, 15, 61), 15, "ReadyForNewScale", "DesiredWithinRange");
	assert_verdict(normalize(15, 5, 70), 15, "ScaleDownStabilized", "DesiredWithinRange");
	assert_verdict(normalize(15, 5, 182), 5, "ReadyForNewScale", "DesiredWithinRange");
}

static void policies_limit_the_rate(void **state)
{
	behave(RULES(POLICIES("0", "Max", PODS("4", "60") "," PERCENT("50", "60")), POLICIES("0", "Max", PODS("2", "60") "," PERCENT("10", "60"))));
	assert_verdict(normalize(4, 40, 0), 8, "ReadyForNewScale", "ScaleUpLimit");
	assert_verdict(normalize(20, 40, 1), 30, "ReadyForNewScale", "ScaleUpLimit");
	assert_verdict(normalize(40, 60, 2), 50, "ReadyForNewScale", "TooManyReplicas");
	assert_verdict(normalize(10, 2, 3), 8, "ReadyForNewScale", "ScaleDownLimit");
	assert_verdict(normalize(40, 2, 4), 36, "ReadyForNewScale", "ScaleDownLimit");
	assert_verdict(normalize(3, 0, 5), 2, "ReadyForNewScale", "TooFewReplicas");
	behave(RULES(POLICIES("0", "Min", PODS("4", "60") "," PERCENT("50", "60")), POLICIES("0", "Min", PODS("2", "60") "," PERCENT("10", "60"))));
	assert_verdict(normalize(20, 40, 0), 24, "ReadyForNewScale", "ScaleUpLimit");
	assert_verdict(normalize(10, 2, 1), 9, "ReadyForNewScale", "ScaleDownLimit");
	behave(RULES(POLICIES("0", "Disabled", PODS("4", "60")), POLICIES("0", "Disabled", PODS("4", "60"))));
	assert_verdict(normalize(20, 40, 0), 20, "ReadyForNewScale", "ScaleUpLimit");
	assert_verdict(normalize(20, 2, 1), 20, "ReadyForNewScale", "ScaleDownLimit");
}

/* What was added within the period counts against it. */
static void what_was_done_counts(void **state)
{
	behave(RULES(POLICIES("0", "Max", PODS("4", "60")), POLICIES("0", "Max", PODS("3", "60"))));
	assert_int_equal(hpa_history_scaled(&h, rules(), 10, 13, START), 0);
	assert_verdict(normalize(13, 30, 30), 14, "ReadyForNewScale", "ScaleUpLimit");
	assert_verdict(normalize(13, 30, 61), 17, "ReadyForNewScale", "ScaleUpLimit");
	assert_int_equal(hpa_history_scaled(&h, rules(), 17, 14, START + 100 * S), 0);
	assert_verdict(normalize(14, 2, 110), 14, "ReadyForNewScale", "ScaleDownLimit");
	assert_verdict(normalize(14, 2, 161), 11, "ReadyForNewScale", "ScaleDownLimit");
	/* and is forgotten */
	assert_int_equal(hpa_history_scaled(&h, rules(), 11, 10, START + 1000 * S), 0);
	assert_int_equal(h.downs.n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(without_a_behavior_the_old_rules_hold, end),
		cmocka_unit_test_teardown(what_was_there_first_counts, end),
		cmocka_unit_test_teardown(windows_hold_back_both_ways, end),
		cmocka_unit_test_teardown(policies_limit_the_rate, end),
		cmocka_unit_test_teardown(what_was_done_counts, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
