/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_RATES_H
#define XEBEC_RATES_H
/* What moved between two looks at the flows. */
#include "flow_list.h"

struct rate {
	__u32 svc;
	const struct flow_row *flow;    /* of the later look; NULL: all flows of svc */
	__u64 flows;
	__u64 packets[2], bytes[2];     /* by enum xb_flow_direction */
};
struct rates {
	XB_VEC(struct rate) v;          /* most bytes first */
};
/* A flow that was not there before counts whole; one that has gone, not at all. Points into "after". */
void rates_make(const struct flow_list *before, const struct flow_list *after, bool by_service, struct rates *ret);
void rates_done(struct rates *r);
#define _cleanup_rates_ _cleanup_(rates_done)

#endif
