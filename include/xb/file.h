/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_FILE_H
#define XB_FILE_H
/* Whole files. Blocking; for start-up, configuration and state, not for an event loop's handlers. */
#include <sys/types.h>
#include "xb/str.h"

/* Appends what path holds to out. -EFBIG beyond max bytes, else what open(2) and read(2) say. out is unchanged on failure. */
int xb_file_read(const char *path, size_t max, struct xb_buf *out);
/*
 * Puts bytes in path so that a reader, also after a crash, finds either the old file or the new one: written to path.tmp,
 * fsync, rename, fsync of the folder. One writer a path at a time. A path.tmp left by a crash is replaced by the next call.
 */
int xb_file_write(const char *path, struct xb_sv bytes, mode_t mode);

#endif
