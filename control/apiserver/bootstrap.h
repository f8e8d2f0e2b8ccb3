/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_BOOTSTRAP_H
#define APISERVER_BOOTSTRAP_H
/*
 * What a cluster has from its first moment: the namespaces default, kube-system, kube-public and kube-node-lease, the
 * system's PriorityClasses, the ServiceCIDR "kubernetes", and the Service "kubernetes" with its Endpoints and EndpointSlice,
 * which lead to this server. Made when missing, and the addresses corrected, at every start, by the same path that clients'
 * writes take.
 */
#include "server.h"

/* What is to be there. A second start writes nothing unless it differs. */
struct bootstrap_object {
	const char *group, *plural, *namespace_, *name;
	const char *json;
	const char *member;                     /* kept as in json when the object is there; NULL: the object is left alone, but for */
	/* this, which may be NULL: completes an object that is there by what is wanted. Was anything changed? */
	bool (*reconcile)(struct xb_arena *a, struct xb_tree *object, const struct xb_tree *wanted);
};

/* Marks the addresses and ports of stored Services as taken. Before the first write. */
int bootstrap_adopt(struct server *s);
/* Queues the writes; s->ready is set when all are committed. 0, or an error that makes serving pointless (logged). */
int bootstrap_objects(struct server *s);
/* One of them. A refusal is logged and no error. */
int bootstrap_ensure(struct server *s, const struct bootstrap_object *want);

#endif
