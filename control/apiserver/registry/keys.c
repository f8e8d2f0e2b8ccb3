/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "keys.h"
#include "edit.h"

size_t keys_decoded_size(struct xb_sv base64)
{
	size_t padding = 0;

	while (padding < 2 && padding < base64.n && base64.p[base64.n - 1 - padding] == '=')
		padding++;
	return base64.n / 4 * 3 - padding;
}

void keys_validate_immutable(struct xb_field_errors *e, const struct xb_node *object, const struct xb_node *old,
			     const char *const *fields)
{
	static const char detail[] = "field is immutable when `immutable` is set";

	if (!xb_tree_true(xb_tree_get(old, "immutable")))
		return;
	if (!xb_tree_true(xb_tree_get(object, "immutable")))
		xb_err_forbidden(e, XB_PATH(NULL, "immutable"), detail);
	for (; *fields; fields++)
		if (!edit_same(object, old, *fields))
			xb_err_forbidden(e, XB_PATH(NULL, *fields), detail);
}
