/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include "backup.h"
#include "engine.h"
#include "parts.h"
#include "xb/map.h"
#include "xb/why.h"

#define BUSY_MS 5000

void store_report_done(struct store_report *r)
{
	for (size_t i = 0; i < r->n_kinds; i++)
		free(r->kinds[i].name);
	free(r->kinds);
	*r = (struct store_report){};
}

/* --- looking --- */

struct seen {
	uint64_t bytes;
	bool deleted;
};
struct inspection {
	struct store_report report;
	struct xb_map *keys;        /* to struct seen, of each key's newest row */
	struct store_parts parts;
};

static void inspection_done(struct inspection *i)
{
	for (struct xb_map_it it = {}; i->keys && xb_map_next(i->keys, &it);)
		free(it.value);
	xb_map_free(i->keys);
	store_parts_done(&i->parts);
	store_report_done(&i->report);
}

static int inspect_row(void *arg, const struct store_row *row)
{
	const struct xb_json_limits limits = { .max_bytes = row->value.n };
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct inspection *i = arg;
	struct seen *seen = xb_map_get(i->keys, row->key);
	int r = xb_json_parse(row->value, &limits, &doc, NULL);

	if (!r && row->parts.n)
		r = store_parts_attach(&i->parts, doc, row->parts);
	if (r)
		return r;
	if (!seen) {
		seen = calloc(1, sizeof(*seen));
		if (!seen)
			return -ENOMEM;
		r = xb_map_set(i->keys, row->key, seen, NULL);
		if (r) {
			free(seen);
			return r;
		}
	}
	*seen = (struct seen){ row->value.n, row->deleted };
	i->report.revision = row->revision;
	i->report.rows++;
	return 0;
}

static int inspect_part(void *arg, uint64_t id, struct xb_sv value)
{
	struct inspection *i = arg;

	i->report.parts++;
	return store_parts_load(&i->parts, id, value);
}

static void let_go(void *arg, uint64_t id)
{
}

static int by_name(const void *a, const void *b)
{
	const struct store_kind_count *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int count_key(struct xb_map *kinds, struct xb_sv key)
{
	struct xb_sv kind;
	uintptr_t n;

	xb_sv_split(&key, '/', &kind);
	n = (uintptr_t)xb_map_get(kinds, kind);
	return xb_map_set(kinds, kind, (void *)(n + 1), NULL);
}

static int list_kinds(struct store_report *r, const struct xb_map *kinds)
{
	r->kinds = calloc(xb_map_count(kinds) + 1, sizeof(*r->kinds));
	if (!r->kinds)
		return -ENOMEM;
	for (struct xb_map_it it = {}; xb_map_next(kinds, &it);) {
		struct store_kind_count *k = &r->kinds[r->n_kinds];

		k->name = xb_sv_dup(it.key);
		if (!k->name)
			return -ENOMEM;
		k->keys = (uintptr_t)it.value;
		r->n_kinds++;
	}
	qsort(r->kinds, r->n_kinds, sizeof(*r->kinds), by_name);
	return 0;
}

static int count(struct inspection *i)
{
	_cleanup_(xb_map_freep) struct xb_map *kinds = xb_map_new(XB_MAP_COPY);
	int r = kinds ? 0 : -ENOMEM;

	for (struct xb_map_it it = {}; !r && xb_map_next(i->keys, &it);) {
		const struct seen *seen = it.value;

		if (seen->deleted)
			continue;
		i->report.keys++;
		i->report.bytes += seen->bytes;
		r = count_key(kinds, it.key);
	}
	return r ? r : list_kinds(&i->report, kinds);
}

static int find_file(const char *path, char **ret, struct stat *ret_st, char **reterr_why)
{
	_cleanup_free_ char *file = NULL;

	if (stat(path, ret_st) < 0)
		return xb_why(reterr_why, -errno, "cannot read '%s': %s", path, strerror(errno));
	if (asprintf(&file, S_ISDIR(ret_st->st_mode) ? "%s/store.db" : "%s", path) < 0)
		return -ENOMEM;
	if (stat(file, ret_st) < 0)
		return xb_why(reterr_why, -errno, "'%s' holds no store: cannot read '%s': %s", path, file, strerror(errno));
	*ret = TAKE_PTR(file);
	return 0;
}

int store_inspect(const char *path, struct store_report *ret, char **reterr_why)
{
	_cleanup_(inspection_done) struct inspection i = { .keys = xb_map_new(XB_MAP_COPY) };
	_cleanup_free_ char *file = NULL;
	struct stat st;
	void *e;
	int r;

	r = store_parts_init(&i.parts, let_go, NULL);
	if (!r)
		r = i.keys ? find_file(path, &file, &st, reterr_why) : -ENOMEM;
	if (!r)
		r = store_sqlite.peek(file, &e, &i.report.compacted, reterr_why);
	if (r)
		return r;
	r = store_sqlite.load(e, &(struct store_loader){ inspect_part, inspect_row, &i }, reterr_why);
	store_sqlite.close(e);
	if (!r)
		r = count(&i);
	if (r)
		return r;
	i.report.revision = MAX(i.report.revision, i.report.compacted);
	i.report.file_bytes = (uint64_t)st.st_size;
	*ret = i.report;
	i.report = (struct store_report){};
	return 0;
}

/* --- copying --- */

/* The folder's entry of a file that was made or renamed. */
static int sync_folder_of(const char *file)
{
	const char *slash = strrchr(file, '/');
	_cleanup_free_ char *folder = slash ? strndup(file, slash == file ? 1 : (size_t)(slash - file)) : strdup(".");
	_cleanup_close_ int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int sync_file(const char *file)
{
	_cleanup_close_ int fd = open(file, O_RDWR | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* An empty file of the right mode, which SQLite then fills; what a crash left under the name goes. */
static int make_empty(const char *file)
{
	_cleanup_close_ int fd = -1;

	if (unlink(file) < 0 && errno != ENOENT)
		return -errno;
	fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : 0;
}

static int run(sqlite3 *db, const char *sql, const char *text, int64_t n)
{
	sqlite3_stmt *stmt = NULL;
	int code = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	if (!code && text)
		code = sqlite3_bind_text(stmt, 1, text, -1, SQLITE_STATIC);
	else if (!code && sqlite3_bind_parameter_count(stmt))
		code = sqlite3_bind_int64(stmt, 1, n);
	if (!code)
		code = sqlite3_step(stmt);
	sqlite3_finalize(stmt);
	return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

/* The whole database at one moment, without its free pages, on the disk. */
static int copy_database(const char *from, const char *to, char **reterr_why)
{
	sqlite3 *db = NULL;
	int r = make_empty(to), code;

	if (r)
		return xb_why(reterr_why, r, "cannot make '%s': %s", to, strerror(-r));
	code = sqlite3_open_v2(from, &db, SQLITE_OPEN_READONLY, NULL);
	if (!code)
		sqlite3_busy_timeout(db, BUSY_MS);
	code = code ? code : run(db, "VACUUM INTO ?", to, 0);
	if (code)
		r = xb_why(reterr_why, -EIO, "cannot copy '%s' to '%s': %s", from, to, sqlite3_errmsg(db));
	sqlite3_close(db);
	if (!r)
		r = sync_file(to);
	return r;
}

/* A file that appears under its name when all is well, and is gone otherwise. */
static int appear(const char *temporary, const char *file, char **reterr_why)
{
	int r = rename(temporary, file) < 0 ? -errno : sync_folder_of(file);

	return r ? xb_why(reterr_why, r, "cannot write '%s': %s", file, strerror(-r)) : 0;
}

static char *temporary_of(const char *file)
{
	char *name;

	return asprintf(&name, "%s.tmp", file) < 0 ? NULL : name;
}

/* The source is to blame for what its copy shows. */
static int inspect_copy(const char *from, const char *copy, struct store_report *ret, char **reterr_why)
{
	_cleanup_free_ char *why = NULL;
	int r = store_inspect(copy, ret, &why);

	return r ? xb_why(reterr_why, r, "'%s' is damaged, and no snapshot was made; its copy: %s", from, why ? why : strerror(-r)) : 0;
}

int store_snapshot(const char *data_dir, const char *file, struct store_report *ret, char **reterr_why)
{
	_cleanup_free_ char *temporary = temporary_of(file), *from = NULL;
	struct store_report report = {};
	struct stat st;
	int r;

	r = temporary ? find_file(data_dir, &from, &st, reterr_why) : -ENOMEM;
	if (r)
		return r;
	r = copy_database(from, temporary, reterr_why);
	if (!r)
		r = inspect_copy(from, temporary, &report, reterr_why);
	if (!r)
		r = appear(temporary, file, reterr_why);
	if (r) {
		unlink(temporary);
		store_report_done(&report);
		return r;
	}
	*ret = report;
	return 0;
}

/* --- putting back --- */

static int obtain_empty_folder(const char *path, char **reterr_why)
{
	DIR *d;
	struct dirent *entry;
	int n = 0;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return xb_why(reterr_why, -errno, "cannot make the folder '%s': %s", path, strerror(errno));
	d = opendir(path);
	if (!d)
		return xb_why(reterr_why, -errno, "cannot read the folder '%s': %s", path, strerror(errno));
	while ((entry = readdir(d)))
		n += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	closedir(d);
	if (n)
		return xb_why(reterr_why, -ENOTEMPTY, "'%s' is not empty: restore into an empty or a new folder, or move away what is there", path);
	return 0;
}

static int mark_compacted(const char *file, uint64_t revision, char **reterr_why)
{
	sqlite3 *db = NULL;
	int code = sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE, NULL);

	code = code ? code : run(db, "UPDATE meta SET value = ? WHERE name = 'compacted'", NULL, (int64_t)revision);
	code = code ? code : run(db, "UPDATE meta SET value = 0 WHERE name = 'reserved'", NULL, 0);
	if (code)
		xb_why(reterr_why, -EIO, "cannot write '%s': %s", file, sqlite3_errmsg(db));
	sqlite3_close(db);
	return code ? -EIO : 0;
}

static int fill(const char *file, const char *temporary, const char *database, uint64_t bump, struct store_report *report,
		char **reterr_why)
{
	uint64_t revision = report->revision + bump;
	int r;

	r = copy_database(file, temporary, reterr_why);
	if (!r)
		r = mark_compacted(temporary, revision, reterr_why);
	if (!r)
		r = sync_file(temporary);
	if (!r)
		r = appear(temporary, database, reterr_why);
	if (!r)
		report->revision = report->compacted = revision;
	return r;
}

int store_restore(const char *file, const char *data_dir, uint64_t bump, struct store_report *ret, char **reterr_why)
{
	_cleanup_free_ char *database = NULL, *temporary = NULL;
	struct store_report report = {};
	int r;

	if (asprintf(&database, "%s/store.db", data_dir) < 0) {
		database = NULL;
		return -ENOMEM;
	}
	temporary = temporary_of(database);
	r = temporary ? store_inspect(file, &report, reterr_why) : -ENOMEM;
	if (!r && bump > INT64_MAX - report.revision)
		r = xb_why(reterr_why, -ERANGE, "the revision of '%s' cannot be raised by so much", file);
	if (!r)
		r = obtain_empty_folder(data_dir, reterr_why);
	if (!r) {
		r = fill(file, temporary, database, bump, &report, reterr_why);
		if (r)
			unlink(temporary);
	}
	if (!r)
		r = sync_folder_of(data_dir);
	if (r) {
		store_report_done(&report);
		return r;
	}
	*ret = report;
	return 0;
}
