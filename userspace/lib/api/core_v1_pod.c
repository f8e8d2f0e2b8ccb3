/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* core/v1: Pod and what it is made of, but volumes. */
#include "rows.h"

#define PACKAGE "io.k8s.api.core.v1"

TYPE(affinity, "Affinity",
	OBJ("nodeAffinity", 1, node_affinity, IS(POINTER)),
	OBJ("podAffinity", 2, pod_affinity, IS(POINTER)),
	OBJ("podAntiAffinity", 3, pod_anti_affinity, IS(POINTER)));

TYPE(app_armor_profile, "AppArmorProfile",
	STR("localhostProfile", 2, IS(POINTER)),
	STR("type", 1, IS(REQUIRED)));

TYPE(capabilities, "Capabilities",
	STR_LIST("add", 1),
	STR_LIST("drop", 2));

TYPE(config_map_env_source, "ConfigMapEnvSource",
	STR("name", 1, IN(1)),
	BOOL("optional", 2, IS(POINTER)));

ATOMIC_TYPE(config_map_key_selector, "ConfigMapKeySelector",
	STR("key", 2, IS(REQUIRED)),
	STR("name", 1, IN(1)),
	BOOL("optional", 3, IS(POINTER)));

TYPE(container, "Container",
	STR_LIST("args", 4),
	STR_LIST("command", 3),
	LIST("env", 7, env_var, IS(MERGE | LIST_MAP), KEYS("name", "name")),
	LIST("envFrom", 19, env_from_source),
	STR("image", 2),
	STR("imagePullPolicy", 14),
	OBJ("lifecycle", 12, lifecycle, IS(POINTER)),
	OBJ("livenessProbe", 10, probe, IS(POINTER)),
	STR("name", 1, IS(REQUIRED)),
	LIST("ports", 6, container_port, IS(MERGE | LIST_MAP), KEYS("containerPort", "containerPort,protocol")),
	OBJ("readinessProbe", 11, probe, IS(POINTER)),
	LIST("resizePolicy", 23, container_resize_policy),
	OBJ("resources", 8, resource_requirements),
	STR("restartPolicy", 24, IS(POINTER)),
	LIST("restartPolicyRules", 25, container_restart_rule),
	OBJ("securityContext", 15, security_context, IS(POINTER)),
	OBJ("startupProbe", 22, probe, IS(POINTER)),
	BOOL("stdin", 16),
	BOOL("stdinOnce", 17),
	STR("terminationMessagePath", 13, OR("\"/dev/termination-log\"")),
	STR("terminationMessagePolicy", 20, OR("\"File\"")),
	BOOL("tty", 18),
	LIST("volumeDevices", 21, volume_device, IS(MERGE | LIST_MAP), KEYS("devicePath", "devicePath")),
	LIST("volumeMounts", 9, volume_mount, IS(MERGE | LIST_MAP), KEYS("mountPath", "mountPath")),
	STR("workingDir", 5));

TYPE(container_extended_resource_request, "ContainerExtendedResourceRequest",
	STR("containerName", 1, IS(REQUIRED)),
	STR("requestName", 3, IS(REQUIRED)),
	STR("resourceName", 2, IS(REQUIRED)));

TYPE(container_port, "ContainerPort",
	INT32("containerPort", 3, IS(REQUIRED)),
	STR("hostIP", 5),
	INT32("hostPort", 2),
	STR("name", 1),
	STR("protocol", 4, OR("\"TCP\"")));

TYPE(container_resize_policy, "ContainerResizePolicy",
	STR("resourceName", 1, IS(REQUIRED)),
	STR("restartPolicy", 2, IS(REQUIRED)));

TYPE(container_restart_rule, "ContainerRestartRule",
	STR("action", 1, IS(REQUIRED)),
	OBJ("exitCodes", 2, container_restart_rule_on_exit_codes, IS(POINTER)));

TYPE(container_restart_rule_on_exit_codes, "ContainerRestartRuleOnExitCodes",
	STR("operator", 1, IS(REQUIRED)),
	INT32_LIST("values", 2, IS(LIST_SET)));

TYPE(container_state, "ContainerState",
	OBJ("running", 2, container_state_running, IS(POINTER)),
	OBJ("terminated", 3, container_state_terminated, IS(POINTER)),
	OBJ("waiting", 1, container_state_waiting, IS(POINTER)));

TYPE(container_state_running, "ContainerStateRunning",
	TIME("startedAt", 1));

TYPE(container_state_terminated, "ContainerStateTerminated",
	STR("containerID", 7),
	INT32("exitCode", 1, IS(REQUIRED)),
	TIME("finishedAt", 6),
	STR("message", 4),
	STR("reason", 3),
	INT32("signal", 2),
	TIME("startedAt", 5));

TYPE(container_state_waiting, "ContainerStateWaiting",
	STR("message", 2),
	STR("reason", 1));

TYPE(container_status, "ContainerStatus",
	QUANTITY_MAP("allocatedResources", 10),
	LIST("allocatedResourcesStatus", 14, resource_status, IS(MERGE | LIST_MAP), KEYS("name", "name")),
	STR("containerID", 8),
	STR("image", 6, IS(REQUIRED)),
	STR("imageID", 7, IS(REQUIRED)),
	OBJ("lastState", 3, container_state),
	STR("name", 1, IS(REQUIRED)),
	BOOL("ready", 4, IS(REQUIRED)),
	OBJ("resources", 11, resource_requirements, IS(POINTER)),
	INT32("restartCount", 5, IS(REQUIRED)),
	BOOL("started", 9, IS(POINTER)),
	OBJ("state", 2, container_state),
	STR("stopSignal", 15, IS(POINTER)),
	OBJ("user", 13, container_user, IS(POINTER)),
	LIST("volumeMounts", 12, volume_mount_status, IS(MERGE | LIST_MAP), KEYS("mountPath", "mountPath")));

TYPE(container_user, "ContainerUser",
	OBJ("linux", 1, linux_container_user, IS(POINTER)));

TYPE(env_from_source, "EnvFromSource",
	OBJ("configMapRef", 2, config_map_env_source, IS(POINTER)),
	STR("prefix", 1),
	OBJ("secretRef", 3, secret_env_source, IS(POINTER)));

TYPE(env_var, "EnvVar",
	STR("name", 1, IS(REQUIRED)),
	STR("value", 2),
	OBJ("valueFrom", 3, env_var_source, IS(POINTER)));

TYPE(env_var_source, "EnvVarSource",
	OBJ("configMapKeyRef", 3, config_map_key_selector, IS(POINTER)),
	OBJ("fieldRef", 1, object_field_selector, IS(POINTER)),
	OBJ("fileKeyRef", 5, file_key_selector, IS(POINTER)),
	OBJ("resourceFieldRef", 2, resource_field_selector, IS(POINTER)),
	OBJ("secretKeyRef", 4, secret_key_selector, IS(POINTER)));

TYPE(ephemeral_container, "EphemeralContainer",
	STR_LIST("args", 4, IN(1)),
	STR_LIST("command", 3, IN(1)),
	LIST("env", 7, env_var, IN(1), IS(MERGE | LIST_MAP), KEYS("name", "name")),
	LIST("envFrom", 19, env_from_source, IN(1)),
	STR("image", 2, IN(1)),
	STR("imagePullPolicy", 14, IN(1)),
	OBJ("lifecycle", 12, lifecycle, IN(1), IS(POINTER)),
	OBJ("livenessProbe", 10, probe, IN(1), IS(POINTER)),
	STR("name", 1, IN(1), IS(REQUIRED)),
	LIST("ports", 6, container_port, IN(1), IS(MERGE | LIST_MAP), KEYS("containerPort", "containerPort,protocol")),
	OBJ("readinessProbe", 11, probe, IN(1), IS(POINTER)),
	LIST("resizePolicy", 23, container_resize_policy, IN(1)),
	OBJ("resources", 8, resource_requirements, IN(1)),
	STR("restartPolicy", 24, IN(1), IS(POINTER)),
	LIST("restartPolicyRules", 25, container_restart_rule, IN(1)),
	OBJ("securityContext", 15, security_context, IN(1), IS(POINTER)),
	OBJ("startupProbe", 22, probe, IN(1), IS(POINTER)),
	BOOL("stdin", 16, IN(1)),
	BOOL("stdinOnce", 17, IN(1)),
	STR("targetContainerName", 2),
	STR("terminationMessagePath", 13, IN(1), OR("\"/dev/termination-log\"")),
	STR("terminationMessagePolicy", 20, IN(1), OR("\"File\"")),
	BOOL("tty", 18, IN(1)),
	LIST("volumeDevices", 21, volume_device, IN(1), IS(MERGE | LIST_MAP), KEYS("devicePath", "devicePath")),
	LIST("volumeMounts", 9, volume_mount, IN(1), IS(MERGE | LIST_MAP), KEYS("mountPath", "mountPath")),
	STR("workingDir", 5, IN(1)));

TYPE(exec_action, "ExecAction",
	STR_LIST("command", 1));

ATOMIC_TYPE(file_key_selector, "FileKeySelector",
	STR("key", 3, IS(REQUIRED)),
	BOOL("optional", 4, IS(POINTER), OR("false")),
	STR("path", 2, IS(REQUIRED)),
	STR("volumeName", 1, IS(REQUIRED)));

TYPE(grpc_action, "GRPCAction",
	INT32("port", 1, IS(REQUIRED)),
	STR("service", 2, IS(POINTER), OR("\"\"")));

TYPE(http_get_action, "HTTPGetAction",
	STR("host", 3),
	LIST("httpHeaders", 5, http_header),
	STR("path", 1, OR("\"/\"")),
	INT_OR_STR("port", 2, IS(REQUIRED)),
	STR("scheme", 4, OR("\"HTTP\"")));

TYPE(http_header, "HTTPHeader",
	STR("name", 1, IS(REQUIRED)),
	STR("value", 2, IS(REQUIRED)));

TYPE(host_alias, "HostAlias",
	STR_LIST("hostnames", 2),
	STR("ip", 1, IS(REQUIRED)));

TYPE(host_ip, "HostIP",
	STR("ip", 1, IS(REQUIRED)));

TYPE(lifecycle, "Lifecycle",
	OBJ("postStart", 1, lifecycle_handler, IS(POINTER)),
	OBJ("preStop", 2, lifecycle_handler, IS(POINTER)),
	STR("stopSignal", 3, IS(POINTER)));

TYPE(lifecycle_handler, "LifecycleHandler",
	OBJ("exec", 1, exec_action, IS(POINTER)),
	OBJ("httpGet", 2, http_get_action, IS(POINTER)),
	OBJ("sleep", 4, sleep_action, IS(POINTER)),
	OBJ("tcpSocket", 3, tcp_socket_action, IS(POINTER)));

TYPE(linux_container_user, "LinuxContainerUser",
	INT64("gid", 2, IS(REQUIRED)),
	INT64_LIST("supplementalGroups", 3),
	INT64("uid", 1, IS(REQUIRED)));

TYPE(node_affinity, "NodeAffinity",
	LIST("preferredDuringSchedulingIgnoredDuringExecution", 2, preferred_scheduling_term),
	OBJ("requiredDuringSchedulingIgnoredDuringExecution", 1, node_selector, IS(POINTER)));

ATOMIC_TYPE(node_selector, "NodeSelector",
	LIST("nodeSelectorTerms", 1, node_selector_term, IS(REQUIRED)));

TYPE(node_selector_requirement, "NodeSelectorRequirement",
	STR("key", 1, IS(REQUIRED)),
	STR("operator", 2, IS(REQUIRED)),
	STR_LIST("values", 3));

ATOMIC_TYPE(node_selector_term, "NodeSelectorTerm",
	LIST("matchExpressions", 1, node_selector_requirement),
	LIST("matchFields", 2, node_selector_requirement));

TYPE(pod, "Pod",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, pod_spec),
	OBJ("status", 3, pod_status));

TYPE(pod_affinity, "PodAffinity",
	LIST("preferredDuringSchedulingIgnoredDuringExecution", 2, weighted_pod_affinity_term),
	LIST("requiredDuringSchedulingIgnoredDuringExecution", 1, pod_affinity_term));

TYPE(pod_affinity_term, "PodAffinityTerm",
	OBJ("labelSelector", 1, label_selector, IS(POINTER)),
	STR_LIST("matchLabelKeys", 5),
	STR_LIST("mismatchLabelKeys", 6),
	OBJ("namespaceSelector", 4, label_selector, IS(POINTER)),
	STR_LIST("namespaces", 2),
	STR("topologyKey", 3, IS(REQUIRED)));

TYPE(pod_anti_affinity, "PodAntiAffinity",
	LIST("preferredDuringSchedulingIgnoredDuringExecution", 2, weighted_pod_affinity_term),
	LIST("requiredDuringSchedulingIgnoredDuringExecution", 1, pod_affinity_term));

TYPE(pod_condition, "PodCondition",
	TIME("lastProbeTime", 3),
	TIME("lastTransitionTime", 4),
	STR("message", 6),
	INT64("observedGeneration", 7),
	STR("reason", 5),
	STR("status", 2, IS(REQUIRED)),
	STR("type", 1, IS(REQUIRED)));

TYPE(pod_dns_config, "PodDNSConfig",
	STR_LIST("nameservers", 1),
	LIST("options", 3, pod_dns_config_option),
	STR_LIST("searches", 2));

TYPE(pod_dns_config_option, "PodDNSConfigOption",
	STR("name", 1),
	STR("value", 2, IS(POINTER)));

TYPE(pod_extended_resource_claim_status, "PodExtendedResourceClaimStatus",
	LIST("requestMappings", 1, container_extended_resource_request, IS(REQUIRED)),
	STR("resourceClaimName", 2, IS(REQUIRED)));

TYPE(pod_ip, "PodIP",
	STR("ip", 1, IS(REQUIRED)));

TYPE(pod_os, "PodOS",
	STR("name", 1, IS(REQUIRED)));

TYPE(pod_readiness_gate, "PodReadinessGate",
	STR("conditionType", 1, IS(REQUIRED)));

TYPE(pod_resource_claim, "PodResourceClaim",
	STR("name", 1, IS(REQUIRED)),
	STR("resourceClaimName", 3, IS(POINTER)),
	STR("resourceClaimTemplateName", 4, IS(POINTER)));

TYPE(pod_resource_claim_status, "PodResourceClaimStatus",
	STR("name", 1, IS(REQUIRED)),
	STR("resourceClaimName", 2, IS(POINTER)));

TYPE(pod_scheduling_gate, "PodSchedulingGate",
	STR("name", 1, IS(REQUIRED)));

TYPE(pod_security_context, "PodSecurityContext",
	OBJ("appArmorProfile", 11, app_armor_profile, IS(POINTER)),
	INT64("fsGroup", 5, IS(POINTER)),
	STR("fsGroupChangePolicy", 9, IS(POINTER)),
	INT64("runAsGroup", 6, IS(POINTER)),
	BOOL("runAsNonRoot", 3, IS(POINTER)),
	INT64("runAsUser", 2, IS(POINTER)),
	STR("seLinuxChangePolicy", 13, IS(POINTER)),
	OBJ("seLinuxOptions", 1, se_linux_options, IS(POINTER)),
	OBJ("seccompProfile", 10, seccomp_profile, IS(POINTER)),
	INT64_LIST("supplementalGroups", 4),
	STR("supplementalGroupsPolicy", 12, IS(POINTER)),
	LIST("sysctls", 7, sysctl),
	OBJ("windowsOptions", 8, windows_security_context_options, IS(POINTER)));

TYPE(pod_spec, "PodSpec",
	INT64("activeDeadlineSeconds", 5, IS(POINTER)),
	OBJ("affinity", 18, affinity, IS(POINTER)),
	BOOL("automountServiceAccountToken", 21, IS(POINTER)),
	LIST("containers", 2, container, IS(REQUIRED | MERGE | LIST_MAP), KEYS("name", "name")),
	OBJ("dnsConfig", 26, pod_dns_config, IS(POINTER)),
	STR("dnsPolicy", 6, OR("\"ClusterFirst\"")),
	BOOL("enableServiceLinks", 30, IS(POINTER)),
	LIST("ephemeralContainers", 34, ephemeral_container, IS(MERGE | LIST_MAP), KEYS("name", "name")),
	LIST("hostAliases", 23, host_alias, IS(MERGE | LIST_MAP), KEYS("ip", "ip")),
	BOOL("hostIPC", 13),
	BOOL("hostNetwork", 11),
	BOOL("hostPID", 12),
	BOOL("hostUsers", 37, IS(POINTER)),
	STR("hostname", 16),
	STR("hostnameOverride", 41, IS(POINTER)),
	LIST("imagePullSecrets", 15, local_object_reference, IS(MERGE | LIST_MAP), KEYS("name", "name")),
	LIST("initContainers", 20, container, IS(MERGE | LIST_MAP), KEYS("name", "name")),
	STR("nodeName", 10),
	STR_MAP("nodeSelector", 7, IS(ATOMIC)),
	OBJ("os", 36, pod_os, IS(POINTER)),
	QUANTITY_MAP("overhead", 32),
	STR("preemptionPolicy", 31, IS(POINTER)),
	INT32("priority", 25, IS(POINTER)),
	STR("priorityClassName", 24),
	LIST("readinessGates", 28, pod_readiness_gate),
	LIST("resourceClaims", 39, pod_resource_claim, IS(MERGE | RETAIN_KEYS | LIST_MAP), KEYS("name", "name")),
	OBJ("resources", 40, resource_requirements, IS(POINTER)),
	STR("restartPolicy", 3, OR("\"Always\"")),
	STR("runtimeClassName", 29, IS(POINTER)),
	STR("schedulerName", 19, OR("\"default-scheduler\"")),
	LIST("schedulingGates", 38, pod_scheduling_gate, IS(MERGE | LIST_MAP), KEYS("name", "name")),
	OBJ("securityContext", 14, pod_security_context, IS(POINTER), OR("{}")),
	STR("serviceAccount", 9),
	STR("serviceAccountName", 8),
	BOOL("setHostnameAsFQDN", 35, IS(POINTER)),
	BOOL("shareProcessNamespace", 27, IS(POINTER)),
	STR("subdomain", 17),
	INT64("terminationGracePeriodSeconds", 4, IS(POINTER), OR("30")),
	LIST("tolerations", 22, toleration),
	LIST("topologySpreadConstraints", 33, topology_spread_constraint, IS(MERGE | LIST_MAP), KEYS("topologyKey", "topologyKey,whenUnsatisfiable")),
	LIST("volumes", 1, volume, IS(MERGE | RETAIN_KEYS | LIST_MAP), KEYS("name", "name")));

TYPE(pod_status, "PodStatus",
	LIST("conditions", 2, pod_condition, IS(MERGE | LIST_MAP), KEYS("type", "type")),
	LIST("containerStatuses", 8, container_status),
	LIST("ephemeralContainerStatuses", 13, container_status),
	OBJ("extendedResourceClaimStatus", 18, pod_extended_resource_claim_status, IS(POINTER)),
	STR("hostIP", 5),
	LIST("hostIPs", 16, host_ip, IS(MERGE), KEYS("ip", NULL)),
	LIST("initContainerStatuses", 10, container_status),
	STR("message", 3),
	STR("nominatedNodeName", 11),
	INT64("observedGeneration", 17),
	STR("phase", 1),
	STR("podIP", 6),
	LIST("podIPs", 12, pod_ip, IS(MERGE | LIST_MAP), KEYS("ip", "ip")),
	STR("qosClass", 9),
	STR("reason", 4),
	STR("resize", 14),
	LIST("resourceClaimStatuses", 15, pod_resource_claim_status, IS(MERGE | RETAIN_KEYS | LIST_MAP), KEYS("name", "name")),
	TIME("startTime", 7, IS(POINTER)));

TYPE(pod_template_spec, "PodTemplateSpec",
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, pod_spec));

TYPE(preferred_scheduling_term, "PreferredSchedulingTerm",
	OBJ("preference", 2, node_selector_term, IS(REQUIRED)),
	INT32("weight", 1, IS(REQUIRED)));

TYPE(probe, "Probe",
	OBJ("exec", 1, exec_action, IN(1), IS(POINTER)),
	INT32("failureThreshold", 6, OR("3")),
	OBJ("grpc", 4, grpc_action, IN(1), IS(POINTER)),
	OBJ("httpGet", 2, http_get_action, IN(1), IS(POINTER)),
	INT32("initialDelaySeconds", 2),
	INT32("periodSeconds", 4, OR("10")),
	INT32("successThreshold", 5, OR("1")),
	OBJ("tcpSocket", 3, tcp_socket_action, IN(1), IS(POINTER)),
	INT64("terminationGracePeriodSeconds", 7, IS(POINTER)),
	INT32("timeoutSeconds", 3, OR("1")));

TYPE(resource_claim, "ResourceClaim",
	STR("name", 1, IS(REQUIRED)),
	STR("request", 2));

TYPE(resource_health, "ResourceHealth",
	STR("health", 2),
	STR("resourceID", 1, IS(REQUIRED)));

TYPE(resource_requirements, "ResourceRequirements",
	LIST("claims", 3, resource_claim, IS(LIST_MAP), KEYS(NULL, "name")),
	QUANTITY_MAP("limits", 1),
	QUANTITY_MAP("requests", 2));

TYPE(resource_status, "ResourceStatus",
	STR("name", 1, IS(REQUIRED)),
	LIST("resources", 2, resource_health, IS(LIST_MAP), KEYS(NULL, "resourceID")));

TYPE(se_linux_options, "SELinuxOptions",
	STR("level", 4),
	STR("role", 2),
	STR("type", 3),
	STR("user", 1));

TYPE(seccomp_profile, "SeccompProfile",
	STR("localhostProfile", 2, IS(POINTER)),
	STR("type", 1, IS(REQUIRED)));

TYPE(secret_env_source, "SecretEnvSource",
	STR("name", 1, IN(1)),
	BOOL("optional", 2, IS(POINTER)));

ATOMIC_TYPE(secret_key_selector, "SecretKeySelector",
	STR("key", 2, IS(REQUIRED)),
	STR("name", 1, IN(1)),
	BOOL("optional", 3, IS(POINTER)));

TYPE(security_context, "SecurityContext",
	BOOL("allowPrivilegeEscalation", 7, IS(POINTER)),
	OBJ("appArmorProfile", 12, app_armor_profile, IS(POINTER)),
	OBJ("capabilities", 1, capabilities, IS(POINTER)),
	BOOL("privileged", 2, IS(POINTER)),
	STR("procMount", 9, IS(POINTER)),
	BOOL("readOnlyRootFilesystem", 6, IS(POINTER)),
	INT64("runAsGroup", 8, IS(POINTER)),
	BOOL("runAsNonRoot", 5, IS(POINTER)),
	INT64("runAsUser", 4, IS(POINTER)),
	OBJ("seLinuxOptions", 3, se_linux_options, IS(POINTER)),
	OBJ("seccompProfile", 11, seccomp_profile, IS(POINTER)),
	OBJ("windowsOptions", 10, windows_security_context_options, IS(POINTER)));

TYPE(sleep_action, "SleepAction",
	INT64("seconds", 1, IS(REQUIRED)));

TYPE(sysctl, "Sysctl",
	STR("name", 1, IS(REQUIRED)),
	STR("value", 2, IS(REQUIRED)));

TYPE(tcp_socket_action, "TCPSocketAction",
	STR("host", 2),
	INT_OR_STR("port", 1, IS(REQUIRED)));

TYPE(toleration, "Toleration",
	STR("effect", 4),
	STR("key", 1),
	STR("operator", 2),
	INT64("tolerationSeconds", 5, IS(POINTER)),
	STR("value", 3));

TYPE(topology_spread_constraint, "TopologySpreadConstraint",
	OBJ("labelSelector", 4, label_selector, IS(POINTER)),
	STR_LIST("matchLabelKeys", 8),
	INT32("maxSkew", 1, IS(REQUIRED)),
	INT32("minDomains", 5, IS(POINTER)),
	STR("nodeAffinityPolicy", 6, IS(POINTER)),
	STR("nodeTaintsPolicy", 7, IS(POINTER)),
	STR("topologyKey", 2, IS(REQUIRED)),
	STR("whenUnsatisfiable", 3, IS(REQUIRED)));

TYPE(volume_mount_status, "VolumeMountStatus",
	STR("mountPath", 2, IS(REQUIRED)),
	STR("name", 1, IS(REQUIRED)),
	BOOL("readOnly", 3),
	STR("recursiveReadOnly", 4, IS(POINTER)));

TYPE(weighted_pod_affinity_term, "WeightedPodAffinityTerm",
	OBJ("podAffinityTerm", 2, pod_affinity_term, IS(REQUIRED)),
	INT32("weight", 1, IS(REQUIRED)));

TYPE(windows_security_context_options, "WindowsSecurityContextOptions",
	STR("gmsaCredentialSpec", 2, IS(POINTER)),
	STR("gmsaCredentialSpecName", 1, IS(POINTER)),
	BOOL("hostProcess", 4, IS(POINTER)),
	STR("runAsUserName", 3, IS(POINTER)));
