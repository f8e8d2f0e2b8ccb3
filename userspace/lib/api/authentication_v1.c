/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* authentication.k8s.io/v1. */
#include "rows.h"

#define PACKAGE "io.k8s.api.authentication.v1"

TYPE(bound_object_reference, "BoundObjectReference",
	STR("apiVersion", 2),
	STR("kind", 1),
	STR("name", 3),
	STR("uid", 4));

TYPE(self_subject_review, "SelfSubjectReview",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("status", 2, self_subject_review_status));

TYPE(self_subject_review_status, "SelfSubjectReviewStatus",
	OBJ("userInfo", 1, user_info));

TYPE(token_request, "TokenRequest",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, token_request_spec, IS(REQUIRED)),
	OBJ("status", 3, token_request_status));

TYPE(token_request_spec, "TokenRequestSpec",
	STR_LIST("audiences", 1, IS(REQUIRED)),
	OBJ("boundObjectRef", 3, bound_object_reference, IS(POINTER)),
	INT64("expirationSeconds", 4, IS(POINTER), OR("3600")));

TYPE(token_request_status, "TokenRequestStatus",
	TIME("expirationTimestamp", 2, IS(REQUIRED)),
	STR("token", 1, IS(REQUIRED)));

TYPE(token_review, "TokenReview",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, token_review_spec, IS(REQUIRED)),
	OBJ("status", 3, token_review_status));

TYPE(token_review_spec, "TokenReviewSpec",
	STR_LIST("audiences", 2),
	STR("token", 1));

TYPE(token_review_status, "TokenReviewStatus",
	STR_LIST("audiences", 4),
	BOOL("authenticated", 1),
	STR("error", 3),
	OBJ("user", 2, user_info));

TYPE(user_info, "UserInfo",
	STRINGS_MAP("extra", 4),
	STR_LIST("groups", 3),
	STR("uid", 2),
	STR("username", 1));
