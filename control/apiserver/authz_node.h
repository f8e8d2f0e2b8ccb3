/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_AUTHZ_NODE_H
#define APISERVER_AUTHZ_NODE_H
/*
 * What a kubelet may do (kubernetes docs "Using Node Authorization"): of secrets, config maps, claims, volumes and service
 * accounts only those that pods bound to its node refer to. The references are counted as pods come and go, so that a
 * decision is one look-up.
 */
#include "authz.h"
#include "../store/store.h"

struct node_graph;
int node_graph_new(struct store *store, struct node_graph **ret);
struct node_graph *node_graph_free(struct node_graph *g);

enum decision node_graph_decide(struct node_graph *g, const struct attributes *t, struct xb_buf *reason);

/* Does a pod on that node refer to it? plural: "secrets", "configmaps", "persistentvolumeclaims", "serviceaccounts"; or
 * "pods": is the pod bound to it. */
bool node_graph_refers(struct node_graph *g, struct xb_sv node, const char *plural, struct xb_sv namespace_, struct xb_sv name);

#endif
