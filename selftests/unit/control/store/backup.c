/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <fcntl.h>
#include <sys/stat.h>
#include "../../../../control/store/backup.h"
#include "fixture.h"

struct world {
	struct fixture f;
	char file[96], dir[96];      /* a snapshot, and where it is restored */
};

static int setup(void **state)
{
	struct world *w = malloc(sizeof(*w));

	fixture_init(&w->f);
	fixture_open(&w->f);
	snprintf(w->file, sizeof(w->file), "%s.snapshot", w->f.dir);
	snprintf(w->dir, sizeof(w->dir), "%s.restored", w->f.dir);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	fixture_done(&w->f);
	unlink(w->file);
	fixture_remove(w->dir);
	free(w);
	return 0;
}

static void expect(int r, const char *why)
{
	if (r)
		fail_msg("%d: %s", r, why ? why : "");
}

static void test_snapshot_of_a_served_store(void **state)
{
	_cleanup_(store_report_done) struct store_report taken = {}, served = {};
	_cleanup_free_ char *why = NULL;
	struct world *w = *state;
	struct stat st;
	uint64_t last;

	fixture_set(&w->f, "pods/ns/a", 1);
	fixture_set(&w->f, "pods/ns/b", 2);
	fixture_set(&w->f, "deployments.apps/ns/a", 3);
	last = fixture_set(&w->f, "pods/ns/b", -4);
	expect(store_snapshot(w->f.dir, w->file, &taken, &why), why);
	assert_int_equal(taken.revision, last);
	assert_int_equal(taken.rows, 4);
	assert_int_equal(taken.keys, 2);
	assert_int_equal(taken.n_kinds, 2);
	assert_string_equal(taken.kinds[0].name, "deployments.apps");
	assert_string_equal(taken.kinds[1].name, "pods");
	assert_int_equal(taken.kinds[1].keys, 1);
	assert_int_equal(stat(w->file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);

	/* the server goes on, and can be looked at beside the snapshot */
	last = fixture_set(&w->f, "pods/ns/c", 5);
	expect(store_inspect(w->f.dir, &served, &why), why);
	assert_int_equal(served.revision, last);
	assert_int_equal(served.keys, 3);
}

static void test_restore(void **state)
{
	_cleanup_(store_report_done) struct store_report taken = {}, restored = {};
	_cleanup_free_ char *why = NULL;
	struct world *w = *state;
	struct store_watch *watch;
	uint64_t snapshot, seen;

	snapshot = fixture_set(&w->f, "pods/ns/a", 1);
	expect(store_snapshot(w->f.dir, w->file, &taken, &why), why);
	for (int i = 0; i < 20; i++)
		seen = fixture_set(&w->f, "pods/ns/lost", i);
	expect(store_restore(w->file, w->dir, 1000, &restored, &why), why);
	assert_int_equal(restored.revision, snapshot + 1000);
	assert_int_equal(store_restore(w->file, w->dir, 1000, &restored, &why), -ENOTEMPTY);

	fixture_close(&w->f);
	w->f.config.data_dir = w->dir;
	fixture_open(&w->f);
	assert_int_equal(store_revision(w->f.s), snapshot + 1000);
	assert_int_equal(store_count(w->f.s, ""), 1);
	assert_int_equal(fixture_n(store_get(w->f.s, "pods/ns/a")), 1);
	assert_int_equal(store_watch_new(w->f.s, "", snapshot, NULL, NULL, &watch), -ESTALE);
	assert_int_equal(store_watch_new(w->f.s, "", seen, NULL, NULL, &watch), -ESTALE);
	assert_int_equal(fixture_set(&w->f, "pods/ns/a", 2), snapshot + 1001);
}

/* Every bit of a snapshot, in steps: it is told, and then nothing is restored, or it was in a place that carries nothing. */
static void test_no_damage_is_restored(void **state)
{
	_cleanup_(store_report_done) struct store_report taken = {};
	_cleanup_free_ char *why = NULL;
	struct world *w = *state;
	int refused = 0;

	for (int i = 0; i < 30; i++) {
		char key[32];

		snprintf(key, sizeof(key), "pods/ns/%d", i);
		fixture_set(&w->f, key, i);
	}
	expect(store_snapshot(w->f.dir, w->file, &taken, &why), why);
	for (off_t at = 0; at < (off_t)taken.file_bytes; at += 97) {
		_cleanup_(store_report_done) struct store_report report = {};
		_cleanup_close_ int fd = open(w->file, O_RDWR);
		_cleanup_free_ char *told = NULL, *told2 = NULL;
		char byte, changed;

		assert_int_equal(pread(fd, &byte, 1, at), 1);
		changed = byte ^ 0x20;
		assert_int_equal(pwrite(fd, &changed, 1, at), 1);
		if (store_inspect(w->file, &report, &told)) {
			assert_non_null(strstr(told, w->file));
			assert_true(store_restore(w->file, w->dir, 1000, &report, &told2) < 0);
			assert_int_equal(access(w->dir, F_OK), -1);
			refused++;
		} else {
			assert_int_equal(report.keys, taken.keys);
			assert_int_equal(report.bytes, taken.bytes);
		}
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	assert_in_range(refused, 20, 1000);
}

static void test_faults_are_sentences(void **state)
{
	_cleanup_(store_report_done) struct store_report report = {};
	_cleanup_free_ char *why = NULL, *why2 = NULL;
	struct world *w = *state;

	assert_int_equal(store_inspect("/nowhere/at/all", &report, &why), -ENOENT);
	assert_string_equal(why, "cannot read '/nowhere/at/all': No such file or directory");
	assert_int_equal(store_snapshot(w->f.dir, "/nowhere/at/all", &report, &why2), -ENOENT);
	assert_string_equal(why2, "cannot make '/nowhere/at/all.tmp': No such file or directory");
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_snapshot_of_a_served_store), T(test_restore), T(test_no_damage_is_restored), T(test_faults_are_sentences),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
