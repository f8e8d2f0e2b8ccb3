/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_QUOTA_H
#define XB_QUOTA_H
/*
 * What an object counts for under a ResourceQuota (upstream's pkg/quota/v1/evaluator/core), for who admits objects and for who
 * tells how much is used. Kinds are in their stored version. Pure; any thread.
 */
#include "xb/kinds.h"
#include "xb/quantity.h"
#include "xb/vec.h"

/* May objects of that kind count for the resource ("pods", "requests.cpu", "count/deployments.apps") at all. */
bool xb_quota_measures(const struct xb_kind *k, struct xb_sv resource);
/* How much of it that object has, in nano-units. now: wall clock in microseconds; a pod whose node had its time is over. */
__int128 xb_quota_amount(const struct xb_kind *k, struct xb_jv object, struct xb_sv resource, int64_t now);
/* Is the object within the quota's scopes. */
bool xb_quota_selects(struct xb_jv quota, const struct xb_kind *k, struct xb_jv object);
/* A resource that pods ask for: *ret_list ("requests", "limits") and *ret_name ("cpu") say where a container has it. */
bool xb_quota_is_compute(struct xb_sv resource, const char **ret_list, struct xb_sv *ret_name);

/*
 * How much of what a quota limits is used: counted once from objects, and then kept by what changes, so that a change costs the
 * same however many objects there are.
 */
struct xb_quota_sum {
	struct xb_sv resource;
	struct xb_quantity used;
	bool measured;                  /* by some kind */
};
struct xb_quota_usage {
	int64_t now;
	struct xb_json *doc;            /* of the quota, for its spec and the names of resources */
	XB_VEC(struct xb_quota_sum) sums; /* what it limits, in its order */
};
/* now: as above, also for what changes later: else a pod that came to be over meanwhile would be taken out as nothing.
 * 0 or -ENOMEM. */
int xb_quota_usage_new(struct xb_jv quota, int64_t now, struct xb_quota_usage **ret);
struct xb_quota_usage *xb_quota_usage_free(struct xb_quota_usage *u);
XB_DEFINE_CLEANUP(struct xb_quota_usage *, xb_quota_usage_free)
bool xb_quota_usage_is_of(const struct xb_quota_usage *u, struct xb_jv quota); /* of that object, with that spec */
bool xb_quota_usage_measures(const struct xb_quota_usage *u, const struct xb_kind *k);
/* old became object; either may be {}. Does that change how much is used. */
bool xb_quota_usage_change(struct xb_quota_usage *u, const struct xb_kind *k, struct xb_jv old, struct xb_jv object);

#endif
