/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A disk that fails when told to, for LD_PRELOAD: what the program writes to files named store.db* meets the fault that
 * stands in the file $XB_DISK_FAULT at that moment. Built by the test that uses it: cc -shared -fPIC.
 *
 *	write ERRNO     writes, truncations and syncs fail with that number
 *	sync ERRNO      syncs do
 *	torn ERRNO      half of each write reaches the file, then it fails
 *	short 0         each write is cut in half, as a kernel may: the caller has to go on
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

struct fault {
	char what[16];
	int error;
};

static bool is_store(int fd)
{
	char link[64], path[4096];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return false;
	path[n] = 0;
	return strstr(path, "/store.db") != NULL;
}

static struct fault now(int fd)
{
	const char *file = getenv("XB_DISK_FAULT");
	struct fault f = {};
	char text[64] = "";
	int saved = errno, from = file && is_store(fd) ? open(file, O_RDONLY | O_CLOEXEC) : -1;

	if (from >= 0) {
		if (read(from, text, sizeof(text) - 1) > 0)
			sscanf(text, "%15s %d", f.what, &f.error);
		close(from);
	}
	errno = saved;
	return f;
}

static bool is(const struct fault *f, const char *what)
{
	return !strcmp(f->what, what);
}

typedef ssize_t pwrite_fn(int fd, const void *p, size_t n, off64_t at);
typedef int fd_fn(int fd);

static ssize_t faulty_pwrite(const char *name, int fd, const void *p, size_t n, off64_t at)
{
	pwrite_fn *real = (pwrite_fn *)dlsym(RTLD_NEXT, name);
	struct fault f = now(fd);

	if (is(&f, "short") && n > 1)
		n /= 2;
	if (is(&f, "torn"))
		(void)!real(fd, p, n / 2, at);
	if (is(&f, "torn") || is(&f, "write")) {
		errno = f.error;
		return -1;
	}
	return real(fd, p, n, at);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	return faulty_pwrite("pwrite", fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	return faulty_pwrite("pwrite64", fd, p, n, at);
}

static int faulty_sync(const char *name, int fd)
{
	fd_fn *real = (fd_fn *)dlsym(RTLD_NEXT, name);
	struct fault f = now(fd);

	if (is(&f, "sync") || is(&f, "write")) {
		errno = f.error;
		return -1;
	}
	return real(fd);
}

int fsync(int fd)
{
	return faulty_sync("fsync", fd);
}

int fdatasync(int fd)
{
	return faulty_sync("fdatasync", fd);
}

typedef int truncate_fn(int fd, off64_t size);

static int faulty_truncate(const char *name, int fd, off64_t size)
{
	truncate_fn *real = (truncate_fn *)dlsym(RTLD_NEXT, name);
	struct fault f = now(fd);

	if (is(&f, "write")) {
		errno = f.error;
		return -1;
	}
	return real(fd, size);
}

int ftruncate(int fd, off_t size)
{
	return faulty_truncate("ftruncate", fd, size);
}

int ftruncate64(int fd, off64_t size)
{
	return faulty_truncate("ftruncate64", fd, size);
}
