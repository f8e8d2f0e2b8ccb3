/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One HorizontalPodAutoscaler against a server that has the metrics that a test gives it: what is asked, scaled and told. */
#include "../../../userspace/lib/client/api_fixture.h"
#include "../../../../../control/controllers/kcm.h"

#define SCALE(replicas) "{\"kind\":\"Scale\",\"apiVersion\":\"autoscaling/v1\",\"metadata\":{\"name\":\"web\",\"namespace\":\"ns\",\"uid\":\"d1\"," \
	"\"resourceVersion\":\"7\"},\"spec\":{\"replicas\":" replicas "},\"status\":{\"replicas\":" replicas ",\"selector\":\"app=web\"}}"
#define READY "{\"phase\":\"Running\",\"startTime\":\"2020-01-01T00:00:00Z\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"," \
	"\"lastTransitionTime\":\"2020-01-01T00:00:01Z\"}]}"
#define POD(name) "{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"ns\",\"uid\":\"" name "\",\"resourceVersion\":\"3\",\"labels\":{\"app\":\"web\"}}," \
	"\"spec\":{\"containers\":[{\"name\":\"c\",\"resources\":{\"requests\":{\"cpu\":\"100m\"}}}]},\"status\":" READY "}"
#define USES(name, cpu) "{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"ns\"},\"timestamp\":\"2026-01-01T00:00:00Z\",\"window\":\"30s\"," \
	"\"containers\":[{\"name\":\"c\",\"usage\":{\"cpu\":\"" cpu "\",\"memory\":\"1Mi\"}}]}"
#define CPU "{\"type\":\"Resource\",\"resource\":{\"name\":\"cpu\",\"target\":{\"type\":\"Utilization\",\"averageUtilization\":50}}}"
#define NOT_FOUND "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"reason\":\"NotFound\",\"code\":404,"

static struct test {
	struct fixture f;
	struct kcm_options options;
	struct xb_recorder *recorder;
	struct kcm *kcm;
	const char *metrics;                    /* of the spec */
	const char *scale, *resource, *values;  /* answers; NULL: 404 */
	struct xb_buf events;
	char scaled[8192], status[8192];        /* bodies */
	unsigned n_scaled, n_status;
} t;

static void reply_list(struct fake_conn *c, const char *items)
{
	char list[8192];

	snprintf(list, sizeof(list), "{\"metadata\":{\"resourceVersion\":\"10\"},\"items\":[%s]}", items);
	fake_reply(c, 200, list);
}

static void reply_or_not(struct fake_conn *c, const char *body)
{
	fake_reply(c, body ? 200 : 404, body ? body : "404 page not found");
}

static void answer_write(struct fixture *f, struct fake_conn *c, const char *path)
{
	bool scale = strstr(path, "/scale");

	snprintf(scale ? t.scaled : t.status, sizeof(t.status), "%s", f->body);
	++*(scale ? &t.n_scaled : &t.n_status);
	fake_reply(c, 200, scale ? f->body : "{}");
}

static void answer(struct fixture *f, struct fake_conn *c, const char *method, const char *path)
{
	char hpa[4096];

	if (strstr(path, "/events")) {
		xb_buf_addf(&t.events, "%s\n", f->body);
		fake_reply(c, 201, "{}");
	} else if (strcmp(method, "GET")) {
		answer_write(f, c, path);
	} else if (strstr(path, "watch=true")) {
		fake_stream(c);
	} else if (strstr(path, "metrics.k8s.io")) {
		if (strstr(path, "/apis/metrics.k8s.io"))
			reply_or_not(c, t.resource);
		else if (!strcmp(path, "/apis/custom.metrics.k8s.io"))
			reply_or_not(c, t.values ? "{\"preferredVersion\":{\"groupVersion\":\"custom.metrics.k8s.io/v1beta2\"}}" : NULL);
		else
			reply_or_not(c, t.values);
	} else if (strstr(path, "/scale")) {
		fake_reply(c, t.scale ? 200 : 404, t.scale ? t.scale : NOT_FOUND "\"message\":\"deployments.apps \\\"web\\\" not found\",\"details\":{\"name\":\"web\"}}");
	} else if (strstr(path, "horizontalpodautoscalers")) {
		snprintf(hpa, sizeof(hpa), "{\"metadata\":{\"name\":\"web\",\"namespace\":\"ns\",\"uid\":\"h1\",\"resourceVersion\":\"5\"},\"spec\":{\"maxReplicas\":10,"
			 "\"scaleTargetRef\":{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"name\":\"web\"},\"metrics\":[%s]},\"status\":{\"desiredReplicas\":0}}",
			 t.metrics);
		reply_list(c, hpa);
	} else {
		reply_list(c, POD("a") "," POD("b"));
	}
}

static int setup(void **state)
{
	char *argv[] = { "kube-controller-manager", "--controllers=horizontal-pod-autoscaler-controller" };

	t = (struct test){ .metrics = CPU, .scale = SCALE("2") };
	assert_int_equal(kcm_options_parse(2, argv, &t.options, NULL), 0);
	fixture_start(&t.f);
	t.f.answer = answer;
	t.recorder = xb_recorder_new(t.f.rest, NULL);
	return 0;
}

static int teardown(void **state)
{
	kcm_free(t.kcm);
	xb_recorder_free(t.recorder);
	fixture_stop(&t.f);
	kcm_options_done(&t.options);
	xb_buf_done(&t.events);
	return 0;
}

/* One look, until its status is written and its Events are out. */
static void look(void)
{
	struct kcm_config c = { .rest = t.f.rest, .recorder = t.recorder, .options = &t.options, .root_ca = "" };

	assert_int_equal(kcm_new(&c, &t.kcm), 0);
	run_until(&t.f.loop, t.n_status && t.events.n);
	for (int i = 0; i < 20; i++)
		uv_run(&t.f.loop, UV_RUN_NOWAIT);
}

static void assert_told(const char *reason, const char *message)
{
	_cleanup_buf_ struct xb_buf both = {};

	xb_buf_addf(&both, "\"reason\":\"%s\"", reason);
	if (!t.events.p || !strstr(t.events.p, both.p) || !strstr(t.events.p, message))
		fail_msg("no event %s: %s in %s", reason, message, t.events.p ? t.events.p : "none");
}

static void assert_says(const char *text)
{
	if (!strstr(t.status, text))
		fail_msg("no %s in %s", text, t.status);
}

static void assert_asked(const char *line)
{
	if (!strstr(t.f.log.p, line))
		fail_msg("%s was not asked in %s", line, t.f.log.p);
}

static void scales_up_by_cpu(void **state)
{
	t.resource = "{\"items\":[" USES("a", "60m") "," USES("b", "90m") "]}";
	look();
	assert_asked("GET /apis/metrics.k8s.io/v1beta1/namespaces/ns/pods?labelSelector=app%3Dweb\n");
	assert_asked("PUT /apis/apps/v1/namespaces/ns/deployments/web/scale\n");
	assert_non_null(strstr(t.scaled, "\"uid\":\"d1\",\"resourceVersion\":\"7\"},\"spec\":{\"replicas\":3}"));
	assert_told("SuccessfulRescale", "New size: 3; reason: cpu resource utilization (percentage of request) above target");
	assert_says("\"currentReplicas\":2,\"desiredReplicas\":3,\"currentMetrics\":[{\"type\":\"Resource\",\"resource\":{\"name\":\"cpu\",\"current\":"
		    "{\"averageValue\":\"75m\",\"averageUtilization\":75}}}]");
	assert_says("\"lastScaleTime\":\"2");
	assert_says("\"reason\":\"SucceededRescale\",\"message\":\"the HPA controller was able to update the target scale to 3\"");
	assert_says("\"reason\":\"ValidMetricFound\",\"message\":\"the HPA was able to successfully calculate a replica count from cpu resource utilization "
		    "(percentage of request)\"");
	assert_says("\"type\":\"ScalingLimited\",\"status\":\"False\"");
	assert_says("\"reason\":\"DesiredWithinRange\"");
}

static void goes_down_not_at_once(void **state)
{
	t.resource = "{\"items\":[" USES("a", "1m") "," USES("b", "1m") "]}";
	xb_buf_adds(&t.events, "-");            /* none will come */
	look();
	assert_int_equal(t.n_scaled, 0);
	assert_says("\"currentReplicas\":2,\"desiredReplicas\":2");
	assert_says("\"reason\":\"ScaleDownStabilized\",\"message\":\"recent recommendations were higher than current one, applying the highest recent "
		    "recommendation\"");
}

static void without_metrics_nothing_is_scaled(void **state)
{
	static const char why[] = "failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: "
				  "the server could not find the requested resource (get pods.metrics.k8s.io)";
	_cleanup_buf_ struct xb_buf text = {};

	look();
	assert_int_equal(t.n_scaled, 0);
	assert_told("FailedGetResourceMetric", why);
	xb_buf_addf(&text, "invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: %s", why);
	assert_told("FailedComputeMetricsReplicas", text.p);
	xb_buf_clear(&text);
	xb_buf_addf(&text, "\"reason\":\"FailedGetResourceMetric\",\"message\":\"the HPA was unable to compute the replica count: %s\"", why);
	assert_says(text.p);
	assert_says("\"reason\":\"SucceededGetScale\"");
	assert_says("\"currentReplicas\":2,\"desiredReplicas\":0,\"currentMetrics\":[{\"type\":\"\"}]");
}

static void a_target_that_is_not_there_is_told(void **state)
{
	t.scale = NULL;
	look();
	assert_told("FailedGetScale", "deployments.apps \\\"web\\\" not found");
	assert_says("{\"type\":\"AbleToScale\",\"status\":\"False\"");
	assert_says("\"message\":\"the HPA controller was unable to get the target's current scale: deployments.apps \\\"web\\\" not found\"");
}

static void limits_need_no_metrics(void **state)
{
	t.scale = SCALE("12");
	look();
	assert_non_null(strstr(t.scaled, "\"replicas\":10"));
	assert_told("SuccessfulRescale", "New size: 10; reason: Current number of replicas above Spec.MaxReplicas");
	assert_null(strstr(t.f.log.p, "metrics"));
}

#define METRIC(name, selector) "\"metric\":{\"name\":\"" name "\"" selector "}"

static void other_metrics_are_asked_for_by_their_apis(void **state)
{
	t.metrics = "{\"type\":\"Pods\",\"pods\":{" METRIC("qps", "") ",\"target\":{\"type\":\"AverageValue\",\"averageValue\":\"10\"}}},"
		"{\"type\":\"Object\",\"object\":{" METRIC("hits", "") ",\"describedObject\":{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"Ingress\","
		"\"name\":\"main\"},\"target\":{\"type\":\"Value\",\"value\":\"20\"}}},"
		"{\"type\":\"External\",\"external\":{" METRIC("depth", ",\"selector\":{\"matchLabels\":{\"queue\":\"q\"}}")
		",\"target\":{\"type\":\"AverageValue\",\"averageValue\":\"4\"}}}";
	t.values = "{\"items\":[{\"describedObject\":{\"name\":\"a\"},\"value\":\"9\"},{\"describedObject\":{\"name\":\"b\"},\"value\":\"11\"}]}";
	look();
	assert_asked("GET /apis/custom.metrics.k8s.io/v1beta2/namespaces/ns/pods/*/qps?labelSelector=app%3Dweb\n");
	assert_asked("GET /apis/custom.metrics.k8s.io/v1beta2/namespaces/ns/ingresses.networking.k8s.io/main/hits\n");
	assert_asked("GET /apis/external.metrics.k8s.io/v1beta1/namespaces/ns/depth?labelSelector=queue%3Dq\n");
	/* 10 each is the target, so is 20; but 20 in all are 5 times 4 */
	assert_told("SuccessfulRescale", "New size: 4; reason: external metric depth(&LabelSelector{MatchLabels:map[string]string{queue: q,},"
		    "MatchExpressions:[]LabelSelectorRequirement{},}) above target");
	assert_says("[{\"type\":\"Pods\",\"pods\":{\"metric\":{\"name\":\"qps\"},\"current\":{\"averageValue\":\"10\"}}}");
	assert_says("{\"type\":\"Object\",\"object\":{\"describedObject\":{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"Ingress\",\"name\":\"main\"},"
		    "\"metric\":{\"name\":\"hits\"},\"current\":{\"value\":\"20\"}}}");
	assert_says("\"current\":{\"averageValue\":\"10\"}}}]");
	assert_says("{\"type\":\"ScalingLimited\",\"status\":\"True\"");
	assert_says("\"reason\":\"ScaleUpLimit\"");
}

static void custom_metrics_may_not_be_there(void **state)
{
	t.metrics = CPU ",{\"type\":\"Pods\",\"pods\":{" METRIC("qps", "") ",\"target\":{\"type\":\"AverageValue\",\"averageValue\":\"10\"}}}";
	t.resource = "{\"items\":[" USES("a", "90m") "," USES("b", "90m") "]}";
	look();
	/* what is known is enough to scale up by */
	assert_told("FailedGetPodsMetric", "unable to get metric qps: unable to fetch metrics from custom metrics API: "
		    "no custom metrics API (custom.metrics.k8s.io) registered");
	assert_told("SuccessfulRescale", "New size: 4; ");
	assert_says("},{\"type\":\"\"}]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(scales_up_by_cpu, setup, teardown),
		cmocka_unit_test_setup_teardown(goes_down_not_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(without_metrics_nothing_is_scaled, setup, teardown),
		cmocka_unit_test_setup_teardown(a_target_that_is_not_there_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(limits_need_no_metrics, setup, teardown),
		cmocka_unit_test_setup_teardown(other_metrics_are_asked_for_by_their_apis, setup, teardown),
		cmocka_unit_test_setup_teardown(custom_metrics_may_not_be_there, setup, teardown),
	};

	return cmocka_run_group_tests_name("control/controllers/autoscaling/hpa", tests, NULL, NULL);
}
