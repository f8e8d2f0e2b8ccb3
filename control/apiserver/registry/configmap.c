/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "edit.h"
#include "keys.h"
#include "table.h"

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	const struct xb_tree *data = xb_tree_get(object, "data"), *binary = xb_tree_get(object, "binaryData");
	size_t total = 0;

	xb_tree_each(d, data) {
		const struct xb_path *at = XB_PATH_KEY(XB_PATH(NULL, "data"), d->key);

		xb_validate(e, at, d->key, xb_check_config_key);
		if (xb_tree_getsv(binary, d->key))
			xb_err_invalid_sv(e, at, d->key, "duplicate of key present in binaryData");
		total += d->text.n;
	}
	xb_tree_each(d, binary) {
		xb_validate(e, XB_PATH_KEY(XB_PATH(NULL, "binaryData"), d->key), d->key, xb_check_config_key);
		total += keys_decoded_size(d->text);
	}
	/* upstream's path here is an empty name, which prints as a key */
	if (total > KEYS_MAX_BYTES)
		xb_err_too_long(e, XB_PATH_KEY(NULL, XB_SV("")), KEYS_MAX_BYTES);
}

static void validate_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	static const char *const fixed[] = { "data", "binaryData", NULL };

	keys_validate_immutable(e, object, old, fixed);
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Data", "string", "", "Data contains the configuration data. Each key must consist of alphanumeric characters, '-', '_' or '.'. Values with non-UTF-8 byte sequences must use the BinaryData field. The keys stored in Data must not overlap with the keys in the BinaryData field, this is enforced during validation process.", 0 },
	COLUMN_AGE,
};

static void row(struct table_row *r, struct xb_jv object)
{
	cell_name(r, object);
	xb_jw_int(r->w, (int64_t)(xb_jv_count(xb_jv_get(object, "data")) + xb_jv_count(xb_jv_get(object, "binaryData"))));
	cell_age(r, object);
}

const struct strategy config_map_strategy = {
	.group = "", .kind = "ConfigMap",
	.name = xb_check_dns1123_subdomain,
	.validate = validate,
	.validate_update = validate_update,
	.unconditional_update = true,
	COLUMNS(columns),
	.row = row,
};
