/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <pthread.h>
#include "types.h"

#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define LABEL(name_, ...) { .name = name_, __VA_ARGS__ }
#define LABELS(...) ((const struct xb_field_label[]){ __VA_ARGS__, {} })
#define SUBRESOURCES(...) \
	.subresources = (const struct xb_subresource[]){ __VA_ARGS__ }, \
	.n_subresources = ARRAY_SIZE(((const struct xb_subresource[]){ __VA_ARGS__ }))
#define CHANGE (XB_VERB_GET | XB_VERB_PATCH | XB_VERB_UPDATE)
#define STATUS(id) { .name = "status", .type = &xb_type_##id, .verbs = CHANGE }
#define BINDING { .name = "binding", .group = "", .version = "v1", .kind = "Binding", .type = &xb_type_binding, .verbs = XB_VERB_CREATE }
#define TOKEN \
	{ .name = "token", .group = "authentication.k8s.io", .version = "v1", .kind = "TokenRequest", .type = &xb_type_token_request, \
	  .verbs = XB_VERB_CREATE }
#define CONNECT(name_, kind_, ...) { .name = name_, .group = "", .version = "v1", .kind = kind_, __VA_ARGS__ }
#define STREAM(name_, kind_) CONNECT(name_, kind_, .verbs = XB_VERB_CREATE | XB_VERB_GET)
#define PROXY(kind_) \
	CONNECT("proxy", kind_, .any_path = true, \
		.verbs = XB_VERB_CREATE | XB_VERB_DELETE | XB_VERB_GET | XB_VERB_PATCH | XB_VERB_UPDATE)
#define EVICTION { .name = "eviction", .group = "policy", .version = "v1", .kind = "Eviction", .type = &xb_type_eviction, .verbs = XB_VERB_CREATE }
#define SCALE { .name = "scale", .group = "autoscaling", .version = "v1", .kind = "Scale", .type = &xb_type_scale, .verbs = CHANGE }

static const struct xb_kind binding = {
	.group = "", .version = "v1", .kind = "Binding", .plural = "bindings", .singular = "binding",
	.namespaced = true, .verbs = XB_VERB_CREATE, .type = &xb_type_binding,
};

static const struct xb_kind component_status = {
	.group = "", .version = "v1", .kind = "ComponentStatus", .list_kind = "ComponentStatusList",
	.plural = "componentstatuses", .singular = "componentstatus", .short_names = NAMES("cs"),
	.verbs = XB_VERB_GET | XB_VERB_LIST, .type = &xb_type_component_status, .deprecated = "v1 ComponentStatus is deprecated in v1.19+",
};

static const struct xb_kind config_map = {
	.group = "", .version = "v1", .kind = "ConfigMap", .list_kind = "ConfigMapList", .plural = "configmaps", .singular = "configmap",
	.short_names = NAMES("cm"), .namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_config_map,
};

static const struct xb_kind endpoints = {
	.group = "", .version = "v1", .kind = "Endpoints", .list_kind = "EndpointsList", .plural = "endpoints", .singular = "endpoints",
	.short_names = NAMES("ep"), .namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_endpoints,
	.deprecated = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
};

static const struct xb_kind event = {
	.group = "", .version = "v1", .kind = "Event", .list_kind = "EventList", .plural = "events", .singular = "event",
	.short_names = NAMES("ev"), .namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_event,
	.field_labels = LABELS(LABEL("involvedObject.kind"), LABEL("involvedObject.namespace"),
			       LABEL("involvedObject.name"), LABEL("involvedObject.uid"),
			       LABEL("involvedObject.apiVersion"), LABEL("involvedObject.resourceVersion"),
			       LABEL("involvedObject.fieldPath"), LABEL("reason"), LABEL("reportingComponent"),
			       LABEL("source", .path = "source.component"), LABEL("type")),
};

static const struct xb_kind limit_range = {
	.group = "", .version = "v1", .kind = "LimitRange", .list_kind = "LimitRangeList",
	.plural = "limitranges", .singular = "limitrange", .short_names = NAMES("limits"),
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_limit_range,
};

static const struct xb_kind namespace = {
	.group = "", .version = "v1", .kind = "Namespace", .list_kind = "NamespaceList", .plural = "namespaces", .singular = "namespace",
	.short_names = NAMES("ns"), .verbs = XB_VERBS_ALL & ~XB_VERB_DELETECOLLECTION, .type = &xb_type_namespace,
	SUBRESOURCES({ .name = "finalize", .type = &xb_type_namespace, .verbs = XB_VERB_UPDATE }, STATUS(namespace)),
	.field_labels = LABELS(LABEL("status.phase")),
};

static const struct xb_kind node = {
	.group = "", .version = "v1", .kind = "Node", .list_kind = "NodeList", .plural = "nodes", .singular = "node",
	.short_names = NAMES("no"), .verbs = XB_VERBS_ALL, .type = &xb_type_node,
	SUBRESOURCES(PROXY("NodeProxyOptions"), STATUS(node)),
	.field_labels = LABELS(LABEL("spec.unschedulable", .absent = "false")),
};

static const struct xb_kind persistent_volume = {
	.group = "", .version = "v1", .kind = "PersistentVolume", .list_kind = "PersistentVolumeList",
	.plural = "persistentvolumes", .singular = "persistentvolume", .short_names = NAMES("pv"),
	.verbs = XB_VERBS_ALL, .type = &xb_type_persistent_volume,
	SUBRESOURCES(STATUS(persistent_volume)),
};

static const struct xb_kind persistent_volume_claim = {
	.group = "", .version = "v1", .kind = "PersistentVolumeClaim", .list_kind = "PersistentVolumeClaimList",
	.plural = "persistentvolumeclaims", .singular = "persistentvolumeclaim", .short_names = NAMES("pvc"),
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_persistent_volume_claim,
	SUBRESOURCES(STATUS(persistent_volume_claim)),
};

static const struct xb_kind pod = {
	.group = "", .version = "v1", .kind = "Pod", .list_kind = "PodList", .plural = "pods", .singular = "pod",
	.short_names = NAMES("po"), .categories = NAMES("all"), .namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_pod,
	SUBRESOURCES(STREAM("attach", "PodAttachOptions"), BINDING, { .name = "ephemeralcontainers", .type = &xb_type_pod, .verbs = CHANGE },
		     EVICTION, STREAM("exec", "PodExecOptions"), { .name = "log", .verbs = XB_VERB_GET },
		     STREAM("portforward", "PodPortForwardOptions"), PROXY("PodProxyOptions"),
		     { .name = "resize", .type = &xb_type_pod, .verbs = CHANGE }, STATUS(pod)),
	.field_labels = LABELS(LABEL("spec.nodeName"), LABEL("spec.host", .path = "spec.nodeName"), LABEL("spec.restartPolicy"),
			       LABEL("spec.schedulerName"), LABEL("spec.serviceAccountName"),
			       LABEL("spec.hostNetwork", .absent = "false"), LABEL("status.phase"), LABEL("status.podIP"),
			       LABEL("status.podIPs"), LABEL("status.nominatedNodeName")),
};

static const struct xb_kind pod_template = {
	.group = "", .version = "v1", .kind = "PodTemplate", .list_kind = "PodTemplateList",
	.plural = "podtemplates", .singular = "podtemplate",
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_pod_template,
};

static const struct xb_kind replication_controller = {
	.group = "", .version = "v1", .kind = "ReplicationController", .list_kind = "ReplicationControllerList",
	.plural = "replicationcontrollers", .singular = "replicationcontroller", .short_names = NAMES("rc"), .categories = NAMES("all"),
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_replication_controller,
	SUBRESOURCES(SCALE, STATUS(replication_controller)),
	.field_labels = LABELS(LABEL("status.replicas", .absent = "0")),
};

static const struct xb_kind resource_quota = {
	.group = "", .version = "v1", .kind = "ResourceQuota", .list_kind = "ResourceQuotaList",
	.plural = "resourcequotas", .singular = "resourcequota", .short_names = NAMES("quota"),
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_resource_quota,
	SUBRESOURCES(STATUS(resource_quota)),
};

static const struct xb_kind secret = {
	.group = "", .version = "v1", .kind = "Secret", .list_kind = "SecretList", .plural = "secrets", .singular = "secret",
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_secret,
	.field_labels = LABELS(LABEL("type")),
};

static const struct xb_kind service_account = {
	.group = "", .version = "v1", .kind = "ServiceAccount", .list_kind = "ServiceAccountList",
	.plural = "serviceaccounts", .singular = "serviceaccount", .short_names = NAMES("sa"),
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_service_account,
	SUBRESOURCES(TOKEN),
};

static const struct xb_kind service = {
	.group = "", .version = "v1", .kind = "Service", .list_kind = "ServiceList", .plural = "services", .singular = "service",
	.short_names = NAMES("svc"), .categories = NAMES("all"), .namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_service,
	SUBRESOURCES(PROXY("ServiceProxyOptions"), STATUS(service)),
	.field_labels = LABELS(LABEL("spec.clusterIP"), LABEL("spec.type")),
};

static const struct xb_kind controller_revision = {
	.group = "apps", .version = "v1", .kind = "ControllerRevision", .list_kind = "ControllerRevisionList",
	.plural = "controllerrevisions", .singular = "controllerrevision",
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_controller_revision,
};

static const struct xb_kind daemon_set = {
	.group = "apps", .version = "v1", .kind = "DaemonSet", .list_kind = "DaemonSetList",
	.plural = "daemonsets", .singular = "daemonset", .short_names = NAMES("ds"), .categories = NAMES("all"),
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_daemon_set,
	SUBRESOURCES(STATUS(daemon_set)),
};

static const struct xb_kind deployment = {
	.group = "apps", .version = "v1", .kind = "Deployment", .list_kind = "DeploymentList",
	.plural = "deployments", .singular = "deployment", .short_names = NAMES("deploy"), .categories = NAMES("all"),
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_deployment,
	SUBRESOURCES(SCALE, STATUS(deployment)),
};

static const struct xb_kind replica_set = {
	.group = "apps", .version = "v1", .kind = "ReplicaSet", .list_kind = "ReplicaSetList",
	.plural = "replicasets", .singular = "replicaset", .short_names = NAMES("rs"), .categories = NAMES("all"),
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_replica_set,
	SUBRESOURCES(SCALE, STATUS(replica_set)),
	.field_labels = LABELS(LABEL("status.replicas", .absent = "0")),
};

static const struct xb_kind stateful_set = {
	.group = "apps", .version = "v1", .kind = "StatefulSet", .list_kind = "StatefulSetList",
	.plural = "statefulsets", .singular = "statefulset", .short_names = NAMES("sts"), .categories = NAMES("all"),
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_stateful_set,
	SUBRESOURCES(SCALE, STATUS(stateful_set)),
};

static const struct xb_kind horizontal_pod_autoscaler = {
	.group = "autoscaling", .version = "v2", .kind = "HorizontalPodAutoscaler", .list_kind = "HorizontalPodAutoscalerList",
	.plural = "horizontalpodautoscalers", .singular = "horizontalpodautoscaler", .short_names = NAMES("hpa"), .categories = NAMES("all"),
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_horizontal_pod_autoscaler,
	SUBRESOURCES(STATUS(horizontal_pod_autoscaler)),
};

static const struct xb_kind horizontal_pod_autoscaler_v1 = {
	.group = "autoscaling", .version = "v1", .kind = "HorizontalPodAutoscaler", .list_kind = "HorizontalPodAutoscalerList",
	.plural = "horizontalpodautoscalers", .singular = "horizontalpodautoscaler", .short_names = NAMES("hpa"), .categories = NAMES("all"),
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_horizontal_pod_autoscaler_v1,
	SUBRESOURCES(STATUS(horizontal_pod_autoscaler_v1)),
	.stored = &horizontal_pod_autoscaler, .conversion = &xb_conversion_autoscaling_v1,
};

static const struct xb_kind cron_job = {
	.group = "batch", .version = "v1", .kind = "CronJob", .list_kind = "CronJobList",
	.plural = "cronjobs", .singular = "cronjob", .short_names = NAMES("cj"), .categories = NAMES("all"),
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_cron_job,
	SUBRESOURCES(STATUS(cron_job)),
};

static const struct xb_kind cron_job_v1beta1 = { /* what kubectl 1.20 creates */
	.group = "batch", .version = "v1beta1", .kind = "CronJob", .list_kind = "CronJobList",
	.plural = "cronjobs", .singular = "cronjob", .short_names = NAMES("cj"), .categories = NAMES("all"),
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_cron_job,
	SUBRESOURCES(STATUS(cron_job)),
	.stored = &cron_job,
};

static const struct xb_kind job = {
	.group = "batch", .version = "v1", .kind = "Job", .list_kind = "JobList",
	.plural = "jobs", .singular = "job", .categories = NAMES("all"),
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_job,
	SUBRESOURCES(STATUS(job)),
	.field_labels = LABELS(LABEL("status.successful", .path = "status.succeeded", .absent = "0")),
};

static const struct xb_kind pod_disruption_budget = {
	.group = "policy", .version = "v1", .kind = "PodDisruptionBudget", .list_kind = "PodDisruptionBudgetList",
	.plural = "poddisruptionbudgets", .singular = "poddisruptionbudget", .short_names = NAMES("pdb"),
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_pod_disruption_budget,
	SUBRESOURCES(STATUS(pod_disruption_budget)),
};

static const struct xb_kind pod_disruption_budget_v1beta1 = { /* what kubectl 1.20 creates */
	.group = "policy", .version = "v1beta1", .kind = "PodDisruptionBudget", .list_kind = "PodDisruptionBudgetList",
	.plural = "poddisruptionbudgets", .singular = "poddisruptionbudget", .short_names = NAMES("pdb"),
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_pod_disruption_budget,
	SUBRESOURCES(STATUS(pod_disruption_budget)),
	.stored = &pod_disruption_budget,
};

static const struct xb_kind lease = {
	.group = "coordination.k8s.io", .version = "v1", .kind = "Lease", .list_kind = "LeaseList", .plural = "leases", .singular = "lease",
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_lease,
};

static const struct xb_kind endpoint_slice = {
	.group = "discovery.k8s.io", .version = "v1", .kind = "EndpointSlice", .list_kind = "EndpointSliceList",
	.plural = "endpointslices", .singular = "endpointslice",
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_endpoint_slice,
};

static const struct xb_kind token_review = {
	.group = "authentication.k8s.io", .version = "v1", .kind = "TokenReview", .plural = "tokenreviews", .singular = "tokenreview",
	.verbs = XB_VERB_CREATE, .type = &xb_type_token_review,
};

static const struct xb_kind self_subject_review = {
	.group = "authentication.k8s.io", .version = "v1", .kind = "SelfSubjectReview", .plural = "selfsubjectreviews",
	.singular = "selfsubjectreview", .verbs = XB_VERB_CREATE, .type = &xb_type_self_subject_review,
};

static const struct xb_kind local_subject_access_review = {
	.group = "authorization.k8s.io", .version = "v1", .kind = "LocalSubjectAccessReview",
	.plural = "localsubjectaccessreviews", .singular = "localsubjectaccessreview",
	.namespaced = true, .verbs = XB_VERB_CREATE, .type = &xb_type_local_subject_access_review,
};

static const struct xb_kind self_subject_access_review = {
	.group = "authorization.k8s.io", .version = "v1", .kind = "SelfSubjectAccessReview",
	.plural = "selfsubjectaccessreviews", .singular = "selfsubjectaccessreview",
	.verbs = XB_VERB_CREATE, .type = &xb_type_self_subject_access_review,
};

static const struct xb_kind self_subject_rules_review = {
	.group = "authorization.k8s.io", .version = "v1", .kind = "SelfSubjectRulesReview",
	.plural = "selfsubjectrulesreviews", .singular = "selfsubjectrulesreview",
	.verbs = XB_VERB_CREATE, .type = &xb_type_self_subject_rules_review,
};

static const struct xb_kind subject_access_review = {
	.group = "authorization.k8s.io", .version = "v1", .kind = "SubjectAccessReview",
	.plural = "subjectaccessreviews", .singular = "subjectaccessreview",
	.verbs = XB_VERB_CREATE, .type = &xb_type_subject_access_review,
};

static const struct xb_kind cluster_role_binding = {
	.group = "rbac.authorization.k8s.io", .version = "v1", .kind = "ClusterRoleBinding", .list_kind = "ClusterRoleBindingList",
	.plural = "clusterrolebindings", .singular = "clusterrolebinding",
	.verbs = XB_VERBS_ALL, .type = &xb_type_cluster_role_binding,
};

static const struct xb_kind cluster_role = {
	.group = "rbac.authorization.k8s.io", .version = "v1", .kind = "ClusterRole", .list_kind = "ClusterRoleList",
	.plural = "clusterroles", .singular = "clusterrole", .verbs = XB_VERBS_ALL, .type = &xb_type_cluster_role,
};

static const struct xb_kind role_binding = {
	.group = "rbac.authorization.k8s.io", .version = "v1", .kind = "RoleBinding", .list_kind = "RoleBindingList",
	.plural = "rolebindings", .singular = "rolebinding",
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_role_binding,
};

static const struct xb_kind role = {
	.group = "rbac.authorization.k8s.io", .version = "v1", .kind = "Role", .list_kind = "RoleList",
	.plural = "roles", .singular = "role", .namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_role,
};

static const struct xb_kind certificate_signing_request = {
	.group = "certificates.k8s.io", .version = "v1", .kind = "CertificateSigningRequest", .list_kind = "CertificateSigningRequestList",
	.plural = "certificatesigningrequests", .singular = "certificatesigningrequest", .short_names = NAMES("csr"),
	.verbs = XB_VERBS_ALL, .type = &xb_type_certificate_signing_request,
	SUBRESOURCES({ .name = "approval", .type = &xb_type_certificate_signing_request, .verbs = CHANGE },
		     STATUS(certificate_signing_request)),
	.field_labels = LABELS(LABEL("spec.signerName")),
};

static const struct xb_kind events_event = {
	.group = "events.k8s.io", .version = "v1", .kind = "Event", .list_kind = "EventList", .plural = "events", .singular = "event",
	.short_names = NAMES("ev"), .namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_events_event,
	.stored = &event, .conversion = &xb_conversion_events_event,
	.field_labels = LABELS(LABEL("reason"), LABEL("type"),
			       LABEL("regarding.apiVersion", .path = "involvedObject.apiVersion"),
			       LABEL("regarding.fieldPath", .path = "involvedObject.fieldPath"),
			       LABEL("regarding.kind", .path = "involvedObject.kind"),
			       LABEL("regarding.name", .path = "involvedObject.name"),
			       LABEL("regarding.namespace", .path = "involvedObject.namespace"),
			       LABEL("regarding.resourceVersion", .path = "involvedObject.resourceVersion"),
			       LABEL("regarding.uid", .path = "involvedObject.uid"),
			       LABEL("reportingController", .path = "reportingComponent")),
};

static const struct xb_kind ingress = {
	.group = "networking.k8s.io", .version = "v1", .kind = "Ingress", .list_kind = "IngressList",
	.plural = "ingresses", .singular = "ingress", .short_names = NAMES("ing"),
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_ingress,
	SUBRESOURCES(STATUS(ingress)),
};

static const struct xb_kind ingress_class = {
	.group = "networking.k8s.io", .version = "v1", .kind = "IngressClass", .list_kind = "IngressClassList",
	.plural = "ingressclasses", .singular = "ingressclass", .verbs = XB_VERBS_ALL, .type = &xb_type_ingress_class,
};

static const struct xb_kind ip_address = {
	.group = "networking.k8s.io", .version = "v1", .kind = "IPAddress", .list_kind = "IPAddressList",
	.plural = "ipaddresses", .singular = "ipaddress", .short_names = NAMES("ip"), .verbs = XB_VERBS_ALL, .type = &xb_type_ip_address,
};

static const struct xb_kind network_policy = {
	.group = "networking.k8s.io", .version = "v1", .kind = "NetworkPolicy", .list_kind = "NetworkPolicyList",
	.plural = "networkpolicies", .singular = "networkpolicy", .short_names = NAMES("netpol"),
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_network_policy,
};

static const struct xb_kind service_cidr = {
	.group = "networking.k8s.io", .version = "v1", .kind = "ServiceCIDR", .list_kind = "ServiceCIDRList",
	.plural = "servicecidrs", .singular = "servicecidr", .verbs = XB_VERBS_ALL, .type = &xb_type_service_cidr,
	SUBRESOURCES(STATUS(service_cidr)),
};

static const struct xb_kind runtime_class = {
	.group = "node.k8s.io", .version = "v1", .kind = "RuntimeClass", .list_kind = "RuntimeClassList",
	.plural = "runtimeclasses", .singular = "runtimeclass", .verbs = XB_VERBS_ALL, .type = &xb_type_runtime_class,
};

static const struct xb_kind priority_class = {
	.group = "scheduling.k8s.io", .version = "v1", .kind = "PriorityClass", .list_kind = "PriorityClassList",
	.plural = "priorityclasses", .singular = "priorityclass", .short_names = NAMES("pc"),
	.verbs = XB_VERBS_ALL, .type = &xb_type_priority_class,
};

static const struct xb_kind csi_driver = {
	.group = "storage.k8s.io", .version = "v1", .kind = "CSIDriver", .list_kind = "CSIDriverList",
	.plural = "csidrivers", .singular = "csidriver", .verbs = XB_VERBS_ALL, .type = &xb_type_csi_driver,
};

static const struct xb_kind csi_node = {
	.group = "storage.k8s.io", .version = "v1", .kind = "CSINode", .list_kind = "CSINodeList",
	.plural = "csinodes", .singular = "csinode", .verbs = XB_VERBS_ALL, .type = &xb_type_csi_node,
};

static const struct xb_kind csi_storage_capacity = {
	.group = "storage.k8s.io", .version = "v1", .kind = "CSIStorageCapacity", .list_kind = "CSIStorageCapacityList",
	.plural = "csistoragecapacities", .singular = "csistoragecapacity",
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_csi_storage_capacity,
};

static const struct xb_kind storage_class = {
	.group = "storage.k8s.io", .version = "v1", .kind = "StorageClass", .list_kind = "StorageClassList",
	.plural = "storageclasses", .singular = "storageclass", .short_names = NAMES("sc"),
	.verbs = XB_VERBS_ALL, .type = &xb_type_storage_class,
};

static const struct xb_kind volume_attachment = {
	.group = "storage.k8s.io", .version = "v1", .kind = "VolumeAttachment", .list_kind = "VolumeAttachmentList",
	.plural = "volumeattachments", .singular = "volumeattachment", .verbs = XB_VERBS_ALL, .type = &xb_type_volume_attachment,
	SUBRESOURCES(STATUS(volume_attachment)),
};

static const struct xb_kind node_metrics = {
	.group = "metrics.k8s.io", .version = "v1beta1", .kind = "NodeMetrics", .list_kind = "NodeMetricsList", .plural = "nodes", .singular = "",
	.verbs = XB_VERB_GET | XB_VERB_LIST, .type = &xb_type_node_metrics,
};

static const struct xb_kind pod_metrics = {
	.group = "metrics.k8s.io", .version = "v1beta1", .kind = "PodMetrics", .list_kind = "PodMetricsList", .plural = "pods", .singular = "",
	.namespaced = true, .verbs = XB_VERB_GET | XB_VERB_LIST, .type = &xb_type_pod_metrics,
};

const struct xb_kind *const xb_kinds[] = {
	&binding, &component_status, &config_map, &endpoints, &event, &limit_range, &namespace, &node, &persistent_volume_claim,
	&persistent_volume, &pod, &pod_template, &replication_controller, &resource_quota, &secret, &service_account, &service,
	&controller_revision, &daemon_set, &deployment, &replica_set, &stateful_set,
	&events_event,
	&self_subject_review, &token_review,
	&local_subject_access_review, &self_subject_access_review, &self_subject_rules_review, &subject_access_review,
	&horizontal_pod_autoscaler, &horizontal_pod_autoscaler_v1,
	&cron_job, &job, &cron_job_v1beta1,
	&certificate_signing_request,
	&ingress_class, &ingress, &ip_address, &network_policy, &service_cidr,
	&pod_disruption_budget, &pod_disruption_budget_v1beta1,
	&cluster_role_binding, &cluster_role, &role_binding, &role,
	&csi_driver, &csi_node, &csi_storage_capacity, &storage_class, &volume_attachment,
	&priority_class,
	&lease,
	&runtime_class,
	&endpoint_slice,
	&node_metrics, &pod_metrics, NULL
};

#define INDEX_SLOTS 256
_Static_assert(ARRAY_SIZE(xb_kinds) * 2 < INDEX_SLOTS, "the index must stay sparse");
static const struct xb_kind *by_plural[INDEX_SLOTS], *by_kind[INDEX_SLOTS];
static pthread_once_t indexed = PTHREAD_ONCE_INIT;

static unsigned slot_of(struct xb_sv group, struct xb_sv version, struct xb_sv name)
{
	const struct xb_sv parts[] = { group, version, name };
	uint32_t h = 2166136261u;

	for (unsigned i = 0; i < ARRAY_SIZE(parts); i++)
		for (size_t j = 0; j < parts[i].n; j++)
			h = (h ^ (unsigned char)parts[i].p[j]) * 16777619u;
	return (h ^ h >> 16) % INDEX_SLOTS;
}

static void index_put(const struct xb_kind **index, const struct xb_kind *k, const char *name)
{
	unsigned i = slot_of(xb_sv(k->group), xb_sv(k->version), xb_sv(name));

	while (index[i])
		i = (i + 1) % INDEX_SLOTS;
	index[i] = k;
}

static void index_kinds(void)
{
	for (const struct xb_kind *const *k = xb_kinds; *k; k++) {
		index_put(by_plural, *k, (*k)->plural);
		index_put(by_kind, *k, (*k)->kind);
	}
}

static bool is_of(const struct xb_kind *k, struct xb_sv group, struct xb_sv version)
{
	return xb_sv_is(version, k->version) && xb_sv_is(group, k->group);
}

const struct xb_kind *xb_kind_by_resource(struct xb_sv group, struct xb_sv version, struct xb_sv plural)
{
	pthread_once(&indexed, index_kinds);
	for (unsigned i = slot_of(group, version, plural); by_plural[i]; i = (i + 1) % INDEX_SLOTS)
		if (xb_sv_is(plural, by_plural[i]->plural) && is_of(by_plural[i], group, version))
			return by_plural[i];
	return NULL;
}

const struct xb_kind *xb_kind_by_name(struct xb_sv group, struct xb_sv version, struct xb_sv kind)
{
	pthread_once(&indexed, index_kinds);
	for (unsigned i = slot_of(group, version, kind); by_kind[i]; i = (i + 1) % INDEX_SLOTS)
		if (xb_sv_is(kind, by_kind[i]->kind) && is_of(by_kind[i], group, version))
			return by_kind[i];
	return NULL;
}

const struct xb_subresource *xb_kind_subresource(const struct xb_kind *k, struct xb_sv name)
{
	for (unsigned i = 0; i < k->n_subresources; i++)
		if (xb_sv_is(name, k->subresources[i].name))
			return &k->subresources[i];
	return NULL;
}

const char *xb_verb_name(enum xb_verb v)
{
	static const char *const names[] = { "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch" };

	return names[__builtin_ctz(v)];
}
