/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_PLACES_H
#define PROXY_PLACES_H
/*
 * The places on a device where a program of ours runs. One is held there by a pinned link (tcx, XDP), or, where the kernel has no
 * tcx, by the device itself as a filter of its clsact qdisc. Programs of others stay, and ours is asked before them: one of
 * theirs that says TC_ACT_OK ends it, while ours passes on what is not for it. With clsact ours has the first free priority.
 */
#include <limits.h>
#include <stdbool.h>
#include "xb/netlink.h"
#include "xb/str.h"

enum place {
	PLACE_INGRESS,
	PLACE_EGRESS,
	PLACE_XDP,
	N_PLACES
};

struct bpf_link_info;
struct places {
	char folder[PATH_MAX];      /* where links are pinned: "dev<ifindex>_ingress" and so on */
	struct xb_netlink *netlink;
	bool tcx;                   /* Linux 6.6 */
};

/* For the network namespace of the calling thread. */
int places_init(struct places *p, const char *folder);
void places_done(struct places *p);

/* Makes a program run there, in place of the one of ours that does: at each moment one of them runs. 1: XDP runs in generic mode, as
 * the driver has none of its own. -ENODEV: the device is gone. -EBUSY: the XDP program of another is there, and stays. */
int place_put(const struct places *p, uint32_t ifindex, enum place place, int program_fd, char **reterr_why);
/* Nothing of ours runs there any more, also when the device has gone to another network namespace. */
void place_clear(const struct places *p, uint32_t ifindex, enum place place);
/* Whether a link is at a place of a device of this network namespace: its index alone may be another's. */
bool places_have(const struct places *p, const struct bpf_link_info *link);
/* How many programs of others are there; each is named in out. */
size_t place_others(const struct places *p, const struct xb_link *device, enum place place, struct xb_buf *out);
/* Clears each place that a link is pinned for and that is not to be kept. */
void places_sweep(const struct places *p, bool (*keep)(void *arg, uint32_t ifindex, enum place place), void *arg);
/* Clears what is not pinned, on all devices, of any version of us: filters, and the qdisc when nothing else is on it. */
int places_cleanup(void);

#endif
