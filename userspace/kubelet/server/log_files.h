/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_SERVER_LOG_FILES_H
#define KUBELET_SERVER_LOG_FILES_H
/* The files of a log and those it was rotated into, "<log>.20060102-150405[.gz]". Blocking: for libuv's pool. */
#include <stdint.h>

/* -ENOENT: it is not there; -EINVAL: no plain file. */
int log_size(const char *log, uint64_t *ret);
/* Rotates it: max_files - 2 of the old ones stay, compressed; then it is renamed. Half-made files of one that was killed meanwhile are
 * removed. *ret_name: what it is called now, the caller's. -errno. */
int log_move(const char *log, unsigned max_files, int64_t now_us, char **ret_name);
/* The runtime has not opened a new one: back to its name, unless there is one. */
void log_move_back(const char *log, const char *name);

#endif
