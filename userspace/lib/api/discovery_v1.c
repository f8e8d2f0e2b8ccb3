/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* discovery.k8s.io/v1. */
#include "rows.h"

#define PACKAGE "io.k8s.api.discovery.v1"

TYPE(endpoint, "Endpoint",
	STR_LIST("addresses", IS(REQUIRED | LIST_SET)),
	OBJ("conditions", endpoint_conditions),
	STR_MAP("deprecatedTopology"),
	OBJ("hints", endpoint_hints, IS(POINTER)),
	STR("hostname", IS(POINTER)),
	STR("nodeName", IS(POINTER)),
	OBJ("targetRef", object_reference, IS(POINTER)),
	STR("zone", IS(POINTER)));

TYPE(endpoint_conditions, "EndpointConditions",
	BOOL("ready", IS(POINTER)),
	BOOL("serving", IS(POINTER)),
	BOOL("terminating", IS(POINTER)));

TYPE(endpoint_hints, "EndpointHints",
	LIST("forNodes", for_node),
	LIST("forZones", for_zone));

ATOMIC_TYPE(discovery_endpoint_port, "EndpointPort",
	STR("appProtocol", IS(POINTER)),
	STR("name", IS(POINTER), OR("\"\"")),
	INT32("port", IS(POINTER)),
	STR("protocol", IS(POINTER), OR("\"TCP\"")));

TYPE(endpoint_slice, "EndpointSlice",
	STR("addressType", IS(REQUIRED)),
	STR("apiVersion"),
	LIST("endpoints", endpoint, IS(REQUIRED)),
	STR("kind"),
	OBJ("metadata", object_meta),
	LIST("ports", discovery_endpoint_port));

TYPE(for_node, "ForNode",
	STR("name", IS(REQUIRED)));

TYPE(for_zone, "ForZone",
	STR("name", IS(REQUIRED)));
