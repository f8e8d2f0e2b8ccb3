/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef REGISTRY_SERVICE_H
#define REGISTRY_SERVICE_H
/* The parts of the Service strategy: what a spec calls for, its allocations, its validation. */
#include "strategy.h"

static inline bool service_is(const struct xb_tree *spec, const char *type)
{
	return xb_tree_is(xb_tree_get(spec, "type"), type);
}
bool service_needs_ip(const struct xb_tree *spec);           /* of a known type, but ExternalName */
bool service_spec_is_headless(const struct xb_tree *spec);
bool service_needs_node_ports(const struct xb_tree *spec);
bool service_needs_health_port(const struct xb_tree *spec);
bool service_is_external(const struct xb_tree *spec);        /* reachable from outside: externalTrafficPolicy means something */

int service_begin(struct write *w, struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e);
void service_end(struct write *w, bool committed);

void service_validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e);
void service_validate_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e);
void service_validate_status(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e);
/* clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy among themselves: before allocation too. */
void service_validate_ips(struct xb_field_errors *e, const struct xb_tree *spec);

#endif
