/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "table.h"

const struct strategy *const strategies[] = {
	&config_map_strategy, &endpoints_strategy, &event_strategy, &namespace_strategy, &node_strategy, &pod_strategy,
	&replication_controller_strategy, &secret_strategy, &service_account_strategy, &service_strategy, &lease_strategy,
	&endpoint_slice_strategy, NULL
};

static const struct column plain_columns[] = { COLUMN_NAME, COLUMN_AGE };

static void plain_row(struct table_row *r, struct xb_jv object)
{
	cell_name(r, object);
	cell_age(r, object);
}

/* For a kind whose row in the table says it all. */
static const struct strategy plain = {
	.name = xb_check_dns1123_subdomain,
	COLUMNS(plain_columns),
	.row = plain_row,
};

const struct strategy *strategy_of(const struct xb_kind *k)
{
	for (const struct strategy *const *s = strategies; *s; s++)
		if (!strcmp((*s)->kind, k->kind) && !strcmp((*s)->group, k->group))
			return *s;
	return &plain;
}
