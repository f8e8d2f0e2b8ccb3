/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* autoscaling/v2: HorizontalPodAutoscaler. */
#include "rows.h"

#define PACKAGE "io.k8s.api.autoscaling.v2"

TYPE(container_resource_metric_source, "ContainerResourceMetricSource",
	STR("container", 3, IS(REQUIRED)),
	STR("name", 1, IS(REQUIRED)),
	OBJ("target", 2, metric_target, IS(REQUIRED)));

TYPE(container_resource_metric_status, "ContainerResourceMetricStatus",
	STR("container", 3, IS(REQUIRED)),
	OBJ("current", 2, metric_value_status, IS(REQUIRED)),
	STR("name", 1, IS(REQUIRED)));

TYPE(cross_version_object_reference, "CrossVersionObjectReference",
	STR("apiVersion", 3),
	STR("kind", 1, IS(REQUIRED)),
	STR("name", 2, IS(REQUIRED)));

TYPE(external_metric_source, "ExternalMetricSource",
	OBJ("metric", 1, metric_identifier, IS(REQUIRED)),
	OBJ("target", 2, metric_target, IS(REQUIRED)));

TYPE(external_metric_status, "ExternalMetricStatus",
	OBJ("current", 2, metric_value_status, IS(REQUIRED)),
	OBJ("metric", 1, metric_identifier, IS(REQUIRED)));

TYPE(hpa_scaling_policy, "HPAScalingPolicy",
	INT32("periodSeconds", 3, IS(REQUIRED)),
	STR("type", 1, IS(REQUIRED)),
	INT32("value", 2, IS(REQUIRED)));

TYPE(hpa_scaling_rules, "HPAScalingRules",
	LIST("policies", 2, hpa_scaling_policy),
	STR("selectPolicy", 1, IS(POINTER)),
	INT32("stabilizationWindowSeconds", 3, IS(POINTER)),
	QUANTITY("tolerance", 4, IS(POINTER)));

TYPE(horizontal_pod_autoscaler, "HorizontalPodAutoscaler",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, horizontal_pod_autoscaler_spec),
	OBJ("status", 3, horizontal_pod_autoscaler_status));

TYPE(horizontal_pod_autoscaler_behavior, "HorizontalPodAutoscalerBehavior",
	OBJ("scaleDown", 2, hpa_scaling_rules, IS(POINTER)),
	OBJ("scaleUp", 1, hpa_scaling_rules, IS(POINTER)));

TYPE(horizontal_pod_autoscaler_condition, "HorizontalPodAutoscalerCondition",
	TIME("lastTransitionTime", 3),
	STR("message", 5),
	STR("reason", 4),
	STR("status", 2, IS(REQUIRED)),
	STR("type", 1, IS(REQUIRED)));

TYPE(horizontal_pod_autoscaler_spec, "HorizontalPodAutoscalerSpec",
	OBJ("behavior", 5, horizontal_pod_autoscaler_behavior, IS(POINTER)),
	INT32("maxReplicas", 3, IS(REQUIRED)),
	LIST("metrics", 4, metric_spec),
	INT32("minReplicas", 2, IS(POINTER), OR("1")),
	OBJ("scaleTargetRef", 1, cross_version_object_reference, IS(REQUIRED)));

TYPE(horizontal_pod_autoscaler_status, "HorizontalPodAutoscalerStatus",
	LIST("conditions", 6, horizontal_pod_autoscaler_condition, IS(MERGE | LIST_MAP), KEYS("type", "type")),
	LIST("currentMetrics", 5, metric_status),
	INT32("currentReplicas", 3),
	INT32("desiredReplicas", 4, IS(REQUIRED)),
	TIME("lastScaleTime", 2, IS(POINTER)),
	INT64("observedGeneration", 1, IS(POINTER)));

TYPE(metric_identifier, "MetricIdentifier",
	STR("name", 1, IS(REQUIRED)),
	OBJ("selector", 2, label_selector, IS(POINTER)));

TYPE(metric_spec, "MetricSpec",
	OBJ("containerResource", 7, container_resource_metric_source, IS(POINTER)),
	OBJ("external", 5, external_metric_source, IS(POINTER)),
	OBJ("object", 2, object_metric_source, IS(POINTER)),
	OBJ("pods", 3, pods_metric_source, IS(POINTER)),
	OBJ("resource", 4, resource_metric_source, IS(POINTER)),
	STR("type", 1, IS(REQUIRED)));

TYPE(metric_status, "MetricStatus",
	OBJ("containerResource", 7, container_resource_metric_status, IS(POINTER)),
	OBJ("external", 5, external_metric_status, IS(POINTER)),
	OBJ("object", 2, object_metric_status, IS(POINTER)),
	OBJ("pods", 3, pods_metric_status, IS(POINTER)),
	OBJ("resource", 4, resource_metric_status, IS(POINTER)),
	STR("type", 1, IS(REQUIRED)));

TYPE(metric_target, "MetricTarget",
	INT32("averageUtilization", 4, IS(POINTER)),
	QUANTITY("averageValue", 3, IS(POINTER)),
	STR("type", 1, IS(REQUIRED)),
	QUANTITY("value", 2, IS(POINTER)));

TYPE(metric_value_status, "MetricValueStatus",
	INT32("averageUtilization", 3, IS(POINTER)),
	QUANTITY("averageValue", 2, IS(POINTER)),
	QUANTITY("value", 1, IS(POINTER)));

TYPE(object_metric_source, "ObjectMetricSource",
	OBJ("describedObject", 1, cross_version_object_reference, IS(REQUIRED)),
	OBJ("metric", 3, metric_identifier, IS(REQUIRED)),
	OBJ("target", 2, metric_target, IS(REQUIRED)));

TYPE(object_metric_status, "ObjectMetricStatus",
	OBJ("current", 2, metric_value_status, IS(REQUIRED)),
	OBJ("describedObject", 3, cross_version_object_reference, IS(REQUIRED)),
	OBJ("metric", 1, metric_identifier, IS(REQUIRED)));

TYPE(pods_metric_source, "PodsMetricSource",
	OBJ("metric", 1, metric_identifier, IS(REQUIRED)),
	OBJ("target", 2, metric_target, IS(REQUIRED)));

TYPE(pods_metric_status, "PodsMetricStatus",
	OBJ("current", 2, metric_value_status, IS(REQUIRED)),
	OBJ("metric", 1, metric_identifier, IS(REQUIRED)));

TYPE(resource_metric_source, "ResourceMetricSource",
	STR("name", 1, IS(REQUIRED)),
	OBJ("target", 2, metric_target, IS(REQUIRED)));

TYPE(resource_metric_status, "ResourceMetricStatus",
	OBJ("current", 2, metric_value_status, IS(REQUIRED)),
	STR("name", 1, IS(REQUIRED)));
