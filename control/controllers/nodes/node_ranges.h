/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_NODE_RANGES_H
#define CONTROLLERS_NODE_RANGES_H
/* What the flags say of nodes' ranges of addresses (upstream's cmd/kube-controller-manager/app/core.go). Pure. */
#include "cidr_set.h"

struct kcm_options;
struct node_ranges {
	unsigned n, n_services;
	struct cidr cluster[2], services[2];    /* one, or one of each family; what is the Services' is no node's */
	unsigned bits[2];                       /* of the prefix of a node's range within cluster */
};
/* -EINVAL and a sentence, the caller's to free. */
int node_ranges_read(const struct kcm_options *o, struct node_ranges *ret, char **reterr_why);

#endif
