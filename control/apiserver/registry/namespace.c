/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "edit.h"
#include "table.h"

static const char *const finalizer = "kubernetes";

static bool is_finalize(const struct write *w)
{
	return w->sub && !strcmp(w->sub->name, "finalize");
}

static void label_with_name(struct write *w, struct xb_tree *object)
{
	struct xb_tree *meta = xb_tree_get(object, "metadata");
	struct xb_sv name = xb_tree_gettext(meta, "name");

	if (name.n && name.n <= 63) /* a longer one is refused as a name, once */
		edit_sv(w, edit_obtain(w, meta, "labels"), "kubernetes.io/metadata.name", name);
}

static void prepare_create(struct write *w, struct xb_tree *object)
{
	struct xb_tree *finalizers = edit_obtain_array(w, edit_obtain(w, object, "spec"), "finalizers");
	bool found = false;

	xb_tree_each(f, finalizers)
		found |= xb_tree_is(f, finalizer);
	if (!found)
		edit_append(w, finalizers, xb_tree_str(w->arena, xb_sv(finalizer)));
	edit_json(w, object, "status", "{\"phase\":\"Active\"}");
}

static void prepare_update(struct write *w, struct xb_tree *object, const struct xb_tree *old)
{
	edit_keep(w, object, old, "status");
	if (!is_finalize(w))
		edit_keep(w, object, old, "spec");
}

/* Only now is a generated name known. */
static int begin(struct write *w, struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	if (object && !old)
		label_with_name(w, object);
	return 0;
}

static void validate_finalizer(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv name)
{
	if (!xb_validate(e, at, name, xb_check_qualified_name))
		return;
	if (!memchr(name.p, '/', name.n) && !xb_sv_is(name, finalizer) && !xb_sv_is(name, "orphan") && !xb_sv_is(name,
	    "foregroundDeletion"))
		xb_err_invalid_sv(e, at, name, "name is neither a standard finalizer name nor is it fully qualified");
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	const struct xb_path *spec = XB_PATH(NULL, "spec");

	xb_tree_each(f, xb_tree_path(object, "spec", "finalizers"))
		validate_finalizer(e, XB_PATH(spec, "finalizers"), xb_tree_text(f));
}

static void validate_status(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	bool deleting = xb_tree_path(object, "metadata", "deletionTimestamp");
	const struct xb_tree *phase = xb_tree_path(object, "status", "phase");
	const struct xb_path *at = XB_PATH(XB_PATH(NULL, "status"), "Phase");

	if (!deleting && !xb_tree_is(phase, "Active"))
		xb_err_invalid_sv(e, at, xb_tree_text(phase), "may only be 'Active' if `deletionTimestamp` is empty");
	if (deleting && !xb_tree_is(phase, "Terminating"))
		xb_err_invalid_sv(e, at, xb_tree_text(phase), "may only be 'Terminating' if `deletionTimestamp` is not empty");
}

static bool held(const struct xb_tree *object)
{
	return !edit_is_empty(xb_tree_path(object, "spec", "finalizers"));
}

static enum deletion delete_(struct write *w, struct xb_tree *object, const struct delete_request *q, struct xb_status *reterr)
{
	static const char *const immortal[] = { "default", "kube-system", "kube-public" };
	struct xb_tree *meta = xb_tree_get(object, "metadata");

	for (size_t i = 0; i < ARRAY_SIZE(immortal); i++)
		if (xb_tree_is(xb_tree_get(meta, "name"), immortal[i])) {
			xb_status_forbidden(reterr, "", "namespaces", xb_sv(immortal[i]), "this namespace may not be deleted");
			return DELETE_LATER;
		}
	if (!xb_tree_get(meta, "deletionTimestamp")) {
		edit_str(w, meta, "deletionTimestamp", w->now);
		edit_str(w, edit_obtain(w, object, "status"), "phase", "Terminating");
		return DELETE_LATER;
	}
	return held(object) ? DELETE_LATER : DELETE_NOW;
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Status", "string", "", "The status of the namespace", 0 },
	COLUMN_AGE,
};

static void row(struct table_row *r, struct xb_jv object)
{
	cell_name(r, object);
	cell_text(r, xb_jv_path(object, "status", "phase"), "");
	cell_age(r, object);
}

const struct strategy namespace_strategy = {
	.group = "", .kind = "Namespace",
	.name = xb_check_dns1123_label,
	.defaults = label_with_name,
	.prepare_create = prepare_create,
	.prepare_update = prepare_update,
	.begin = begin,
	.validate = validate,
	.validate_status = validate_status,
	.delete_ = delete_,
	.held = held,
	.unconditional_update = true,
	COLUMNS(columns),
	.row = row,
};
