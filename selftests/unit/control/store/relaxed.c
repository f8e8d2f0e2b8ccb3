/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Relaxed writes: which commits wait for the disk (a VFS counts the syncs of the WAL), what a killed process leaves, and what
 * a power failure does, which is a WAL that ends where it was synced last, under another boot's id.
 */
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "fixture.h"

static struct {
	int count;
	sqlite3_int64 size;     /* of the WAL at the last one */
} *syncs;                       /* shared with the process that is killed */
static sqlite3_io_methods methods;
static const sqlite3_io_methods *real_methods;
static sqlite3_vfs counting, *real_vfs;

static int count_sync(sqlite3_file *f, int flags)
{
	syncs->count++;
	real_methods->xFileSize(f, &syncs->size);
	return real_methods->xSync(f, flags);
}

/* The real file with one method of its table exchanged. */
static int open_counted(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
	int code = real_vfs->xOpen(real_vfs, name, f, flags, ret_flags);

	if (code || !(flags & SQLITE_OPEN_WAL))
		return code;
	real_methods = f->pMethods;
	methods = *f->pMethods;
	methods.xSync = count_sync;
	f->pMethods = &methods;
	return code;
}

static int setup(void **state)
{
	struct fixture *f = malloc(sizeof(*f));

	syncs = mmap(NULL, sizeof(*syncs), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(syncs, MAP_FAILED);
	real_vfs = sqlite3_vfs_find(NULL);
	counting = *real_vfs;
	counting.zName = "counting";
	counting.xOpen = open_counted;
	sqlite3_vfs_register(&counting, 1);
	fixture_init(f);
	fixture_open(f);
	assert_int_equal(store_relax(f->s, "events/"), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fixture_done(*state);
	free(*state);
	sqlite3_vfs_unregister(&counting);
	munmap(syncs, sizeof(*syncs));
	return 0;
}

static void test_only_relaxed_batches_skip_the_sync(void **state)
{
	struct fixture *f = *state;
	struct outcome a, b;
	int before;

	fixture_set(f, "events/ns/first", 1); /* reserves revisions */
	before = syncs->count;
	for (int i = 0; i < 50; i++)
		fixture_set(f, "events/ns/e", i);
	fixture_set(f, "events/ns/e", -1);
	assert_int_equal(syncs->count, before);
	fixture_set(f, "pods/ns/p", 1);
	assert_int_equal(syncs->count, before + 1);
	assert_int_equal(fixture_put(f, "events/ns/e", 0, 1, &a), 0);
	assert_int_equal(fixture_put(f, "pods/ns/q", 0, 1, &b), 0);
	fixture_wait(f, &b);
	assert_int_equal(a.calls, 1);
	assert_int_equal(syncs->count, before + 2);
	fixture_set(f, "eventsx", 1);
	assert_int_equal(syncs->count, before + 3);
}

static void test_orderly_end_leaves_nothing_reserved(void **state)
{
	struct fixture *f = *state;
	uint64_t last = fixture_set(f, "events/ns/e", 1);

	fixture_close(f);
	fixture_open(f);
	assert_int_equal(store_revision(f->s), last);
	assert_int_equal(store_compacted(f->s), 1);
	assert_int_equal(fixture_set(f, "events/ns/e", 2), last + 1);
}

/* In a process that is killed; the last revision it was told. */
static uint64_t write_and_die(struct fixture *f, int n)
{
	uint64_t last = 0;
	int fds[2], status;
	pid_t pid;

	fixture_close(f);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		fixture_open(f);
		store_relax(f->s, "events/");
		for (int i = 0; i < n; i++)
			last = fixture_set(f, "events/ns/e", i);
		if (write(fds[1], &last, sizeof(last)) == sizeof(last))
			raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(read(fds[0], &last, sizeof(last)), sizeof(last));
	close(fds[0]);
	close(fds[1]);
	return last;
}

static void test_kill_loses_nothing(void **state)
{
	struct fixture *f = *state;
	uint64_t last = write_and_die(f, 30);
	struct store_watch *w;

	fixture_open(f);
	assert_int_equal(store_revision(f->s), last);
	assert_int_equal(fixture_n(store_get(f->s, "events/ns/e")), 29);
	/* a watch goes on where it was */
	assert_int_equal(store_watch_new(f->s, "events/", last - 3, NULL, NULL, &w), 0);
	for (int i = 0; i < 3; i++)
		assert_non_null(store_watch_next(w));
	store_watch_free(w);
	assert_int_equal(fixture_set(f, "events/ns/e", 1), last + 1);
}

static void edit(const struct fixture *f, const char *sql)
{
	char path[128];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/store.db", f->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* The newest rows are not there, and the machine was booted since. */
static void test_power_failure(void **state)
{
	struct fixture *f = *state;
	uint64_t pod = fixture_set(f, "pods/ns/p", 1), seen, now;
	struct store_watch *w;
	char wal[128];

	seen = write_and_die(f, 30);
	snprintf(wal, sizeof(wal), "%s/store.db-wal", f->dir);
	assert_int_equal(truncate(wal, syncs->size), 0);
	edit(f, "UPDATE meta SET value = value + 1 WHERE name = 'boot'");
	fixture_open(f);
	store_relax(f->s, "events/");
	assert_int_equal(fixture_n(store_get(f->s, "events/ns/e")), 0);
	assert_int_equal(store_get(f->s, "pods/ns/p")->revision, pod);
	/* who saw what is lost is told, and none of its revisions comes again */
	assert_int_equal(store_watch_new(f->s, "events/", seen, NULL, NULL, &w), -ESTALE);
	assert_int_equal(store_watch_new(f->s, "events/", seen - 25, NULL, NULL, &w), -ESTALE);
	now = store_revision(f->s);
	assert_true(now > seen);
	assert_int_equal(store_compacted(f->s), now);
	assert_int_equal(fixture_set(f, "events/ns/e", 1), now + 1);

	/* told once: the next start goes on as always */
	fixture_close(f);
	fixture_open(f);
	assert_int_equal(store_revision(f->s), now + 1);
	assert_int_equal(store_compacted(f->s), now);
}

/* On another boot nothing is compacted when the file reaches as far as anything was promised. */
static void test_nothing_lost_on_another_boot(void **state)
{
	struct fixture *f = *state;
	uint64_t last = write_and_die(f, 5);

	edit(f, "UPDATE meta SET value = value + 1 WHERE name = 'boot'; UPDATE meta SET value = 3 WHERE name = 'reserved'");
	fixture_open(f);
	assert_int_equal(store_revision(f->s), last);
	assert_int_equal(store_compacted(f->s), 1);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_only_relaxed_batches_skip_the_sync), T(test_orderly_end_leaves_nothing_reserved), T(test_kill_loses_nothing),
		T(test_power_failure), T(test_nothing_lost_on_another_boot),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
