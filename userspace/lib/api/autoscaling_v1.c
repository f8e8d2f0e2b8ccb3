/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* autoscaling/v1: Scale, the body of scale subresources. */
#include "rows.h"

#define PACKAGE "io.k8s.api.autoscaling.v1"

TYPE(scale, "Scale",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, scale_spec),
	OBJ("status", 3, scale_status));

TYPE(scale_spec, "ScaleSpec",
	INT32("replicas", 1));

TYPE(scale_status, "ScaleStatus",
	INT32("replicas", 1, IS(REQUIRED)),
	STR("selector", 2));
