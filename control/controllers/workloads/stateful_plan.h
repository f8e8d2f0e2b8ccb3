/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_STATEFUL_PLAN_H
#define CONTROLLERS_STATEFUL_PLAN_H
/*
 * What is to be done for a StatefulSet next, as it is now (upstream's stateful_set_control.go). Pods have ordinals, from
 * spec.ordinals.start on: those within spec.replicas are its replicas, the others are condemned. Unless podManagementPolicy is
 * Parallel, one thing is done at a time, and only while all pods before are available: made from the lowest ordinal on, deleted from
 * the highest. Only when replicas are as many as asked for are old ones replaced, from the highest ordinal down to
 * updateStrategy.rollingUpdate.partition. Pure; times are wall clock in microseconds.
 */
#include "stateful_pod.h"
#include "xb/vec.h"

#define STATEFUL_BURST 500              /* steps at once */

struct stateful_member {
	int64_t ordinal;
	struct xb_jv pod;
};
enum stateful_act {
	STATEFUL_CREATE,                /* the claims that are missing, and the pod */
	STATEFUL_DELETE,
	STATEFUL_FIX,                   /* claims that are missing, owners of claims, the pod's identity or storage */
};
struct stateful_step {
	enum stateful_act act;
	int64_t ordinal;
	struct xb_jv pod;               /* {}: to be created, from */
	struct xb_jv revision;
	bool over;                      /* it is deleted because it ended, whatever the set asks for */
	bool make_claims;               /* those that are missing; the others' owners are put right in any case */
	bool fix_pod;                   /* its identity and its storage, too */
};
struct stateful {
	/* to be filled in; views */
	struct xb_jv set;
	const struct xb_kind *set_kind, *pod_kind;
	XB_VEC(struct stateful_member) members;         /* in any order */
	struct xb_jv current, update;                   /* ControllerRevisions */
	struct xb_jv (*claim)(void *arg, const char *name); /* a claim of the set's namespace; {}: there is none */
	void *claim_arg;
	int64_t now;
	/* by stateful_read */
	int64_t start, replicas, partition, min_ready;
	bool parallel, on_delete, partitioned;
	/* by stateful_count */
	int64_t n_created, n_ready, n_available, n_current, n_update;
	int64_t next_available_us;      /* when one more will be available; 0: none that is ready is about to be */
	/* by stateful_plan */
	XB_VEC(struct stateful_step) steps; /* all of one act */
};

void stateful_read(struct stateful *s);         /* the spec; sorts the members */
void stateful_done(struct stateful *s);
void stateful_count(struct stateful *s);
/* After those two. No steps: nothing is to be done until something changes. 0 or -ENOMEM. */
int stateful_plan(struct stateful *s);

/* A merge patch of the status that says all this, and which of the two revisions the set has come to: appended; nothing when the
 * set says so already. Without the revisions it says what it said of them. */
void stateful_status(const struct stateful *s, struct xb_buf *out);

/* Whom the claims of a place may go with; pod: {} while there is none, with its name in pod_name. */
void stateful_owners(const struct stateful *s, int64_t ordinal, struct xb_jv pod, struct xb_sv pod_name, struct stateful_owners *ret);

#endif
