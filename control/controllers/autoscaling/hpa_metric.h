/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_HPA_METRIC_H
#define CONTROLLERS_HPA_METRIC_H
/*
 * One of a HorizontalPodAutoscaler's metrics: what the APIs metrics.k8s.io, custom.metrics.k8s.io and external.metrics.k8s.io say
 * of it, and how many replicas follow (upstream's podautoscaler/metrics and computeReplicasForMetric).
 */
#include "../work.h"
#include "hpa_calculator.h"

struct hpa_metric {
	struct xb_jv spec;              /* of spec.metrics; its document is held */
	/* what was answered, in the work's arena */
	const char *namespace_;
	struct hpa_sample *samples;
	size_t n;
	int64_t value;                  /* of one that is not the pods' */
	const char *why;                /* it could not be had; NULL: it was */
};
/* Adds the requests to the round under way; m lives until its end. selector: of the pods, as text. What is refused is no error of
 * the round. */
int hpa_metric_ask(struct kcm_work *w, struct hpa_metric *m, const char *selector);

struct hpa_outcome {
	int64_t replicas;
	const char *name;               /* for "<name> above target" */
	const char *status;             /* the member of status.currentMetrics, JSON */
	const char *reason;             /* after -EINVAL: "FailedGetResourceMetric" */
	const char *why;                /* as the condition has it */
	const char *what;               /* what was to be had: "failed to get cpu resource metric value" */
};
/* replicas: that there are, by the scale's status. 0, -EINVAL or -ENOMEM; all strings are in c's arena. */
int hpa_metric_propose(struct hpa_metric *m, struct hpa_calculator *c, int64_t replicas, struct hpa_outcome *ret);

#endif
