/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <ctype.h>
#include "../stored.h"
#include "edit.h"
#include "table.h"

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	if (!xb_tree_get(object, "data"))
		xb_err_required(e, XB_PATH(NULL, "data"), "data is mandatory");
	xb_validate_nonnegative(e, XB_PATH(NULL, "revision"), xb_tree_geti64(object, "revision", 0));
}

static void validate_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	xb_validate_immutable(e, XB_PATH(NULL, "data"), xb_tree_get(object, "data"), xb_tree_get(old, "data"));
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Controller", "string", "", "Controller of the object", 0 },
	{ "Revision", "string", "", "Revision indicates the revision of the state represented by Data.", 0 },
	COLUMN_AGE,
};

/* "daemonset.apps/name" */
static void cell_controller(struct table_row *r, struct xb_jv owner)
{
	struct xb_sv version = xb_jv_text(xb_jv_get(owner, "apiVersion")), kind = xb_jv_text(xb_jv_get(owner, "kind")), group = {};
	_cleanup_buf_ struct xb_buf b = {};

	cell_open(&b);
	for (size_t i = 0; i < kind.n; i++)
		xb_buf_addc(&b, (char)tolower((unsigned char)kind.p[i]));
	if (memchr(version.p ? version.p : "", '/', version.n) && xb_sv_split(&version, '/', &group))
		xb_buf_addf(&b, ".%.*s", XB_SV_ARG(group));
	xb_buf_addc(&b, '/');
	xb_buf_addsv(&b, xb_jv_text(xb_jv_get(owner, "name")));
	cell_close(r, &b, "");
}

static void row(struct table_row *r, struct xb_jv object)
{
	struct xb_jv controller = {};

	for (struct xb_jit it = xb_jv_iter(stored_whole(xb_jv_path(object, "metadata", "ownerReferences"))); xb_jit_next(&it);)
		if (xb_jv_true(xb_jv_get(it.value, "controller")))
			controller = it.value;
	cell_name(r, object);
	if (xb_jv_is(controller))
		cell_controller(r, controller);
	else
		xb_jw_str(r->w, "<none>");
	cell_int(r, xb_jv_get(object, "revision"), 0);
	cell_age(r, object);
}

const struct strategy controller_revision_strategy = {
	.group = "apps", .kind = "ControllerRevision",
	.name = xb_check_dns1123_subdomain,
	.validate = validate,
	.validate_update = validate_update,
	.unconditional_update = true,
	COLUMNS(columns),
	.row = row,
};
