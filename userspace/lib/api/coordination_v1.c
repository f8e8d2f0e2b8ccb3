/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* coordination.k8s.io/v1. */
#include "rows.h"

#define PACKAGE "io.k8s.api.coordination.v1"

TYPE(lease, "Lease",
	STR("apiVersion"),
	STR("kind"),
	OBJ("metadata", object_meta),
	OBJ("spec", lease_spec));

TYPE(lease_spec, "LeaseSpec",
	MICRO_TIME("acquireTime", IS(POINTER)),
	STR("holderIdentity", IS(POINTER)),
	INT32("leaseDurationSeconds", IS(POINTER)),
	INT32("leaseTransitions", IS(POINTER)),
	STR("preferredHolder", IS(POINTER)),
	MICRO_TIME("renewTime", IS(POINTER)),
	STR("strategy", IS(POINTER)));
