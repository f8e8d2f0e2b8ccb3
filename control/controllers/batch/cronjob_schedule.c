/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cronjob_schedule.h"

#define TOO_MANY 100

/* The last time up to now. Times need not be evenly spaced: looks from where it should be, then from further and further back. */
static int64_t last_due(const struct xb_cron *c, const struct xb_zone *zone, int64_t first, int64_t gap, int64_t missed, int64_t now)
{
	int64_t last = 0;

	for (int64_t back = 2; !last; back *= 2) {
		int64_t from = MAX(first, first + (missed - back) * gap);

		if (from == first)
			last = first;
		for (int64_t t = xb_cron_next(c, zone, from); t && t <= now; t = xb_cron_next(c, zone, t))
			last = t;
	}
	return last;
}

struct cronjob_due cronjob_due(const struct xb_cron *c, const struct xb_zone *zone, int64_t since, int64_t deadline, int64_t now)
{
	struct cronjob_due due = {};
	int64_t first, second, missed;

	/* what began before the deadline is not looked at: a cluster that was off for long has less to count */
	if (deadline >= 0 && now - deadline > since)
		since = now - deadline;
	first = xb_cron_next(c, zone, since);
	if (!first || first > now) {
		due.next = first;
		return due;
	}
	due.at = first;
	second = xb_cron_next(c, zone, first);
	if (second && second <= now) {
		missed = (now - first) / (second - first) + 1;
		due.too_many = missed > TOO_MANY && deadline < 0;
		due.at = last_due(c, zone, first, second - first, missed, now);
	}
	due.next = xb_cron_next(c, zone, now);
	/* "@every" counts from the last one */
	if (c->every_seconds)
		due.next = due.at + c->every_seconds;
	return due;
}
