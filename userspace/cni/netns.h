/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CNI_NETNS_H
#define CNI_NETNS_H
/* The pod's network namespace, entered and left again. */
#include "config.h"
#include "xb/netlink.h"

struct netns {
	int home, pod;              /* descriptors; -1: not open */
	bool inside;
};
int netns_enter(const char *path, struct netns *ret, struct cni_fault *f);
void netns_leave(struct netns *n);  /* back home; the descriptors stay */
void netns_done(struct netns *n);   /* back home, and closes */
#define NETNS_NONE { -1, -1, false }

/* A request that failed with r, as a fault of code CNI_NETWORK. */
int netns_fault(struct cni_fault *f, const struct xb_netlink *n, int r, const char *fmt, ...) _printf_(4, 5);

#endif
