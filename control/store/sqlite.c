/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include "parts.h"
#include "engine.h"
#include "sqlite_sync.h"

#define APPLICATION_ID 0x58454245 /* "XEBE", which file(1) shows */
#define FORMAT 3
#define PAGE_BYTES 16384          /* as the settings below say */
#define CHECKPOINT_PAGES 256      /* of WAL, 4 MiB, at which they are copied into the database while the next batch waits */
#define BUSY_MS 2000              /* somebody looks at the file with sqlite3 */

/* Names are stable: operators read them. A checksum covers the row's other columns. */
#define PART_TABLE "CREATE TABLE part(id INTEGER PRIMARY KEY, checksum INTEGER NOT NULL, value TEXT NOT NULL) STRICT;"
static const char schema[] =
	"PRAGMA application_id = 1480933957; PRAGMA user_version = 3;"
	"CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"INSERT INTO meta VALUES('compacted', 1), ('probes', 0);"
	"CREATE TABLE revision(revision INTEGER PRIMARY KEY, key TEXT NOT NULL, created INTEGER NOT NULL,"
	" deleted INTEGER NOT NULL, checksum INTEGER NOT NULL, value TEXT NOT NULL, parts TEXT) STRICT;"
	PART_TABLE
	"CREATE VIEW object AS SELECT key, max(revision) AS revision, created, value FROM revision"
	" GROUP BY key HAVING NOT deleted;";

/* Format 1 had no parts, and whoever wrote format 2 knew them in managedFields only: it would not find those that are elsewhere. */
static const char *const upgrades[FORMAT] = {
	[1] = "ALTER TABLE revision ADD COLUMN parts TEXT;" PART_TABLE "PRAGMA user_version = 3;",
	[2] = "PRAGMA user_version = 3;",
};

struct sqlite {
	int lock;
	char *path;
	sqlite3 *db;
	struct xb_buf parts;        /* of the row that is being appended */
	sqlite3_stmt *begin, *append, *forget, *append_part, *forget_part, *compact, *probe, *commit, *rollback, *pages, *free_pages;
	struct sqlite_sync sync;
	struct store_size size;
	bool failed;                /* a commit, since the last checkpoint */
	int wal_pages;              /* now, and at the last checkpoint of this WAL */
	int wal_copied;
};

/* To be called at once: a failed system call left its reason in errno; sqlite3_system_errno lacks that of a COMMIT. */
static int error_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	case SQLITE_CANTOPEN:
	case SQLITE_IOERR:
		return errno ? -errno : -EIO;
	default:
		return -EIO;
	}
}

static int explain(int error, char **reterr_why, const char *path, const char *what)
{
	int n;

	if (error == -EUCLEAN)
		n = asprintf(reterr_why, "store '%s' is damaged: %s. Move it away, and restore a snapshot (xebec store restore) or start empty",
			     path, what);
	else
		n = asprintf(reterr_why, "store '%s': %s (%s)", path, what, strerror(-error));
	if (n < 0)
		*reterr_why = NULL;
	return error;
}

static int fail(struct sqlite *e, int code, char **reterr_why)
{
	return explain(error_of(code), reterr_why, e->path, sqlite3_errmsg(e->db));
}

/*
 * Every step is a bijection of the state for given input, and of the input for a given state: a change within one word,
 * so any bit or byte that went wrong, always changes the result.
 */
static uint64_t mix(uint64_t state, uint64_t word)
{
	state = (state ^ word) * 0x9e3779b97f4a7c15;
	return state ^ state >> 32;
}

static uint64_t mix_bytes(uint64_t state, const char *p, size_t n)
{
	uint64_t word;

	state = mix(state, n);
	for (; n >= sizeof(word); p += sizeof(word), n -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		state = mix(state, word);
	}
	word = 0;
	memcpy(&word, p, n);
	return mix(state, word);
}

static int64_t checksum(const struct store_row *r)
{
	uint64_t state = mix(mix(mix(0, r->revision), r->created), r->deleted);

	state = mix_bytes(mix_bytes(state, r->key.p, r->key.n), r->value.p, r->value.n);
	return r->parts.n ? mix_bytes(state, r->parts.p, r->parts.n) : state;
}

static int64_t part_checksum(uint64_t id, struct xb_sv value)
{
	return mix_bytes(mix(0, id), value.p, value.n);
}

static int make_folder(const char *path, char **reterr_why)
{
	_cleanup_free_ char *parent = NULL;
	_cleanup_close_ int fd = -1;
	char *slash;

	if (mkdir(path, 0700) < 0) {
		if (errno == EEXIST)
			return 0;
		return explain(-errno, reterr_why, path, "cannot make the folder");
	}
	/* the folder's own entry must survive a power failure too */
	parent = strdup(path);
	if (!parent)
		return -ENOMEM;
	slash = strrchr(parent, '/');
	if (slash)
		slash[slash == parent] = 0;
	fd = open(slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return explain(-errno, reterr_why, path, "cannot sync the folder above it");
	return 0;
}

/* SQLite's own locks let readers in; this one keeps a second store out, and goes with the process. */
static int take_lock(struct sqlite *e, const char *data_dir, char **reterr_why)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/lock", data_dir) < 0)
		return -ENOMEM;
	e->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (e->lock < 0)
		return explain(-errno, reterr_why, path, "cannot open the lock file");
	if (flock(e->lock, LOCK_EX | LOCK_NB) < 0)
		return explain(errno == EWOULDBLOCK ? -EBUSY : -errno, reterr_why, data_dir, "another process has it open");
	return 0;
}

static int query_int(struct sqlite *e, const char *sql, int64_t *ret)
{
	sqlite3_stmt *stmt = NULL;
	int code = sqlite3_prepare_v2(e->db, sql, -1, &stmt, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(stmt);
	if (code == SQLITE_ROW)
		*ret = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return code == SQLITE_ROW ? SQLITE_OK : code == SQLITE_DONE ? SQLITE_CORRUPT : code;
}

static int wal_grew(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct sqlite *e = arg;

	e->wal_pages = pages;
	return SQLITE_OK;
}

/*
 * Made here for its mode, which SQLite gives the WAL as well. It is closed again before SQLite opens it, and nobody in
 * this process may open it later: closing any descriptor of a file drops the locks that the process has on it.
 */
static int make_file(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED);
	return 0;
}

static int execute_whole(struct sqlite *e, const char *sql)
{
	int code = sqlite3_exec(e->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	code = code ? code : sqlite3_exec(e->db, sql, NULL, NULL, NULL);
	return code ? code : sqlite3_exec(e->db, "COMMIT", NULL, NULL, NULL);
}

/* Is it a store, and of this version? */
static int identify(struct sqlite *e, char **reterr_why)
{
	int64_t application = 0, format = 0;
	int code = query_int(e, "PRAGMA application_id", &application);

	code = code ? code : query_int(e, "PRAGMA user_version", &format);
	if (code)
		return fail(e, code, reterr_why);
	if (application != APPLICATION_ID)
		return explain(-EUCLEAN, reterr_why, e->path, "it is not a store of ours");
	if (format != FORMAT)
		return explain(-EPROTONOSUPPORT, reterr_why, e->path, "its format is of another version of this program");
	return 0;
}

static int open_database(struct sqlite *e, char **reterr_why)
{
	static const char settings[] =
		/* three objects of 5 KB share a page of 16 KiB; pages of 4 KiB cost a third of the writes at 64 in a batch */
		"PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
		"PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF;";
	int64_t tables = 0, application = 0, format = 0;
	int code = make_file(e->path);

	if (code)
		return explain(code, reterr_why, e->path, "cannot open it for writing");
	errno = 0;
	code = sqlite3_open_v2(e->path, &e->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (code)
		return fail(e, code, reterr_why);
	sqlite3_extended_result_codes(e->db, 1);
	sqlite3_busy_timeout(e->db, BUSY_MS);
	code = sqlite3_exec(e->db, settings, NULL, NULL, NULL);
	if (!code)
		code = query_int(e, "SELECT count(*) FROM sqlite_schema", &tables);
	if (!code && !tables)
		code = execute_whole(e, schema);
	if (!code && !query_int(e, "PRAGMA application_id", &application) && application == APPLICATION_ID &&
	    !query_int(e, "PRAGMA user_version", &format) && format > 0 && format < FORMAT)
		code = execute_whole(e, upgrades[format]);
	if (code)
		return fail(e, code, reterr_why);
	sqlite3_wal_hook(e->db, wal_grew, e);
	return identify(e, reterr_why);
}

static int prepare(struct sqlite *e, char **reterr_why)
{
	const struct {
		sqlite3_stmt **stmt;
		const char *sql;
	} all[] = {
		{ &e->begin, "BEGIN IMMEDIATE" },
		{ &e->append, "INSERT INTO revision(revision, key, created, deleted, checksum, value, parts) VALUES(?, ?, ?, ?, ?, ?, ?)" },
		{ &e->forget, "DELETE FROM revision WHERE revision = ?" },
		{ &e->append_part, "INSERT INTO part(id, checksum, value) VALUES(?, ?, ?)" },
		{ &e->forget_part, "DELETE FROM part WHERE id = ?" },
		{ &e->compact, "UPDATE meta SET value = max(value, ?) WHERE name = 'compacted'" },
		{ &e->probe, "UPDATE meta SET value = value + 1 WHERE name = 'probes'" },
		{ &e->commit, "COMMIT" },
		{ &e->rollback, "ROLLBACK" },
		{ &e->pages, "PRAGMA page_count" },
		{ &e->free_pages, "PRAGMA freelist_count" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		int code = sqlite3_prepare_v3(e->db, all[i].sql, -1, SQLITE_PREPARE_PERSISTENT, all[i].stmt, NULL);

		if (code)
			return fail(e, code, reterr_why);
	}
	return 0;
}

static void sqlite_close(void *arg)
{
	struct sqlite *e = arg;
	sqlite3_stmt *stmt;

	sqlite_sync_close(&e->sync);
	while (e->db && (stmt = sqlite3_next_stmt(e->db, NULL)))
		sqlite3_finalize(stmt);
	sqlite3_close(e->db);
	xb_closep(&e->lock);
	xb_buf_done(&e->parts);
	free(e->path);
	free(e);
}

static void sqlite_closep(struct sqlite **e)
{
	if (*e)
		sqlite_close(*e);
}

static int read_compacted(struct sqlite *e, uint64_t *ret, char **reterr_why)
{
	int64_t compacted = 0;
	int code = query_int(e, "SELECT value FROM meta WHERE name = 'compacted'", &compacted);

	if (code)
		return fail(e, code, reterr_why);
	if (compacted < 1)
		return explain(-EUCLEAN, reterr_why, e->path, "its compacted revision is not one");
	*ret = (uint64_t)compacted;
	return 0;
}

static int read_pages(sqlite3_stmt *stmt, uint64_t *ret_bytes)
{
	int code = sqlite3_step(stmt);

	if (code == SQLITE_ROW)
		*ret_bytes = (uint64_t)sqlite3_column_int64(stmt, 0) * PAGE_BYTES;
	sqlite3_reset(stmt);
	return code == SQLITE_ROW ? SQLITE_OK : code;
}

static int measure(struct sqlite *e)
{
	uint64_t all = 0, free = 0;
	int code = read_pages(e->pages, &all);

	code = code ? code : read_pages(e->free_pages, &free);
	if (!code)
		e->size = (struct store_size){ all, all - free };
	return code;
}

static void sqlite_size(void *arg, struct store_size *ret)
{
	struct sqlite *e = arg;

	*ret = e->size;
}

static int sqlite_peek(const char *file, void **ret, uint64_t *ret_compacted, char **reterr_why)
{
	_cleanup_(sqlite_closep) struct sqlite *e = calloc(1, sizeof(*e));
	int code, r;

	if (!e)
		return -ENOMEM;
	e->lock = -1;
	e->path = strdup(file);
	if (!e->path)
		return -ENOMEM;
	if (access(file, R_OK) < 0)
		return explain(-errno, reterr_why, file, "cannot read it");
	errno = 0;
	code = sqlite3_open_v2(file, &e->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
	if (!code)
		code = sqlite3_busy_timeout(e->db, BUSY_MS);
	if (!code)
		code = sqlite3_exec(e->db, "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF; BEGIN", NULL, NULL, NULL);
	if (code)
		return fail(e, code, reterr_why);
	r = identify(e, reterr_why);
	r = r ? r : read_compacted(e, ret_compacted, reterr_why);
	if (!r)
		*ret = TAKE_PTR(e);
	return r;
}

static int sqlite_open(const char *data_dir, void **ret, uint64_t *ret_compacted, char **reterr_why)
{
	_cleanup_(sqlite_closep) struct sqlite *e = calloc(1, sizeof(*e));
	uint64_t compacted = 0;
	int r;

	if (!e)
		return -ENOMEM;
	e->lock = -1;
	if (asprintf(&e->path, "%s/store.db", data_dir) < 0) {
		e->path = NULL;
		return -ENOMEM;
	}
	r = make_folder(data_dir, reterr_why);
	r = r ? r : take_lock(e, data_dir, reterr_why);
	r = r ? r : open_database(e, reterr_why);
	r = r ? r : prepare(e, reterr_why);
	r = r ? r : read_compacted(e, &compacted, reterr_why);
	if (r)
		return r;
	r = sqlite_sync_open(&e->sync, e->db, &compacted);
	r = r ? r : measure(e);
	if (r)
		return fail(e, r, reterr_why);
	*ret_compacted = compacted;
	*ret = TAKE_PTR(e);
	return 0;
}

static int load_row(sqlite3_stmt *stmt, const struct store_loader *l)
{
	const struct store_row r = {
		.revision = sqlite3_column_int64(stmt, 0),
		.created = sqlite3_column_int64(stmt, 1),
		.deleted = sqlite3_column_int(stmt, 2),
		.key = { (const char *)sqlite3_column_text(stmt, 3), sqlite3_column_bytes(stmt, 3) },
		.value = { sqlite3_column_blob(stmt, 4), sqlite3_column_bytes(stmt, 4) },
		.parts = { sqlite3_column_blob(stmt, 6), sqlite3_column_bytes(stmt, 6) },
	};

	if (!r.key.p || !r.value.p)
		return -EBADMSG;
	if (checksum(&r) != sqlite3_column_int64(stmt, 5))
		return -EBADMSG;
	return l->row(l->arg, &r);
}

static int load_part(sqlite3_stmt *stmt, const struct store_loader *l)
{
	uint64_t id = sqlite3_column_int64(stmt, 0);
	struct xb_sv value = { sqlite3_column_blob(stmt, 1), sqlite3_column_bytes(stmt, 1) };

	if (!value.p || part_checksum(id, value) != sqlite3_column_int64(stmt, 2))
		return -EBADMSG;
	return l->part(l->arg, id, value);
}

static int load_table(struct sqlite *e, const char *sql, const char *what, int (*one)(sqlite3_stmt *stmt, const struct store_loader *l),
		      const struct store_loader *l, char **reterr_why)
{
	sqlite3_stmt *stmt;
	int code = sqlite3_prepare_v2(e->db, sql, -1, &stmt, NULL);
	int r = 0;

	if (code)
		return fail(e, code, reterr_why);
	while (!r && (code = sqlite3_step(stmt)) == SQLITE_ROW)
		r = one(stmt, l);
	if (r == -EBADMSG) {
		char text[64];

		snprintf(text, sizeof(text), "the row of %s %" PRId64 " has changed", what, (int64_t)sqlite3_column_int64(stmt, 0));
		r = explain(-EUCLEAN, reterr_why, e->path, text);
	} else if (!r && code != SQLITE_DONE) {
		r = fail(e, code, reterr_why);
	}
	sqlite3_finalize(stmt);
	return r;
}

static int sqlite_load(void *arg, const struct store_loader *l, char **reterr_why)
{
	struct sqlite *e = arg;
	int r;

	r = load_table(e, "SELECT id, value, checksum FROM part ORDER BY id", "part", load_part, l, reterr_why);
	return r ? r : load_table(e, "SELECT revision, created, deleted, key, value, checksum, parts FROM revision ORDER BY revision", "revision",
				  load_row, l, reterr_why);
}

static int run(sqlite3_stmt *stmt)
{
	int code = sqlite3_step(stmt);

	sqlite3_reset(stmt);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int append(struct sqlite *e, const struct store_object *o)
{
	struct store_row r = {
		.revision = o->revision,
		.created = o->created,
		.deleted = o->deleted,
		.key = { o->key, o->key_length },
		.value = xb_json_bytes(o->doc),
	};

	xb_buf_clear(&e->parts);
	store_uses_write(o->doc, &e->parts);
	if (e->parts.err)
		return SQLITE_NOMEM;
	r.parts = xb_buf_sv(&e->parts);
	sqlite3_bind_int64(e->append, 1, r.revision);
	sqlite3_bind_text(e->append, 2, r.key.p, r.key.n, SQLITE_STATIC);
	sqlite3_bind_int64(e->append, 3, r.created);
	sqlite3_bind_int(e->append, 4, r.deleted);
	sqlite3_bind_int64(e->append, 5, checksum(&r));
	sqlite3_bind_text(e->append, 6, r.value.p, r.value.n, SQLITE_STATIC);
	sqlite3_bind_text(e->append, 7, r.parts.n ? r.parts.p : NULL, r.parts.n, SQLITE_STATIC);
	return run(e->append);
}

static int append_part(struct sqlite *e, const struct store_part *part)
{
	struct xb_sv value = xb_json_bytes(part->value);

	sqlite3_bind_int64(e->append_part, 1, part->id);
	sqlite3_bind_int64(e->append_part, 2, part_checksum(part->id, value));
	sqlite3_bind_text(e->append_part, 3, value.p, value.n, SQLITE_STATIC);
	return run(e->append_part);
}

static int run_int(sqlite3_stmt *stmt, int64_t n)
{
	sqlite3_bind_int64(stmt, 1, n);
	return run(stmt);
}

static int transact(struct sqlite *e, const struct store_batch *b)
{
	int code = sqlite_sync_begin(&e->sync, b);

	code = code ? code : run(e->begin);
	for (const struct store_part *part = b->parts; !code && part; part = part->next)
		code = append_part(e, part);
	for (const struct store_write *w = b->writes; !code && w; w = w->next)
		if (w->object)
			code = append(e, w->object);
	for (size_t i = 0; !code && i < b->n_dead; i++)
		code = run_int(e->forget, b->dead[i]);
	for (size_t i = 0; !code && i < b->n_dead_parts; i++)
		code = run_int(e->forget_part, b->dead_parts[i]);
	if (!code && b->n_dead)
		code = run_int(e->compact, b->compacted);
	if (!code && !b->writes && !b->n_dead && !b->n_dead_parts)
		code = run(e->probe);
	code = code ? code : sqlite_sync_write(&e->sync);
	code = code ? code : measure(e);
	return code ? code : run(e->commit);
}

static int sqlite_commit(void *arg, const struct store_batch *b)
{
	struct sqlite *e = arg;
	int code, r;

	errno = 0;
	code = transact(e, b);
	r = error_of(code);
	sqlite_sync_end(&e->sync, !code);
	e->failed |= code != SQLITE_OK;
	if (code && !sqlite3_get_autocommit(e->db))
		run(e->rollback);
	return r;
}

/*
 * A checkpoint that fails, or stops at a reader, leaves the rest in the WAL: nothing is lost, a later one goes on. After a
 * failed commit one is due at once: pages of relaxed commits whose sync failed may never reach the WAL on the disk, and what
 * is committed behind such a gap would be lost with it.
 */
static void sqlite_tidy(void *arg)
{
	struct sqlite *e = arg;
	int pages, copied;

	if (e->wal_pages < e->wal_copied)
		e->wal_copied = 0;
	if (e->wal_pages - e->wal_copied < CHECKPOINT_PAGES && !e->failed)
		return;
	if (!sqlite3_wal_checkpoint_v2(e->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &copied) && copied == pages)
		e->failed = false;
	e->wal_copied = e->wal_pages;
}

const struct store_engine store_sqlite = {
	.name = "sqlite",
	.open = sqlite_open,
	.load = sqlite_load,
	.peek = sqlite_peek,
	.commit = sqlite_commit,
	.size = sqlite_size,
	.tidy = sqlite_tidy,
	.close = sqlite_close,
};
