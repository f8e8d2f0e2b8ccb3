/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_LOST_H
#define XEBEC_LOST_H
#include <uv.h>
#include "cluster.h"

/*
 * Has what a node's containerd loses removed (sweep_lost), some seconds after a task came or went and for as long as one is not started;
 * nothing is done while none does. On the loop and its pool, for as long as the process lives; c is borrowed. 0 or -errno.
 */
int lost_follow(uv_loop_t *loop, const struct cluster *c, unsigned node, char **reterr_why);

#endif
