/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_STATEFUL_CLAIMS_H
#define CONTROLLERS_STATEFUL_CLAIMS_H
/*
 * The PersistentVolumeClaims of a StatefulSet's pods: one for each of its volumeClaimTemplates and each ordinal. They outlive the
 * pods, and go with an owner where persistentVolumeClaimRetentionPolicy says so: with the set, or with a pod that is beyond its
 * replicas. Pure.
 */
#include "xb/json.h"
#include "xb/kinds.h"

struct stateful_owners {                /* whom a claim may go with */
	const struct xb_kind *set_kind, *pod_kind;
	struct xb_jv set, pod;          /* pod: {} while there is none */
	struct xb_sv pod_name;
	bool scaled_down;               /* the pod is beyond the set's replicas */
};

static inline struct xb_jv stateful_claim_templates(struct xb_jv set)
{
	return xb_jv_path(set, "spec", "volumeClaimTemplates");
}
/* "<template>-<set>-<ordinal>"; out is emptied first. */
const char *stateful_claim_name(struct xb_jv template, struct xb_jv set, int64_t ordinal, struct xb_buf *out);
/* Has a claim the owners that the policy asks for, or some that are not ours to change. */
bool stateful_claim_settled(const struct stateful_owners *o, struct xb_jv claim);
/* It goes with a pod that was scaled down: the next pod of its name waits for that. */
bool stateful_claim_stale(const struct stateful_owners *o, struct xb_jv claim);
/* The body of a new claim, and a merge patch that puts the owners of one right. */
void stateful_claim_write(const struct stateful_owners *o, struct xb_jv template, const char *name, struct xb_buf *out);
void stateful_claim_settle(const struct stateful_owners *o, struct xb_jv claim, struct xb_buf *out);

#endif
