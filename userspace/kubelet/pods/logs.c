/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <dirent.h>
#include <fcntl.h>
#include "logs.h"
#include "xb/str.h"

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/* The folder at fd, which is closed: whatever is in it, but nothing through a link. depth: of folders below it. */
static void empty(int fd, unsigned depth)
{
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((e = readdir(d))) {
		if (is_dots(e->d_name) || !unlinkat(dirfd(d), e->d_name, 0) || !depth)
			continue;
		empty(openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), depth - 1);
		unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
	}
	closedir(d);
}

void logs_remove(const char *pod_logs_dir, const char *namespace_, const char *name, const char *uid)
{
	_cleanup_buf_ struct xb_buf path = {};

	xb_buf_addf(&path, "%s/%s_%s_%s", pod_logs_dir, namespace_, name, uid);
	if (path.err)
		return;
	empty(open(path.p, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), 1);
	rmdir(path.p);
}

void logs_remove_file(const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *folder = slash ? strndup(path, (size_t)(slash - path)) : NULL;
	DIR *d = folder ? opendir(folder) : NULL;
	size_t n = slash ? strlen(slash + 1) : 0;
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (!strncmp(e->d_name, slash + 1, n) && (!e->d_name[n] || e->d_name[n] == '.'))
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}

void logs_each(const char *pod_logs_dir, void (*each)(void *arg, const char *namespace_, const char *name, const char *uid), void *arg)
{
	DIR *d = opendir(pod_logs_dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char *name = strchr(e->d_name, '_'), *uid = name ? strchr(name + 1, '_') : NULL;

		if (!uid)
			continue;
		*name = *uid = '\0';
		each(arg, e->d_name, name + 1, uid + 1);
	}
	if (d)
		closedir(d);
}
