/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_SUBSETS_H
#define CONTROLLERS_SUBSETS_H
/*
 * The subsets of Endpoints (upstream's RepackSubsets): each port is in one of them, with all the addresses that have it, and
 * ports that have the same addresses are together. Pure; lives in the caller's arena.
 */
#include "slices.h"

struct subset_address {
	struct xb_sv ip, hostname, node, namespace_, name, uid; /* the last three: of the pod */
	bool ready;
	int64_t since;                          /* when its readiness changed, microseconds; not written */
};
struct subsets;
struct subsets *subsets_new(struct xb_arena *a);
/* ports NULL: the address without any, in a subset without ports. 0 or -ENOMEM. */
int subsets_add(struct subsets *s, const struct subset_address *address, const struct slice_port *ports, size_t n_ports);
/* Appends the value of "subsets", at most max addresses in all, those that are not ready left out first; ret_cut: some were.
 * An empty array when there are none. 0 or -ENOMEM. */
int subsets_write(struct subsets *s, size_t max, struct xb_buf *out, bool *ret_cut);
bool subsets_same(struct xb_jv a, struct xb_jv b);      /* but for the resourceVersion of pods */
/* The earliest change of readiness among the addresses that old does not have as they are now; 0: none is known. */
int subsets_since(const struct subsets *s, struct xb_jv old, int64_t *ret);

#endif
