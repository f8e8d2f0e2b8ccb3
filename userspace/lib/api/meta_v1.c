/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* meta/v1: the types of the API machinery itself. */
#include "rows.h"

#define PACKAGE "io.k8s.apimachinery.pkg.apis.meta.v1"

TYPE(condition, "Condition",
	TIME("lastTransitionTime", 4, IS(REQUIRED)),
	STR("message", 6, IS(REQUIRED)),
	INT64("observedGeneration", 3),
	STR("reason", 5, IS(REQUIRED)),
	STR("status", 2, IS(REQUIRED)),
	STR("type", 1, IS(REQUIRED)));

TYPE(delete_options, "DeleteOptions",
	STR("apiVersion", 0),
	STR_LIST("dryRun", 5),
	INT64("gracePeriodSeconds", 1, IS(POINTER)),
	BOOL("ignoreStoreReadErrorWithClusterBreakingPotential", 6, IS(POINTER)),
	STR("kind", 0),
	BOOL("orphanDependents", 3, IS(POINTER)),
	OBJ("preconditions", 2, preconditions, IS(POINTER)),
	STR("propagationPolicy", 4, IS(POINTER)));

TYPE(field_selector_requirement, "FieldSelectorRequirement",
	STR("key", 1, IS(REQUIRED)),
	STR("operator", 2, IS(REQUIRED)),
	STR_LIST("values", 3));

ATOMIC_TYPE(label_selector, "LabelSelector",
	LIST("matchExpressions", 2, label_selector_requirement),
	STR_MAP("matchLabels", 1));

TYPE(label_selector_requirement, "LabelSelectorRequirement",
	STR("key", 1, IS(REQUIRED)),
	STR("operator", 2, IS(REQUIRED)),
	STR_LIST("values", 3));

TYPE(list_meta, "ListMeta",
	STR("continue", 3),
	INT64("remainingItemCount", 4, IS(POINTER)),
	STR("resourceVersion", 2),
	STR("selfLink", 1));

TYPE(managed_fields_entry, "ManagedFieldsEntry",
	STR("apiVersion", 3),
	STR("fieldsType", 6),
	ANY("fieldsV1", 7, IS(POINTER)),
	STR("manager", 1),
	STR("operation", 2),
	STR("subresource", 8),
	TIME("time", 4, IS(POINTER)));

TYPE(object_meta, "ObjectMeta",
	STR_MAP("annotations", 12),
	TIME("creationTimestamp", 8),
	INT64("deletionGracePeriodSeconds", 10, IS(POINTER)),
	TIME("deletionTimestamp", 9, IS(POINTER)),
	STR_LIST("finalizers", 14, IS(MERGE | LIST_SET)),
	STR("generateName", 2),
	INT64("generation", 7),
	STR_MAP("labels", 11),
	LIST("managedFields", 17, managed_fields_entry, IS(POINTER)),
	STR("name", 1),
	STR("namespace", 3),
	LIST("ownerReferences", 13, owner_reference, IS(MERGE | LIST_MAP), KEYS("uid", "uid")),
	STR("resourceVersion", 6),
	STR("selfLink", 4),
	STR("uid", 5));

ATOMIC_TYPE(owner_reference, "OwnerReference",
	STR("apiVersion", 5, IS(REQUIRED)),
	BOOL("blockOwnerDeletion", 7, IS(POINTER)),
	BOOL("controller", 6, IS(POINTER)),
	STR("kind", 1, IS(REQUIRED)),
	STR("name", 3, IS(REQUIRED)),
	STR("uid", 4, IS(REQUIRED)));

TYPE(preconditions, "Preconditions",
	STR("resourceVersion", 2, IS(POINTER)),
	STR("uid", 1, IS(POINTER)));

TYPE(status, "Status",
	STR("apiVersion", 0),
	INT32("code", 6),
	OBJ("details", 5, status_details, IS(POINTER)),
	STR("kind", 0),
	STR("message", 3),
	OBJ("metadata", 1, list_meta),
	STR("reason", 4),
	STR("status", 2));

TYPE(status_cause, "StatusCause",
	STR("field", 3),
	STR("message", 2),
	STR("reason", 1));

TYPE(status_details, "StatusDetails",
	LIST("causes", 4, status_cause),
	STR("group", 2),
	STR("kind", 3),
	STR("name", 1),
	INT32("retryAfterSeconds", 5),
	STR("uid", 6));
