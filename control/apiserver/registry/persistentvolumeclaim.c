/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "amounts.h"
#include "edit.h"
#include "label_selector.h"
#include "table.h"
#include "volume_access.h"

static void prepare_create(struct write *w, struct xb_tree *object)
{
	edit_json(w, object, "status", "{\"phase\":\"Pending\"}");
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	const struct xb_tree *spec = xb_tree_get(object, "spec"), *storage = xb_tree_path(spec, "resources", "requests", "storage");
	const struct xb_path *at = XB_PATH(NULL, "spec"), *resources_path = XB_PATH(at, "resources");
	struct xb_sv class = xb_tree_gettext(spec, "storageClassName");

	label_selector_validate(e, XB_PATH(at, "selector"), xb_tree_get(spec, "selector"));
	volume_validate_access(e, at, spec, "at least 1 access mode is required");
	if (storage)
		amount_validate_positive(e, XB_PATH_KEY(XB_PATH(resources_path, "requests"), XB_SV("storage")), storage);
	else
		xb_err_required(e, XB_PATH_KEY(resources_path, XB_SV("storage")), "");
	if (class.n)
		xb_validate(e, XB_PATH(at, "storageClassName"), class, xb_check_dns1123_subdomain);
}

static void validate_growth(struct xb_field_errors *e, const struct xb_tree *object, const struct xb_tree *old)
{
	const struct xb_tree *requests = xb_tree_path(object, "spec", "resources", "requests");
	const struct xb_path *at = XB_PATH(XB_PATH(XB_PATH(NULL, "spec"), "resources"), "requests");
	struct xb_quantity now, before, held;

	if (!amount_get(requests, "storage", &now) || !amount_get(xb_tree_path(old, "spec", "resources", "requests"), "storage", &before) ||
	    xb_quantity_cmp(&now, &before) >= 0)
		return;
	if (amount_get(xb_tree_path(old, "status", "capacity"), "storage", &held) && xb_quantity_cmp(&now, &held) > 0)
		return;
	xb_err_forbidden(e, XB_PATH(at, "storage"), "field can not be less than status.capacity");
}

/* The scheduler and the binder fill in volumeName; a claim that is bound may ask for more. */
static void validate_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old_object, struct xb_field_errors *e)
{
	const struct xb_tree *old = xb_tree_get(old_object, "spec");
	struct xb_tree *spec = xb_tree_copy(w->arena, xb_tree_get(object, "spec"));
	bool bound = xb_tree_is(xb_tree_path(old_object, "status", "phase"), "Bound");

	if (!spec) {
		w->no_memory = true;
		return;
	}
	if (!xb_tree_gettext(old, "volumeName").n)
		edit_keep(w, spec, old, "volumeName");
	if (!xb_tree_get(old, "storageClassName"))
		edit_keep(w, spec, old, "storageClassName");
	if (bound) {
		edit_keep(w, edit_obtain(w, spec, "resources"), xb_tree_get(old, "resources"), "requests");
		edit_keep(w, spec, old, "volumeAttributesClassName");
	}
	if (!xb_tree_equal(spec, old))
		xb_err_forbidden(e, XB_PATH(NULL, "spec"),
				 "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims");
	else if (bound)
		validate_growth(e, object, old_object);
}

static void validate_status(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	const struct xb_tree *status = xb_tree_get(object, "status");
	const struct xb_path *at = XB_PATH(NULL, "status");

	if (edit_is_empty(xb_tree_path(object, "spec", "accessModes")))
		xb_err_required(e, XB_PATH(XB_PATH(NULL, "Spec"), "accessModes"), "");
	amounts_validate_nonnegative(e, XB_PATH(at, "capacity"), xb_tree_get(status, "capacity"));
	amounts_validate_nonnegative(e, XB_PATH(at, "allocatedResources"), xb_tree_get(status, "allocatedResources"));
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Status", "string", "", "phase represents the current phase of PersistentVolumeClaim.", 0 },
	{ "Volume", "string", "", "volumeName is the binding reference to the PersistentVolume backing this claim.", 0 },
	{ "Capacity", "string", "", "capacity represents the actual resources of the underlying volume.", 0 },
	{ "Access Modes", "string", "", "accessModes contains the actual access modes the volume backing the PVC has. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#access-modes-1", 0 },
	{ "StorageClass", "string", "", "StorageClass of the pvc", 0 },
	COLUMN_AGE,
	{ "VolumeMode", "string", "", "volumeMode defines what type of volume is required by the claim. Value of Filesystem is implied when not included in claim spec.", 1 },
};

static void row(struct table_row *r, struct xb_jv object)
{
	struct xb_jv spec = xb_jv_get(object, "spec"), status = xb_jv_get(object, "status");
	bool bound = xb_jv_text(xb_jv_get(spec, "volumeName")).n > 0;

	cell_name(r, object);
	cell_phase(r, object);
	cell_text(r, xb_jv_get(spec, "volumeName"), "");
	cell_text(r, bound ? xb_jv_path(status, "capacity", "storage") : (struct xb_jv){}, "");
	cell_access_modes(r, bound ? xb_jv_get(status, "accessModes") : (struct xb_jv){});
	cell_text(r, xb_jv_get(spec, "storageClassName"), "");
	cell_age(r, object);
	cell_text(r, xb_jv_get(spec, "volumeMode"), "<unset>");
}

const struct strategy persistent_volume_claim_strategy = {
	.group = "", .kind = "PersistentVolumeClaim",
	.name = xb_check_dns1123_subdomain,
	.prepare_create = prepare_create,
	.validate = validate,
	.validate_update = validate_update,
	.validate_status = validate_status,
	.unconditional_update = true,
	.returns_deleted = true,
	COLUMNS(columns),
	.row = row,
};
