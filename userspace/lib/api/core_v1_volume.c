/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* core/v1: volumes of a pod and their sources. */
#include "rows.h"

#define PACKAGE "io.k8s.api.core.v1"

TYPE(aws_elastic_block_store_volume_source, "AWSElasticBlockStoreVolumeSource",
	STR("fsType", 2),
	INT32("partition", 3),
	BOOL("readOnly", 4),
	STR("volumeID", 1, IS(REQUIRED)));

TYPE(azure_disk_volume_source, "AzureDiskVolumeSource",
	STR("cachingMode", 3, IS(POINTER), OR("\"ReadWrite\"")),
	STR("diskName", 1, IS(REQUIRED)),
	STR("diskURI", 2, IS(REQUIRED)),
	STR("fsType", 4, IS(POINTER), OR("\"ext4\"")),
	STR("kind", 6, IS(POINTER), OR("\"Shared\"")),
	BOOL("readOnly", 5, IS(POINTER), OR("false")));

TYPE(azure_file_volume_source, "AzureFileVolumeSource",
	BOOL("readOnly", 3),
	STR("secretName", 1, IS(REQUIRED)),
	STR("shareName", 2, IS(REQUIRED)));

TYPE(csi_volume_source, "CSIVolumeSource",
	STR("driver", 1, IS(REQUIRED)),
	STR("fsType", 3, IS(POINTER)),
	OBJ("nodePublishSecretRef", 5, local_object_reference, IS(POINTER)),
	BOOL("readOnly", 2, IS(POINTER)),
	STR_MAP("volumeAttributes", 4));

TYPE(ceph_fs_volume_source, "CephFSVolumeSource",
	STR_LIST("monitors", 1, IS(REQUIRED)),
	STR("path", 2),
	BOOL("readOnly", 6),
	STR("secretFile", 4),
	OBJ("secretRef", 5, local_object_reference, IS(POINTER)),
	STR("user", 3));

TYPE(cinder_volume_source, "CinderVolumeSource",
	STR("fsType", 2),
	BOOL("readOnly", 3),
	OBJ("secretRef", 4, local_object_reference, IS(POINTER)),
	STR("volumeID", 1, IS(REQUIRED)));

TYPE(cluster_trust_bundle_projection, "ClusterTrustBundleProjection",
	OBJ("labelSelector", 3, label_selector, IS(POINTER)),
	STR("name", 1, IS(POINTER)),
	BOOL("optional", 5, IS(POINTER)),
	STR("path", 4, IS(REQUIRED)),
	STR("signerName", 2, IS(POINTER)));

TYPE(config_map_projection, "ConfigMapProjection",
	LIST("items", 2, key_to_path),
	STR("name", 1, IN(1)),
	BOOL("optional", 4, IS(POINTER)));

TYPE(config_map_volume_source, "ConfigMapVolumeSource",
	INT32("defaultMode", 3, IS(POINTER), OR("420")),
	LIST("items", 2, key_to_path),
	STR("name", 1, IN(1)),
	BOOL("optional", 4, IS(POINTER)));

TYPE(downward_api_projection, "DownwardAPIProjection",
	LIST("items", 1, downward_api_volume_file));

TYPE(downward_api_volume_file, "DownwardAPIVolumeFile",
	OBJ("fieldRef", 2, object_field_selector, IS(POINTER)),
	INT32("mode", 4, IS(POINTER)),
	STR("path", 1, IS(REQUIRED)),
	OBJ("resourceFieldRef", 3, resource_field_selector, IS(POINTER)));

TYPE(downward_api_volume_source, "DownwardAPIVolumeSource",
	INT32("defaultMode", 2, IS(POINTER), OR("420")),
	LIST("items", 1, downward_api_volume_file));

TYPE(empty_dir_volume_source, "EmptyDirVolumeSource",
	STR("medium", 1),
	QUANTITY("sizeLimit", 2, IS(POINTER)));

TYPE(ephemeral_volume_source, "EphemeralVolumeSource",
	OBJ("volumeClaimTemplate", 1, persistent_volume_claim_template, IS(POINTER)));

TYPE(fc_volume_source, "FCVolumeSource",
	STR("fsType", 3),
	INT32("lun", 2, IS(POINTER)),
	BOOL("readOnly", 4),
	STR_LIST("targetWWNs", 1),
	STR_LIST("wwids", 5));

TYPE(flex_volume_source, "FlexVolumeSource",
	STR("driver", 1, IS(REQUIRED)),
	STR("fsType", 2),
	STR_MAP("options", 5),
	BOOL("readOnly", 4),
	OBJ("secretRef", 3, local_object_reference, IS(POINTER)));

TYPE(flocker_volume_source, "FlockerVolumeSource",
	STR("datasetName", 1),
	STR("datasetUUID", 2));

TYPE(gce_persistent_disk_volume_source, "GCEPersistentDiskVolumeSource",
	STR("fsType", 2),
	INT32("partition", 3),
	STR("pdName", 1, IS(REQUIRED)),
	BOOL("readOnly", 4));

TYPE(git_repo_volume_source, "GitRepoVolumeSource",
	STR("directory", 3),
	STR("repository", 1, IS(REQUIRED)),
	STR("revision", 2));

TYPE(glusterfs_volume_source, "GlusterfsVolumeSource",
	STR("endpoints", 1, IS(REQUIRED)),
	STR("path", 2, IS(REQUIRED)),
	BOOL("readOnly", 3));

TYPE(host_path_volume_source, "HostPathVolumeSource",
	STR("path", 1, IS(REQUIRED)),
	STR("type", 2, IS(POINTER), OR("\"\"")));

TYPE(iscsi_volume_source, "ISCSIVolumeSource",
	BOOL("chapAuthDiscovery", 8),
	BOOL("chapAuthSession", 11),
	STR("fsType", 5),
	STR("initiatorName", 12, IS(POINTER)),
	STR("iqn", 2, IS(REQUIRED)),
	STR("iscsiInterface", 4, OR("\"default\"")),
	INT32("lun", 3, IS(REQUIRED)),
	STR_LIST("portals", 7),
	BOOL("readOnly", 6),
	OBJ("secretRef", 10, local_object_reference, IS(POINTER)),
	STR("targetPortal", 1, IS(REQUIRED)));

TYPE(image_volume_source, "ImageVolumeSource",
	STR("pullPolicy", 2),
	STR("reference", 1));

TYPE(key_to_path, "KeyToPath",
	STR("key", 1, IS(REQUIRED)),
	INT32("mode", 3, IS(POINTER)),
	STR("path", 2, IS(REQUIRED)));

TYPE(nfs_volume_source, "NFSVolumeSource",
	STR("path", 2, IS(REQUIRED)),
	BOOL("readOnly", 3),
	STR("server", 1, IS(REQUIRED)));

TYPE(persistent_volume_claim_spec, "PersistentVolumeClaimSpec",
	STR_LIST("accessModes", 1),
	OBJ("dataSource", 7, typed_local_object_reference, IS(POINTER)),
	OBJ("dataSourceRef", 8, typed_object_reference, IS(POINTER)),
	OBJ("resources", 2, volume_resource_requirements),
	OBJ("selector", 4, label_selector, IS(POINTER)),
	STR("storageClassName", 5, IS(POINTER)),
	STR("volumeAttributesClassName", 9, IS(POINTER)),
	STR("volumeMode", 6, IS(POINTER), OR("\"Filesystem\"")),
	STR("volumeName", 3));

TYPE(persistent_volume_claim_template, "PersistentVolumeClaimTemplate",
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, persistent_volume_claim_spec, IS(REQUIRED)));

TYPE(persistent_volume_claim_volume_source, "PersistentVolumeClaimVolumeSource",
	STR("claimName", 1, IS(REQUIRED)),
	BOOL("readOnly", 2));

TYPE(photon_persistent_disk_volume_source, "PhotonPersistentDiskVolumeSource",
	STR("fsType", 2),
	STR("pdID", 1, IS(REQUIRED)));

TYPE(pod_certificate_projection, "PodCertificateProjection",
	STR("certificateChainPath", 6),
	STR("credentialBundlePath", 4),
	STR("keyPath", 5),
	STR("keyType", 2, IS(REQUIRED)),
	INT32("maxExpirationSeconds", 3, IS(POINTER)),
	STR("signerName", 1, IS(REQUIRED)));

TYPE(portworx_volume_source, "PortworxVolumeSource",
	STR("fsType", 2),
	BOOL("readOnly", 3),
	STR("volumeID", 1, IS(REQUIRED)));

TYPE(projected_volume_source, "ProjectedVolumeSource",
	INT32("defaultMode", 2, IS(POINTER), OR("420")),
	LIST("sources", 1, volume_projection));

TYPE(quobyte_volume_source, "QuobyteVolumeSource",
	STR("group", 5),
	BOOL("readOnly", 3),
	STR("registry", 1, IS(REQUIRED)),
	STR("tenant", 6),
	STR("user", 4),
	STR("volume", 2, IS(REQUIRED)));

TYPE(rbd_volume_source, "RBDVolumeSource",
	STR("fsType", 3),
	STR("image", 2, IS(REQUIRED)),
	STR("keyring", 6, OR("\"/etc/ceph/keyring\"")),
	STR_LIST("monitors", 1, IS(REQUIRED)),
	STR("pool", 4, OR("\"rbd\"")),
	BOOL("readOnly", 8),
	OBJ("secretRef", 7, local_object_reference, IS(POINTER)),
	STR("user", 5, OR("\"admin\"")));

TYPE(scale_io_volume_source, "ScaleIOVolumeSource",
	STR("fsType", 9, OR("\"xfs\"")),
	STR("gateway", 1, IS(REQUIRED)),
	STR("protectionDomain", 5),
	BOOL("readOnly", 10),
	OBJ("secretRef", 3, local_object_reference, IS(REQUIRED | POINTER)),
	BOOL("sslEnabled", 4),
	STR("storageMode", 7, OR("\"ThinProvisioned\"")),
	STR("storagePool", 6),
	STR("system", 2, IS(REQUIRED)),
	STR("volumeName", 8));

TYPE(secret_projection, "SecretProjection",
	LIST("items", 2, key_to_path),
	STR("name", 1, IN(1)),
	BOOL("optional", 4, IS(POINTER)));

TYPE(secret_volume_source, "SecretVolumeSource",
	INT32("defaultMode", 3, IS(POINTER), OR("420")),
	LIST("items", 2, key_to_path),
	BOOL("optional", 4, IS(POINTER)),
	STR("secretName", 1));

TYPE(service_account_token_projection, "ServiceAccountTokenProjection",
	STR("audience", 1),
	INT64("expirationSeconds", 2, IS(POINTER), OR("3600")),
	STR("path", 3, IS(REQUIRED)));

TYPE(storage_os_volume_source, "StorageOSVolumeSource",
	STR("fsType", 3),
	BOOL("readOnly", 4),
	OBJ("secretRef", 5, local_object_reference, IS(POINTER)),
	STR("volumeName", 1),
	STR("volumeNamespace", 2));

TYPE(topology_selector_label_requirement, "TopologySelectorLabelRequirement",
	STR("key", 1, IS(REQUIRED)),
	STR_LIST("values", 2, IS(REQUIRED)));

ATOMIC_TYPE(topology_selector_term, "TopologySelectorTerm",
	LIST("matchLabelExpressions", 1, topology_selector_label_requirement));

ATOMIC_TYPE(typed_local_object_reference, "TypedLocalObjectReference",
	STR("apiGroup", 1, IS(POINTER)),
	STR("kind", 2, IS(REQUIRED)),
	STR("name", 3, IS(REQUIRED)));

TYPE(typed_object_reference, "TypedObjectReference",
	STR("apiGroup", 1, IS(POINTER)),
	STR("kind", 2, IS(REQUIRED)),
	STR("name", 3, IS(REQUIRED)),
	STR("namespace", 4, IS(POINTER)));

TYPE(volume, "Volume",
	OBJ("awsElasticBlockStore", 4, aws_elastic_block_store_volume_source, IN(2), IS(POINTER)),
	OBJ("azureDisk", 22, azure_disk_volume_source, IN(2), IS(POINTER)),
	OBJ("azureFile", 18, azure_file_volume_source, IN(2), IS(POINTER)),
	OBJ("cephfs", 14, ceph_fs_volume_source, IN(2), IS(POINTER)),
	OBJ("cinder", 13, cinder_volume_source, IN(2), IS(POINTER)),
	OBJ("configMap", 19, config_map_volume_source, IN(2), IS(POINTER)),
	OBJ("csi", 28, csi_volume_source, IN(2), IS(POINTER)),
	OBJ("downwardAPI", 16, downward_api_volume_source, IN(2), IS(POINTER)),
	OBJ("emptyDir", 2, empty_dir_volume_source, IN(2), IS(POINTER)),
	OBJ("ephemeral", 29, ephemeral_volume_source, IN(2), IS(POINTER)),
	OBJ("fc", 17, fc_volume_source, IN(2), IS(POINTER)),
	OBJ("flexVolume", 12, flex_volume_source, IN(2), IS(POINTER)),
	OBJ("flocker", 15, flocker_volume_source, IN(2), IS(POINTER)),
	OBJ("gcePersistentDisk", 3, gce_persistent_disk_volume_source, IN(2), IS(POINTER)),
	OBJ("gitRepo", 5, git_repo_volume_source, IN(2), IS(POINTER)),
	OBJ("glusterfs", 9, glusterfs_volume_source, IN(2), IS(POINTER)),
	OBJ("hostPath", 1, host_path_volume_source, IN(2), IS(POINTER)),
	OBJ("image", 30, image_volume_source, IN(2), IS(POINTER)),
	OBJ("iscsi", 8, iscsi_volume_source, IN(2), IS(POINTER)),
	STR("name", 1, IS(REQUIRED)),
	OBJ("nfs", 7, nfs_volume_source, IN(2), IS(POINTER)),
	OBJ("persistentVolumeClaim", 10, persistent_volume_claim_volume_source, IN(2), IS(POINTER)),
	OBJ("photonPersistentDisk", 23, photon_persistent_disk_volume_source, IN(2), IS(POINTER)),
	OBJ("portworxVolume", 24, portworx_volume_source, IN(2), IS(POINTER)),
	OBJ("projected", 26, projected_volume_source, IN(2), IS(POINTER)),
	OBJ("quobyte", 21, quobyte_volume_source, IN(2), IS(POINTER)),
	OBJ("rbd", 11, rbd_volume_source, IN(2), IS(POINTER)),
	OBJ("scaleIO", 25, scale_io_volume_source, IN(2), IS(POINTER)),
	OBJ("secret", 6, secret_volume_source, IN(2), IS(POINTER)),
	OBJ("storageos", 27, storage_os_volume_source, IN(2), IS(POINTER)),
	OBJ("vsphereVolume", 20, vsphere_virtual_disk_volume_source, IN(2), IS(POINTER)));

TYPE(volume_device, "VolumeDevice",
	STR("devicePath", 2, IS(REQUIRED)),
	STR("name", 1, IS(REQUIRED)));

TYPE(volume_mount, "VolumeMount",
	STR("mountPath", 3, IS(REQUIRED)),
	STR("mountPropagation", 5, IS(POINTER)),
	STR("name", 1, IS(REQUIRED)),
	BOOL("readOnly", 2),
	STR("recursiveReadOnly", 7, IS(POINTER)),
	STR("subPath", 4),
	STR("subPathExpr", 6));

TYPE(volume_projection, "VolumeProjection",
	OBJ("clusterTrustBundle", 5, cluster_trust_bundle_projection, IS(POINTER)),
	OBJ("configMap", 3, config_map_projection, IS(POINTER)),
	OBJ("downwardAPI", 2, downward_api_projection, IS(POINTER)),
	OBJ("podCertificate", 6, pod_certificate_projection, IS(POINTER)),
	OBJ("secret", 1, secret_projection, IS(POINTER)),
	OBJ("serviceAccountToken", 4, service_account_token_projection, IS(POINTER)));

TYPE(volume_resource_requirements, "VolumeResourceRequirements",
	QUANTITY_MAP("limits", 1),
	QUANTITY_MAP("requests", 2));

TYPE(vsphere_virtual_disk_volume_source, "VsphereVirtualDiskVolumeSource",
	STR("fsType", 2),
	STR("storagePolicyID", 4),
	STR("storagePolicyName", 3),
	STR("volumePath", 1, IS(REQUIRED)));
