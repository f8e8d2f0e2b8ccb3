/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_TABLES_H
#define XEBEC_TABLES_H
/*
 * The pinned tables of a node's data plane, for reading, while the agent and the programs write: include/xb/abi says what may be
 * read when. A table that is not there has no elements.
 */
#include "xb/abi/event.h"
#include "xb/abi/hdr.h"
#include "xb/abi/metrics.h"
#include "xb/abi/node.h"
#include "xb/abi/socket.h"
#include "xb/frontends.h"
#include "xb/macro.h"

enum table_id {
	TABLE_HDR, TABLE_FE4, TABLE_FE6, TABLE_OVF4, TABLE_OVF6, TABLE_SVC, TABLE_NAME, TABLE_BE4, TABLE_BE6, TABLE_SRC, TABLE_MAG,
	TABLE_REV, TABLE_AFF, TABLE_SKU, TABLE_FLOW4, TABLE_FLOW6, TABLE_FLOW4_OLD, TABLE_FLOW6_OLD, TABLE_FRAG, TABLE_NODE,
	TABLE_METRICS, TABLE_REASON, TABLE_RATE, TABLE_DROP, TABLE_NEW, TABLE_CURSOR, N_TABLES
};

struct table {
	int fd;                 /* -1: not there */
	__u32 type, size;       /* size: elements */
	const void *mem;        /* NULL where it cannot be mapped */
	size_t bytes;
};
struct tables {
	char *folder;           /* "/sys/fs/bpf/xebec/v3/maps" */
	unsigned long folder_inode;
	struct table t[N_TABLES];
	struct xb_frontends fe[2]; /* IPv4, IPv6 */
};
const char *table_name(enum table_id id);       /* "xb_svc" */
/* -ENOENT where there are none, -EPROTO where they are of another version; reterr_why says which and what to do. */
int tables_open(const char *bpffs_path, struct tables **ret, char **reterr_why);
bool tables_current(const struct tables *t);    /* whether they are still those that are pinned */
/* The frontend tables of memory that is mapped: tables_open's last step. */
int tables_index(struct tables *t);
struct tables *tables_free(struct tables *t);
XB_DEFINE_CLEANUP(struct tables *, tables_free)

/* An element, or NULL beyond the end. */
const void *table_at(const struct tables *t, enum table_id id, __u32 index);
static inline const struct xb_svc *svc_at(const struct tables *t, __u32 slot)
{
	return table_at(t, TABLE_SVC, slot);
}
/* A set, by its place in struct xb_svc, as it is published at this moment; an empty one of svc NULL. */
struct xb_set set_at(const struct xb_svc *svc, unsigned set);
/* How long the block of a set is, a power of two; 0 when it is empty or has the block of a set before it. */
__u32 set_block(const struct xb_svc *svc, unsigned which);
/* One of its backends; false when its index leads nowhere. */
bool backend_at(const struct tables *t, enum xb_family family, __u32 index, struct xb_peer *ret);

/* What a slot of xb_svc is, "namespace/name:port"; "#7" where it has no name. */
struct name_text {
	char s[sizeof(struct xb_name)];
};
struct name_text name_of(const struct tables *t, __u32 slot);
/* Whether a name is of the service "namespace/name", or is the very port "namespace/name:port". */
bool name_matches(const char *name, const char *wanted);

/* Ticks of the flow tables. */
struct ticks {
	__u32 now;
	double seconds;         /* of one */
};
int ticks_read(struct ticks *ret, char **reterr_why);

#endif
