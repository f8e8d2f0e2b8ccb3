/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_TAR_H
#define XEBEC_TAR_H
/* POSIX ustar archives (IEEE 1003.1), in memory: names of at most 100 bytes, everything owned by root, no times. */
#include <sys/types.h>
#include "xb/str.h"

/* All append to out, whose sticky error says that there is no memory. path: without a leading slash. -ENAMETOOLONG. */
int tar_folder(struct xb_buf *out, const char *path, mode_t mode);
int tar_file(struct xb_buf *out, const char *path, mode_t mode, struct xb_sv bytes);
int tar_link(struct xb_buf *out, const char *path, const char *to);     /* symbolic */
void tar_end(struct xb_buf *out);

#endif
