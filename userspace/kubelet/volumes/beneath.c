/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "beneath.h"
#include "xb/str.h"

#define RETRIES 64      /* of -EAGAIN: something was renamed while the kernel looked for ".." */

static int open_how(int dir, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	struct open_how how = { .flags = (uint64_t)flags | O_CLOEXEC, .mode = mode, .resolve = resolve };

	for (unsigned i = 0;; i++) {
		int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));

		if (fd >= 0)
			return fd;
		if ((errno != EAGAIN && errno != EINTR) || i == RETRIES)
			return -errno;
	}
}

int beneath_open(int dir, const char *path, int flags, mode_t mode)
{
	return open_how(dir, path, flags, mode, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

int beneath_open_here(int dir, const char *path, int flags)
{
	return open_how(dir, path, flags, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
}

int beneath_resolve(int dir, const char *path)
{
	return open_how(dir, path, O_PATH, 0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
}

/* --- making --- */

/* path up to its part's end, which may be missing: made in parent, where its last name belongs. */
static int step(int dir, const char *path, int parent, const char *name, mode_t mode, uint64_t resolve)
{
	_cleanup_close_ int fd = open_how(dir, path, O_RDONLY | O_DIRECTORY, 0, resolve);
	bool made = false;

	if (fd == -ENOENT) {
		if (mkdirat(parent, name, mode) == 0)
			made = true;
		else if (errno != EEXIST)
			return -errno;
		fd = open_how(dir, path, O_RDONLY | O_DIRECTORY, 0, resolve);
	}
	if (fd >= 0 && made && fchmod(fd, mode) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int beneath_mkdirs(int dir, const char *path, mode_t mode, bool follow)
{
	uint64_t resolve = RESOLVE_BENEATH | (follow ? RESOLVE_NO_MAGICLINKS : RESOLVE_NO_SYMLINKS);
	_cleanup_free_ char *prefix = strdup(path);
	struct xb_sv rest = xb_sv(prefix), part;
	_cleanup_close_ int at = -1;

	if (!prefix)
		return -ENOMEM;
	at = open_how(dir, ".", O_RDONLY | O_DIRECTORY, 0, resolve);
	while (at >= 0 && xb_sv_split(&rest, '/', &part)) {
		char *end = (char *)part.p + part.n, saved = *end;
		int next;

		if (!part.n)
			continue;
		*end = '\0';
		next = step(dir, prefix, at, part.p, mode, resolve);
		*end = saved;
		close(at);
		at = next;
	}
	return TAKE_FD(at);
}

/* --- looking --- */

bool beneath_is_mount(int fd)
{
	struct statx sx;

	return !statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_TYPE, &sx) && (sx.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

bool beneath_is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

DIR *beneath_entries(int fd)
{
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = own < 0 ? NULL : fdopendir(own);

	if (!d && own >= 0)
		close(own);
	return d;
}

/* One descriptor a level. */
static int walk(DIR *entries, int (*each)(void *arg, int parent, const char *name, const struct stat *st), void *arg, unsigned depth)
{
	int dir = dirfd(entries), r = 0;

	for (struct dirent *e; !r && (e = readdir(entries));) {
		_cleanup_dir_ DIR *inner = NULL;
		struct stat st;

		if (beneath_is_dots(e->d_name))
			continue;
		if (fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			r = errno == ENOENT ? 0 : -errno;
			continue;
		}
		if (S_ISDIR(st.st_mode)) {
			int fd = depth ? beneath_open_here(dir, e->d_name, O_RDONLY | O_DIRECTORY) : -EMLINK;

			/* gone, or another file system, or exchanged for a link */
			if (fd == -ENOENT || fd == -EXDEV || fd == -ENOTDIR || fd == -ELOOP)
				continue;
			inner = fd < 0 ? NULL : fdopendir(fd);
			if (!inner && fd >= 0) {
				close(fd);
				fd = -ENOMEM;
			}
			r = inner ? walk(inner, each, arg, depth - 1) : fd;
		}
		if (!r)
			r = each(arg, dir, e->d_name, &st);
	}
	return r;
}

int beneath_walk(int dir, int (*each)(void *arg, int parent, const char *name, const struct stat *st), void *arg)
{
	_cleanup_dir_ DIR *entries = beneath_entries(dir);

	return entries ? walk(entries, each, arg, BENEATH_DEPTH) : -errno;
}

/* --- removing: a folder in a folder is moved up to the top, so that nothing is ever deeper than one --- */

/* 0: it is gone. -ENOTEMPTY: a folder that is to be emptied first. */
static int remove_entry(int dir, const char *name)
{
	if (!unlinkat(dir, name, 0) || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (!unlinkat(dir, name, AT_REMOVEDIR) || errno == ENOENT)
		return 0;
	return errno == EEXIST ? -ENOTEMPTY : errno == ENOTDIR ? -EPERM : -errno;
}

static int move_up(int dir, const char *name, int top, unsigned *number)
{
	for (;;) {
		char free_name[32];

		snprintf(free_name, sizeof(free_name), ".removed-%u", (*number)++);
		if (!renameat2(dir, name, top, free_name, RENAME_NOREPLACE) || errno == ENOENT)
			return 0;
		if (errno != EEXIST)
			return -errno;
	}
}

static int flatten(int top, const char *name, unsigned *number)
{
	_cleanup_close_ int dir = beneath_open_here(top, name, O_RDONLY | O_DIRECTORY);
	_cleanup_dir_ DIR *entries = NULL;
	int r = 0;

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	entries = beneath_entries(dir);
	if (!entries)
		return -errno;
	for (struct dirent *e; !r && (e = readdir(entries));) {
		if (beneath_is_dots(e->d_name))
			continue;
		r = remove_entry(dir, e->d_name);
		if (r == -ENOTEMPTY)
			r = move_up(dir, e->d_name, top, number);
	}
	return r;
}

/* One pass over what is in top; *ret_any: there was something. */
static int empty_once(int top, unsigned *number, bool *ret_any)
{
	_cleanup_dir_ DIR *entries = beneath_entries(top);
	int r = entries ? 0 : -errno;

	*ret_any = false;
	for (struct dirent *e; !r && (e = readdir(entries));) {
		if (beneath_is_dots(e->d_name))
			continue;
		*ret_any = true;
		r = remove_entry(top, e->d_name);
		if (r == -ENOTEMPTY)
			r = flatten(top, e->d_name, number);
	}
	return r;
}

int beneath_remove(int dir, const char *name)
{
	int r = remove_entry(dir, name);
	_cleanup_close_ int top = -1;
	unsigned number = 0;
	bool any = true;

	if (r != -ENOTEMPTY)
		return r;
	top = beneath_open_here(dir, name, O_RDONLY | O_DIRECTORY);
	r = MIN(top, 0);
	while (!r && any)
		r = empty_once(top, &number, &any);
	return r ? r : remove_entry(dir, name);
}
