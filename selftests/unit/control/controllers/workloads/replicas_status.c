/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../../../../control/controllers/workloads/replicas_status.h"
#include "xb/time.h"

#define SET(spec, status) "{\"metadata\":{\"uid\":\"u\",\"generation\":2},\"spec\":{" spec "\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}}}},\"status\":{" status "}}"
#define READY_AT(t) "\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\",\"lastTransitionTime\":\"" t "\"}]}"

static struct xb_json *set, *pods;
static int64_t now_us;

static void given(const char *set_text, const char *pods_text)
{
	assert_int_equal(xb_json_parse(xb_sv(set_text), NULL, &set, NULL), 0);
	assert_int_equal(xb_json_parse(xb_sv(pods_text), NULL, &pods, NULL), 0);
}

static int teardown(void **state)
{
	set = xb_json_unref(set);
	pods = xb_json_unref(pods);
	return 0;
}

static struct replicas_status count(void)
{
	struct replicas_status s;
	struct xb_jv v[8];
	size_t n = 0;

	for (struct xb_jit it = xb_jv_iter(xb_json_root(pods)); xb_jit_next(&it);)
		v[n++] = it.value;
	replicas_count(xb_json_root(set), v, n, now_us, &s);
	return s;
}

static void counts_labels_and_readiness(void **state)
{
	struct replicas_status s;

	given(SET("", ""), "[{\"metadata\":{\"labels\":{\"a\":\"b\"}}},{" READY_AT("2026-01-01T00:00:00Z") "},"
			   "{\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\"}]}}]");
	s = count();
	assert_int_equal(s.replicas, 3);
	assert_int_equal(s.fully_labeled, 1);
	assert_int_equal(s.ready, 1);
	assert_int_equal(s.available, 1);
	assert_int_equal(s.next_available_us, 0);
}

/* Three are ready: for a minute, for ten seconds, for five. The next is available in twenty seconds. */
static void is_available_after_a_time(void **state)
{
	struct replicas_status s;

	given(SET("\"minReadySeconds\":30,", ""), "[{" READY_AT("2026-01-01T23:59:00Z") "},{" READY_AT("2026-01-01T23:59:50Z") "},"
						  "{" READY_AT("2026-01-01T23:59:55Z") "}]");
	s = count();
	assert_int_equal(s.ready, 3);
	assert_int_equal(s.available, 1);
	assert_int_equal(s.next_available_us - now_us, 20 * 1000000);
}

static void nothing_new_is_not_written(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};
	struct replicas_status s = { .replicas = 1, .fully_labeled = 1 };

	given(SET("", "\"replicas\":1,\"fullyLabeledReplicas\":1,\"observedGeneration\":2"), "[]");
	replicas_status_patch(xb_json_root(set), &s, NULL, NULL, now_us, &out);
	assert_int_equal(out.n, 0);
	s.ready = 1;
	replicas_status_patch(xb_json_root(set), &s, NULL, NULL, now_us, &out);
	assert_string_equal(out.p, "{\"metadata\":{\"uid\":\"u\"},\"status\":{\"replicas\":1,\"fullyLabeledReplicas\":1,\"readyReplicas\":1,"
				   "\"availableReplicas\":0,\"observedGeneration\":2}}");
}

static void a_new_generation_is_observed(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};
	struct replicas_status s = {};

	given(SET("", "\"replicas\":0,\"observedGeneration\":1"), "[]");
	replicas_status_patch(xb_json_root(set), &s, NULL, NULL, now_us, &out);
	assert_non_null(strstr(out.p, "\"observedGeneration\":2"));
}

static void a_failure_is_told_once(void **state)
{
	_cleanup_buf_ struct xb_buf out = {}, again = {}, gone = {};
	struct replicas_status s = {};

	given(SET("", "\"observedGeneration\":2"), "[]");
	replicas_status_patch(xb_json_root(set), &s, "FailedCreate", "no room", now_us, &out);
	assert_non_null(strstr(out.p, "\"conditions\":[{\"type\":\"ReplicaFailure\",\"status\":\"True\",\"lastTransitionTime\":\"2026-01-02T00:00:00Z\","
				      "\"reason\":\"FailedCreate\",\"message\":\"no room\"}]"));
	teardown(state);
	given(SET("", "\"observedGeneration\":2,\"conditions\":[{\"type\":\"Other\"},{\"type\":\"ReplicaFailure\",\"status\":\"True\"}]"), "[]");
	replicas_status_patch(xb_json_root(set), &s, "FailedCreate", "still no room", now_us, &again);
	assert_int_equal(again.n, 0);
	replicas_status_patch(xb_json_root(set), &s, NULL, NULL, now_us, &gone);
	assert_non_null(strstr(gone.p, "\"conditions\":[{\"type\":\"Other\"}]"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, teardown)
	const struct CMUnitTest tests[] = {
		TEST(counts_labels_and_readiness), TEST(is_available_after_a_time), TEST(nothing_new_is_not_written),
		TEST(a_new_generation_is_observed), TEST(a_failure_is_told_once),
	};

	xb_time_parse(XB_SV("2026-01-02T00:00:00Z"), &now_us);
	return cmocka_run_group_tests_name("control/controllers/replicas_status", tests, NULL, NULL);
}
