/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_PODS_METRICS_H
#define KUBELET_PODS_METRICS_H
/* What is counted of pods, by upstream's names. */
#include "../runtime/runtime.h"
#include "xb/str.h"

#define PODS_BOUNDS 14                  /* 5 ms to 41 s, doubled */
struct pods_histogram {
	uint64_t counts[PODS_BOUNDS + 1];
	double sum;
};
struct pods_metrics {
	struct {
		uint64_t total, errors;
		struct pods_histogram seconds;
	} operations[RPC_COUNT];
	struct pods_histogram pod_start, pod_worker;
	uint64_t started_pods, started_pods_errors, started_containers, started_containers_errors;
};
void pods_metrics_observe(struct pods_histogram *h, double seconds);
void pods_metrics_write(const struct pods_metrics *m, struct xb_buf *out);

#endif
