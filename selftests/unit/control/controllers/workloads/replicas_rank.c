/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include "../../../../../control/controllers/workloads/replicas_rank.h"
#include "xb/time.h"

#define NOW "2026-01-02T00:00:00Z"

static int64_t now_us;

/* A pod that is assigned, running, ready for a day and a day old, but for what the test says. */
static void add(struct xb_buf *out, const char *name, const char *node, const char *metadata, const char *status)
{
	xb_buf_addf(out, "%s{\"metadata\":{\"name\":\"%s\",\"uid\":\"%s\"%s},\"spec\":{%s%s%s},\"status\":{%s}}", out->n > 1 ? "," : "", name, name,
		    metadata ? metadata : ",\"creationTimestamp\":\"2026-01-01T00:00:00Z\"", *node ? "\"nodeName\":\"" : "", node, *node ? "\"" : "",
		    status ? status : "\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\",\"lastTransitionTime\":\"2026-01-01T00:00:00Z\"}]");
}

/* The names, in the order in which they would go. */
static void assert_order(struct xb_buf *pods, const char *expected)
{
	struct xb_json *doc = NULL;
	struct xb_jv v[16];
	char order[256] = "";
	size_t n = 0;

	xb_buf_addc(pods, ']');
	assert_int_equal(xb_json_parse(xb_buf_sv(pods), NULL, &doc, NULL), 0);
	for (struct xb_jit it = xb_jv_iter(xb_json_root(doc)); xb_jit_next(&it);)
		v[n++] = it.value;
	assert_int_equal(replicas_rank(v, n, v, n, now_us), 0);
	for (size_t i = 0; i < n; i++)
		snprintf(order + strlen(order), sizeof(order) - strlen(order), "%.*s ", XB_SV_ARG(xb_jv_text(xb_jv_path(v[i], "metadata", "name"))));
	assert_string_equal(order, expected);
	xb_json_unref(doc);
	xb_buf_done(pods);
}

#define READY_AT(t) "\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\",\"lastTransitionTime\":\"" t "\"}]"

static void unassigned_then_by_phase_then_not_ready(void **state)
{
	struct xb_buf pods = { .p = NULL };

	xb_buf_addc(&pods, '[');
	add(&pods, "ready", "n1", NULL, NULL);
	add(&pods, "unready", "n2", NULL, "\"phase\":\"Running\"");
	add(&pods, "unknown", "n3", NULL, "\"phase\":\"Unknown\"");
	add(&pods, "pending", "n4", NULL, "\"phase\":\"Pending\"");
	add(&pods, "unassigned", "", NULL, "\"phase\":\"Pending\"");
	assert_order(&pods, "unassigned pending unknown unready ready ");
}

static void by_cost_before_the_crowd(void **state)
{
	struct xb_buf pods = { .p = NULL };

	xb_buf_addc(&pods, '[');
	add(&pods, "dear", "n1", ",\"annotations\":{\"controller.kubernetes.io/pod-deletion-cost\":\"10\"}", NULL);
	add(&pods, "plain", "n1", NULL, NULL);
	add(&pods, "not-a-number", "n2", ",\"annotations\":{\"controller.kubernetes.io/pod-deletion-cost\":\"x\"},\"creationTimestamp\":\"2026-01-01T23:59:00Z\"", NULL);
	add(&pods, "cheap", "n2", ",\"annotations\":{\"controller.kubernetes.io/pod-deletion-cost\":\"-10\"}", NULL);
	assert_order(&pods, "cheap not-a-number plain dear ");
}

static void from_the_crowded_node_first(void **state)
{
	struct xb_buf pods = { .p = NULL };

	xb_buf_addc(&pods, '[');
	add(&pods, "a-alone", "n1", NULL, NULL);
	add(&pods, "beside-1", "n2", NULL, NULL);
	add(&pods, "beside-2", "n2", NULL, NULL);
	assert_order(&pods, "beside-1 beside-2 a-alone ");
}

/* 1 and 2 minutes are of different magnitude (2^n ns), 20 and 21 hours are not: then the uid decides. */
static void by_the_magnitude_of_time_ready(void **state)
{
	struct xb_buf pods = { .p = NULL };

	xb_buf_addc(&pods, '[');
	add(&pods, "c-20h", "n1", NULL, READY_AT("2026-01-01T04:00:00Z"));
	add(&pods, "b-21h", "n2", NULL, READY_AT("2026-01-01T03:00:00Z"));
	add(&pods, "a-2m", "n3", NULL, READY_AT("2026-01-01T23:58:00Z"));
	add(&pods, "z-1m", "n4", NULL, READY_AT("2026-01-01T23:59:00Z"));
	assert_order(&pods, "z-1m a-2m b-21h c-20h ");
}

static void by_restarts_then_age(void **state)
{
	struct xb_buf pods = { .p = NULL };

	xb_buf_addc(&pods, '[');
	add(&pods, "old", "n1", ",\"creationTimestamp\":\"2025-01-01T00:00:00Z\"", NULL);
	add(&pods, "young", "n2", ",\"creationTimestamp\":\"2026-01-01T23:59:00Z\"", NULL);
	add(&pods, "restarted", "n3", ",\"creationTimestamp\":\"2025-01-01T00:00:00Z\"",
	    READY_AT("2026-01-01T00:00:00Z") ",\"containerStatuses\":[{\"name\":\"a\",\"restartCount\":1},{\"name\":\"b\",\"restartCount\":3}]");
	add(&pods, "less", "n4", ",\"creationTimestamp\":\"2026-01-01T23:59:59Z\"",
	    READY_AT("2026-01-01T00:00:00Z") ",\"containerStatuses\":[{\"name\":\"a\",\"restartCount\":2}]");
	assert_order(&pods, "restarted less young old ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unassigned_then_by_phase_then_not_ready),
		cmocka_unit_test(by_cost_before_the_crowd),
		cmocka_unit_test(from_the_crowded_node_first),
		cmocka_unit_test(by_the_magnitude_of_time_ready),
		cmocka_unit_test(by_restarts_then_age),
	};

	xb_time_parse(XB_SV(NOW), &now_us);
	return cmocka_run_group_tests_name("control/controllers/replicas_rank", tests, NULL, NULL);
}
