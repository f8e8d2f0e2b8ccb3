/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <limits.h>
#include <math.h>
#include <netinet/in.h>
#include <stdio.h>
#include "xb/flags.h"
#include "xb/time.h"
#include "xb/why.h"

#define HELP_WIDTH 100
#define HELP_INDENT 16

static int bad_value(const struct xb_flag *f, const char *value, char **reterr_why, const char *expected)
{
	return xb_why(reterr_why, -EINVAL, "--%s: \"%s\" is not %s", f->name, value, expected);
}

static bool same_name(const char *name, struct xb_sv given)
{
	size_t i;

	for (i = 0; i < given.n && name[i]; i++)
		if (name[i] != (given.p[i] == '_' ? '-' : given.p[i]))
			return false;
	return i == given.n && !name[i];
}

/* Stands on the command line without its name. */
static bool is_word(enum xb_flag_type t)
{
	return t == XB_FLAG_ARGUMENT || t == XB_FLAG_WORDS || t == XB_FLAG_REST;
}

static const struct xb_flag *find(const struct xb_flag *rows, size_t n, struct xb_sv name)
{
	for (size_t i = 0; i < n; i++)
		if (!is_word(rows[i].type) && same_name(rows[i].name, name))
			return &rows[i];
	return NULL;
}

static const struct xb_flag *find_letter(const struct xb_flag *rows, size_t n, char letter)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].letter && rows[i].letter == letter)
			return &rows[i];
	return NULL;
}

/* The spellings of Go's strconv.ParseBool. */
static int read_bool(const char *value, bool *ret)
{
	static const char *const yes[] = { "1", "t", "T", "true", "TRUE", "True" };
	static const char *const no[] = { "0", "f", "F", "false", "FALSE", "False" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (!strcmp(value, yes[i]))
			return *ret = true, 0;
		if (!strcmp(value, no[i]))
			return *ret = false, 0;
	}
	return -EINVAL;
}

static int read_int(const char *value, long min, long max, int *ret)
{
	int64_t n;

	if (xb_sv_i64(xb_sv(value), &n) || n < min || n > max)
		return -EINVAL;
	*ret = (int)n;
	return 0;
}

static int read_duration(const char *value, int64_t *ret)
{
	int64_t ns;

	if (xb_duration_parse(xb_sv(value), &ns) || ns < 0)
		return -EINVAL;
	*ret = ns / XB_MILLISECOND;
	return 0;
}

static int read_number(const char *value, double *ret)
{
	char *end;
	double d = strtod(value, &end);

	if (end == value || *end || !isfinite(d) || d < 0)
		return -EINVAL;
	*ret = d;
	return 0;
}

static int read_bytes(const char *value, int64_t *ret)
{
	int64_t n;

	if (xb_sv_i64(xb_sv(value), &n) || n < 0)
		return -EINVAL;
	*ret = n;
	return 0;
}

static int read_address(const char *value, int port, struct sockaddr_storage *ret)
{
	struct sockaddr_storage a = {};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&a;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a;

	if (inet_pton(AF_INET, value, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
	} else if (inet_pton(AF_INET6, value, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
	} else {
		return -EINVAL;
	}
	*ret = a;
	return 0;
}

static int read_endpoint(const char *value, int fallback_port, struct sockaddr_storage *ret)
{
	const char *colon = strrchr(value, ':'), *from = value, *to = colon;
	char host[INET6_ADDRSTRLEN];
	int port;

	if (!*value) {
		*ret = (struct sockaddr_storage){};
		return 0;
	}
	if (fallback_port && !read_address(value, fallback_port, ret))
		return 0;
	if (!colon || read_int(colon + 1, 0, 65535, &port))
		return -EINVAL;
	if (*from == '[') {
		from++;
		if (*--to != ']')
			return -EINVAL;
	} else if (memchr(from, ':', to - from)) {
		return -EINVAL;
	}
	if (to < from || (size_t)(to - from) >= sizeof(host))
		return -EINVAL;
	memcpy(host, from, to - from);
	host[to - from] = 0;
	return read_address(host, port, ret);
}

static char **list_free(char **list)
{
	for (char **s = list; s && *s; s++)
		free(*s);
	free(list);
	return NULL;
}

static int list_add(char ***list, struct xb_sv item)
{
	size_t n = 0;
	char **bigger;

	while (*list && (*list)[n])
		n++;
	bigger = reallocarray(*list, n + 2, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	*list = bigger;
	bigger[n + 1] = NULL;
	bigger[n] = xb_sv_dup(item);
	return bigger[n] ? 0 : -ENOMEM;
}

static int read_list(const char *value, char ***list)
{
	struct xb_sv rest = xb_sv(value), item;
	int r;

	while (rest.n && xb_sv_split(&rest, ',', &item)) {
		r = list_add(list, xb_sv_trim(item));
		if (r)
			return r;
	}
	return 0;
}

static bool is_choice(const char *choices, struct xb_sv value)
{
	struct xb_sv rest = xb_sv(choices), one;

	while (xb_sv_split(&rest, '|', &one))
		if (xb_sv_eq(one, value))
			return true;
	return false;
}

/* fresh: the first time this flag is given, so that a list forgets its default. */
static int set(const struct xb_flag *f, const char *value, bool fresh, void *options, char **reterr_why)
{
	void *member = (char *)options + f->offset;
	struct sockaddr_storage address;
	char expected[160];

	switch (f->type) {
	case XB_FLAG_STRING:
	case XB_FLAG_ARGUMENT:
		*(const char **)member = value;
		return 0;
	case XB_FLAG_CHOICE:
		if (!is_choice(f->choices, xb_sv(value))) {
			snprintf(expected, sizeof(expected), "one of %s", f->choices);
			return bad_value(f, value, reterr_why, expected);
		}
		*(const char **)member = value;
		return 0;
	case XB_FLAG_ADDRESS:
		if (read_address(value, 0, &address))
			return bad_value(f, value, reterr_why, "an IP address");
		*(const char **)member = value;
		return 0;
	case XB_FLAG_ENDPOINT:
		if (read_endpoint(value, f->max, member))
			return bad_value(f, value, reterr_why, "an address with a port (\"0.0.0.0:10256\", \"[::]:10256\")");
		return 0;
	case XB_FLAG_LIST:
		if (fresh)
			*(char ***)member = list_free(*(char ***)member);
		return read_list(value, member);
	case XB_FLAG_WORDS:
		return list_add(member, xb_sv(value));
	case XB_FLAG_BOOL:
		if (read_bool(value, member))
			return bad_value(f, value, reterr_why, "true or false");
		return 0;
	case XB_FLAG_INT:
		if (!f->min && !f->max && read_int(value, INT_MIN, INT_MAX, member))
			return bad_value(f, value, reterr_why, "a whole number");
		snprintf(expected, sizeof(expected), "a whole number (%d to %d)", f->min, f->max);
		if ((f->min || f->max) && read_int(value, f->min, f->max, member))
			return bad_value(f, value, reterr_why, expected);
		return 0;
	case XB_FLAG_PORT:
		snprintf(expected, sizeof(expected), "a port number (%d-65535)", f->min);
		if (read_int(value, f->min, 65535, member))
			return bad_value(f, value, reterr_why, expected);
		return 0;
	case XB_FLAG_BYTES:
		if (read_bytes(value, member))
			return bad_value(f, value, reterr_why, "a number of bytes");
		return 0;
	case XB_FLAG_DURATION:
		if (read_duration(value, member))
			return bad_value(f, value, reterr_why, "a duration (\"1h30m\", \"90s\", \"500ms\")");
		return 0;
	case XB_FLAG_NUMBER:
		if (read_number(value, member))
			return bad_value(f, value, reterr_why, "a positive number or 0 (\"0.55\")");
		return 0;
	case XB_FLAG_REST:
		break; /* is no value: take_rest */
	}
	return -EINVAL;
}

/* Is this "--", before words that are not ours to parse? */
static bool take_rest(const struct xb_flag *rows, size_t n, char *const *at, void *options)
{
	if (strcmp(*at, "--"))
		return false;
	for (size_t i = 0; i < n; i++)
		if (rows[i].type == XB_FLAG_REST) {
			*(char *const **)((char *)options + rows[i].offset) = at + 1;
			return true;
		}
	return false;
}

/* The next row for a word that is no flag. */
static const struct xb_flag *find_argument(const struct xb_flag *rows, size_t n, const bool *given)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].type == XB_FLAG_ARGUMENT && !given[i])
			return &rows[i];
	for (size_t i = 0; i < n; i++)
		if (rows[i].type == XB_FLAG_WORDS)
			return &rows[i];
	return NULL;
}

/* Splits one argument into its row and, where it holds one, its value. */
static int match(const struct xb_flag *rows, size_t n, const bool *given, char *arg, const struct xb_flag **ret_flag,
		 char **ret_value, char **reterr_why)
{
	const struct xb_flag *f;
	char *value;
	size_t length;

	if (arg[0] != '-' || !arg[1]) {
		f = find_argument(rows, n, given);
		if (!f)
			return xb_why(reterr_why, -EINVAL, "unexpected argument: \"%s\"", arg);
		value = arg;
	} else if (arg[1] != '-') {
		f = find_letter(rows, n, arg[1]);
		if (!f)
			return xb_why(reterr_why, -EINVAL, "unknown shorthand flag: '%c' in %s", arg[1], arg);
		value = arg[2] ? arg + 2 + (arg[2] == '=') : NULL;
	} else {
		arg += 2;
		length = strcspn(arg, "=");
		f = find(rows, n, (struct xb_sv){ arg, length });
		if (!f)
			return xb_why(reterr_why, -EINVAL, "unknown flag: --%.*s", (int)length, arg);
		value = arg[length] ? arg + length + 1 : NULL;
	}
	*ret_flag = f;
	*ret_value = value;
	return 0;
}

int xb_flags_parse(const struct xb_flag *rows, size_t n, int argc, char *const argv[], void *options, char **reterr_why)
{
	_cleanup_free_ bool *given = calloc(n, sizeof(*given));
	const struct xb_flag *f = NULL;
	char *value = NULL;
	int r;

	if (!given)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		r = rows[i].fallback ? set(&rows[i], rows[i].fallback, false, options, reterr_why) : 0;
		if (r)
			return r;
	}
	for (int i = 1; i < argc && !take_rest(rows, n, argv + i, options); i++) {
		r = match(rows, n, given, argv[i], &f, &value, reterr_why);
		if (r)
			return r;
		if (!value && f->type == XB_FLAG_BOOL)
			value = (char *)"true";
		if (!value && ++i == argc)
			return xb_why(reterr_why, -EINVAL, "flag needs an argument: --%s", f->name);
		r = set(f, value ? value : argv[i], !given[f - rows], options, reterr_why);
		if (r)
			return r;
		given[f - rows] = true;
	}
	return 0;
}

void xb_flags_done(const struct xb_flag *rows, size_t n, void *options)
{
	for (size_t i = 0; i < n; i++) {
		char ***list = (void *)((char *)options + rows[i].offset);

		if (rows[i].type == XB_FLAG_LIST || rows[i].type == XB_FLAG_WORDS)
			*list = list_free(*list);
	}
}

static void wrap(struct xb_sv text, struct xb_buf *out)
{
	size_t column = 0;
	struct xb_sv word;

	while (xb_sv_split(&text, ' ', &word)) {
		if (column && column + 1 + word.n > HELP_WIDTH - HELP_INDENT) {
			xb_buf_addc(out, '\n');
			column = 0;
		}
		if (column)
			xb_buf_addc(out, ' ');
		else
			xb_buf_addf(out, "%*s", HELP_INDENT, "");
		xb_buf_addsv(out, word);
		column += word.n + (column > 0);
	}
	xb_buf_addc(out, '\n');
}

static void help_row(const struct xb_flag *f, struct xb_buf *out)
{
	static const char *const placeholder[] = {
		[XB_FLAG_STRING] = " string", [XB_FLAG_ADDRESS] = " ip", [XB_FLAG_ENDPOINT] = " ipport", [XB_FLAG_LIST] = " strings",
		[XB_FLAG_BOOL] = "", [XB_FLAG_INT] = " int", [XB_FLAG_PORT] = " int", [XB_FLAG_DURATION] = " duration",
		[XB_FLAG_BYTES] = " bytes", [XB_FLAG_NUMBER] = " float",
	};
	const char *value = f->type == XB_FLAG_CHOICE ? f->choices : placeholder[f->type];
	_cleanup_buf_ struct xb_buf text = {};

	if (f->letter)
		xb_buf_addf(out, "  -%c, ", f->letter);
	else
		xb_buf_adds(out, "      ");
	xb_buf_addf(out, "--%s%s%s\n", f->name, f->type == XB_FLAG_CHOICE ? " " : "", value);
	xb_buf_adds(&text, f->help);
	if (f->fallback && *f->fallback && !(f->type == XB_FLAG_BOOL && !strcmp(f->fallback, "false")))
		xb_buf_addf(&text, " (default %s)", f->fallback);
	if (text.err)
		out->err = text.err;
	wrap(xb_buf_sv(&text), out);
}

void xb_flags_help(const struct xb_flag *rows, size_t n, const char *program, const char *purpose, struct xb_buf *out)
{
	const char *group = NULL;

	xb_buf_addf(out, "%s\n\nUsage:\n  %s [flags]\n", purpose, program);
	for (size_t i = 0; i < n; i++) {
		if (is_word(rows[i].type))
			continue; /* "program" names them */
		if (!group || strcmp(group, rows[i].group))
			xb_buf_addf(out, "\n%s flags:\n\n", rows[i].group);
		group = rows[i].group;
		help_row(&rows[i], out);
	}
}

int xb_flags_check_gates(char *const *gates, char **reterr_why)
{
	for (char *const *g = gates; g && *g; g++) {
		struct xb_sv value = xb_sv(*g), name;

		xb_sv_split(&value, '=', &name);
		if (!name.n || (!xb_sv_is(value, "true") && !xb_sv_is(value, "false")))
			return xb_why(reterr_why, -EINVAL, "--feature-gates: \"%s\" is not of the form Name=true or Name=false", *g);
	}
	return 0;
}
