/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* apps/v1: Deployment, ReplicaSet, StatefulSet, DaemonSet, ControllerRevision. */
#include "rows.h"

#define PACKAGE "io.k8s.api.apps.v1"

TYPE(controller_revision, "ControllerRevision",
	STR("apiVersion", 0),
	ANY("data", 2),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	INT64("revision", 3, IS(REQUIRED)));

TYPE(daemon_set, "DaemonSet",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, daemon_set_spec),
	OBJ("status", 3, daemon_set_status));

TYPE(daemon_set_condition, "DaemonSetCondition",
	TIME("lastTransitionTime", 3),
	STR("message", 5),
	STR("reason", 4),
	STR("status", 2, IS(REQUIRED)),
	STR("type", 1, IS(REQUIRED)));

TYPE(daemon_set_spec, "DaemonSetSpec",
	INT32("minReadySeconds", 4),
	INT32("revisionHistoryLimit", 6, IS(POINTER), OR("10")),
	OBJ("selector", 1, label_selector, IS(REQUIRED | POINTER)),
	OBJ("template", 2, pod_template_spec, IS(REQUIRED)),
	OBJ("updateStrategy", 3, daemon_set_update_strategy));

TYPE(daemon_set_status, "DaemonSetStatus",
	INT32("collisionCount", 9, IS(POINTER)),
	LIST("conditions", 10, daemon_set_condition, IS(MERGE | LIST_MAP), KEYS("type", "type")),
	INT32("currentNumberScheduled", 1, IS(REQUIRED)),
	INT32("desiredNumberScheduled", 3, IS(REQUIRED)),
	INT32("numberAvailable", 7),
	INT32("numberMisscheduled", 2, IS(REQUIRED)),
	INT32("numberReady", 4, IS(REQUIRED)),
	INT32("numberUnavailable", 8),
	INT64("observedGeneration", 5),
	INT32("updatedNumberScheduled", 6));

TYPE(daemon_set_update_strategy, "DaemonSetUpdateStrategy",
	OBJ("rollingUpdate", 2, rolling_update_daemon_set, IS(POINTER)),
	STR("type", 1));

TYPE(deployment, "Deployment",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, deployment_spec),
	OBJ("status", 3, deployment_status));

TYPE(deployment_condition, "DeploymentCondition",
	TIME("lastTransitionTime", 7),
	TIME("lastUpdateTime", 6),
	STR("message", 5),
	STR("reason", 4),
	STR("status", 2, IS(REQUIRED)),
	STR("type", 1, IS(REQUIRED)));

TYPE(deployment_spec, "DeploymentSpec",
	INT32("minReadySeconds", 5),
	BOOL("paused", 7),
	INT32("progressDeadlineSeconds", 9, IS(POINTER), OR("600")),
	INT32("replicas", 1, IS(POINTER), OR("1")),
	INT32("revisionHistoryLimit", 6, IS(POINTER), OR("10")),
	OBJ("selector", 2, label_selector, IS(REQUIRED | POINTER)),
	OBJ("strategy", 4, deployment_strategy, IS(RETAIN_KEYS)),
	OBJ("template", 3, pod_template_spec, IS(REQUIRED)));

TYPE(deployment_status, "DeploymentStatus",
	INT32("availableReplicas", 4),
	INT32("collisionCount", 8, IS(POINTER)),
	LIST("conditions", 6, deployment_condition, IS(MERGE | LIST_MAP), KEYS("type", "type")),
	INT64("observedGeneration", 1),
	INT32("readyReplicas", 7),
	INT32("replicas", 2),
	INT32("terminatingReplicas", 9, IS(POINTER)),
	INT32("unavailableReplicas", 5),
	INT32("updatedReplicas", 3));

TYPE(deployment_strategy, "DeploymentStrategy",
	OBJ("rollingUpdate", 2, rolling_update_deployment, IS(POINTER)),
	STR("type", 1));

TYPE(replica_set, "ReplicaSet",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, replica_set_spec),
	OBJ("status", 3, replica_set_status));

TYPE(replica_set_condition, "ReplicaSetCondition",
	TIME("lastTransitionTime", 3),
	STR("message", 5),
	STR("reason", 4),
	STR("status", 2, IS(REQUIRED)),
	STR("type", 1, IS(REQUIRED)));

TYPE(replica_set_spec, "ReplicaSetSpec",
	INT32("minReadySeconds", 4),
	INT32("replicas", 1, IS(POINTER), OR("1")),
	OBJ("selector", 2, label_selector, IS(REQUIRED | POINTER)),
	OBJ("template", 3, pod_template_spec));

TYPE(replica_set_status, "ReplicaSetStatus",
	INT32("availableReplicas", 5),
	LIST("conditions", 6, replica_set_condition, IS(MERGE | LIST_MAP), KEYS("type", "type")),
	INT32("fullyLabeledReplicas", 2),
	INT64("observedGeneration", 3),
	INT32("readyReplicas", 4),
	INT32("replicas", 1, IS(REQUIRED)),
	INT32("terminatingReplicas", 7, IS(POINTER)));

TYPE(rolling_update_daemon_set, "RollingUpdateDaemonSet",
	INT_OR_STR("maxSurge", 2, IS(POINTER)),
	INT_OR_STR("maxUnavailable", 1, IS(POINTER)));

TYPE(rolling_update_deployment, "RollingUpdateDeployment",
	INT_OR_STR("maxSurge", 2, IS(POINTER)),
	INT_OR_STR("maxUnavailable", 1, IS(POINTER)));

TYPE(rolling_update_stateful_set_strategy, "RollingUpdateStatefulSetStrategy",
	INT_OR_STR("maxUnavailable", 2, IS(POINTER)),
	INT32("partition", 1, IS(POINTER)));

TYPE(stateful_set, "StatefulSet",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, stateful_set_spec),
	OBJ("status", 3, stateful_set_status));

TYPE(stateful_set_condition, "StatefulSetCondition",
	TIME("lastTransitionTime", 3),
	STR("message", 5),
	STR("reason", 4),
	STR("status", 2, IS(REQUIRED)),
	STR("type", 1, IS(REQUIRED)));

TYPE(stateful_set_ordinals, "StatefulSetOrdinals",
	INT32("start", 1));

TYPE(stateful_set_persistent_volume_claim_retention_policy, "StatefulSetPersistentVolumeClaimRetentionPolicy",
	STR("whenDeleted", 1),
	STR("whenScaled", 2));

TYPE(stateful_set_spec, "StatefulSetSpec",
	INT32("minReadySeconds", 9),
	OBJ("ordinals", 11, stateful_set_ordinals, IS(POINTER)),
	OBJ("persistentVolumeClaimRetentionPolicy", 10, stateful_set_persistent_volume_claim_retention_policy, IS(POINTER)),
	STR("podManagementPolicy", 6, OR("\"OrderedReady\"")),
	INT32("replicas", 1, IS(POINTER), OR("1")),
	INT32("revisionHistoryLimit", 8, IS(POINTER), OR("10")),
	OBJ("selector", 2, label_selector, IS(REQUIRED | POINTER)),
	STR("serviceName", 5),
	OBJ("template", 3, pod_template_spec, IS(REQUIRED)),
	OBJ("updateStrategy", 7, stateful_set_update_strategy),
	LIST("volumeClaimTemplates", 4, persistent_volume_claim));

TYPE(stateful_set_status, "StatefulSetStatus",
	INT32("availableReplicas", 11),
	INT32("collisionCount", 9, IS(POINTER)),
	LIST("conditions", 10, stateful_set_condition, IS(MERGE | LIST_MAP), KEYS("type", "type")),
	INT32("currentReplicas", 4),
	STR("currentRevision", 6),
	INT64("observedGeneration", 1),
	INT32("readyReplicas", 3),
	INT32("replicas", 2, IS(REQUIRED)),
	STR("updateRevision", 7),
	INT32("updatedReplicas", 5));

TYPE(stateful_set_update_strategy, "StatefulSetUpdateStrategy",
	OBJ("rollingUpdate", 2, rolling_update_stateful_set_strategy, IS(POINTER)),
	STR("type", 1));
