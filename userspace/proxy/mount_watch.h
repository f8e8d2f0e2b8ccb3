/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_MOUNT_WATCH_H
#define PROXY_MOUNT_WATCH_H
/* Tells when something is mounted or unmounted in this mount namespace: proc(5), /proc/self/mountinfo. One loop thread. */
#include <uv.h>
#include "xb/macro.h"

struct mount_watch;
int mount_watch_new(uv_loop_t *loop, void (*changed)(void *arg), void *arg, struct mount_watch **ret); /* -errno */
struct mount_watch *mount_watch_free(struct mount_watch *w); /* its handle is gone after one more turn of the loop */
XB_DEFINE_CLEANUP(struct mount_watch *, mount_watch_free)

#endif
