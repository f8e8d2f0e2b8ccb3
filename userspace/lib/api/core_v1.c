/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* core/v1: the small kinds, and types that several of the other files use. */
#include "rows.h"

#define PACKAGE "io.k8s.api.core.v1"

TYPE(binding, "Binding",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("target", 2, object_reference, IS(REQUIRED)));

TYPE(component_condition, "ComponentCondition",
	STR("error", 4),
	STR("message", 3),
	STR("status", 2, IS(REQUIRED)),
	STR("type", 1, IS(REQUIRED)));

TYPE(component_status, "ComponentStatus",
	STR("apiVersion", 0),
	LIST("conditions", 2, component_condition, IS(MERGE | LIST_MAP), KEYS("type", "type")),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta));

TYPE(config_map, "ConfigMap",
	STR("apiVersion", 0),
	BYTES_MAP("binaryData", 3),
	STR_MAP("data", 2),
	BOOL("immutable", 4, IS(POINTER)),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta));

TYPE(event, "Event",
	STR("action", 12),
	STR("apiVersion", 0),
	INT32("count", 8),
	MICRO_TIME("eventTime", 10),
	TIME("firstTimestamp", 6),
	OBJ("involvedObject", 2, object_reference, IS(REQUIRED)),
	STR("kind", 0),
	TIME("lastTimestamp", 7),
	STR("message", 4),
	OBJ("metadata", 1, object_meta, IS(REQUIRED)),
	STR("reason", 3),
	OBJ("related", 13, object_reference, IS(POINTER)),
	STR("reportingComponent", 14),
	STR("reportingInstance", 15),
	OBJ("series", 11, event_series, IS(POINTER)),
	OBJ("source", 5, event_source),
	STR("type", 9));

TYPE(event_series, "EventSeries",
	INT32("count", 1),
	MICRO_TIME("lastObservedTime", 2));

TYPE(event_source, "EventSource",
	STR("component", 1),
	STR("host", 2));

TYPE(limit_range, "LimitRange",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, limit_range_spec));

TYPE(limit_range_item, "LimitRangeItem",
	QUANTITY_MAP("default", 4),
	QUANTITY_MAP("defaultRequest", 5),
	QUANTITY_MAP("max", 2),
	QUANTITY_MAP("maxLimitRequestRatio", 6),
	QUANTITY_MAP("min", 3),
	STR("type", 1, IS(REQUIRED)));

TYPE(limit_range_spec, "LimitRangeSpec",
	LIST("limits", 1, limit_range_item, IS(REQUIRED)));

ATOMIC_TYPE(local_object_reference, "LocalObjectReference",
	STR("name", 1));

TYPE(namespace, "Namespace",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, namespace_spec),
	OBJ("status", 3, namespace_status));

TYPE(namespace_condition, "NamespaceCondition",
	TIME("lastTransitionTime", 4),
	STR("message", 6),
	STR("reason", 5),
	STR("status", 2, IS(REQUIRED)),
	STR("type", 1, IS(REQUIRED)));

TYPE(namespace_spec, "NamespaceSpec",
	STR_LIST("finalizers", 1));

TYPE(namespace_status, "NamespaceStatus",
	LIST("conditions", 2, namespace_condition, IS(MERGE | LIST_MAP), KEYS("type", "type")),
	STR("phase", 1, OR("\"Active\"")));

ATOMIC_TYPE(object_field_selector, "ObjectFieldSelector",
	STR("apiVersion", 1, OR("\"v1\"")),
	STR("fieldPath", 2, IS(REQUIRED)));

ATOMIC_TYPE(object_reference, "ObjectReference",
	STR("apiVersion", 5),
	STR("fieldPath", 7),
	STR("kind", 1),
	STR("name", 3),
	STR("namespace", 2),
	STR("resourceVersion", 6),
	STR("uid", 4));

TYPE(pod_template, "PodTemplate",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("template", 2, pod_template_spec));

TYPE(replication_controller, "ReplicationController",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, replication_controller_spec),
	OBJ("status", 3, replication_controller_status));

TYPE(replication_controller_condition, "ReplicationControllerCondition",
	TIME("lastTransitionTime", 3),
	STR("message", 5),
	STR("reason", 4),
	STR("status", 2, IS(REQUIRED)),
	STR("type", 1, IS(REQUIRED)));

TYPE(replication_controller_spec, "ReplicationControllerSpec",
	INT32("minReadySeconds", 4),
	INT32("replicas", 1, IS(POINTER), OR("1")),
	STR_MAP("selector", 2, IS(ATOMIC)),
	OBJ("template", 3, pod_template_spec, IS(POINTER)));

TYPE(replication_controller_status, "ReplicationControllerStatus",
	INT32("availableReplicas", 5),
	LIST("conditions", 6, replication_controller_condition, IS(MERGE | LIST_MAP), KEYS("type", "type")),
	INT32("fullyLabeledReplicas", 2),
	INT64("observedGeneration", 3),
	INT32("readyReplicas", 4),
	INT32("replicas", 1, IS(REQUIRED)));

ATOMIC_TYPE(resource_field_selector, "ResourceFieldSelector",
	STR("containerName", 1),
	QUANTITY("divisor", 3, OR("\"0\"")),
	STR("resource", 2, IS(REQUIRED)));

TYPE(resource_quota, "ResourceQuota",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, resource_quota_spec),
	OBJ("status", 3, resource_quota_status));

TYPE(resource_quota_spec, "ResourceQuotaSpec",
	QUANTITY_MAP("hard", 1),
	OBJ("scopeSelector", 3, scope_selector, IS(POINTER)),
	STR_LIST("scopes", 2));

TYPE(resource_quota_status, "ResourceQuotaStatus",
	QUANTITY_MAP("hard", 1),
	QUANTITY_MAP("used", 2));

ATOMIC_TYPE(scope_selector, "ScopeSelector",
	LIST("matchExpressions", 1, scoped_resource_selector_requirement));

TYPE(scoped_resource_selector_requirement, "ScopedResourceSelectorRequirement",
	STR("operator", 2, IS(REQUIRED)),
	STR("scopeName", 1, IS(REQUIRED)),
	STR_LIST("values", 3));

TYPE(secret, "Secret",
	STR("apiVersion", 0),
	BYTES_MAP("data", 2),
	BOOL("immutable", 5, IS(POINTER)),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	STR_MAP("stringData", 4),
	STR("type", 3, OR("\"Opaque\"")));

TYPE(service_account, "ServiceAccount",
	STR("apiVersion", 0),
	BOOL("automountServiceAccountToken", 4, IS(POINTER)),
	LIST("imagePullSecrets", 3, local_object_reference),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	LIST("secrets", 2, object_reference, IS(MERGE | LIST_MAP), KEYS("name", "name")));
