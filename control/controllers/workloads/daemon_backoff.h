/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_DAEMON_BACKOFF_H
#define CONTROLLERS_DAEMON_BACKOFF_H
/*
 * How long a failed pod stays before another one takes its place, by DaemonSet and node: what a kubelet refuses is not made again
 * and again. At once the first time, then after 1 s, doubled each time up to 15 minutes; forgotten when twice as long nothing
 * failed. Times are microseconds of any clock that only goes on.
 */
#include "xb/str.h"

struct daemon_backoff;
struct daemon_backoff *daemon_backoff_new(void);        /* NULL without memory */
struct daemon_backoff *daemon_backoff_free(struct daemon_backoff *b);
/* 0: it may go now, and counts as gone. Otherwise how many microseconds it has to wait; -ENOMEM. */
int64_t daemon_backoff_take(struct daemon_backoff *b, struct xb_sv uid, struct xb_sv node, int64_t now);

#endif
