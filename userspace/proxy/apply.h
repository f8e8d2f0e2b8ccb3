/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_APPLY_H
#define PROXY_APPLY_H
/*
 * Makes the pinned tables equal to the plan, one service port at a time. The tables are the state: opening adopts what an
 * earlier run left, traffic goes on meanwhile. One thread. Cost of a call follows the port's own size only.
 */
#include <uv.h>
#include "devices.h"
#include "xb/abi/event.h"
#include "xb/plan.h"

struct apply;
struct apply_config {
	const char *bpffs_path;     /* "/sys/fs/bpf"; the tables are pinned under <it>/xebec/v<ABI version> */
	const char *cgroup_path;    /* cgroup-v2 folder that the socket programs are attached to */
	const struct xb_plan_addr *node_addrs4, *node_addrs6; /* this node's own addresses, at which node ports answer */
	size_t n_node_addrs4, n_node_addrs6;
	__u32 table_size_most;      /* no table grows beyond so many elements; 0: as far as memory goes */
	__u32 flows_most;           /* open flows of each family that the tables of flows grow for; 0: as far as memory goes */
	uv_loop_t *loop;            /* whose workers destroy sockets of removed backends (stale.h); NULL: nobody does */
	char *const *xdp_devices;   /* names of devices whose packets XDP is to look at first, ended by NULL; NULL: none. Borrowed */
};

/* Adopts or creates the tables, loads the programs and attaches them (or swaps them into links that are pinned already).
 * why: on failure a sentence for the operator, naming the path and what was expected; the caller frees it. */
int apply_open(const struct apply_config *c, struct apply **ret, char **reterr_why);
struct apply *apply_close(struct apply *a);              /* leaves everything pinned and running */
/* Removes links, programs and tables that any version of us pinned below the path. 0 also when there was nothing. */
int apply_cleanup(const char *bpffs_path, char **reterr_why);

/* Room for this many more, all told: grows the tables at once rather than step by step while a first list is applied. */
int apply_reserve(struct apply *a, const struct xb_plan_counts *more);

/* Makes the tables hold this port just so; does nothing when they already do. Readers see the old set of backends or the
 * new one, never a mix, and no removed backend after the return. -ENOSPC: full and cannot grow (nothing was changed);
 * -EADDRINUSE: a frontend belongs to another port (it stays with its first owner; *reterr_why names both). */
int apply_set(struct apply *a, const struct xb_plan_port *p, char **reterr_why);
int apply_remove(struct apply *a, const char *name, int family, enum xb_proto proto); /* -ENOENT when unknown */
/* Removes each port not set since apply_open(), and what else of an earlier run still serves by itself: for once, when both lists
 * are in. Returns how many ports. */
int apply_prune(struct apply *a);
/* What programs must know of the node. 1: it is another than before, 0: the same. */
int apply_set_node(struct apply *a, const struct xb_plan_node *node);
int apply_set_node_addrs(struct apply *a, int family, const struct xb_plan_addr *addrs, size_t n);

/* All devices of the node, as devices_set() in devices.h. */
int apply_set_devices(struct apply *a, const struct xb_link *links, size_t n);
/* Once after the changes of a turn of the loop. */
void apply_commit(struct apply *a);
/* Looks after the tables of flows: one step of a growth, or whether one must begin. Returns after how many ms it wants to be called again.
 * Costs some 50 us when there is nothing to do. Waits until all devices are known. */
int apply_tend(struct apply *a);

struct apply_stats {
	size_t ports, frontends, backends;                          /* in use */
	size_t ports_size, frontends_size, backends_size;           /* room */
	__u64 sockets_destroyed;                                    /* stale.h */
	__u64 publishes;                                            /* publish words stored since open */
	__u64 sent;                                                 /* bytes of netlink messages since open; of nftables */
	__u64 memory;                                               /* bytes of kernel memory of the tables */
	struct {
		size_t open, size;                                  /* flows that are open, estimated; that it has room for */
		bool full;                                          /* it should grow, and cannot */
	} flows[2];                                                 /* IPv4, IPv6 */
	__u64 flow_growths;                                         /* of a table of flows, that came to their end */
	struct devices_stats devices;
};
void apply_stats(const struct apply *a, struct apply_stats *ret);
/* How often each reason was met since the tables were made. A call of the kernel for each. */
int apply_reasons(const struct apply *a, __u64 ret[XB_REASONS]);

#endif
