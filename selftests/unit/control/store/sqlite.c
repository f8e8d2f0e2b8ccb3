/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "fixture.h"

static int setup(void **state)
{
	struct fixture *f = malloc(sizeof(*f));

	fixture_init(f);
	fixture_open(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fixture_done(*state);
	free(*state);
	return 0;
}

static void path_of(const struct fixture *f, const char *name, char buf[128])
{
	snprintf(buf, 128, "%s/%s", f->dir, name);
}

/* One number out of the file, as an operator reads it beside the running store. */
static int64_t ask(const struct fixture *f, const char *sql)
{
	char path[128];
	sqlite3 *db;
	sqlite3_stmt *stmt;
	int64_t n;

	path_of(f, "store.db", path);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return n;
}

static void test_state_and_history_survive(void **state)
{
	struct fixture *f = *state;
	struct store_watch *w;
	const struct store_event *e;
	uint64_t a = fixture_set(f, "pods/ns/a", 1);

	fixture_set(f, "pods/ns/b", 2);
	fixture_set(f, "pods/ns/a", 3);
	fixture_set(f, "pods/ns/b", -4);
	fixture_close(f);
	fixture_open(f);
	assert_int_equal(store_revision(f->s), 5);
	assert_int_equal(store_compacted(f->s), 1);
	assert_int_equal(store_count(f->s, ""), 1);
	assert_int_equal(store_get(f->s, "pods/ns/a")->revision, 4);
	assert_int_equal(store_get(f->s, "pods/ns/a")->created, a);

	assert_int_equal(store_watch_new(f->s, "pods/ns/", a, NULL, NULL, &w), 0);
	e = store_watch_next(w);
	assert_int_equal(e->revision, 3);
	assert_int_equal(e->type, STORE_ADDED);
	e = store_watch_next(w);
	assert_int_equal(e->revision, 4);
	assert_int_equal(e->type, STORE_MODIFIED);
	assert_int_equal(e->previous->revision, a);
	e = store_watch_next(w);
	assert_int_equal(e->revision, 5);
	assert_int_equal(e->type, STORE_DELETED);
	assert_int_equal(fixture_n(e->object), -4);
	assert_null(store_watch_next(w));
	store_watch_free(w);
	assert_int_equal(fixture_set(f, "pods/ns/b", 5), 6);
}

static void test_file_is_plain_sqlite(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	char path[128];

	fixture_set(f, "a", 7);
	fixture_set(f, "b", 8);
	fixture_set(f, "a", 9);
	fixture_set(f, "b", -1);
	assert_int_equal(ask(f, "SELECT count(*) FROM revision"), 4);
	assert_int_equal(ask(f, "SELECT count(*) FROM object"), 1);
	assert_int_equal(ask(f, "SELECT json_extract(value, '$.n') FROM object WHERE key = 'a'"), 9);
	path_of(f, "store.db-wal", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

/* The last one to leave a database folds its WAL away. An operator's sqlite3 must see that it is not the last. */
static void test_visitor_leaves_the_wal_alone(void **state)
{
	struct fixture *f = *state;
	struct stat before, after;
	char db[128], wal[128];
	int status;
	pid_t pid;

	path_of(f, "store.db", db);
	path_of(f, "store.db-wal", wal);
	fixture_set(f, "a", 1);
	assert_int_equal(stat(wal, &before), 0);
	pid = fork();
	if (!pid) {
		execlp("sqlite3", "sqlite3", db, "SELECT 1 FROM object WHERE key = ''", (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WEXITSTATUS(status) == 127)
		skip();
	assert_int_equal(status, 0);
	assert_int_equal(stat(wal, &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_true(after.st_size >= before.st_size);
	fixture_set(f, "b", 1);
	assert_int_equal(ask(f, "SELECT count(*) FROM object"), 2);
}

static void test_second_store_is_kept_out(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *why = NULL;
	struct store *s;

	assert_int_equal(store_open(&f->config, &s, &why), -EBUSY);
	assert_non_null(strstr(why, f->dir));
	assert_non_null(strstr(why, "another process"));
}

static void test_compaction(void **state)
{
	struct fixture *f = *state;
	uint64_t compacted, last;

	fixture_close(f);
	f->config.history_bytes = 20000;
	fixture_open(f);
	fixture_set(f, "kept", 1);
	fixture_set(f, "gone", 1);
	last = fixture_set(f, "gone", -1);
	for (int i = 0; i < 3000; i++)
		last = fixture_set(f, i % 2 ? "x" : "y", i);
	fixture_close(f);
	/* what is superseded goes in batches; what is deleted goes with its last state */
	assert_in_range(ask(f, "SELECT count(*) FROM revision"), 3, 1300);
	assert_int_equal(ask(f, "SELECT count(*) FROM revision WHERE key = 'gone'"), 0);
	compacted = ask(f, "SELECT value FROM meta WHERE name = 'compacted'");
	assert_in_range(compacted, 1500, last - 10);
	fixture_open(f);
	assert_true(store_compacted(f->s) >= compacted);
	assert_int_equal(store_revision(f->s), last);
	assert_int_equal(store_count(f->s, ""), 3);
	assert_int_equal(fixture_n(store_get(f->s, "kept")), 1);
	assert_int_equal(fixture_n(store_get(f->s, "x")), 2999);
	assert_null(store_get(f->s, "gone"));
}

static void test_revision_never_goes_back(void **state)
{
	struct fixture *f = *state;
	uint64_t last = 0;
	char key[16];

	/* all that is left of the newest revisions are rows that compaction deletes */
	fixture_close(f);
	f->config.history_bytes = 1;
	fixture_open(f);
	for (int i = 0; i < 600; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		fixture_set(f, key, 1);
	}
	for (int i = 0; i < 600; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		last = fixture_set(f, key, -1);
		fixture_sleep(f, 0);
	}
	fixture_sleep(f, 50);
	fixture_close(f);
	assert_true(ask(f, "SELECT count(*) FROM revision") < 600);
	fixture_open(f);
	assert_int_equal(store_revision(f->s), last);
	assert_int_equal(store_count(f->s, ""), 0);
}

static void overwrite(const struct fixture *f, const char *name, off_t at, const void *bytes, size_t n)
{
	char path[128];
	_cleanup_close_ int fd = -1;

	path_of(f, name, path);
	fd = open(path, O_RDWR);
	assert_int_equal(pwrite(fd, bytes, n, at), n);
}

static void expect_damaged(struct fixture *f, int error, const char *word)
{
	_cleanup_free_ char *why = NULL;
	int r = store_open(&f->config, &f->s, &why);

	if (r != error || !why || !strstr(why, word) || !strstr(why, f->dir))
		fail_msg("wanted %d with '%s', got %d: %s", error, word, r, why ? why : "");
}

/* Every byte of a small database, in steps: it is told, or it was in a place that carries nothing. */
static void test_every_change_of_a_row_is_told(void **state)
{
	struct fixture *f = *state;
	char path[128], byte;
	struct stat st;
	int told = 0;

	for (int i = 0; i < 60; i++) {
		char key[32];

		snprintf(key, sizeof(key), "configmaps/default/key-%d", i);
		fixture_set(f, key, i);
	}
	fixture_close(f);
	path_of(f, "store.db", path);
	assert_int_equal(stat(path, &st), 0);
	for (off_t at = 0; at < st.st_size; at += 293) {
		_cleanup_free_ char *why = NULL;
		_cleanup_close_ int fd = open(path, O_RDWR);
		char changed;
		int r;

		assert_int_equal(pread(fd, &byte, 1, at), 1);
		changed = byte ^ 0x10;
		overwrite(f, "store.db", at, &changed, 1);
		r = store_open(&f->config, &f->s, &why);
		if (r) {
			assert_non_null(why);
			assert_non_null(strstr(why, f->dir));
			told++;
		} else {
			for (int i = 0; i < 60; i++) {
				char key[32];

				snprintf(key, sizeof(key), "configmaps/default/key-%d", i);
				assert_int_equal(fixture_n(store_get(f->s, key)), i);
			}
			fixture_close(f);
		}
		overwrite(f, "store.db", at, &byte, 1);
	}
	assert_in_range(told, 20, 2000);
	fixture_open(f);
}

static void test_not_a_store(void **state)
{
	struct fixture *f = *state;
	char path[128];

	fixture_close(f);
	overwrite(f, "store.db", 60, "\0\0\0\4", 4);
	expect_damaged(f, -EPROTONOSUPPORT, "another version");
	overwrite(f, "store.db", 60, "\0\0\0\3", 4);
	overwrite(f, "store.db", 68, "ABCD", 4);
	expect_damaged(f, -EUCLEAN, "not a store of ours");
	overwrite(f, "store.db", 0, "garbage garbage!", 16);
	expect_damaged(f, -EUCLEAN, "damaged");
	path_of(f, "store.db", path);
	unlink(path);
	fixture_open(f);
	assert_int_equal(store_revision(f->s), 1);
}

/* The WAL cut off anywhere: what stood in whole commits before the cut is there, and nothing else. */
static void test_torn_wal(void **state)
{
	struct fixture *f = *state;
	char wal[128], db[128];
	_cleanup_free_ char *copy = NULL, *base = NULL;
	_cleanup_close_ int fd = -1, db_fd = -1;
	struct stat st, db_st;
	uint64_t before = 0;

	fixture_close(f);
	path_of(f, "store.db", db);
	path_of(f, "store.db-wal", wal);
	db_fd = open(db, O_RDWR);
	fstat(db_fd, &db_st);
	base = malloc(db_st.st_size);
	assert_int_equal(pread(db_fd, base, db_st.st_size, 0), db_st.st_size);
	fixture_open(f);
	for (int i = 0; i < 40; i++)
		fixture_set(f, i % 3 ? "a" : "b", i);
	fd = open(wal, O_RDONLY);
	fstat(fd, &st);
	copy = malloc(st.st_size);
	assert_int_equal(pread(fd, copy, st.st_size, 0), st.st_size);
	fixture_close(f);
	for (off_t cut = 0; cut <= st.st_size; cut += cut < 100 ? 13 : 8191) {
		_cleanup_close_ int out = open(wal, O_RDWR | O_CREAT | O_TRUNC, 0600);

		assert_int_equal(ftruncate(db_fd, db_st.st_size), 0);
		assert_int_equal(pwrite(db_fd, base, db_st.st_size, 0), db_st.st_size);
		assert_int_equal(write(out, copy, cut), cut);
		fixture_open(f);
		assert_in_range(store_revision(f->s), before, before + 1);
		before = store_revision(f->s);
		if (before > 2)
			assert_int_equal(fixture_n(store_get(f->s, before % 3 == 2 ? "b" : "a")), before - 2);
		fixture_close(f);
	}
	assert_in_range(before, 39, 41);
	fixture_open(f);
}

/* A full disk, made by a limit on the size of files: the kernel cuts a write short, then refuses. */
static void test_disk_full(void **state)
{
	struct fixture *f = *state;
	struct rlimit old, now = { 200000, RLIM_INFINITY };
	struct outcome out;
	struct store_stats stats;
	uint64_t last = 0;
	int i = 0, r;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	now.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
	do {
		r = fixture_put(f, "k", last, i++, &out);
		if (r)
			break;
		fixture_wait(f, &out);
		last = out.error ? last : out.revision;
	} while (!out.error && i < 5000);
	assert_int_equal(out.error, -EFBIG);
	assert_int_equal(store_get(f->s, "k")->revision, last);
	assert_int_equal(store_head(f->s, "k")->revision, last);
	assert_int_equal(fixture_put(f, "k", last, 0, &out), -EFBIG);

	setrlimit(RLIMIT_FSIZE, &old);
	for (store_stats(f->s, &stats); stats.write_error; store_stats(f->s, &stats))
		fixture_sleep(f, 100);
	assert_true(fixture_set(f, "k", 4711) > last);
	last = store_revision(f->s);
	fixture_close(f);
	fixture_open(f);
	assert_int_equal(store_revision(f->s), last);
	assert_int_equal(fixture_n(store_get(f->s, "k")), 4711);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_state_and_history_survive), T(test_file_is_plain_sqlite), T(test_visitor_leaves_the_wal_alone),
		T(test_second_store_is_kept_out),
		T(test_compaction), T(test_revision_never_goes_back), T(test_every_change_of_a_row_is_told),
		T(test_not_a_store), T(test_torn_wal), T(test_disk_full),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
