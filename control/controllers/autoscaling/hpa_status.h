/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_HPA_STATUS_H
#define CONTROLLERS_HPA_STATUS_H
/* A HorizontalPodAutoscaler's status while it is worked out. Pure; strings are borrowed, or in the arena. */
#include "xb/arena.h"
#include "xb/json.h"

struct hpa_condition {
	struct xb_sv type, status, reason, message, since;
};
struct hpa_status {
	struct xb_arena *arena;
	struct hpa_condition *conditions;
	size_t n_conditions;
	int64_t current, desired;
	struct xb_sv last_scale;        /* a time; {} for never */
	const char *metrics;            /* currentMetrics as JSON; NULL: none */
};
int hpa_status_read(struct xb_arena *a, struct xb_jv hpa, struct hpa_status *ret); /* but its metrics. 0 or -ENOMEM */
/* Sets or adds one; its time changes with its status alone. 0 or -ENOMEM. */
int hpa_status_say(struct hpa_status *s, const char *type, bool status, const char *reason, const char *message, int64_t now);
/* Nothing is added to out when the object says so already. */
void hpa_status_write(const struct hpa_status *s, struct xb_jv hpa, struct xb_buf *out);

#endif
