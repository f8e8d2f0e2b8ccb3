/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "edit.h"
#include "pod.h"
#include "replicationcontroller.h"
#include "table.h"

/* Without selector or labels of its own the controller takes its template's. */
static void defaults(struct write *w, struct xb_node *object)
{
	struct xb_node *spec = edit_obtain(w, object, "spec"), *template = xb_tree_get(spec, "template");
	struct xb_node *meta = edit_obtain(w, object, "metadata"), *labels = xb_tree_path(template, "metadata", "labels");

	if (!edit_is_empty(labels) && edit_is_empty(xb_tree_get(spec, "selector")))
		edit_node(w, spec, "selector", xb_tree_copy(w->arena, labels));
	if (!edit_is_empty(labels) && edit_is_empty(xb_tree_get(meta, "labels")))
		edit_node(w, meta, "labels", xb_tree_copy(w->arena, labels));
	if (!xb_tree_get(spec, "replicas"))
		edit_int(w, spec, "replicas", 1);
	if (template)
		pod_spec_defaults(w, edit_obtain(w, template, "spec"));
}

static void prepare_create(struct write *w, struct xb_node *object)
{
	edit_json(w, object, "status", "{\"replicas\":0}");
}

static void prepare_update(struct write *w, struct xb_node *object, const struct xb_node *old)
{
	edit_keep(w, object, old, "status");
}

static bool selects(const struct xb_node *selector, const struct xb_node *labels)
{
	xb_tree_each(term, selector)
		if (!xb_tree_equal(xb_tree_getsv(labels, term->key), term))
			return false;
	return true;
}

static void validate_template(struct write *w, const struct xb_path *at, const struct xb_node *spec, struct xb_field_errors *e)
{
	static const char *const restarts[] = { "Always", NULL };
	const struct xb_node *template = xb_tree_get(spec, "template"), *pod = xb_tree_get(template, "spec");
	const struct xb_node *labels = xb_tree_path(template, "metadata", "labels"),
						    *annotations = xb_tree_path(template, "metadata", "annotations");
	const struct xb_path *meta_path = XB_PATH(at, "metadata"), *spec_path = XB_PATH(at, "spec");

	if (!template) {
		xb_err_required(e, at, "");
		return;
	}
	if (!edit_is_empty(xb_tree_get(spec, "selector")) && !selects(xb_tree_get(spec, "selector"), labels))
		xb_err_invalid(e, XB_PATH(meta_path, "labels"), labels, "`selector` does not match template `labels`");
	if (labels)
		xb_validate_labels(e, XB_PATH(meta_path, "labels"), labels);
	if (annotations)
		xb_validate_annotations(e, XB_PATH(meta_path, "annotations"), annotations);
	pod_spec_validate(w, spec_path, pod, e);
	if (xb_tree_gettext(pod, "restartPolicy").n && !xb_tree_is(xb_tree_get(pod, "restartPolicy"), "Always"))
		xb_err_unsupported(e, XB_PATH(spec_path, "restartPolicy"), xb_tree_gettext(pod, "restartPolicy"), restarts);
	if (xb_tree_get(pod, "activeDeadlineSeconds"))
		xb_err_forbidden(e, XB_PATH(spec_path, "activeDeadlineSeconds"),
				 "activeDeadlineSeconds in ReplicationController is not Supported");
}

static void validate(struct write *w, const struct xb_node *object, struct xb_field_errors *e)
{
	const struct xb_node *spec = xb_tree_get(object, "spec"), *selector = xb_tree_get(spec, "selector");
	const struct xb_path *at = XB_PATH(NULL, "spec");

	xb_validate_nonnegative(e, XB_PATH(at, "minReadySeconds"), xb_tree_geti64(spec, "minReadySeconds", 0));
	if (edit_is_empty(selector))
		xb_err_required(e, XB_PATH(at, "selector"), "");
	xb_validate_nonnegative(e, XB_PATH(at, "replicas"), xb_tree_geti64(spec, "replicas", 0));
	validate_template(w, XB_PATH(at, "template"), spec, e);
}

static void validate_status(struct write *w, const struct xb_node *object, const struct xb_node *old, struct xb_field_errors *e)
{
	static const char *const counts[] = { "replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration" };
	const struct xb_node *status = xb_tree_get(object, "status");
	const struct xb_path *at = XB_PATH(NULL, "status");
	int64_t replicas = xb_tree_geti64(status, "replicas", 0), available = xb_tree_geti64(status, "availableReplicas", 0);

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		xb_validate_nonnegative(e, XB_PATH(at, counts[i]), xb_tree_geti64(status, counts[i], 0));
	for (size_t i = 1; i < 4; i++)
		if (xb_tree_geti64(status, counts[i], 0) > replicas)
			xb_err_invalid(e, XB_PATH(at, counts[i]), xb_tree_get(status, counts[i]),
				       "cannot be greater than status.replicas");
	if (available > xb_tree_geti64(status, "readyReplicas", 0))
		xb_err_invalid(e, XB_PATH(at, "availableReplicas"), xb_tree_get(status, "availableReplicas"),
			       "cannot be greater than readyReplicas");
}

/* --- scale */

static struct xb_node *selector_text(struct write *w, const struct xb_node *selector)
{
	_cleanup_buf_ struct xb_buf b = {};
	struct xb_sv text;

	xb_tree_each(term, selector)
		xb_buf_addf(&b, "%s%.*s=%.*s", b.n ? "," : "", XB_SV_ARG(term->key), XB_SV_ARG(xb_tree_text(term)));
	text = xb_arena_sv(w->arena, xb_buf_sv(&b));
	return b.err || !text.p ? NULL : xb_tree_str(w->arena, text);
}

struct xb_node *rc_to_scale(struct write *w, const struct xb_node *rc)
{
	static const char *const shown[] = { "name", "namespace", "uid", "resourceVersion", "creationTimestamp" };
	struct xb_node *scale = xb_tree_parse(w->arena,
		"{\"kind\":\"Scale\",\"apiVersion\":\"autoscaling/v1\",\"metadata\":{},\"spec\":{},\"status\":{}}");
	struct xb_node *meta = xb_tree_get(scale, "metadata"), *status = xb_tree_get(scale, "status");
	int64_t replicas = xb_tree_geti64(xb_tree_get(rc, "spec"), "replicas", 0);

	if (!scale)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
		edit_keep(w, meta, xb_tree_get(rc, "metadata"), shown[i]);
	if (replicas)
		edit_int(w, xb_tree_get(scale, "spec"), "replicas", replicas);
	edit_int(w, status, "replicas", xb_tree_geti64(xb_tree_get(rc, "status"), "replicas", 0));
	edit_node(w, status, "selector", selector_text(w, xb_tree_path(rc, "spec", "selector")));
	return w->no_memory ? NULL : scale;
}

int rc_from_scale(struct write *w, struct xb_node *rc, const struct xb_node *scale, struct xb_status *reterr)
{
	struct xb_field_errors e = { .arena = w->arena };
	int64_t replicas = xb_tree_geti64(xb_tree_get(scale, "spec"), "replicas", 0);
	int r;

	xb_validate_nonnegative(&e, XB_PATH(XB_PATH(NULL, "spec"), "replicas"), replicas);
	r = xb_field_errors_status(&e, "autoscaling", "Scale", w->name, reterr);
	if (r < 0)
		return r;
	edit_int(w, xb_tree_get(rc, "spec"), "replicas", replicas);
	return w->no_memory ? -ENOMEM : 0;
}

/* --- table */

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Desired", "integer", "", "Replicas is the number of desired replicas. This is a pointer to distinguish between explicit zero and unspecified. Defaults to 1. More info: https://kubernetes.io/docs/concepts/workloads/controllers/replicationcontroller#what-is-a-replicationcontroller", 0 },
	{ "Current", "integer", "", "Replicas is the most recently observed number of replicas. More info: https://kubernetes.io/docs/concepts/workloads/controllers/replicationcontroller#what-is-a-replicationcontroller", 0 },
	{ "Ready", "integer", "", "The number of ready replicas for this replication controller.", 0 },
	COLUMN_AGE,
	{ "Containers", "string", "", "Names of each container in the template.", 1 },
	{ "Images", "string", "", "Images referenced by each container in the template.", 1 },
	{ "Selector", "string", "", "Selector is a label query over pods that should match the Replicas count. If Selector is empty, it is defaulted to the labels present on the Pod template. Label keys and values that must match in order to be controlled by this replication controller, if empty defaulted to labels on Pod template. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors", 1 },
};

static void cell_each(struct table_row *r, struct xb_jv list, const char *key)
{
	_cleanup_buf_ struct xb_buf b = {};

	cell_open(&b);
	for (struct xb_jit it = xb_jv_iter(list); xb_jit_next(&it);)
		cell_join(&b, xb_jv_text(xb_jv_get(it.value, key)));
	cell_close(r, &b, "");
}

static void row(struct table_row *r, struct xb_jv object)
{
	struct xb_jv spec = xb_jv_get(object, "spec"), status = xb_jv_get(object, "status");
	struct xb_jv containers = xb_jv_path(spec, "template", "spec", "containers");

	cell_name(r, object);
	cell_int(r, xb_jv_get(spec, "replicas"), 0);
	cell_int(r, xb_jv_get(status, "replicas"), 0);
	cell_int(r, xb_jv_get(status, "readyReplicas"), 0);
	cell_age(r, object);
	cell_each(r, containers, "name");
	cell_each(r, containers, "image");
	cell_labels(r, xb_jv_get(spec, "selector"));
}

const struct strategy replication_controller_strategy = {
	.group = "", .kind = "ReplicationController",
	.name = xb_check_dns1123_subdomain,
	.defaults = defaults,
	.prepare_create = prepare_create,
	.prepare_update = prepare_update,
	.validate = validate,
	.validate_status = validate_status,
	.has_generation = true,
	.unconditional_update = true,
	.default_propagation = "Orphan",
	COLUMNS(columns),
	.row = row,
};
