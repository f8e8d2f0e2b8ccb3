/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef MODEL_HOOKS_H
#define MODEL_HOOKS_H
/* The programs themselves: each gives its verdict and leaves the packet as it goes on. */
#include "model_frame.h"

/* *ret_ifindex: where a packet is redirected to; 0: nowhere. */
int model_tc(struct model_bounds *b, __u32 ifindex, bool out, __u32 *ret_ifindex);
int model_xdp(struct model_bounds *b, __u32 ifindex);

#endif
