/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* discovery.k8s.io/v1. */
#include "rows.h"

#define PACKAGE "io.k8s.api.discovery.v1"

TYPE(endpoint, "Endpoint",
	STR_LIST("addresses", 1, IS(REQUIRED | LIST_SET)),
	OBJ("conditions", 2, endpoint_conditions),
	STR_MAP("deprecatedTopology", 5),
	OBJ("hints", 8, endpoint_hints, IS(POINTER)),
	STR("hostname", 3, IS(POINTER)),
	STR("nodeName", 6, IS(POINTER)),
	OBJ("targetRef", 4, object_reference, IS(POINTER)),
	STR("zone", 7, IS(POINTER)));

TYPE(endpoint_conditions, "EndpointConditions",
	BOOL("ready", 1, IS(POINTER)),
	BOOL("serving", 2, IS(POINTER)),
	BOOL("terminating", 3, IS(POINTER)));

TYPE(endpoint_hints, "EndpointHints",
	LIST("forNodes", 2, for_node),
	LIST("forZones", 1, for_zone));

ATOMIC_TYPE(discovery_endpoint_port, "EndpointPort",
	STR("appProtocol", 4, IS(POINTER)),
	STR("name", 1, IS(POINTER), OR("\"\"")),
	INT32("port", 3, IS(POINTER)),
	STR("protocol", 2, IS(POINTER), OR("\"TCP\"")));

TYPE(endpoint_slice, "EndpointSlice",
	STR("addressType", 4, IS(REQUIRED)),
	STR("apiVersion", 0),
	LIST("endpoints", 2, endpoint, IS(REQUIRED)),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	LIST("ports", 3, discovery_endpoint_port));

TYPE(for_node, "ForNode",
	STR("name", 1, IS(REQUIRED)));

TYPE(for_zone, "ForZone",
	STR("name", 1, IS(REQUIRED)));
