/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_ATOMIC_H
#define KUBELET_ATOMIC_H
/*
 * Files of a projected volume, changed all at once, laid out as upstream's AtomicWriter does (pkg/volume/util):
 *   ..2024_05_01_10_00_00.123456789/a   the files
 *   ..data -> ..2024_05_01_10_00_00.123456789
 *   a -> ..data/a                       what users open
 * A reader sees the old files or the new ones; what a kill left behind is swept by the next write. Blocking; any thread.
 */
#include <sys/types.h>
#include "xb/str.h"
#include "xb/vec.h"

struct volume_file {
	char *path;                     /* relative, "a/b" */
	struct xb_buf bytes;
	mode_t mode;
	bool of_user;                   /* belongs to files' user, when there is one */
};
struct volume_files {
	XB_VEC(struct volume_file) v;
	uid_t user;                     /* of those that are of_user; 0: root as all */
};
/* Adds an empty file, whose bytes are the caller's to fill; a later one of the same path replaces it. NULL without memory. path is
 * copied. */
struct volume_file *volume_files_add(struct volume_files *f, struct xb_sv path, mode_t mode);
void volume_files_done(struct volume_files *f);

/* -EINVAL: not a path below the volume, in upstream's words: absolute, with "..", beginning with "..", too long. */
int atomic_check_path(struct xb_sv path, char **reterr_why);

/* Makes the folder dir show exactly these files, if it does not. own is called for the new folder before it is shown (may be NULL).
 * 0: it did already. 1: written. -errno. */
int atomic_write(int dir, const struct volume_files *f, int (*own)(void *arg, int dir), void *arg);

#endif
