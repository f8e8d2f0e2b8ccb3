/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_STALE_DESTROY_H
#define PROXY_STALE_DESTROY_H
#include <stddef.h>
#include "xb/abi/socket.h"

/*
 * Destroys UDP sockets, each in its own network namespace; one that has gone or is connected elsewhere meanwhile is left alone.
 * Sorts the list. Adds to *destroyed. The first fault is returned, and keeps no other socket from being destroyed: -ESRCH, no
 * process is in a namespace. Blocks; goes to other network namespaces with the calling thread, and comes back.
 */
int stale_destroy(struct xb_stale *list, size_t n, __u64 *destroyed);

#endif
