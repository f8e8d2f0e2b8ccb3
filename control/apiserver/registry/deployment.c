/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "edit.h"
#include "int_or_percent.h"
#include "label_selector.h"
#include "table.h"
#include "workload.h"

static void defaults(struct write *w, struct xb_tree *object)
{
	struct xb_tree *spec = edit_obtain(w, object, "spec"), *strategy = edit_obtain(w, spec, "strategy"), *rolling;

	workload_defaults(w, spec);
	edit_str_default(w, strategy, "type", "RollingUpdate");
	if (!xb_tree_is(xb_tree_get(strategy, "type"), "RollingUpdate"))
		return;
	rolling = edit_obtain(w, strategy, "rollingUpdate");
	edit_str_default(w, rolling, "maxUnavailable", "25%");
	edit_str_default(w, rolling, "maxSurge", "25%");
}

static void prepare_create(struct write *w, struct xb_tree *object)
{
	edit_json(w, object, "status", "{}");
}

static void validate_rolling(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *rolling)
{
	const struct xb_tree *unavailable = xb_tree_get(rolling, "maxUnavailable"), *surge = xb_tree_get(rolling, "maxSurge");
	const struct xb_path *here = XB_PATH(at, "maxUnavailable");

	int_or_percent_validate(e, here, unavailable);
	int_or_percent_validate(e, XB_PATH(at, "maxSurge"), surge);
	if (!int_or_percent_value(unavailable) && !int_or_percent_value(surge))
		int_or_percent_invalid(e, here, unavailable, "may not be 0 when `maxSurge` is 0");
	int_or_percent_validate_100(e, here, unavailable);
}

static void validate_strategy(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *strategy)
{
	static const char *const types[] = { "Recreate", "RollingUpdate", NULL };
	const struct xb_tree *type = xb_tree_get(strategy, "type"), *rolling = xb_tree_get(strategy, "rollingUpdate");
	const struct xb_path *here = XB_PATH(at, "rollingUpdate");

	if (xb_tree_is(type, "RollingUpdate"))
		validate_rolling(e, here, rolling);
	else if (!xb_tree_is(type, "Recreate"))
		xb_err_unsupported(e, XB_PATH(at, "type"), xb_tree_text(type), types);
	else if (rolling)
		xb_err_forbidden(e, here, "may not be specified when strategy `type` is 'Recreate'");
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	static const char *const counts[] = { "replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds", NULL };
	const struct xb_tree *spec = xb_tree_get(object, "spec"), *template = xb_tree_get(spec, "template");
	const struct xb_path *at = XB_PATH(NULL, "spec"), *template_path = XB_PATH(at, "template");

	workload_validate_selector(e, at, spec, true, "empty selector is invalid for deployment");
	workload_validate_template(w, template_path, template, e);
	workload_validate_restart(e, template_path, template, "ReplicaSet");
	validate_strategy(e, XB_PATH(at, "strategy"), xb_tree_get(spec, "strategy"));
	workload_validate_counts(e, at, spec, counts);
	if (xb_tree_geti64(spec, "progressDeadlineSeconds", INT64_MAX) <= xb_tree_geti64(spec, "minReadySeconds", 0))
		xb_err_invalid(e, XB_PATH(at, "progressDeadlineSeconds"), xb_tree_get(spec, "progressDeadlineSeconds"),
			       "must be greater than minReadySeconds");
}

static void validate_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	label_selector_validate_immutable(e, XB_PATH(XB_PATH(NULL, "spec"), "selector"), xb_tree_path(object, "spec", "selector"),
					  xb_tree_path(old, "spec", "selector"));
}

static void validate_status(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	static const char *const counts[] = { "observedGeneration", "replicas", "updatedReplicas", "readyReplicas", "availableReplicas",
					      "unavailableReplicas", "collisionCount", NULL };
	static const char *const parts[] = { "updatedReplicas", "readyReplicas", "availableReplicas", NULL };
	const struct xb_tree *status = xb_tree_get(object, "status");
	const struct xb_path *at = XB_PATH(NULL, "status");

	workload_validate_counts(e, at, status, counts);
	workload_validate_at_most(e, at, status, parts, "replicas", "cannot be greater than status.replicas");
	workload_validate_at_most(e, at, status, &parts[2], "readyReplicas", "cannot be greater than readyReplicas");
	workload_validate_collisions(e, status, xb_tree_get(old, "status"));
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Ready", "string", "", "Number of the pod with ready state", 0 },
	{ "Up-to-date", "string", "", "Total number of non-terminated pods targeted by this deployment that have the desired template spec.", 0 },
	{ "Available", "string", "", "Total number of available pods (ready for at least minReadySeconds) targeted by this deployment.", 0 },
	COLUMN_AGE,
	COLUMN_CONTAINERS,
	COLUMN_IMAGES,
	{ "Selector", "string", "", "Label selector for pods. Existing ReplicaSets whose pods are selected by this will be the ones affected by this deployment.", 1 },
};

static void row(struct table_row *r, struct xb_jv object)
{
	struct xb_jv spec = xb_jv_get(object, "spec"), status = xb_jv_get(object, "status");

	cell_name(r, object);
	cell_ratio(r, xb_jv_get(status, "readyReplicas"), xb_jv_get(spec, "replicas"));
	cell_int(r, xb_jv_get(status, "updatedReplicas"), 0);
	cell_int(r, xb_jv_get(status, "availableReplicas"), 0);
	cell_age(r, object);
	cell_containers(r, xb_jv_get(spec, "template"));
	cell_label_selector(r, xb_jv_get(spec, "selector"));
}

const struct strategy deployment_strategy = {
	.group = "apps", .kind = "Deployment",
	.name = xb_check_dns1123_subdomain,
	.defaults = defaults,
	.prepare_create = prepare_create,
	.validate = validate,
	.validate_update = validate_update,
	.validate_status = validate_status,
	.has_generation = true,
	.unconditional_update = true,
	COLUMNS(columns),
	.row = row,
};
