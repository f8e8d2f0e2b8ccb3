/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_CIDR_SET_H
#define CONTROLLERS_CIDR_SET_H
/* A range of addresses cut into ranges of one size, given out in turn (upstream's nodeipam/ipam/cidrset). Pure. */
#include "xb/str.h"

struct cidr {
	bool v6;
	unsigned bits;                          /* of the prefix */
	unsigned __int128 first;                /* its first address as a number */
};
int cidr_parse(struct xb_sv text, struct cidr *ret);    /* "10.244.0.0/16"; what is beyond the prefix is left out. -EINVAL */
void cidr_write(const struct cidr *c, struct xb_buf *out);
bool cidr_overlap(const struct cidr *a, const struct cidr *b);

struct cidr_set;
/* -EINVAL: bits is no prefix within the range; -E2BIG: that would be too many; -ENOMEM. */
int cidr_set_new(const struct cidr *range, unsigned bits, struct cidr_set **ret);
struct cidr_set *cidr_set_free(struct cidr_set *s);
XB_DEFINE_CLEANUP(struct cidr_set *, cidr_set_free)
/* The next free one, after the one given last and around. -ENOSPC. */
int cidr_set_next(struct cidr_set *s, struct cidr *ret);
/* Everything that c overlaps is taken. Who takes twice gives back twice. -ERANGE: c is not in the range at all. */
int cidr_set_take(struct cidr_set *s, const struct cidr *c);
void cidr_set_give(struct cidr_set *s, const struct cidr *c); /* back what was taken, or next */

#endif
