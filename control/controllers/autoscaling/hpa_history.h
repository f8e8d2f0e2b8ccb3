/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_HPA_HISTORY_H
#define CONTROLLERS_HPA_HISTORY_H
/*
 * What was proposed and done for one HorizontalPodAutoscaler of late, and how far the next change may go by that: stabilization
 * windows, rates, limits (upstream's podautoscaler/horizontal.go, normalizeDesiredReplicas). Pure; times are wall clock in
 * microseconds. A new process knows nothing, as upstream's.
 */
#include "xb/json.h"
#include "xb/vec.h"

struct hpa_record {
	int64_t replicas, at;           /* of an event: by how many */
};
typedef XB_VEC(struct hpa_record) hpa_records;
struct hpa_history {
	hpa_records proposed, ups, downs;
};
void hpa_history_done(struct hpa_history *h);

struct hpa_bounds {
	struct xb_jv behavior;          /* spec.behavior; {} for the old rules */
	int64_t min, max, current;
	int64_t down_window;            /* where the behavior does not say */
};
struct hpa_verdict {
	int64_t replicas;
	const char *able, *able_message;        /* of the condition AbleToScale, which is true */
	bool limited;                           /* ScalingLimited */
	const char *limit, *limit_message;
};
/* The first time: replicas that there are count as a proposal. 0 or -ENOMEM, here and below. */
int hpa_history_begin(struct hpa_history *h, int64_t current, int64_t now);
int hpa_history_normalize(struct hpa_history *h, const struct hpa_bounds *b, int64_t desired, int64_t now, struct hpa_verdict *ret);
/* It was scaled. */
int hpa_history_scaled(struct hpa_history *h, struct xb_jv behavior, int64_t from, int64_t to, int64_t now);

#endif
