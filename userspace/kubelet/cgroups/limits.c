/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "limits.h"
#include "xb/quantity.h"
#include "xb/quota.h"

#define MIN_SHARES UINT64_C(2)
#define MAX_SHARES UINT64_C(262144)
#define MIN_QUOTA_US INT64_C(1000)

uint64_t milli_to_shares(uint64_t milli)
{
	return MIN(MAX(milli * 1024 / 1000, MIN_SHARES), MAX_SHARES);
}

int64_t milli_to_quota_us(uint64_t milli)
{
	int64_t quota = (int64_t)(milli * CPU_PERIOD_US / 1000);

	return milli ? MAX(quota, MIN_QUOTA_US) : -1;
}

uint64_t shares_to_weight(uint64_t shares)
{
	return 1 + (shares - MIN_SHARES) * 9999 / (MAX_SHARES - MIN_SHARES);
}

static uint64_t sum(struct xb_jv pod, const char *resource, bool milli)
{
	const struct xb_kind *pods = xb_kind_by_resource(XB_SV(""), XB_SV("v1"), XB_SV("pods"));
	struct xb_quantity q = { .nano = xb_quota_amount(pods, pod, xb_sv(resource), 0) };

	return (uint64_t)MAX(milli ? xb_quantity_milli(&q) : xb_quantity_value(&q), INT64_C(0));
}

static bool has_limit(struct xb_jv container, const char *resource)
{
	struct xb_quantity q;

	return !xb_quantity_parse(xb_jv_text(xb_jv_path(container, "resources", "limits", resource)), &q) && q.nano > 0;
}

/* Only then does the sum limit anything. */
static bool all_have_limit(struct xb_jv pod, const char *resource)
{
	for (struct spec_it it = spec_containers(pod); spec_next(&it);)
		if (it.kind != SPEC_EPHEMERAL && !has_limit(it.container, resource))
			return false;
	return true;
}

void pod_limits(struct xb_jv pod, enum spec_qos qos, bool cfs_quota, struct pod_limits *ret)
{
	struct pod_limits l = { .shares = MIN_SHARES, .quota_us = -1, .memory_bytes = -1 };

	if (qos != SPEC_QOS_BEST_EFFORT) {
		l.cpu_milli = sum(pod, "requests.cpu", true);
		l.shares = milli_to_shares(l.cpu_milli);
		if (cfs_quota && all_have_limit(pod, "cpu"))
			l.quota_us = milli_to_quota_us(sum(pod, "limits.cpu", true));
		if (all_have_limit(pod, "memory"))
			l.memory_bytes = (int64_t)sum(pod, "limits.memory", false);
	}
	*ret = l;
}
