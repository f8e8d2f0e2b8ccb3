/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_ABI_HDR_H
#define XB_ABI_HDR_H
/* xb_hdr, one record: what the tables are. Their sizes are the maps' own. */
#include "xb/abi/types.h"

struct xb_hdr {
	__u32 version;              /* XB_ABI_VERSION */
	__u32 agent_pid;            /* who writes the tables, in its own PID namespace; it holds a lock on the folder too */
	__u64 hash_seed;            /* of xb_fe_hash() */
	__u64 flow4_growth, flow6_growth; /* enum xb_flow_growth */
};
_Static_assert(sizeof(struct xb_hdr) == 32, "no hidden padding");

#endif
