/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../../../../control/controllers/batch/job_plan.h"
#include "xb/time.h"

#define JOB(spec, status) "{\"metadata\":{\"name\":\"j\",\"uid\":\"u\"},\"spec\":{\"parallelism\":2,\"completions\":3,\"backoffLimit\":2" spec "},\"status\":{\"startTime\":\"2026-01-01T00:00:00Z\",\"ready\":0" status "}}"
#define TRACKED "\"finalizers\":[\"batch.kubernetes.io/job-tracking\"]"
#define ENDED(at) ",\"containerStatuses\":[{\"name\":\"c\",\"state\":{\"terminated\":{\"exitCode\":1,\"finishedAt\":\"" at "\"}}}]"
#define POD(uid, phase, more) "{\"metadata\":{\"name\":\"" uid "\",\"uid\":\"" uid "\"," TRACKED "},\"status\":{\"phase\":\"" phase "\"" more "}}"
#define AT(uid, index, phase) "{\"metadata\":{\"name\":\"" uid "\",\"uid\":\"" uid "\",\"annotations\":{\"batch.kubernetes.io/job-completion-index\":\"" index "\"}," TRACKED "},\"status\":{\"phase\":\"" phase "\"}}"
#define FREE(uid, phase) "{\"metadata\":{\"name\":\"" uid "\",\"uid\":\"" uid "\"},\"status\":{\"phase\":\"" phase "\"}}"
#define INDEXED ",\"completionMode\":\"Indexed\""

static struct xb_arena *arena;
static struct xb_json *job, *pods;
static int64_t now_us;

static int setup(void **state)
{
	arena = xb_arena_new(0);
	return xb_time_parse(XB_SV("2026-01-01T01:00:00Z"), &now_us);
}

static int teardown(void **state)
{
	arena = xb_arena_free(arena);
	job = xb_json_unref(job);
	pods = xb_json_unref(pods);
	return 0;
}

static struct job_plan plan_with(const char *job_text, const char *pods_text, struct job_backoff backoff)
{
	struct job_plan p;
	struct xb_jv v[16];
	size_t n = 0;

	job = xb_json_unref(job);
	pods = xb_json_unref(pods);
	assert_int_equal(xb_json_parse(xb_sv(job_text), NULL, &job, NULL), 0);
	assert_int_equal(xb_json_parse(xb_sv(pods_text), NULL, &pods, NULL), 0);
	for (struct xb_jit it = xb_jv_iter(xb_json_root(pods)); xb_jit_next(&it);)
		v[n++] = it.value;
	assert_int_equal(job_plan_make(arena, xb_json_root(job), v, n, &backoff, now_us, &p), 0);
	return p;
}

static struct job_plan plan(const char *job_text, const char *pods_text)
{
	return plan_with(job_text, pods_text, (struct job_backoff){ .known = true });
}

static void makes_as_many_as_may_run(void **state)
{
	struct job_plan p = plan(JOB("", ""), "[]");

	assert_int_equal(p.n_create, 2);
	assert_int_equal(p.create[0], -1);
	assert_true(p.write_before && !p.write_after);
	assert_int_equal(p.before.active, 2);
	/* two are done: one is left to do, and runs */
	p = plan(JOB("", ",\"succeeded\":2,\"active\":1"), "[" POD("a", "Running", "") "]");
	assert_true(!p.n_create && !p.n_delete && !p.write_before && !p.write_after);
	p = plan(JOB("", ",\"succeeded\":2,\"active\":2"), "[" POD("a", "Running", "") "," POD("b", "Pending", "") "]");
	assert_int_equal(p.n_delete, 1);
	assert_true(p.uncounted);
	assert_true(xb_jv_streq(xb_jv_path(p.delete[0], "metadata", "name"), XB_SV("b")));
}

/* Each state between two steps of one count leads to the same number. */
static void counts_once(void **state)
{
	struct job_plan p = plan(JOB("", ",\"active\":2"), "[" POD("a", "Succeeded", "") "," POD("b", "Running", "") "]");

	assert_int_equal(p.n_create, 1);
	assert_int_equal(p.n_let_go, 1);
	assert_int_equal(p.before.n_uncounted_succeeded, 1);
	assert_int_equal(p.before.succeeded, 0);
	assert_int_equal(p.after.succeeded, 1);
	assert_int_equal(p.after.n_uncounted_succeeded, 0);
	/* named, the finalizer still there */
	p = plan(JOB("", ",\"active\":1,\"uncountedTerminatedPods\":{\"succeeded\":[\"a\"]}"), "[" POD("a", "Succeeded", "") "," POD("b", "Running", "") "]");
	assert_int_equal(p.before.n_uncounted_succeeded, 1);
	assert_int_equal(p.n_let_go, 1);
	assert_int_equal(p.after.succeeded, 1);
	/* named, the finalizer gone, or the pod */
	p = plan(JOB("", ",\"active\":1,\"uncountedTerminatedPods\":{\"succeeded\":[\"a\",\"x\"]}"), "[" FREE("a", "Succeeded") "," POD("b", "Running", "") "]");
	assert_int_equal(p.before.succeeded, 2);
	assert_int_equal(p.before.n_uncounted_succeeded, 0);
	assert_true(p.write_before && !p.write_after && !p.n_let_go);
	/* counted */
	p = plan(JOB("", ",\"active\":1,\"succeeded\":2"), "[" FREE("a", "Succeeded") "," POD("b", "Running", "") "]");
	assert_true(!p.write_before && !p.write_after && !p.n_create);
}

static void completes(void **state)
{
	struct job_plan p = plan(JOB("", ",\"active\":1,\"succeeded\":2"), "[" POD("a", "Succeeded", "") "]");

	assert_int_equal(p.before.n_changes, 1);
	assert_string_equal(p.before.changes[0].type, "SuccessCriteriaMet");
	assert_int_equal(p.after.n_changes, 2);
	assert_string_equal(p.after.changes[1].type, "Complete");
	assert_int_equal(p.after.succeeded, 3);
	assert_true(p.write_before && p.write_after && p.after.completed);
	/* nothing to let go: one write says all */
	p = plan(JOB("", ",\"succeeded\":3"), "[]");
	assert_true(!p.write_before && p.write_after);
	assert_int_equal(p.after.n_changes, 2);
}

static void waits_longer_after_each_failure(void **state)
{
	static const struct {
		int64_t failures, seconds;
	} rows[] = { { 1, 10 }, { 2, 20 }, { 3, 40 }, { 7, 600 }, { 20, 600 } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct job_backoff b = { .known = true, .failures = rows[i].failures, .last_us = now_us - 1000000 };
		struct job_plan p = plan_with(JOB("", ""), "[]", b);

		assert_int_equal(p.n_create, 0);
		assert_int_equal(p.again_us, now_us + (rows[i].seconds - 1) * 1000000);
		b.last_us = now_us - rows[i].seconds * 1000000;
		assert_int_equal(plan_with(JOB("", ""), "[]", b).n_create, 2);
	}
}

/* What a process before had counted delays a new one as well. */
static void recalls_failures_from_pods(void **state)
{
	const char *failed = "[{\"metadata\":{\"uid\":\"a\"},\"status\":{\"phase\":\"Failed\"" ENDED("2026-01-01T00:59:55Z") "}}]";
	struct job_plan p = plan_with(JOB("", ",\"failed\":1"), failed, (struct job_backoff){});

	assert_int_equal(p.backoff.failures, 1);
	assert_int_equal(p.n_create, 0);
	assert_int_equal(p.again_us, now_us + 5000000);
	assert_int_equal(plan(JOB("", ",\"failed\":1"), failed).n_create, 2);
}

static void fails_beyond_its_limit(void **state)
{
	struct job_plan p = plan(JOB("", ",\"failed\":2,\"active\":2"), "[" POD("a", "Failed", "") "," POD("b", "Running", "") "]");

	assert_int_equal(p.n_delete, 1);
	assert_false(p.uncounted);
	assert_string_equal(p.before.changes[0].type, "FailureTarget");
	assert_string_equal(p.before.changes[0].reason, "BackoffLimitExceeded");
	/* the pod that goes has not gone yet */
	assert_int_equal(p.before.terminating, 1);
	assert_int_equal(p.after.failed, 4);
	assert_null(p.event);
	p = plan(JOB("", ",\"failed\":4,\"conditions\":[{\"type\":\"FailureTarget\",\"status\":\"True\",\"reason\":\"R\",\"message\":\"m\"}]"), "[]");
	assert_string_equal(p.event, "R");
	assert_string_equal(p.after.changes[0].type, "Failed");
}

static void keeps_one_pod_an_index(void **state)
{
	struct job_plan p = plan(JOB(INDEXED, ""), "[" AT("a", "0", "Pending") "," AT("b", "0", "Running") "," AT("c", "7", "Running") "]");

	assert_int_equal(p.n_delete, 2);
	for (size_t i = 0; i < p.n_delete; i++)
		assert_false(xb_jv_streq(xb_jv_path(p.delete[i], "metadata", "name"), XB_SV("b")));
	p = plan(JOB(INDEXED, ",\"completedIndexes\":\"1\",\"succeeded\":1"), "[" AT("a", "0", "Running") "]");
	assert_int_equal(p.n_create, 1);
	assert_int_equal(p.create[0], 2);
	/* counted by its index: the pod is not named */
	p = plan(JOB(INDEXED, ",\"active\":1"), "[" AT("a", "0", "Succeeded") "]");
	assert_int_equal(p.before.succeeded, 1);
	assert_int_equal(p.before.n_uncounted_succeeded, 0);
	assert_int_equal(p.n_let_go, 1);
	assert_false(p.write_after);
}

static void ends_by_its_success_policy(void **state)
{
	const char *text = JOB(INDEXED ",\"successPolicy\":{\"rules\":[{\"succeededIndexes\":\"1-2\",\"succeededCount\":2},{\"succeededIndexes\":\"0\"}]}", "");
	struct job_plan p = plan(text, "[" AT("a", "0", "Succeeded") "," AT("b", "1", "Running") "]");

	assert_int_equal(p.n_delete, 1);
	assert_string_equal(p.before.changes[0].reason, "SuccessPolicy");
	assert_string_equal(p.before.changes[0].message, "Matched rules at index 1");
	assert_int_equal(p.after.failed, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(makes_as_many_as_may_run, setup, teardown),
		cmocka_unit_test_setup_teardown(counts_once, setup, teardown),
		cmocka_unit_test_setup_teardown(completes, setup, teardown),
		cmocka_unit_test_setup_teardown(waits_longer_after_each_failure, setup, teardown),
		cmocka_unit_test_setup_teardown(recalls_failures_from_pods, setup, teardown),
		cmocka_unit_test_setup_teardown(fails_beyond_its_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(keeps_one_pod_an_index, setup, teardown),
		cmocka_unit_test_setup_teardown(ends_by_its_success_policy, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
