/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cluster/supervise.h"
#include "command.h"
#include "xb/log.h"

struct options {
	struct common common;
	const char *name;
};
static const struct xb_flag rows[] = {
	XB_FLAG(STRING, struct options, name, "name", "xebec", "Cluster", "The cluster's name."),
	COMMON_ROWS(struct options),
};

static int run(const void *options, struct printer *p, char **reterr_why)
{
	const struct options *o = options;
	_cleanup_cluster_ struct cluster c = {};
	int r = cluster_load(o->name, &c, reterr_why);

	if (r)
		return r;
	xb_log_init("xebec", 0, false);
	return supervise(&c, reterr_why);
}

const struct command supervise_command = {
	.object = "supervise", .summary = "keep a cluster's programs running, which \"up\" has it do in the background",
	.purpose = "Keeps the programs of a cluster of \"xebec up\" running, in the foreground. SIGHUP: read how many nodes it has; SIGTERM: leave,\n"
		   "the programs go on.",
	.rows = rows, .n_rows = ARRAY_SIZE(rows), .options_size = sizeof(struct options),
	.run = run,
};
