/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "rbac.h"
#include "table.h"

const struct strategy *const strategies[] = {
	&config_map_strategy, &endpoints_strategy, &event_strategy, &namespace_strategy, &node_strategy, &pod_strategy,
	&replication_controller_strategy, &secret_strategy, &service_account_strategy, &service_strategy, &lease_strategy,
	&endpoint_slice_strategy, &role_strategy, &cluster_role_strategy, &role_binding_strategy, &cluster_role_binding_strategy,
	&ingress_strategy, &ingress_class_strategy, &network_policy_strategy, &ip_address_strategy, &service_cidr_strategy,
	&storage_class_strategy, &csi_driver_strategy, &csi_node_strategy, &csi_storage_capacity_strategy, &volume_attachment_strategy,
	&priority_class_strategy, &runtime_class_strategy, &certificate_signing_request_strategy,
	&component_status_strategy, &limit_range_strategy, &persistent_volume_claim_strategy, &persistent_volume_strategy,
	&pod_template_strategy, &resource_quota_strategy,
	&controller_revision_strategy, &daemon_set_strategy, &deployment_strategy, &replica_set_strategy, &stateful_set_strategy,
	&horizontal_pod_autoscaler_strategy, &cron_job_strategy, &job_strategy, &pod_disruption_budget_strategy,
	NULL
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

static const struct strategy *find(const struct xb_kind *k)
{
	k = xb_kind_stored(k);
	for (const struct strategy *const *s = strategies; *s; s++)
		if (!strcmp((*s)->kind, k->kind) && !strcmp((*s)->group, k->group))
			return *s;
	return &plain;
}

/* Each request asks some ten times; kinds are rows of tables and stay where they are. */
const struct strategy *strategy_of(const struct xb_kind *k)
{
	static struct {
		const struct xb_kind *kind;
		const struct strategy *strategy;
	} found[256], *f;

	f = &found[(uintptr_t)k / sizeof(*k) % ARRAY_SIZE(found)];
	if (f->kind != k) {
		f->strategy = find(k);
		f->kind = k;
	}
	return f->strategy;
}

const struct strategy_part *strategy_part_of(const struct write *w)
{
	const struct strategy_part *p = w->sub ? strategy_of(w->kind)->parts : NULL;

	while (p && p->sub && strcmp(p->sub, w->sub->name))
		p++;
	return p && p->sub ? p : NULL;
}
