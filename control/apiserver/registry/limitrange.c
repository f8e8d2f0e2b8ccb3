/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "amounts.h"
#include "edit.h"
#include "seen.h"
#include "table.h"

/* Of the amounts in "from", those that "to" has not. */
static void take_over(struct write *w, struct xb_tree *item, const char *to, const char *from)
{
	xb_tree_each(amount, xb_tree_get(item, from)) {
		struct xb_tree *map = edit_obtain(w, item, to);

		if (!xb_tree_getsv(map, amount->key))
			edit_entry(w, map, amount->key, xb_tree_text(amount));
	}
}

static void defaults(struct write *w, struct xb_tree *object)
{
	xb_tree_each(item, xb_tree_path(object, "spec", "limits")) {
		if (!xb_tree_is(xb_tree_get(item, "type"), "Container"))
			continue;
		take_over(w, item, "default", "max");
		take_over(w, item, "defaultRequest", "default");
		take_over(w, item, "defaultRequest", "min");
	}
}

/* lower must not be above upper, for each resource that has both. */
static void validate_order(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *item, const char *lower,
			   const char *upper)
{
	static const struct {
		const char *key, *words;
	} named[] = { { "min", "min" }, { "max", "max" }, { "default", "default" }, { "defaultRequest", "default request" } };
	const char *low_words = lower, *high_words = upper;

	for (size_t i = 0; i < ARRAY_SIZE(named); i++) {
		low_words = strcmp(named[i].key, lower) ? low_words : named[i].words;
		high_words = strcmp(named[i].key, upper) ? high_words : named[i].words;
	}
	xb_tree_each(amount, xb_tree_get(item, lower)) {
		const struct xb_tree *limit = xb_tree_getsv(xb_tree_get(item, upper), amount->key);
		struct xb_quantity low, high;

		if (!limit || xb_quantity_parse(xb_tree_text(amount), &low) || xb_quantity_parse(xb_tree_text(limit), &high) ||
		    xb_quantity_cmp(&low, &high) <= 0)
			continue;
		xb_err_invalid_sv(e, XB_PATH_KEY(XB_PATH(at, strcmp(lower, "min") || strcmp(upper, "max") ? "defaultRequest" : "min"), amount->key),
				  xb_tree_text(amount), "%s value %.*s is greater than %s value %.*s", low_words, XB_SV_ARG(xb_tree_text(amount)),
				  high_words, XB_SV_ARG(xb_tree_text(limit)));
	}
}

static void validate_ratios(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *ratios)
{
	struct xb_quantity q;

	xb_tree_each(ratio, ratios)
		if (!xb_quantity_parse(xb_tree_text(ratio), &q) && q.nano < 1000000000)
			xb_err_invalid_sv(e, XB_PATH_KEY(at, ratio->key), xb_tree_text(ratio), "ratio %.*s is less than 1", XB_SV_ARG(xb_tree_text(ratio)));
}

static void validate_item(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *item)
{
	static const char *const maps[] = { "max", "min", "default", "defaultRequest" };
	static const char *const known[] = { "cpu", "memory", "ephemeral-storage", "storage", NULL };
	static const char *const order[][2] = { { "min", "max" }, { "min", "defaultRequest" }, { "defaultRequest", "max" },
						{ "defaultRequest", "default" }, { "min", "default" }, { "default", "max" } };
	const struct xb_tree *type = xb_tree_get(item, "type");

	if (xb_validate(e, XB_PATH(at, "type"), xb_tree_text(type), xb_check_qualified_name) &&
	    !memchr(xb_tree_text(type).p, '/', xb_tree_text(type).n) && !xb_tree_is(type, "Pod") && !xb_tree_is(type, "Container") &&
	    !xb_tree_is(type, "PersistentVolumeClaim"))
		xb_err_invalid_sv(e, XB_PATH(at, "type"), xb_tree_text(type), "must be a standard limit type or fully qualified");
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		amounts_validate_names(e, XB_PATH(at, maps[i]), xb_tree_get(item, maps[i]), known, "must be a standard resource type or fully qualified");
	for (size_t i = 2; xb_tree_is(type, "Pod") && i < ARRAY_SIZE(maps); i++)
		if (!edit_is_empty(xb_tree_get(item, maps[i])))
			xb_err_forbidden(e, XB_PATH(at, maps[i]), "may not be specified when `type` is 'Pod'");
	if (xb_tree_is(type, "PersistentVolumeClaim") && !xb_tree_path(item, "min", "storage") && !xb_tree_path(item, "max", "storage"))
		xb_err_required(e, XB_PATH(at, "limits"), "either minimum or maximum storage value is required, but neither was provided");
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		validate_order(e, at, item, order[i][0], order[i][1]);
	validate_ratios(e, XB_PATH(at, "maxLimitRequestRatio"), xb_tree_get(item, "maxLimitRequestRatio"));
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	const struct xb_path *at = XB_PATH(XB_PATH(NULL, "spec"), "limits");
	struct seen types = SEEN(e);
	long i = 0;

	xb_tree_each(item, xb_tree_path(object, "spec", "limits")) {
		const struct xb_path *here = XB_PATH_AT(at, i++);

		validate_item(e, here, item);
		if (seen_text(&types, xb_tree_gettext(item, "type")))
			xb_err_duplicate(e, XB_PATH(here, "type"), xb_tree_gettext(item, "type"));
	}
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Created At", "date", "", "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata", 0 },
};

static void row(struct table_row *r, struct xb_jv object)
{
	cell_name(r, object);
	cell_text(r, xb_jv_path(object, "metadata", "creationTimestamp"), "");
}

const struct strategy limit_range_strategy = {
	.group = "", .kind = "LimitRange",
	.name = xb_check_dns1123_subdomain,
	.defaults = defaults,
	.validate = validate,
	.unconditional_update = true,
	.create_on_update = true,
	COLUMNS(columns),
	.row = row,
};
