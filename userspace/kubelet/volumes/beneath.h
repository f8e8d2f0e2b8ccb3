/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_BENEATH_H
#define KUBELET_BENEATH_H
/*
 * Files and folders below one that is open, by paths that somebody else chose or may change meanwhile (openat2(2), Linux 5.6).
 * 0 or an fd, or -errno; -EXDEV and -ELOOP are what leads out. Blocking; any thread.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include "xb/macro.h"

/* Opens path below dir: no symbolic link is followed, no mount is crossed into with beneath_open_here. mode: of what O_CREAT makes. */
int beneath_open(int dir, const char *path, int flags, mode_t mode);
int beneath_open_here(int dir, const char *path, int flags);
/* Symbolic links are followed as long as they stay below dir; O_PATH of whatever it is. */
int beneath_resolve(int dir, const char *path);
/* Makes the folders of path that are missing, of that mode whatever the umask: an fd of the last one, for reading. follow: with
 * symbolic links that stay below dir. */
int beneath_mkdirs(int dir, const char *path, mode_t mode, bool follow);

/* Is the folder or file itself the root of a mount. */
bool beneath_is_mount(int fd);
/* Removes name, and if it is a folder all that is in it, mounts excepted (-EXDEV or -EBUSY). What is not there is fine. Needs two
 * descriptors however deep the folders are. */
int beneath_remove(int dir, const char *name);

/* Calls each for everything below dir, folders after what is in them, no mount crossed; an answer other than 0 ends it, and is
 * returned. Deeper than BENEATH_DEPTH: -EMLINK; a descriptor a level. name is within the folder parent. */
#define BENEATH_DEPTH 128
int beneath_walk(int dir, int (*each)(void *arg, int parent, const char *name, const struct stat *st), void *arg);

static inline void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}
#define _cleanup_dir_ _cleanup_(closedirp)
/* The folder's entries from the beginning; fd stays the caller's. NULL: errno. */
DIR *beneath_entries(int fd);
bool beneath_is_dots(const char *name);

#endif
