/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_TABLES_H
#define PROXY_TABLES_H
/*
 * One generation of the data plane: the maps, mapped where the agent needs them, and the programs that were loaded against them. A
 * table grows by loading a next generation, in which it is larger and the others are the same maps.
 */
#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
#include "programs.h"
#include "xb/macro.h"

enum table_id {
	TABLE_HDR, TABLE_FE4, TABLE_FE6, TABLE_OVF4, TABLE_OVF6, TABLE_SVC, TABLE_NAME, TABLE_BE4, TABLE_BE6, TABLE_REV,
	TABLE_AFF, TABLE_SKU, TABLE_METRICS, TABLE_FLOW4, TABLE_FLOW6, TABLE_FLOW4_OLD, TABLE_FLOW6_OLD, TABLE_FRAG, TABLE_NODE, TABLE_SRC,
	TABLE_MAG, TABLE_REASON, TABLE_RATE, TABLE_DROP, TABLE_NEW, TABLE_CURSOR, N_TABLES
};

struct table {
	int fd;
	__u32 size;                 /* elements; 0 for socket storage */
	void *mem;                  /* NULL where the agent does not need it */
	size_t bytes;
};

struct tables {
	struct table t[N_TABLES];
	struct programs programs;   /* gone once they are attached: the links hold them */
};

extern const __u32 tables_start_sizes[N_TABLES];

/* The maps that are pinned in a folder, without programs. -ENOENT when there is no such folder. Maps of another layout are
 * refused with a sentence. */
int tables_adopt(const char *folder, struct tables **ret, char **reterr_why);
/*
 * Maps, and the programs of some objects (a bit for each). from: tables of the same size are the same maps; may be NULL. A map of
 * another size is new and zeroed: the caller fills it before the programs are attached. Only, when an old table of flows gets the
 * size that the table had, and that another one, it is that map.
 */
int tables_load(const struct tables *from, unsigned objects, const __u32 sizes[N_TABLES], struct tables **ret, char **reterr_why);
/* Pins all maps in a folder, in place of what is pinned there, at once: after a crash it is the old set or the new. */
int tables_pin(const struct tables *t, const char *folder, char **reterr_why);
int tables_sweep(const char *folder);                   /* unpins what a tables_pin() that was killed left beside the folder */
/* One that is an array and not mapped all the time. */
int tables_map(struct tables *t, enum table_id id);
void tables_unmap(struct tables *t, enum table_id id);
struct tables *tables_free(struct tables *t);
XB_DEFINE_CLEANUP(struct tables *, tables_free)

const char *tables_name(enum table_id id);              /* "xb_svc" */
__u64 tables_memory(const struct tables *t);            /* bytes of kernel memory */

#endif
