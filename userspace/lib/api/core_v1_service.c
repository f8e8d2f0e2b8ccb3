/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* core/v1: Service and Endpoints. */
#include "rows.h"

#define PACKAGE "io.k8s.api.core.v1"

TYPE(client_ip_config, "ClientIPConfig",
	INT32("timeoutSeconds", 1, IS(POINTER)));

ATOMIC_TYPE(endpoint_address, "EndpointAddress",
	STR("hostname", 3),
	STR("ip", 1, IS(REQUIRED)),
	STR("nodeName", 4, IS(POINTER)),
	OBJ("targetRef", 2, object_reference, IS(POINTER)));

ATOMIC_TYPE(endpoint_port, "EndpointPort",
	STR("appProtocol", 4, IS(POINTER)),
	STR("name", 1),
	INT32("port", 2, IS(REQUIRED)),
	STR("protocol", 3, OR("\"TCP\"")));

TYPE(endpoint_subset, "EndpointSubset",
	LIST("addresses", 1, endpoint_address),
	LIST("notReadyAddresses", 2, endpoint_address),
	LIST("ports", 3, endpoint_port));

TYPE(endpoints, "Endpoints",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	LIST("subsets", 2, endpoint_subset));

TYPE(load_balancer_ingress, "LoadBalancerIngress",
	STR("hostname", 2),
	STR("ip", 1),
	STR("ipMode", 3, IS(POINTER)),
	LIST("ports", 4, port_status));

TYPE(load_balancer_status, "LoadBalancerStatus",
	LIST("ingress", 1, load_balancer_ingress));

TYPE(port_status, "PortStatus",
	STR("error", 3, IS(POINTER)),
	INT32("port", 1, IS(REQUIRED)),
	STR("protocol", 2, IS(REQUIRED)));

TYPE(service, "Service",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, service_spec),
	OBJ("status", 3, service_status));

TYPE(service_port, "ServicePort",
	STR("appProtocol", 6, IS(POINTER)),
	STR("name", 1),
	INT32("nodePort", 5),
	INT32("port", 3, IS(REQUIRED)),
	STR("protocol", 2, OR("\"TCP\"")),
	INT_OR_STR("targetPort", 4));

TYPE(service_spec, "ServiceSpec",
	BOOL("allocateLoadBalancerNodePorts", 20, IS(POINTER)),
	STR("clusterIP", 3),
	STR_LIST("clusterIPs", 18),
	STR_LIST("externalIPs", 5),
	STR("externalName", 10),
	STR("externalTrafficPolicy", 11),
	INT32("healthCheckNodePort", 12),
	STR("internalTrafficPolicy", 22, IS(POINTER)),
	STR_LIST("ipFamilies", 19),
	STR("ipFamilyPolicy", 17, IS(POINTER)),
	STR("loadBalancerClass", 21, IS(POINTER)),
	STR("loadBalancerIP", 8),
	STR_LIST("loadBalancerSourceRanges", 9),
	LIST("ports", 1, service_port, IS(MERGE | LIST_MAP), KEYS("port", "port,protocol")),
	BOOL("publishNotReadyAddresses", 13),
	STR_MAP("selector", 2, IS(ATOMIC)),
	STR("sessionAffinity", 7, OR("\"None\"")),
	OBJ("sessionAffinityConfig", 14, session_affinity_config, IS(POINTER)),
	STR("trafficDistribution", 23, IS(POINTER)),
	STR("type", 4, OR("\"ClusterIP\"")));

TYPE(service_status, "ServiceStatus",
	LIST("conditions", 2, condition, IS(MERGE | LIST_MAP), KEYS("type", "type")),
	OBJ("loadBalancer", 1, load_balancer_status));

TYPE(session_affinity_config, "SessionAffinityConfig",
	OBJ("clientIP", 1, client_ip_config, IS(POINTER)));
