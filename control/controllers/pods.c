/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "pods.h"
#include "xb/time.h"

bool pods_deleting(struct xb_jv object)
{
	return xb_jv_text(xb_jv_path(object, "metadata", "deletionTimestamp")).n;
}

bool pods_active(struct xb_jv pod)
{
	struct xb_sv phase = xb_jv_text(xb_jv_path(pod, "status", "phase"));

	return !xb_sv_is(phase, "Succeeded") && !xb_sv_is(phase, "Failed") && !pods_deleting(pod);
}

int64_t pods_time(struct xb_jv text)
{
	int64_t us = 0;

	xb_time_parse(xb_jv_text(text), &us);
	return us;
}

bool pods_ready(struct xb_jv pod, int64_t *ret_since)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(pod, "status", "conditions")); xb_jit_next(&it);) {
		if (!xb_jv_streq(xb_jv_get(it.value, "type"), XB_SV("Ready")))
			continue;
		if (!xb_jv_streq(xb_jv_get(it.value, "status"), XB_SV("True")))
			return false;
		if (ret_since)
			*ret_since = pods_time(xb_jv_get(it.value, "lastTransitionTime"));
		return true;
	}
	return false;
}

bool pods_available(struct xb_jv pod, int64_t min_ready, int64_t now)
{
	int64_t since = 0;

	if (!pods_ready(pod, &since))
		return false;
	return !min_ready || (since && since + min_ready * 1000000 <= now);
}
