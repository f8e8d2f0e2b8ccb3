/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_RBAC_AGGREGATE_H
#define APISERVER_RBAC_AGGREGATE_H
/*
 * Keeps the rules of a ClusterRole with an aggregationRule equal to those of the ClusterRoles that its selectors name
 * (kubernetes docs "Aggregated ClusterRoles"): whenever one of them changed, by the path that every write takes.
 */
#include "server.h"

struct rbac_aggregate;
int rbac_aggregate_new(struct server *s, struct rbac_aggregate **ret);
struct rbac_aggregate *rbac_aggregate_free(struct rbac_aggregate *a);   /* before the store is closed; NULL is fine */

#endif
