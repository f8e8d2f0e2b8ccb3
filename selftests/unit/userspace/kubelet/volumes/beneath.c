/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include "../../../../../userspace/kubelet/volumes/beneath.h"
#include "xb/str.h"

static char top[64];
static int dir;

static int setup(void **state)
{
	snprintf(top, sizeof(top), "/tmp/xb-beneath-XXXXXX");
	assert_non_null(mkdtemp(top));
	dir = open(top, O_RDONLY | O_DIRECTORY);
	assert_true(dir >= 0);
	return 0;
}

static int teardown(void **state)
{
	int tmp;

	close(dir);
	tmp = open("/tmp", O_PATH | O_DIRECTORY);
	assert_int_equal(beneath_remove(tmp, strrchr(top, '/') + 1), 0);
	close(tmp);
	assert_int_equal(access(top, F_OK), -1);
	return 0;
}

static void make(const char *path)
{
	int fd = beneath_mkdirs(dir, path, 0755, false);

	assert_true(fd >= 0);
	close(fd);
}

static void touch(const char *path)
{
	int fd = openat(dir, path, O_CREAT | O_WRONLY, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "12345", 5), 5);
	close(fd);
}

static int opened(int fd)
{
	if (fd >= 0)
		close(fd);
	return MIN(fd, 0);
}

static void links_are_not_followed(void **state)
{
	make("in/a");
	assert_int_equal(symlinkat("in", dir, "link"), 0);
	assert_int_equal(symlinkat("/etc", dir, "in/out"), 0);
	assert_int_equal(opened(beneath_open(dir, "in/a", O_PATH, 0)), 0);
	assert_int_equal(opened(beneath_open(dir, "link/a", O_PATH, 0)), -ELOOP);
	assert_int_equal(opened(beneath_open(dir, "in/../../x", O_PATH, 0)), -EXDEV);
	assert_int_equal(opened(beneath_mkdirs(dir, "link/b", 0755, false)), -ELOOP);
}

static void links_that_stay_are_followed(void **state)
{
	make("in/a");
	assert_int_equal(symlinkat("in", dir, "link"), 0);
	assert_int_equal(symlinkat("/etc", dir, "in/out"), 0);
	assert_int_equal(symlinkat("../..", dir, "in/up"), 0);
	assert_int_equal(symlinkat("nowhere", dir, "in/dangling"), 0);
	assert_int_equal(opened(beneath_resolve(dir, "link/a")), 0);
	assert_int_equal(opened(beneath_resolve(dir, "in/out")), -EXDEV);
	assert_int_equal(opened(beneath_resolve(dir, "in/up")), -EXDEV);
	assert_int_equal(opened(beneath_mkdirs(dir, "link/b/c", 0700, true)), 0);
	assert_int_equal(opened(beneath_resolve(dir, "in/b/c")), 0);
	assert_int_equal(opened(beneath_mkdirs(dir, "in/out/b", 0755, true)), -EXDEV);
	assert_int_equal(opened(beneath_mkdirs(dir, "in/dangling/b", 0755, true)), -ENOENT);
}

static void folders_get_their_mode(void **state)
{
	mode_t before = umask(077);
	struct stat st;

	assert_int_equal(opened(beneath_mkdirs(dir, "a//b/", 02775, false)), 0);
	umask(before);
	assert_int_equal(fstatat(dir, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 02775);
	assert_int_equal(fstatat(dir, "a/b", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 02775);
}

/* Deeper than a stack or a path could go. */
static void what_is_deep_is_removed(void **state)
{
	int at = dup(dir);

	for (int i = 0; i < 5000; i++) {
		int next;

		assert_int_equal(mkdirat(at, "deep", 0755), 0);
		assert_int_equal(mkdirat(at, "side", 0755), 0);
		assert_int_equal(mkdirat(at, "side/by", 0755), 0);
		next = openat(at, "deep", O_RDONLY | O_DIRECTORY);
		assert_true(next >= 0);
		close(at);
		at = next;
	}
	close(at);
	assert_int_equal(symlinkat("/etc", dir, "deep/link"), 0);
	touch("deep/file");
	assert_int_equal(beneath_remove(dir, "deep"), 0);
	assert_int_equal(beneath_remove(dir, "side"), 0);
	assert_int_equal(beneath_remove(dir, "side"), 0);
	assert_int_equal(access("/etc/passwd", F_OK), 0);
}

static int note(void *arg, int parent, const char *name, const struct stat *st)
{
	xb_buf_addf(arg, "%s%s ", name, S_ISDIR(st->st_mode) ? "/" : "");
	return 0;
}

static void walks_folders_after_what_is_in_them(void **state)
{
	_cleanup_buf_ struct xb_buf seen = {};

	make("a/b");
	touch("a/b/f");
	assert_int_equal(symlinkat("/etc", dir, "link"), 0);
	assert_int_equal(beneath_walk(dir, note, &seen), 0);
	assert_non_null(strstr(seen.p, "f b/ a/ "));
	assert_non_null(strstr(seen.p, "link "));
	assert_null(strstr(seen.p, "passwd"));
}

static void walks_so_deep_and_no_deeper(void **state)
{
	_cleanup_buf_ struct xb_buf path = {}, seen = {};

	for (unsigned i = 0; i < BENEATH_DEPTH; i++)
		xb_buf_adds(&path, "d/");
	make(path.p);
	assert_int_equal(beneath_walk(dir, note, &seen), 0);
	assert_int_equal(seen.n, BENEATH_DEPTH * strlen("d/ "));
	xb_buf_adds(&path, "d/");
	make(path.p);
	assert_int_equal(beneath_walk(dir, note, &seen), -EMLINK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(links_are_not_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(links_that_stay_are_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(folders_get_their_mode, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_deep_is_removed, setup, teardown),
		cmocka_unit_test_setup_teardown(walks_folders_after_what_is_in_them, setup, teardown),
		cmocka_unit_test_setup_teardown(walks_so_deep_and_no_deeper, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
