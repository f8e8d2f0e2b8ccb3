/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "edit.h"
#include "label_selector.h"
#include "table.h"
#include "workload.h"

static void defaults(struct write *w, struct xb_tree *object)
{
	struct xb_tree *spec = edit_obtain(w, object, "spec"), *strategy = edit_obtain(w, spec, "updateStrategy"), *rolling, *claims;

	workload_defaults(w, spec);
	if (!xb_tree_get(strategy, "type")) {
		edit_str(w, strategy, "type", "RollingUpdate");
		(void)edit_obtain(w, strategy, "rollingUpdate");
	}
	rolling = xb_tree_get(strategy, "rollingUpdate");
	if (rolling && xb_tree_is(xb_tree_get(strategy, "type"), "RollingUpdate") && !xb_tree_get(rolling, "partition"))
		edit_int(w, rolling, "partition", 0);
	claims = edit_obtain(w, spec, "persistentVolumeClaimRetentionPolicy");
	edit_str_default(w, claims, "whenDeleted", "Retain");
	edit_str_default(w, claims, "whenScaled", "Retain");
	xb_tree_each(claim, xb_tree_get(spec, "volumeClaimTemplates")) {
		edit_str(w, claim, "apiVersion", "v1");
		edit_str(w, claim, "kind", "PersistentVolumeClaim");
	}
}

static void prepare_create(struct write *w, struct xb_tree *object)
{
	edit_json(w, object, "status", "{\"replicas\":0}");
}

static void validate_strategy(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *strategy)
{
	const struct xb_tree *type = xb_tree_get(strategy, "type"), *rolling = xb_tree_get(strategy, "rollingUpdate");
	const struct xb_path *here = XB_PATH(at, "rollingUpdate");

	if (xb_tree_is(type, "RollingUpdate"))
		xb_validate_nonnegative(e, XB_PATH(here, "partition"), xb_tree_geti64(rolling, "partition", 0));
	else if (!xb_tree_is(type, "OnDelete"))
		xb_err_invalid(e, at, strategy, "must be 'RollingUpdate' or 'OnDelete'");
	else if (rolling)
		xb_err_invalid(e, here, rolling, "only allowed for updateStrategy 'RollingUpdate'");
}

static void validate_claim_policy(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *policy)
{
	static const char *const supported[] = { "Retain", "Delete", NULL }, *const when[] = { "whenDeleted", "whenScaled" };

	for (size_t i = 0; i < ARRAY_SIZE(when); i++)
		xb_validate_one_of(e, XB_PATH(at, when[i]), xb_tree_gettext(policy, when[i]), supported);
}

/* The pods' volumes come from the claims as well as from the template: upstream does not check the template's pod either. */
static void validate_template(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *template)
{
	const struct xb_tree *meta = xb_tree_get(template, "metadata");

	xb_validate_labels(e, XB_PATH(at, "labels"), xb_tree_get(meta, "labels"));
	xb_validate_annotations(e, XB_PATH(at, "annotations"), xb_tree_get(meta, "annotations"));
	workload_validate_restart(e, at, template, "StatefulSet");
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	static const char *const counts[] = { "replicas", "minReadySeconds", "revisionHistoryLimit", NULL }, *const starts[] = { "start", NULL };
	const struct xb_tree *spec = xb_tree_get(object, "spec"), *management = xb_tree_get(spec, "podManagementPolicy");
	const struct xb_path *at = XB_PATH(NULL, "spec");

	if (!xb_tree_is(management, "OrderedReady") && !xb_tree_is(management, "Parallel"))
		xb_err_invalid(e, XB_PATH(at, "podManagementPolicy"), management, "must be 'OrderedReady' or 'Parallel'");
	validate_strategy(e, XB_PATH(at, "updateStrategy"), xb_tree_get(spec, "updateStrategy"));
	validate_claim_policy(e, XB_PATH(at, "persistentVolumeClaimRetentionPolicy"), xb_tree_get(spec, "persistentVolumeClaimRetentionPolicy"));
	workload_validate_counts(e, at, spec, counts);
	workload_validate_counts(e, XB_PATH(at, "ordinals"), xb_tree_get(spec, "ordinals"), starts);
	workload_validate_selector(e, at, spec, true, "empty selector is invalid for statefulset");
	validate_template(e, XB_PATH(at, "template"), xb_tree_get(spec, "template"));
}

static void validate_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	static const char *const free_to_change[] = { "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
						      "persistentVolumeClaimRetentionPolicy", "minReadySeconds" };
	const struct xb_tree *before = xb_tree_get(old, "spec");
	struct xb_tree *spec = xb_tree_copy(w->arena, xb_tree_get(object, "spec"));

	for (size_t i = 0; spec && i < ARRAY_SIZE(free_to_change); i++)
		edit_keep(w, spec, before, free_to_change[i]);
	if (!spec)
		w->no_memory = true;
	else if (!xb_tree_equal(spec, before))
		xb_err_forbidden(e, XB_PATH(NULL, "spec"),
			"updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
			"'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
}

static void validate_status(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	static const char *const counts[] = { "replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "observedGeneration",
					      "collisionCount", "availableReplicas", NULL };
	static const char *const parts[] = { "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas", NULL };
	const struct xb_tree *status = xb_tree_get(object, "status");
	const struct xb_path *at = XB_PATH(NULL, "status");

	workload_validate_counts(e, at, status, counts);
	workload_validate_at_most(e, at, status, parts, "replicas", "cannot be greater than status.replicas");
	workload_validate_at_most(e, at, status, &parts[3], "readyReplicas", "cannot be greater than status.readyReplicas");
	workload_validate_collisions(e, status, xb_tree_get(old, "status"));
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Ready", "string", "", "Number of the pod with ready state", 0 },
	COLUMN_AGE,
	COLUMN_CONTAINERS,
	COLUMN_IMAGES,
};

static void row(struct table_row *r, struct xb_jv object)
{
	struct xb_jv spec = xb_jv_get(object, "spec");

	cell_name(r, object);
	cell_ratio(r, xb_jv_path(object, "status", "readyReplicas"), xb_jv_get(spec, "replicas"));
	cell_age(r, object);
	cell_containers(r, xb_jv_get(spec, "template"));
}

const struct strategy stateful_set_strategy = {
	.group = "apps", .kind = "StatefulSet",
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
