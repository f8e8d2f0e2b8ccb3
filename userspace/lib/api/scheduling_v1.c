/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* scheduling.k8s.io/v1. */
#include "rows.h"

#define PACKAGE "io.k8s.api.scheduling.v1"

TYPE(priority_class, "PriorityClass",
	STR("apiVersion", 0),
	STR("description", 4),
	BOOL("globalDefault", 3),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	STR("preemptionPolicy", 5, IS(POINTER), OR("\"PreemptLowerPriority\"")),
	INT32("value", 2, IS(REQUIRED)));
