/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "edit.h"
#include "table.h"
#include "workload.h"

/* Without selector or labels of its own the controller takes its template's. */
static void defaults(struct write *w, struct xb_tree *object)
{
	struct xb_tree *spec = edit_obtain(w, object, "spec"), *template = xb_tree_get(spec, "template");
	struct xb_tree *meta = edit_obtain(w, object, "metadata"), *labels = xb_tree_path(template, "metadata", "labels");

	if (!edit_is_empty(labels) && edit_is_empty(xb_tree_get(spec, "selector")))
		edit_node(w, spec, "selector", xb_tree_copy(w->arena, labels));
	if (!edit_is_empty(labels) && edit_is_empty(xb_tree_get(meta, "labels")))
		edit_node(w, meta, "labels", xb_tree_copy(w->arena, labels));
	if (!xb_tree_get(spec, "replicas"))
		edit_int(w, spec, "replicas", 1);
	workload_defaults(w, spec);
}

static void prepare_create(struct write *w, struct xb_tree *object)
{
	edit_json(w, object, "status", "{\"replicas\":0}");
}

static void prepare_update(struct write *w, struct xb_tree *object, const struct xb_tree *old)
{
	edit_keep(w, object, old, "status");
}

static bool selects(const struct xb_tree *selector, const struct xb_tree *labels)
{
	xb_tree_each(term, selector)
		if (!xb_tree_equal(xb_tree_getsv(labels, term->key), term))
			return false;
	return true;
}

static void validate_template(struct write *w, const struct xb_path *at, const struct xb_tree *spec, struct xb_field_errors *e)
{
	const struct xb_tree *template = xb_tree_get(spec, "template"), *labels = xb_tree_path(template, "metadata", "labels");

	if (!template) {
		xb_err_required(e, at, "");
		return;
	}
	if (!selects(xb_tree_get(spec, "selector"), labels))
		xb_err_invalid(e, XB_PATH(XB_PATH(at, "metadata"), "labels"), labels, "`selector` does not match template `labels`");
	workload_validate_template(w, at, template, e);
	workload_validate_restart(e, at, template, "ReplicationController");
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	const struct xb_tree *spec = xb_tree_get(object, "spec"), *selector = xb_tree_get(spec, "selector");
	const struct xb_path *at = XB_PATH(NULL, "spec");

	xb_validate_nonnegative(e, XB_PATH(at, "minReadySeconds"), xb_tree_geti64(spec, "minReadySeconds", 0));
	if (edit_is_empty(selector))
		xb_err_required(e, XB_PATH(at, "selector"), "");
	xb_validate_nonnegative(e, XB_PATH(at, "replicas"), xb_tree_geti64(spec, "replicas", 0));
	validate_template(w, XB_PATH(at, "template"), spec, e);
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Desired", "integer", "", "Replicas is the number of desired replicas. This is a pointer to distinguish between explicit zero and unspecified. Defaults to 1. More info: https://kubernetes.io/docs/concepts/workloads/controllers/replicationcontroller#what-is-a-replicationcontroller", 0 },
	{ "Current", "integer", "", "Replicas is the most recently observed number of replicas. More info: https://kubernetes.io/docs/concepts/workloads/controllers/replicationcontroller#what-is-a-replicationcontroller", 0 },
	{ "Ready", "integer", "", "The number of ready replicas for this replication controller.", 0 },
	COLUMN_AGE,
	COLUMN_CONTAINERS,
	COLUMN_IMAGES,
	{ "Selector", "string", "", "Selector is a label query over pods that should match the Replicas count. If Selector is empty, it is defaulted to the labels present on the Pod template. Label keys and values that must match in order to be controlled by this replication controller, if empty defaulted to labels on Pod template. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors", 1 },
};

static void row(struct table_row *r, struct xb_jv object)
{
	workload_row_of_replicas(r, object);
	cell_labels(r, xb_jv_path(object, "spec", "selector"));
}

const struct strategy replication_controller_strategy = {
	.group = "", .kind = "ReplicationController",
	.name = xb_check_dns1123_subdomain,
	.defaults = defaults,
	.prepare_create = prepare_create,
	.prepare_update = prepare_update,
	.validate = validate,
	.validate_status = workload_validate_replicas,
	.has_generation = true,
	.unconditional_update = true,
	.default_propagation = "Orphan",
	COLUMNS(columns),
	.row = row,
};
