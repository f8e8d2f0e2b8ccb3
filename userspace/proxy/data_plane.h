/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_DATA_PLANE_H
#define PROXY_DATA_PLANE_H
/*
 * What the agent needs of a data plane, whatever that is made of. One row of functions for each --proxy-mode; their contract is
 * that of apply.h's functions of the same name, except where said here. To add one: the row, and a place in data_planes[].
 */
#include "apply.h"

struct data_plane {
	const char *mode;           /* --proxy-mode, and the answer of /proxyMode */
	/* tables: what open gave, and close takes back */
	int (*open)(const struct apply_config *c, void **ret_tables, char **reterr_why);
	void (*close)(void *tables);
	int (*reserve)(void *tables, const struct xb_plan_counts *more);
	/* May gather changes until commit. */
	int (*set)(void *tables, const struct xb_plan_port *p, char **reterr_why);
	int (*remove)(void *tables, const char *name, int family, enum xb_proto proto);
	int (*prune)(void *tables);
	/* -ESTALE from these two as from commit, which has to be called. */
	int (*set_node_addrs)(void *tables, int family, const struct xb_plan_addr *addrs, size_t n);
	int (*set_node)(void *tables, const struct xb_plan_node *node);
	/* NULL: it does not care for devices */
	int (*set_devices)(void *tables, const struct xb_link *links, size_t n);
	/* Once after the changes of a turn of the loop: all of them hold when it returns. -ESTALE: they do not, for the kernel
	 * holds something else than was known; the tables are adopted anew, and every port must be set again, and prune
	 * called. What the kernel refuses then is the fault of the port that set is called for. */
	int (*commit)(void *tables, char **reterr_why);
	int (*tend)(void *tables);  /* NULL: there is nothing to look after */
	void (*stats)(const void *tables, struct apply_stats *ret);
	int (*reasons)(const void *tables, __u64 ret[XB_REASONS]); /* NULL: it does not count */
	/* Removes all of it from this node: an agent of another mode is there, or none will be. 0 also when there was nothing;
	 * -ENOENT: there is not even the place where it would be. */
	int (*cleanup)(const char *bpffs_path, char **reterr_why);
};

extern const struct data_plane data_plane_ebpf, data_plane_nftables;
extern const struct data_plane *const data_planes[]; /* ends with NULL */
const struct data_plane *data_plane_find(const char *mode); /* NULL when there is none */

#endif
