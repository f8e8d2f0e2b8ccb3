/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef REGISTRY_H
#define REGISTRY_H
/* State beside the objects that writes share: which cluster IPs and node ports are taken. Rebuilt from the store at start;
 * one thread. */
#include "strategy.h"

struct registry_config {
	const char *service_ranges;        /* "10.96.0.0/12[,fd00:10:96::/108]": --service-cluster-ip-range */
	int node_port_first, node_port_last;
	bool allow_privileged;
};
int registry_new(const struct registry_config *c, struct registry **ret, char **reterr_why);
struct registry *registry_free(struct registry *r);
XB_DEFINE_CLEANUP(struct registry *, registry_free)
/* Marks what a Service of the store holds as taken: once for each, before serving. */
void registry_adopt_service(struct registry *r, struct xb_jv service);
/* The address of the "kubernetes" Service: the first of the first range, as text. */
const char *registry_first_service_ip(const struct registry *r);

#endif
