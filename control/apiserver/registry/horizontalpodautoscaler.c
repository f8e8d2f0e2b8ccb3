/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include "edit.h"
#include "hpa.h"
#include "table.h"
#include "workload.h"

static const char default_up[] = "{\"policies\":[{\"periodSeconds\":15,\"type\":\"Pods\",\"value\":4},{\"periodSeconds\":15,\"type\":\"Percent\",\"value\":100}],"
	"\"selectPolicy\":\"Max\",\"stabilizationWindowSeconds\":0}";
static const char default_down[] = "{\"policies\":[{\"periodSeconds\":15,\"type\":\"Percent\",\"value\":100}],\"selectPolicy\":\"Max\"}";

static void default_rules(struct write *w, struct xb_tree *behavior, const char *direction, const char *json)
{
	struct xb_tree *rules = edit_obtain(w, behavior, direction), *all = xb_tree_parse(w->arena, json);

	xb_tree_each(rule, all)
		if (!xb_tree_getsv(rules, rule->key))
			edit_member(w, rules, rule->key, xb_tree_copy(w->arena, rule));
	if (!all)
		w->no_memory = true;
}

static void defaults(struct write *w, struct xb_tree *object)
{
	struct xb_tree *spec = edit_obtain(w, object, "spec"), *behavior = xb_tree_get(spec, "behavior");

	if (edit_is_empty(xb_tree_get(spec, "metrics")))
		edit_json(w, spec, "metrics",
			  "[{\"resource\":{\"name\":\"cpu\",\"target\":{\"averageUtilization\":80,\"type\":\"Utilization\"}},\"type\":\"Resource\"}]");
	if (!behavior)
		return;
	default_rules(w, behavior, "scaleUp", default_up);
	default_rules(w, behavior, "scaleDown", default_down);
}

static void prepare_create(struct write *w, struct xb_tree *object)
{
	edit_json(w, object, "status", "{\"desiredReplicas\":0}");
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	const struct xb_tree *spec = xb_tree_get(object, "spec"), *least = xb_tree_get(spec, "minReplicas"), *most = xb_tree_get(spec, "maxReplicas");
	const struct xb_path *at = XB_PATH(NULL, "spec");
	int64_t min = xb_tree_geti64(spec, "minReplicas", 1), max = xb_tree_geti64(spec, "maxReplicas", 0);

	if (min < 1)
		xb_err_invalid(e, XB_PATH(at, "minReplicas"), least, "must be greater than or equal to 1");
	if (max < 1)
		xb_err_invalid(e, XB_PATH(at, "maxReplicas"), most, "must be greater than 0");
	if (max < min)
		xb_err_invalid(e, XB_PATH(at, "maxReplicas"), most, "must be greater than or equal to `minReplicas`");
	hpa_validate_reference(e, XB_PATH(at, "scaleTargetRef"), xb_tree_get(spec, "scaleTargetRef"));
	hpa_validate_metrics(e, XB_PATH(at, "metrics"), xb_tree_get(spec, "metrics"));
	hpa_validate_behavior(e, XB_PATH(at, "behavior"), xb_tree_get(spec, "behavior"));
}

static void validate_status(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	static const char *const counts[] = { "currentReplicas", "desiredReplicas", NULL };

	workload_validate_counts(e, XB_PATH(NULL, "status"), xb_tree_get(object, "status"), counts);
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Reference", "string", "", "scaleTargetRef points to the target resource to scale, and is used to the pods for which metrics should be collected, as well as to actually change the replica count.", 0 },
	{ "Targets", "string", "", "metrics contains the specifications for which to use to calculate the desired replica count (the maximum replica count across all metrics will be used).  The desired replica count is calculated multiplying the ratio between the target value and the current value by the current number of pods.  Ergo, metrics used must decrease as the pod count is increased, and vice-versa.  See the individual metric source types for more information about how each type of metric must respond. If not set, the default metric will be set to 80% average CPU utilization.", 0 },
	{ "MinPods", "string", "", "minReplicas is the lower limit for the number of replicas to which the autoscaler can scale down.  It defaults to 1 pod.  minReplicas is allowed to be 0 if the alpha feature gate HPAScaleToZero is enabled and at least one Object or External metric is configured.  Scaling is active as long as at least one metric value is available.", 0 },
	{ "MaxPods", "string", "", "maxReplicas is the upper limit for the number of replicas to which the autoscaler can scale up. It cannot be less that minReplicas.", 0 },
	{ "Replicas", "string", "", "currentReplicas is current number of replicas of pods managed by this autoscaler, as last seen by the autoscaler.", 0 },
	COLUMN_AGE,
};

static void row(struct table_row *r, struct xb_jv object)
{
	_cleanup_buf_ struct xb_buf targets = {}, reference = {};
	struct xb_jv spec = xb_jv_get(object, "spec"), status = xb_jv_get(object, "status"), to = xb_jv_get(spec, "scaleTargetRef");
	int64_t least = 1;
	char text[24];

	cell_name(r, object);
	cell_open(&reference);
	xb_buf_addsv(&reference, xb_jv_text(xb_jv_get(to, "kind")));
	xb_buf_addc(&reference, '/');
	xb_buf_addsv(&reference, xb_jv_text(xb_jv_get(to, "name")));
	cell_close(r, &reference, "");
	cell_open(&targets);
	hpa_write_targets(xb_jv_get(spec, "metrics"), xb_jv_get(status, "currentMetrics"), &targets);
	cell_close(r, &targets, "<none>");
	(void)xb_jv_i64(xb_jv_get(spec, "minReplicas"), &least);
	snprintf(text, sizeof(text), "%lld", (long long)least);
	xb_jw_str(r->w, text);
	cell_int(r, xb_jv_get(spec, "maxReplicas"), 0);
	cell_int(r, xb_jv_get(status, "currentReplicas"), 0);
	cell_age(r, object);
}

const struct strategy horizontal_pod_autoscaler_strategy = {
	.group = "autoscaling", .kind = "HorizontalPodAutoscaler",
	.name = xb_check_dns1123_subdomain,
	.defaults = defaults,
	.prepare_create = prepare_create,
	.validate = validate,
	.validate_status = validate_status,
	.unconditional_update = true,
	COLUMNS(columns),
	.row = row,
};
