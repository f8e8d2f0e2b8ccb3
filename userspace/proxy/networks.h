/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_NETWORKS_H
#define PROXY_NETWORKS_H
/*
 * What the programs must know of the node and of the cluster's networks: where pods and cluster IPs are, and as what to
 * masquerade. From flags, the Node object, the kernel's addresses and settings, and ServiceCIDRs where the server has them.
 * One thread.
 */
#include "node.h"

struct networks;
struct networks_config {
	struct xb_rest *rest;
	const struct node *node;            /* borrowed */
	const char *cluster_cidr;           /* --cluster-cidr: networks, comma-separated; NULL: not given */
	const char *detect_local_mode;      /* --detect-local-mode; NULL: by cluster_cidr where it is given, else by the Node's podCIDRs */
	bool masquerade_all;
	void (*changed)(void *arg);         /* ServiceCIDRs did */
	void (*trouble)(void *arg, const char *path, const char *why); /* as xb_informer's */
	void *arg;
};
/* -EINVAL with a sentence that names the flag. Borrows what c points to. */
int networks_new(const struct networks_config *c, struct networks **ret, char **reterr_why);
struct networks *networks_free(struct networks *n);
XB_DEFINE_CLEANUP(struct networks *, networks_free)
bool networks_synced(const struct networks *n);         /* all that it goes by is known, or known not to be there */
const char *networks_cluster_cidr(const struct networks *n); /* as it was given; "": pods are where the Node's podCIDRs say */
void networks_get(const struct networks *n, struct xb_plan_node *ret);
void networks_describe(const struct xb_plan_node *node, struct xb_buf *out); /* in a line, for the log */

#endif
