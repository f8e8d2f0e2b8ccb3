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

#endif
