/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <openssl/evp.h>
#include "keys.h"
#include "edit.h"

char *keys_encode(struct xb_arena *a, struct xb_sv bytes)
{
	char *text = xb_arena_alloc(a, (bytes.n + 2) / 3 * 4 + 1);

	if (text)
		*text = '\0';
	if (text && bytes.n)
		EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)bytes.p, (int)bytes.n);
	return text;
}

size_t keys_decoded_size(struct xb_sv base64)
{
	size_t padding = 0;

	while (padding < 2 && padding < base64.n && base64.p[base64.n - 1 - padding] == '=')
		padding++;
	return base64.n / 4 * 3 - padding;
}

void keys_validate_immutable(struct xb_field_errors *e, const struct xb_tree *object, const struct xb_tree *old,
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
