/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* core/v1: Node. */
#include "rows.h"

#define PACKAGE "io.k8s.api.core.v1"

TYPE(attached_volume, "AttachedVolume",
	STR("devicePath", IS(REQUIRED)),
	STR("name", IS(REQUIRED)));

TYPE(config_map_node_config_source, "ConfigMapNodeConfigSource",
	STR("kubeletConfigKey", IS(REQUIRED)),
	STR("name", IS(REQUIRED)),
	STR("namespace", IS(REQUIRED)),
	STR("resourceVersion"),
	STR("uid"));

TYPE(container_image, "ContainerImage",
	STR_LIST("names"),
	INT64("sizeBytes"));

TYPE(daemon_endpoint, "DaemonEndpoint",
	INT32("Port", IS(REQUIRED)));

TYPE(node, "Node",
	STR("apiVersion"),
	STR("kind"),
	OBJ("metadata", object_meta),
	OBJ("spec", node_spec),
	OBJ("status", node_status));

TYPE(node_address, "NodeAddress",
	STR("address", IS(REQUIRED)),
	STR("type", IS(REQUIRED)));

TYPE(node_condition, "NodeCondition",
	TIME("lastHeartbeatTime"),
	TIME("lastTransitionTime"),
	STR("message"),
	STR("reason"),
	STR("status", IS(REQUIRED)),
	STR("type", IS(REQUIRED)));

TYPE(node_config_source, "NodeConfigSource",
	OBJ("configMap", config_map_node_config_source, IS(POINTER)));

TYPE(node_config_status, "NodeConfigStatus",
	OBJ("active", node_config_source, IS(POINTER)),
	OBJ("assigned", node_config_source, IS(POINTER)),
	STR("error"),
	OBJ("lastKnownGood", node_config_source, IS(POINTER)));

TYPE(node_daemon_endpoints, "NodeDaemonEndpoints",
	OBJ("kubeletEndpoint", daemon_endpoint));

TYPE(node_features, "NodeFeatures",
	BOOL("supplementalGroupsPolicy", IS(POINTER)));

TYPE(node_runtime_handler, "NodeRuntimeHandler",
	OBJ("features", node_runtime_handler_features, IS(POINTER)),
	STR("name"));

TYPE(node_runtime_handler_features, "NodeRuntimeHandlerFeatures",
	BOOL("recursiveReadOnlyMounts", IS(POINTER)),
	BOOL("userNamespaces", IS(POINTER)));

TYPE(node_spec, "NodeSpec",
	OBJ("configSource", node_config_source, IS(POINTER)),
	STR("externalID"),
	STR("podCIDR"),
	STR_LIST("podCIDRs", IS(MERGE | LIST_SET)),
	STR("providerID"),
	LIST("taints", taint),
	BOOL("unschedulable"));

TYPE(node_status, "NodeStatus",
	LIST("addresses", node_address, IS(MERGE | LIST_MAP), KEYS("type", "type")),
	QUANTITY_MAP("allocatable"),
	QUANTITY_MAP("capacity"),
	LIST("conditions", node_condition, IS(MERGE | LIST_MAP), KEYS("type", "type")),
	OBJ("config", node_config_status, IS(POINTER)),
	OBJ("daemonEndpoints", node_daemon_endpoints),
	OBJ("features", node_features, IS(POINTER)),
	LIST("images", container_image),
	OBJ("nodeInfo", node_system_info),
	STR("phase"),
	LIST("runtimeHandlers", node_runtime_handler),
	LIST("volumesAttached", attached_volume),
	STR_LIST("volumesInUse"));

TYPE(node_swap_status, "NodeSwapStatus",
	INT64("capacity", IS(POINTER)));

TYPE(node_system_info, "NodeSystemInfo",
	STR("architecture", IS(REQUIRED)),
	STR("bootID", IS(REQUIRED)),
	STR("containerRuntimeVersion", IS(REQUIRED)),
	STR("kernelVersion", IS(REQUIRED)),
	STR("kubeProxyVersion", IS(REQUIRED)),
	STR("kubeletVersion", IS(REQUIRED)),
	STR("machineID", IS(REQUIRED)),
	STR("operatingSystem", IS(REQUIRED)),
	STR("osImage", IS(REQUIRED)),
	OBJ("swap", node_swap_status, IS(POINTER)),
	STR("systemUUID", IS(REQUIRED)));

TYPE(taint, "Taint",
	STR("effect", IS(REQUIRED)),
	STR("key", IS(REQUIRED)),
	TIME("timeAdded", IS(POINTER)),
	STR("value"));
