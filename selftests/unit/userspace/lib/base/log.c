/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "xb/json.h"
#include "xb/log.h"

/* What is written to stderr while log_it runs. */
static char *captured(void (*log_it)(void))
{
	int file = memfd_create("log", MFD_CLOEXEC), saved = dup(STDERR_FILENO);
	static char bytes[20000];
	ssize_t n;

	dup2(file, STDERR_FILENO);
	log_it();
	dup2(saved, STDERR_FILENO);
	close(saved);
	n = pread(file, bytes, sizeof(bytes) - 1, 0);
	close(file);
	bytes[n > 0 ? n : 0] = '\0';
	return bytes;
}

static void log_some(void)
{
	errno = EPERM;
	log_info("plain %d", 7);
	assert_int_equal(errno, EPERM);
	assert_int_equal(log_err_errno(-ENOENT, "cannot open '%s': %m", "x\ny\x1b[31m\xff"), -ENOENT);
	log_debug("not shown");
}

static void writes_klog(void **state)
{
	char *text, *second;

	xb_log_init("test", 2, false);
	text = captured(log_some);
	assert_int_equal(text[0], 'I');
	assert_non_null(strstr(text, " log.c:"));
	second = strchr(text, '\n');
	assert_int_equal(second[1], 'E');
	assert_non_null(strstr(text, "] plain 7\n"));
	assert_non_null(strstr(second, "] cannot open 'x\\ny\\x1b[31m\\xff': No such file or directory\n"));
	assert_null(strstr(text, "not shown"));
}

static void writes_json(void **state)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;
	char *text, *second;

	xb_log_init("test", 4, true);
	text = captured(log_some);
	assert_non_null(strstr(text, "not shown"));
	second = strchr(text, '\n') + 1;
	assert_int_equal(xb_json_parse((struct xb_sv){ second, strchr(second, '\n') - second }, NULL, &d, NULL), 0);
	assert_true(xb_jv_streq(xb_jv_get(xb_json_root(d), "msg"),
				XB_SV("cannot open 'x\ny\x1b[31m\xef\xbf\xbd': No such file or directory")));
	assert_true(xb_jv_streq(xb_jv_get(xb_json_root(d), "level"), XB_SV("error")));
	assert_true(xb_jv_double(xb_jv_get(xb_json_root(d), "ts")) > 1.6e12);
}

static void log_long(void)
{
	static char quotes[10000];

	memset(quotes, '"', sizeof(quotes) - 1);
	log_info("%s", quotes);
}

static void cuts_what_is_too_long(void **state)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;
	char *text;

	xb_log_init("test", 0, true);
	text = captured(log_long);
	assert_true(xb_sv_ends(xb_sv(text), "\"}\n"));
	assert_int_equal(xb_json_parse(xb_sv(text), NULL, &d, NULL), 0);
	assert_true(strlen(text) > 4000);
}

static void log_fields(void)
{
	static char long_text[5000];
	const struct xb_log_field fields[] = {
		{ "verb", XB_SV("GET"), 0 }, { "URI", XB_SV("/a?b=\"c\"\n"), 0 }, { "resp", {}, 200 }, { "long", { long_text, sizeof(long_text) }, 0 },
		{ "after", XB_SV("x"), 0 },
	};

	memset(long_text, '\\', sizeof(long_text));
	xb_log_fields("a/b.c", 7, 3, "HTTP", fields, ARRAY_SIZE(fields));
}

static void fields_are_klogs(void **state)
{
	char *text;

	xb_log_init("test", 3, false);
	text = captured(log_fields);
	assert_non_null(strstr(text, " b.c:7] \"HTTP\" verb=\"GET\" URI=\"/a?b=\\\"c\\\"\\n\" resp=200 long=\"\\\\"));
	assert_true(xb_sv_ends(xb_sv(text), "\" after=\"x\"\n"));
	assert_true(strlen(text) < 1500);
}

static void fields_are_members(void **state)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;
	struct xb_jv root;

	xb_log_init("test", 3, true);
	assert_int_equal(xb_json_parse(xb_sv(captured(log_fields)), NULL, &d, NULL), 0);
	root = xb_json_root(d);
	assert_true(xb_jv_streq(xb_jv_get(root, "msg"), XB_SV("HTTP")));
	assert_true(xb_jv_streq(xb_jv_get(root, "URI"), XB_SV("/a?b=\"c\"\n")));
	assert_int_equal(xb_jv_double(xb_jv_get(root, "resp")), 200);
	assert_int_equal(xb_jv_double(xb_jv_get(root, "v")), 3);
	assert_true(xb_jv_streq(xb_jv_get(root, "after"), XB_SV("x")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_klog),
		cmocka_unit_test(writes_json),
		cmocka_unit_test(cuts_what_is_too_long),
		cmocka_unit_test(fields_are_klogs),
		cmocka_unit_test(fields_are_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
