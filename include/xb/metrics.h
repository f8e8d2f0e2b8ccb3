/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_METRICS_H
#define XB_METRICS_H
/* Metrics as Prometheus reads them (text format 0.0.4). All append to out, whose sticky error tells of memory. */
#include "xb/str.h"

#define XB_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

void xb_metrics_head(struct xb_buf *out, const char *name, const char *type, const char *help);
void xb_metrics_one(struct xb_buf *out, const char *name, const char *type, const char *help, double value); /* with its head */

struct xb_histogram {
	const double *bounds;           /* ascending; n of them */
	size_t n;
	uint64_t *counts;               /* n + 1; by bucket, not cumulated */
	uint64_t count;
	double sum;
};
void xb_histogram_observe(struct xb_histogram *h, double value);
/* Its lines, without the head. labels: "name=\"a\"", or NULL. */
void xb_metrics_histogram(struct xb_buf *out, const char *name, const char *labels, const struct xb_histogram *h);

/* The process, by the names of Prometheus' client libraries. start_us: when it began, wall clock. */
void xb_metrics_process(struct xb_buf *out, int64_t start_us);

#endif
