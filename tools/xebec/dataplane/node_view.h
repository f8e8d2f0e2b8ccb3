/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_NODE_VIEW_H
#define XEBEC_NODE_VIEW_H
/* What a node's kube-proxy goes by for the node itself: the Node object, ServiceCIDRs, the kernel's addresses and settings, and what it was
 * told, which it says itself. */
#include "agent_calls.h"
#include "../cluster/api.h"
#include "xb/plan_node.h"
#include "xb/vec.h"

struct node_view {
	char *zone;                         /* "": none */
	bool told;                          /* what follows is known: kube-proxy answers */
	struct xb_plan_node_facts facts;
	struct xb_plan_port_networks port_networks;
	/* what the facts are views of */
	struct xb_json *object;
	struct xb_plan_nets services[2], cluster[2];
	XB_VEC(struct xb_ifaddr) addrs;
};
/* To be called in the node's network. -ENOENT: there is no such Node. Fills a view that is zero; it does not move. */
int node_view_read(struct api *a, const char *name, const struct agent_says *says, struct node_view *v, char **reterr_why);
void node_view_done(struct node_view *v);

#endif
