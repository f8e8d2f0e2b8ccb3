/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The same calls, as each output has them. What goes to standard output is read from a file in its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
/* tests link libraries, and a tool has none: the files themselves */
#include "../../../../tools/xebec/print.c"
#include "../../../../tools/xebec/print_table.c"

static const struct column columns[] = {
	COLUMN("NAME", "name"), COLUMN("ADDRESSES", "addresses"), COLUMN("AGE", "ageSeconds"), WIDE_COLUMN("MEMORY", "memoryBytes"),
	WIDE_COLUMN("GOOD", "good"), { .name = "slot" },
};

static void print_rows(struct printer *p)
{
	print_cell(p, "%s/%s", "default", "web");
	print_cell_list(p);
	print_item(p, "10.0.0.%d", 1);
	print_item(p, "fd00::1");
	print_cell_list_end(p);
	print_cell_seconds(p, 200);
	print_cell_bytes(p, 12800);
	print_cell_bool(p, true);
	print_cell_number(p, 7);

	print_cell(p, "a \"quoted\" one");
	print_cell_list(p);
	print_cell_list_end(p);
	print_cell_none(p);
	print_cell_bytes(p, 12);
	print_cell_bool(p, false);
	print_cell_number(p, 18446744073709551u);
}

/* What a function prints; a new string. */
static char *printed(void (*print)(struct printer *p), const char *output)
{
	char path[] = "/tmp/print_table.XXXXXX", *text;
	int file = mkstemp(path), saved = dup(1);
	struct printer p;
	off_t n;

	assert_true(file >= 0 && saved >= 0);
	unlink(path);
	fflush(stdout);
	dup2(file, 1);
	print_begin(&p, output);
	print(&p);
	assert_int_equal(print_end(&p), 0);
	print_done(&p);
	dup2(saved, 1);
	close(saved);
	n = lseek(file, 0, SEEK_END);
	text = calloc(1, n + 1);
	assert_int_equal(pread(file, text, n, 0), n);
	close(file);
	return text;
}

static void check(void (*print)(struct printer *p), const char *output, const char *expected)
{
	_cleanup_free_ char *text = printed(print, output);

	assert_string_equal(text, expected);
}

static void print_one(struct printer *p)
{
	print_table(p, "things", columns, ARRAY_SIZE(columns));
	print_rows(p);
	print_table_end(p);
}

static void print_empty(struct printer *p)
{
	print_string(p, "of", "nothing");
	print_table(p, "things", columns, ARRAY_SIZE(columns));
	print_table_end(p);
}

static void print_watched(struct printer *p)
{
	print_stream(p, columns, ARRAY_SIZE(columns));
	print_rows(p);
	assert_int_equal(print_flush(p), 0);
	print_rows(p);
}

#define ROWS \
	"default/web      10.0.0.1,fd00::1   3m20s\n" \
	"a \"quoted\" one   <none>             <none>\n"
#define JSON1 "{\"name\":\"default/web\",\"addresses\":[\"10.0.0.1\",\"fd00::1\"],\"ageSeconds\":200,\"memoryBytes\":12800,\"good\":true,\"slot\":7}"
#define JSON2 "{\"name\":\"a \\\"quoted\\\" one\",\"addresses\":[],\"memoryBytes\":12,\"good\":false,\"slot\":18446744073709551}"

static void table(void **state)
{
	check(print_one, "text", "NAME             ADDRESSES          AGE\n" ROWS);
	check(print_one, "wide", "NAME             ADDRESSES          AGE      MEMORY    GOOD\n"
				  "default/web      10.0.0.1,fd00::1   3m20s    12.5KiB   true\n"
				  "a \"quoted\" one   <none>             <none>   12B       false\n");
	check(print_one, "json", "{\"things\":[" JSON1 "," JSON2 "]}\n");
}

static void nothing(void **state)
{
	check(print_empty, "text", "of: nothing\n\nNo things found.\n");
	check(print_empty, "json", "{\"of\":\"nothing\",\"things\":[]}\n");
}

static void stream(void **state)
{
	check(print_watched, "text", "NAME             ADDRESSES          AGE\n" ROWS ROWS);
	check(print_watched, "json", JSON1 "\n" JSON2 "\n" JSON1 "\n" JSON2 "\n");
}

static void print_durations(struct printer *p)
{
	static const struct column one[] = { COLUMN("S", "s") };
	static const uint64_t seconds[] = { 0, 119, 120, 599, 600, 10799, 10800, 28799, 172799, 172800, 691200 };

	print_table(p, "durations", one, 1);
	for (size_t i = 0; i < ARRAY_SIZE(seconds); i++)
		print_cell_seconds(p, seconds[i]);
	print_table_end(p);
}

static void durations(void **state)
{
	check(print_durations, "text", "S\n0s\n119s\n2m\n9m59s\n10m\n179m\n3h\n7h59m\n47h\n2d\n8d\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table), cmocka_unit_test(nothing), cmocka_unit_test(stream), cmocka_unit_test(durations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
