/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_RESOURCE_METRICS_H
#define APISERVER_RESOURCE_METRICS_H
/*
 * metrics.k8s.io/v1beta1, for kubectl top and autoscalers: what nodes and pods use, as metrics-server would answer, from what their
 * kubelets say (scraper.h). NodeMetrics and PodMetrics are never stored; objects in the store say which there are, and selectors
 * look at those.
 */
#include "../request.h"

struct scraper;
/* NULL without memory. Freed by scraper_free, before the loop ends. */
struct scraper *resource_metrics_new(struct server *s);
/* NULL: the route is not of that group. */
request_handler *resource_metrics_handler(const struct route *t);

#endif
