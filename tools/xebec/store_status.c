/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "store.h"

struct options {
	struct common common;
	const char *path;
};
static const struct xb_flag rows[] = {
	XB_FLAG(ARGUMENT, struct options, path, "FILE|DIR", NULL, "", "A snapshot, or the folder of a store."),
	COMMON_ROWS(struct options),
};

static int run(const void *options, struct printer *p, char **reterr_why)
{
	_cleanup_(store_report_done) struct store_report report = {};
	const struct options *o = options;
	int r = store_inspect(o->path, &report, reterr_why);

	if (!r)
		store_print(p, o->path, &report);
	return r;
}

const struct command store_status_command = {
	.object = "store", .verb = "status",
	.summary = "check a store or a snapshot, and count what is in it",
	.purpose = "Reads a snapshot, or a store whether or not its server runs, checks every row, and says what is in it.",
	.rows = rows, .n_rows = ARRAY_SIZE(rows), .options_size = sizeof(struct options),
	.run = run,
};
