/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include "../../../../../control/controllers/workloads/rollout_status.h"
#include "xb/time.h"

#define META(revision) "\"metadata\":{\"name\":\"web\",\"uid\":\"u\",\"resourceVersion\":\"7\",\"generation\":3,\"annotations\":{" \
	"\"" ROLLOUT_REVISION "\":\"" revision "\"}}"
#define SPEC(more) "\"spec\":{\"replicas\":2," more "\"progressDeadlineSeconds\":600,\"template\":{\"spec\":{\"t\":2}}}"
#define COUNTS(n, updated, available) "\"replicas\":" #n ",\"updatedReplicas\":" #updated ",\"readyReplicas\":" #available "," \
	"\"availableReplicas\":" #available ",\"observedGeneration\":3"
#define AVAILABLE "{\"type\":\"Available\",\"status\":\"True\",\"lastUpdateTime\":\"a\",\"lastTransitionTime\":\"a\"," \
	"\"reason\":\"MinimumReplicasAvailable\",\"message\":\"Deployment has minimum availability.\"}"
#define PROGRESSING(status, reason, updated) "{\"type\":\"Progressing\",\"status\":\"" status "\",\"lastUpdateTime\":\"" updated "\"," \
	"\"lastTransitionTime\":\"b\",\"reason\":\"" reason "\",\"message\":\"m\"}"
#define CONDITIONS(...) ",\"conditions\":[" __VA_ARGS__ "]"
#define SET(n, available, more) "{\"metadata\":{\"name\":\"web-x\",\"annotations\":{\"" ROLLOUT_REVISION "\":\"2\"}},\"spec\":{\"replicas\":2," \
	"\"template\":{\"spec\":{\"t\":2}}},\"status\":{\"replicas\":" #n ",\"readyReplicas\":" #available ",\"availableReplicas\":" #available more "}}"
#define OPEN "{\"metadata\":{\"uid\":\"u\",\"resourceVersion\":\"7\"},\"status\":{"

static char told[4096];
static int64_t again;

static struct xb_json *parse(const char *text)
{
	struct xb_json *d = NULL;

	assert_int_equal(xb_json_parse(xb_sv(text), NULL, &d, NULL), 0);
	return d;
}

/* The patch at 2026-01-01T00:10:00Z; "" for none. */
static const char *patch(const char *deployment, const char *set, bool scaling)
{
	struct xb_json *d = parse(deployment), *s = parse(set);
	struct xb_jv view = xb_json_root(s);
	_cleanup_buf_ struct xb_buf out = {};
	struct rollout r;
	int64_t now;

	assert_int_equal(xb_time_parse(XB_SV("2026-01-01T00:10:00Z"), &now), 0);
	assert_int_equal(rollout_read(xb_json_root(d), &view, 1, &r), 0);
	r.scaling = scaling;
	rollout_status_patch(&r, now, &out, &again);
	again = again ? (again - now) / 1000000 : 0;
	assert_int_equal(out.err, 0);
	snprintf(told, sizeof(told), "%s", out.p ? out.p : "");
	rollout_done(&r);
	xb_json_unref(d);
	xb_json_unref(s);
	return told;
}

#define HAS(text) assert_non_null(strstr(told, text))
#define HAS_NOT(text) assert_null(strstr(told, text))

static void what_is_told_is_not_told_again(void **state)
{
	const char *whole = "{" META("2") "," SPEC("") ",\"status\":{" COUNTS(2, 2, 2)
		CONDITIONS(AVAILABLE "," PROGRESSING("True", "NewReplicaSetAvailable", "b")) "}}";

	assert_string_equal(patch(whole, SET(2, 2, ""), false), "");
	assert_int_equal(again, 0);
	/* pods that go away after the rollout are no rollout */
	assert_string_equal(patch(whole, SET(2, 0, ""), false), OPEN "\"replicas\":2,\"updatedReplicas\":2,\"readyReplicas\":0,"
		"\"availableReplicas\":0,\"unavailableReplicas\":2,\"observedGeneration\":3,\"conditions\":["
		"{\"type\":\"Progressing\",\"status\":\"True\",\"lastUpdateTime\":\"b\",\"lastTransitionTime\":\"b\",\"reason\":\"NewReplicaSetAvailable\",\"message\":\"m\"},"
		"{\"type\":\"Available\",\"status\":\"False\",\"lastUpdateTime\":\"2026-01-01T00:10:00Z\",\"lastTransitionTime\":\"2026-01-01T00:10:00Z\","
		"\"reason\":\"MinimumReplicasUnavailable\",\"message\":\"Deployment does not have minimum availability.\"}]}}");
}

static void progress_is_told(void **state)
{
	/* the time of the last progress is new, that of the status's change is not */
	patch("{" META("2") "," SPEC("") ",\"status\":{" COUNTS(1, 1, 0) CONDITIONS(PROGRESSING("True", "ReplicaSetUpdated", "2026-01-01T00:05:00Z")) "}}",
	      SET(2, 1, ""), false);
	HAS("{\"type\":\"Progressing\",\"status\":\"True\",\"lastUpdateTime\":\"2026-01-01T00:10:00Z\",\"lastTransitionTime\":\"b\","
	    "\"reason\":\"ReplicaSetUpdated\",\"message\":\"ReplicaSet \\\"web-x\\\" is progressing.\"}");
	assert_int_equal(again, 600);
	patch("{" META("2") "," SPEC("") ",\"status\":{" COUNTS(2, 2, 1) CONDITIONS(PROGRESSING("True", "ReplicaSetUpdated", "2026-01-01T00:05:00Z")) "}}",
	      SET(2, 2, ""), false);
	HAS("\"reason\":\"NewReplicaSetAvailable\",\"message\":\"ReplicaSet \\\"web-x\\\" has successfully progressed.\"");
	assert_int_equal(again, 0);
}

static void a_deadline_passes(void **state)
{
#define STUCK(when) "{" META("2") "," SPEC("") ",\"status\":{" COUNTS(2, 2, 1) CONDITIONS(AVAILABLE "," PROGRESSING("True", "ReplicaSetUpdated", when)) "}}"
	patch(STUCK("2026-01-01T00:05:00Z"), SET(2, 1, ""), false);
	HAS_NOT("ProgressDeadlineExceeded");
	assert_int_equal(again, 300);
	patch(STUCK("2025-12-31T23:59:59Z"), SET(2, 1, ""), false);
	HAS("\"type\":\"Progressing\",\"status\":\"False\",\"lastUpdateTime\":\"2026-01-01T00:10:00Z\",\"lastTransitionTime\":\"2026-01-01T00:10:00Z\","
	    "\"reason\":\"ProgressDeadlineExceeded\",\"message\":\"ReplicaSet \\\"web-x\\\" has timed out progressing.\"");
	/* not while it is scaled */
	patch(STUCK("2025-12-31T23:59:59Z"), SET(2, 1, ""), true);
	HAS_NOT("ProgressDeadlineExceeded");
}

static void pauses_are_told(void **state)
{
	patch("{" META("2") "," SPEC("\"paused\":true,") ",\"status\":{" COUNTS(2, 2, 1) CONDITIONS(PROGRESSING("True", "ReplicaSetUpdated", "b")) "}}",
	      SET(2, 1, ""), true);
	HAS("\"status\":\"Unknown\",\"lastUpdateTime\":\"2026-01-01T00:10:00Z\",\"lastTransitionTime\":\"2026-01-01T00:10:00Z\","
	    "\"reason\":\"DeploymentPaused\",\"message\":\"Deployment is paused\"");
	/* a pause does not count towards the deadline */
	patch("{" META("2") "," SPEC("") ",\"status\":{" COUNTS(2, 2, 1) CONDITIONS(PROGRESSING("Unknown", "DeploymentPaused", "2025-12-01T00:00:00Z")) "}}",
	      SET(2, 1, ""), false);
	HAS("\"reason\":\"DeploymentResumed\",\"message\":\"Deployment is resumed\"");
	assert_int_equal(again, 600);
}

static void revision_and_failure_are_the_sets(void **state)
{
	patch("{" META("1") "," SPEC("") ",\"status\":{" COUNTS(2, 2, 2) CONDITIONS(AVAILABLE "," PROGRESSING("True", "NewReplicaSetAvailable", "b")) "}}",
	      SET(2, 2, ""), false);
	HAS("\"annotations\":{\"" ROLLOUT_REVISION "\":\"2\"}");
	HAS_NOT("conditions");
	patch("{" META("2") "," SPEC("") ",\"status\":{}}", SET(0, 0, ",\"conditions\":[{\"type\":\"ReplicaFailure\",\"status\":\"True\","
		"\"lastTransitionTime\":\"c\",\"reason\":\"FailedCreate\",\"message\":\"say \\\"no\\\"\"}]"), false);
	HAS("{\"type\":\"ReplicaFailure\",\"status\":\"True\",\"lastUpdateTime\":\"c\",\"lastTransitionTime\":\"c\",\"reason\":\"FailedCreate\","
	    "\"message\":\"say \\\"no\\\"\"}");
	HAS("\"reason\":\"FoundNewReplicaSet\",\"message\":\"Found new replica set \\\"web-x\\\"\"");
}

static void making_a_set_is_told(void **state)
{
	struct xb_json *d = parse("{" META("1") "," SPEC("") ",\"status\":{\"collisionCount\":1}}");
	_cleanup_buf_ struct xb_buf made = {}, refused = {}, collision = {};
	_cleanup_(rollout_done) struct rollout r = {};

	assert_int_equal(rollout_read(xb_json_root(d), NULL, 0, &r), 0);
	r.make = 2;
	rollout_made_patch(&r, "web-x", 0, &made);
	assert_string_equal(made.p, "{\"metadata\":{\"uid\":\"u\",\"resourceVersion\":\"7\",\"annotations\":{\"" ROLLOUT_REVISION "\":\"1\"}},"
		"\"status\":{\"replicas\":0,\"updatedReplicas\":0,\"readyReplicas\":0,\"availableReplicas\":0,\"unavailableReplicas\":2,"
		"\"observedGeneration\":3,\"conditions\":[{\"type\":\"Available\",\"status\":\"False\",\"lastUpdateTime\":\"1970-01-01T00:00:00Z\","
		"\"lastTransitionTime\":\"1970-01-01T00:00:00Z\",\"reason\":\"MinimumReplicasUnavailable\","
		"\"message\":\"Deployment does not have minimum availability.\"},"
		"{\"type\":\"Progressing\",\"status\":\"True\",\"lastUpdateTime\":\"1970-01-01T00:00:00Z\","
		"\"lastTransitionTime\":\"1970-01-01T00:00:00Z\",\"reason\":\"NewReplicaSetCreated\","
		"\"message\":\"Created new replica set \\\"web-x\\\"\"}]}}");
	rollout_refused_patch(xb_json_root(d), XB_SV("No"), 0, &refused);
	assert_non_null(strstr(refused.p, "\"status\":\"False\""));
	assert_non_null(strstr(refused.p, "\"reason\":\"ReplicaSetCreateError\",\"message\":\"No\""));
	assert_null(strstr(refused.p, "annotations"));
	rollout_collision_patch(xb_json_root(d), &collision);
	assert_string_equal(collision.p, OPEN "\"collisionCount\":2}}");
	xb_json_unref(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told_is_not_told_again), cmocka_unit_test(progress_is_told), cmocka_unit_test(a_deadline_passes),
		cmocka_unit_test(pauses_are_told),
		cmocka_unit_test(revision_and_failure_are_the_sets), cmocka_unit_test(making_a_set_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
