/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_TARGET_H
#define XEBEC_TARGET_H
/* Which node's data plane a command looks at: this machine's, or that of a node of a cluster by "xebec up". */
#include "../command.h"
#include "tables.h"

struct target {
	const char *bpffs_path, *node, *cluster;
};
#define TARGET_ROWS(options) \
	XB_FLAG(STRING, options, target.bpffs_path, "bpffs-path", "/sys/fs/bpf", "Node", "Where kube-proxy pins its tables."), \
	XB_FLAG(STRING, options, target.node, "node", NULL, "Node", "A node of a cluster by \"xebec up\", such as node-1."), \
	XB_FLAG(STRING, options, target.cluster, "name", "xebec", "Node", "That cluster's name.")

/* A new string. */
int target_bpffs(const struct target *t, char **ret, char **reterr_why);
int target_tables(const struct target *t, struct tables **ret, char **reterr_why);
/* From here on this process is in the node's network namespace. */
int target_enter_network(const struct target *t, char **reterr_why);
/* The kubeconfig with which the API server is asked: the given one, that of the cluster by "xebec up" of which the target is a node,
 * $KUBECONFIG. A new string. */
int target_kubeconfig(const struct target *t, const char *given, char **ret, char **reterr_why);

#endif
