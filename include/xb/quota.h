/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_QUOTA_H
#define XB_QUOTA_H
/*
 * What an object counts for under a ResourceQuota (upstream's pkg/quota/v1/evaluator/core), for who admits objects and for who
 * tells how much is used. Kinds are in their stored version. Pure; any thread.
 */
#include "xb/kinds.h"

/* May objects of that kind count for the resource ("pods", "requests.cpu", "count/deployments.apps") at all. */
bool xb_quota_measures(const struct xb_kind *k, struct xb_sv resource);
/* How much of it that object has, in nano-units. now: wall clock in microseconds; a pod whose node had its time is over. */
__int128 xb_quota_amount(const struct xb_kind *k, struct xb_jv object, struct xb_sv resource, int64_t now);
/* Is the object within the quota's scopes. */
bool xb_quota_selects(struct xb_jv quota, const struct xb_kind *k, struct xb_jv object);
/* A resource that pods ask for: *ret_list ("requests", "limits") and *ret_name ("cpu") say where a container has it. */
bool xb_quota_is_compute(struct xb_sv resource, const char **ret_list, struct xb_sv *ret_name);

#endif
