/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "table.h"

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Status", "string", "", "Status of the component conditions", 0 },
	{ "Message", "string", "", "Message of the component conditions", 0 },
	{ "Error", "string", "", "Error of the component conditions", 0 },
};

static void row(struct table_row *r, struct xb_jv object)
{
	struct xb_jv condition = {};

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(object, "conditions")); xb_jit_next(&it);)
		if (xb_sv_is(xb_jv_text(xb_jv_get(it.value, "type")), "Healthy"))
			condition = it.value;
	cell_name(r, object);
	xb_jw_str(r->w, xb_sv_is(xb_jv_text(xb_jv_get(condition, "status")), "True") ? "Healthy" : "Unhealthy");
	cell_text(r, xb_jv_get(condition, "message"), "");
	cell_text(r, xb_jv_get(condition, "error"), "");
}

/* Nothing writes one: the list is there, and empty, for clients that look at it. */
const struct strategy component_status_strategy = {
	.group = "", .kind = "ComponentStatus",
	.name = xb_check_dns1123_subdomain,
	COLUMNS(columns),
	.row = row,
};
