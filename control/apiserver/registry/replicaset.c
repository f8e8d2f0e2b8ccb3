/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "edit.h"
#include "label_selector.h"
#include "table.h"
#include "workload.h"

static void defaults(struct write *w, struct xb_tree *object)
{
	workload_defaults(w, edit_obtain(w, object, "spec"));
}

static void prepare_create(struct write *w, struct xb_tree *object)
{
	edit_json(w, object, "status", "{\"replicas\":0}");
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	static const char *const counts[] = { "replicas", "minReadySeconds", NULL };
	const struct xb_tree *spec = xb_tree_get(object, "spec"), *template = xb_tree_get(spec, "template");
	const struct xb_path *at = XB_PATH(NULL, "spec"), *template_path = XB_PATH(at, "template");

	workload_validate_counts(e, at, spec, counts);
	workload_validate_selector(e, at, spec, true, "empty selector is invalid for deployment");
	workload_validate_template(w, template_path, template, e);
	workload_validate_restart(e, template_path, template, "ReplicaSet");
}

static void validate_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	label_selector_validate_immutable(e, XB_PATH(XB_PATH(NULL, "spec"), "selector"), xb_tree_path(object, "spec", "selector"),
					  xb_tree_path(old, "spec", "selector"));
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Desired", "integer", "", "Replicas is the number of desired pods. This is a pointer to distinguish between explicit zero and unspecified. Defaults to 1. More info: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset", 0 },
	{ "Current", "integer", "", "Replicas is the most recently observed number of non-terminating pods. More info: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset", 0 },
	{ "Ready", "integer", "", "The number of non-terminating pods targeted by this ReplicaSet with a Ready Condition.", 0 },
	COLUMN_AGE,
	COLUMN_CONTAINERS,
	COLUMN_IMAGES,
	{ "Selector", "string", "", "Selector is a label query over pods that should match the replica count. Label keys and values that must match in order to be controlled by this replica set. It must match the pod template's labels. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors", 1 },
};

static void row(struct table_row *r, struct xb_jv object)
{
	workload_row_of_replicas(r, object);
	cell_label_selector(r, xb_jv_path(object, "spec", "selector"));
}

const struct strategy replica_set_strategy = {
	.group = "apps", .kind = "ReplicaSet",
	.name = xb_check_dns1123_subdomain,
	.defaults = defaults,
	.prepare_create = prepare_create,
	.validate = validate,
	.validate_update = validate_update,
	.validate_status = workload_validate_replicas,
	.has_generation = true,
	.unconditional_update = true,
	COLUMNS(columns),
	.row = row,
};
