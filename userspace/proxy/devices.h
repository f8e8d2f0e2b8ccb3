/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_DEVICES_H
#define PROXY_DEVICES_H
/* Which programs run on which devices: ingress and egress on every one but loopback, as its packets begin (with an Ethernet header,
 * or with IP), and XDP on those that are named. Logs what an operator must know of single devices. */
#include "programs.h"
#include "xb/macro.h"
#include "xb/netlink.h"

struct bpf_link_info;
struct devices;
/* links: the folder in which links are pinned. xdp: names, ended by NULL; may be NULL. Borrows xdp. */
int devices_new(const char *links, char *const *xdp, struct devices **ret);
struct devices *devices_free(struct devices *d);        /* leaves everything running */
XB_DEFINE_CLEANUP(struct devices *, devices_free)

/* Whether one of them needs OBJECT_TC_L3. */
bool devices_need_l3(const struct xb_link *links, size_t n);
/* These programs from now on, on all devices; those of an object that p has not stay. Keeps what it needs of them. A device that is
 * gone or whose place is another's is no fault; after one some devices run the old programs, and the next call of either kind
 * tries again. */
int devices_use(struct devices *d, const struct programs *p, char **reterr_why);
/* These are all devices there are: new ones get the programs, and of those that are gone nothing stays. How many lack a program, which
 * is logged once for each and tried again by the next call; -ENOMEM. Costs some 40 us for each new device. */
int devices_set(struct devices *d, const struct xb_link *links, size_t n);
/* Whether all devices are known, and each runs the latest programs, or, for XDP, another's. */
bool devices_settled(const struct devices *d);
void devices_retry(struct devices *d);                  /* those that lack a program */
/* Whether a link is of one of the devices: others of the same index are in other network namespaces. */
bool devices_have(const struct devices *d, const struct bpf_link_info *link);

struct devices_stats {
	size_t devices, faulty;     /* with programs; where one could not be put in place */
	size_t others;              /* programs of others on all devices, when each came */
};
void devices_stats(const struct devices *d, struct devices_stats *ret);

#endif
