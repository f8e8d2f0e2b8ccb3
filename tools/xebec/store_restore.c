/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <limits.h>
#include "store.h"

struct options {
	struct common common;
	const char *file, *data_dir;
	int bump;
};
static const struct xb_flag rows[] = {
	XB_FLAG(ARGUMENT, struct options, file, "FILE", NULL, "", "The snapshot."),
	XB_FLAG(INT, struct options, bump, "bump-revision", "1000000000", "Store",
		"By how much the revision is raised: more than there were writes since the snapshot. Everything before is compacted, so that clients of the old server list again.",
		.min = 1, .max = INT_MAX),
	XB_FLAG(STRING, struct options, data_dir, "data-dir", STORE_DATA_DIR, "Store", "The folder to restore into. It must be empty or missing."),
	COMMON_ROWS(struct options),
};

static int run(const void *options, struct printer *p, char **reterr_why)
{
	_cleanup_(store_report_done) struct store_report report = {};
	const struct options *o = options;
	int r = store_restore(o->file, o->data_dir, (uint64_t)o->bump, &report, reterr_why);

	if (!r)
		store_print(p, o->data_dir, &report);
	return r;
}

const struct command store_restore_command = {
	.object = "store", .verb = "restore",
	.summary = "make a store out of a snapshot",
	.purpose = "Checks every row of FILE and makes a store of it, which kube-apiserver then starts with.",
	.rows = rows, .n_rows = ARRAY_SIZE(rows), .options_size = sizeof(struct options),
	.run = run,
};
