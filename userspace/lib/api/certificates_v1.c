/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* certificates.k8s.io/v1. */
#include "rows.h"

#define PACKAGE "io.k8s.api.certificates.v1"

TYPE(certificate_signing_request, "CertificateSigningRequest",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, certificate_signing_request_spec, IS(REQUIRED)),
	OBJ("status", 3, certificate_signing_request_status));

TYPE(certificate_signing_request_condition, "CertificateSigningRequestCondition",
	TIME("lastTransitionTime", 5),
	TIME("lastUpdateTime", 4),
	STR("message", 3),
	STR("reason", 2),
	STR("status", 6, IS(REQUIRED)),
	STR("type", 1, IS(REQUIRED)));

TYPE(certificate_signing_request_spec, "CertificateSigningRequestSpec",
	INT32("expirationSeconds", 8, IS(POINTER)),
	STRINGS_MAP("extra", 6),
	STR_LIST("groups", 4),
	BYTES("request", 1, IS(REQUIRED)),
	STR("signerName", 7, IS(REQUIRED)),
	STR("uid", 3),
	STR_LIST("usages", 5),
	STR("username", 2));

TYPE(certificate_signing_request_status, "CertificateSigningRequestStatus",
	BYTES("certificate", 2),
	LIST("conditions", 1, certificate_signing_request_condition, IS(LIST_MAP), KEYS(NULL, "type")));
