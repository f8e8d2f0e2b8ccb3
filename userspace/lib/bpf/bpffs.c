/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <fcntl.h>
#include <ftw.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include "xb/bpfobj.h"
#include "xb/macro.h"
#include "xb/why.h"

static int check_fs(const char *path, long magic, const char *what, char **reterr_why)
{
	struct statfs fs;
	struct stat st;

	if (stat(path, &st) < 0 || statfs(path, &fs) < 0)
		return xb_why(reterr_why, -errno, "'%s': %m, where %s was expected", path, what);
	if (!S_ISDIR(st.st_mode))
		return xb_why(reterr_why, -ENOTDIR, "'%s' is no folder, where %s was expected", path, what);
	if (fs.f_type != magic)
		return xb_why(reterr_why, -EINVAL, "'%s' is not %s", path, what);
	return 0;
}

int xb_bpffs_check(const char *path, char **reterr_why)
{
	return check_fs(path, BPF_FS_MAGIC, "a folder in a BPF file system (mount -t bpf bpf /sys/fs/bpf)", reterr_why);
}

int xb_bpffs_mkdir(const char *path)
{
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	return remove(path) < 0 && errno != ENOENT ? -errno : 0;
}

int xb_bpffs_remove(const char *path)
{
	int r;

	if (access(path, F_OK) < 0)
		return errno == ENOENT ? 0 : -errno;
	r = nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	return r == -1 ? -errno : r;
}

int xb_cgroup_open(const char *path, int *ret_fd, __u64 *ret_id, char **reterr_why)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	r = check_fs(path, CGROUP2_SUPER_MAGIC, "a folder of cgroup v2 (often /sys/fs/cgroup or /sys/fs/cgroup/unified)", reterr_why);
	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return xb_why(reterr_why, -errno, "cannot open cgroup '%s': %m", path);
	*ret_id = st.st_ino;
	*ret_fd = TAKE_FD(fd);
	return 0;
}
