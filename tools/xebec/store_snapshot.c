/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "store.h"

struct options {
	struct common common;
	const char *file, *data_dir;
};
static const struct xb_flag rows[] = {
	XB_FLAG(ARGUMENT, struct options, file, "FILE", NULL, "", "The snapshot."),
	XB_FLAG(STRING, struct options, data_dir, "data-dir", STORE_DATA_DIR, "Store", "The folder of the store, kube-apiserver's --data-dir."),
	COMMON_ROWS(struct options),
};

static int run(const void *options, struct printer *p, char **reterr_why)
{
	_cleanup_(store_report_done) struct store_report report = {};
	const struct options *o = options;
	int r = store_snapshot(o->data_dir, o->file, &report, reterr_why);

	if (!r)
		store_print(p, o->file, &report);
	return r;
}

const struct command store_snapshot_command = {
	.object = "store", .verb = "snapshot",
	.summary = "copy a store, also of a running server, into one file",
	.purpose = "Writes the store as it is at one moment into FILE, also while the server runs, and checks the copy. FILE appears whole or not at all.",
	.rows = rows, .n_rows = ARRAY_SIZE(rows), .options_size = sizeof(struct options),
	.run = run,
};
