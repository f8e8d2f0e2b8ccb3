/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "volume_access.h"
#include "edit.h"
#include "table.h"

static const struct {
	const char *name, *brief;
} modes[] = {
	{ "ReadWriteOnce", "RWO" }, { "ReadOnlyMany", "ROX" }, { "ReadWriteMany", "RWX" }, { "ReadWriteOncePod", "RWOP" },
};

void volume_validate_access(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *spec, const char *required)
{
	static const char *const access[] = { "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod", NULL };
	static const char *const volume[] = { "Block", "Filesystem", NULL };
	const struct xb_tree *list = xb_tree_get(spec, "accessModes");
	const struct xb_path *here = XB_PATH(at, "accessModes");
	bool alone = false;

	if (edit_is_empty(list))
		xb_err_required(e, here, required);
	xb_tree_each(mode, list) {
		xb_validate_one_of(e, here, xb_tree_text(mode), access);
		alone |= xb_tree_is(mode, "ReadWriteOncePod");
	}
	if (alone && list->count > 1)
		xb_err_forbidden(e, here, "may not use ReadWriteOncePod with other access modes");
	if (xb_tree_get(spec, "volumeMode"))
		xb_validate_one_of(e, XB_PATH(at, "volumeMode"), xb_tree_gettext(spec, "volumeMode"), volume);
}

void cell_phase(struct table_row *r, struct xb_jv object)
{
	if (xb_jv_is(xb_jv_path(object, "metadata", "deletionTimestamp")))
		xb_jw_str(r->w, "Terminating");
	else
		cell_text(r, xb_jv_path(object, "status", "phase"), "");
}

static bool has_mode(struct xb_jv list, const char *name)
{
	for (struct xb_jit it = xb_jv_iter(list); xb_jit_next(&it);)
		if (xb_sv_is(xb_jv_text(it.value), name))
			return true;
	return false;
}

void cell_access_modes(struct table_row *r, struct xb_jv list)
{
	_cleanup_buf_ struct xb_buf b = {};

	cell_open(&b);
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		if (has_mode(list, modes[i].name))
			cell_join(&b, xb_sv(modes[i].brief));
	cell_close(r, &b, "");
}
