/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "pods_by_claim.h"
#include "xb/volumes.h"

void pods_by_claim(struct xb_jv pod, struct xb_index_entry *e)
{
	_cleanup_buf_ struct xb_buf name = {}, key = {};
	bool ephemeral;

	for (struct xb_jit it = xb_jv_iter(xb_jv_path(pod, "spec", "volumes")); xb_jit_next(&it);) {
		if (!xb_pod_claim(pod, it.value, &name, &ephemeral))
			continue;
		xb_buf_clear(&key);
		xb_buf_addf(&key, "%.*s/%.*s", XB_SV_ARG(xb_jv_text(xb_jv_path(pod, "metadata", "namespace"))), XB_SV_ARG(xb_buf_sv(&name)));
		xb_index_add(e, xb_buf_sv(&key));
	}
}
