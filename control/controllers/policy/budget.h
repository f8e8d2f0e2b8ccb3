/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_BUDGET_H
#define CONTROLLERS_BUDGET_H
/*
 * What a PodDisruptionBudget's status is to say (upstream's pkg/controller/disruption). Pure; times are wall clock in
 * microseconds.
 */
#include "xb/json.h"
#include "xb/vec.h"

#define BUDGET_PATIENCE_US (INT64_C(2) * 60 * 1000000) /* in which an evicted pod is to begin to go */

struct budget_disrupted {
	struct xb_sv name, since;
};
struct budget_status {
	int64_t healthy, desired, expected, allowed;
	XB_VEC(struct budget_disrupted) disrupted; /* those of status.disruptedPods that stay */
	XB_VEC(struct xb_jv) stayed;            /* pods that were to go and did not in time */
	int64_t recheck_us;                     /* when the next of the disrupted is late; 0: none is awaited */
};
void budget_status_done(struct budget_status *s);

/* Does it count from what the pods' controllers ask for, rather than from the pods there are. */
bool budget_needs_scale(struct xb_jv budget);
/* pods: all that it selects; scale: what their controllers ask for together, where it is needed. 0; -EINVAL: an amount is
 * neither a number nor a percentage; -ENOMEM. */
int budget_count(struct xb_jv budget, const struct xb_jv *pods, size_t n, int64_t scale, int64_t now, struct budget_status *ret);

/* The status as it is to be written; nothing is added to out when the budget says so already. */
void budget_status_write(struct xb_jv budget, const struct budget_status *s, int64_t now, struct xb_buf *out);
/* The same when nothing could be counted: nothing may be disrupted. */
void budget_failure_write(struct xb_jv budget, const char *why, int64_t now, struct xb_buf *out);

#endif
