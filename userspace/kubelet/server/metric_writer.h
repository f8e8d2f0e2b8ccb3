/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_SERVER_METRIC_WRITER_H
#define KUBELET_SERVER_METRIC_WRITER_H
/* Families of metrics (xb/prometheus.h) whose samples say when they were taken. Pure. */
#include "usage.h"

struct usage_whole {                    /* what a family is written of */
	const struct usage *u;
	double cores, memory;           /* of the machine */
};
void resource_write(const struct usage *u, bool failed, struct xb_buf *out);
void cadvisor_write(const struct usage_whole *w, struct xb_buf *out);
void summary_write(const struct usage *u, const char *node_name, int64_t start_us, double memory, bool only_cpu_and_memory,
		   struct xb_buf *out);

/* name{labels} value milliseconds: time is that of the sample; 0: none is said. */
void metric_sample_at(struct xb_buf *out, const char *name, struct xb_sv labels, double value, uint64_t at_ms);

#endif
