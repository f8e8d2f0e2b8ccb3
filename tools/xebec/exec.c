/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cluster/cluster.h"
#include "cluster/launch.h"
#include "command.h"
#include "xb/why.h"
#include "xalloc.h"

struct options {
	struct common common;
	const char *name;
	int node;
	char *const *command;
};
static const struct xb_flag rows[] = {
	XB_FLAG(STRING, struct options, name, "name", "xebec", "Cluster", "The cluster's name."),
	XB_FLAG(INT, struct options, node, "node", "1", "Cluster", "The node's number.", .min = 1, .max = CLUSTER_NODES_MAX),
	XB_FLAG(REST, struct options, command, "-- COMMAND...", NULL, "", "A program, by its path or a name in $PATH, and its arguments."),
	COMMON_ROWS(struct options),
};

/* A new string; the name itself where $PATH has none of it. */
static char *find_program(const char *name)
{
	struct xb_sv rest = xb_sv(strchr(name, '/') ? NULL : getenv("PATH")), folder;

	while (xb_sv_split(&rest, ':', &folder)) {
		char *path = xprintf("%.*s/%s", XB_SV_ARG(folder), name);

		if (!access(path, X_OK))
			return path;
		free(path);
	}
	return xalloc(strdup(name));
}

static int run(const void *options, struct printer *p, char **reterr_why)
{
	const struct options *o = options;
	_cleanup_cluster_ struct cluster c = {};
	_cleanup_free_ char *netns = NULL, *cgroup = NULL, *node_cgroup = NULL, *conf = NULL, *program = NULL;
	_cleanup_free_ char **argv = NULL;
	size_t n = 0;
	int r = cluster_load(o->name, &c, reterr_why);

	if (r)
		return r;
	if ((unsigned)o->node > c.n_nodes)
		return xb_why(reterr_why, -EINVAL, "--node: %d is more than the %u that the cluster has", o->node, c.n_nodes);
	while (o->command[n])
		n++;
	if (!n)
		return xb_why(reterr_why, -EINVAL, "nothing to run after \"--\"");
	argv = xalloc(calloc(n + 1, sizeof(*argv)));
	memcpy(argv, o->command, n * sizeof(*argv));
	argv[0] = program = find_program(o->command[0]);
	netns = cluster_netns(&c, o->node);
	node_cgroup = cluster_cgroup(&c, o->node);
	cgroup = xprintf("%s/agents", node_cgroup);
	conf = cluster_file(&c, "admin.conf");
	if (setenv("KUBECONFIG", conf, 1) < 0)
		return -errno;
	return launch_here(&(struct launch){ .argv = argv, .netns = netns, .cgroup = cgroup }, reterr_why);
}

const struct command exec_command = {
	.object = "exec", .summary = "run a program as a process of a node",
	.purpose = "Runs a program in a node's network and cgroup, where Services' addresses work as for its pods: xebec exec -- curl 10.96.0.1",
	.rows = rows, .n_rows = ARRAY_SIZE(rows), .options_size = sizeof(struct options),
	.run = run,
};
