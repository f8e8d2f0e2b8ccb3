/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* coordination.k8s.io/v1. */
#include "rows.h"

#define PACKAGE "io.k8s.api.coordination.v1"

TYPE(lease, "Lease",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, lease_spec));

TYPE(lease_spec, "LeaseSpec",
	MICRO_TIME("acquireTime", 3, IS(POINTER)),
	STR("holderIdentity", 1, IS(POINTER)),
	INT32("leaseDurationSeconds", 2, IS(POINTER)),
	INT32("leaseTransitions", 5, IS(POINTER)),
	STR("preferredHolder", 7, IS(POINTER)),
	MICRO_TIME("renewTime", 4, IS(POINTER)),
	STR("strategy", 6, IS(POINTER)));
