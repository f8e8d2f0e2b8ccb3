/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* core/v1: PersistentVolume and PersistentVolumeClaim, and the sources that only volumes of the cluster have. */
#include "rows.h"

#define PACKAGE "io.k8s.api.core.v1"

TYPE(azure_file_persistent_volume_source, "AzureFilePersistentVolumeSource",
	BOOL("readOnly", 3),
	STR("secretName", 1, IS(REQUIRED)),
	STR("secretNamespace", 4, IS(POINTER)),
	STR("shareName", 2, IS(REQUIRED)));

TYPE(csi_persistent_volume_source, "CSIPersistentVolumeSource",
	OBJ("controllerExpandSecretRef", 9, secret_reference, IS(POINTER)),
	OBJ("controllerPublishSecretRef", 6, secret_reference, IS(POINTER)),
	STR("driver", 1, IS(REQUIRED)),
	STR("fsType", 4),
	OBJ("nodeExpandSecretRef", 10, secret_reference, IS(POINTER)),
	OBJ("nodePublishSecretRef", 8, secret_reference, IS(POINTER)),
	OBJ("nodeStageSecretRef", 7, secret_reference, IS(POINTER)),
	BOOL("readOnly", 3),
	STR_MAP("volumeAttributes", 5),
	STR("volumeHandle", 2, IS(REQUIRED)));

TYPE(ceph_fs_persistent_volume_source, "CephFSPersistentVolumeSource",
	STR_LIST("monitors", 1, IS(REQUIRED)),
	STR("path", 2),
	BOOL("readOnly", 6),
	STR("secretFile", 4),
	OBJ("secretRef", 5, secret_reference, IS(POINTER)),
	STR("user", 3));

TYPE(cinder_persistent_volume_source, "CinderPersistentVolumeSource",
	STR("fsType", 2),
	BOOL("readOnly", 3),
	OBJ("secretRef", 4, secret_reference, IS(POINTER)),
	STR("volumeID", 1, IS(REQUIRED)));

TYPE(flex_persistent_volume_source, "FlexPersistentVolumeSource",
	STR("driver", 1, IS(REQUIRED)),
	STR("fsType", 2),
	STR_MAP("options", 5),
	BOOL("readOnly", 4),
	OBJ("secretRef", 3, secret_reference, IS(POINTER)));

TYPE(glusterfs_persistent_volume_source, "GlusterfsPersistentVolumeSource",
	STR("endpoints", 1, IS(REQUIRED)),
	STR("endpointsNamespace", 4, IS(POINTER)),
	STR("path", 2, IS(REQUIRED)),
	BOOL("readOnly", 3));

TYPE(iscsi_persistent_volume_source, "ISCSIPersistentVolumeSource",
	BOOL("chapAuthDiscovery", 8),
	BOOL("chapAuthSession", 11),
	STR("fsType", 5),
	STR("initiatorName", 12, IS(POINTER)),
	STR("iqn", 2, IS(REQUIRED)),
	STR("iscsiInterface", 4, OR("\"default\"")),
	INT32("lun", 3, IS(REQUIRED)),
	STR_LIST("portals", 7),
	BOOL("readOnly", 6),
	OBJ("secretRef", 10, secret_reference, IS(POINTER)),
	STR("targetPortal", 1, IS(REQUIRED)));

TYPE(local_volume_source, "LocalVolumeSource",
	STR("fsType", 2, IS(POINTER)),
	STR("path", 1, IS(REQUIRED)));

TYPE(modify_volume_status, "ModifyVolumeStatus",
	STR("status", 2, IS(REQUIRED)),
	STR("targetVolumeAttributesClassName", 1));

TYPE(persistent_volume, "PersistentVolume",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, persistent_volume_spec),
	OBJ("status", 3, persistent_volume_status));

TYPE(persistent_volume_claim, "PersistentVolumeClaim",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, persistent_volume_claim_spec),
	OBJ("status", 3, persistent_volume_claim_status));

TYPE(persistent_volume_claim_condition, "PersistentVolumeClaimCondition",
	TIME("lastProbeTime", 3),
	TIME("lastTransitionTime", 4),
	STR("message", 6),
	STR("reason", 5),
	STR("status", 2, IS(REQUIRED)),
	STR("type", 1, IS(REQUIRED)));

TYPE(persistent_volume_claim_status, "PersistentVolumeClaimStatus",
	STR_LIST("accessModes", 2),
	STR_MAP("allocatedResourceStatuses", 7, IS(GRANULAR)),
	QUANTITY_MAP("allocatedResources", 5),
	QUANTITY_MAP("capacity", 3),
	LIST("conditions", 4, persistent_volume_claim_condition, IS(MERGE | LIST_MAP), KEYS("type", "type")),
	STR("currentVolumeAttributesClassName", 8, IS(POINTER)),
	OBJ("modifyVolumeStatus", 9, modify_volume_status, IS(POINTER)),
	STR("phase", 1, OR("\"Pending\"")));

TYPE(persistent_volume_spec, "PersistentVolumeSpec",
	STR_LIST("accessModes", 3),
	OBJ("awsElasticBlockStore", 2, aws_elastic_block_store_volume_source, IN(2), IS(POINTER)),
	OBJ("azureDisk", 16, azure_disk_volume_source, IN(2), IS(POINTER)),
	OBJ("azureFile", 13, azure_file_persistent_volume_source, IN(2), IS(POINTER)),
	QUANTITY_MAP("capacity", 1),
	OBJ("cephfs", 9, ceph_fs_persistent_volume_source, IN(2), IS(POINTER)),
	OBJ("cinder", 8, cinder_persistent_volume_source, IN(2), IS(POINTER)),
	OBJ("claimRef", 4, object_reference, IS(POINTER | GRANULAR)),
	OBJ("csi", 22, csi_persistent_volume_source, IN(2), IS(POINTER)),
	OBJ("fc", 10, fc_volume_source, IN(2), IS(POINTER)),
	OBJ("flexVolume", 12, flex_persistent_volume_source, IN(2), IS(POINTER)),
	OBJ("flocker", 11, flocker_volume_source, IN(2), IS(POINTER)),
	OBJ("gcePersistentDisk", 1, gce_persistent_disk_volume_source, IN(2), IS(POINTER)),
	OBJ("glusterfs", 4, glusterfs_persistent_volume_source, IN(2), IS(POINTER)),
	OBJ("hostPath", 3, host_path_volume_source, IN(2), IS(POINTER)),
	OBJ("iscsi", 7, iscsi_persistent_volume_source, IN(2), IS(POINTER)),
	OBJ("local", 20, local_volume_source, IN(2), IS(POINTER)),
	STR_LIST("mountOptions", 7),
	OBJ("nfs", 5, nfs_volume_source, IN(2), IS(POINTER)),
	OBJ("nodeAffinity", 9, volume_node_affinity, IS(POINTER)),
	STR("persistentVolumeReclaimPolicy", 5, OR("\"Retain\"")),
	OBJ("photonPersistentDisk", 17, photon_persistent_disk_volume_source, IN(2), IS(POINTER)),
	OBJ("portworxVolume", 18, portworx_volume_source, IN(2), IS(POINTER)),
	OBJ("quobyte", 15, quobyte_volume_source, IN(2), IS(POINTER)),
	OBJ("rbd", 6, rbd_persistent_volume_source, IN(2), IS(POINTER)),
	OBJ("scaleIO", 19, scale_io_persistent_volume_source, IN(2), IS(POINTER)),
	STR("storageClassName", 6),
	OBJ("storageos", 21, storage_os_persistent_volume_source, IN(2), IS(POINTER)),
	STR("volumeAttributesClassName", 10, IS(POINTER)),
	STR("volumeMode", 8, IS(POINTER), OR("\"Filesystem\"")),
	OBJ("vsphereVolume", 14, vsphere_virtual_disk_volume_source, IN(2), IS(POINTER)));

TYPE(persistent_volume_status, "PersistentVolumeStatus",
	TIME("lastPhaseTransitionTime", 4, IS(POINTER)),
	STR("message", 2),
	STR("phase", 1, OR("\"Pending\"")),
	STR("reason", 3));

TYPE(rbd_persistent_volume_source, "RBDPersistentVolumeSource",
	STR("fsType", 3),
	STR("image", 2, IS(REQUIRED)),
	STR("keyring", 6, OR("\"/etc/ceph/keyring\"")),
	STR_LIST("monitors", 1, IS(REQUIRED)),
	STR("pool", 4, OR("\"rbd\"")),
	BOOL("readOnly", 8),
	OBJ("secretRef", 7, secret_reference, IS(POINTER)),
	STR("user", 5, OR("\"admin\"")));

TYPE(scale_io_persistent_volume_source, "ScaleIOPersistentVolumeSource",
	STR("fsType", 9, OR("\"xfs\"")),
	STR("gateway", 1, IS(REQUIRED)),
	STR("protectionDomain", 5),
	BOOL("readOnly", 10),
	OBJ("secretRef", 3, secret_reference, IS(REQUIRED | POINTER)),
	BOOL("sslEnabled", 4),
	STR("storageMode", 7, OR("\"ThinProvisioned\"")),
	STR("storagePool", 6),
	STR("system", 2, IS(REQUIRED)),
	STR("volumeName", 8));

ATOMIC_TYPE(secret_reference, "SecretReference",
	STR("name", 1),
	STR("namespace", 2));

TYPE(storage_os_persistent_volume_source, "StorageOSPersistentVolumeSource",
	STR("fsType", 3),
	BOOL("readOnly", 4),
	OBJ("secretRef", 5, object_reference, IS(POINTER)),
	STR("volumeName", 1),
	STR("volumeNamespace", 2));

TYPE(volume_node_affinity, "VolumeNodeAffinity",
	OBJ("required", 1, node_selector, IS(POINTER)));
