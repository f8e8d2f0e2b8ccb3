/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_CRONJOB_SCHEDULE_H
#define CONTROLLERS_CRONJOB_SCHEDULE_H
/* When a CronJob's next job is due (upstream's pkg/controller/cronjob/utils.go). Pure; times are seconds since 1970. */
#include "xb/cron.h"

struct cronjob_due {
	int64_t at;                     /* the last time that has passed since; 0: none has */
	int64_t next;                   /* the first time after now; 0: never */
	bool too_many;                  /* over 100 times have passed */
};
/* since: the last schedule, or the creation. deadline: how late a job may begin, in seconds; -1: any time. */
struct cronjob_due cronjob_due(const struct xb_cron *c, const struct xb_zone *zone, int64_t since, int64_t deadline, int64_t now);

#endif
