/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef FLOW_TABLE_H
#define FLOW_TABLE_H
/*
 * xb_flow4 and xb_flow6: what becomes of the packets of a flow. The layout and its protocol of writing are in xb/abi/flow.h. The
 * same text is the user side's (lib/model.h).
 */
#include "lib/tables.h"

/* What an entry says, whatever its family. */
struct flow {
	struct xb_tuple now;            /* as the packet goes on */
	struct xb_set set;
	__u32 svc;
	enum xb_scope scope;
	enum xb_flow_direction direction;
	enum xb_flow_state state;
};

/* The entry of a packet, when there is one that has not expired, counted (packets, and bytes by len). *ret_left: ticks that it
 * has left, so that the caller refreshes only what has moved. */
static __always_inline bool flow_find(const struct xb_tuple *key, __u32 len, struct flow *ret, __u32 *ret_left);
/* Sets the state of an entry and lets it live for so many ticks from now. Nothing when it is not there. */
static __always_inline void flow_refresh(const struct xb_tuple *key, enum xb_flow_state state, __u32 ticks);
/* 0, -EEXIST: the key is there, or may be (nothing was inserted); -ENOSPC: both sets are full of flows that live. One that was not
 * answered yet gives way to a new one; one that is open never does. */
static __always_inline int flow_insert(const struct xb_tuple *key, const struct flow *f, __u32 ticks);
static __always_inline void flow_remove(const struct xb_tuple *key);
/* Whether this processor may make another flow in this tick: memory holds under a SYN flood. */
static __always_inline bool flow_rate(void);

#endif
