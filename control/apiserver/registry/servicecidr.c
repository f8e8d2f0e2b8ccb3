/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "edit.h"
#include "ports.h"
#include "table.h"

/* The server serves from the ranges that it makes itself, and from no others. */
static void prepare_create(struct write *w, struct xb_tree *object)
{
	struct xb_tree *conditions;

	edit_json(w, object, "status", "{}");
	if (w->user)
		return;
	conditions = edit_obtain_array(w, xb_tree_get(object, "status"), "conditions");
	edit_append(w, conditions, xb_tree_parse(w->arena, "{\"type\":\"Ready\",\"status\":\"True\",\"reason\":\"\",\"message\":\"Kubernetes Service CIDR is ready\"}"));
	edit_str(w, conditions ? conditions->first : NULL, "lastTransitionTime", w->now);
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	const struct xb_tree *cidrs = xb_tree_path(object, "spec", "cidrs");
	const struct xb_path *at = XB_PATH(XB_PATH(NULL, "spec"), "cidrs");
	unsigned n_v6 = 0;
	bool good = true;
	long i = 0;

	if (edit_is_empty(cidrs)) {
		xb_err_required(e, at, "at least one CIDR required");
		return;
	}
	if (cidrs->count > 2) {
		xb_err_invalid(e, at, cidrs, "may only hold up to 2 values");
		return;
	}
	xb_tree_each(cidr, cidrs) {
		good &= xb_validate(e, XB_PATH_AT(at, i++), xb_tree_text(cidr), xb_check_cidr);
		n_v6 += ports_is_ipv6(xb_tree_text(cidr));
	}
	if (good && cidrs->count == 2 && n_v6 != 1)
		xb_err_invalid(e, at, cidrs, "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/96");
}

/* A second family may be added; nothing else changes. */
static void validate_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old_object, struct xb_field_errors *e)
{
	const struct xb_tree *cidrs = xb_tree_path(object, "spec", "cidrs"), *old = xb_tree_path(old_object, "spec", "cidrs");

	if (cidrs && old && cidrs->count == 2 && old->count == 1 && xb_tree_equal(cidrs->first, old->first))
		return;
	xb_validate_immutable(e, XB_PATH(XB_PATH(NULL, "spec"), "cidrs"), cidrs, old);
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "CIDRs", "string", "", "CIDRs defines the IP blocks in CIDR notation (e.g. \"192.168.0.0/24\" or \"2001:db8::/64\") from which to assign service cluster IPs. Max of two CIDRs is allowed, one of each IP family. This field is immutable.", 0 },
	COLUMN_AGE,
};

static void row(struct table_row *r, struct xb_jv object)
{
	_cleanup_buf_ struct xb_buf b = {};

	cell_name(r, object);
	cell_open(&b);
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(object, "spec", "cidrs")); xb_jit_next(&it);)
		cell_join(&b, xb_jv_text(it.value));
	cell_close(r, &b, "");
	cell_age(r, object);
}

const struct strategy service_cidr_strategy = {
	.group = "networking.k8s.io", .kind = "ServiceCIDR",
	.name = xb_check_dns1123_subdomain,
	.prepare_create = prepare_create,
	.validate = validate,
	.validate_update = validate_update,
	.unconditional_update = true,
	COLUMNS(columns),
	.row = row,
};
