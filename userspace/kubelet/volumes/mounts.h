/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_MOUNTS_H
#define KUBELET_MOUNTS_H
/* Mounts by descriptors, never by a path that might have become another (the mount API of Linux 5.2). Blocking; any thread. */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "xb/str.h"
#include "xb/vec.h"

/* A tmpfs on the folder on, of at most size bytes (0: the kernel's default), never swapped where the kernel can promise that (6.4).
 * It appears with its mode and group. */
int mounts_tmpfs(int on, uint64_t size, mode_t mode, gid_t gid);
/* What from is, alone, without what is mounted below it, seen at on as well. Folder on folder, file on file. */
int mounts_bind(int from, int on);

struct mounts_list {
	XB_VEC(char *) paths;
};
void mounts_list_done(struct mounts_list *l);
/* Mount points at path and below it that mountinfo (the text of /proc/self/mountinfo, proc_pid_mountinfo(5)) names, in its order. */
int mounts_read(struct xb_sv mountinfo, const char *path, struct mounts_list *ret);
/* Unmounts everything at path and below, the last mounted first. -EBUSY and others: ret_where is the mount point, the caller's to
 * free. What is left stays as it is: a mount that is only detached would be written to by whoever still has it, unseen. */
int mounts_unmount_below(const char *path, char **ret_where);

#endif
