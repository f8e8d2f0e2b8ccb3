/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_NODE_ZONES_H
#define CONTROLLERS_NODE_ZONES_H
/*
 * How fast nodes that are not ready are emptied (upstream's handleDisruption): each zone lets one after the other have its taint
 * NoExecute, at a rate that falls when many of the zone are not ready; when no node of any zone is ready, it is the control plane
 * that sees nothing, and none is emptied. Pure; times are monotonic milliseconds. One thread.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include "xb/macro.h"
#include "xb/str.h"

struct zone_rules {
	double rate, secondary_rate;    /* nodes a second; in a zone of which many are not ready */
	double unhealthy_threshold;     /* the part that is many, if it is three or more */
	int large_cluster;              /* smaller zones, of which many are not ready, wait */
};
struct zone;
struct zone_member {                    /* what a zone keeps in the caller's record of a node; begins as {} */
	TAILQ_ENTRY(zone_member) next;
	bool waits;
};

struct zones;
struct zones *zones_new(const struct zone_rules *rules);        /* copied; NULL without memory */
struct zones *zones_free(struct zones *z);                      /* its members are the caller's */
XB_DEFINE_CLEANUP(struct zones *, zones_free)
struct zone *zones_obtain(struct zones *z, struct xb_sv key);   /* lives as long as z; NULL without memory */

void zones_count_begin(struct zones *z);
void zones_count(struct zone *zone, bool ready);
/* After the nodes were counted: sets the zones' rates. STOPPED: from now on no node is to have the taint. RESUMED: from now on
 * they may again. */
enum zones_turn { ZONES_SAME, ZONES_STOPPED, ZONES_RESUMED };
enum zones_turn zones_judge(struct zones *z, int64_t now);
bool zones_stopped(const struct zones *z);

void zone_wait(struct zone *zone, struct zone_member *m);       /* if it does not yet */
void zone_leave(struct zone *zone, struct zone_member *m);      /* if it waits */
struct zone_member *zones_next(struct zones *z, int64_t now);   /* whose turn it is, and no longer waits; NULL: nobody's */
int64_t zones_wait_ms(const struct zones *z, int64_t now);      /* until the next turn; -1: nobody waits for one */

#endif
