/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_COMMAND_H
#define XEBEC_COMMAND_H
/*
 * xebec: one file a command, "xebec OBJECT VERB" or, where there is one thing to do, "xebec OBJECT". To add one: write
 * object_verb.c with its option struct, its rows and its struct command, declare it below, add it to commands[] in main.c and
 * the object to Kbuild. What all share is main.c's: parsing, --help, -o, faults and the exit status, which is EXIT_SUCCESS
 * or EXIT_FAILURE.
 */
#include "print.h"
#include "xb/flags.h"

struct common {             /* every option struct begins with it */
	const char *output;
	bool help;
};
#define COMMON_ROWS(options) \
	XB_FLAG(CHOICE, options, common.output, "output", "text", "Global", "How the result is printed.", .choices = "text|json", .letter = 'o'), \
	XB_FLAG(BOOL, options, common.help, "help", "false", "Global", "Print this and end.", .letter = 'h')

/* Instead, where tables are printed. */
#define COMMON_TABLE_ROWS(options) \
	XB_FLAG(CHOICE, options, common.output, "output", "text", "Global", "How the result is printed; wide: with all columns.", \
		.choices = "text|wide|json", .letter = 'o'), \
	XB_FLAG(BOOL, options, common.help, "help", "false", "Global", "Print this and end.", .letter = 'h')

struct command {
	const char *object, *verb;      /* verb: NULL where the object says it all */
	const char *summary, *purpose;  /* for the list; for --help */
	const struct xb_flag *rows;     /* words must be given, but those in brackets: "[NAME...]" */
	size_t n_rows, options_size;
	/* 0 or -errno, and then *reterr_why is a sentence for the user. What was printed on failure is not shown. */
	int (*run)(const void *options, struct printer *p, char **reterr_why);
};
extern const struct command up_command, down_command, status_command, kubeconfig_command, exec_command;
extern const struct command supervise_command, containerd_command;
extern const struct command images_build_demo_command, images_import_command, images_serve_command;
extern const struct command store_snapshot_command, store_restore_command, store_status_command;
extern const struct command services_command, backends_command, flows_command, drops_command, check_command, explain_command,
	map_command, top_command;

#endif
