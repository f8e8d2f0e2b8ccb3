/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* core/v1: Node. */
#include "rows.h"

#define PACKAGE "io.k8s.api.core.v1"

TYPE(attached_volume, "AttachedVolume",
	STR("devicePath", 2, IS(REQUIRED)),
	STR("name", 1, IS(REQUIRED)));

TYPE(config_map_node_config_source, "ConfigMapNodeConfigSource",
	STR("kubeletConfigKey", 5, IS(REQUIRED)),
	STR("name", 2, IS(REQUIRED)),
	STR("namespace", 1, IS(REQUIRED)),
	STR("resourceVersion", 4),
	STR("uid", 3));

TYPE(container_image, "ContainerImage",
	STR_LIST("names", 1),
	INT64("sizeBytes", 2));

TYPE(daemon_endpoint, "DaemonEndpoint",
	INT32("Port", 1, IS(REQUIRED)));

TYPE(node, "Node",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, node_spec),
	OBJ("status", 3, node_status));

TYPE(node_address, "NodeAddress",
	STR("address", 2, IS(REQUIRED)),
	STR("type", 1, IS(REQUIRED)));

TYPE(node_condition, "NodeCondition",
	TIME("lastHeartbeatTime", 3),
	TIME("lastTransitionTime", 4),
	STR("message", 6),
	STR("reason", 5),
	STR("status", 2, IS(REQUIRED)),
	STR("type", 1, IS(REQUIRED)));

TYPE(node_config_source, "NodeConfigSource",
	OBJ("configMap", 2, config_map_node_config_source, IS(POINTER)));

TYPE(node_config_status, "NodeConfigStatus",
	OBJ("active", 2, node_config_source, IS(POINTER)),
	OBJ("assigned", 1, node_config_source, IS(POINTER)),
	STR("error", 4),
	OBJ("lastKnownGood", 3, node_config_source, IS(POINTER)));

TYPE(node_daemon_endpoints, "NodeDaemonEndpoints",
	OBJ("kubeletEndpoint", 1, daemon_endpoint));

TYPE(node_features, "NodeFeatures",
	BOOL("supplementalGroupsPolicy", 1, IS(POINTER)));

TYPE(node_runtime_handler, "NodeRuntimeHandler",
	OBJ("features", 2, node_runtime_handler_features, IS(POINTER)),
	STR("name", 1));

TYPE(node_runtime_handler_features, "NodeRuntimeHandlerFeatures",
	BOOL("recursiveReadOnlyMounts", 1, IS(POINTER)),
	BOOL("userNamespaces", 2, IS(POINTER)));

TYPE(node_spec, "NodeSpec",
	OBJ("configSource", 6, node_config_source, IS(POINTER)),
	STR("externalID", 2),
	STR("podCIDR", 1),
	STR_LIST("podCIDRs", 7, IS(MERGE | LIST_SET)),
	STR("providerID", 3),
	LIST("taints", 5, taint),
	BOOL("unschedulable", 4));

TYPE(node_status, "NodeStatus",
	LIST("addresses", 5, node_address, IS(MERGE | LIST_MAP), KEYS("type", "type")),
	QUANTITY_MAP("allocatable", 2),
	QUANTITY_MAP("capacity", 1),
	LIST("conditions", 4, node_condition, IS(MERGE | LIST_MAP), KEYS("type", "type")),
	OBJ("config", 11, node_config_status, IS(POINTER)),
	OBJ("daemonEndpoints", 6, node_daemon_endpoints),
	OBJ("features", 13, node_features, IS(POINTER)),
	LIST("images", 8, container_image),
	OBJ("nodeInfo", 7, node_system_info),
	STR("phase", 3),
	LIST("runtimeHandlers", 12, node_runtime_handler),
	LIST("volumesAttached", 10, attached_volume),
	STR_LIST("volumesInUse", 9));

TYPE(node_swap_status, "NodeSwapStatus",
	INT64("capacity", 1, IS(POINTER)));

TYPE(node_system_info, "NodeSystemInfo",
	STR("architecture", 10, IS(REQUIRED)),
	STR("bootID", 3, IS(REQUIRED)),
	STR("containerRuntimeVersion", 6, IS(REQUIRED)),
	STR("kernelVersion", 4, IS(REQUIRED)),
	STR("kubeProxyVersion", 8, IS(REQUIRED)),
	STR("kubeletVersion", 7, IS(REQUIRED)),
	STR("machineID", 1, IS(REQUIRED)),
	STR("operatingSystem", 9, IS(REQUIRED)),
	STR("osImage", 5, IS(REQUIRED)),
	OBJ("swap", 11, node_swap_status, IS(POINTER)),
	STR("systemUUID", 2, IS(REQUIRED)));

TYPE(taint, "Taint",
	STR("effect", 3, IS(REQUIRED)),
	STR("key", 1, IS(REQUIRED)),
	TIME("timeAdded", 4, IS(POINTER)),
	STR("value", 2));
