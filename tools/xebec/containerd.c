/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cluster/sweep.h"
#include "command.h"
#include "xb/why.h"
#include "xalloc.h"

#define CONTAINERD "/usr/bin/containerd"

struct options {
	struct common common;
	const char *name;
	int node;
};
static const struct xb_flag rows[] = {
	XB_FLAG(STRING, struct options, name, "name", "xebec", "Cluster", "The cluster's name."),
	XB_FLAG(INT, struct options, node, "node", "1", "Cluster", "The node's number.", .min = 1, .max = CLUSTER_NODES_MAX),
	COMMON_ROWS(struct options),
};

static int run(const void *options, struct printer *p, char **reterr_why)
{
	const struct options *o = options;
	_cleanup_cluster_ struct cluster c = {};
	_cleanup_free_ char *config = NULL;
	int r = cluster_load(o->name, &c, reterr_why);

	if (!r)
		r = sweep_node(&c, o->node, reterr_why);
	if (r)
		return r;
	config = cluster_node_file(&c, o->node, "containerd.toml");
	execl(CONTAINERD, CONTAINERD, "--config", config, NULL);
	return xb_why(reterr_why, -errno, "cannot run '" CONTAINERD "': %s", strerror(errno));
}

const struct command containerd_command = {
	.object = "containerd", .summary = "remove what a killed containerd left half made, and become containerd, as the supervisor has it",
	.purpose = "Removes what a containerd of that node had begun when it was killed, and becomes the node's containerd. The supervisor calls it,\n"
		   "in the node's network namespace and cgroup, while no containerd of the node runs.",
	.rows = rows, .n_rows = ARRAY_SIZE(rows), .options_size = sizeof(struct options),
	.run = run,
};
