/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../../../../control/controllers/autoscaling/hpa_calculator.h"
#include "xb/time.h"

enum { MAX_PODS = 12 };

/* A pod by a letter of the case, with what it uses and requests, in thousandths:
 * R ready for long, M ready but not measured, P pending, F failed, D being deleted, S starting, N never ready. */
static const char *status_of(char how)
{
	switch (how) {
	case 'P':
		return "\"status\":{\"phase\":\"Pending\"}";
	case 'F':
		return "\"status\":{\"phase\":\"Failed\"}";
	case 'S':
		return "\"status\":{\"phase\":\"Running\",\"startTime\":\"2026-01-01T11:59:00Z\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\","
		       "\"lastTransitionTime\":\"2026-01-01T11:59:50Z\"}]}";
	case 'N':
		return "\"status\":{\"phase\":\"Running\",\"startTime\":\"2026-01-01T11:00:00Z\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\","
		       "\"lastTransitionTime\":\"2026-01-01T11:00:10Z\"}]}";
	default:
		return "\"status\":{\"phase\":\"Running\",\"startTime\":\"2026-01-01T10:00:00Z\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\","
		       "\"lastTransitionTime\":\"2026-01-01T10:00:10Z\"}]}";
	}
}

static struct cluster {
	struct xb_arena *arena;
	struct xb_json *docs[MAX_PODS];
	struct xb_jv pods[MAX_PODS];
	struct hpa_sample samples[MAX_PODS];
	size_t n_samples;
	struct hpa_calculator c;
} k;

static int begin(void **state)
{
	k = (struct cluster){ .arena = xb_arena_new(0) };
	return 0;
}

static int end(void **state)
{
	for (size_t i = 0; i < MAX_PODS; i++)
		xb_json_unref(k.docs[i]);
	xb_arena_free(k.arena);
	return 0;
}

static void given(const char *pods, const int64_t *usage, int64_t request, int64_t current)
{
	int64_t now;

	end(NULL);
	begin(NULL);
	assert_int_equal(xb_time_parse(XB_SV("2026-01-01T12:00:00Z"), &now), 0);
	for (size_t i = 0; pods[i]; i++) {
		const char *name = xb_arena_printf(k.arena, "pod-%zu", i);
		const char *text = xb_arena_printf(k.arena, "{\"metadata\":{\"name\":\"%s\"%s},\"spec\":{\"containers\":[{\"name\":\"c\",\"resources\":{\"requests\":"
			"{\"cpu\":\"%lldm\"}}}]},%s}", name, pods[i] == 'D' ? ",\"deletionTimestamp\":\"2026-01-01T12:00:00Z\"" : "", (long long)request,
			status_of(pods[i]));

		assert_int_equal(xb_json_parse(xb_sv(text), NULL, &k.docs[i], NULL), 0);
		k.pods[i] = xb_json_root(k.docs[i]);
		if (!strchr("MPF", pods[i]))
			k.samples[k.n_samples++] = (struct hpa_sample){ xb_sv(name), usage[i], now - 10000000, 60000000 };
		k.c.n_pods++;
	}
	k.c.arena = k.arena;
	k.c.tolerance = 0.1;
	k.c.cpu_initialization = INT64_C(300000000);
	k.c.initial_readiness = INT64_C(30000000);
	k.c.now = now;
	k.c.pods = k.pods;
	k.c.current = current;
}

static void scales_by_utilization(void **state)
{
	static const struct {
		const char *pods;
		int64_t usage[MAX_PODS], current, percent, replicas, utilization, average;
	} cases[] = {
		{ "RRR", { 300, 500, 700 }, 3, 30, 5, 50, 500 },
		{ "RRR", { 300, 300, 300 }, 3, 100, 1, 30, 300 },
		{ "RRR", { 310, 310, 310 }, 3, 30, 3, 31, 310 },          /* within the tolerance */
		{ "RRRR", { 300, 300, 300, 300 }, 4, 80, 2, 30, 300 },
		{ "RRP", { 300, 300, 0 }, 3, 30, 3, 30, 300 },
		{ "RRPP", { 900, 900, 0, 0 }, 4, 30, 6, 90, 900 },       /* those that are not ready count as idle on the way up */
		{ "RRRPP", { 400, 400, 400, 0, 0 }, 5, 30, 5, 40, 400 },  /* else it would go down */
		{ "RMM", { 1000, 0, 0 }, 3, 30, 4, 100, 1000 },           /* not measured: idle on the way up */
		{ "RRM", { 100, 100, 0 }, 3, 50, 3, 10, 100 },            /* and as busy as can be on the way down */
		{ "RRRRM", { 100, 100, 100, 100, 0 }, 5, 200, 2, 10, 100 },
		{ "RRRM", { 200, 200, 200, 0 }, 3, 50, 3, 20, 200 },      /* nor does it turn round: more than there are */
		{ "RM", { 400, 0 }, 2, 50, 2, 40, 400 },
		{ "RRS", { 900, 900, 9000 }, 3, 30, 6, 90, 900 },         /* starting: what it uses says nothing */
		{ "RRN", { 300, 300, 9000 }, 3, 30, 3, 30, 300 },
		{ "RRD", { 900, 900, 9000 }, 3, 30, 6, 90, 900 },         /* what goes does not count */
		{ "RRF", { 900, 900, 0 }, 3, 30, 6, 90, 900 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct hpa_proposal p;

		given(cases[i].pods, cases[i].usage, 1000, cases[i].current);
		assert_int_equal(hpa_by_utilization(&k.c, k.samples, k.n_samples, XB_SV("cpu"), (struct xb_sv){}, cases[i].percent, &p), 0);
		if (p.replicas != cases[i].replicas)
			fail_msg("%s: %lld replicas, not %lld", cases[i].pods, (long long)p.replicas, (long long)cases[i].replicas);
		assert_int_equal(p.utilization, cases[i].utilization);
		assert_int_equal(p.usage, cases[i].average);
	}
}

static void scales_by_usage(void **state)
{
	static const struct {
		const char *pods;
		int64_t usage[MAX_PODS], current, target, replicas, average;
	} cases[] = {
		{ "RRR", { 20000, 10000, 30000 }, 3, 15000, 4, 20000 },
		{ "RRR", { 12000, 12000, 12000 }, 3, 20000, 2, 12000 },
		{ "RRR", { 20000, 21000, 21000 }, 3, 20000, 3, 20666 },
		{ "RRM", { 50000, 50000, 0 }, 3, 25000, 4, 50000 },
		{ "RRM", { 1000, 1000, 0 }, 3, 10000, 2, 1000 },           /* not measured: at its target on the way down */
		{ "RRP", { 50000, 30000, 0 }, 3, 15000, 6, 40000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct hpa_proposal p;

		given(cases[i].pods, cases[i].usage, 1000, cases[i].current);
		assert_int_equal(hpa_by_usage(&k.c, k.samples, k.n_samples, (struct xb_sv){}, cases[i].target, &p), 0);
		if (p.replicas != cases[i].replicas)
			fail_msg("%s: %lld replicas, not %lld", cases[i].pods, (long long)p.replicas, (long long)cases[i].replicas);
		assert_int_equal(p.usage, cases[i].average);
	}
}

static void scales_by_values(void **state)
{
	static const int64_t none[MAX_PODS];
	struct hpa_proposal p;

	given("RRRP", none, 1000, 4);
	assert_int_equal(hpa_by_value(&k.c, 20000, 10000, &p), 0);
	assert_int_equal(p.replicas, 6);       /* of those that are ready */
	assert_int_equal(p.usage, 20000);
	assert_int_equal(hpa_by_value(&k.c, 10900, 10000, &p), 0);
	assert_int_equal(p.replicas, 4);
	k.c.current = 0;
	assert_int_equal(hpa_by_value(&k.c, 25000, 10000, &p), 0);
	assert_int_equal(p.replicas, 3);
	hpa_by_average(&k.c, 90000, 20000, 3, &p);
	assert_int_equal(p.replicas, 5);
	assert_int_equal(p.usage, 30000);
	hpa_by_average(&k.c, 62000, 20000, 3, &p);
	assert_int_equal(p.replicas, 3);
}

static void tells_what_is_missing(void **state)
{
	static const int64_t usage[MAX_PODS] = { 100, 100 };
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;
	struct hpa_proposal p;

	given("", usage, 1000, 1);
	assert_int_equal(hpa_by_utilization(&k.c, k.samples, 0, XB_SV("cpu"), (struct xb_sv){}, 50, &p), -EINVAL);
	assert_string_equal(k.c.why, "No pods returned by selector while calculating replica count");
	given("PP", usage, 1000, 2);
	assert_int_equal(hpa_by_utilization(&k.c, k.samples, 0, XB_SV("cpu"), (struct xb_sv){}, 50, &p), -EINVAL);
	assert_string_equal(k.c.why, "did not receive metrics for targeted pods (pods might be unready)");
	given("RR", usage, 1000, 2);
	assert_int_equal(hpa_by_utilization(&k.c, k.samples, 2, XB_SV("memory"), (struct xb_sv){}, 50, &p), -EINVAL);
	assert_string_equal(k.c.why, "missing request for memory in container c of Pod pod-0");
	given("RR", usage, 0, 2);
	assert_int_equal(hpa_by_utilization(&k.c, k.samples, 2, XB_SV("cpu"), (struct xb_sv){}, 50, &p), -EINVAL);
	assert_string_equal(k.c.why, "no metrics returned matched known pods");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(scales_by_utilization, begin, end),
		cmocka_unit_test_setup_teardown(scales_by_usage, begin, end),
		cmocka_unit_test_setup_teardown(scales_by_values, begin, end),
		cmocka_unit_test_setup_teardown(tells_what_is_missing, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
