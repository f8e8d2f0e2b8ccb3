/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_ROLLOUT_H
#define CONTROLLERS_ROLLOUT_H
/*
 * A Deployment and its ReplicaSets as numbers, and how many pods each set is to have next (upstream's pkg/controller/deployment).
 * Pure. Two promises hold at every moment, for what Deployments do: no more pods than replicas + maxSurge, and no fewer that are
 * available than replicas - maxUnavailable. Upstream counts what sets were told to have; here a set that was told less counts
 * with the pods that it still has.
 */
#include "xb/json.h"
#include "xb/vec.h"

#define ROLLOUT_REVISION "deployment.kubernetes.io/revision"
#define ROLLOUT_HISTORY  "deployment.kubernetes.io/revision-history"
#define ROLLOUT_DESIRED  "deployment.kubernetes.io/desired-replicas"
#define ROLLOUT_MAX      "deployment.kubernetes.io/max-replicas"

struct rollout_set {
	struct xb_jv object;
	int64_t replicas;               /* told: spec.replicas */
	int64_t actual, ready, available; /* seen: of the status */
	bool observed;                  /* the status is of this spec */
	int64_t desired, max, revision; /* of the annotations; -1 without one, of the revision 0 */
	/* rollout_plan's */
	int64_t size;                   /* told next */
	bool annotate;                  /* desired and max are to be set even when the size stays */
	bool remove;                    /* beyond spec.revisionHistoryLimit, and nothing is left of it */
};

struct rollout {
	struct xb_jv deployment;
	int64_t replicas, surge, unavailable;
	bool rolling, paused;           /* rolling: not Recreate */
	XB_VEC(struct rollout_set) sets; /* oldest first */
	struct rollout_set *current;    /* of sets: the one with the Deployment's template; NULL: none yet */
	bool old_pods_run;              /* for Recreate, the caller's to set: an old set has a pod that is not over */
	/* rollout_plan's */
	bool scaling;                   /* the Deployment was scaled: its sets follow before it rolls on */
	int64_t make;                   /* how many pods a set that is to be made begins with; -1: none is to be made */
};

/* Borrows the objects. 0 or -ENOMEM. */
int rollout_read(struct xb_jv deployment, const struct xb_jv *sets, size_t n, struct rollout *ret);
void rollout_done(struct rollout *r);
void rollout_plan(struct rollout *r);

int64_t rollout_told(const struct rollout *r);          /* the sum of what the sets were told */
int64_t rollout_next_revision(const struct rollout *r); /* of the current set, by the others' */
/* Does the Deployment's own status say that everything is as it should be. */
bool rollout_complete(const struct rollout *r);

#endif
