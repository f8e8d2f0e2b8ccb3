/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "spec.h"
#include "xb/quantity.h"

static const char *const names[] = { "Guaranteed", "Burstable", "BestEffort" };
static const char *const counted[] = { "cpu", "memory" };

static __int128 nano_of(struct xb_jv amount)
{
	struct xb_quantity q;

	return xb_quantity_parse(xb_jv_text(amount), &q) < 0 || q.nano < 0 ? 0 : q.nano;
}

/* Of a static pod, for which no API server has said it. */
static enum spec_qos computed(struct xb_jv pod)
{
	__int128 requests[ARRAY_SIZE(counted)] = {}, limits[ARRAY_SIZE(counted)] = {};
	bool limited = true, asked = false, same = true;

	for (struct spec_it it = spec_containers(pod); spec_next(&it) && it.kind != SPEC_EPHEMERAL;)
		for (size_t i = 0; i < ARRAY_SIZE(counted); i++) {
			struct xb_jv request = xb_jv_path(it.container, "resources", "requests", counted[i]);
			__int128 limit = nano_of(xb_jv_path(it.container, "resources", "limits", counted[i]));

			/* what is limited and not requested is requested as much: API defaulting, which a file has not seen */
			requests[i] += xb_jv_is(request) ? nano_of(request) : limit;
			limits[i] += limit;
			limited &= limit > 0;
		}
	for (size_t i = 0; i < ARRAY_SIZE(counted); i++) {
		asked |= requests[i] || limits[i];
		same &= requests[i] == limits[i];
	}
	return !asked ? SPEC_QOS_BEST_EFFORT : limited && same ? SPEC_QOS_GUARANTEED : SPEC_QOS_BURSTABLE;
}

enum spec_qos spec_qos(struct xb_jv pod)
{
	struct xb_jv said = xb_jv_path(pod, "status", "qosClass");

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (xb_jv_streq(said, xb_sv(names[i])))
			return (enum spec_qos)i;
	return computed(pod);
}

const char *spec_qos_name(enum spec_qos q)
{
	return names[q];
}
