/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "xb/file.h"

static int read_all(int fd, size_t max, struct xb_buf *out)
{
	size_t before = out->n;

	for (;;) {
		ssize_t r;

		if (xb_buf_reserve(out, 4096))
			return -ENOMEM;
		r = read(fd, out->p + out->n, out->cap - out->n - 1);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (!r)
			return 0;
		out->n += r;
		out->p[out->n] = '\0';
		if (out->n - before > max)
			return -EFBIG;
	}
}

int xb_file_read(const char *path, size_t max, struct xb_buf *out)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t before = out->n;
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size > 0 && (uintmax_t)st.st_size > max)
		return -EFBIG;
	if (st.st_size > 0 && xb_buf_reserve(out, st.st_size + 4096))
		return -ENOMEM;
	r = read_all(fd, max, out);
	if (r < 0) {
		out->n = before;
		if (out->p)
			out->p[before] = '\0';
	}
	return r;
}

static int write_all(int fd, struct xb_sv bytes)
{
	while (bytes.n) {
		ssize_t r = write(fd, bytes.p, bytes.n);

		if (r < 0 && errno != EINTR)
			return -errno;
		if (r > 0)
			bytes = (struct xb_sv){ bytes.p + r, bytes.n - r };
	}
	return 0;
}

/* A rename is on disk when its folder is. */
static int sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *folder = NULL;
	_cleanup_close_ int fd = -1;

	folder = slash ? xb_sv_dup((struct xb_sv){ path, MAX(slash - path, 1) }) : strdup(".");
	if (!folder)
		return -ENOMEM;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

static int write_new(const char *path, struct xb_sv bytes, mode_t mode)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, bytes);
	if (r < 0)
		return r;
	if (fchmod(fd, mode) < 0 || fsync(fd) < 0 || close(TAKE_FD(fd)) < 0)
		return -errno;
	return 0;
}

int xb_file_write(const char *path, struct xb_sv bytes, mode_t mode)
{
	_cleanup_free_ char *temporary = NULL;
	int r;

	if (asprintf(&temporary, "%s.tmp", path) < 0) {
		temporary = NULL;
		return -ENOMEM;
	}
	if (unlink(temporary) < 0 && errno != ENOENT)
		return -errno;
	r = write_new(temporary, bytes, mode);
	if (!r && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0) {
		unlink(temporary);
		return r;
	}
	return sync_folder(path);
}
