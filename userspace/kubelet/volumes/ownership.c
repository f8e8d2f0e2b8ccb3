/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>

#include "beneath.h"
#include "ownership.h"

struct give {
	gid_t group;
	mode_t mask;
};

static mode_t wanted(const struct give *g, mode_t mode)
{
	return (mode & 07777) | g->mask | (S_ISDIR(mode) ? S_ISGID | 0110 : 0);
}

/* By a descriptor of what st tells of, or of what is there now. */
static int give_open(const struct give *g, int fd)
{
	struct stat st;
	char path[32];

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_gid != g->group && fchownat(fd, "", -1, g->group, AT_EMPTY_PATH) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode))
		return 0;
	/* chown takes setuid and setgid away, so the mode comes after it; an O_PATH descriptor has no fchmod of its own */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return (st.st_gid != g->group || wanted(g, st.st_mode) != (st.st_mode & 07777)) &&
	       chmod(path, wanted(g, st.st_mode)) < 0 ? -errno : 0;
}

static int give_one(void *arg, int parent, const char *name, const struct stat *st)
{
	_cleanup_close_ int fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 ? give_open(arg, fd) : errno == ENOENT ? 0 : -errno;
}

int ownership_give(int dir, gid_t group, bool read_only, bool on_root_mismatch)
{
	struct give g = { .group = group, .mask = read_only ? 0440 : 0660 };
	struct stat st;
	int r;

	if (on_root_mismatch) {
		if (fstat(dir, &st) < 0)
			return -errno;
		if (st.st_gid == group && (st.st_mode & wanted(&g, S_IFDIR)) == wanted(&g, S_IFDIR))
			return 0;
	}
	r = beneath_walk(dir, give_one, &g);
	return r ? r : give_open(&g, dir);
}
