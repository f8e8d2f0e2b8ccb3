/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_REPLICAS_H
#define CONTROLLERS_REPLICAS_H
/*
 * The inside of replicas.c: one sync of a ReplicationController or ReplicaSet, here called a set. replicas.c decides,
 * replicas_scale.c does; each function ends the work, now or after its rounds.
 */
#include "../work.h"
#include "xb/expectations.h"

struct replicas_variety {
	const char *group, *plural, *queue, *component;
};
struct replicas {
	struct kcm *kcm;
	const struct replicas_variety *variety;
	const struct xb_kind *kind, *pod_kind;
	struct xb_informer *sets;               /* of the kind */
	struct xb_index *sets_by_namespace, *sets_by_controller, *pods_by_controller;
	struct xb_expectations *expectations;
	struct kcm_queue *queue;
};
struct replicas_pods {                          /* views */
	XB_VEC(struct xb_jv) active, to_adopt, to_release;
};
void replicas_pods_done(struct replicas_pods *p);

struct replicas_target;                         /* a pod that a request is about */
struct replicas_sync {
	struct kcm_work *w;
	struct replicas *l;
	struct xb_jv set;                       /* held as soon as a round begins */
	const char *uid;                        /* the set's, from then on */
	int64_t diff;                           /* pods too many, or when negative too few */
	struct replicas_target *targets;
	size_t n_targets;
	struct xb_sv body;                      /* of the pods to make */
	unsigned remaining, batch;
	bool terminating;                       /* the namespace */
	int error;                              /* of the requests; w->why has what the first that failed was told */
};
struct replicas_target {
	struct replicas_sync *s;
	const char *name, *uid;
};

int replicas_hold(struct replicas_sync *s);     /* the set, for rounds to come */
int replicas_new_targets(struct replicas_sync *s, size_t n);
int replicas_add_targets(struct replicas_sync *s, const struct xb_jv *pods, size_t n); /* copies their names and uids */

void replicas_create(struct replicas_sync *s);  /* -diff pods */
void replicas_delete(struct replicas_sync *s, struct replicas_pods *p); /* diff pods */

/* What was done shows in the copy soon, and brings the key again; should it never, the expectation's end does. */
void replicas_await(struct replicas_sync *s);
/* After requests that no event will follow: the status as it is now. reason: why the pods are not as many as they should be,
 * NULL when that is no failure. error: the work's. */
void replicas_tell(struct replicas_sync *s, const char *reason, int error);

#endif
