/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include "../../../../../userspace/kubelet/node/machine.h"
#include "../../../../../userspace/kubelet/node/pressure.h"
#include "xb/file.h"

static char root[64];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	return remove(path);
}

static int setup(void **state)
{
	snprintf(root, sizeof(root), "/tmp/xb-machine-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state)
{
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *path, const char *text)
{
	char full[512];

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *slash = strchr(full + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
	assert_int_equal(xb_file_write(full, xb_sv(text), 0644), 0);
}

static void files_are_read(void **state)
{
	_cleanup_(machine_done) struct machine m = {};

	put("/etc/machine-id", "\n");
	put("/var/lib/dbus/machine-id", "abc\n");
	put("/proc/sys/kernel/random/boot_id", "b-1\n");
	put("/usr/lib/os-release", "NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n");
	put("/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "2\n");
	put("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "3\n");
	assert_int_equal(machine_read(root, &m), 0);
	assert_string_equal(m.machine_id, "abc");
	assert_string_equal(m.boot_id, "b-1");
	assert_string_equal(m.system_uuid, "");
	assert_string_equal(m.os_image, "Debian GNU/Linux 12 (bookworm)");
	assert_int_equal(m.huge_pages.n, 2);
	assert_int_equal(m.huge_pages.v[0].size, 2 << 20);
	assert_int_equal(m.huge_pages.v[0].bytes, 6 << 20);
}

static void what_is_left_is_seen(void **state)
{
	struct observation seen[SIGNALS];

	put("/meminfo", "MemTotal:       1000 kB\nMemFree:         300 kB\nActive(file): 7 kB\nInactive(file):    200 kB\n");
	put("/loadavg", "0.20 0.18 0.12 1/80 11206\n");
	put("/sys/kernel/pid_max", "100\n");
	put("/sys/kernel/threads-max", "1000\n");
	observe(root, root, NULL, seen);
	assert_int_equal(seen[SIGNAL_MEMORY].capacity, 1000 * 1024);
	assert_int_equal(seen[SIGNAL_MEMORY].available, 500 * 1024);
	assert_int_equal(seen[SIGNAL_PID].capacity, 100);
	assert_int_equal(seen[SIGNAL_PID].available, 20);
	assert_true(seen[SIGNAL_NODEFS].known && seen[SIGNAL_NODEFS].capacity >= seen[SIGNAL_NODEFS].available);
	assert_false(seen[SIGNAL_IMAGEFS].known);
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = { test(files_are_read), test(what_is_left_is_seen) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
