/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The disk fails at its n-th write, sync or truncation, for n all over a run with large and small writes, compaction and
 * checkpoints, some with relaxed writes; from then on everything fails, or that one call only. The faults are injected under
 * SQLite, by a VFS that passes everything on to the real one.
 */
#include <sqlite3.h>
#include "fixture.h"

static struct {
	_Atomic long count, at;   /* operations so far; the one that fails, 0 for none */
	bool lasting;
	int error;                /* EIO or ENOSPC */
} disk;

struct shim {
	sqlite3_file file;
	sqlite3_file *real;
};
static sqlite3_vfs shim_vfs, *real_vfs;
static sqlite3_io_methods methods;
#define REAL(f) (((struct shim *)(f))->real)
#define PASS(f, call, ...) REAL(f)->pMethods->call(REAL(f), ##__VA_ARGS__)

static bool broken(void)
{
	long n = ++disk.count;

	errno = disk.error;
	return disk.at && (disk.lasting ? n >= disk.at : n == disk.at);
}

static int shim_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	if (!broken())
		return PASS(f, xWrite, p, n, at);
	PASS(f, xWrite, p, n / 2, at);
	errno = disk.error;
	return disk.error == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int shim_sync(sqlite3_file *f, int flags)
{
	return broken() ? SQLITE_IOERR_FSYNC : PASS(f, xSync, flags);
}

static int shim_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	return broken() ? SQLITE_IOERR_TRUNCATE : PASS(f, xTruncate, size);
}

static int shim_close(sqlite3_file *f)
{
	int code = PASS(f, xClose);

	free(REAL(f));
	return code;
}

static int shim_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at) { return PASS(f, xRead, p, n, at); }
static int shim_size(sqlite3_file *f, sqlite3_int64 *ret) { return PASS(f, xFileSize, ret); }
static int shim_lock(sqlite3_file *f, int level) { return PASS(f, xLock, level); }
static int shim_unlock(sqlite3_file *f, int level) { return PASS(f, xUnlock, level); }
static int shim_reserved(sqlite3_file *f, int *ret) { return PASS(f, xCheckReservedLock, ret); }
static int shim_control(sqlite3_file *f, int op, void *arg) { return PASS(f, xFileControl, op, arg); }
static int shim_sector(sqlite3_file *f) { return PASS(f, xSectorSize); }
static int shim_traits(sqlite3_file *f) { return PASS(f, xDeviceCharacteristics); }
static int shim_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret)
{
	return PASS(f, xShmMap, page, size, extend, ret);
}

static int shim_shm_lock(sqlite3_file *f, int at, int n, int flags) { return PASS(f, xShmLock, at, n, flags); }
static void shim_barrier(sqlite3_file *f) { PASS(f, xShmBarrier); }
static int shim_unmap(sqlite3_file *f, int del) { return PASS(f, xShmUnmap, del); }

static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
	int code;

	f->pMethods = NULL;
	REAL(f) = calloc(1, real_vfs->szOsFile);
	code = real_vfs->xOpen(real_vfs, name, REAL(f), flags, ret_flags);
	if (code)
		free(REAL(f));
	else
		f->pMethods = &methods;
	return code;
}

static void install_shim(void)
{
	methods = (sqlite3_io_methods){
		.iVersion = 2, .xClose = shim_close, .xRead = shim_read, .xWrite = shim_write, .xTruncate = shim_truncate,
		.xSync = shim_sync, .xFileSize = shim_size, .xLock = shim_lock, .xUnlock = shim_unlock,
		.xCheckReservedLock = shim_reserved, .xFileControl = shim_control, .xSectorSize = shim_sector,
		.xDeviceCharacteristics = shim_traits, .xShmMap = shim_map, .xShmLock = shim_shm_lock,
		.xShmBarrier = shim_barrier, .xShmUnmap = shim_unmap,
	};
	real_vfs = sqlite3_vfs_find(NULL);
	shim_vfs = *real_vfs;
	shim_vfs.zName = "faults";
	shim_vfs.szOsFile = sizeof(struct shim);
	shim_vfs.xOpen = shim_open;
	sqlite3_vfs_register(&shim_vfs, 1);
}

/* What was acknowledged: by key, the revision; 0: there is no such key. */
#define KEYS 8
static uint64_t acked[KEYS];
static int faults; /* runs in which a write failed */

static const char *key(int i)
{
	static char buf[32];

	snprintf(buf, sizeof(buf), "configmaps/ns/%d", i);
	return buf;
}

/* Three writes of different size at once, some deletions between them; the first error. */
static int write_some(struct fixture *f, int round, char *big)
{
	static const int sizes[] = { 100, 6000, 700000 };
	struct outcome out[3] = {};
	int r = 0, keys[3];

	for (int i = 0; i < 3; i++) {
		int k = keys[i] = (round * 3 + i * 5) % KEYS;
		uint64_t head = revision_of(store_head(f->s, key(k)));
		int n = snprintf(big, 128, "{\"metadata\":{\"resourceVersion\":\"\"},\"pad\":\"");

		memset(big + n, 'x', sizes[i]);
		memcpy(big + n + sizes[i], "\"}", 2);
		r = store_put(f->s, key(k), head, &(struct store_value){ .bytes = { big, n + sizes[i] + 2 }, .hole = FIXTURE_HOLE },
			      fixture_done_cb, &out[i]);
		assert_int_equal(r, 0);
	}
	for (int i = 0; i < 3; i++) {
		fixture_wait(f, &out[i]);
		if (!out[i].error)
			acked[keys[i]] = out[i].revision;
		r = r ? r : out[i].error;
	}
	return r;
}

static void check(struct fixture *f)
{
	for (int i = 0; i < KEYS; i++) {
		assert_int_equal(revision_of(store_get(f->s, key(i))), acked[i]);
		assert_int_equal(revision_of(store_head(f->s, key(i))), acked[i]);
	}
}

/* The number of operations it took. */
static long one_run(long at, bool lasting, int error, char *big, bool wait)
{
	struct fixture f;
	struct store_stats stats = {};
	int r = 0;

	memset(acked, 0, sizeof(acked));
	disk.lasting = lasting;
	disk.error = error;
	disk.at = 0;
	disk.count = 0;
	fixture_init(&f);
	f.config.history_bytes = 1 << 20;
	fixture_open(&f);
	if (at % 3 == 2)
		assert_int_equal(store_relax(f.s, "configmaps/"), 0);
	disk.at = at ? disk.count + at : 0;
	for (int round = 0; round < 40 && !r; round++) {
		r = write_some(&f, round, big);
		check(&f);
	}
	/* a fault in a checkpoint hurts nobody: it is done again */
	if (r && r != -error)
		fail_msg("the fault at %ld gave %d", at, r);
	faults += r != 0;
	disk.at = 0;
	if (r && wait) {
		do {
			fixture_sleep(&f, 100);
			store_stats(f.s, &stats);
		} while (stats.write_error);
		assert_int_equal(write_some(&f, 1, big), 0);
		check(&f);
	}
	fixture_close(&f);
	fixture_open(&f);
	check(&f);
	fixture_done(&f);
	return disk.count;
}

static void test_fault_anywhere(void **state)
{
	_cleanup_free_ char *big = malloc(1 << 20);
	long operations, stride;

	install_shim();
	operations = one_run(0, false, 0, big, false);
	stride = operations / 25;
	assert_true(stride > 1);
	for (long at = 1, i = 0; at < operations; at += i < 12 ? 1 : stride, i++)
		one_run(at, i % 2, i % 4 < 2 ? EIO : ENOSPC, big, i % 20 == 7);
	sqlite3_vfs_unregister(&shim_vfs);
	print_message("%ld operations, %d runs with failed writes\n", operations, faults);
	assert_true(faults >= 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_fault_anywhere) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
