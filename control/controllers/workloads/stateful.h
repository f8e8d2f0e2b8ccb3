/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_STATEFUL_H
#define CONTROLLERS_STATEFUL_H
/*
 * The inside of statefulset.c: one sync of a StatefulSet. statefulset.c finds what there is, stateful_plan.c decides, stateful_work.c
 * does.
 */
#include "../work.h"
#include "revisions.h"
#include "stateful_plan.h"
#include "xb/expectations.h"

struct statefulsets {
	struct kcm *kcm;
	const struct xb_kind *kind, *pod_kind, *claim_kind, *revision_kind;
	struct xb_informer *sets, *claims;
	struct xb_index *sets_by_namespace, *pods_by_controller, *revisions_by_controller;
	struct xb_expectations *expectations;   /* of pods */
	struct kcm_queue *queue;
};

struct stateful_target;                         /* a pod that requests are about */
struct stateful_sync {
	struct kcm_work *w;
	struct statefulsets *l;
	struct xb_jv set;                       /* held as soon as a round begins */
	const char *uid;                        /* the set's, from then on */
	struct stateful_target *targets;
	size_t n_targets, first, batch;         /* those of the round: from first on, as many as batch */
	bool terminating;                       /* the namespace */
	int error;                              /* the first that a request met */
};

int stateful_hold(struct stateful_sync *s);     /* the set, for rounds to come. 0 or -ENOMEM */

/* Takes the plan's steps, of which there are some, and ends the work, now or after its rounds. */
void stateful_do(struct stateful_sync *s, const struct stateful *plan);
/* What was done shows in the copy soon, and brings the key again; should it never, the expectation's end does. */
void stateful_await(struct stateful_sync *s);
/* After requests that failed: the status as it is now. error: the work's. */
void stateful_tell(struct stateful_sync *s, int error);

#endif
