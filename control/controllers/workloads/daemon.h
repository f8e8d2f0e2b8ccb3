/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_DAEMON_H
#define CONTROLLERS_DAEMON_H
/*
 * The inside of daemonset.c: one sync of a DaemonSet, here called a set. daemonset.c decides, daemon_write.c does; each function
 * ends the work, now or after its rounds.
 */
#include "../work.h"
#include "daemon_backoff.h"
#include "daemon_plan.h"
#include "daemon_pod.h"
#include "xb/expectations.h"

struct daemons {
	struct kcm *kcm;
	const struct xb_kind *kind, *pod_kind, *node_kind, *revision_kind;
	struct xb_informer *sets, *nodes, *pods;
	struct xb_index *sets_by_namespace, *pods_by_controller, *revisions_by_controller;
	struct xb_expectations *expectations;
	struct daemon_backoff *backoff;
	struct kcm_queue *queue;
};

struct daemon_sync {
	struct kcm_work *w;
	struct daemons *l;
	struct xb_jv set;                       /* held as soon as a round begins */
	struct xb_sv uid, hash;                 /* the set's; of its present template */
	struct daemon_template template;        /* of the pods to make, */
	struct xb_sv *nodes;                    /* on these nodes, */
	unsigned next, n, batch;                /* the next of how many, how many at once */
	bool terminating;                       /* the namespace */
	int error;                              /* of the requests */
};
#define DAEMON_BURST 250                        /* pods made or deleted in one sync */
void daemon_create(struct daemon_sync *s, const struct daemon_plan *p);
void daemon_delete(struct daemon_sync *s, const struct daemon_plan *p);
struct xb_event daemon_event(const struct daemon_sync *s, enum xb_event_type type, const char *reason);
int daemon_hold(struct daemon_sync *s);         /* the set, for rounds to come */

/* What was done shows in the copy soon, and brings the key again; should it never, the expectation's end does. */
void daemon_await(struct daemon_sync *s);
/* After requests that no event will follow: the status as it is now. error: the work's. */
void daemon_tell(struct daemon_sync *s, int error);

#endif
