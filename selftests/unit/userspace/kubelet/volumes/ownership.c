/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include "../../../../../userspace/kubelet/volumes/beneath.h"
#include "../../../../../userspace/kubelet/volumes/ownership.h"
#include "xb/str.h"

#define GROUP 3456

static char top[64];
static int dir;

static void touch(const char *path, mode_t mode)
{
	int fd = openat(dir, path, O_CREAT | O_WRONLY, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static int setup(void **state)
{
	snprintf(top, sizeof(top), "/tmp/xb-ownership-XXXXXX");
	assert_non_null(mkdtemp(top));
	dir = open(top, O_RDONLY | O_DIRECTORY);
	assert_true(dir >= 0);
	assert_int_equal(mkdirat(dir, "in", 0700), 0);
	touch("in/file", 0640);
	touch("in/program", 04711);
	assert_int_equal(symlinkat("/etc/hostname", dir, "in/link"), 0);
	return 0;
}

static int teardown(void **state)
{
	int tmp = open("/tmp", O_PATH | O_DIRECTORY);

	close(dir);
	assert_int_equal(beneath_remove(tmp, strrchr(top, '/') + 1), 0);
	close(tmp);
	return 0;
}

static void assert_is(const char *path, gid_t group, mode_t mode)
{
	struct stat st;

	assert_int_equal(fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_gid, group);
	if (!S_ISLNK(st.st_mode))
		assert_int_equal(st.st_mode & 07777, mode);
}

static void gives_all_of_it(void **state)
{
	struct stat before, after;

	assert_int_equal(stat("/etc/hostname", &before), 0);
	assert_int_equal(ownership_give(dir, GROUP, false, false), 0);
	assert_is(".", GROUP, 02770);
	assert_is("in", GROUP, 02770);
	assert_is("in/file", GROUP, 0660);
	assert_is("in/program", GROUP, 04771);
	assert_is("in/link", GROUP, 0);
	assert_int_equal(stat("/etc/hostname", &after), 0);
	assert_int_equal(after.st_gid, before.st_gid);
	assert_int_equal(after.st_mode, before.st_mode);
}

static void gives_to_read_alone(void **state)
{
	assert_int_equal(ownership_give(dir, GROUP, true, false), 0);
	assert_is("in", GROUP, 02750);
	assert_is("in/file", GROUP, 0640);
}

static void leaves_what_has_the_root_right(void **state)
{
	assert_int_equal(fchown(dir, -1, GROUP), 0);
	assert_int_equal(ownership_give(dir, GROUP, false, true), 0);
	assert_is("in/file", GROUP, 0660);
	touch("in/later", 0600);
	assert_int_equal(fchownat(dir, "in/later", 0, 0, 0), 0);
	assert_int_equal(ownership_give(dir, GROUP, false, true), 0);
	assert_is("in/later", 0, 0600);
	assert_int_equal(ownership_give(dir, GROUP, false, false), 0);
	assert_is("in/later", GROUP, 0660);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(gives_all_of_it, setup, teardown),
		cmocka_unit_test_setup_teardown(gives_to_read_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(leaves_what_has_the_root_right, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
