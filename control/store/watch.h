/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef STORE_WATCH_H
#define STORE_WATCH_H
/*
 * Who waits for what. Watches of one prefix share a bucket; buckets stand in a hash table. A watch that has read all
 * there is rests in its bucket; a change that matches moves the bucket's resting watches to the woken list and sets their
 * cursors to itself, so a watch never scans what went by while it rested.
 */
#include <sys/queue.h>
#include "store.h"

struct store_bucket;
TAILQ_HEAD(store_watch_list, store_watch);
struct store_watches {
	struct store_bucket **table;
	size_t size, n_buckets;         /* size is a power of two, or 0 */
	struct store_watch_list woken;
};
void store_watches_init(struct store_watches *w);
void store_watches_done(struct store_watches *w);
/* The change with that sequence number was committed: wakes whom it concerns, without calling them. */
void store_watches_note(struct store_watches *w, const struct store_object *o, uint64_t sequence);
/* Calls ready of all that are woken. */
void store_watches_call(struct store_watches *w);

#endif
