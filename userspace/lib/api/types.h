/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_API_TYPES_H
#define XB_API_TYPES_H
/* The types of the API, by the file that has their rows. */
#include "xb/kinds.h"

/* core_v1.c */
extern const struct xb_type
	xb_type_binding, xb_type_config_map, xb_type_event, xb_type_event_series, xb_type_event_source,
	xb_type_local_object_reference, xb_type_namespace, xb_type_namespace_condition, xb_type_namespace_spec,
	xb_type_namespace_status, xb_type_object_field_selector, xb_type_object_reference, xb_type_pod_template,
	xb_type_replication_controller, xb_type_replication_controller_condition,
	xb_type_replication_controller_spec, xb_type_replication_controller_status,
	xb_type_resource_field_selector, xb_type_secret, xb_type_service_account;

/* core_v1_pod.c */
extern const struct xb_type
	xb_type_affinity, xb_type_app_armor_profile, xb_type_capabilities, xb_type_config_map_env_source,
	xb_type_config_map_key_selector, xb_type_container, xb_type_container_extended_resource_request,
	xb_type_container_port, xb_type_container_resize_policy, xb_type_container_restart_rule,
	xb_type_container_restart_rule_on_exit_codes, xb_type_container_state, xb_type_container_state_running,
	xb_type_container_state_terminated, xb_type_container_state_waiting, xb_type_container_status,
	xb_type_container_user, xb_type_env_from_source, xb_type_env_var, xb_type_env_var_source,
	xb_type_ephemeral_container, xb_type_exec_action, xb_type_file_key_selector, xb_type_grpc_action,
	xb_type_http_get_action, xb_type_http_header, xb_type_host_alias, xb_type_host_ip, xb_type_lifecycle,
	xb_type_lifecycle_handler, xb_type_linux_container_user, xb_type_node_affinity, xb_type_node_selector,
	xb_type_node_selector_requirement, xb_type_node_selector_term, xb_type_pod, xb_type_pod_affinity,
	xb_type_pod_affinity_term, xb_type_pod_anti_affinity, xb_type_pod_condition, xb_type_pod_dns_config,
	xb_type_pod_dns_config_option, xb_type_pod_extended_resource_claim_status, xb_type_pod_ip, xb_type_pod_os,
	xb_type_pod_readiness_gate, xb_type_pod_resource_claim, xb_type_pod_resource_claim_status,
	xb_type_pod_scheduling_gate, xb_type_pod_security_context, xb_type_pod_spec, xb_type_pod_status,
	xb_type_pod_template_spec, xb_type_preferred_scheduling_term, xb_type_probe, xb_type_resource_claim,
	xb_type_resource_health, xb_type_resource_requirements, xb_type_resource_status, xb_type_se_linux_options,
	xb_type_seccomp_profile, xb_type_secret_env_source, xb_type_secret_key_selector, xb_type_security_context,
	xb_type_sleep_action, xb_type_sysctl, xb_type_tcp_socket_action, xb_type_toleration,
	xb_type_topology_spread_constraint, xb_type_volume_mount_status, xb_type_weighted_pod_affinity_term,
	xb_type_windows_security_context_options;

/* core_v1_volume.c */
extern const struct xb_type
	xb_type_aws_elastic_block_store_volume_source, xb_type_azure_disk_volume_source,
	xb_type_azure_file_volume_source, xb_type_csi_volume_source, xb_type_ceph_fs_volume_source,
	xb_type_cinder_volume_source, xb_type_cluster_trust_bundle_projection, xb_type_config_map_projection,
	xb_type_config_map_volume_source, xb_type_downward_api_projection, xb_type_downward_api_volume_file,
	xb_type_downward_api_volume_source, xb_type_empty_dir_volume_source, xb_type_ephemeral_volume_source,
	xb_type_fc_volume_source, xb_type_flex_volume_source, xb_type_flocker_volume_source,
	xb_type_gce_persistent_disk_volume_source, xb_type_git_repo_volume_source, xb_type_glusterfs_volume_source,
	xb_type_host_path_volume_source, xb_type_iscsi_volume_source, xb_type_image_volume_source,
	xb_type_key_to_path, xb_type_nfs_volume_source, xb_type_persistent_volume_claim_spec,
	xb_type_persistent_volume_claim_template, xb_type_persistent_volume_claim_volume_source,
	xb_type_photon_persistent_disk_volume_source, xb_type_pod_certificate_projection,
	xb_type_portworx_volume_source, xb_type_projected_volume_source, xb_type_quobyte_volume_source,
	xb_type_rbd_volume_source, xb_type_scale_io_volume_source, xb_type_secret_projection,
	xb_type_secret_volume_source, xb_type_service_account_token_projection, xb_type_storage_os_volume_source,
	xb_type_typed_local_object_reference, xb_type_typed_object_reference, xb_type_volume,
	xb_type_volume_device, xb_type_volume_mount, xb_type_volume_projection,
	xb_type_volume_resource_requirements, xb_type_vsphere_virtual_disk_volume_source;

/* core_v1_node.c */
extern const struct xb_type
	xb_type_attached_volume, xb_type_config_map_node_config_source, xb_type_container_image,
	xb_type_daemon_endpoint, xb_type_node, xb_type_node_address, xb_type_node_condition,
	xb_type_node_config_source, xb_type_node_config_status, xb_type_node_daemon_endpoints,
	xb_type_node_features, xb_type_node_runtime_handler, xb_type_node_runtime_handler_features,
	xb_type_node_spec, xb_type_node_status, xb_type_node_swap_status, xb_type_node_system_info, xb_type_taint;

/* core_v1_service.c */
extern const struct xb_type
	xb_type_client_ip_config, xb_type_endpoint_address, xb_type_endpoint_port, xb_type_endpoint_subset,
	xb_type_endpoints, xb_type_load_balancer_ingress, xb_type_load_balancer_status, xb_type_port_status,
	xb_type_service, xb_type_service_port, xb_type_service_spec, xb_type_service_status,
	xb_type_session_affinity_config;

/* discovery_v1.c */
extern const struct xb_type
	xb_type_endpoint, xb_type_endpoint_conditions, xb_type_endpoint_hints, xb_type_discovery_endpoint_port,
	xb_type_endpoint_slice, xb_type_for_node, xb_type_for_zone;

/* coordination_v1.c */
extern const struct xb_type
	xb_type_lease, xb_type_lease_spec;

/* autoscaling_v1.c */
extern const struct xb_type
	xb_type_scale, xb_type_scale_spec, xb_type_scale_status;

/* meta_v1.c */
extern const struct xb_type
	xb_type_condition, xb_type_label_selector, xb_type_label_selector_requirement, xb_type_list_meta,
	xb_type_managed_fields_entry, xb_type_owner_reference, xb_type_preconditions, xb_type_status_cause,
	xb_type_status_details;

#endif
