/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <zlib.h>
#include "../../../../../userspace/kubelet/server/log_files.h"
#include "xb/file.h"

#define NOON INT64_C(1704110400000000)

static char folder[64], path[96];

static int setup(void **state)
{
	setenv("TZ", "UTC", 1);
	strcpy(folder, "/tmp/xebec-log-files-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/0.log", folder);
	return 0;
}

static const char *in_folder(const char *name)
{
	static char at[160];

	snprintf(at, sizeof(at), "%s/%s", folder, name);
	return at;
}

static void put(const char *name, const char *text)
{
	assert_int_equal(xb_file_write(in_folder(name), xb_sv(text), 0600), 0);
}

static bool is_there(const char *name)
{
	return !access(in_folder(name), F_OK);
}

static int teardown(void **state)
{
	static const char *const names[] = { "0.log", "0.log.20240101-120000", "0.log.20240101-120010", "0.log.20240101-120010.gz",
					     "0.log.20240101-120000.gz", "0.log.20240101-120020", "0.log.20240101-120030", "1.log.x" };

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		unlink(in_folder(names[i]));
	assert_int_equal(rmdir(folder), 0);
	return 0;
}

static char *rotate(const char *text, unsigned max_files, int64_t seconds)
{
	char *name = NULL;

	put("0.log", text);
	assert_int_equal(log_move(path, max_files, NOON + seconds * 1000000, &name), 0);
	assert_false(is_there("0.log"));
	return name;
}

static void sizes(void **state)
{
	uint64_t n;

	assert_int_equal(log_size(path, &n), -ENOENT);
	put("0.log", "four");
	assert_int_equal(log_size(path, &n), 0);
	assert_int_equal(n, 4);
	assert_int_equal(log_size(folder, &n), -EINVAL);
}

static void rotated(void **state)
{
	char *name = rotate("first", 3, 0), text[16] = {};
	gzFile z;

	assert_string_equal(name, "0.log.20240101-120000");
	free(name);
	put("1.log.x", "another's");
	free(rotate("second", 3, 10)); /* the first is compressed now that nobody writes to it */
	assert_false(is_there("0.log.20240101-120000"));
	assert_true(is_there("0.log.20240101-120010"));
	z = gzopen(in_folder("0.log.20240101-120000.gz"), "rb");
	assert_int_equal(gzread(z, text, sizeof(text)), 5);
	assert_string_equal(text, "first");
	gzclose(z);
	free(rotate("third", 3, 20)); /* three files: the log and two; the first goes */
	assert_false(is_there("0.log.20240101-120000.gz"));
	assert_true(is_there("0.log.20240101-120010.gz"));
	assert_true(is_there("0.log.20240101-120020"));
	free(rotate("fourth", 2, 30)); /* two: the log and one */
	assert_false(is_there("0.log.20240101-120010.gz"));
	assert_false(is_there("0.log.20240101-120020"));
	assert_true(is_there("0.log.20240101-120030"));
	assert_true(is_there("1.log.x"));
}

static void killed_meanwhile(void **state)
{
	put("0.log.20240101-120000", "first");
	put("0.log.20240101-120000.tmp", "half");
	put("0.log.20240101-120010", "second");
	put("0.log.20240101-120010.gz", "second, compressed");
	free(rotate("third", 5, 20));
	assert_true(is_there("0.log.20240101-120000.gz"));
	assert_false(is_there("0.log.20240101-120000.tmp"));
	assert_false(is_there("0.log.20240101-120000"));
	assert_false(is_there("0.log.20240101-120010"));
	assert_true(is_there("0.log.20240101-120010.gz"));
}

static void not_over_another(void **state)
{
	char *name;

	free(rotate("first", 5, 0));
	put("0.log", "second");
	put("0.log.20240101-120010", "in the way");
	assert_int_equal(log_move(path, 9, NOON + 10 * 1000000, &name), 0); /* compressed first, so the name is free */
	free(name);
	assert_true(is_there("0.log.20240101-120010.gz"));
}

static void back(void **state)
{
	char *name = rotate("first", 5, 0);

	log_move_back(path, name);
	assert_true(is_there("0.log"));
	assert_false(is_there(name));
	free(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sizes, setup, teardown), cmocka_unit_test_setup_teardown(rotated, setup, teardown),
		cmocka_unit_test_setup_teardown(killed_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(not_over_another, setup, teardown), cmocka_unit_test_setup_teardown(back, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
