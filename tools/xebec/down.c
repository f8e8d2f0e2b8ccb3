/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cluster/cgroup.h"
#include "cluster/cni_cache.h"
#include "cluster/network.h"
#include "cluster/remove.h"
#include "cluster/supervise.h"
#include "command.h"
#include "xb/why.h"
#include "xalloc.h"

struct options {
	struct common common;
	const char *name;
};
static const struct xb_flag rows[] = {
	XB_FLAG(STRING, struct options, name, "name", "xebec", "Cluster", "The cluster's name."),
	COMMON_ROWS(struct options),
};

/* Its folder goes last, so that what failed on the way can be tried again. */
static bool is_needed(void *arg, const char *id)
{
	return false;
}

static int take_down(const struct cluster *c, char **reterr_why)
{
	_cleanup_free_ char *cgroup = cluster_cgroup(c, 0);
	int r = supervisor_stop(c, reterr_why);

	if (!r)
		r = cgroup_remove(cgroup, reterr_why);
	if (!r)
		r = unmount_below(c->run, reterr_why);
	if (!r)
		r = unmount_below(c->root, reterr_why);
	if (!r)
		r = network_remove(c, reterr_why);
	if (!r)
		remove_shims(c);
	if (!r)
		cni_cache_sweep(c, 0, is_needed, NULL);
	if (!r)
		r = remove_tree(c->run, reterr_why);
	return r ? r : remove_tree(c->root, reterr_why);
}

static int run(const void *options, struct printer *p, char **reterr_why)
{
	const struct options *o = options;
	_cleanup_cluster_ struct cluster c = {}, found = {};
	int r;

	if (geteuid())
		return xb_why(reterr_why, -EPERM, "this needs root: sudo xebec down");
	/* of one whose state cannot be read, whatever bears its name goes */
	r = cluster_init(o->name, &c, reterr_why);
	if (!r)
		r = cluster_lock(&c, reterr_why);
	if (r)
		return r;
	r = take_down(cluster_load(o->name, &found, NULL) ? &c : &found, reterr_why);
	if (!r)
		print_string(p, "removed", c.name);
	return r;
}

const struct command down_command = {
	.object = "down", .summary = "end a cluster and remove everything of it",
	.purpose = "Ends a cluster of \"xebec up\" and removes all of it: processes, containers, namespaces, mounts, cgroups, files.",
	.rows = rows, .n_rows = ARRAY_SIZE(rows), .options_size = sizeof(struct options),
	.run = run,
};
