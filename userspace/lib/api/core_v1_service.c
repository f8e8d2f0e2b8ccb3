/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* core/v1: Service and Endpoints. */
#include "rows.h"

#define PACKAGE "io.k8s.api.core.v1"

TYPE(client_ip_config, "ClientIPConfig",
	INT32("timeoutSeconds", IS(POINTER)));

ATOMIC_TYPE(endpoint_address, "EndpointAddress",
	STR("hostname"),
	STR("ip", IS(REQUIRED)),
	STR("nodeName", IS(POINTER)),
	OBJ("targetRef", object_reference, IS(POINTER)));

ATOMIC_TYPE(endpoint_port, "EndpointPort",
	STR("appProtocol", IS(POINTER)),
	STR("name"),
	INT32("port", IS(REQUIRED)),
	STR("protocol", OR("\"TCP\"")));

TYPE(endpoint_subset, "EndpointSubset",
	LIST("addresses", endpoint_address),
	LIST("notReadyAddresses", endpoint_address),
	LIST("ports", endpoint_port));

TYPE(endpoints, "Endpoints",
	STR("apiVersion"),
	STR("kind"),
	OBJ("metadata", object_meta),
	LIST("subsets", endpoint_subset));

TYPE(load_balancer_ingress, "LoadBalancerIngress",
	STR("hostname"),
	STR("ip"),
	STR("ipMode", IS(POINTER)),
	LIST("ports", port_status));

TYPE(load_balancer_status, "LoadBalancerStatus",
	LIST("ingress", load_balancer_ingress));

TYPE(port_status, "PortStatus",
	STR("error", IS(POINTER)),
	INT32("port", IS(REQUIRED)),
	STR("protocol", IS(REQUIRED)));

TYPE(service, "Service",
	STR("apiVersion"),
	STR("kind"),
	OBJ("metadata", object_meta),
	OBJ("spec", service_spec),
	OBJ("status", service_status));

TYPE(service_port, "ServicePort",
	STR("appProtocol", IS(POINTER)),
	STR("name"),
	INT32("nodePort"),
	INT32("port", IS(REQUIRED)),
	STR("protocol", OR("\"TCP\"")),
	INT_OR_STR("targetPort"));

TYPE(service_spec, "ServiceSpec",
	BOOL("allocateLoadBalancerNodePorts", IS(POINTER)),
	STR("clusterIP"),
	STR_LIST("clusterIPs"),
	STR_LIST("externalIPs"),
	STR("externalName"),
	STR("externalTrafficPolicy"),
	INT32("healthCheckNodePort"),
	STR("internalTrafficPolicy", IS(POINTER)),
	STR_LIST("ipFamilies"),
	STR("ipFamilyPolicy", IS(POINTER)),
	STR("loadBalancerClass", IS(POINTER)),
	STR("loadBalancerIP"),
	STR_LIST("loadBalancerSourceRanges"),
	LIST("ports", service_port, IS(MERGE | LIST_MAP), KEYS("port", "port,protocol")),
	BOOL("publishNotReadyAddresses"),
	STR_MAP("selector", IS(ATOMIC)),
	STR("sessionAffinity", OR("\"None\"")),
	OBJ("sessionAffinityConfig", session_affinity_config, IS(POINTER)),
	STR("trafficDistribution", IS(POINTER)),
	STR("type", OR("\"ClusterIP\"")));

TYPE(service_status, "ServiceStatus",
	LIST("conditions", condition, IS(MERGE | LIST_MAP), KEYS("type", "type")),
	OBJ("loadBalancer", load_balancer_status));

TYPE(session_affinity_config, "SessionAffinityConfig",
	OBJ("clientIP", client_ip_config, IS(POINTER)));
