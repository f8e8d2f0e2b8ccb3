/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include "../../../../../userspace/kubelet/volumes/atomic.h"
#include "../../../../../userspace/kubelet/volumes/beneath.h"
#include "xb/file.h"

static struct test {
	char path[64];
	int dir;
	struct volume_files files;
	int owned;
} t;

static int setup(void **state)
{
	t = (struct test){ .path = "/tmp/xb-atomic-XXXXXX" };
	assert_non_null(mkdtemp(t.path));
	t.dir = open(t.path, O_RDONLY | O_DIRECTORY);
	assert_true(t.dir >= 0);
	return 0;
}

static int teardown(void **state)
{
	int tmp;

	volume_files_done(&t.files);
	close(t.dir);
	tmp = open("/tmp", O_PATH | O_DIRECTORY);
	assert_int_equal(beneath_remove(tmp, strrchr(t.path, '/') + 1), 0);
	close(tmp);
	return 0;
}

static void put(const char *path, const char *text, mode_t mode)
{
	struct volume_file *f = volume_files_add(&t.files, xb_sv(path), mode);

	assert_non_null(f);
	xb_buf_adds(&f->bytes, text);
}

static void start_over(void)
{
	volume_files_done(&t.files);
}

static int own(void *arg, int dir)
{
	t.owned++;
	return 0;
}

static int write_now(void)
{
	return atomic_write(t.dir, &t.files, own, NULL);
}

static void assert_file(const char *name, const char *text)
{
	_cleanup_buf_ struct xb_buf path = {}, bytes = {};

	xb_buf_addf(&path, "%s/%s", t.path, name);
	if (!text) {
		assert_int_equal(access(path.p, F_OK), -1);
		return;
	}
	assert_int_equal(xb_file_read(path.p, 4096, &bytes), 0);
	assert_string_equal(bytes.p ? bytes.p : "", text);
}

static void link_of(const char *name, char ret[256])
{
	ssize_t n = readlinkat(t.dir, name, ret, 255);

	assert_true(n > 0);
	ret[n] = '\0';
}

static int count_entries(void)
{
	_cleanup_dir_ DIR *d = beneath_entries(t.dir);
	int n = 0;

	while (readdir(d))
		n++;
	return n - 2;
}

static void lays_out_as_upstream(void **state)
{
	char data[256], link[256];
	struct stat st;

	put("a", "one", 0600);
	put("b/c", "two", 0644);
	assert_int_equal(write_now(), 1);
	assert_file("a", "one");
	assert_file("b/c", "two");
	link_of("..data", data);
	assert_int_equal(strncmp(data, "..2", 3), 0);
	link_of("a", link);
	assert_string_equal(link, "..data/a");
	link_of("b", link);
	assert_string_equal(link, "..data/b");
	assert_int_equal(fstatat(t.dir, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(fstatat(t.dir, "..data/b", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(count_entries(), 4);
	assert_int_equal(t.owned, 1);
}

static void writes_when_something_differs(void **state)
{
	char before[256], after[256];

	put("a", "one", 0644);
	put("b", "two", 0644);
	assert_int_equal(write_now(), 1);
	link_of("..data", before);
	assert_int_equal(write_now(), 0);
	link_of("..data", after);
	assert_string_equal(before, after);

	start_over();
	put("a", "onf", 0644);
	put("b", "two", 0644);
	assert_int_equal(write_now(), 1);
	link_of("..data", after);
	assert_string_not_equal(before, after);
	assert_file(before, NULL);
	assert_file("a", "onf");
	assert_int_equal(count_entries(), 4);

	start_over();
	put("b", "two", 0644);
	assert_int_equal(write_now(), 1);
	assert_file("a", NULL);
	assert_file("b", "two");
	assert_int_equal(count_entries(), 3);

	start_over();
	put("b", "two and more", 0644);
	assert_int_equal(write_now(), 1);
	assert_file("b", "two and more");
	start_over();
	assert_int_equal(write_now(), 1);
	assert_int_equal(count_entries(), 2);
	assert_int_equal(write_now(), 0);
}

/* Between any two steps of a write the next one finds what it needs. */
static void goes_on_after_a_kill(void **state)
{
	put("a", "one", 0644);
	put("d/e", "two", 0644);
	assert_int_equal(write_now(), 1);
	assert_int_equal(mkdirat(t.dir, "..2001_01_01_00_00_00.1", 0755), 0);
	assert_int_equal(mkdirat(t.dir, "..2001_01_01_00_00_00.1/d", 0755), 0);
	assert_int_equal(symlinkat("..2001_01_01_00_00_00.1", t.dir, "..data_tmp"), 0);
	assert_int_equal(unlinkat(t.dir, "a", 0), 0);
	assert_int_equal(write_now(), 0);
	assert_file("a", "one");
	assert_int_equal(count_entries(), 4);

	/* as left by one who was killed between the rename and what follows */
	start_over();
	put("a", "new", 0644);
	assert_int_equal(symlinkat("..2001_01_01_00_00_00.1", t.dir, "..data_tmp"), 0);
	assert_int_equal(write_now(), 1);
	assert_file("a", "new");
	assert_int_equal(count_entries(), 3);
}

static void a_folder_that_fails_is_not_left(void **state)
{
	put("a", "one", 0644);
	assert_int_equal(write_now(), 1);
	start_over();
	put("a", "one", 0644);
	put("a/b", "cannot be", 0644);
	assert_int_equal(write_now(), -ENOTDIR);
	assert_file("a", "one");
	assert_int_equal(count_entries(), 3);
}

static void a_later_file_of_the_same_path_replaces(void **state)
{
	put("./x//y", "one", 0600);
	put("x/y", "two", 0644);
	assert_int_equal(t.files.v.n, 1);
	assert_int_equal(write_now(), 1);
	assert_file("x/y", "two");
}

static void paths_stay_below(void **state)
{
	static const char *const bad[] = { "", ".", "./", "/a", "..", "../a", "a/../b", "a/..", "..a", "..data/x" };
	static const char *const good[] = { "a", "a/b", "a..b", "a/..b", ".a", "a/.../b" };
	char name[300] = "";

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(atomic_check_path(xb_sv(bad[i]), NULL), -EINVAL);
	for (unsigned i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(atomic_check_path(xb_sv(good[i]), NULL), 0);
	memset(name, 'n', 256);
	assert_int_equal(atomic_check_path(xb_sv(name), NULL), -EINVAL);
	name[255] = '\0';
	assert_int_equal(atomic_check_path(xb_sv(name), NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lays_out_as_upstream, setup, teardown),
		cmocka_unit_test_setup_teardown(writes_when_something_differs, setup, teardown),
		cmocka_unit_test_setup_teardown(goes_on_after_a_kill, setup, teardown),
		cmocka_unit_test_setup_teardown(a_folder_that_fails_is_not_left, setup, teardown),
		cmocka_unit_test_setup_teardown(a_later_file_of_the_same_path_replaces, setup, teardown),
		cmocka_unit_test(paths_stay_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
