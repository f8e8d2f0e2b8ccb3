/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_ADDRS_H
#define XB_ADDRS_H
/* The addresses of this network namespace, kept up to date by rtnetlink(7): one dump, then notifications. One loop thread. */
#include <stdint.h>
#include <uv.h>
#include "xb/macro.h"

struct xb_addr {
	int family;                 /* AF_INET, AF_INET6 */
	unsigned char b[16];        /* network byte order; IPv4 in the first four */
	uint32_t ifindex;
	unsigned char scope;        /* RT_SCOPE_UNIVERSE, _LINK, _HOST */
};

struct xb_addrs;
/* The first dump is in when it returns. changed: after any number of changes, from the loop; may be NULL. -errno of the
 * netlink socket. */
int xb_addrs_new(uv_loop_t *loop, void (*changed)(void *arg), void *arg, struct xb_addrs **ret);
struct xb_addrs *xb_addrs_free(struct xb_addrs *a);     /* its handle is gone after one more turn of the loop */
XB_DEFINE_CLEANUP(struct xb_addrs *, xb_addrs_free)
/* All addresses, in no order; an address may be on two interfaces. Borrowed until the next turn of the loop. */
size_t xb_addrs_get(const struct xb_addrs *a, const struct xb_addr **ret);

#endif
