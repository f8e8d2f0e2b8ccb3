/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <fcntl.h>
#include <stdio.h>

#include "xb/sysctl.h"

static int open_setting(int flags, const char *path, va_list ap)
{
	char whole[256] = "/proc/sys/";
	size_t n = strlen(whole);
	int more = vsnprintf(whole + n, sizeof(whole) - n, path, ap), fd;

	if (more < 0 || (size_t)more >= sizeof(whole) - n)
		return -ENAMETOOLONG;
	fd = open(whole, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int xb_sysctl_set(const char *value, const char *path, ...)
{
	_cleanup_close_ int fd = -1;
	va_list ap;

	va_start(ap, path);
	fd = open_setting(O_WRONLY, path, ap);
	va_end(ap);
	if (fd < 0)
		return fd;
	return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

int xb_sysctl_get(int *ret, const char *path, ...)
{
	_cleanup_close_ int fd = -1;
	char text[32];
	int64_t value;
	va_list ap;
	ssize_t n;

	va_start(ap, path);
	fd = open_setting(O_RDONLY, path, ap);
	va_end(ap);
	if (fd < 0)
		return fd;
	n = read(fd, text, sizeof(text));
	if (n < 0)
		return -errno;
	if (xb_sv_i64(xb_sv_trim((struct xb_sv){ text, (size_t)n }), &value) < 0 || value != (int)value)
		return -EINVAL;
	*ret = (int)value;
	return 0;
}
