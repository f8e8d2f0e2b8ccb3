/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_FRONTENDS_H
#define XB_FRONTENDS_H
/*
 * The writer's side of xb_fe4 with xb_ovf4, or xb_fe6 with xb_ovf6: placement, deletion, walking. Readers may run at any
 * moment; include/xb/abi/frontend.h has the order of the writes. Works on memory that the caller owns, and that whoever only
 * walks and gets may have mapped for reading alone.
 */
#include <stdbool.h>
#include "xb/abi/frontend.h"
#include "xb/abi/service.h"

struct xb_frontends {
	void *buckets;
	__u32 n_buckets;            /* a power of two */
	enum xb_family family;
	__u64 seed;
	int overflow_fd;            /* -1: none, a key that finds both buckets full does not fit */
	__u8 *retired;              /* for each bucket a bit for each way that waits for a grace period */
	__u32 used;                 /* entries, wherever they lie */
	__u32 n_retired;
};

/* Whether such an entry is of an address alone, and leads to no service. */
static inline bool xb_fe_is_address(enum xb_frontend_kind kind)
{
	return kind >= XB_FRONTEND_NODE_ADDR;
}

/* buckets: zeroed, or as an earlier run left them, and then to be adopted. */
int xb_frontends_init(struct xb_frontends *f, void *buckets, __u32 n_buckets, enum xb_family family, __u64 seed, int overflow_fd);
int xb_frontends_adopt(struct xb_frontends *f);               /* counts, and mends marks that an interrupted write left behind */
void xb_frontends_done(struct xb_frontends *f);

/* The entry of a key; kind XB_FRONTEND_NONE when there is none. */
struct xb_fe xb_frontends_get(const struct xb_frontends *f, const struct xb_fe_key *key);
/* Stores kind and svc for a key, in place when it is there. -ENOSPC: no room for a new one. */
int xb_frontends_put(struct xb_frontends *f, const struct xb_fe_key *key, enum xb_frontend_kind kind, __u32 svc);
bool xb_frontends_delete(struct xb_frontends *f, const struct xb_fe_key *key); /* was it there */
void xb_frontends_release(struct xb_frontends *f);            /* after a grace period: retired ways may be used again */

/* Calls back for each entry of the buckets and the overflow. each may put over or delete the entry it
 * is given, nothing else; a negative return ends the walk and is returned. */
int xb_frontends_walk(struct xb_frontends *f, int (*each)(void *arg, const struct xb_fe_key *key, struct xb_fe fe), void *arg);
/* Places all entries of one table in another, empty one of the same family and seed. */
int xb_frontends_copy(struct xb_frontends *from, struct xb_frontends *to);

#endif
