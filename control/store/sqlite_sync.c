/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include "sqlite_sync.h"

#define RESERVE 100000 /* revisions at a time: a relaxed load pays one sync for so many */

/* 0 when it cannot be known: then no boot is the same as another. */
static int64_t boot_id(void)
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	unsigned int high = 0, low = 0, middle = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%8x-%4x-%4x", &high, &middle, &low) != 3)
		high = middle = low = 0;
	fclose(f);
	return (int64_t)((uint64_t)high << 32 | middle << 16 | low);
}

static int read_int(sqlite3 *db, const char *sql, int64_t *ret)
{
	sqlite3_stmt *stmt = NULL;
	int code = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(stmt);
	if (code == SQLITE_ROW)
		*ret = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return code == SQLITE_ROW ? SQLITE_OK : code;
}

static int set_level(struct sqlite_sync *y, bool relaxed)
{
	int code;

	if (relaxed == y->relaxed)
		return SQLITE_OK;
	code = sqlite3_exec(y->db, relaxed ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL", NULL, NULL, NULL);
	if (!code)
		y->relaxed = relaxed;
	return code;
}

static int reserve(struct sqlite_sync *y, uint64_t revision)
{
	int code;

	sqlite3_bind_int64(y->reserve, 1, (int64_t)revision);
	sqlite3_bind_int64(y->reserve, 2, y->boot);
	code = sqlite3_step(y->reserve);
	sqlite3_reset(y->reserve);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* One transaction, synced: what was reserved is compacted, and reserved no more. */
static int give_up_reserved(struct sqlite_sync *y, uint64_t *compacted)
{
	static const char sql[] =
		"BEGIN IMMEDIATE;"
		"UPDATE meta SET value = (SELECT value FROM meta WHERE name = 'reserved') WHERE name = 'compacted';";
	int code = sqlite3_exec(y->db, sql, NULL, NULL, NULL);

	code = code ? code : reserve(y, 0);
	code = code ? code : sqlite3_exec(y->db, "COMMIT", NULL, NULL, NULL);
	if (code)
		return code;
	*compacted = y->reserved;
	y->reserved = 0;
	return SQLITE_OK;
}

int sqlite_sync_open(struct sqlite_sync *y, sqlite3 *db, uint64_t *compacted)
{
	int64_t reserved = 0, boot = 0, newest = 0;
	int code;

	y->db = db;
	y->boot = boot_id();
	code = sqlite3_prepare_v3(db, "INSERT INTO meta VALUES('reserved', ?), ('boot', ?)"
				  " ON CONFLICT(name) DO UPDATE SET value = excluded.value", -1, SQLITE_PREPARE_PERSISTENT, &y->reserve, NULL);
	code = code ? code : read_int(db, "SELECT coalesce(max(value), 0) FROM meta WHERE name = 'reserved'", &reserved);
	code = code ? code : read_int(db, "SELECT coalesce(max(value), 0) FROM meta WHERE name = 'boot'", &boot);
	code = code ? code : read_int(db, "SELECT coalesce(max(revision), 0) FROM revision", &newest);
	if (code)
		return code;
	y->reserved = (uint64_t)reserved;
	if (y->boot && boot == y->boot)
		return SQLITE_OK;
	if (reserved > MAX(newest, (int64_t)*compacted))
		return give_up_reserved(y, compacted);
	y->reserved = 0; /* with this boot's id it has to be written anew */
	return SQLITE_OK;
}

int sqlite_sync_begin(struct sqlite_sync *y, const struct store_batch *b)
{
	uint64_t last = 0;

	for (const struct store_write *w = b->relaxed ? b->writes : NULL; w; w = w->next)
		if (w->object)
			last = w->object->revision;
	y->asked = last > y->reserved ? last + RESERVE : 0;
	return set_level(y, b->relaxed && !y->asked);
}

int sqlite_sync_write(struct sqlite_sync *y)
{
	return y->asked ? reserve(y, y->asked) : SQLITE_OK;
}

void sqlite_sync_end(struct sqlite_sync *y, bool committed)
{
	if (committed && y->asked)
		y->reserved = y->asked;
}

void sqlite_sync_close(struct sqlite_sync *y)
{
	if (y->reserved && !set_level(y, false))
		(void)reserve(y, 0);
}
