/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_SWEEP_H
#define XEBEC_SWEEP_H
#include "cluster.h"

/*
 * What a containerd that was killed had begun and the next one would neither finish nor remove: containers that it had not started
 * yet and sandboxes that it was removing (their shims, processes, cgroups, mounts), network namespaces that no container has, and
 * their addresses. To be called in the node's network namespace, while no containerd of the node runs; containers that were
 * started run on, and of those that ended the next one learns how. Blocking. Done again when it was interrupted.
 */
int sweep_node(const struct cluster *c, unsigned node, char **reterr_why);

struct sweep_result {
	unsigned n_dropped;
	bool more;                      /* there are such as may be lost, and it is too soon to say so: look again */
};
/*
 * What a containerd that runs on has lost, as it does when who asked for a start (a kubelet that was killed) goes meanwhile: shims and
 * cgroups whose task has no folder, and containers and sandboxes that are not started for two minutes, when nobody waits for it any
 * more. Blocking; beside whatever containerd does.
 */
int sweep_lost(const struct cluster *c, unsigned node, struct sweep_result *ret, char **reterr_why);

#endif
