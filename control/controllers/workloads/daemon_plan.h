/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_DAEMON_PLAN_H
#define CONTROLLERS_DAEMON_PLAN_H
/*
 * A DaemonSet, the nodes and its pods as facts, and which pods are made and deleted next (upstream's pkg/controller/daemon).
 * Pure; times are wall clock in microseconds. While it rolls, and as far as this decides it, never are more nodes without an
 * available pod than maxUnavailable, and never more nodes with two pods of which the new one is not available yet than maxSurge.
 */
#include "xb/json.h"
#include "xb/vec.h"

struct daemon_pod {
	struct xb_jv object;
	struct xb_sv node, created, name;
	bool scheduled, deleting, failed, succeeded;
	bool ready, available, current; /* current: made by the present template */
	bool lost;                      /* its node is not there */
	int64_t ready_since;            /* 0: unknown */
};
struct daemon_node {
	struct xb_sv name;
	bool run, keep;                 /* daemon_fit's */
	size_t first, n;                /* the set's pods there: of pods */
};
struct daemon_facts {
	XB_VEC(struct daemon_node) nodes; /* by name */
	XB_VEC(struct daemon_pod) pods; /* by node; of a node's, first those that are bound, then older ones */
	int64_t desired;                /* nodes that are to have one */
	int64_t max_unavailable, max_surge;
	bool rolling;                   /* not OnDelete */
	int64_t next_available_us;      /* when one more that is ready will have been so for minReadySeconds; 0: none will */
};
struct daemon_given {                           /* its objects must outlive the facts */
	struct xb_jv set;
	struct xb_sv hash;              /* of the present template */
	const struct xb_jv *nodes, *pods;
	size_t n_nodes, n_pods;
	int64_t now;
};
int daemon_facts_read(const struct daemon_given *g, struct daemon_facts *ret); /* 0 or -ENOMEM; daemon_facts_done in either case */
void daemon_facts_done(struct daemon_facts *f);

enum daemon_why { DAEMON_TOO_MANY, DAEMON_OUTDATED, DAEMON_FAILED, DAEMON_SUCCEEDED };
struct daemon_removal {
	const struct daemon_pod *pod;
	enum daemon_why why;
};
struct daemon_plan {
	XB_VEC(const struct daemon_node *) create;
	XB_VEC(struct daemon_removal) remove;
};
/* Each node is to have its one pod. Both append. 0 or -ENOMEM. */
int daemon_plan_nodes(const struct daemon_facts *f, struct daemon_plan *p);
/* When nothing came of that: the present template takes the place of earlier ones. */
int daemon_plan_update(const struct daemon_facts *f, struct daemon_plan *p);
void daemon_plan_done(struct daemon_plan *p);

#endif
