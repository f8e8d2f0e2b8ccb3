/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "beneath.h"
#include "mounts.h"
#include "subpath.h"

void subpath_done(struct subpath *s)
{
	free(s->root);
	free(s->path);
	free(s->target);
}

static int open_part(const struct subpath *s)
{
	_cleanup_close_ int root = open(s->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int fd;

	if (root < 0)
		return -errno;
	fd = beneath_resolve(root, s->path);
	if (fd != -ENOENT)
		return fd;
	if (fstat(root, &st) < 0)
		return -errno;
	fd = beneath_mkdirs(root, s->path, st.st_mode & 07777, true);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : beneath_resolve(root, s->path);
}

static bool is_same(int a, int b)
{
	struct stat x, y;

	return !fstat(a, &x) && !fstat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* What is there to mount on, of part's sort, with nothing mounted on it; -EEXIST: part is mounted there already. */
static int open_target(int pod, const char *pod_path, const struct subpath *s, int part)
{
	_cleanup_free_ char *where = NULL, *folder = strdup(s->target);
	_cleanup_close_ int in = -1, fd = -1;
	char *slash = folder ? strrchr(folder, '/') : NULL;
	struct stat st;

	if (!slash || asprintf(&where, "%s/%s", pod_path, s->target) < 0)
		return -ENOMEM;
	*slash = '\0';
	in = beneath_mkdirs(pod, folder, 0750, false);
	if (in < 0)
		return in;
	fd = beneath_open(in, slash + 1, O_PATH, 0);
	if (fd >= 0 && beneath_is_mount(fd)) {
		if (is_same(fd, part))
			return -EEXIST;
		close(TAKE_FD(fd));
		if (umount2(where, UMOUNT_NOFOLLOW) < 0)
			return -errno;
	}
	if (fstat(part, &st) < 0 || (unlinkat(in, slash + 1, 0) < 0 && errno != EISDIR && errno != ENOENT) ||
	    (unlinkat(in, slash + 1, AT_REMOVEDIR) < 0 && errno != ENOENT))
		return -errno;
	if (S_ISDIR(st.st_mode))
		return beneath_mkdirs(in, slash + 1, 0750, false);
	return beneath_open(in, slash + 1, O_RDONLY | O_CREAT | O_EXCL, 0640);
}

int subpath_mount(int pod, const char *pod_path, const struct subpath *s)
{
	_cleanup_close_ int part = open_part(s), target = -1;

	if (part < 0)
		return part;
	target = open_target(pod, pod_path, s, part);
	if (target == -EEXIST)
		return 0;
	return target < 0 ? target : mounts_bind(part, target);
}
