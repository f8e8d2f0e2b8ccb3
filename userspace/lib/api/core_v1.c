/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* core/v1: the small kinds, and types that several of the other files use. */
#include "rows.h"

#define PACKAGE "io.k8s.api.core.v1"

TYPE(binding, "Binding",
	STR("apiVersion"),
	STR("kind"),
	OBJ("metadata", object_meta),
	OBJ("target", object_reference, IS(REQUIRED)));

TYPE(config_map, "ConfigMap",
	STR("apiVersion"),
	BYTES_MAP("binaryData"),
	STR_MAP("data"),
	BOOL("immutable", IS(POINTER)),
	STR("kind"),
	OBJ("metadata", object_meta));

TYPE(event, "Event",
	STR("action"),
	STR("apiVersion"),
	INT32("count"),
	MICRO_TIME("eventTime"),
	TIME("firstTimestamp"),
	OBJ("involvedObject", object_reference, IS(REQUIRED)),
	STR("kind"),
	TIME("lastTimestamp"),
	STR("message"),
	OBJ("metadata", object_meta, IS(REQUIRED)),
	STR("reason"),
	OBJ("related", object_reference, IS(POINTER)),
	STR("reportingComponent"),
	STR("reportingInstance"),
	OBJ("series", event_series, IS(POINTER)),
	OBJ("source", event_source),
	STR("type"));

TYPE(event_series, "EventSeries",
	INT32("count"),
	MICRO_TIME("lastObservedTime"));

TYPE(event_source, "EventSource",
	STR("component"),
	STR("host"));

ATOMIC_TYPE(local_object_reference, "LocalObjectReference",
	STR("name"));

TYPE(namespace, "Namespace",
	STR("apiVersion"),
	STR("kind"),
	OBJ("metadata", object_meta),
	OBJ("spec", namespace_spec),
	OBJ("status", namespace_status));

TYPE(namespace_condition, "NamespaceCondition",
	TIME("lastTransitionTime"),
	STR("message"),
	STR("reason"),
	STR("status", IS(REQUIRED)),
	STR("type", IS(REQUIRED)));

TYPE(namespace_spec, "NamespaceSpec",
	STR_LIST("finalizers"));

TYPE(namespace_status, "NamespaceStatus",
	LIST("conditions", namespace_condition, IS(MERGE | LIST_MAP), KEYS("type", "type")),
	STR("phase", OR("\"Active\"")));

ATOMIC_TYPE(object_field_selector, "ObjectFieldSelector",
	STR("apiVersion", OR("\"v1\"")),
	STR("fieldPath", IS(REQUIRED)));

ATOMIC_TYPE(object_reference, "ObjectReference",
	STR("apiVersion"),
	STR("fieldPath"),
	STR("kind"),
	STR("name"),
	STR("namespace"),
	STR("resourceVersion"),
	STR("uid"));

TYPE(pod_template, "PodTemplate",
	STR("apiVersion"),
	STR("kind"),
	OBJ("metadata", object_meta),
	OBJ("template", pod_template_spec));

TYPE(replication_controller, "ReplicationController",
	STR("apiVersion"),
	STR("kind"),
	OBJ("metadata", object_meta),
	OBJ("spec", replication_controller_spec),
	OBJ("status", replication_controller_status));

TYPE(replication_controller_condition, "ReplicationControllerCondition",
	TIME("lastTransitionTime"),
	STR("message"),
	STR("reason"),
	STR("status", IS(REQUIRED)),
	STR("type", IS(REQUIRED)));

TYPE(replication_controller_spec, "ReplicationControllerSpec",
	INT32("minReadySeconds"),
	INT32("replicas", IS(POINTER), OR("1")),
	STR_MAP("selector", IS(ATOMIC)),
	OBJ("template", pod_template_spec, IS(POINTER)));

TYPE(replication_controller_status, "ReplicationControllerStatus",
	INT32("availableReplicas"),
	LIST("conditions", replication_controller_condition, IS(MERGE | LIST_MAP), KEYS("type", "type")),
	INT32("fullyLabeledReplicas"),
	INT64("observedGeneration"),
	INT32("readyReplicas"),
	INT32("replicas", IS(REQUIRED)));

ATOMIC_TYPE(resource_field_selector, "ResourceFieldSelector",
	STR("containerName"),
	QUANTITY("divisor", OR("\"0\"")),
	STR("resource", IS(REQUIRED)));

TYPE(secret, "Secret",
	STR("apiVersion"),
	BYTES_MAP("data"),
	BOOL("immutable", IS(POINTER)),
	STR("kind"),
	OBJ("metadata", object_meta),
	STR_MAP("stringData"),
	STR("type", OR("\"Opaque\"")));

TYPE(service_account, "ServiceAccount",
	STR("apiVersion"),
	BOOL("automountServiceAccountToken", IS(POINTER)),
	LIST("imagePullSecrets", local_object_reference),
	STR("kind"),
	OBJ("metadata", object_meta),
	LIST("secrets", object_reference, IS(MERGE | LIST_MAP), KEYS("name", "name")));
