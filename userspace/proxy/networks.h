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
void networks_get(const struct networks *n, struct xb_plan_node *ret);
void networks_describe(const struct xb_plan_node *node, struct xb_buf *out); /* in a line, for the log */

/* --- the rules, without a server or a kernel --- */
/* The first that the Node object calls InternalIP and this machine has, else of the machine's global ones that on the first
 * device, loopback last. All zero: none. */
struct xb_plan_addr networks_source(int family, struct xb_jv node, const struct xb_addr *addrs, size_t n_addrs);
/* The longest range of unprivileged ports that neither sockets without a port of their own nor node ports are in. Where fewer
 * than 1024 are left of them, sockets' are used as well (false). */
bool networks_ports(int local_first, int local_last, __u16 *ret_first, __u16 *ret_count);
/* Adds comma-separated networks. -EINVAL: one is none; -E2BIG: more than XB_PLAN_NETS_MAX of a family. */
int networks_add(struct xb_sv list, struct xb_plan_nets by_family[2]);

#endif
