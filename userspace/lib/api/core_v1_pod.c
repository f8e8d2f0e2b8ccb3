/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* core/v1: Pod and what it is made of, but volumes. */
#include "rows.h"

#define PACKAGE "io.k8s.api.core.v1"

TYPE(affinity, "Affinity",
	OBJ("nodeAffinity", node_affinity, IS(POINTER)),
	OBJ("podAffinity", pod_affinity, IS(POINTER)),
	OBJ("podAntiAffinity", pod_anti_affinity, IS(POINTER)));

TYPE(app_armor_profile, "AppArmorProfile",
	STR("localhostProfile", IS(POINTER)),
	STR("type", IS(REQUIRED)));

TYPE(capabilities, "Capabilities",
	STR_LIST("add"),
	STR_LIST("drop"));

TYPE(config_map_env_source, "ConfigMapEnvSource",
	STR("name"),
	BOOL("optional", IS(POINTER)));

ATOMIC_TYPE(config_map_key_selector, "ConfigMapKeySelector",
	STR("key", IS(REQUIRED)),
	STR("name"),
	BOOL("optional", IS(POINTER)));

TYPE(container, "Container",
	STR_LIST("args"),
	STR_LIST("command"),
	LIST("env", env_var, IS(MERGE | LIST_MAP), KEYS("name", "name")),
	LIST("envFrom", env_from_source),
	STR("image"),
	STR("imagePullPolicy"),
	OBJ("lifecycle", lifecycle, IS(POINTER)),
	OBJ("livenessProbe", probe, IS(POINTER)),
	STR("name", IS(REQUIRED)),
	LIST("ports", container_port, IS(MERGE | LIST_MAP), KEYS("containerPort", "containerPort,protocol")),
	OBJ("readinessProbe", probe, IS(POINTER)),
	LIST("resizePolicy", container_resize_policy),
	OBJ("resources", resource_requirements),
	STR("restartPolicy", IS(POINTER)),
	LIST("restartPolicyRules", container_restart_rule),
	OBJ("securityContext", security_context, IS(POINTER)),
	OBJ("startupProbe", probe, IS(POINTER)),
	BOOL("stdin"),
	BOOL("stdinOnce"),
	STR("terminationMessagePath", OR("\"/dev/termination-log\"")),
	STR("terminationMessagePolicy", OR("\"File\"")),
	BOOL("tty"),
	LIST("volumeDevices", volume_device, IS(MERGE | LIST_MAP), KEYS("devicePath", "devicePath")),
	LIST("volumeMounts", volume_mount, IS(MERGE | LIST_MAP), KEYS("mountPath", "mountPath")),
	STR("workingDir"));

TYPE(container_extended_resource_request, "ContainerExtendedResourceRequest",
	STR("containerName", IS(REQUIRED)),
	STR("requestName", IS(REQUIRED)),
	STR("resourceName", IS(REQUIRED)));

TYPE(container_port, "ContainerPort",
	INT32("containerPort", IS(REQUIRED)),
	STR("hostIP"),
	INT32("hostPort"),
	STR("name"),
	STR("protocol", OR("\"TCP\"")));

TYPE(container_resize_policy, "ContainerResizePolicy",
	STR("resourceName", IS(REQUIRED)),
	STR("restartPolicy", IS(REQUIRED)));

TYPE(container_restart_rule, "ContainerRestartRule",
	STR("action", IS(REQUIRED)),
	OBJ("exitCodes", container_restart_rule_on_exit_codes, IS(POINTER)));

TYPE(container_restart_rule_on_exit_codes, "ContainerRestartRuleOnExitCodes",
	STR("operator", IS(REQUIRED)),
	INT32_LIST("values", IS(LIST_SET)));

TYPE(container_state, "ContainerState",
	OBJ("running", container_state_running, IS(POINTER)),
	OBJ("terminated", container_state_terminated, IS(POINTER)),
	OBJ("waiting", container_state_waiting, IS(POINTER)));

TYPE(container_state_running, "ContainerStateRunning",
	TIME("startedAt"));

TYPE(container_state_terminated, "ContainerStateTerminated",
	STR("containerID"),
	INT32("exitCode", IS(REQUIRED)),
	TIME("finishedAt"),
	STR("message"),
	STR("reason"),
	INT32("signal"),
	TIME("startedAt"));

TYPE(container_state_waiting, "ContainerStateWaiting",
	STR("message"),
	STR("reason"));

TYPE(container_status, "ContainerStatus",
	QUANTITY_MAP("allocatedResources"),
	LIST("allocatedResourcesStatus", resource_status, IS(MERGE | LIST_MAP), KEYS("name", "name")),
	STR("containerID"),
	STR("image", IS(REQUIRED)),
	STR("imageID", IS(REQUIRED)),
	OBJ("lastState", container_state),
	STR("name", IS(REQUIRED)),
	BOOL("ready", IS(REQUIRED)),
	OBJ("resources", resource_requirements, IS(POINTER)),
	INT32("restartCount", IS(REQUIRED)),
	BOOL("started", IS(POINTER)),
	OBJ("state", container_state),
	STR("stopSignal", IS(POINTER)),
	OBJ("user", container_user, IS(POINTER)),
	LIST("volumeMounts", volume_mount_status, IS(MERGE | LIST_MAP), KEYS("mountPath", "mountPath")));

TYPE(container_user, "ContainerUser",
	OBJ("linux", linux_container_user, IS(POINTER)));

TYPE(env_from_source, "EnvFromSource",
	OBJ("configMapRef", config_map_env_source, IS(POINTER)),
	STR("prefix"),
	OBJ("secretRef", secret_env_source, IS(POINTER)));

TYPE(env_var, "EnvVar",
	STR("name", IS(REQUIRED)),
	STR("value"),
	OBJ("valueFrom", env_var_source, IS(POINTER)));

TYPE(env_var_source, "EnvVarSource",
	OBJ("configMapKeyRef", config_map_key_selector, IS(POINTER)),
	OBJ("fieldRef", object_field_selector, IS(POINTER)),
	OBJ("fileKeyRef", file_key_selector, IS(POINTER)),
	OBJ("resourceFieldRef", resource_field_selector, IS(POINTER)),
	OBJ("secretKeyRef", secret_key_selector, IS(POINTER)));

TYPE(ephemeral_container, "EphemeralContainer",
	STR_LIST("args"),
	STR_LIST("command"),
	LIST("env", env_var, IS(MERGE | LIST_MAP), KEYS("name", "name")),
	LIST("envFrom", env_from_source),
	STR("image"),
	STR("imagePullPolicy"),
	OBJ("lifecycle", lifecycle, IS(POINTER)),
	OBJ("livenessProbe", probe, IS(POINTER)),
	STR("name", IS(REQUIRED)),
	LIST("ports", container_port, IS(MERGE | LIST_MAP), KEYS("containerPort", "containerPort,protocol")),
	OBJ("readinessProbe", probe, IS(POINTER)),
	LIST("resizePolicy", container_resize_policy),
	OBJ("resources", resource_requirements),
	STR("restartPolicy", IS(POINTER)),
	LIST("restartPolicyRules", container_restart_rule),
	OBJ("securityContext", security_context, IS(POINTER)),
	OBJ("startupProbe", probe, IS(POINTER)),
	BOOL("stdin"),
	BOOL("stdinOnce"),
	STR("targetContainerName"),
	STR("terminationMessagePath", OR("\"/dev/termination-log\"")),
	STR("terminationMessagePolicy", OR("\"File\"")),
	BOOL("tty"),
	LIST("volumeDevices", volume_device, IS(MERGE | LIST_MAP), KEYS("devicePath", "devicePath")),
	LIST("volumeMounts", volume_mount, IS(MERGE | LIST_MAP), KEYS("mountPath", "mountPath")),
	STR("workingDir"));

TYPE(exec_action, "ExecAction",
	STR_LIST("command"));

ATOMIC_TYPE(file_key_selector, "FileKeySelector",
	STR("key", IS(REQUIRED)),
	BOOL("optional", IS(POINTER), OR("false")),
	STR("path", IS(REQUIRED)),
	STR("volumeName", IS(REQUIRED)));

TYPE(grpc_action, "GRPCAction",
	INT32("port", IS(REQUIRED)),
	STR("service", IS(POINTER), OR("\"\"")));

TYPE(http_get_action, "HTTPGetAction",
	STR("host"),
	LIST("httpHeaders", http_header),
	STR("path", OR("\"/\"")),
	INT_OR_STR("port", IS(REQUIRED)),
	STR("scheme", OR("\"HTTP\"")));

TYPE(http_header, "HTTPHeader",
	STR("name", IS(REQUIRED)),
	STR("value", IS(REQUIRED)));

TYPE(host_alias, "HostAlias",
	STR_LIST("hostnames"),
	STR("ip", IS(REQUIRED)));

TYPE(host_ip, "HostIP",
	STR("ip", IS(REQUIRED)));

TYPE(lifecycle, "Lifecycle",
	OBJ("postStart", lifecycle_handler, IS(POINTER)),
	OBJ("preStop", lifecycle_handler, IS(POINTER)),
	STR("stopSignal", IS(POINTER)));

TYPE(lifecycle_handler, "LifecycleHandler",
	OBJ("exec", exec_action, IS(POINTER)),
	OBJ("httpGet", http_get_action, IS(POINTER)),
	OBJ("sleep", sleep_action, IS(POINTER)),
	OBJ("tcpSocket", tcp_socket_action, IS(POINTER)));

TYPE(linux_container_user, "LinuxContainerUser",
	INT64("gid", IS(REQUIRED)),
	INT64_LIST("supplementalGroups"),
	INT64("uid", IS(REQUIRED)));

TYPE(node_affinity, "NodeAffinity",
	LIST("preferredDuringSchedulingIgnoredDuringExecution", preferred_scheduling_term),
	OBJ("requiredDuringSchedulingIgnoredDuringExecution", node_selector, IS(POINTER)));

ATOMIC_TYPE(node_selector, "NodeSelector",
	LIST("nodeSelectorTerms", node_selector_term, IS(REQUIRED)));

TYPE(node_selector_requirement, "NodeSelectorRequirement",
	STR("key", IS(REQUIRED)),
	STR("operator", IS(REQUIRED)),
	STR_LIST("values"));

ATOMIC_TYPE(node_selector_term, "NodeSelectorTerm",
	LIST("matchExpressions", node_selector_requirement),
	LIST("matchFields", node_selector_requirement));

TYPE(pod, "Pod",
	STR("apiVersion"),
	STR("kind"),
	OBJ("metadata", object_meta),
	OBJ("spec", pod_spec),
	OBJ("status", pod_status));

TYPE(pod_affinity, "PodAffinity",
	LIST("preferredDuringSchedulingIgnoredDuringExecution", weighted_pod_affinity_term),
	LIST("requiredDuringSchedulingIgnoredDuringExecution", pod_affinity_term));

TYPE(pod_affinity_term, "PodAffinityTerm",
	OBJ("labelSelector", label_selector, IS(POINTER)),
	STR_LIST("matchLabelKeys"),
	STR_LIST("mismatchLabelKeys"),
	OBJ("namespaceSelector", label_selector, IS(POINTER)),
	STR_LIST("namespaces"),
	STR("topologyKey", IS(REQUIRED)));

TYPE(pod_anti_affinity, "PodAntiAffinity",
	LIST("preferredDuringSchedulingIgnoredDuringExecution", weighted_pod_affinity_term),
	LIST("requiredDuringSchedulingIgnoredDuringExecution", pod_affinity_term));

TYPE(pod_condition, "PodCondition",
	TIME("lastProbeTime"),
	TIME("lastTransitionTime"),
	STR("message"),
	INT64("observedGeneration"),
	STR("reason"),
	STR("status", IS(REQUIRED)),
	STR("type", IS(REQUIRED)));

TYPE(pod_dns_config, "PodDNSConfig",
	STR_LIST("nameservers"),
	LIST("options", pod_dns_config_option),
	STR_LIST("searches"));

TYPE(pod_dns_config_option, "PodDNSConfigOption",
	STR("name"),
	STR("value", IS(POINTER)));

TYPE(pod_extended_resource_claim_status, "PodExtendedResourceClaimStatus",
	LIST("requestMappings", container_extended_resource_request, IS(REQUIRED)),
	STR("resourceClaimName", IS(REQUIRED)));

TYPE(pod_ip, "PodIP",
	STR("ip", IS(REQUIRED)));

TYPE(pod_os, "PodOS",
	STR("name", IS(REQUIRED)));

TYPE(pod_readiness_gate, "PodReadinessGate",
	STR("conditionType", IS(REQUIRED)));

TYPE(pod_resource_claim, "PodResourceClaim",
	STR("name", IS(REQUIRED)),
	STR("resourceClaimName", IS(POINTER)),
	STR("resourceClaimTemplateName", IS(POINTER)));

TYPE(pod_resource_claim_status, "PodResourceClaimStatus",
	STR("name", IS(REQUIRED)),
	STR("resourceClaimName", IS(POINTER)));

TYPE(pod_scheduling_gate, "PodSchedulingGate",
	STR("name", IS(REQUIRED)));

TYPE(pod_security_context, "PodSecurityContext",
	OBJ("appArmorProfile", app_armor_profile, IS(POINTER)),
	INT64("fsGroup", IS(POINTER)),
	STR("fsGroupChangePolicy", IS(POINTER)),
	INT64("runAsGroup", IS(POINTER)),
	BOOL("runAsNonRoot", IS(POINTER)),
	INT64("runAsUser", IS(POINTER)),
	STR("seLinuxChangePolicy", IS(POINTER)),
	OBJ("seLinuxOptions", se_linux_options, IS(POINTER)),
	OBJ("seccompProfile", seccomp_profile, IS(POINTER)),
	INT64_LIST("supplementalGroups"),
	STR("supplementalGroupsPolicy", IS(POINTER)),
	LIST("sysctls", sysctl),
	OBJ("windowsOptions", windows_security_context_options, IS(POINTER)));

TYPE(pod_spec, "PodSpec",
	INT64("activeDeadlineSeconds", IS(POINTER)),
	OBJ("affinity", affinity, IS(POINTER)),
	BOOL("automountServiceAccountToken", IS(POINTER)),
	LIST("containers", container, IS(REQUIRED | MERGE | LIST_MAP), KEYS("name", "name")),
	OBJ("dnsConfig", pod_dns_config, IS(POINTER)),
	STR("dnsPolicy", OR("\"ClusterFirst\"")),
	BOOL("enableServiceLinks", IS(POINTER)),
	LIST("ephemeralContainers", ephemeral_container, IS(MERGE | LIST_MAP), KEYS("name", "name")),
	LIST("hostAliases", host_alias, IS(MERGE | LIST_MAP), KEYS("ip", "ip")),
	BOOL("hostIPC"),
	BOOL("hostNetwork"),
	BOOL("hostPID"),
	BOOL("hostUsers", IS(POINTER)),
	STR("hostname"),
	STR("hostnameOverride", IS(POINTER)),
	LIST("imagePullSecrets", local_object_reference, IS(MERGE | LIST_MAP), KEYS("name", "name")),
	LIST("initContainers", container, IS(MERGE | LIST_MAP), KEYS("name", "name")),
	STR("nodeName"),
	STR_MAP("nodeSelector", IS(ATOMIC)),
	OBJ("os", pod_os, IS(POINTER)),
	QUANTITY_MAP("overhead"),
	STR("preemptionPolicy", IS(POINTER)),
	INT32("priority", IS(POINTER)),
	STR("priorityClassName"),
	LIST("readinessGates", pod_readiness_gate),
	LIST("resourceClaims", pod_resource_claim, IS(MERGE | RETAIN_KEYS | LIST_MAP), KEYS("name", "name")),
	OBJ("resources", resource_requirements, IS(POINTER)),
	STR("restartPolicy", OR("\"Always\"")),
	STR("runtimeClassName", IS(POINTER)),
	STR("schedulerName", OR("\"default-scheduler\"")),
	LIST("schedulingGates", pod_scheduling_gate, IS(MERGE | LIST_MAP), KEYS("name", "name")),
	OBJ("securityContext", pod_security_context, IS(POINTER), OR("{}")),
	STR("serviceAccount"),
	STR("serviceAccountName"),
	BOOL("setHostnameAsFQDN", IS(POINTER)),
	BOOL("shareProcessNamespace", IS(POINTER)),
	STR("subdomain"),
	INT64("terminationGracePeriodSeconds", IS(POINTER), OR("30")),
	LIST("tolerations", toleration),
	LIST("topologySpreadConstraints", topology_spread_constraint, IS(MERGE | LIST_MAP), KEYS("topologyKey", "topologyKey,whenUnsatisfiable")),
	LIST("volumes", volume, IS(MERGE | RETAIN_KEYS | LIST_MAP), KEYS("name", "name")));

TYPE(pod_status, "PodStatus",
	LIST("conditions", pod_condition, IS(MERGE | LIST_MAP), KEYS("type", "type")),
	LIST("containerStatuses", container_status),
	LIST("ephemeralContainerStatuses", container_status),
	OBJ("extendedResourceClaimStatus", pod_extended_resource_claim_status, IS(POINTER)),
	STR("hostIP"),
	LIST("hostIPs", host_ip, IS(MERGE), KEYS("ip", NULL)),
	LIST("initContainerStatuses", container_status),
	STR("message"),
	STR("nominatedNodeName"),
	INT64("observedGeneration"),
	STR("phase"),
	STR("podIP"),
	LIST("podIPs", pod_ip, IS(MERGE | LIST_MAP), KEYS("ip", "ip")),
	STR("qosClass"),
	STR("reason"),
	STR("resize"),
	LIST("resourceClaimStatuses", pod_resource_claim_status, IS(MERGE | RETAIN_KEYS | LIST_MAP), KEYS("name", "name")),
	TIME("startTime", IS(POINTER)));

TYPE(pod_template_spec, "PodTemplateSpec",
	OBJ("metadata", object_meta),
	OBJ("spec", pod_spec));

TYPE(preferred_scheduling_term, "PreferredSchedulingTerm",
	OBJ("preference", node_selector_term, IS(REQUIRED)),
	INT32("weight", IS(REQUIRED)));

TYPE(probe, "Probe",
	OBJ("exec", exec_action, IS(POINTER)),
	INT32("failureThreshold", OR("3")),
	OBJ("grpc", grpc_action, IS(POINTER)),
	OBJ("httpGet", http_get_action, IS(POINTER)),
	INT32("initialDelaySeconds"),
	INT32("periodSeconds", OR("10")),
	INT32("successThreshold", OR("1")),
	OBJ("tcpSocket", tcp_socket_action, IS(POINTER)),
	INT64("terminationGracePeriodSeconds", IS(POINTER)),
	INT32("timeoutSeconds", OR("1")));

TYPE(resource_claim, "ResourceClaim",
	STR("name", IS(REQUIRED)),
	STR("request"));

TYPE(resource_health, "ResourceHealth",
	STR("health"),
	STR("resourceID", IS(REQUIRED)));

TYPE(resource_requirements, "ResourceRequirements",
	LIST("claims", resource_claim, IS(LIST_MAP), KEYS(NULL, "name")),
	QUANTITY_MAP("limits"),
	QUANTITY_MAP("requests"));

TYPE(resource_status, "ResourceStatus",
	STR("name", IS(REQUIRED)),
	LIST("resources", resource_health, IS(LIST_MAP), KEYS(NULL, "resourceID")));

TYPE(se_linux_options, "SELinuxOptions",
	STR("level"),
	STR("role"),
	STR("type"),
	STR("user"));

TYPE(seccomp_profile, "SeccompProfile",
	STR("localhostProfile", IS(POINTER)),
	STR("type", IS(REQUIRED)));

TYPE(secret_env_source, "SecretEnvSource",
	STR("name"),
	BOOL("optional", IS(POINTER)));

ATOMIC_TYPE(secret_key_selector, "SecretKeySelector",
	STR("key", IS(REQUIRED)),
	STR("name"),
	BOOL("optional", IS(POINTER)));

TYPE(security_context, "SecurityContext",
	BOOL("allowPrivilegeEscalation", IS(POINTER)),
	OBJ("appArmorProfile", app_armor_profile, IS(POINTER)),
	OBJ("capabilities", capabilities, IS(POINTER)),
	BOOL("privileged", IS(POINTER)),
	STR("procMount", IS(POINTER)),
	BOOL("readOnlyRootFilesystem", IS(POINTER)),
	INT64("runAsGroup", IS(POINTER)),
	BOOL("runAsNonRoot", IS(POINTER)),
	INT64("runAsUser", IS(POINTER)),
	OBJ("seLinuxOptions", se_linux_options, IS(POINTER)),
	OBJ("seccompProfile", seccomp_profile, IS(POINTER)),
	OBJ("windowsOptions", windows_security_context_options, IS(POINTER)));

TYPE(sleep_action, "SleepAction",
	INT64("seconds", IS(REQUIRED)));

TYPE(sysctl, "Sysctl",
	STR("name", IS(REQUIRED)),
	STR("value", IS(REQUIRED)));

TYPE(tcp_socket_action, "TCPSocketAction",
	STR("host"),
	INT_OR_STR("port", IS(REQUIRED)));

TYPE(toleration, "Toleration",
	STR("effect"),
	STR("key"),
	STR("operator"),
	INT64("tolerationSeconds", IS(POINTER)),
	STR("value"));

TYPE(topology_spread_constraint, "TopologySpreadConstraint",
	OBJ("labelSelector", label_selector, IS(POINTER)),
	STR_LIST("matchLabelKeys"),
	INT32("maxSkew", IS(REQUIRED)),
	INT32("minDomains", IS(POINTER)),
	STR("nodeAffinityPolicy", IS(POINTER)),
	STR("nodeTaintsPolicy", IS(POINTER)),
	STR("topologyKey", IS(REQUIRED)),
	STR("whenUnsatisfiable", IS(REQUIRED)));

TYPE(volume_mount_status, "VolumeMountStatus",
	STR("mountPath", IS(REQUIRED)),
	STR("name", IS(REQUIRED)),
	BOOL("readOnly"),
	STR("recursiveReadOnly", IS(POINTER)));

TYPE(weighted_pod_affinity_term, "WeightedPodAffinityTerm",
	OBJ("podAffinityTerm", pod_affinity_term, IS(REQUIRED)),
	INT32("weight", IS(REQUIRED)));

TYPE(windows_security_context_options, "WindowsSecurityContextOptions",
	STR("gmsaCredentialSpec", IS(POINTER)),
	STR("gmsaCredentialSpecName", IS(POINTER)),
	BOOL("hostProcess", IS(POINTER)),
	STR("runAsUserName", IS(POINTER)));
