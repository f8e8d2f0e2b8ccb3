/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_ADDRS_H
#define XB_ADDRS_H
/* The addresses of this network namespace, kept up to date by rtnetlink(7): one dump, then notifications. One loop thread. */
#include "xb/netlink.h"

struct xb_addrs;
/* The first dump is in when it returns. changed: once after any number of changes, from the loop; may be NULL. -errno of the
 * netlink socket. */
int xb_addrs_new(uv_loop_t *loop, void (*changed)(void *arg), void *arg, struct xb_addrs **ret);
struct xb_addrs *xb_addrs_free(struct xb_addrs *a);     /* its handles are gone after one more turn of the loop */
XB_DEFINE_CLEANUP(struct xb_addrs *, xb_addrs_free)
/* All addresses, in no order; one may be there more than once, on two interfaces or in two networks. Borrowed until the next turn of
 * the loop. */
size_t xb_addrs_get(const struct xb_addrs *a, const struct xb_ifaddr **ret);

#endif
