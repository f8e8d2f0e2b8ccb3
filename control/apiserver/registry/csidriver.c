/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "edit.h"
#include "seen.h"
#include "table.h"

enum { TOKEN_MIN_SECONDS = 10 * 60 };
#define TOKEN_MAX_SECONDS (INT64_C(1) << 32)

static void defaults(struct write *w, struct xb_tree *object)
{
	struct xb_tree *modes = edit_obtain_array(w, edit_obtain(w, object, "spec"), "volumeLifecycleModes");

	if (edit_is_empty(modes))
		edit_append(w, modes, xb_tree_str(w->arena, XB_SV("Persistent")));
}

static void validate_tokens(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *tokens)
{
	struct seen audiences = SEEN(e);
	long i = 0;

	xb_tree_each(token, tokens) {
		const struct xb_path *here = XB_PATH_AT(at, i++), *seconds_path = XB_PATH(here, "expirationSeconds");
		const struct xb_tree *seconds = xb_tree_get(token, "expirationSeconds");
		int64_t n = xb_tree_geti64(token, "expirationSeconds", TOKEN_MIN_SECONDS);

		if (seen_text(&audiences, xb_tree_gettext(token, "audience")))
			xb_err_duplicate(e, XB_PATH(here, "audience"), xb_tree_gettext(token, "audience"));
		if (n < TOKEN_MIN_SECONDS)
			xb_err_invalid(e, seconds_path, seconds, "may not specify a duration less than 10 minutes");
		if (n > TOKEN_MAX_SECONDS)
			xb_err_invalid(e, seconds_path, seconds, "may not specify a duration larger than 2^32 seconds");
	}
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	static const char *const policies[] = { "File", "None", "ReadWriteOnceWithFSType", NULL };
	static const char *const modes[] = { "Ephemeral", "Persistent", NULL };
	const struct xb_tree *spec = xb_tree_get(object, "spec");
	const struct xb_path *at = XB_PATH(NULL, "spec");

	xb_validate_one_of(e, XB_PATH(at, "fsGroupPolicy"), xb_tree_gettext(spec, "fsGroupPolicy"), policies);
	validate_tokens(e, XB_PATH(at, "tokenRequests"), xb_tree_get(spec, "tokenRequests"));
	xb_tree_each(mode, xb_tree_get(spec, "volumeLifecycleModes"))
		if (!xb_tree_is(mode, modes[0]) && !xb_tree_is(mode, modes[1]))
			xb_err_unsupported(e, XB_PATH(at, "volumeLifecycleModes"), xb_tree_text(mode), modes);
}

static void validate_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	const struct xb_tree *spec = xb_tree_get(object, "spec"), *old_spec = xb_tree_get(old, "spec");
	const struct xb_path *at = XB_PATH(NULL, "spec");

	/* upstream's spelling of the path */
	xb_validate_immutable(e, XB_PATH(at, "attachedRequired"), xb_tree_get(spec, "attachRequired"), xb_tree_get(old_spec, "attachRequired"));
	xb_validate_immutable(e, XB_PATH(at, "volumeLifecycleModes"), xb_tree_get(spec, "volumeLifecycleModes"),
			      xb_tree_get(old_spec, "volumeLifecycleModes"));
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "AttachRequired", "boolean", "", "attachRequired indicates this CSI volume driver requires an attach operation (because it implements the CSI ControllerPublishVolume() method), and that the Kubernetes attach detach controller should call the attach volume interface which checks the volumeattachment status and waits until the volume is attached before proceeding to mounting.", 0 },
	{ "PodInfoOnMount", "boolean", "", "podInfoOnMount indicates this CSI volume driver requires additional pod information (like podName, podUID, etc.) during mount operations, if set to true.", 0 },
	{ "StorageCapacity", "boolean", "", "storageCapacity indicates that the CSI volume driver wants pod scheduling to consider the storage capacity that the driver deployment will report by creating CSIStorageCapacity objects with capacity information, if set to true.", 0 },
	{ "TokenRequests", "string", "", "tokenRequests indicates the CSI driver needs pods' service account tokens it is mounting volume for to do necessary authentication.", 0 },
	{ "RequiresRepublish", "boolean", "", "requiresRepublish indicates the CSI driver wants `NodePublishVolume` being periodically called to reflect any possible change in the mounted volume.", 0 },
	{ "Modes", "string", "", "volumeLifecycleModes defines what kind of volumes this CSI volume driver supports.", 0 },
	COLUMN_AGE,
};

static void cell_list(struct table_row *r, struct xb_jv list, const char *key, const char *otherwise)
{
	_cleanup_buf_ struct xb_buf b = {};

	cell_open(&b);
	for (struct xb_jit it = xb_jv_iter(list); xb_jit_next(&it);)
		cell_join(&b, xb_jv_text(key ? xb_jv_get(it.value, key) : it.value));
	cell_close(r, &b, otherwise);
}

static void row(struct table_row *r, struct xb_jv object)
{
	struct xb_jv spec = xb_jv_get(object, "spec");

	cell_name(r, object);
	xb_jw_bool(r->w, xb_jv_true(xb_jv_get(spec, "attachRequired")));
	xb_jw_bool(r->w, xb_jv_true(xb_jv_get(spec, "podInfoOnMount")));
	xb_jw_bool(r->w, xb_jv_true(xb_jv_get(spec, "storageCapacity")));
	cell_list(r, xb_jv_get(spec, "tokenRequests"), "audience", "<unset>");
	xb_jw_bool(r->w, xb_jv_true(xb_jv_get(spec, "requiresRepublish")));
	cell_list(r, xb_jv_get(spec, "volumeLifecycleModes"), NULL, "<none>");
	cell_age(r, object);
}

const struct strategy csi_driver_strategy = {
	.group = "storage.k8s.io", .kind = "CSIDriver",
	.name = xb_check_dns1123_subdomain,
	.defaults = defaults,
	.validate = validate,
	.validate_update = validate_update,
	.returns_deleted = true,
	COLUMNS(columns),
	.row = row,
};
