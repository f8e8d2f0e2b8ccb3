/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "edit.h"
#include "table.h"

static void validate_strategy(struct xb_field_errors *e, const struct xb_path *spec_path, const struct xb_tree *spec)
{
	static const char *const known[] = { "OldestEmulationVersion", NULL };
	const struct xb_tree *strategy = xb_tree_get(spec, "strategy");
	const struct xb_path *at = XB_PATH(spec_path, "strategy");

	if (strategy) {
		if (memchr(strategy->text.p, '/', strategy->text.n))
			xb_validate(e, at, strategy->text, xb_check_qualified_name);
		else
			xb_validate_one_of(e, at, strategy->text, known);
	}
	if (xb_tree_gettext(spec, "preferredHolder").n && !(strategy && strategy->text.n))
		xb_err_forbidden(e, XB_PATH(spec_path, "preferredHolder"), "may only be specified when `strategy` is defined");
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	const struct xb_tree *spec = xb_tree_get(object, "spec");
	const struct xb_tree *duration = xb_tree_get(spec, "leaseDurationSeconds"), *transitions = xb_tree_get(spec,
						     "leaseTransitions");
	const struct xb_tree *holder = xb_tree_get(spec, "holderIdentity");
	const struct xb_path *at = XB_PATH(NULL, "spec");

	if (duration && xb_tree_geti64(spec, "leaseDurationSeconds", 1) <= 0)
		xb_err_invalid(e, XB_PATH(at, "leaseDurationSeconds"), duration, "must be greater than 0");
	if (transitions && xb_tree_geti64(spec, "leaseTransitions", 0) < 0)
		xb_err_invalid(e, XB_PATH(at, "leaseTransitions"), transitions, "must be greater than or equal to 0");
	if (holder && !holder->text.n)
		xb_err_invalid(e, XB_PATH(at, "holderIdentity"), holder, "must not be empty");
	validate_strategy(e, at, spec);
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Holder", "string", "", "holderIdentity contains the identity of the holder of a current lease. If Coordinated Leader Election is used, the holder identity must be equal to the elected LeaseCandidate.metadata.name field.", 0 },
	COLUMN_AGE,
};

static void row(struct table_row *r, struct xb_jv object)
{
	cell_name(r, object);
	cell_text(r, xb_jv_path(object, "spec", "holderIdentity"), "");
	cell_age(r, object);
}

const struct strategy lease_strategy = {
	.group = "coordination.k8s.io", .kind = "Lease",
	.name = xb_check_dns1123_subdomain,
	.validate = validate,
	.renewed = "renewTime",
	.create_on_update = true,
	.patient = true,
	COLUMNS(columns),
	.row = row,
};
