/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "edit.h"
#include "pod.h"
#include "seen.h"
#include "table.h"

static void validate_overhead(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *amounts)
{
	xb_tree_each(amount, amounts) {
		const struct xb_path *here = XB_PATH_KEY(at, amount->key);
		struct xb_quantity q;

		xb_validate(e, here, amount->key, xb_check_qualified_name);
		if (!xb_quantity_parse(amount->text, &q) && q.nano < 0)
			xb_err_invalid(e, here, amount, "must be greater than or equal to 0");
	}
}

static void validate_scheduling(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *scheduling)
{
	static const char *const identity[] = { "key", "operator", "value", "effect", "tolerationSeconds", NULL };
	const struct xb_tree *tolerations = xb_tree_get(scheduling, "tolerations");
	struct seen before = SEEN(e);
	long i = 0;

	if (xb_tree_get(scheduling, "nodeSelector"))
		xb_validate_labels(e, XB_PATH(at, "nodeSelector"), xb_tree_get(scheduling, "nodeSelector"));
	pod_validate_tolerations(e, XB_PATH(at, "tolerations"), tolerations);
	xb_tree_each(t, tolerations) {
		if (seen_node(&before, t, identity))
			xb_err_duplicate(e, XB_PATH_AT(XB_PATH(at, "tolerations"), i), xb_tree_gettext(t, "key"));
		i++;
	}
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	xb_validate(e, XB_PATH(NULL, "handler"), xb_tree_gettext(object, "handler"), xb_check_dns1123_label);
	validate_overhead(e, XB_PATH(XB_PATH(NULL, "overhead"), "podFixed"), xb_tree_path(object, "overhead", "podFixed"));
	validate_scheduling(e, XB_PATH(NULL, "scheduling"), xb_tree_get(object, "scheduling"));
}

static void validate_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	xb_validate_immutable(e, XB_PATH(NULL, "handler"), xb_tree_get(object, "handler"), xb_tree_get(old, "handler"));
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Handler", "string", "", "handler specifies the underlying runtime and configuration that the CRI implementation will use to handle pods of this class. The possible values are specific to the node & CRI configuration.  It is assumed that all handlers are available on every node, and handlers of the same name are equivalent on every node. For example, a handler called \"runc\" might specify that the runc OCI runtime (using native Linux containers) will be used to run the containers in a pod. The Handler must be lowercase, conform to the DNS Label (RFC 1123) requirements, and is immutable.", 0 },
	COLUMN_AGE,
};

static void row(struct table_row *r, struct xb_jv object)
{
	cell_name(r, object);
	cell_text(r, xb_jv_get(object, "handler"), "");
	cell_age(r, object);
}

const struct strategy runtime_class_strategy = {
	.group = "node.k8s.io", .kind = "RuntimeClass",
	.name = xb_check_dns1123_subdomain,
	.validate = validate,
	.validate_update = validate_update,
	.unconditional_update = true,
	COLUMNS(columns),
	.row = row,
};
