/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "taint_seconds.h"
#include "../placement.h"

int64_t taint_seconds(struct xb_jv taints, struct xb_jv tolerations)
{
	int64_t least = TAINT_FOR_EVER, seconds;

	for (struct xb_jit it = xb_jv_iter(taints); xb_jit_next(&it);) {
		struct xb_jv toleration = placement_toleration(tolerations, it.value);

		if (!xb_jv_streq(xb_jv_get(it.value, "effect"), XB_SV("NoExecute")))
			continue;
		if (!xb_jv_is(toleration))
			return 0;
		if (placement_toleration_ends(toleration, &seconds) && (least == TAINT_FOR_EVER || seconds < least))
			least = seconds;
	}
	return least;
}
