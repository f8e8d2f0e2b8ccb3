/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* networking.k8s.io/v1. */
#include "rows.h"

#define PACKAGE "io.k8s.api.networking.v1"

TYPE(http_ingress_path, "HTTPIngressPath",
	OBJ("backend", 2, ingress_backend, IS(REQUIRED)),
	STR("path", 1),
	STR("pathType", 3, IS(REQUIRED | POINTER)));

TYPE(http_ingress_rule_value, "HTTPIngressRuleValue",
	LIST("paths", 1, http_ingress_path, IS(REQUIRED)));

TYPE(ingress, "Ingress",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, ingress_spec),
	OBJ("status", 3, ingress_status));

TYPE(ingress_backend, "IngressBackend",
	OBJ("resource", 3, typed_local_object_reference, IS(POINTER)),
	OBJ("service", 4, ingress_service_backend, IS(POINTER)));

TYPE(ingress_class, "IngressClass",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, ingress_class_spec));

TYPE(ingress_class_parameters_reference, "IngressClassParametersReference",
	STR("apiGroup", 1, IS(POINTER)),
	STR("kind", 2, IS(REQUIRED)),
	STR("name", 3, IS(REQUIRED)),
	STR("namespace", 5, IS(POINTER)),
	STR("scope", 4, IS(POINTER), OR("\"Cluster\"")));

TYPE(ingress_class_spec, "IngressClassSpec",
	STR("controller", 1),
	OBJ("parameters", 2, ingress_class_parameters_reference, IS(POINTER)));

TYPE(ingress_load_balancer_ingress, "IngressLoadBalancerIngress",
	STR("hostname", 2),
	STR("ip", 1),
	LIST("ports", 4, ingress_port_status));

TYPE(ingress_load_balancer_status, "IngressLoadBalancerStatus",
	LIST("ingress", 1, ingress_load_balancer_ingress));

TYPE(ingress_port_status, "IngressPortStatus",
	STR("error", 3, IS(POINTER)),
	INT32("port", 1, IS(REQUIRED)),
	STR("protocol", 2, IS(REQUIRED)));

TYPE(ingress_rule, "IngressRule",
	STR("host", 1),
	OBJ("http", 1, http_ingress_rule_value, IN(2), IS(POINTER)));

TYPE(ingress_service_backend, "IngressServiceBackend",
	STR("name", 1, IS(REQUIRED)),
	OBJ("port", 2, service_backend_port));

TYPE(ingress_spec, "IngressSpec",
	OBJ("defaultBackend", 1, ingress_backend, IS(POINTER)),
	STR("ingressClassName", 4, IS(POINTER)),
	LIST("rules", 3, ingress_rule),
	LIST("tls", 2, ingress_tls));

TYPE(ingress_status, "IngressStatus",
	OBJ("loadBalancer", 1, ingress_load_balancer_status));

TYPE(ingress_tls, "IngressTLS",
	STR_LIST("hosts", 1),
	STR("secretName", 2));

TYPE(ip_address, "IPAddress",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, ip_address_spec));

TYPE(ip_address_spec, "IPAddressSpec",
	OBJ("parentRef", 1, parent_reference, IS(REQUIRED | POINTER)));

TYPE(ip_block, "IPBlock",
	STR("cidr", 1, IS(REQUIRED)),
	STR_LIST("except", 2));

TYPE(network_policy, "NetworkPolicy",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, network_policy_spec));

TYPE(network_policy_egress_rule, "NetworkPolicyEgressRule",
	LIST("ports", 1, network_policy_port),
	LIST("to", 2, network_policy_peer));

TYPE(network_policy_ingress_rule, "NetworkPolicyIngressRule",
	LIST("from", 2, network_policy_peer),
	LIST("ports", 1, network_policy_port));

TYPE(network_policy_peer, "NetworkPolicyPeer",
	OBJ("ipBlock", 3, ip_block, IS(POINTER)),
	OBJ("namespaceSelector", 2, label_selector, IS(POINTER)),
	OBJ("podSelector", 1, label_selector, IS(POINTER)));

TYPE(network_policy_port, "NetworkPolicyPort",
	INT32("endPort", 3, IS(POINTER)),
	INT_OR_STR("port", 2, IS(POINTER)),
	STR("protocol", 1, IS(POINTER), OR("\"TCP\"")));

TYPE(network_policy_spec, "NetworkPolicySpec",
	LIST("egress", 3, network_policy_egress_rule),
	LIST("ingress", 2, network_policy_ingress_rule),
	OBJ("podSelector", 1, label_selector),
	STR_LIST("policyTypes", 4));

TYPE(parent_reference, "ParentReference",
	STR("group", 1),
	STR("name", 4, IS(REQUIRED)),
	STR("namespace", 3),
	STR("resource", 2, IS(REQUIRED)));

ATOMIC_TYPE(service_backend_port, "ServiceBackendPort",
	STR("name", 1),
	INT32("number", 2));

TYPE(service_cidr, "ServiceCIDR",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, service_cidr_spec),
	OBJ("status", 3, service_cidr_status));

TYPE(service_cidr_spec, "ServiceCIDRSpec",
	STR_LIST("cidrs", 1));

TYPE(service_cidr_status, "ServiceCIDRStatus",
	LIST("conditions", 1, condition, IS(MERGE | LIST_MAP), KEYS("type", "type")));
