/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "amounts.h"

bool amount_get(const struct xb_tree *map, const char *name, struct xb_quantity *ret)
{
	const struct xb_tree *amount = xb_tree_get(map, name);

	return amount && !xb_quantity_parse(xb_tree_text(amount), ret);
}

static bool is_known(struct xb_sv name, const char *const *known)
{
	for (; *known; known++)
		if (xb_sv_is(name, *known))
			return true;
	return memchr(name.p, '/', name.n) || memmem(name.p, name.n, "hugepages-", 10);
}

void amounts_validate_names(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *map, const char *const *known,
			    const char *detail)
{
	xb_tree_each(amount, map) {
		const struct xb_path *here = XB_PATH_KEY(at, amount->key);

		if (xb_validate(e, here, amount->key, xb_check_qualified_name) && !is_known(amount->key, known))
			xb_err_invalid_sv(e, here, amount->key, "%s", detail);
	}
}

void amounts_validate_nonnegative(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *map)
{
	struct xb_quantity q;

	xb_tree_each(amount, map)
		if (!xb_quantity_parse(xb_tree_text(amount), &q) && q.nano < 0)
			xb_err_invalid_sv(e, XB_PATH_KEY(at, amount->key), xb_tree_text(amount), "must be greater than or equal to 0");
}

void amount_validate_positive(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *amount)
{
	struct xb_quantity q;

	if (amount && !xb_quantity_parse(xb_tree_text(amount), &q) && q.nano <= 0)
		xb_err_invalid_sv(e, at, xb_tree_text(amount), "must be greater than zero");
}
