/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* authorization.k8s.io/v1. */
#include "rows.h"

#define PACKAGE "io.k8s.api.authorization.v1"

TYPE(field_selector_attributes, "FieldSelectorAttributes",
	STR("rawSelector", 1),
	LIST("requirements", 2, field_selector_requirement));

TYPE(label_selector_attributes, "LabelSelectorAttributes",
	STR("rawSelector", 1),
	LIST("requirements", 2, label_selector_requirement));

TYPE(local_subject_access_review, "LocalSubjectAccessReview",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, subject_access_review_spec, IS(REQUIRED)),
	OBJ("status", 3, subject_access_review_status));

TYPE(non_resource_attributes, "NonResourceAttributes",
	STR("path", 1),
	STR("verb", 2));

TYPE(non_resource_rule, "NonResourceRule",
	STR_LIST("nonResourceURLs", 2),
	STR_LIST("verbs", 1, IS(REQUIRED)));

TYPE(resource_attributes, "ResourceAttributes",
	OBJ("fieldSelector", 8, field_selector_attributes, IS(POINTER)),
	STR("group", 3),
	OBJ("labelSelector", 9, label_selector_attributes, IS(POINTER)),
	STR("name", 7),
	STR("namespace", 1),
	STR("resource", 5),
	STR("subresource", 6),
	STR("verb", 2),
	STR("version", 4));

TYPE(resource_rule, "ResourceRule",
	STR_LIST("apiGroups", 2),
	STR_LIST("resourceNames", 4),
	STR_LIST("resources", 3),
	STR_LIST("verbs", 1, IS(REQUIRED)));

TYPE(self_subject_access_review, "SelfSubjectAccessReview",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, self_subject_access_review_spec, IS(REQUIRED)),
	OBJ("status", 3, subject_access_review_status));

TYPE(self_subject_access_review_spec, "SelfSubjectAccessReviewSpec",
	OBJ("nonResourceAttributes", 2, non_resource_attributes, IS(POINTER)),
	OBJ("resourceAttributes", 1, resource_attributes, IS(POINTER)));

TYPE(self_subject_rules_review, "SelfSubjectRulesReview",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, self_subject_rules_review_spec, IS(REQUIRED)),
	OBJ("status", 3, subject_rules_review_status));

TYPE(self_subject_rules_review_spec, "SelfSubjectRulesReviewSpec",
	STR("namespace", 1));

TYPE(subject_access_review, "SubjectAccessReview",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, subject_access_review_spec, IS(REQUIRED)),
	OBJ("status", 3, subject_access_review_status));

TYPE(subject_access_review_spec, "SubjectAccessReviewSpec",
	STRINGS_MAP("extra", 5),
	STR_LIST("groups", 4),
	OBJ("nonResourceAttributes", 2, non_resource_attributes, IS(POINTER)),
	OBJ("resourceAttributes", 1, resource_attributes, IS(POINTER)),
	STR("uid", 6),
	STR("user", 3));

TYPE(subject_access_review_status, "SubjectAccessReviewStatus",
	BOOL("allowed", 1, IS(REQUIRED)),
	BOOL("denied", 4),
	STR("evaluationError", 3),
	STR("reason", 2));

TYPE(subject_rules_review_status, "SubjectRulesReviewStatus",
	STR("evaluationError", 4),
	BOOL("incomplete", 3, IS(REQUIRED)),
	LIST("nonResourceRules", 2, non_resource_rule, IS(REQUIRED)),
	LIST("resourceRules", 1, resource_rule, IS(REQUIRED)));
