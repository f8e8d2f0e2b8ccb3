/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "edit.h"
#include "table.h"

static void prepare_create(struct write *w, struct xb_tree *object)
{
	edit_json(w, object, "status", "{\"attached\":false}");
}

static void validate_source(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *source)
{
	const struct xb_tree *volume = xb_tree_get(source, "persistentVolumeName"), *inlined = xb_tree_get(source, "inlineVolumeSpec");

	if (!volume == !inlined) {
		if (volume)
			xb_err_forbidden(e, at, "must specify exactly one of inlineVolumeSpec and persistentVolumeName");
		else
			xb_err_required(e, at, "must specify exactly one of inlineVolumeSpec and persistentVolumeName");
		return;
	}
	if (volume && !volume->text.n)
		xb_err_required(e, XB_PATH(at, "persistentVolumeName"), "must specify non empty persistentVolumeName");
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	const struct xb_tree *spec = xb_tree_get(object, "spec");
	struct xb_sv attacher = xb_tree_gettext(spec, "attacher"), node = xb_tree_gettext(spec, "nodeName");
	const struct xb_path *at = XB_PATH(NULL, "spec");

	if (!attacher.n)
		xb_err_required(e, XB_PATH(at, "attacher"), "");
	xb_validate(e, XB_PATH(at, "attacher"), attacher, xb_check_dns1123_subdomain);
	validate_source(e, XB_PATH(at, "source"), xb_tree_get(spec, "source"));
	xb_validate(e, XB_PATH(at, "nodeName"), node, xb_check_dns1123_subdomain);
}

static void validate_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	if (!edit_same(object, old, "spec"))
		xb_err_invalid(e, XB_PATH(NULL, "spec"), xb_tree_get(object, "spec"), "field is immutable");
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Attacher", "string", "format", "Attacher indicates the name of the volume driver that MUST handle this request. This is the name returned by GetPluginName().", 0 },
	{ "PV", "string", "", "Source represents the volume that should be attached.", 0 },
	{ "Node", "string", "", "The node that the volume should be attached to.", 0 },
	{ "Attached", "boolean", "", "Indicates the volume is successfully attached.", 0 },
	COLUMN_AGE,
};

static void row(struct table_row *r, struct xb_jv object)
{
	struct xb_jv spec = xb_jv_get(object, "spec");

	cell_name(r, object);
	cell_text(r, xb_jv_get(spec, "attacher"), "");
	cell_text(r, xb_jv_path(spec, "source", "persistentVolumeName"), "");
	cell_text(r, xb_jv_get(spec, "nodeName"), "");
	xb_jw_bool(r->w, xb_jv_true(xb_jv_path(object, "status", "attached")));
	cell_age(r, object);
}

const struct strategy volume_attachment_strategy = {
	.group = "storage.k8s.io", .kind = "VolumeAttachment",
	.name = xb_check_dns1123_subdomain,
	.prepare_create = prepare_create,
	.validate = validate,
	.validate_update = validate_update,
	.returns_deleted = true,
	COLUMNS(columns),
	.row = row,
};
