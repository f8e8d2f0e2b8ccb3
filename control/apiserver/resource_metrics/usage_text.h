/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef RESOURCE_METRICS_USAGE_TEXT_H
#define RESOURCE_METRICS_USAGE_TEXT_H
/*
 * What a kubelet's /metrics/resource says in Prometheus' text format (0.0.4): the samples that metrics.k8s.io needs. Lines of other
 * metrics are read over, and so are malformed ones: what is missing then is missing in the answer.
 */
#include "xb/str.h"

enum usage_metric { USAGE_NODE_CPU, USAGE_NODE_MEMORY, USAGE_CONTAINER_CPU, USAGE_CONTAINER_MEMORY, USAGE_CONTAINER_START };
struct usage_sample {
	enum usage_metric metric;
	struct xb_sv namespace_, pod, container; /* of a container's; views of the text, not empty */
	double value;                   /* seconds of processor time, bytes, seconds since 1970; finite, not negative */
	int64_t at_ms;                  /* since 1970; 0: not said */
};
/* take: 0, or a negative errno, with which this ends. */
int usage_text_read(struct xb_sv text, int (*take)(void *arg, const struct usage_sample *s), void *arg);

#endif
