/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <ctype.h>

#include "edit.h"
#include "seen.h"
#include "table.h"

enum { PARAMETERS_MAX = 512, PARAMETERS_BYTES = 256 * 1024 };

static void validate_provisioner(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv provisioner)
{
	char *lower = xb_arena_strn(e->arena, provisioner);
	const char *faults[XB_CHECK_MAX];
	unsigned n;

	if (!lower)
		e->no_memory = true;
	if (!provisioner.n)
		xb_err_required(e, at, "");
	if (!lower || !provisioner.n)
		return;
	for (char *p = lower; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	n = xb_check_qualified_name(xb_sv(lower), faults);
	for (unsigned i = 0; i < n; i++)
		xb_err_invalid_sv(e, at, provisioner, "%s", faults[i]);
}

static void validate_parameters(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *parameters)
{
	size_t bytes = 0;

	if (parameters && parameters->count > PARAMETERS_MAX) {
		xb_err_too_long(e, at, PARAMETERS_MAX);
		return;
	}
	xb_tree_each(p, parameters) {
		if (!p->key.n)
			xb_err_invalid_sv(e, at, p->key, "field can not be empty.");
		bytes += p->key.n + p->text.n;
	}
	if (bytes > PARAMETERS_BYTES)
		xb_err_too_long(e, at, PARAMETERS_BYTES);
}

static void validate_topology(struct xb_field_errors *e, const struct xb_path *term_path, const struct xb_tree *term)
{
	const struct xb_path *at = XB_PATH(term_path, "matchLabelExpressions");
	struct seen keys = SEEN(e);
	long i = 0;

	xb_tree_each(expression, xb_tree_get(term, "matchLabelExpressions")) {
		const struct xb_path *here = XB_PATH_AT(at, i++);
		const struct xb_tree *values = xb_tree_get(expression, "values");
		struct xb_sv key = xb_tree_gettext(expression, "key");
		struct seen before = SEEN(e);
		long n = 0;

		if (edit_is_empty(values))
			xb_err_required(e, XB_PATH(here, "values"), "");
		xb_tree_each(value, values) {
			if (seen_text(&before, xb_tree_text(value)))
				xb_err_duplicate(e, XB_PATH_AT(XB_PATH(here, "values"), n), xb_tree_text(value));
			n++;
		}
		xb_validate(e, XB_PATH(here, "key"), key, xb_check_qualified_name);
		if (seen_text(&keys, key))
			xb_err_duplicate(e, XB_PATH(here, "key"), key);
	}
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	static const char *const policies[] = { "Delete", "Retain", NULL }, *const modes[] = { "Immediate", "WaitForFirstConsumer", NULL };
	static const char *const whole[] = { "matchLabelExpressions", NULL };
	const struct xb_path *topologies = XB_PATH(NULL, "allowedTopologies");
	struct seen terms = SEEN(e);
	long i = 0;

	validate_provisioner(e, XB_PATH(NULL, "provisioner"), xb_tree_gettext(object, "provisioner"));
	validate_parameters(e, XB_PATH(NULL, "parameters"), xb_tree_get(object, "parameters"));
	xb_validate_one_of(e, XB_PATH(NULL, "reclaimPolicy"), xb_tree_gettext(object, "reclaimPolicy"), policies);
	xb_validate_one_of(e, XB_PATH(NULL, "volumeBindingMode"), xb_tree_gettext(object, "volumeBindingMode"), modes);
	xb_tree_each(term, xb_tree_get(object, "allowedTopologies")) {
		const struct xb_path *here = XB_PATH_AT(topologies, i++);

		validate_topology(e, here, term);
		if (seen_node(&terms, term, whole))
			xb_err_duplicate(e, XB_PATH(here, "matchLabelExpressions"), XB_SV(""));
	}
}

static void validate_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	if (!edit_same(object, old, "parameters"))
		xb_err_forbidden(e, XB_PATH(NULL, "parameters"), "updates to parameters are forbidden.");
	if (!edit_same(object, old, "provisioner"))
		xb_err_forbidden(e, XB_PATH(NULL, "provisioner"), "updates to provisioner are forbidden.");
	if (!edit_same(object, old, "reclaimPolicy"))
		xb_err_forbidden(e, XB_PATH(NULL, "reclaimPolicy"), "updates to reclaimPolicy are forbidden.");
	xb_validate_immutable(e, XB_PATH(NULL, "volumeBindingMode"), xb_tree_get(object, "volumeBindingMode"),
			      xb_tree_get(old, "volumeBindingMode"));
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Provisioner", "string", "", "Provisioner indicates the type of the provisioner.", 0 },
	{ "ReclaimPolicy", "string", "", "Dynamically provisioned PersistentVolumes of this storage class are created with this reclaimPolicy. Defaults to Delete.", 0 },
	{ "VolumeBindingMode", "string", "", "VolumeBindingMode indicates how PersistentVolumeClaims should be provisioned and bound.  When unset, VolumeBindingImmediate is used. This field is only honored by servers that enable the VolumeScheduling feature.", 0 },
	{ "AllowVolumeExpansion", "string", "", "AllowVolumeExpansion shows whether the storage class allow volume expand", 0 },
	COLUMN_AGE,
};

static bool is_default(struct xb_jv object)
{
	static const char *const keys[] = { "storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class" };

	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++)
		if (xb_jv_streq(xb_jv_path(object, "metadata", "annotations", keys[i]), XB_SV("true")))
			return true;
	return false;
}

static void row(struct table_row *r, struct xb_jv object)
{
	_cleanup_buf_ struct xb_buf b = {};

	cell_open(&b);
	xb_buf_addsv(&b, xb_jv_text(xb_jv_path(object, "metadata", "name")));
	if (is_default(object))
		xb_buf_adds(&b, " (default)");
	cell_close(r, &b, "");
	cell_text(r, xb_jv_get(object, "provisioner"), "");
	cell_text(r, xb_jv_get(object, "reclaimPolicy"), "Delete");
	cell_text(r, xb_jv_get(object, "volumeBindingMode"), "<unset>");
	xb_jw_bool(r->w, xb_jv_true(xb_jv_get(object, "allowVolumeExpansion")));
	cell_age(r, object);
}

const struct strategy storage_class_strategy = {
	.group = "storage.k8s.io", .kind = "StorageClass",
	.name = xb_check_dns1123_subdomain,
	.validate = validate,
	.validate_update = validate_update,
	.unconditional_update = true,
	.returns_deleted = true,
	COLUMNS(columns),
	.row = row,
};
