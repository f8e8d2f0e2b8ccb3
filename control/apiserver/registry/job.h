/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef REGISTRY_JOB_H
#define REGISTRY_JOB_H
/* The parts of the Job strategy that CronJobs use for their jobTemplate. */
#include "strategy.h"

void job_spec_defaults(struct write *w, struct xb_tree *spec);
/* All but the selector, which the server makes. at: the spec's path. */
void job_spec_validate(struct write *w, const struct xb_path *at, const struct xb_tree *spec, struct xb_field_errors *e);

#endif
