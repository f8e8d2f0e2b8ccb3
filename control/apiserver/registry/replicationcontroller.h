/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef REGISTRY_REPLICATIONCONTROLLER_H
#define REGISTRY_REPLICATIONCONTROLLER_H
/* The scale subresource of a replication controller: an autoscaling/v1 Scale made of it, and taken from. */
#include "strategy.h"

/* A new Scale: metadata's name, namespace, uid, resourceVersion and creationTimestamp, replicas, selector as text. NULL
 * without memory. rc must live as long as it. */
struct xb_node *rc_to_scale(struct write *w, const struct xb_node *rc);
/* Puts the Scale's replicas into rc. 422 of the Scale when they are negative: -EINVAL with reterr; -ENOMEM. */
int rc_from_scale(struct write *w, struct xb_node *rc, const struct xb_node *scale, struct xb_status *reterr);

#endif
