/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "table.h"

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Secrets", "string", "", "Secrets is a list of the secrets in the same namespace that pods running using this ServiceAccount are allowed to use. Pods are only limited to this list if this service account has a \"kubernetes.io/enforce-mountable-secrets\" annotation set to \"true\". The \"kubernetes.io/enforce-mountable-secrets\" annotation is deprecated since v1.32. Prefer separate namespaces to isolate access to mounted secrets. This field should not be used to find auto-generated service account token secrets for use outside of pods. Instead, tokens can be requested directly using the TokenRequest API, or service account token secrets can be manually created. More info: https://kubernetes.io/docs/concepts/configuration/secret", 0 },
	COLUMN_AGE,
};

static void row(struct table_row *r, struct xb_jv object)
{
	cell_name(r, object);
	xb_jw_int(r->w, (int64_t)xb_jv_count(xb_jv_get(object, "secrets")));
	cell_age(r, object);
}

const struct strategy service_account_strategy = {
	.group = "", .kind = "ServiceAccount",
	.name = xb_check_dns1123_subdomain,
	.returns_deleted = true,
	COLUMNS(columns),
	.row = row,
};
