/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_QUOTA_USAGE_H
#define CONTROLLERS_QUOTA_USAGE_H
/*
 * How much of what a ResourceQuota limits is used: counted once from all objects of its namespace, and then kept by what changes,
 * so that a change costs the same however many objects there are. Pure.
 */
#include "xb/kinds.h"

struct quota_usage;
/* now: wall clock in microseconds, by which it is judged which pods are over, also in what follows: else a pod that came to be
 * over meanwhile would be taken out as nothing. */
int quota_usage_new(struct xb_jv quota, int64_t now, struct quota_usage **ret);
struct quota_usage *quota_usage_free(struct quota_usage *u);
XB_DEFINE_CLEANUP(struct quota_usage *, quota_usage_free)
bool quota_usage_is_of(const struct quota_usage *u, struct xb_jv quota); /* of that object, with that spec */

bool quota_usage_measures(const struct quota_usage *u, const struct xb_kind *k);
/* old became object; either may be {}. Does that change how much is used. */
bool quota_usage_change(struct quota_usage *u, const struct xb_kind *k, struct xb_jv old, struct xb_jv object);
/* The status as it is to be written; nothing is added to out when the quota says so already. What nothing measures is left out. */
void quota_usage_status(const struct quota_usage *u, struct xb_jv quota, struct xb_buf *out);

#endif
