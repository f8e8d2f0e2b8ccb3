/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "edit.h"
#include "label_selector.h"
#include "table.h"
#include "xb/quantity.h"

static void validate_size(struct xb_field_errors *e, const struct xb_tree *object, const char *key)
{
	struct xb_sv size = xb_tree_gettext(object, key);
	struct xb_quantity q;

	if (size.n && !xb_quantity_parse(size, &q) && q.nano < 0)
		xb_err_invalid_sv(e, XB_PATH(NULL, key), size, "must be greater than or equal to 0");
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	label_selector_validate(e, XB_PATH(NULL, "nodeTopology"), xb_tree_get(object, "nodeTopology"));
	xb_validate(e, XB_PATH(NULL, "storageClassName"), xb_tree_gettext(object, "storageClassName"), xb_check_dns1123_subdomain);
	validate_size(e, object, "capacity");
	validate_size(e, object, "maximumVolumeSize");
}

static void validate_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	static const char *const kept[] = { "nodeTopology", "storageClassName" };

	for (unsigned i = 0; i < ARRAY_SIZE(kept); i++)
		xb_validate_immutable(e, XB_PATH(NULL, kept[i]), xb_tree_get(object, kept[i]), xb_tree_get(old, kept[i]));
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "StorageClassName", "string", "", "storageClassName represents the name of the StorageClass that the reported capacity applies to.", 0 },
	{ "Capacity", "string", "", "capacity is the value reported by the CSI driver in its GetCapacityResponse for a GetCapacityRequest with topology and parameters that match the previous fields.", 0 },
	COLUMN_AGE,
};

static void row(struct table_row *r, struct xb_jv object)
{
	cell_name(r, object);
	cell_text(r, xb_jv_get(object, "storageClassName"), "");
	cell_text(r, xb_jv_get(object, "capacity"), "<unset>");
	cell_age(r, object);
}

const struct strategy csi_storage_capacity_strategy = {
	.group = "storage.k8s.io", .kind = "CSIStorageCapacity",
	.name = xb_check_dns1123_subdomain,
	.validate = validate,
	.validate_update = validate_update,
	.returns_deleted = true,
	COLUMNS(columns),
	.row = row,
};
