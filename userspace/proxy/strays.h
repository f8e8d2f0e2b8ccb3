/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_STRAYS_H
#define PROXY_STRAYS_H
/*
 * Programs of ours that an earlier run left and that no pin of this one holds: their BPF file system was unmounted, and is kept by
 * another mount of it (another mount namespace's), or they are pinned below another path. They go by tables that nobody writes.
 */
#include "devices.h"

/* Detaches them from the cgroup and from devices, and returns from how many hooks. links: the folder where those are pinned that stay.
 * Once a start, a few calls for each link of the system. Without CAP_SYS_ADMIN there is no looking at them: 0. */
size_t strays_detach(const char *links, __u64 cgroup_id, const struct devices *d);

#endif
