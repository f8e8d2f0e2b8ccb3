/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NETD_NODE_STATUS_H
#define NETD_NODE_STATUS_H
/*
 * The condition NetworkUnavailable of this node's Node: where somebody set it, as cloud controllers do with new nodes, it is False once
 * the node's pods can be reached. A node without it stays without it.
 */
#include "xb/rest.h"

struct node_status;
int node_status_new(struct xb_rest *rest, const char *node, struct node_status **ret); /* borrows both */
struct node_status *node_status_free(struct node_status *s);
void node_status_available(struct node_status *s, bool available);

#endif
