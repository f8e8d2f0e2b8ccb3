/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_STALE_H
#define PROXY_STALE_H
/*
 * UDP sockets that are connected to a backend that does not serve any more are destroyed: they send without a hook, and would send to
 * nobody for as long as they live. Their application gets ECONNABORTED and connects again. TCP is left to its peers, and a
 * backend that terminates serves on.
 *
 * A program (udpwalk.bpf.c) tells which they are, so a sweep costs some 100 ns for each socket on the node that has asked a
 * service over UDP, and the rest only for those that are stale. Each is destroyed by its cookie (sock_diag(7)) in its network namespace,
 * which is entered by a process that is in it: /proc is looked through only when there are stale sockets elsewhere than here.
 */
#include <uv.h>
#include "tables.h"

struct stale;
struct stale *stale_new(uv_loop_t *loop);               /* NULL without memory. One thread */
/* Its worker may still run; what it needs goes when that is done, and the handle after one more turn of the loop. */
struct stale *stale_free(struct stale *s);
XB_DEFINE_CLEANUP(struct stale *, stale_free)

/* A worker of the loop looks at the tables as they are now. While one looks this is noted, and done after it. They take a
 * tenth of a processor's time, and more only when one is longer than 50 ms. What keeps them from being done is logged once. */
void stale_sweep(struct stale *s, const struct tables *t);
__u64 stale_destroyed(const struct stale *s);           /* sockets, all told */

#endif
