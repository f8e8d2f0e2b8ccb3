/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* storage.k8s.io/v1. */
#include "rows.h"

#define PACKAGE "io.k8s.api.storage.v1"

TYPE(csi_driver, "CSIDriver",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, csi_driver_spec, IS(REQUIRED)));

TYPE(csi_driver_spec, "CSIDriverSpec",
	BOOL("attachRequired", 1, IS(POINTER), OR("true")),
	STR("fsGroupPolicy", 5, IS(POINTER), OR("\"ReadWriteOnceWithFSType\"")),
	INT64("nodeAllocatableUpdatePeriodSeconds", 9, IS(POINTER)),
	BOOL("podInfoOnMount", 2, IS(POINTER), OR("false")),
	BOOL("requiresRepublish", 7, IS(POINTER), OR("false")),
	BOOL("seLinuxMount", 8, IS(POINTER), OR("false")),
	BOOL("storageCapacity", 4, IS(POINTER), OR("false")),
	LIST("tokenRequests", 6, storage_token_request),
	STR_LIST("volumeLifecycleModes", 3, IS(LIST_SET)));

TYPE(csi_node, "CSINode",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, csi_node_spec, IS(REQUIRED)));

TYPE(csi_node_driver, "CSINodeDriver",
	OBJ("allocatable", 4, volume_node_resources, IS(POINTER)),
	STR("name", 1, IS(REQUIRED)),
	STR("nodeID", 2, IS(REQUIRED)),
	STR_LIST("topologyKeys", 3));

TYPE(csi_node_spec, "CSINodeSpec",
	LIST("drivers", 1, csi_node_driver, IS(REQUIRED | MERGE | LIST_MAP), KEYS("name", "name")));

TYPE(csi_storage_capacity, "CSIStorageCapacity",
	STR("apiVersion", 0),
	QUANTITY("capacity", 4, IS(POINTER)),
	STR("kind", 0),
	QUANTITY("maximumVolumeSize", 5, IS(POINTER)),
	OBJ("metadata", 1, object_meta),
	OBJ("nodeTopology", 2, label_selector, IS(POINTER)),
	STR("storageClassName", 3, IS(REQUIRED)));

TYPE(storage_class, "StorageClass",
	BOOL("allowVolumeExpansion", 6, IS(POINTER)),
	LIST("allowedTopologies", 8, topology_selector_term),
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	STR_LIST("mountOptions", 5),
	STR_MAP("parameters", 3),
	STR("provisioner", 2, IS(REQUIRED)),
	STR("reclaimPolicy", 4, IS(POINTER), OR("\"Delete\"")),
	STR("volumeBindingMode", 7, IS(POINTER), OR("\"Immediate\"")));

TYPE(storage_token_request, "TokenRequest",
	STR("audience", 1, IS(REQUIRED)),
	INT64("expirationSeconds", 2, IS(POINTER)));

TYPE(volume_attachment, "VolumeAttachment",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, volume_attachment_spec, IS(REQUIRED)),
	OBJ("status", 3, volume_attachment_status));

TYPE(volume_attachment_source, "VolumeAttachmentSource",
	OBJ("inlineVolumeSpec", 2, persistent_volume_spec, IS(POINTER)),
	STR("persistentVolumeName", 1, IS(POINTER)));

TYPE(volume_attachment_spec, "VolumeAttachmentSpec",
	STR("attacher", 1, IS(REQUIRED)),
	STR("nodeName", 3, IS(REQUIRED)),
	OBJ("source", 2, volume_attachment_source, IS(REQUIRED)));

TYPE(volume_attachment_status, "VolumeAttachmentStatus",
	OBJ("attachError", 3, volume_error, IS(POINTER)),
	BOOL("attached", 1, IS(REQUIRED)),
	STR_MAP("attachmentMetadata", 2),
	OBJ("detachError", 4, volume_error, IS(POINTER)));

TYPE(volume_error, "VolumeError",
	INT32("errorCode", 3, IS(POINTER)),
	STR("message", 2),
	TIME("time", 1));

TYPE(volume_node_resources, "VolumeNodeResources",
	INT32("count", 1, IS(POINTER)));
