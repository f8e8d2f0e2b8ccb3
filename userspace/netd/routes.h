/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NETD_ROUTES_H
#define NETD_ROUTES_H
/*
 * This node's routes to the pods of others, and the VXLAN device that some of them go by: what the kernel has is made equal to what paths
 * say. Only routes of our protocol and entries of our device are ever touched. A change of one node costs what that node has; a
 * reconciliation reads all of ours and changes what differs, so packets do not notice.
 */
#include "path.h"

#define VXLAN_DEVICE "xebec-vxlan"

struct target {                     /* another node */
	char *name;
	struct peer peer;
	struct path path;           /* as the kernel was told */
	int fault;                  /* -errno of the last attempt */
	char *why;                  /* the sentence to it */
	bool told, dirty;           /* the agent's */
};

struct routes_config {
	enum mode mode;
	uint32_t vni;
	uint16_t port;
	uint32_t mtu;               /* of pods; 0: by the link */
};
struct routes;
int routes_new(const struct routes_config *c, struct routes **ret, char **reterr_why);
struct routes *routes_free(struct routes *r);   /* leaves the kernel as it is */
XB_DEFINE_CLEANUP(struct routes *, routes_free)

void routes_set_self(struct routes *r, const struct peer *self); /* to be followed by a reconciliation */
/* One node: it is as t->peer says now, or gone. The fault is in t. */
void routes_change(struct routes *r, struct target *t, bool gone);
/* All: targets' paths are made anew. -errno when the kernel could not be read; faults of single ones are in them. */
int routes_reconcile(struct routes *r, struct target *const *all, size_t n, char **reterr_why);
/* Whether a notice is a reason to reconcile: something of ours is gone or another, or the ways that it was planned by. */
bool routes_matter(const struct routes *r, struct target *const *all, size_t n, const struct nlmsghdr *h);
uint32_t routes_pod_mtu(const struct routes *r);
uint32_t routes_portid(const struct routes *r);

struct routes_stats {
	unsigned direct, vxlan;     /* routes by way */
	uint64_t repairs;           /* what a reconciliation put right after the first */
};
void routes_stats(const struct routes *r, struct target *const *all, size_t n, struct routes_stats *ret);
int routes_cleanup(char **reterr_why);

#endif
