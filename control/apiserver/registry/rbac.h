/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef REGISTRY_RBAC_H
#define REGISTRY_RBAC_H
/* rbac.authorization.k8s.io/v1: Role, ClusterRole, RoleBinding, ClusterRoleBinding. What they mean is control/apiserver/authz_rbac.h's. */
#include "strategy.h"

#define RBAC_GROUP "rbac.authorization.k8s.io"
extern const struct strategy role_strategy, cluster_role_strategy, role_binding_strategy, cluster_role_binding_strategy;

#endif
