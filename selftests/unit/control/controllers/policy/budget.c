/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include "../../../../../control/controllers/policy/budget.h"
#include "xb/time.h"

#define READY "\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}"
#define POD(name, more) "{\"metadata\":{\"name\":\"" name "\"}" more "}"
#define HEALTHY(name) POD(name, "," READY)
#define LEAVING(name) "{\"metadata\":{\"name\":\"" name "\",\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"}," READY "}"
#define BUDGET(spec, status) "{\"metadata\":{\"generation\":3},\"spec\":{" spec "},\"status\":{" status "}}"
#define DISRUPTED(time) "\"disruptedPods\":{\"a\":\"" time "\"}"
#define NOW "2026-01-02T00:00:00Z"

static struct xb_json *budget, *pods;

static int teardown(void **state)
{
	budget = xb_json_unref(budget);
	pods = xb_json_unref(pods);
	return 0;
}

static int64_t now(void)
{
	int64_t us;

	assert_int_equal(xb_time_parse(XB_SV(NOW), &us), 0);
	return us;
}

static int count(const char *budget_text, const char *pods_text, int64_t scale, struct budget_status *ret)
{
	struct xb_jv v[8];
	size_t n = 0;

	teardown(NULL);
	assert_int_equal(xb_json_parse(xb_sv(budget_text), NULL, &budget, NULL), 0);
	assert_int_equal(xb_json_parse(xb_sv(pods_text), NULL, &pods, NULL), 0);
	for (struct xb_jit it = xb_jv_iter(xb_json_root(pods)); xb_jit_next(&it);)
		v[n++] = it.value;
	return budget_count(xb_json_root(budget), v, n, scale, now(), ret);
}

static void counts_what_may_go(void **state)
{
	static const char three[] = "[" HEALTHY("a") "," HEALTHY("b") "," HEALTHY("c") "]";
	static const char two_of_three[] = "[" HEALTHY("a") "," HEALTHY("b") "," POD("c", "") "]";
	static const struct {
		const char *spec, *pods;
		int64_t scale, healthy, desired, expected, allowed;
	} cases[] = {
		{ "\"minAvailable\":2", three, 0, 3, 2, 3, 1 },
		{ "\"minAvailable\":2", two_of_three, 0, 2, 2, 3, 0 },
		{ "\"minAvailable\":5", three, 0, 3, 5, 3, 0 },
		{ "\"minAvailable\":0", "[]", 0, 0, 0, 0, 0 },
		{ "\"minAvailable\":\"50%\"", three, 3, 3, 2, 3, 1 },
		{ "\"minAvailable\":\"50%\"", three, 10, 3, 5, 10, 0 },
		{ "\"maxUnavailable\":1", three, 3, 3, 2, 3, 1 },
		{ "\"maxUnavailable\":1", two_of_three, 3, 2, 2, 3, 0 },
		{ "\"maxUnavailable\":5", two_of_three, 3, 2, 0, 3, 2 },
		{ "\"maxUnavailable\":\"30%\"", three, 4, 3, 2, 4, 1 },
		{ "\"minAvailable\":1", "[" HEALTHY("a") "," LEAVING("b") "]", 0, 1, 1, 2, 0 },
		{ "", three, 0, 3, 0, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(budget_status_done) struct budget_status s = {};
		_cleanup_free_ char *text = NULL;

		assert_true(asprintf(&text, "{\"spec\":{%s}}", cases[i].spec) > 0);
		assert_int_equal(count(text, cases[i].pods, cases[i].scale, &s), 0);
		assert_int_equal(s.healthy, cases[i].healthy);
		assert_int_equal(s.desired, cases[i].desired);
		assert_int_equal(s.expected, cases[i].expected);
		assert_int_equal(s.allowed, cases[i].allowed);
	}
}

static void wants_a_scale_for_parts_of_it(void **state)
{
	static const struct {
		const char *spec;
		bool needs;
	} cases[] = { { "{\"spec\":{\"minAvailable\":2}}", false }, { "{\"spec\":{\"minAvailable\":\"2%\"}}", true }, { "{\"spec\":{\"maxUnavailable\":2}}", true } };
	struct budget_status s;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		teardown(NULL);
		assert_int_equal(xb_json_parse(xb_sv(cases[i].spec), NULL, &budget, NULL), 0);
		assert_true(budget_needs_scale(xb_json_root(budget)) == cases[i].needs);
	}
	assert_int_equal(count(BUDGET("\"minAvailable\":\"half\"", ""), "[]", 0, &s), -EINVAL);
}

/* One that was evicted counts as gone for two minutes; then it stayed. */
static void waits_for_evicted_pods(void **state)
{
	static const char two[] = "[" HEALTHY("a") "," HEALTHY("b") "]";
	static const struct {
		const char *since, *pods;
		int64_t healthy;
		size_t disrupted, stayed;
	} cases[] = {
		{ DISRUPTED("2026-01-01T23:59:00Z"), two, 1, 1, 0 },
		{ DISRUPTED("2026-01-01T23:57:59Z"), two, 2, 0, 1 },
		{ DISRUPTED("2026-01-01T23:59:00Z"), "[" LEAVING("a") "," HEALTHY("b") "]", 1, 0, 0 },
		{ DISRUPTED("2026-01-01T23:59:00Z"), "[" HEALTHY("b") "]", 1, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(budget_status_done) struct budget_status s = {};
		_cleanup_free_ char *text = NULL;

		assert_true(asprintf(&text, BUDGET("\"minAvailable\":1", "%s"), cases[i].since) > 0);
		assert_int_equal(count(text, cases[i].pods, 0, &s), 0);
		assert_int_equal(s.healthy, cases[i].healthy);
		assert_int_equal(s.disrupted.n, cases[i].disrupted);
		assert_int_equal(s.stayed.n, cases[i].stayed);
		assert_int_equal(s.recheck_us, cases[i].disrupted ? now() + 60 * 1000000 : 0);
	}
}

static void assert_writes(const char *budget_text, const char *pods_text, const char *expected)
{
	_cleanup_(budget_status_done) struct budget_status s = {};
	_cleanup_buf_ struct xb_buf out = {};

	assert_int_equal(count(budget_text, pods_text, 0, &s), 0);
	budget_status_write(xb_json_root(budget), &s, now(), &out);
	assert_string_equal(out.p ? out.p : "", expected);
}

#define COUNTS(allowed) "\"disruptionsAllowed\":" allowed ",\"currentHealthy\":1,\"desiredHealthy\":1,\"expectedPods\":1"
#define CONDITION(generation, status, time, reason) "{\"type\":\"DisruptionAllowed\",\"status\":\"" status "\",\"observedGeneration\":" generation \
	",\"lastTransitionTime\":\"" time "\",\"reason\":\"" reason "\",\"message\":\"\"}"
#define OTHER "{\"type\":\"Other\"}"

static void writes_what_changed(void **state)
{
	static const char one[] = "[" HEALTHY("a") "]";

	assert_writes(BUDGET("\"minAvailable\":1", ""), one, "{\"observedGeneration\":3," COUNTS("0") ",\"conditions\":["
		      CONDITION("3", "False", NOW, "InsufficientPods") "]}");
	assert_writes(BUDGET("\"minAvailable\":1", "\"observedGeneration\":3," COUNTS("0") ",\"conditions\":["
			     CONDITION("3", "False", "2025-01-01T00:00:00Z", "InsufficientPods") "]"), one, "");
	/* an older generation's condition keeps its time, others stay */
	assert_writes(BUDGET("\"minAvailable\":1", "\"observedGeneration\":2," COUNTS("0") ",\"conditions\":["
			     CONDITION("2", "False", "2025-01-01T00:00:00Z", "InsufficientPods") "," OTHER "]"), one,
		      "{\"observedGeneration\":3," COUNTS("0") ",\"conditions\":[" OTHER ","
		      CONDITION("3", "False", "2025-01-01T00:00:00Z", "InsufficientPods") "]}");
	assert_writes(BUDGET("\"minAvailable\":0", DISRUPTED("2026-01-01T23:59:00Z")), "[" HEALTHY("a") "," HEALTHY("b") "]",
		      "{\"observedGeneration\":3," DISRUPTED("2026-01-01T23:59:00Z") ",\"disruptionsAllowed\":1,\"currentHealthy\":1,\"desiredHealthy\":0,"
		      "\"expectedPods\":2,\"conditions\":[" CONDITION("3", "True", NOW, "SufficientPods") "]}");
}

static void a_failure_allows_nothing(void **state)
{
	struct budget_status s = {};
	_cleanup_buf_ struct xb_buf out = {}, again = {};
	_cleanup_free_ char *text = NULL;

	assert_int_equal(count(BUDGET("\"minAvailable\":0", "\"observedGeneration\":2," COUNTS("1")), "[]", 0, &s), 0);
	budget_failure_write(xb_json_root(budget), "found no controllers for pod \"a\"", now(), &out);
	assert_string_equal(out.p, "{\"observedGeneration\":2,\"currentHealthy\":1,\"desiredHealthy\":1,\"expectedPods\":1,\"disruptionsAllowed\":0,"
			    "\"conditions\":[{\"type\":\"DisruptionAllowed\",\"status\":\"False\",\"observedGeneration\":2,\"lastTransitionTime\":\"" NOW
			    "\",\"reason\":\"SyncFailed\",\"message\":\"found no controllers for pod \\\"a\\\"\"}]}");
	assert_true(asprintf(&text, "{\"status\":%s}", out.p) > 0);
	teardown(NULL);
	assert_int_equal(xb_json_parse(xb_sv(text), NULL, &budget, NULL), 0);
	budget_failure_write(xb_json_root(budget), "found no controllers for pod \"a\"", now(), &again);
	assert_int_equal(again.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(counts_what_may_go, teardown),
		cmocka_unit_test_teardown(wants_a_scale_for_parts_of_it, teardown),
		cmocka_unit_test_teardown(waits_for_evicted_pods, teardown),
		cmocka_unit_test_teardown(writes_what_changed, teardown),
		cmocka_unit_test_teardown(a_failure_allows_nothing, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
