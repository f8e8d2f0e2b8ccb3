/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_LINKS_H
#define XB_LINKS_H
/* The devices of this network namespace, kept up to date: one dump, then notifications. One loop thread. */
#include "xb/netlink.h"

struct xb_links;
/* The first dump is in when it returns. changed: once after any number of changes of what devices there are, of their names
 * or flags, from the loop; may be NULL. -errno of the netlink socket. */
int xb_links_new(uv_loop_t *loop, void (*changed)(void *arg), void *arg, struct xb_links **ret);
struct xb_links *xb_links_free(struct xb_links *l);     /* its handles are gone after one more turn of the loop */
XB_DEFINE_CLEANUP(struct xb_links *, xb_links_free)
/* All devices, in no order. Borrowed until the next turn of the loop. */
size_t xb_links_get(const struct xb_links *l, const struct xb_link **ret);

#endif
