/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_HPA_CALCULATOR_H
#define CONTROLLERS_HPA_CALCULATOR_H
/*
 * From what pods use to how many there should be (upstream's podautoscaler/replica_calculator.go). Pure. Usage is in
 * thousandths; times are wall clock in microseconds.
 */
#include "xb/arena.h"
#include "xb/json.h"

struct hpa_sample {
	struct xb_sv pod;
	int64_t usage, time, window;    /* when it was taken, and over how long */
};
struct hpa_calculator {
	double tolerance;               /* a ratio nearer to 1 changes nothing */
	int64_t cpu_initialization, initial_readiness, now;
	struct xb_arena *arena;         /* of why */
	const struct xb_jv *pods;       /* all that the target selects */
	size_t n_pods;
	int64_t current;                /* replicas that are asked for now */
	const char *why;                /* after -EINVAL: in upstream's words */
};
struct hpa_proposal {
	int64_t replicas;
	int64_t usage;                  /* a pod's on average, or what was measured */
	int64_t utilization;            /* percent of what is requested */
};
/* samples are sorted. All return 0, -EINVAL or -ENOMEM. Without a container (""), a pod counts as a whole. */
int hpa_by_utilization(struct hpa_calculator *c, struct hpa_sample *samples, size_t n, struct xb_sv resource, struct xb_sv container,
		       int64_t percent, struct hpa_proposal *ret);
int hpa_by_usage(struct hpa_calculator *c, struct hpa_sample *samples, size_t n, struct xb_sv resource, int64_t target,
		 struct hpa_proposal *ret);
/* One value of all pods together, which should be target. */
int hpa_by_value(struct hpa_calculator *c, int64_t usage, int64_t target, struct hpa_proposal *ret);
/* One that should be target for each of the replicas that there are. */
void hpa_by_average(const struct hpa_calculator *c, int64_t usage, int64_t target, int64_t replicas, struct hpa_proposal *ret);

#endif
