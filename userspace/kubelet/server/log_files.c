/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <zlib.h>
#include "log_files.h"
#include "xb/str.h"
#include "xb/vec.h"

#define BLOCK 65536

struct names {
	char **v;
	size_t n, cap;
};

static void names_done(struct names *n)
{
	for (size_t i = 0; i < n->n; i++)
		free(n->v[i]);
	xb_vec_done(n);
}

int log_size(const char *log, uint64_t *ret)
{
	struct stat st;

	if (lstat(log, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*ret = (uint64_t)st.st_size;
	return 0;
}

/* --- what there is --- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int take_name(int folder, const char *name, size_t prefix, struct names *ret)
{
	size_t n = strlen(name);
	char *copy;
	int r;

	/* of a compression that was killed: what it was made of is still there */
	if (n > prefix + 4 && !strcmp(name + n - 4, ".tmp")) {
		unlinkat(folder, name, 0);
		return 0;
	}
	copy = strdup(name);
	r = copy ? xb_vec_push(ret, copy) : -ENOMEM;
	if (r)
		free(copy);
	return r;
}

/* The rotated ones, the oldest first. log: the name within the folder. */
static int list(int folder, const char *log, struct names *ret)
{
	size_t n = strlen(log);
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return r;
	}
	while (!r && (e = readdir(d)))
		if (!strncmp(e->d_name, log, n) && e->d_name[n] == '.')
			r = take_name(folder, e->d_name, n, ret);
	closedir(d);
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_name);
	return r;
}

/* --- compression --- */

static int copy_compressed(int from, gzFile to)
{
	_cleanup_free_ char *block = malloc(BLOCK);
	ssize_t n;

	if (!block)
		return -ENOMEM;
	while ((n = read(from, block, BLOCK)) > 0)
		if (gzwrite(to, block, (unsigned)n) != n)
			return -EIO;
	return n < 0 ? -errno : 0;
}

static int compress_to(int folder, int from, const char *name)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640), r;
	gzFile to = fd < 0 ? NULL : gzdopen(fd, "wb");

	if (!to) {
		r = fd < 0 ? -errno : -ENOMEM;
		if (fd >= 0)
			close(fd);
		return r;
	}
	r = copy_compressed(from, to);
	return gzclose(to) != Z_OK && !r ? -EIO : r;
}

static int compress_file(int folder, const char *name)
{
	_cleanup_close_ int from = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_buf_ struct xb_buf half = {}, whole = {};
	int r;

	if (from < 0)
		return -errno;
	xb_buf_addf(&half, "%s.tmp", name);
	xb_buf_addf(&whole, "%s.gz", name);
	if (half.err || whole.err)
		return -ENOMEM;
	r = compress_to(folder, from, half.p);
	if (!r && renameat(folder, half.p, folder, whole.p) < 0)
		r = -errno;
	if (r)
		unlinkat(folder, half.p, 0);
	else
		unlinkat(folder, name, 0);
	return r;
}

/* --- the rotation --- */

static bool is_compressed(const char *name)
{
	return xb_sv_ends(xb_sv(name), ".gz");
}

static int tidy(int folder, const char *log, unsigned keep)
{
	_cleanup_(names_done) struct names names = {};
	int r = list(folder, log, &names);
	size_t left = names.n;

	for (size_t i = 0; !r && i < names.n; i++) {
		if (left > keep) {
			if (unlinkat(folder, names.v[i], 0) < 0 && errno != ENOENT)
				r = -errno;
			left--;
		} else if (!is_compressed(names.v[i])) {
			/* also over a whole x.gz of one that was killed before it removed x */
			r = compress_file(folder, names.v[i]);
		}
	}
	return r;
}

static int open_folder(const char *log, const char **ret_name)
{
	const char *slash = strrchr(log, '/');
	_cleanup_free_ char *folder = slash ? strndup(log, (size_t)(slash - log)) : NULL;
	int fd;

	if (!folder)
		return slash ? -ENOMEM : -EINVAL;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*ret_name = slash + 1;
	return fd < 0 ? -errno : fd;
}

int log_move(const char *log, unsigned max_files, int64_t now_us, char **ret_name)
{
	const char *name = NULL;
	_cleanup_close_ int folder = open_folder(log, &name);
	_cleanup_free_ char *to = NULL;
	time_t now = now_us / 1000000;
	char when[32];
	struct tm t;
	int r = folder < 0 ? folder : tidy(folder, name, max_files > 2 ? max_files - 2 : 0);

	if (r)
		return r;
	strftime(when, sizeof(when), "%Y%m%d-%H%M%S", localtime_r(&now, &t));
	if (asprintf(&to, "%s.%s", name, when) < 0) {
		to = NULL;
		return -ENOMEM;
	}
	/* twice within a second: not over the one before */
	if (renameat2(folder, name, folder, to, RENAME_NOREPLACE) < 0)
		return -errno;
	*ret_name = TAKE_PTR(to);
	return 0;
}

void log_move_back(const char *log, const char *name)
{
	const char *old = NULL;
	_cleanup_close_ int folder = open_folder(log, &old);

	if (folder >= 0)
		renameat2(folder, name, folder, old, RENAME_NOREPLACE);
}
