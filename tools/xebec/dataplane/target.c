/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <fcntl.h>
#include <sched.h>

#include "target.h"
#include "../cluster/cluster.h"
#include "xb/why.h"
#include "../xalloc.h"

static int add_cluster(void *arg, const struct cluster *c)
{
	struct xb_buf *b = arg;

	xb_buf_addf(b, "%s--name %s --node node-1", b->n ? ", " : "; here there is ", c->name);
	return 0;
}

/* Nothing is where the options say, or where they do not say otherwise. A node is not guessed: those of a cluster differ in flows
 * and drops, and "none" of the wrong one would be a false answer. */
static int name_clusters(int fault, char *why, char **reterr_why)
{
	_cleanup_buf_ struct xb_buf clusters = {};
	_cleanup_free_ char *said = why;

	cluster_each(add_cluster, &clusters);
	return xb_why(reterr_why, fault, "%s%s", said ? said : strerror(-fault), clusters.p ? clusters.p : "");
}

static int load_cluster(const struct target *t, struct cluster *ret, char **reterr_why)
{
	char *why = NULL;
	int r = cluster_load(t->cluster, ret, &why);

	return r ? name_clusters(r, why, reterr_why) : 0;
}

/* The cluster and the number of its node. */
static int find_node(const struct target *t, struct cluster *ret_cluster, unsigned *ret_node, char **reterr_why)
{
	int r = load_cluster(t, ret_cluster, reterr_why);

	if (r)
		return r;
	for (unsigned node = 1; node <= ret_cluster->n_nodes; node++) {
		_cleanup_free_ char *name = cluster_node_name(node);

		if (!strcmp(t->node, name)) {
			*ret_node = node;
			return 0;
		}
	}
	return xb_why(reterr_why, -ENOENT, "--node: cluster \"%s\" has node-1 to node-%u, and no \"%s\"", t->cluster, ret_cluster->n_nodes, t->node);
}

int target_bpffs(const struct target *t, char **ret, char **reterr_why)
{
	_cleanup_cluster_ struct cluster c = {};
	unsigned node;
	int r;

	if (!t->node) {
		*ret = xprintf("%s", t->bpffs_path);
		return 0;
	}
	r = find_node(t, &c, &node, reterr_why);
	if (!r)
		*ret = cluster_node_run(&c, node, "bpf");
	return r;
}

int target_tables(const struct target *t, struct tables **ret, char **reterr_why)
{
	_cleanup_free_ char *bpffs = NULL;
	char *why = NULL;
	int r = target_bpffs(t, &bpffs, reterr_why);

	if (r)
		return r;
	r = tables_open(bpffs, ret, &why);
	if (r == -ENOENT && !t->node)
		return name_clusters(r, why, reterr_why);
	if (r)
		*reterr_why = why;
	return r;
}

int target_enter_network(const struct target *t, char **reterr_why)
{
	_cleanup_cluster_ struct cluster c = {};
	_cleanup_free_ char *name = NULL, *path = NULL;
	_cleanup_close_ int fd = -1;
	unsigned node;
	int r;

	if (!t->node)
		return 0;
	r = find_node(t, &c, &node, reterr_why);
	if (r)
		return r;
	name = cluster_netns(&c, node);
	path = xprintf("/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		return xb_why(reterr_why, -errno, "cannot enter the network of %s, '%s': %m", t->node, path);
	return 0;
}

int target_kubeconfig(const struct target *t, const char *given, char **ret, char **reterr_why)
{
	_cleanup_cluster_ struct cluster c = {};
	int r;

	if (!given && !t->node) {
		given = getenv("KUBECONFIG");
		if (!given || !*given)
			return xb_why(reterr_why, -EINVAL, "--kubeconfig is missing, and $KUBECONFIG is not set");
	}
	if (given) {
		*ret = xprintf("%s", given);
		return 0;
	}
	r = load_cluster(t, &c, reterr_why);
	if (!r)
		*ret = cluster_file(&c, "admin.conf");
	return r;
}
