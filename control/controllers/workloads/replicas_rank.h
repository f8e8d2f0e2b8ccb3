/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_REPLICAS_RANK_H
#define CONTROLLERS_REPLICAS_RANK_H
/* Which of a controller's pods go first when there are too many (upstream's ActivePodsWithRanks). Pure. */
#include "xb/json.h"

/*
 * Puts the pods that should go first first: unassigned, by phase, not ready, by the annotation
 * controller.kubernetes.io/pod-deletion-cost, on the node with the most pods of related, ready for a shorter time, restarted more
 * often, younger. Times are compared by their order of magnitude, and equal ones by uid, so that the youngest are not always
 * the ones to go. now: wall clock, microseconds. 0 or -ENOMEM.
 */
int replicas_rank(struct xb_jv *pods, size_t n, const struct xb_jv *related, size_t n_related, int64_t now);

#endif
