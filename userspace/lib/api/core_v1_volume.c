/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* core/v1: volumes of a pod and their sources. */
#include "rows.h"

#define PACKAGE "io.k8s.api.core.v1"

TYPE(aws_elastic_block_store_volume_source, "AWSElasticBlockStoreVolumeSource",
	STR("fsType"),
	INT32("partition"),
	BOOL("readOnly"),
	STR("volumeID", IS(REQUIRED)));

TYPE(azure_disk_volume_source, "AzureDiskVolumeSource",
	STR("cachingMode", IS(POINTER), OR("\"ReadWrite\"")),
	STR("diskName", IS(REQUIRED)),
	STR("diskURI", IS(REQUIRED)),
	STR("fsType", IS(POINTER), OR("\"ext4\"")),
	STR("kind", IS(POINTER), OR("\"Shared\"")),
	BOOL("readOnly", IS(POINTER), OR("false")));

TYPE(azure_file_volume_source, "AzureFileVolumeSource",
	BOOL("readOnly"),
	STR("secretName", IS(REQUIRED)),
	STR("shareName", IS(REQUIRED)));

TYPE(csi_volume_source, "CSIVolumeSource",
	STR("driver", IS(REQUIRED)),
	STR("fsType", IS(POINTER)),
	OBJ("nodePublishSecretRef", local_object_reference, IS(POINTER)),
	BOOL("readOnly", IS(POINTER)),
	STR_MAP("volumeAttributes"));

TYPE(ceph_fs_volume_source, "CephFSVolumeSource",
	STR_LIST("monitors", IS(REQUIRED)),
	STR("path"),
	BOOL("readOnly"),
	STR("secretFile"),
	OBJ("secretRef", local_object_reference, IS(POINTER)),
	STR("user"));

TYPE(cinder_volume_source, "CinderVolumeSource",
	STR("fsType"),
	BOOL("readOnly"),
	OBJ("secretRef", local_object_reference, IS(POINTER)),
	STR("volumeID", IS(REQUIRED)));

TYPE(cluster_trust_bundle_projection, "ClusterTrustBundleProjection",
	OBJ("labelSelector", label_selector, IS(POINTER)),
	STR("name", IS(POINTER)),
	BOOL("optional", IS(POINTER)),
	STR("path", IS(REQUIRED)),
	STR("signerName", IS(POINTER)));

TYPE(config_map_projection, "ConfigMapProjection",
	LIST("items", key_to_path),
	STR("name"),
	BOOL("optional", IS(POINTER)));

TYPE(config_map_volume_source, "ConfigMapVolumeSource",
	INT32("defaultMode", IS(POINTER), OR("420")),
	LIST("items", key_to_path),
	STR("name"),
	BOOL("optional", IS(POINTER)));

TYPE(downward_api_projection, "DownwardAPIProjection",
	LIST("items", downward_api_volume_file));

TYPE(downward_api_volume_file, "DownwardAPIVolumeFile",
	OBJ("fieldRef", object_field_selector, IS(POINTER)),
	INT32("mode", IS(POINTER)),
	STR("path", IS(REQUIRED)),
	OBJ("resourceFieldRef", resource_field_selector, IS(POINTER)));

TYPE(downward_api_volume_source, "DownwardAPIVolumeSource",
	INT32("defaultMode", IS(POINTER), OR("420")),
	LIST("items", downward_api_volume_file));

TYPE(empty_dir_volume_source, "EmptyDirVolumeSource",
	STR("medium"),
	QUANTITY("sizeLimit", IS(POINTER)));

TYPE(ephemeral_volume_source, "EphemeralVolumeSource",
	OBJ("volumeClaimTemplate", persistent_volume_claim_template, IS(POINTER)));

TYPE(fc_volume_source, "FCVolumeSource",
	STR("fsType"),
	INT32("lun", IS(POINTER)),
	BOOL("readOnly"),
	STR_LIST("targetWWNs"),
	STR_LIST("wwids"));

TYPE(flex_volume_source, "FlexVolumeSource",
	STR("driver", IS(REQUIRED)),
	STR("fsType"),
	STR_MAP("options"),
	BOOL("readOnly"),
	OBJ("secretRef", local_object_reference, IS(POINTER)));

TYPE(flocker_volume_source, "FlockerVolumeSource",
	STR("datasetName"),
	STR("datasetUUID"));

TYPE(gce_persistent_disk_volume_source, "GCEPersistentDiskVolumeSource",
	STR("fsType"),
	INT32("partition"),
	STR("pdName", IS(REQUIRED)),
	BOOL("readOnly"));

TYPE(git_repo_volume_source, "GitRepoVolumeSource",
	STR("directory"),
	STR("repository", IS(REQUIRED)),
	STR("revision"));

TYPE(glusterfs_volume_source, "GlusterfsVolumeSource",
	STR("endpoints", IS(REQUIRED)),
	STR("path", IS(REQUIRED)),
	BOOL("readOnly"));

TYPE(host_path_volume_source, "HostPathVolumeSource",
	STR("path", IS(REQUIRED)),
	STR("type", IS(POINTER), OR("\"\"")));

TYPE(iscsi_volume_source, "ISCSIVolumeSource",
	BOOL("chapAuthDiscovery"),
	BOOL("chapAuthSession"),
	STR("fsType"),
	STR("initiatorName", IS(POINTER)),
	STR("iqn", IS(REQUIRED)),
	STR("iscsiInterface", OR("\"default\"")),
	INT32("lun", IS(REQUIRED)),
	STR_LIST("portals"),
	BOOL("readOnly"),
	OBJ("secretRef", local_object_reference, IS(POINTER)),
	STR("targetPortal", IS(REQUIRED)));

TYPE(image_volume_source, "ImageVolumeSource",
	STR("pullPolicy"),
	STR("reference"));

TYPE(key_to_path, "KeyToPath",
	STR("key", IS(REQUIRED)),
	INT32("mode", IS(POINTER)),
	STR("path", IS(REQUIRED)));

TYPE(nfs_volume_source, "NFSVolumeSource",
	STR("path", IS(REQUIRED)),
	BOOL("readOnly"),
	STR("server", IS(REQUIRED)));

TYPE(persistent_volume_claim_spec, "PersistentVolumeClaimSpec",
	STR_LIST("accessModes"),
	OBJ("dataSource", typed_local_object_reference, IS(POINTER)),
	OBJ("dataSourceRef", typed_object_reference, IS(POINTER)),
	OBJ("resources", volume_resource_requirements),
	OBJ("selector", label_selector, IS(POINTER)),
	STR("storageClassName", IS(POINTER)),
	STR("volumeAttributesClassName", IS(POINTER)),
	STR("volumeMode", IS(POINTER), OR("\"Filesystem\"")),
	STR("volumeName"));

TYPE(persistent_volume_claim_template, "PersistentVolumeClaimTemplate",
	OBJ("metadata", object_meta),
	OBJ("spec", persistent_volume_claim_spec, IS(REQUIRED)));

TYPE(persistent_volume_claim_volume_source, "PersistentVolumeClaimVolumeSource",
	STR("claimName", IS(REQUIRED)),
	BOOL("readOnly"));

TYPE(photon_persistent_disk_volume_source, "PhotonPersistentDiskVolumeSource",
	STR("fsType"),
	STR("pdID", IS(REQUIRED)));

TYPE(pod_certificate_projection, "PodCertificateProjection",
	STR("certificateChainPath"),
	STR("credentialBundlePath"),
	STR("keyPath"),
	STR("keyType", IS(REQUIRED)),
	INT32("maxExpirationSeconds", IS(POINTER)),
	STR("signerName", IS(REQUIRED)));

TYPE(portworx_volume_source, "PortworxVolumeSource",
	STR("fsType"),
	BOOL("readOnly"),
	STR("volumeID", IS(REQUIRED)));

TYPE(projected_volume_source, "ProjectedVolumeSource",
	INT32("defaultMode", IS(POINTER), OR("420")),
	LIST("sources", volume_projection));

TYPE(quobyte_volume_source, "QuobyteVolumeSource",
	STR("group"),
	BOOL("readOnly"),
	STR("registry", IS(REQUIRED)),
	STR("tenant"),
	STR("user"),
	STR("volume", IS(REQUIRED)));

TYPE(rbd_volume_source, "RBDVolumeSource",
	STR("fsType"),
	STR("image", IS(REQUIRED)),
	STR("keyring", OR("\"/etc/ceph/keyring\"")),
	STR_LIST("monitors", IS(REQUIRED)),
	STR("pool", OR("\"rbd\"")),
	BOOL("readOnly"),
	OBJ("secretRef", local_object_reference, IS(POINTER)),
	STR("user", OR("\"admin\"")));

TYPE(scale_io_volume_source, "ScaleIOVolumeSource",
	STR("fsType", OR("\"xfs\"")),
	STR("gateway", IS(REQUIRED)),
	STR("protectionDomain"),
	BOOL("readOnly"),
	OBJ("secretRef", local_object_reference, IS(REQUIRED | POINTER)),
	BOOL("sslEnabled"),
	STR("storageMode", OR("\"ThinProvisioned\"")),
	STR("storagePool"),
	STR("system", IS(REQUIRED)),
	STR("volumeName"));

TYPE(secret_projection, "SecretProjection",
	LIST("items", key_to_path),
	STR("name"),
	BOOL("optional", IS(POINTER)));

TYPE(secret_volume_source, "SecretVolumeSource",
	INT32("defaultMode", IS(POINTER), OR("420")),
	LIST("items", key_to_path),
	BOOL("optional", IS(POINTER)),
	STR("secretName"));

TYPE(service_account_token_projection, "ServiceAccountTokenProjection",
	STR("audience"),
	INT64("expirationSeconds", IS(POINTER), OR("3600")),
	STR("path", IS(REQUIRED)));

TYPE(storage_os_volume_source, "StorageOSVolumeSource",
	STR("fsType"),
	BOOL("readOnly"),
	OBJ("secretRef", local_object_reference, IS(POINTER)),
	STR("volumeName"),
	STR("volumeNamespace"));

ATOMIC_TYPE(typed_local_object_reference, "TypedLocalObjectReference",
	STR("apiGroup", IS(POINTER)),
	STR("kind", IS(REQUIRED)),
	STR("name", IS(REQUIRED)));

TYPE(typed_object_reference, "TypedObjectReference",
	STR("apiGroup", IS(POINTER)),
	STR("kind", IS(REQUIRED)),
	STR("name", IS(REQUIRED)),
	STR("namespace", IS(POINTER)));

TYPE(volume, "Volume",
	OBJ("awsElasticBlockStore", aws_elastic_block_store_volume_source, IS(POINTER)),
	OBJ("azureDisk", azure_disk_volume_source, IS(POINTER)),
	OBJ("azureFile", azure_file_volume_source, IS(POINTER)),
	OBJ("cephfs", ceph_fs_volume_source, IS(POINTER)),
	OBJ("cinder", cinder_volume_source, IS(POINTER)),
	OBJ("configMap", config_map_volume_source, IS(POINTER)),
	OBJ("csi", csi_volume_source, IS(POINTER)),
	OBJ("downwardAPI", downward_api_volume_source, IS(POINTER)),
	OBJ("emptyDir", empty_dir_volume_source, IS(POINTER)),
	OBJ("ephemeral", ephemeral_volume_source, IS(POINTER)),
	OBJ("fc", fc_volume_source, IS(POINTER)),
	OBJ("flexVolume", flex_volume_source, IS(POINTER)),
	OBJ("flocker", flocker_volume_source, IS(POINTER)),
	OBJ("gcePersistentDisk", gce_persistent_disk_volume_source, IS(POINTER)),
	OBJ("gitRepo", git_repo_volume_source, IS(POINTER)),
	OBJ("glusterfs", glusterfs_volume_source, IS(POINTER)),
	OBJ("hostPath", host_path_volume_source, IS(POINTER)),
	OBJ("image", image_volume_source, IS(POINTER)),
	OBJ("iscsi", iscsi_volume_source, IS(POINTER)),
	STR("name", IS(REQUIRED)),
	OBJ("nfs", nfs_volume_source, IS(POINTER)),
	OBJ("persistentVolumeClaim", persistent_volume_claim_volume_source, IS(POINTER)),
	OBJ("photonPersistentDisk", photon_persistent_disk_volume_source, IS(POINTER)),
	OBJ("portworxVolume", portworx_volume_source, IS(POINTER)),
	OBJ("projected", projected_volume_source, IS(POINTER)),
	OBJ("quobyte", quobyte_volume_source, IS(POINTER)),
	OBJ("rbd", rbd_volume_source, IS(POINTER)),
	OBJ("scaleIO", scale_io_volume_source, IS(POINTER)),
	OBJ("secret", secret_volume_source, IS(POINTER)),
	OBJ("storageos", storage_os_volume_source, IS(POINTER)),
	OBJ("vsphereVolume", vsphere_virtual_disk_volume_source, IS(POINTER)));

TYPE(volume_device, "VolumeDevice",
	STR("devicePath", IS(REQUIRED)),
	STR("name", IS(REQUIRED)));

TYPE(volume_mount, "VolumeMount",
	STR("mountPath", IS(REQUIRED)),
	STR("mountPropagation", IS(POINTER)),
	STR("name", IS(REQUIRED)),
	BOOL("readOnly"),
	STR("recursiveReadOnly", IS(POINTER)),
	STR("subPath"),
	STR("subPathExpr"));

TYPE(volume_projection, "VolumeProjection",
	OBJ("clusterTrustBundle", cluster_trust_bundle_projection, IS(POINTER)),
	OBJ("configMap", config_map_projection, IS(POINTER)),
	OBJ("downwardAPI", downward_api_projection, IS(POINTER)),
	OBJ("podCertificate", pod_certificate_projection, IS(POINTER)),
	OBJ("secret", secret_projection, IS(POINTER)),
	OBJ("serviceAccountToken", service_account_token_projection, IS(POINTER)));

TYPE(volume_resource_requirements, "VolumeResourceRequirements",
	QUANTITY_MAP("limits"),
	QUANTITY_MAP("requests"));

TYPE(vsphere_virtual_disk_volume_source, "VsphereVirtualDiskVolumeSource",
	STR("fsType"),
	STR("storagePolicyID"),
	STR("storagePolicyName"),
	STR("volumePath", IS(REQUIRED)));
