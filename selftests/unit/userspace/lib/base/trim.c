/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "xb/trim.h"

/* EDGE: what lies beside the table is used, and brings pages of the table along. */
enum { PAGE = 4096, PAGES = 1200, EDGE = 64 };

/* Of the program's own file, and more pages than are looked at at once. */
static const char table[PAGES][PAGE] __attribute__((aligned(PAGE))) = { [0] = "first", [600] = "middle", [PAGES - 1] = "last" };

static int resident(const void *at, int pages)
{
	int fd = open("/proc/self/pagemap", O_RDONLY), n = 0;
	uint64_t entry;

	assert_true(fd >= 0);
	for (int i = 0; i < pages; i++) {
		assert_int_equal(pread(fd, &entry, sizeof(entry), ((uintptr_t)at / PAGE + i) * sizeof(entry)), sizeof(entry));
		n += entry >> 63;
	}
	close(fd);
	return n;
}

static void touch_all(void)
{
	for (int i = 0; i < PAGES; i++)
		(void)*(volatile const char *)table[i];
	assert_int_equal(resident(table, PAGES), PAGES);
}

static void what_is_as_in_its_file_goes_and_comes_back(void **state)
{
	touch_all();
	xb_trim();
	assert_int_equal(resident(table[EDGE], PAGES - 2 * EDGE), 0);
	assert_string_equal(table[0], "first");
	assert_string_equal(table[600], "middle");
	assert_string_equal(table[PAGES - 1], "last");
}

static void what_was_written_stays(void **state)
{
	volatile char *page = (volatile char *)table[600];

	touch_all();
	assert_int_equal(mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE), 0);
	page[PAGE - 1] = 7;
	assert_int_equal(mprotect((void *)page, PAGE, PROT_READ), 0);
	xb_trim();
	assert_int_equal(resident(table[EDGE], PAGES - 2 * EDGE), 1);
	assert_int_equal(page[PAGE - 1], 7);
	assert_string_equal((char *)page, "middle");
}

#ifndef __SANITIZE_ADDRESS__ /* which has a malloc of its own */
static void free_heap_goes(void **state)
{
	enum { BLOCKS = 4096, SIZE = 4096 };
	static char *blocks[BLOCKS];
	char *inside;

	for (int i = 0; i < BLOCKS; i++) {
		blocks[i] = malloc(SIZE);
		assert_non_null(blocks[i]);
		memset(blocks[i], 1, SIZE);
	}
	inside = (char *)(((uintptr_t)blocks[BLOCKS / 2] + PAGE) / PAGE * PAGE);
	for (int i = 0; i < BLOCKS - 1; i++)    /* the last one keeps the heap's end where it is */
		free(blocks[i]);
	assert_int_equal(resident(inside, 1), 1);
	xb_trim();
	assert_int_equal(resident(inside, 1), 0);
	free(blocks[BLOCKS - 1]);
}
#endif

static void a_trimmer_leaves_the_loop(void **state)
{
	struct xb_trimmer *t = NULL;
	uv_loop_t loop;

	uv_loop_init(&loop);
	assert_int_equal(xb_trimmer_new(&loop, &t), 0);
	assert_true(uv_loop_alive(&loop));
	assert_null(xb_trimmer_free(t));
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_as_in_its_file_goes_and_comes_back),
		cmocka_unit_test(what_was_written_stays),
#ifndef __SANITIZE_ADDRESS__
		cmocka_unit_test(free_heap_goes),
#endif
		cmocka_unit_test(a_trimmer_leaves_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
