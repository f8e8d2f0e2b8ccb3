/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "table.h"
#include "workload.h"

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	workload_validate_template(w, XB_PATH(NULL, "template"), xb_tree_get(object, "template"), e);
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Containers", "string", "", "Names of each container in the template.", 0 },
	{ "Images", "string", "", "Images referenced by each container in the template.", 0 },
	{ "Pod Labels", "string", "", "The labels for the pod template.", 0 },
};

static void row(struct table_row *r, struct xb_jv object)
{
	struct xb_jv template = xb_jv_get(object, "template");

	cell_name(r, object);
	cell_containers(r, template);
	cell_labels(r, xb_jv_path(template, "metadata", "labels"));
}

const struct strategy pod_template_strategy = {
	.group = "", .kind = "PodTemplate",
	.name = xb_check_dns1123_subdomain,
	.defaults = workload_defaults,
	.validate = validate,
	.has_generation = true,
	.unconditional_update = true,
	.returns_deleted = true,
	COLUMNS(columns),
	.row = row,
};
