/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_INDEX_H
#define XEBEC_INDEX_H
/* The ports of services in the tables, with what leads to each: one walk through all of it, for commands that show many. */
#include "tables.h"
#include "xb/vec.h"

struct frontend {
	__u32 svc;
	enum xb_frontend_kind kind;
	enum xb_proto proto;
	enum xb_family family;
	__u16 port;
	union xb_ip6 addr;      /* as in its key: all zero, or ::ffff:0.0.0.0, where each address of the node counts */
};
struct source_range {
	__u32 id;
	unsigned bits;          /* of the address, IPv4 as ::ffff:a.b.c.d */
	union xb_ip6 addr;
};
struct slot {
	__u32 svc;
	enum xb_proto proto;
	enum xb_family family;
	char *name;             /* "namespace/name:port" */
};
struct index {
	XB_VEC(struct slot) slots;              /* by name, protocol, family */
	XB_VEC(struct frontend) frontends;      /* by svc, kind, address, port */
	XB_VEC(struct source_range) ranges;     /* by id, address */
};
void index_make(const struct tables *t, struct index *ret);
void index_done(struct index *x);
#define _cleanup_index_ _cleanup_(index_done)

/* The elements of one port; *ret_n how many. */
const struct frontend *index_frontends(const struct index *x, __u32 svc, size_t *ret_n);
const struct source_range *index_ranges(const struct index *x, __u32 id, size_t *ret_n);

/* Keeps the slots of those services ("namespace/name") or ports ("namespace/name:port"); wanted NULL: of all. -ENOENT: one of
 * them is not in the tables; -EINVAL: is no such name. */
int index_select(struct index *x, char *const *wanted, char **reterr_why);

#endif
