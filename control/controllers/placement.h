/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_PLACEMENT_H
#define CONTROLLERS_PLACEMENT_H
/* Which nodes a pod may be on, as controllers ask it of one pod and one node (component-helpers scheduling/corev1). Pure. */
#include "xb/json.h"

/* The first of a pod's spec.tolerations that tolerates a taint; {}: none does. */
struct xb_jv placement_toleration(struct xb_jv tolerations, struct xb_jv taint);
/* For how many seconds a toleration lasts, at least 0. False: for ever. */
bool placement_toleration_ends(struct xb_jv toleration, int64_t *ret_seconds);

/* The node has what a pod's spec requires: its nodeSelector, and one term of its required nodeAffinity. */
bool placement_matches(struct xb_jv pod_spec, struct xb_jv node);

#endif
