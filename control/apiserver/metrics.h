/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_METRICS_H
#define APISERVER_METRICS_H
/* Counters under upstream's names, in Prometheus' text format (exposition 0.0.4). */
#include "request.h"

struct metrics;
struct metrics *metrics_new(void);                      /* NULL without memory */
struct metrics *metrics_free(struct metrics *m);
/* A request was answered. */
void metrics_note(struct metrics *m, const struct request *q, int code);
void metrics_write(const struct server *s, struct xb_buf *out);

#endif
