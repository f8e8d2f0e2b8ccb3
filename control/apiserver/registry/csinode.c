/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "edit.h"
#include "seen.h"
#include "table.h"

enum { NODE_ID_MAX = 192, DRIVER_NAME_MAX = 63 };

static void validate_driver_name(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv name)
{
	if (!name.n)
		xb_err_required(e, at, "");
	if (name.n > DRIVER_NAME_MAX)
		xb_err_too_long(e, at, DRIVER_NAME_MAX);
	xb_validate(e, at, name, xb_check_dns1123_subdomain);
}

static void validate_driver(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *driver)
{
	const struct xb_tree *count = xb_tree_path(driver, "allocatable", "count");
	struct xb_sv id = xb_tree_gettext(driver, "nodeID");
	struct seen keys = SEEN(e);
	int64_t n = 0;

	validate_driver_name(e, XB_PATH(at, "name"), xb_tree_gettext(driver, "name"));
	if (!id.n)
		xb_err_required(e, XB_PATH(at, "nodeID"), "");
	if (id.n > NODE_ID_MAX)
		xb_err_invalid_sv(e, XB_PATH(at, "nodeID"), id, "must be %d characters or less", NODE_ID_MAX);
	if (count && !xb_tree_i64(count, &n) && n < 0)
		xb_err_invalid(e, XB_PATH(XB_PATH(at, "allocatable"), "count"), count, "must be greater than or equal to 0");
	xb_tree_each(key, xb_tree_get(driver, "topologyKeys")) {
		if (!key->text.n)
			xb_err_required(e, at, "");
		else if (seen_text(&keys, key->text))
			xb_err_duplicate(e, at, key->text);
		xb_validate(e, at, key->text, xb_check_qualified_name);
	}
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	const struct xb_path *at = XB_PATH(XB_PATH(NULL, "spec"), "drivers");
	struct seen names = SEEN(e);
	long i = 0;

	xb_tree_each(driver, xb_tree_path(object, "spec", "drivers")) {
		const struct xb_path *here = XB_PATH_AT(at, i++);

		validate_driver(e, here, driver);
		if (seen_text(&names, xb_tree_gettext(driver, "name")))
			xb_err_duplicate(e, XB_PATH(here, "name"), xb_tree_gettext(driver, "name"));
	}
}

/* A driver may come and go; one that stays keeps its identity. */
static void validate_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old_object, struct xb_field_errors *e)
{
	static const char *const kept[] = { "nodeID", "topologyKeys" };
	const struct xb_path *at = XB_PATH(XB_PATH(NULL, "spec"), "drivers");
	long i = 0;

	xb_tree_each(driver, xb_tree_path(object, "spec", "drivers")) {
		const struct xb_path *here = XB_PATH_AT(at, i++);

		xb_tree_each(old, xb_tree_path(old_object, "spec", "drivers"))
			for (unsigned k = 0; k < ARRAY_SIZE(kept) && edit_same(driver, old, "name"); k++)
				if (!edit_same(driver, old, kept[k]))
					xb_err_invalid(e, XB_PATH(here, kept[k]), xb_tree_get(driver, kept[k]), "field is immutable");
	}
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Drivers", "integer", "", "Drivers indicates the number of CSI drivers registered on the node", 0 },
	COLUMN_AGE,
};

static void row(struct table_row *r, struct xb_jv object)
{
	cell_name(r, object);
	xb_jw_int(r->w, (int64_t)xb_jv_count(xb_jv_path(object, "spec", "drivers")));
	cell_age(r, object);
}

const struct strategy csi_node_strategy = {
	.group = "storage.k8s.io", .kind = "CSINode",
	.name = xb_check_dns1123_subdomain,
	.validate = validate,
	.validate_update = validate_update,
	.returns_deleted = true,
	COLUMNS(columns),
	.row = row,
};
