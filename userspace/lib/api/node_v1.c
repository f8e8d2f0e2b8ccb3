/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* node.k8s.io/v1. */
#include "rows.h"

#define PACKAGE "io.k8s.api.node.v1"

TYPE(runtime_class, "RuntimeClass",
	STR("apiVersion", 0),
	STR("handler", 2, IS(REQUIRED)),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("overhead", 3, runtime_class_overhead, IS(POINTER)),
	OBJ("scheduling", 4, runtime_class_scheduling, IS(POINTER)));

TYPE(runtime_class_overhead, "Overhead",
	QUANTITY_MAP("podFixed", 1));

TYPE(runtime_class_scheduling, "Scheduling",
	STR_MAP("nodeSelector", 1, IS(ATOMIC)),
	LIST("tolerations", 2, toleration));
