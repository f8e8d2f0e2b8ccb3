/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* When containers are asked, and what comes of the answers. Commands are answered by the test; time is real, since periods are
 * whole seconds. */
#include "../../../../../userspace/kubelet/probes/probes_inner.h"
#include "fixture.h"

static struct {
	struct probes *probes;
	struct xb_buf events;
	unsigned changes;
	bool changed, failed;
} it;

static void on_changed(void *arg, const char *uid, const char *container)
{
	assert_string_equal(uid, "u-1");
	assert_string_equal(container, "c");
	it.changes++;
	it.changed = true;
}

static void on_failed(void *arg, const char *uid, const char *container, const char *reason, const char *text)
{
	xb_buf_addf(&it.events, "%s %s: %s\n", container, reason, text);
	it.failed = true;
}

#define CMD(more) "{'exec':{'command':['true']},'periodSeconds':1" more "}"
static void start(const char *more, uint64_t running_for_ms, bool was_ready, bool was_started)
{
	_cleanup_buf_ struct xb_buf text = {};
	struct xb_json *doc;
	struct xb_jv pod;

	xb_buf_addf(&text, "{'metadata':{'name':'web','namespace':'shop','uid':'u-1'},'spec':{'containers':[{'name':'c'%s}]}}", more);
	doc = parse(text.p);
	pod = xb_json_root(doc);
	uv_update_time(&loop);
	assert_int_equal(probes_start(it.probes, pod, xb_jv_at(xb_jv_path(pod, "spec", "containers"), 0), "id1", "127.0.0.1", running_for_ms, was_ready,
				      was_started), 0);
	xb_json_unref(doc); /* it is kept by who needs it */
}

static enum probe_result result(enum probe_kind kind)
{
	return probes_result(it.probes, "id1", kind);
}

static void change_within(unsigned ms)
{
	it.changed = false;
	if (!wait_for(&it.changed, ms))
		fail_msg("nothing changed");
}

/* More turns of the loop than what is due now needs. */
static void turn(void)
{
	bool never = false;

	wait_for(&never, 30);
}

static void test_none(void **state)
{
	assert_int_equal(result(PROBE_READINESS), PROBE_UNKNOWN);
	start("", 0, false, false);
	for (int k = PROBE_STARTUP; k <= PROBE_READINESS; k++)
		assert_int_equal(result(k), PROBE_SUCCESS);
	turn();
	assert_int_equal(runtime_says.calls, 0);
}

static void test_ready(void **state)
{
	start(",'readinessProbe':" CMD(), 0, false, false);
	assert_int_equal(result(PROBE_READINESS), PROBE_FAILURE);
	assert_int_equal(result(PROBE_LIVENESS), PROBE_SUCCESS);
	change_within(500); /* asked at once */
	assert_int_equal(result(PROBE_READINESS), PROBE_SUCCESS);
	assert_int_equal(runtime_says.calls, 1);
	/* the same answer a period later is no news; a known ID begins nothing anew */
	start(",'readinessProbe':" CMD(), 0, false, false);
	assert_int_equal(result(PROBE_READINESS), PROBE_SUCCESS);
	it.changed = false;
	assert_false(wait_for(&it.changed, 1200));
	assert_int_equal(runtime_says.calls, 2);
	probes_stop(it.probes, "id1");
	assert_int_equal(result(PROBE_READINESS), PROBE_UNKNOWN);
	turn();
	assert_int_equal(it.changes, 1);
	assert_null(it.events.p);
}

static void test_thresholds(void **state)
{
	start(",'readinessProbe':" CMD(",'failureThreshold':2,'successThreshold':2"), 10, true, false);
	assert_int_equal(result(PROBE_READINESS), PROBE_SUCCESS); /* as it was known to be */
	runtime_says.exit_code = 1;
	runtime_says.out = "not now";
	it.failed = false;
	assert_true(wait_for(&it.failed, 1500));
	assert_int_equal(result(PROBE_READINESS), PROBE_SUCCESS); /* once is not enough */
	change_within(1500);
	assert_int_equal(result(PROBE_READINESS), PROBE_FAILURE);
	assert_string_equal(it.events.p, "c Unhealthy: Readiness probe failed: not now\nc Unhealthy: Readiness probe failed: not now\n");
	runtime_says.exit_code = 0;
	change_within(2500);
	assert_int_equal(result(PROBE_READINESS), PROBE_SUCCESS);
	assert_int_equal(runtime_says.calls, 4);
}

static void test_liveness(void **state)
{
	runtime_says.exit_code = 1;
	start(",'livenessProbe':" CMD(",'failureThreshold':1"), 0, false, false);
	assert_int_equal(result(PROBE_LIVENESS), PROBE_SUCCESS); /* until shown otherwise */
	change_within(500);
	assert_int_equal(result(PROBE_LIVENESS), PROBE_FAILURE);
	assert_string_equal(it.events.p, "c Unhealthy: Liveness probe failed: \n");
	it.changed = false; /* not asked again: it is to be killed */
	assert_false(wait_for(&it.changed, 1200));
	assert_int_equal(runtime_says.calls, 1);
}

static void test_startup_gates(void **state)
{
	runtime_says.exit_code = 1;
	start(",'startupProbe':" CMD(",'failureThreshold':9") ",'livenessProbe':" CMD(",'failureThreshold':1") ",'readinessProbe':" CMD(), 0, false, false);
	turn();
	assert_int_equal(runtime_says.calls, 1); /* startup alone */
	assert_int_equal(result(PROBE_STARTUP), PROBE_UNKNOWN);
	assert_int_equal(result(PROBE_READINESS), PROBE_FAILURE);
	runtime_says.exit_code = 0;
	change_within(1500);
	assert_int_equal(result(PROBE_STARTUP), PROBE_SUCCESS);
	turn(); /* the others follow at once */
	assert_int_equal(result(PROBE_READINESS), PROBE_SUCCESS);
	assert_int_equal(runtime_says.calls, 4);
	assert_string_equal(it.events.p, "c Unhealthy: Startup probe failed: \n");
	it.changed = false; /* and it is not asked again */
	assert_false(wait_for(&it.changed, 1200));
	assert_int_equal(runtime_says.calls, 6);
}

static void test_startup_fails(void **state)
{
	runtime_says.exit_code = 1;
	start(",'startupProbe':" CMD(",'failureThreshold':1") ",'livenessProbe':" CMD(), 0, false, false);
	change_within(500);
	assert_int_equal(result(PROBE_STARTUP), PROBE_FAILURE);
	turn();
	assert_int_equal(runtime_says.calls, 1);
}

static void test_was_started(void **state)
{
	start(",'startupProbe':" CMD() ",'readinessProbe':" CMD(), 60000, true, true);
	assert_int_equal(result(PROBE_STARTUP), PROBE_SUCCESS);
	assert_int_equal(result(PROBE_READINESS), PROBE_SUCCESS);
	it.changed = false;
	for (int i = 0; i < 110 && !runtime_says.calls; i++) /* within a period: that one, not startup */
		assert_false(wait_for(&it.changed, 10));
	turn();
	assert_int_equal(runtime_says.calls, 1);
	assert_false(it.changed);
}

static void test_initial_delay(void **state)
{
	int64_t began = xb_time_ms();

	start(",'readinessProbe':" CMD(",'initialDelaySeconds':1"), 0, false, false);
	turn();
	assert_int_equal(runtime_says.calls, 0);
	change_within(1500);
	assert_true(xb_time_ms() - began >= 990);
	probes_stop(it.probes, "id1");
	/* what has run for a part of it waits for the rest */
	start(",'readinessProbe':" CMD(",'initialDelaySeconds':60"), 59900, false, false);
	change_within(1000);
}

static void test_errors_do_not_count(void **state)
{
	runtime_says.code = XB_GRPC_UNKNOWN;
	runtime_says.message = "no such command";
	start(",'livenessProbe':" CMD(",'failureThreshold':1") ",'readinessProbe':{'httpGet':{'port':'none'},'failureThreshold':1}", 0, true, false);
	turn();
	assert_int_equal(result(PROBE_LIVENESS), PROBE_SUCCESS);
	assert_int_equal(result(PROBE_READINESS), PROBE_SUCCESS);
	assert_int_equal(it.changes, 0);
	assert_non_null(strstr(it.events.p, "c Unhealthy: Liveness probe errored and resulted in unknown state: rpc error: code = Unknown desc = no such command\n"));
	assert_non_null(strstr(it.events.p, "c Unhealthy: Readiness probe errored and resulted in unknown state: strconv.Atoi: parsing \"none\": invalid syntax\n"));
}

static void test_warning(void **state)
{
	struct web_server s;
	char probe[100];

	server_open(&s, (const struct answer[]){ { "/", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2/\r\nContent-Length: 4\r\n\r\nelse" }, {} });
	snprintf(probe, sizeof(probe), ",'readinessProbe':{'httpGet':{'port':%u}}", s.port);
	start(probe, 0, false, false);
	change_within(1000);
	assert_int_equal(result(PROBE_READINESS), PROBE_SUCCESS);
	assert_string_equal(it.events.p, "c ProbeWarning: Readiness probe warning: Probe terminated redirects, Response body: else\n");
	server_close(&s);
}

static void test_leave(void **state)
{
	start(",'livenessProbe':" CMD() ",'readinessProbe':" CMD(",'failureThreshold':1"), 0, false, false);
	turn();
	assert_int_equal(runtime_says.calls, 2);
	probes_leave(it.probes, "id1");
	runtime_says.exit_code = 1;
	change_within(1500);
	assert_int_equal(result(PROBE_READINESS), PROBE_FAILURE);
	assert_int_equal(result(PROBE_LIVENESS), PROBE_SUCCESS);
	assert_int_equal(runtime_says.calls, 3);
	probes_leave(it.probes, "nobody");
}

static void test_metrics(void **state)
{
	_cleanup_buf_ struct xb_buf text = {};

	start(",'readinessProbe':" CMD(), 0, false, false);
	change_within(500);
	probes_write_metrics(it.probes, &text);
	assert_non_null(strstr(text.p, "# TYPE prober_probe_total counter\n"));
	assert_non_null(strstr(text.p, "\nprober_probe_total{container=\"c\",namespace=\"shop\",pod=\"web\",pod_uid=\"u-1\",probe_type=\"Readiness\",result=\"successful\"} 1\n"));
	assert_null(strstr(text.p, "Liveness"));
}

/* What is under way when all ends calls nobody and leaves nothing: the loop closes in teardown. */
static void test_free_midway(void **state)
{
	runtime_says.after_ms = 10000;
	start(",'livenessProbe':" CMD() ",'readinessProbe':" CMD(), 0, false, false);
	turn();
	assert_int_equal(runtime_says.calls, 2);
	it.probes = probes_free(it.probes);
	assert_int_equal(runtime_says.cancelled, 2);
}

static int setup(void **state)
{
	struct probes_config c = { .loop = &loop, .user_agent = "kube-probe/1.33", .changed = on_changed, .failed = on_failed };

	memset(&it, 0, sizeof(it));
	memset(&runtime_says, 0, sizeof(runtime_says));
	uv_loop_init(&loop);
	return probes_new(&c, &it.probes);
}

static int teardown(void **state)
{
	probes_free(it.probes);
	xb_buf_done(&it.events);
	uv_run(&loop, UV_RUN_DEFAULT);
	return uv_loop_close(&loop);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_none), T(test_ready), T(test_thresholds), T(test_liveness), T(test_startup_gates), T(test_startup_fails),
		T(test_was_started), T(test_initial_delay), T(test_errors_do_not_count),
		T(test_warning), T(test_leave), T(test_metrics), T(test_free_midway),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
