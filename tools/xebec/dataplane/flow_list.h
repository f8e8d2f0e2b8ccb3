/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_FLOW_LIST_H
#define XEBEC_FLOW_LIST_H
/* The flows of both families, each once: its two entries are brought together, and their copies where a table grows. */
#include "tables.h"
#include "xb/vec.h"

struct flow_row {
	struct xb_tuple was, now;       /* what the client sends: to the service; and as it goes on, to the backend */
	__u32 svc;
	__u32 made, expires;            /* ticks */
	enum xb_flow_state state;
	__u8 scope;                     /* enum xb_scope */
	bool tunnelled;                 /* the client's packets go to the backend's node as they are, and it answers by itself */
	bool seen[2];                   /* by enum xb_flow_direction: its entry is there */
	__u64 packets[2], bytes[2];     /* by enum xb_flow_direction */
};
struct flow_list {
	XB_VEC(struct flow_row) rows;   /* in the order of their tuples */
};
/* Those that live at a tick. */
void flow_list_read(const struct tables *t, __u32 now, struct flow_list *ret);
void flow_list_done(struct flow_list *l);
#define _cleanup_flow_list_ _cleanup_(flow_list_done)

/* The order: 0 for the same flow. */
int flow_compare(const struct flow_row *a, const struct flow_row *b);
/* Ways in use and expired ones, by the heads of the sets alone. id: TABLE_FLOW4, TABLE_FLOW6, or what either takes the place of. */
struct flow_usage {
	__u64 live, expired, spilling;  /* spilling: sets of which some flows lie elsewhere */
};
void flow_usage_read(const struct tables *t, enum table_id id, __u32 now, struct flow_usage *ret);

#endif
