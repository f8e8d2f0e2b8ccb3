/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_MAGLEV_H
#define PROXY_MAGLEV_H
/*
 * Tables for consistent hashing (Eisenbud et al., "Maglev", NSDI 2016, 3.4). Each backend has an order of preference that follows from
 * its address and port alone, so all nodes that know the same backends make the same table, and a table without one of them
 * is the same in nearly all other places.
 */
#include "xb/plan.h"

/* Elements for so many backends: a prime, 200 times as many where that is not above the largest. 0 for none. */
__u32 maglev_size(size_t backends);
/* ret: of maglev_size(set->n); positions in the set. Takes about size x ln(size) steps. -ENOMEM */
int maglev_fill(const struct xb_plan_set *set, int family, __u16 *ret);

#endif
