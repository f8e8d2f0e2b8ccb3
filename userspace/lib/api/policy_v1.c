/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* policy/v1: PodDisruptionBudget, Eviction. */
#include "rows.h"

#define PACKAGE "io.k8s.api.policy.v1"

TYPE(eviction, "Eviction",
	STR("apiVersion", 0),
	OBJ("deleteOptions", 2, delete_options, IS(POINTER)),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta));

TYPE(pod_disruption_budget, "PodDisruptionBudget",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, pod_disruption_budget_spec),
	OBJ("status", 3, pod_disruption_budget_status));

TYPE(pod_disruption_budget_spec, "PodDisruptionBudgetSpec",
	INT_OR_STR("maxUnavailable", 3, IS(POINTER)),
	INT_OR_STR("minAvailable", 1, IS(POINTER)),
	OBJ("selector", 2, label_selector, IS(POINTER | REPLACE)),
	STR("unhealthyPodEvictionPolicy", 4, IS(POINTER)));

TYPE(pod_disruption_budget_status, "PodDisruptionBudgetStatus",
	LIST("conditions", 7, condition, IS(MERGE | LIST_MAP), KEYS("type", "type")),
	INT32("currentHealthy", 4, IS(REQUIRED)),
	INT32("desiredHealthy", 5, IS(REQUIRED)),
	TIME_MAP("disruptedPods", 2),
	INT32("disruptionsAllowed", 3, IS(REQUIRED)),
	INT32("expectedPods", 6, IS(REQUIRED)),
	INT64("observedGeneration", 1));
