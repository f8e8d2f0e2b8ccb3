/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cluster/cluster.h"
#include "command.h"

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
	_cleanup_free_ char *path = NULL;
	int r = cluster_load(o->name, &c, reterr_why);

	if (r)
		return r;
	path = cluster_file(&c, "admin.conf");
	print_word(p, "kubeconfig", path);
	return 0;
}

const struct command kubeconfig_command = {
	.object = "kubeconfig", .summary = "print where a cluster's kubeconfig is",
	.purpose = "Prints the path of the administrator's kubeconfig: export KUBECONFIG=$(xebec kubeconfig)",
	.rows = rows, .n_rows = ARRAY_SIZE(rows), .options_size = sizeof(struct options),
	.run = run,
};
