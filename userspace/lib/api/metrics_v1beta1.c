/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* metrics.k8s.io/v1beta1: what nodes and pods use. Nothing of it is stored. */
#include "rows.h"

#define PACKAGE "io.k8s.metrics.pkg.apis.metrics.v1beta1"

TYPE(container_metrics, "ContainerMetrics",
	STR("name", 1, IS(REQUIRED)),
	QUANTITY_MAP("usage", 2, IS(REQUIRED)));

TYPE(node_metrics, "NodeMetrics",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	TIME("timestamp", 2, IS(REQUIRED)),
	STR("window", 3, IS(REQUIRED)),
	QUANTITY_MAP("usage", 4, IS(REQUIRED)));

TYPE(pod_metrics, "PodMetrics",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	TIME("timestamp", 2, IS(REQUIRED)),
	STR("window", 3, IS(REQUIRED)),
	LIST("containers", 4, container_metrics, IS(REQUIRED)));
