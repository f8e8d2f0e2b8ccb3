/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef STORE_SQLITE_SYNC_H
#define STORE_SQLITE_SYNC_H
/*
 * Which commits of sqlite.c wait for the disk, and what keeps revisions unique when some did not. A relaxed batch goes into
 * the WAL without a sync. The next full commit syncs the whole WAL, and after a power failure SQLite reads it up to the first
 * frame that is not whole: so the newest commits may be gone, never one from the middle.
 *
 * A revision that was answered and then lost must not be given again, so no relaxed batch goes beyond "reserved", which is
 * on the disk before, with the kernel's boot id. Finding at the start that the file ends below it, and that the machine was
 * booted since, we cannot know what clients saw: everything up to "reserved" is compacted, so that they list again. Killed
 * alone, on the same boot, nothing is lost, as the kernel has the pages.
 */
#include <sqlite3.h>
#include "engine.h"

struct sqlite_sync {
	sqlite3 *db;
	sqlite3_stmt *reserve;
	uint64_t reserved, asked;   /* on the disk; to be, with the batch under way (0: nothing) */
	int64_t boot;
	bool relaxed;               /* what the connection is set to */
};
/* All return SQLite's codes. open may raise *compacted. */
int sqlite_sync_open(struct sqlite_sync *y, sqlite3 *db, uint64_t *compacted);
int sqlite_sync_begin(struct sqlite_sync *y, const struct store_batch *b); /* before the transaction */
int sqlite_sync_write(struct sqlite_sync *y);                              /* in it */
void sqlite_sync_end(struct sqlite_sync *y, bool committed);
void sqlite_sync_close(struct sqlite_sync *y); /* an orderly end: nothing is relaxed any more, and nothing reserved */

#endif
