/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SCHEDULER_SPREAD_ARGS_H
#define SCHEDULER_SPREAD_ARGS_H
/* PodTopologySpreadArgs: how pods without constraints of their own are spread. */
#include "plugin.h"

struct sched_spread_args {
	struct xb_json *doc;
	struct xb_jv constraints;       /* in it */
	bool system;                    /* defaultingType System: nodes without one of the keys are compared by the others */
};
/* args {}: upstream's default. 0; -EINVAL with a sentence in upstream's words, -ENOMEM. */
int sched_spread_args_read(struct sched_spread_args *a, struct xb_jv args, char **reterr_why);
void sched_spread_args_done(struct sched_spread_args *a);

#endif
