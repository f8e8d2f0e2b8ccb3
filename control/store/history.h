/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef STORE_HISTORY_H
#define STORE_HISTORY_H
/*
 * The committed changes of the recent past: a ring, in order of revision. Events are numbered without gaps by a sequence
 * (revisions may have gaps, where a commit failed), which is what cursors hold. The history pays for the memory that
 * only it keeps alive: superseded versions and the last states of deleted keys. Loop thread only.
 */
#include "store.h"

struct store_change {
	uint64_t revision;
	struct store_object *object, *previous; /* referenced; previous is NULL when the key was new */
	uint32_t collection;                    /* store_collection() of the key */
	uint32_t second;                        /* when it was committed, on the caller's clock */
};
/* A row that nothing needs any more, since the change at revision "at" left the history: a revision's, or a part's. */
struct store_dead {
	uint64_t at, id;
	bool part;
};
struct store_history {
	struct store_change *ring;
	size_t cap;             /* a power of two, or 0 */
	uint64_t first, end;    /* sequence numbers: the oldest, and one after the newest */
	uint64_t compacted;     /* revision of the last change that left */
	uint64_t bytes;
	struct store_dead *dead; /* what the engine may delete, in order of "at" */
	size_t n_dead, cap_dead;
	bool lost;               /* there was no memory to note one: parts that it may name stay, too */
};
void store_history_done(struct store_history *h);

/* Room for n more, so that as many pushes cannot fail. 0 or -ENOMEM. */
int store_history_reserve(struct store_history *h, size_t n);
void store_history_push(struct store_history *h, struct store_object *o, struct store_object *previous, uint32_t second);
/* Lets changes go that are older than "oldest", and the oldest while there are more than max_bytes. */
void store_history_trim(struct store_history *h, uint64_t max_bytes, uint32_t oldest);

/* Sequence of the first change behind a revision. That revision must not be below h->compacted. */
uint64_t store_history_after(const struct store_history *h, uint64_t revision);
static inline const struct store_change *store_history_at(const struct store_history *h, uint64_t sequence)
{
	return &h->ring[sequence & (h->cap - 1)];
}

/* A row known to be unneeded; when there is no memory to note it, it stays in the file until the next start. */
void store_history_bury(struct store_history *h, uint64_t at, uint64_t revision);
void store_history_bury_part(struct store_history *h, uint64_t id); /* behind the rows that named it */
void store_history_buried(struct store_history *h, size_t n); /* the first n of dead are gone from the file */

/*
 * A number for the key's first part ("<collection>/"), 0 when it has no '/'. A scan compares it in the ring itself, and
 * looks at the key, elsewhere in memory, only of changes that may match.
 */
uint32_t store_collection(const char *key);
size_t store_object_memory(const struct store_object *o);

#endif
