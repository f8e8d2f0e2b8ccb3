/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* autoscaling/v1: HorizontalPodAutoscaler as it was before v2, and Scale, the body of scale subresources. */
#include "rows.h"

#define PACKAGE "io.k8s.api.autoscaling.v1"

ATOMIC_TYPE(cross_version_object_reference_v1, "CrossVersionObjectReference",
	STR("apiVersion", 3),
	STR("kind", 1, IS(REQUIRED)),
	STR("name", 2, IS(REQUIRED)));

TYPE(horizontal_pod_autoscaler_v1, "HorizontalPodAutoscaler",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, horizontal_pod_autoscaler_spec_v1),
	OBJ("status", 3, horizontal_pod_autoscaler_status_v1));

TYPE(horizontal_pod_autoscaler_spec_v1, "HorizontalPodAutoscalerSpec",
	INT32("maxReplicas", 3, IS(REQUIRED)),
	INT32("minReplicas", 2, IS(POINTER), OR("1")),
	OBJ("scaleTargetRef", 1, cross_version_object_reference_v1, IS(REQUIRED)),
	INT32("targetCPUUtilizationPercentage", 4, IS(POINTER)));

TYPE(horizontal_pod_autoscaler_status_v1, "HorizontalPodAutoscalerStatus",
	INT32("currentCPUUtilizationPercentage", 5, IS(POINTER)),
	INT32("currentReplicas", 3, IS(REQUIRED)),
	INT32("desiredReplicas", 4, IS(REQUIRED)),
	TIME("lastScaleTime", 2, IS(POINTER)),
	INT64("observedGeneration", 1, IS(POINTER)));

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
