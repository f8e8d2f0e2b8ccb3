/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* autoscaling/v1: Scale, the body of scale subresources. */
#include "rows.h"

#define PACKAGE "io.k8s.api.autoscaling.v1"

TYPE(scale, "Scale",
	STR("apiVersion"),
	STR("kind"),
	OBJ("metadata", object_meta),
	OBJ("spec", scale_spec),
	OBJ("status", scale_status));

TYPE(scale_spec, "ScaleSpec",
	INT32("replicas"));

TYPE(scale_status, "ScaleStatus",
	INT32("replicas", IS(REQUIRED)),
	STR("selector"));
