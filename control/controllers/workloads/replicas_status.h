/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_REPLICAS_STATUS_H
#define CONTROLLERS_REPLICAS_STATUS_H
/* The status of a ReplicationController or ReplicaSet (upstream's replica_set_utils.go). Pure; times in microseconds, wall clock. */
#include "xb/json.h"

struct replicas_status {
	int64_t replicas, fully_labeled, ready, available;
	int64_t next_available_us;      /* when one more that is ready will have been so for minReadySeconds; 0: none will */
};
void replicas_count(struct xb_jv set, const struct xb_jv *pods, size_t n, int64_t now, struct replicas_status *ret);
/* Appends the merge patch that tells it, with the condition ReplicaFailure by reason ("FailedCreate") and why, or without it when
 * reason is NULL. Nothing is appended when the set says all that already. */
void replicas_status_patch(struct xb_jv set, const struct replicas_status *s, const char *reason, const char *why, int64_t now,
			   struct xb_buf *out);

#endif
