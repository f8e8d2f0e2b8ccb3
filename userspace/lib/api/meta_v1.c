/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* meta/v1: the types of the API machinery itself. */
#include "rows.h"

#define PACKAGE "io.k8s.apimachinery.pkg.apis.meta.v1"

TYPE(condition, "Condition",
	TIME("lastTransitionTime", IS(REQUIRED)),
	STR("message", IS(REQUIRED)),
	INT64("observedGeneration"),
	STR("reason", IS(REQUIRED)),
	STR("status", IS(REQUIRED)),
	STR("type", IS(REQUIRED)));

TYPE(delete_options, "DeleteOptions",
	STR("apiVersion"),
	STR_LIST("dryRun"),
	INT64("gracePeriodSeconds", IS(POINTER)),
	BOOL("ignoreStoreReadErrorWithClusterBreakingPotential", IS(POINTER)),
	STR("kind"),
	BOOL("orphanDependents", IS(POINTER)),
	OBJ("preconditions", preconditions, IS(POINTER)),
	STR("propagationPolicy", IS(POINTER)));

ATOMIC_TYPE(label_selector, "LabelSelector",
	LIST("matchExpressions", label_selector_requirement),
	STR_MAP("matchLabels"));

TYPE(label_selector_requirement, "LabelSelectorRequirement",
	STR("key", IS(REQUIRED)),
	STR("operator", IS(REQUIRED)),
	STR_LIST("values"));

TYPE(list_meta, "ListMeta",
	STR("continue"),
	INT64("remainingItemCount", IS(POINTER)),
	STR("resourceVersion"),
	STR("selfLink"));

TYPE(managed_fields_entry, "ManagedFieldsEntry",
	STR("apiVersion"),
	STR("fieldsType"),
	ANY("fieldsV1", IS(POINTER)),
	STR("manager"),
	STR("operation"),
	STR("subresource"),
	TIME("time", IS(POINTER)));

TYPE(object_meta, "ObjectMeta",
	STR_MAP("annotations"),
	TIME("creationTimestamp"),
	INT64("deletionGracePeriodSeconds", IS(POINTER)),
	TIME("deletionTimestamp", IS(POINTER)),
	STR_LIST("finalizers", IS(MERGE | LIST_SET)),
	STR("generateName"),
	INT64("generation"),
	STR_MAP("labels"),
	LIST("managedFields", managed_fields_entry),
	STR("name"),
	STR("namespace"),
	LIST("ownerReferences", owner_reference, IS(MERGE | LIST_MAP), KEYS("uid", "uid")),
	STR("resourceVersion"),
	STR("selfLink"),
	STR("uid"));

ATOMIC_TYPE(owner_reference, "OwnerReference",
	STR("apiVersion", IS(REQUIRED)),
	BOOL("blockOwnerDeletion", IS(POINTER)),
	BOOL("controller", IS(POINTER)),
	STR("kind", IS(REQUIRED)),
	STR("name", IS(REQUIRED)),
	STR("uid", IS(REQUIRED)));

TYPE(preconditions, "Preconditions",
	STR("resourceVersion", IS(POINTER)),
	STR("uid", IS(POINTER)));

TYPE(status, "Status",
	STR("apiVersion"),
	INT32("code"),
	OBJ("details", status_details, IS(POINTER)),
	STR("kind"),
	STR("message"),
	OBJ("metadata", list_meta),
	STR("reason"),
	STR("status"));

TYPE(status_cause, "StatusCause",
	STR("field"),
	STR("message"),
	STR("reason"));

TYPE(status_details, "StatusDetails",
	LIST("causes", status_cause),
	STR("group"),
	STR("kind"),
	STR("name"),
	INT32("retryAfterSeconds"),
	STR("uid"));
