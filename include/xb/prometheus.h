/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_PROMETHEUS_H
#define XB_PROMETHEUS_H
/*
 * Text for Prometheus (exposition format 0.0.4). All samples of a metric follow its head without another metric between
 * them. labels: a="x",b="y" with values that need no escape, or "". Errors stay in the buffer.
 */
#include "xb/str.h"

#define XB_PROM_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

void xb_prom_head(struct xb_buf *out, const char *name, const char *type, const char *help);
void xb_prom_sample(struct xb_buf *out, const char *name, const char *labels, double value);
/* A metric without labels: head and sample. */
void xb_prom_one(struct xb_buf *out, const char *name, const char *type, const char *help, double value);

/* bounds: n upper ones, rising, without +Inf. counts: n + 1, each of what lies between its bound and the one before it. */
void xb_prom_observe(const double *bounds, size_t n, uint64_t *counts, double *sum, double value);
void xb_prom_histogram(struct xb_buf *out, const char *name, const char *labels, const double *bounds, size_t n,
		       const uint64_t *counts, double sum);

/* This process, by the names of Prometheus' client libraries: process_cpu_seconds_total, process_open_fds, ... */
void xb_prom_process(struct xb_buf *out, int64_t start_us);

#endif
