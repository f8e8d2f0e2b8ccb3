/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../../../../userspace/kubelet/volumes/mounts.h"

static void finds_what_is_mounted_below(void **state)
{
	static const char text[] =
		"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
		"36 22 0:31 / /k/pods/u1/volumes/a rw,relatime shared:5 - tmpfs tmpfs rw\n"
		"37 22 0:32 / /k/pods/u11/volumes/a rw - tmpfs tmpfs rw\n"
		"38 36 8:1 /x /k/pods/u1/volumes/a/b\\040c\\134d rw - ext4 /dev/sda1 rw\n"
		"39 22 8:1 /y /other/k/pods/u1 rw - ext4 /dev/sda1 rw\n"
		"40 22 8:1 /z /k/pods/u1 rw - ext4 /dev/sda1 rw\n"
		"broken\n";
	_cleanup_(mounts_list_done) struct mounts_list l = {};

	assert_int_equal(mounts_read(XB_SV(text), "/k/pods/u1", &l), 0);
	assert_int_equal(l.paths.n, 3);
	assert_string_equal(l.paths.v[0], "/k/pods/u1/volumes/a");
	assert_string_equal(l.paths.v[1], "/k/pods/u1/volumes/a/b c\\d");
	assert_string_equal(l.paths.v[2], "/k/pods/u1");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(finds_what_is_mounted_below) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
