/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include "engine.h"

#define APPLICATION_ID 0x58454245 /* "XEBE", which file(1) shows */
#define FORMAT 1
#define CHECKPOINT_PAGES 256      /* of WAL, 4 MiB, at which they are copied into the database while the next batch waits */
#define BUSY_MS 2000              /* somebody looks at the file with sqlite3 */

/* Names are stable: operators read them. The checksum covers the row's other columns. */
static const char schema[] =
	"PRAGMA application_id = 1480933957; PRAGMA user_version = 1;"
	"CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"INSERT INTO meta VALUES('compacted', 1), ('probes', 0);"
	"CREATE TABLE revision(revision INTEGER PRIMARY KEY, key TEXT NOT NULL, created INTEGER NOT NULL,"
	" deleted INTEGER NOT NULL, checksum INTEGER NOT NULL, value TEXT NOT NULL) STRICT;"
	"CREATE VIEW object AS SELECT key, max(revision) AS revision, created, value FROM revision"
	" GROUP BY key HAVING NOT deleted;";

struct sqlite {
	int lock;
	char *path;
	sqlite3 *db;
	sqlite3_stmt *begin, *append, *forget, *compact, *probe, *commit, *rollback;
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
		n = asprintf(reterr_why, "store '%s' is damaged: %s. Restore it from a backup, or move it away to start empty",
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

	return mix_bytes(mix_bytes(state, r->key.p, r->key.n), r->value.p, r->value.n);
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

static int open_database(struct sqlite *e, char **reterr_why)
{
	static const char settings[] =
		/* three objects of 5 KB share a page of 16 KiB; pages of 4 KiB cost a third of the writes at 64 in a batch */
		"PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
		"PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF;";
	int64_t application = 0, format = 0, tables = 0;
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
	if (!code && !tables) {
		code = sqlite3_exec(e->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
		code = code ? code : sqlite3_exec(e->db, schema, NULL, NULL, NULL);
		code = code ? code : sqlite3_exec(e->db, "COMMIT", NULL, NULL, NULL);
	}
	code = code ? code : query_int(e, "PRAGMA application_id", &application);
	code = code ? code : query_int(e, "PRAGMA user_version", &format);
	if (code)
		return fail(e, code, reterr_why);
	if (application != APPLICATION_ID)
		return explain(-EUCLEAN, reterr_why, e->path, "it is not a store of ours");
	if (format != FORMAT)
		return explain(-EPROTONOSUPPORT, reterr_why, e->path, "its format is of another version of this program");
	sqlite3_wal_hook(e->db, wal_grew, e);
	return 0;
}

static int prepare(struct sqlite *e, char **reterr_why)
{
	const struct {
		sqlite3_stmt **stmt;
		const char *sql;
	} all[] = {
		{ &e->begin, "BEGIN IMMEDIATE" },
		{ &e->append, "INSERT INTO revision(revision, key, created, deleted, checksum, value) VALUES(?, ?, ?, ?, ?, ?)" },
		{ &e->forget, "DELETE FROM revision WHERE revision = ?" },
		{ &e->compact, "UPDATE meta SET value = max(value, ?) WHERE name = 'compacted'" },
		{ &e->probe, "UPDATE meta SET value = value + 1 WHERE name = 'probes'" },
		{ &e->commit, "COMMIT" },
		{ &e->rollback, "ROLLBACK" },
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

	while (e->db && (stmt = sqlite3_next_stmt(e->db, NULL)))
		sqlite3_finalize(stmt);
	sqlite3_close(e->db);
	xb_closep(&e->lock);
	free(e->path);
	free(e);
}

static void sqlite_closep(struct sqlite **e)
{
	if (*e)
		sqlite_close(*e);
}

static int sqlite_open(const char *data_dir, void **ret, uint64_t *ret_compacted, char **reterr_why)
{
	_cleanup_(sqlite_closep) struct sqlite *e = calloc(1, sizeof(*e));
	int64_t compacted = 0;
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
	if (r)
		return r;
	r = query_int(e, "SELECT value FROM meta WHERE name = 'compacted'", &compacted);
	if (r)
		return fail(e, r, reterr_why);
	if (compacted < 1)
		return explain(-EUCLEAN, reterr_why, e->path, "its compacted revision is not one");
	*ret_compacted = compacted;
	*ret = TAKE_PTR(e);
	return 0;
}


static int load_one(sqlite3_stmt *stmt, int (*row)(void *arg, const struct store_row *r), void *arg)
{
	const struct store_row r = {
		.revision = sqlite3_column_int64(stmt, 0),
		.created = sqlite3_column_int64(stmt, 1),
		.deleted = sqlite3_column_int(stmt, 2),
		.key = { (const char *)sqlite3_column_text(stmt, 3), sqlite3_column_bytes(stmt, 3) },
		.value = { sqlite3_column_blob(stmt, 4), sqlite3_column_bytes(stmt, 4) },
	};

	if (!r.key.p || !r.value.p)
		return -EBADMSG;
	if (checksum(&r) != sqlite3_column_int64(stmt, 5))
		return -EBADMSG;
	return row(arg, &r);
}

static int sqlite_load(void *arg, int (*row)(void *arg, const struct store_row *r), void *row_arg, char **reterr_why)
{
	static const char sql[] = "SELECT revision, created, deleted, key, value, checksum FROM revision ORDER BY revision";
	struct sqlite *e = arg;
	sqlite3_stmt *stmt;
	int code = sqlite3_prepare_v2(e->db, sql, -1, &stmt, NULL);
	int r = 0;

	if (code)
		return fail(e, code, reterr_why);
	while (!r && (code = sqlite3_step(stmt)) == SQLITE_ROW)
		r = load_one(stmt, row, row_arg);
	if (r == -EBADMSG) {
		char what[64];

		snprintf(what, sizeof(what), "the row of revision %" PRId64 " has changed", (int64_t)sqlite3_column_int64(stmt, 0));
		r = explain(-EUCLEAN, reterr_why, e->path, what);
	} else if (!r && code != SQLITE_DONE) {
		r = fail(e, code, reterr_why);
	}
	sqlite3_finalize(stmt);
	return r;
}

static int run(sqlite3_stmt *stmt)
{
	int code = sqlite3_step(stmt);

	sqlite3_reset(stmt);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int append(struct sqlite *e, const struct store_object *o)
{
	const struct store_row r = {
		.revision = o->revision,
		.created = o->created,
		.deleted = o->deleted,
		.key = { o->key, o->key_length },
		.value = xb_json_bytes(o->doc),
	};

	sqlite3_bind_int64(e->append, 1, r.revision);
	sqlite3_bind_text(e->append, 2, r.key.p, r.key.n, SQLITE_STATIC);
	sqlite3_bind_int64(e->append, 3, r.created);
	sqlite3_bind_int(e->append, 4, r.deleted);
	sqlite3_bind_int64(e->append, 5, checksum(&r));
	sqlite3_bind_text(e->append, 6, r.value.p, r.value.n, SQLITE_STATIC);
	return run(e->append);
}

static int run_int(sqlite3_stmt *stmt, int64_t n)
{
	sqlite3_bind_int64(stmt, 1, n);
	return run(stmt);
}

static int transact(struct sqlite *e, const struct store_batch *b)
{
	int code = run(e->begin);

	for (const struct store_write *w = b->writes; !code && w; w = w->next)
		if (w->object)
			code = append(e, w->object);
	for (size_t i = 0; !code && i < b->n_dead; i++)
		code = run_int(e->forget, b->dead[i]);
	if (!code && b->n_dead)
		code = run_int(e->compact, b->compacted);
	if (!code && !b->writes && !b->n_dead)
		code = run(e->probe);
	return code ? code : run(e->commit);
}

static int sqlite_commit(void *arg, const struct store_batch *b)
{
	struct sqlite *e = arg;
	int code, r;

	errno = 0;
	code = transact(e, b);
	r = error_of(code);
	if (code && !sqlite3_get_autocommit(e->db))
		run(e->rollback);
	return r;
}

/* A checkpoint that fails, or stops at a reader, leaves the rest in the WAL: nothing is lost, a later one goes on. */
static void sqlite_tidy(void *arg)
{
	struct sqlite *e = arg;

	if (e->wal_pages < e->wal_copied)
		e->wal_copied = 0;
	if (e->wal_pages - e->wal_copied < CHECKPOINT_PAGES)
		return;
	sqlite3_wal_checkpoint_v2(e->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	e->wal_copied = e->wal_pages;
}

const struct store_engine store_sqlite = {
	.name = "sqlite",
	.open = sqlite_open,
	.load = sqlite_load,
	.commit = sqlite_commit,
	.tidy = sqlite_tidy,
	.close = sqlite_close,
};
