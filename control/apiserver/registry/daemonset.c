/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "edit.h"
#include "int_or_percent.h"
#include "label_selector.h"
#include "table.h"
#include "workload.h"

/* extensions/v1beta1's spec.templateGeneration lives on as an annotation: upstream's controller still reads it. */
static const char template_generation[] = "deprecated.daemonset.template.generation";

static void defaults(struct write *w, struct xb_tree *object)
{
	struct xb_tree *spec = edit_obtain(w, object, "spec"), *strategy = edit_obtain(w, spec, "updateStrategy"), *rolling;

	workload_defaults(w, spec);
	edit_str_default(w, strategy, "type", "RollingUpdate");
	if (!xb_tree_is(xb_tree_get(strategy, "type"), "RollingUpdate"))
		return;
	rolling = edit_obtain(w, strategy, "rollingUpdate");
	if (!xb_tree_get(rolling, "maxSurge"))
		edit_int(w, rolling, "maxSurge", 0);
	if (!xb_tree_get(rolling, "maxUnavailable"))
		edit_int(w, rolling, "maxUnavailable", 1);
}

static void set_template_generation(struct write *w, struct xb_tree *object, int64_t n)
{
	const char *text = xb_arena_printf(w->arena, "%lld", (long long)n);

	if (text)
		edit_str(w, edit_obtain(w, edit_obtain(w, object, "metadata"), "annotations"), template_generation, text);
	else
		w->no_memory = true;
}

static void prepare_create(struct write *w, struct xb_tree *object)
{
	edit_json(w, object, "status", "{\"currentNumberScheduled\":0,\"desiredNumberScheduled\":0,\"numberMisscheduled\":0,\"numberReady\":0}");
	set_template_generation(w, object, 1);
}

static void prepare_update(struct write *w, struct xb_tree *object, const struct xb_tree *old)
{
	bool same = edit_same(xb_tree_get(object, "spec"), xb_tree_get(old, "spec"), "template");
	int64_t n = 0;

	(void)xb_sv_i64(xb_tree_text(xb_tree_path(old, "metadata", "annotations", template_generation)), &n);
	set_template_generation(w, object, same ? n : n + 1);
}

static void validate_rolling(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *rolling)
{
	const struct xb_tree *unavailable = xb_tree_get(rolling, "maxUnavailable"), *surge = xb_tree_get(rolling, "maxSurge");
	const struct xb_path *unavailable_path = XB_PATH(at, "maxUnavailable"), *surge_path = XB_PATH(at, "maxSurge");
	bool gaps = int_or_percent_value(unavailable), extra = int_or_percent_value(surge);

	int_or_percent_validate(e, unavailable_path, unavailable);
	int_or_percent_validate_100(e, unavailable_path, unavailable);
	int_or_percent_validate(e, surge_path, surge);
	int_or_percent_validate_100(e, surge_path, surge);
	if (gaps && extra)
		int_or_percent_invalid(e, surge_path, surge, "may not be set when maxUnavailable is non-zero");
	else if (!gaps && !extra)
		xb_err_required(e, unavailable_path, "cannot be 0 when maxSurge is 0");
}

static void validate_strategy(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *strategy)
{
	static const char *const types[] = { "RollingUpdate", "OnDelete", NULL };
	const struct xb_tree *type = xb_tree_get(strategy, "type");

	if (xb_tree_is(type, "RollingUpdate"))
		validate_rolling(e, XB_PATH(at, "rollingUpdate"), xb_tree_get(strategy, "rollingUpdate"));
	else if (!xb_tree_is(type, "OnDelete"))
		xb_err_unsupported(e, XB_PATH(at, "type"), xb_tree_text(type), types);
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	static const char *const counts[] = { "minReadySeconds", "revisionHistoryLimit", NULL };
	const struct xb_tree *spec = xb_tree_get(object, "spec"), *template = xb_tree_get(spec, "template");
	const struct xb_path *at = XB_PATH(NULL, "spec"), *template_path = XB_PATH(at, "template");

	workload_validate_selector(e, at, spec, false, "empty selector is invalid for daemonset");
	workload_validate_template(w, template_path, template, e);
	workload_validate_restart(e, template_path, template, "DaemonSet");
	workload_validate_counts(e, at, spec, counts);
	validate_strategy(e, XB_PATH(at, "updateStrategy"), xb_tree_get(spec, "updateStrategy"));
}

static void validate_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	label_selector_validate_immutable(e, XB_PATH(XB_PATH(NULL, "spec"), "selector"), xb_tree_path(object, "spec", "selector"),
					  xb_tree_path(old, "spec", "selector"));
}

static void validate_status(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	static const char *const counts[] = {
		"currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady", "observedGeneration",
		"updatedNumberScheduled", "numberAvailable", "numberUnavailable", "collisionCount", NULL
	};
	const struct xb_tree *status = xb_tree_get(object, "status");

	workload_validate_counts(e, XB_PATH(NULL, "status"), status, counts);
	workload_validate_collisions(e, status, xb_tree_get(old, "status"));
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Desired", "integer", "", "The total number of nodes that should be running the daemon pod (including nodes correctly running the daemon pod). More info: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/", 0 },
	{ "Current", "integer", "", "The number of nodes that are running at least 1 daemon pod and are supposed to run the daemon pod. More info: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/", 0 },
	{ "Ready", "integer", "", "numberReady is the number of nodes that should be running the daemon pod and have one or more of the daemon pod running with a Ready Condition.", 0 },
	{ "Up-to-date", "integer", "", "The total number of nodes that are running updated daemon pod", 0 },
	{ "Available", "integer", "", "The number of nodes that should be running the daemon pod and have one or more of the daemon pod running and available (ready for at least spec.minReadySeconds)", 0 },
	{ "Node Selector", "string", "", "NodeSelector is a selector which must be true for the pod to fit on a node. Selector which must match a node's labels for the pod to be scheduled on that node. More info: https://kubernetes.io/docs/concepts/configuration/assign-pod-node/", 0 },
	COLUMN_AGE,
	COLUMN_CONTAINERS,
	COLUMN_IMAGES,
	{ "Selector", "string", "", "A label query over pods that are managed by the daemon set. Must match in order to be controlled. It must match the pod template's labels. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors", 1 },
};

static void row(struct table_row *r, struct xb_jv object)
{
	static const char *const counts[] = { "desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled",
					      "numberAvailable" };
	struct xb_jv spec = xb_jv_get(object, "spec"), status = xb_jv_get(object, "status");

	cell_name(r, object);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		cell_int(r, xb_jv_get(status, counts[i]), 0);
	cell_labels(r, xb_jv_path(spec, "template", "spec", "nodeSelector"));
	cell_age(r, object);
	cell_containers(r, xb_jv_get(spec, "template"));
	cell_label_selector(r, xb_jv_get(spec, "selector"));
}

const struct strategy daemon_set_strategy = {
	.group = "apps", .kind = "DaemonSet",
	.name = xb_check_dns1123_subdomain,
	.defaults = defaults,
	.prepare_create = prepare_create,
	.prepare_update = prepare_update,
	.validate = validate,
	.validate_update = validate_update,
	.validate_status = validate_status,
	.has_generation = true,
	.unconditional_update = true,
	COLUMNS(columns),
	.row = row,
};
