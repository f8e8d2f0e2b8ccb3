/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rbac.authorization.k8s.io/v1. */
#include "rows.h"

#define PACKAGE "io.k8s.api.rbac.v1"

TYPE(aggregation_rule, "AggregationRule",
	LIST("clusterRoleSelectors", 1, label_selector));

TYPE(cluster_role, "ClusterRole",
	OBJ("aggregationRule", 3, aggregation_rule, IS(POINTER)),
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	LIST("rules", 2, policy_rule));

TYPE(cluster_role_binding, "ClusterRoleBinding",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("roleRef", 3, role_ref, IS(REQUIRED)),
	LIST("subjects", 2, subject));

TYPE(policy_rule, "PolicyRule",
	STR_LIST("apiGroups", 2),
	STR_LIST("nonResourceURLs", 5),
	STR_LIST("resourceNames", 4),
	STR_LIST("resources", 3),
	STR_LIST("verbs", 1, IS(REQUIRED)));

TYPE(role, "Role",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	LIST("rules", 2, policy_rule));

TYPE(role_binding, "RoleBinding",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("roleRef", 3, role_ref, IS(REQUIRED)),
	LIST("subjects", 2, subject));

ATOMIC_TYPE(role_ref, "RoleRef",
	STR("apiGroup", 1, IS(REQUIRED)),
	STR("kind", 2, IS(REQUIRED)),
	STR("name", 3, IS(REQUIRED)));

ATOMIC_TYPE(subject, "Subject",
	STR("apiGroup", 2),
	STR("kind", 1, IS(REQUIRED)),
	STR("name", 3, IS(REQUIRED)),
	STR("namespace", 4));
