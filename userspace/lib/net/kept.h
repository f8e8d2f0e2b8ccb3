/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NET_KEPT_H
#define NET_KEPT_H
/* A list of the kernel's that is kept up to date: one dump, then notices, and a dump again where one of these was missed. */
#include "xb/netlink.h"

struct kept {
	/* Reads the list anew; what is known stays when it fails. */
	int (*dump)(void *arg, struct xb_netlink *n);
	void (*notice)(void *arg, const struct nlmsghdr *h); /* ends with kept_touch() when the list is another */
	void *arg;                      /* of both */
	void (*changed)(void *arg);     /* once after any number of changes; may be NULL */
	void *changed_arg;

	/* its own */
	struct xb_netlink_monitor *monitor;
	uv_check_t after_reading;       /* active while there is something to tell */
	bool stale;                     /* something was missed: a dump is due */
};
/* The first dump is in when it returns 0. kept_end() is due also when it fails. */
int kept_begin(struct kept *k, uv_loop_t *loop, const unsigned *groups);
/* closed: with k->arg, after one more turn of the loop; then k is no longer in use. */
void kept_end(struct kept *k, void (*closed)(uv_handle_t *h));
void kept_touch(struct kept *k, bool missed); /* missed: what was told could not be noted */

#endif
