/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_OWNERSHIP_H
#define KUBELET_OWNERSHIP_H
/* A volume's files given to a pod's group (securityContext.fsGroup), as upstream's SetVolumeOwnership. Blocking; any thread. */
#include <stdbool.h>
#include <sys/types.h>

/* Everything below the folder dir, and dir itself: its group, rw for it (r, with read_only), and of folders x and setgid. Links are
 * given, not followed. on_root_mismatch: nothing, when dir itself is so already. */
int ownership_give(int dir, gid_t group, bool read_only, bool on_root_mismatch);

#endif
