/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_EVENTS_H
#define XEBEC_EVENTS_H
/* The rings of events, xb_drop and xb_new (xb/abi/event.h): the latest, and those that come. Nothing is taken away. */
#include "tables.h"
#include "target.h"

struct events {
	const struct tables *t;
	enum table_id ring;     /* TABLE_DROP, TABLE_NEW */
	__u64 next;             /* the number of the next event to read */
	__u64 lost;             /* events that were overwritten before they were read */
	__u64 awaited;          /* 1 + the number of the event that was not whole when it was looked at last */
};
/* oldest: begins with the oldest that the ring still has, else with the next that comes. */
void events_begin(const struct tables *t, enum table_id ring, bool oldest, struct events *ret);
bool events_next(struct events *e, struct xb_event *ret);       /* false: there is none, or it is being written; if it is still not whole
									 * at the next call it never will be, and is passed over */

/* When it happened, by the wall clock, in microseconds. */
int64_t event_time(const struct xb_event *e);
/* The client: an address with its port, or for a socket, which has none yet, the cookie of its network namespace. */
struct client_text {
	char s[64];
};
struct client_text event_client(const struct xb_event *e);

/* Follows a ring until standard output is closed, also where the agent replaces the tables meanwhile: each, which prints a
 * row or does not, is called for every event, first for those already read from e. Returns on failure alone. */
int events_follow(const struct target *target, struct events *e, struct printer *p,
		  void (*each)(void *arg, struct printer *p, const struct tables *t, const struct xb_event *event), void *arg,
		  char **reterr_why);

#endif
