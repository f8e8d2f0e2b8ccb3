/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef STORE_ENGINE_H
#define STORE_ENGINE_H
/*
 * What keeps revisions durable: a list of rows, one for each revision, that is appended to in batches and thinned out
 * behind the history. It knows nothing of heads, readers or watches. open and load run on the loop's thread, before the
 * commit thread begins; commit and tidy on the commit thread; close after it has ended.
 */
#include "store.h"

struct store_write {
	struct store_write *next;
	struct store_object *object;  /* to be appended; NULL: a barrier, which waits in the queue and writes nothing */
	store_done done;
	void *arg;
	bool relaxed;                 /* its answer does not wait for the disk (store_relax) */
	bool patient;                 /* it may wait for others to share the commit */
	struct store_slot *slot;      /* write.c's: the key's, while the tree has this shape */
	uint64_t shape;
};
struct store_part;
struct store_batch {
	const struct store_part *parts;   /* new ones, which the writes refer to */
	const struct store_write *writes; /* in order of revision */
	const uint64_t *dead, *dead_parts; /* rows to delete */
	size_t n_dead, n_dead_parts;
	uint64_t compacted;               /* goes with dead: every row that is superseded at or before it may be gone */
	bool relaxed;                     /* all of it is: it may be committed without waiting for the disk */
};
struct store_row {
	uint64_t revision, created;
	bool deleted;
	struct xb_sv key, value;          /* key.p is zero-terminated */
	struct xb_sv parts;               /* offsets of parts' numbers in the value, as store_uses_write writes them; {}: none */
};
/* What a load calls; an error ends it, -EBADMSG meaning a damaged row. */
struct store_loader {
	int (*part)(void *arg, uint64_t id, struct xb_sv value); /* each part, in order of id, before any row */
	int (*row)(void *arg, const struct store_row *r);        /* each row, in order of revision */
	void *arg;
};

struct store_engine {
	const char *name;
	/* Takes the folder for this process, makes what is missing, finds the newest "compacted" (1 at first). Errors and
	 * *reterr_why as for store_open; the same for load. */
	int (*open)(const char *data_dir, void **ret, uint64_t *ret_compacted, char **reterr_why);
	int (*load)(void *e, const struct store_loader *l, char **reterr_why);
	/* The same for a file that another process may have open, or a snapshot: to be loaded and closed, as it is at one
	 * moment; nothing is taken, made or written. */
	int (*peek)(const char *file, void **ret, uint64_t *ret_compacted, char **reterr_why);
	/* All of it durable (0), or none of it ever seen by a load after another commit succeeded. A batch without
	 * anything in it still writes: it is the probe after a failure. A relaxed batch outlives the process, and is durable
	 * once a later one that is not relaxed is. Until then a power failure may take it, with all that came after it; its
	 * revisions are not used again, and open then calls them compacted. */
	int (*commit)(void *e, const struct store_batch *b);
	/* As of the last batch; between two batches only. */
	void (*size)(void *e, struct store_size *ret);
	/* Housekeeping after a batch; nobody waits for it but the next batch. */
	void (*tidy)(void *e);
	void (*close)(void *e);
};
extern const struct store_engine store_sqlite;

#endif
