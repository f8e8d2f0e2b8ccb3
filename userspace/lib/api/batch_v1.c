/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* batch/v1: Job, CronJob. */
#include "rows.h"

#define PACKAGE "io.k8s.api.batch.v1"

TYPE(cron_job, "CronJob",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, cron_job_spec),
	OBJ("status", 3, cron_job_status));

TYPE(cron_job_spec, "CronJobSpec",
	STR("concurrencyPolicy", 3, OR("\"Allow\"")),
	INT32("failedJobsHistoryLimit", 7, IS(POINTER), OR("1")),
	OBJ("jobTemplate", 5, job_template_spec, IS(REQUIRED)),
	STR("schedule", 1, IS(REQUIRED)),
	INT64("startingDeadlineSeconds", 2, IS(POINTER)),
	INT32("successfulJobsHistoryLimit", 6, IS(POINTER), OR("3")),
	BOOL("suspend", 4, IS(POINTER), OR("false")),
	STR("timeZone", 8, IS(POINTER)));

TYPE(cron_job_status, "CronJobStatus",
	LIST("active", 1, object_reference),
	TIME("lastScheduleTime", 4, IS(POINTER)),
	TIME("lastSuccessfulTime", 5, IS(POINTER)));

TYPE(job, "Job",
	STR("apiVersion", 0),
	STR("kind", 0),
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, job_spec),
	OBJ("status", 3, job_status));

TYPE(job_condition, "JobCondition",
	TIME("lastProbeTime", 3),
	TIME("lastTransitionTime", 4),
	STR("message", 6),
	STR("reason", 5),
	STR("status", 2, IS(REQUIRED)),
	STR("type", 1, IS(REQUIRED)));

TYPE(job_spec, "JobSpec",
	INT64("activeDeadlineSeconds", 3, IS(POINTER)),
	INT32("backoffLimit", 7, IS(POINTER)),
	INT32("backoffLimitPerIndex", 12, IS(POINTER)),
	STR("completionMode", 9, IS(POINTER)),
	INT32("completions", 2, IS(POINTER)),
	STR("managedBy", 15, IS(POINTER)),
	BOOL("manualSelector", 5, IS(POINTER)),
	INT32("maxFailedIndexes", 13, IS(POINTER)),
	INT32("parallelism", 1, IS(POINTER)),
	OBJ("podFailurePolicy", 11, pod_failure_policy, IS(POINTER)),
	STR("podReplacementPolicy", 14, IS(POINTER)),
	OBJ("selector", 4, label_selector, IS(POINTER)),
	OBJ("successPolicy", 16, success_policy, IS(POINTER)),
	BOOL("suspend", 10, IS(POINTER)),
	OBJ("template", 6, pod_template_spec, IS(REQUIRED)),
	INT32("ttlSecondsAfterFinished", 8, IS(POINTER)));

TYPE(job_status, "JobStatus",
	INT32("active", 4),
	STR("completedIndexes", 7),
	TIME("completionTime", 3, IS(POINTER)),
	LIST("conditions", 1, job_condition, IS(MERGE), KEYS("type", NULL)),
	INT32("failed", 6),
	STR("failedIndexes", 10, IS(POINTER)),
	INT32("ready", 9, IS(POINTER)),
	TIME("startTime", 2, IS(POINTER)),
	INT32("succeeded", 5),
	INT32("terminating", 11, IS(POINTER)),
	OBJ("uncountedTerminatedPods", 8, uncounted_terminated_pods, IS(POINTER)));

TYPE(job_template_spec, "JobTemplateSpec",
	OBJ("metadata", 1, object_meta),
	OBJ("spec", 2, job_spec));

TYPE(pod_failure_policy, "PodFailurePolicy",
	LIST("rules", 1, pod_failure_policy_rule, IS(REQUIRED)));

TYPE(pod_failure_policy_on_exit_codes_requirement, "PodFailurePolicyOnExitCodesRequirement",
	STR("containerName", 1, IS(POINTER)),
	STR("operator", 2, IS(REQUIRED)),
	INT32_LIST("values", 3, IS(REQUIRED | LIST_SET)));

TYPE(pod_failure_policy_on_pod_conditions_pattern, "PodFailurePolicyOnPodConditionsPattern",
	STR("status", 2, IS(REQUIRED)),
	STR("type", 1, IS(REQUIRED)));

TYPE(pod_failure_policy_rule, "PodFailurePolicyRule",
	STR("action", 1, IS(REQUIRED)),
	OBJ("onExitCodes", 2, pod_failure_policy_on_exit_codes_requirement, IS(POINTER)),
	LIST("onPodConditions", 3, pod_failure_policy_on_pod_conditions_pattern));

TYPE(success_policy, "SuccessPolicy",
	LIST("rules", 1, success_policy_rule, IS(REQUIRED)));

TYPE(success_policy_rule, "SuccessPolicyRule",
	INT32("succeededCount", 2, IS(POINTER)),
	STR("succeededIndexes", 1, IS(POINTER)));

TYPE(uncounted_terminated_pods, "UncountedTerminatedPods",
	STR_LIST("failed", 2, IS(LIST_SET)),
	STR_LIST("succeeded", 1, IS(LIST_SET)));
