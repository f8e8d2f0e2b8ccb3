/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "xb/patch.h"

/* RFC 7386 MergePatch(Target, Patch); as deep as the patch is, which the parser has bounded. */
int xb_patch_merge(struct xb_arena *a, struct xb_tree **target, struct xb_tree *patch)
{
	struct xb_tree *object = *target;
	int r;

	if (patch->type != XB_JSON_OBJECT) {
		*target = patch;
		return 0;
	}
	if (!object || object->type != XB_JSON_OBJECT) {
		object = xb_tree_object(a);
		if (!object)
			return -ENOMEM;
	}
	for (struct xb_tree *member = patch->first, *next; member; member = next) {
		struct xb_tree *old = xb_tree_getsv(object, member->key), *merged = old;

		next = member->next;
		if (member->type == XB_JSON_NULL) {
			if (old)
				xb_tree_remove(old);
			continue;
		}
		xb_tree_remove(member);
		r = xb_patch_merge(a, &merged, member);
		if (r < 0)
			return r;
		if (merged != old)
			xb_tree_set(object, member->key, merged);
	}
	*target = object;
	return 0;
}
