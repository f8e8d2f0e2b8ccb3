/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_CNI_CACHE_H
#define XEBEC_CNI_CACHE_H
#include "cluster.h"

/*
 * What containerd notes of each sandbox's network in a folder that all containerds of a machine share (libcni's, below /var/lib/cni).
 * It does not write whole files into place, and a sandbox whose note was cut short it can never take down again; without a note it
 * can. Removes those, whosesoever they are, and the cluster's own of sandboxes that are not needed. node 0: of all its nodes.
 */
void cni_cache_sweep(const struct cluster *c, unsigned node, bool (*needed)(void *arg, const char *id), void *arg);

#endif
