/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_NODE_H
#define PROXY_NODE_H
/* This node: the addresses at which node ports answer, and whether load balancers should send it new traffic. One thread. */
#include "xb/plan.h"
#include "xb/rest.h"

struct node;
struct node_config {
	struct xb_rest *rest;
	const char *name;                   /* of the Node object; copied */
	char *const *networks;              /* --nodeport-addresses; borrowed; NULL: all addresses */
	void (*changed)(void *arg);         /* other addresses than before */
	void *arg;
};
/* The kernel's addresses are in when it returns; the Node object comes later. -EINVAL: a network is none. */
int node_new(const struct node_config *c, struct node **ret, char **reterr_why);
struct node *node_free(struct node *n);
XB_DEFINE_CLEANUP(struct node *, node_free)
/* Sorted, no duplicates; borrowed until the next turn of the loop. With "primary" the Node object's internal IPs; until
 * that is known, all addresses. */
size_t node_addrs(const struct node *n, int family, const struct plan_addr **ret);
/* KEP-3836: false when the Node is being deleted or tainted for it by the cluster autoscaler; true while it is not known. */
bool node_eligible(const struct node *n);

#endif
