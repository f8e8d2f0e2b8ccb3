/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NETD_MASQ_H
#define NETD_MASQ_H
/*
 * Masquerade: what this node's pods send to neither pods nor nodes leaves with the node's address. One nftables table, which
 * `nft list table inet xebec-netd` shows:
 *
 *	set local4 { this node's pod networks }
 *	set pods4 { all pod networks }
 *	set nodes4 { all nodes' addresses }
 *	chain postrouting { type nat hook postrouting priority srcnat
 *		ip saddr @local4 ip daddr != @pods4 ip daddr != @nodes4 masquerade fully-random }
 *	and the same for IPv6
 *
 * The rules never change, the sets do, in one transaction each. NAT is decided by a connection's first packet, so none that is under way
 * notices any of this.
 */
#include "peer.h"
#include "xb/netlink.h"

#define MASQ_TABLE "xebec-netd"

struct masq;
struct masq_config {
	const struct xb_net *cidrs;     /* --cluster-cidr; borrowed */
	size_t n;
};
int masq_new(const struct masq_config *c, struct masq **ret, char **reterr_why);
struct masq *masq_free(struct masq *m);         /* leaves the table */
XB_DEFINE_CLEANUP(struct masq *, masq_free)

/* The table anew, atomically: self may have no networks yet. */
int masq_set(struct masq *m, const struct peer *self, const struct peer *const *peers, size_t n, char **reterr_why);
/* One node is another; NULL: it was not, or is not, there. -errno: then masq_set puts it right. */
int masq_change(struct masq *m, const struct peer *had, const struct peer *now);
/* Whether a notice says that something of the table was taken away. */
bool masq_matters(const struct nlmsghdr *h);
uint32_t masq_portid(const struct masq *m);
int masq_cleanup(char **reterr_why);

/* Networks that are to be one set of intervals: sorted, and without those within others. Returns how many stay. */
size_t masq_disjoint(struct xb_net *nets, size_t n);

#endif
