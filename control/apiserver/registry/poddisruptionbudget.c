/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include "edit.h"
#include "int_or_percent.h"
#include "label_selector.h"
#include "table.h"
#include "workload.h"

static void prepare_create(struct write *w, struct xb_tree *object)
{
	edit_json(w, object, "status", "{\"currentHealthy\":0,\"desiredHealthy\":0,\"disruptionsAllowed\":0,\"expectedPods\":0}");
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	static const char *const amounts[] = { "minAvailable", "maxUnavailable" }, *const policies[] = { "AlwaysAllow", "IfHealthyBudget", NULL };
	const struct xb_tree *spec = xb_tree_get(object, "spec");
	const struct xb_path *at = XB_PATH(NULL, "spec");

	if (xb_tree_get(spec, amounts[0]) && xb_tree_get(spec, amounts[1]))
		xb_err_invalid(e, at, spec, "minAvailable and maxUnavailable cannot be both set");
	for (size_t i = 0; i < ARRAY_SIZE(amounts); i++) {
		int_or_percent_validate(e, XB_PATH(at, amounts[i]), xb_tree_get(spec, amounts[i]));
		int_or_percent_validate_100(e, XB_PATH(at, amounts[i]), xb_tree_get(spec, amounts[i]));
	}
	label_selector_validate(e, XB_PATH(at, "selector"), xb_tree_get(spec, "selector"));
	if (xb_tree_get(spec, "unhealthyPodEvictionPolicy"))
		xb_validate_one_of(e, XB_PATH(at, "unhealthyPodEvictionPolicy"), xb_tree_gettext(spec, "unhealthyPodEvictionPolicy"), policies);
}

static void validate_status(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	static const char *const counts[] = { "disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods", NULL };

	workload_validate_counts(e, XB_PATH(NULL, "status"), xb_tree_get(object, "status"), counts);
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Min Available", "string", "", "The minimum number of pods that must be available.", 0 },
	{ "Max Unavailable", "string", "", "The maximum number of pods that may be unavailable.", 0 },
	{ "Allowed Disruptions", "integer", "", "Calculated number of pods that may be disrupted at this time.", 0 },
	COLUMN_AGE,
};

static void cell_amount(struct table_row *r, struct xb_jv amount)
{
	int64_t n;
	char text[24];

	if (xb_jv_i64(amount, &n)) {
		cell_text(r, amount, "N/A");
		return;
	}
	snprintf(text, sizeof(text), "%lld", (long long)n);
	xb_jw_str(r->w, text);
}

static void row(struct table_row *r, struct xb_jv object)
{
	struct xb_jv spec = xb_jv_get(object, "spec");

	cell_name(r, object);
	cell_amount(r, xb_jv_get(spec, "minAvailable"));
	cell_amount(r, xb_jv_get(spec, "maxUnavailable"));
	cell_int(r, xb_jv_path(object, "status", "disruptionsAllowed"), 0);
	cell_age(r, object);
}

const struct strategy pod_disruption_budget_strategy = {
	.group = "policy", .kind = "PodDisruptionBudget",
	.name = xb_check_dns1123_subdomain,
	.prepare_create = prepare_create,
	.validate = validate,
	.validate_status = validate_status,
	.has_generation = true,
	COLUMNS(columns),
	.row = row,
};
