/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include "xb/flags.h"

struct options {
	const char *name, *format, *address;
	struct sockaddr_storage endpoint;
	char **plugins;
	bool dry;
	int port, level;
	int64_t period, size;
	double rate;
	const char *from, *to;
};
static const struct xb_flag rows[] = {
	XB_FLAG(STRING, struct options, name, "name", "x", "Generic", "Its name."),
	XB_FLAG(CHOICE, struct options, format, "logging-format", "text", "Generic", "How to log.", .choices = "text|json"),
	XB_FLAG(ADDRESS, struct options, address, "bind-address", "::", "Serving", "Where to listen."),
	XB_FLAG(ENDPOINT, struct options, endpoint, "healthz-bind-address", "0.0.0.0:10256", "Serving", "Health.", .max = 10256),
	XB_FLAG(LIST, struct options, plugins, "plugins", "a,b", "Serving", "Plugins."),
	XB_FLAG(BOOL, struct options, dry, "dry", "false", "Serving", "Change nothing."),
	XB_FLAG(PORT, struct options, port, "secure-port", "6443", "Serving", "The port.", .min = 1),
	XB_FLAG(INT, struct options, level, "v", "0", "Logging", "Verbosity.", .max = 10, .letter = 'v'),
	XB_FLAG(DURATION, struct options, period, "period", "1h", "Logging", "How often."),
	XB_FLAG(BYTES, struct options, size, "size", "8589934592", "Logging", "How much."),
	XB_FLAG(NUMBER, struct options, rate, "rate", "0.1", "Logging", "How fast."),
	XB_FLAG(ARGUMENT, struct options, from, "from", NULL, "", ""),
	XB_FLAG(ARGUMENT, struct options, to, "to", NULL, "", ""),
};

struct run {
	struct options o;
	char *why;
};

static int parse(struct run *run, char *const argv[])
{
	int argc = 1;

	*run = (struct run){};
	while (argv[argc])
		argc++;
	return xb_flags_parse(rows, ARRAY_SIZE(rows), argc, argv, &run->o, &run->why);
}
#define PARSE(run, ...) parse((run), (char *const[]){ "prog", __VA_ARGS__ __VA_OPT__(,) NULL })

static void run_done(struct run *run)
{
	xb_flags_done(rows, ARRAY_SIZE(rows), &run->o);
	free(run->why);
}

static void defaults(void **state)
{
	_cleanup_(run_done) struct run run;

	assert_int_equal(PARSE(&run), 0);
	assert_string_equal(run.o.name, "x");
	assert_string_equal(run.o.address, "::");
	assert_string_equal(run.o.plugins[1], "b");
	assert_null(run.o.plugins[2]);
	assert_int_equal(run.o.port, 6443);
	assert_int_equal(run.o.period, 3600000);
	assert_int_equal(run.o.endpoint.ss_family, AF_INET);
	assert_int_equal(run.o.size, INT64_C(8589934592));
	assert_true(run.o.rate == 0.1);
	assert_null(run.o.from);
	assert_false(run.o.dry);
}

static void words_that_are_no_flags(void **state)
{
	_cleanup_(run_done) struct run run;

	assert_int_equal(PARSE(&run, "here", "--size", "12", "-v", "2", "there"), 0);
	assert_string_equal(run.o.from, "here");
	assert_string_equal(run.o.to, "there");
	assert_int_equal(run.o.size, 12);
}

static void every_form(void **state)
{
	_cleanup_(run_done) struct run run;

	assert_int_equal(PARSE(&run, "--name=a=b", "--secure-port", "80", "--dry", "-v4", "--logging_format", "json", "--period=1m1.5s",
			       "--plugins=c", "--plugins", "d,e", "--healthz-bind-address=[::1]:99"), 0);
	assert_string_equal(run.o.name, "a=b");
	assert_int_equal(run.o.port, 80);
	assert_true(run.o.dry);
	assert_int_equal(run.o.level, 4);
	assert_string_equal(run.o.format, "json");
	assert_int_equal(run.o.period, 61500);
	assert_string_equal(run.o.plugins[0], "c");
	assert_string_equal(run.o.plugins[2], "e");
	assert_null(run.o.plugins[3]);
	assert_int_equal(run.o.endpoint.ss_family, AF_INET6);
	assert_int_equal(ntohs(((struct sockaddr_in6 *)&run.o.endpoint)->sin6_port), 99);
}

static void short_forms_and_switches(void **state)
{
	_cleanup_(run_done) struct run run;

	assert_int_equal(PARSE(&run, "--dry=F", "-v", "2", "--v=3", "-v=4", "--plugins=", "--healthz-bind-address="), 0);
	assert_false(run.o.dry);
	assert_int_equal(run.o.level, 4);
	assert_null(run.o.plugins);
	assert_int_equal(run.o.endpoint.ss_family, AF_UNSPEC);
}

static void an_address_alone_takes_the_default_port(void **state)
{
	_cleanup_(run_done) struct run run;

	assert_int_equal(PARSE(&run, "--healthz-bind-address=127.0.0.1"), 0);
	assert_int_equal(ntohs(((struct sockaddr_in *)&run.o.endpoint)->sin_port), 10256);
}

static void faults_name_the_flag_and_what_was_expected(void **state)
{
	static const struct {
		const char *arg, *why;
	} cases[] = {
		{ "--secure-port=x", "--secure-port: \"x\" is not a port number (1-65535)" },
		{ "--secure-port=0", "--secure-port: \"0\" is not a port number (1-65535)" },
		{ "--secure-port=65536", "--secure-port: \"65536\" is not a port number (1-65535)" },
		{ "--secure-port", "flag needs an argument: --secure-port" },
		{ "--secure-port=", "--secure-port: \"\" is not a port number (1-65535)" },
		{ "--sekure-port=1", "unknown flag: --sekure-port" },
		{ "--", "unknown flag: --" },
		{ "-x", "unknown shorthand flag: 'x' in -x" },
		{ "word", "unexpected argument: \"word\"" },
		{ "--from=x", "unknown flag: --from" },
		{ "--size=-1", "--size: \"-1\" is not a number of bytes" },
		{ "--rate=-1", "--rate: \"-1\" is not a positive number or 0 (\"0.55\")" },
		{ "--rate=1x", "--rate: \"1x\" is not a positive number or 0 (\"0.55\")" },
		{ "--rate=inf", "--rate: \"inf\" is not a positive number or 0 (\"0.55\")" },
		{ "--dry=maybe", "--dry: \"maybe\" is not true or false" },
		{ "-v=11", "--v: \"11\" is not a whole number (0 to 10)" },
		{ "--logging-format=xml", "--logging-format: \"xml\" is not one of text|json" },
		{ "--bind-address=1.2.3", "--bind-address: \"1.2.3\" is not an IP address" },
		{ "--period=1", "--period: \"1\" is not a duration (\"1h30m\", \"90s\", \"500ms\")" },
		{ "--period=-1s", "--period: \"-1s\" is not a duration (\"1h30m\", \"90s\", \"500ms\")" },
		{ "--healthz-bind-address=::1:80:",
		  "--healthz-bind-address: \"::1:80:\" is not an address with a port (\"0.0.0.0:10256\", \"[::]:10256\")" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(run_done) struct run run;

		assert_int_equal(PARSE(&run, "from", "to", (char *)cases[i].arg), -EINVAL);
		assert_string_equal(run.why, cases[i].why);
	}
}

static void what_follows_two_dashes_is_not_parsed(void **state)
{
	struct exec_options {
		const char *name;
		char *const *command;
	} o = {};
	static const struct xb_flag exec_rows[] = {
		XB_FLAG(STRING, struct exec_options, name, "name", NULL, "", ""),
		XB_FLAG(REST, struct exec_options, command, "-- COMMAND", NULL, "", ""),
	};
	char *const argv[] = { "prog", "--name", "--", "--", "ls", "--name=x", "--", NULL };

	assert_int_equal(xb_flags_parse(exec_rows, ARRAY_SIZE(exec_rows), 7, argv, &o, NULL), 0);
	assert_string_equal(o.name, "--"); /* a flag's value, whatever it looks like */
	assert_ptr_equal(o.command, argv + 4);
	o = (struct exec_options){};
	assert_int_equal(xb_flags_parse(exec_rows, ARRAY_SIZE(exec_rows), 3, argv, &o, NULL), 0);
	assert_null(o.command);
}

static void words_beyond_arguments_are_a_list(void **state)
{
	struct word_options {
		const char *first;
		char **others;
		bool dry;
	} o = {};
	static const struct xb_flag word_rows[] = {
		XB_FLAG(WORDS, struct word_options, others, "[OTHER...]", NULL, "", ""),
		XB_FLAG(ARGUMENT, struct word_options, first, "FIRST", NULL, "", ""),
		XB_FLAG(BOOL, struct word_options, dry, "dry", NULL, "", ""),
	};
	char *const argv[] = { "prog", "a", "b,c", "--dry", "d", NULL };

	assert_int_equal(xb_flags_parse(word_rows, ARRAY_SIZE(word_rows), 2, argv, &o, NULL), 0);
	assert_string_equal(o.first, "a");
	assert_null(o.others);
	assert_int_equal(xb_flags_parse(word_rows, ARRAY_SIZE(word_rows), 5, argv, &o, NULL), 0);
	assert_string_equal(o.others[0], "b,c");
	assert_string_equal(o.others[1], "d");
	assert_null(o.others[2]);
	assert_true(o.dry);
	xb_flags_done(word_rows, ARRAY_SIZE(word_rows), &o);
}

static void help_lists_groups_and_defaults(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};

	xb_flags_help(rows, ARRAY_SIZE(rows), "prog", "Does things.", &out);
	assert_int_equal(out.err, 0);
	assert_non_null(strstr(out.p, "\nServing flags:\n\n      --bind-address ip\n                Where to listen. (default ::)\n"));
	assert_non_null(strstr(out.p, "      --dry\n                Change nothing.\n"));
	assert_non_null(strstr(out.p, "  -v, --v int\n"));
	assert_null(strstr(out.p, "--from"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(words_that_are_no_flags),
		cmocka_unit_test(every_form),
		cmocka_unit_test(short_forms_and_switches),
		cmocka_unit_test(an_address_alone_takes_the_default_port),
		cmocka_unit_test(faults_name_the_flag_and_what_was_expected),
		cmocka_unit_test(what_follows_two_dashes_is_not_parsed),
		cmocka_unit_test(words_beyond_arguments_are_a_list),
		cmocka_unit_test(help_lists_groups_and_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
