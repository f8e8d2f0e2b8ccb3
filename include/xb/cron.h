/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_CRON_H
#define XB_CRON_H
/*
 * A CronJob's schedule: five fields, minute, hour, day of month, month, day of week, each "*" or "?", a number, a range "a-b",
 * a step "x/n", or a list of those; months and days of the week also by name; or "@hourly", "@daily" ("@midnight"), "@weekly",
 * "@monthly", "@yearly" ("@annually"), "@every DURATION". In front there may be "TZ=zone " or "CRON_TZ=zone ".
 */
#include "xb/str.h"
#include "xb/zone.h"

struct xb_cron {
	uint64_t minutes, hours, days, months, weekdays; /* a bit for each that matches; Sunday is 0 */
	bool any_day, any_weekday;  /* was "*": of the two kinds of days, one that is "*" does not widen the other */
	int64_t every_seconds;      /* not 0: "@every", and nothing of the above */
	struct xb_sv zone;          /* of the prefix, in text; {} for none */
};
/* 0; -EINVAL with retwhy in robfig/cron's words; -ENOMEM. */
int xb_cron_parse(struct xb_sv text, struct xb_cron *ret, struct xb_buf *retwhy);
/*
 * The first time after that one, both in seconds since 1970, by the clocks of zone (NULL: UTC); 0 when there is none within five
 * years. What would be in an hour that clocks leave out is not; what is in an hour that they have twice is twice (as robfig/cron
 * does).
 */
int64_t xb_cron_next(const struct xb_cron *c, const struct xb_zone *zone, int64_t after);

#endif
