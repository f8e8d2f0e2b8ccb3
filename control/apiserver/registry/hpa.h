/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef REGISTRY_HPA_H
#define REGISTRY_HPA_H
/* Parts of the HorizontalPodAutoscaler strategy (autoscaling/v2). Missing nodes are fine. */
#include "strategy.h"

void hpa_validate_reference(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *reference);
void hpa_validate_metrics(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *metrics);
void hpa_validate_behavior(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *behavior);
/* "cpu: 10%/80%, <unknown>/5 (avg) + 1 more..."; as text of the documents stands there, escapes and all. */
void hpa_write_targets(struct xb_jv metrics, struct xb_jv current, struct xb_buf *out);

#endif
