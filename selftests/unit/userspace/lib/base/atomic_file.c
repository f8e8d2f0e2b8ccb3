/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "xb/file.h"

static char folder[] = "/tmp/xb-file-XXXXXX";
static char path[64], temporary[64];

static int make_folder(void **state)
{
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/state", folder);
	snprintf(temporary, sizeof(temporary), "%s/state.tmp", folder);
	return 0;
}

static int remove_folder(void **state)
{
	unlink(path);
	return rmdir(folder);
}

static void writes_and_reads(void **state)
{
	_cleanup_buf_ struct xb_buf b = {};
	struct stat st;

	assert_int_equal(xb_file_write(path, XB_SV("one"), 0644), 0);
	assert_int_equal(xb_file_write(path, XB_SV("two\0!"), 0600), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(access(temporary, F_OK), -1);
	xb_buf_adds(&b, ">");
	assert_int_equal(xb_file_read(path, 5, &b), 0);
	assert_int_equal(b.n, 6);
	assert_memory_equal(b.p, ">two\0!", 7);
}

static void replaces_leftovers(void **state)
{
	_cleanup_buf_ struct xb_buf b = {};

	assert_int_equal(symlink("/dev/null", temporary), 0);
	assert_int_equal(xb_file_write(path, XB_SV("new"), 0644), 0);
	assert_int_equal(xb_file_read(path, 100, &b), 0);
	assert_string_equal(b.p, "new");
}

static void says_what_is_wrong(void **state)
{
	_cleanup_buf_ struct xb_buf b = {};

	xb_buf_adds(&b, "kept");
	assert_int_equal(xb_file_read("/nonexistent", 10, &b), -ENOENT);
	assert_int_equal(xb_file_write(path, XB_SV("12345"), 0644), 0);
	assert_int_equal(xb_file_read(path, 4, &b), -EFBIG);
	assert_int_equal(xb_file_read("/dev/zero", 100000, &b), -EFBIG);
	assert_string_equal(b.p, "kept");
	assert_int_equal(xb_file_write("/nonexistent/x", XB_SV(""), 0644), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_and_reads),
		cmocka_unit_test(replaces_leftovers),
		cmocka_unit_test(says_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
