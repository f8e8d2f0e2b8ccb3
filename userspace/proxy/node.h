/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_NODE_H
#define PROXY_NODE_H
/* This node, by its Node object and its kernel: the addresses at which node ports answer, its zone, and whether load balancers
 * should send it new traffic. One thread. */
#include "xb/plan_node.h"
#include "xb/rest.h"

enum node_change {
	NODE_PORT_ADDRS = 1,    /* node_addrs() */
	NODE_ZONE = 2,
	NODE_FACTS = 4,         /* something in the Node object, or an address of the kernel's. A kubelet changes it every few
				 * minutes: what follows is to be compared */
};

struct node;
struct node_config {
	struct xb_rest *rest;
	const char *name;                   /* of the Node object; copied */
	char *const *networks;              /* --nodeport-addresses; borrowed; NULL: all addresses */
	void (*changed)(void *arg, unsigned what); /* enum node_change, several at once */
	void (*trouble)(void *arg, const char *path, const char *why); /* as xb_informer's */
	void *arg;
};
/* The kernel's addresses are in when it returns; the Node object comes later. -EINVAL: a network is none. */
int node_new(const struct node_config *c, struct node **ret, char **reterr_why);
struct node *node_free(struct node *n);
XB_DEFINE_CLEANUP(struct node *, node_free)
/* Sorted, no duplicates; borrowed until the next turn of the loop. With "primary" the Node object's internal IPs; until
 * that is known, all addresses. */
size_t node_addrs(const struct node *n, int family, const struct xb_plan_addr **ret);
bool node_addrs_are_all(const struct node *n);          /* no networks were given: each address there is and will be */
bool node_synced(const struct node *n);                 /* the Node object is known, or known not to be there */
/* {}: not there, or not known; borrowed until the next turn of the loop. One that was deleted stays as it was last. */
struct xb_jv node_object(const struct node *n);
const char *node_zone(const struct node *n);            /* "": none, or not known; borrowed until it changes */
size_t node_kernel_addrs(const struct node *n, const struct xb_ifaddr **ret); /* as xb_addrs_get() */
/* KEP-3836: false when the Node is being deleted or tainted for it by the cluster autoscaler; true while it is not known. */
bool node_eligible(const struct node *n);

#endif
