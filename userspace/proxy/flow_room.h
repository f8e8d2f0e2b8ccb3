/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_FLOW_ROOM_H
#define PROXY_FLOW_ROOM_H
/* When a table of flows grows, and to what. */
#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

/*
 * A set for each open flow, so that two of its seven ways are in use by the flow's two entries: then of half a million flows one finds
 * both its sets full, of 600 flows one when four are in use. Only what is open counts, as the rest gives way: no flood of packets that
 * nobody answers makes a table grow.
 */
#define FLOW_ENTRIES_A_SET 2

struct flow_load {
	__u32 sets;                 /* that the table has */
	double open, gain;          /* entries of open flows: now, and how many more in a second */
};
/* How many sets it should have, a power of two times what it has: sets, twice as many, or more when it fills fast. */
__u32 flow_sets_wanted(const struct flow_load *l);

/* What is known of one table. */
struct flow_room {
	const void *sample;         /* its first sets */
	size_t sample_bytes;
	__u32 sampled, of;          /* how many; of the table when it had so many */
	struct flow_load load;      /* as it was found the last time */
	long long looked_ms;
	void *table, *old;          /* mapped while flows are copied; else NULL */
	size_t table_bytes, old_bytes;
	__u32 copied, refused;      /* sets of the old one; entries that found no room */
	bool full;                  /* it should be larger, and cannot; it has been told */
};

#endif
