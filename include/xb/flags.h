/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_FLAGS_H
#define XB_FLAGS_H
/*
 * Command-line flags by a table, in the forms that Kubernetes' programs take (spf13/pflag): "--name=value", "--name value",
 * "--switch", "--switch=false", "-v2", "-v=2", "-v 2"; '_' in a name is read as '-'. Each row says where in the program's
 * option struct its value goes. To add a flag: a member in the struct and a row.
 *
 *	static const struct xb_flag rows[] = {
 *		XB_FLAG(PORT, struct options, secure_port, "secure-port", "6443", "Serving", "The port ...", .min = 1),
 *	};
 */
#include <sys/socket.h>
#include "xb/str.h"

enum xb_flag_type {
	XB_FLAG_STRING,        /* borrowed from argv or the row; NULL without a default */
	XB_FLAG_CHOICE,        /* one of .choices */
	XB_FLAG_ADDRESS,       /* an IPv4 or IPv6 address, as it was written */
	XB_FLAG_ENDPOINT,      /* "1.2.3.4:80", "[::1]:80", or an address alone with port .max; "" gives AF_UNSPEC */
	XB_FLAG_LIST,          /* "a,b", and repeated; NULL-terminated, owned, NULL while empty. A flag given replaces the default */
	XB_FLAG_BOOL,
	XB_FLAG_INT,           /* within [.min, .max] unless both are 0 */
	XB_FLAG_PORT,          /* within [.min, 65535] */
	XB_FLAG_BYTES,         /* a number of bytes, not negative */
	XB_FLAG_ARGUMENT,      /* no flag: a word that begins with no '-', as STRING; rows take such words in their order */
	XB_FLAG_WORDS,         /* no flag: all words that no ARGUMENT row takes, as LIST; at most one row */
	XB_FLAG_REST,          /* no flag: all words after "--", borrowed from argv; NULL without a "--". At most one row */
	XB_FLAG_DURATION,      /* milliseconds; written as in Go: "1h30m", "1.5s", "0" */
	XB_FLAG_NUMBER,        /* with a fraction, not negative: "0.55" */
};
/* What the member in the option struct must be; XB_FLAG does not compile when it is something else. */
#define XB_FLAG_STRING_MEMBER const char *
#define XB_FLAG_CHOICE_MEMBER const char *
#define XB_FLAG_ADDRESS_MEMBER const char *
#define XB_FLAG_ENDPOINT_MEMBER struct sockaddr_storage
#define XB_FLAG_LIST_MEMBER char **
#define XB_FLAG_BOOL_MEMBER bool
#define XB_FLAG_INT_MEMBER int
#define XB_FLAG_PORT_MEMBER int
#define XB_FLAG_BYTES_MEMBER int64_t
#define XB_FLAG_ARGUMENT_MEMBER const char *
#define XB_FLAG_WORDS_MEMBER char **
#define XB_FLAG_REST_MEMBER char *const *
#define XB_FLAG_DURATION_MEMBER int64_t
#define XB_FLAG_NUMBER_MEMBER double

struct xb_flag {
	const char *name;
	enum xb_flag_type type;
	size_t offset;         /* of the member */
	const char *fallback;  /* the default, parsed as if it had been given; NULL: zero */
	const char *group;     /* heading in the help; rows of a group stand together */
	const char *help;
	int min, max;
	const char *choices;   /* "text|json" */
	char letter;           /* 'v' for -v as well; 0 for none */
};
/* A row; further members as designated initialisers. */
#define XB_FLAG(type_, options, member, name_, fallback_, group_, help_, ...) {                                \
	.name = (name_), .type = XB_FLAG_##type_, .fallback = (fallback_), .group = (group_), .help = (help_), \
	.offset = offsetof(options, member)                                                                    \
		+ 0 * sizeof(_Generic(&((options *)0)->member, XB_FLAG_##type_##_MEMBER *: 0)), __VA_ARGS__ }

/*
 * Fills options: first the defaults, then argv[1...]. 0; -EINVAL: *reterr_why is a sentence that names the flag and what
 * was expected, the caller's to free; -ENOMEM. Call xb_flags_done in every case.
 */
int xb_flags_parse(const struct xb_flag *rows, size_t n, int argc, char *const argv[], void *options, char **reterr_why);
void xb_flags_done(const struct xb_flag *rows, size_t n, void *options); /* frees the lists */
/* --feature-gates, of which each must be of the form Name=true or Name=false. gates may be NULL. -EINVAL as above. */
int xb_flags_check_gates(char *const *gates, char **reterr_why);
/* The text of --help: usage, purpose, and the flags under their headings with their defaults. */
void xb_flags_help(const struct xb_flag *rows, size_t n, const char *program, const char *purpose, struct xb_buf *out);

#endif
