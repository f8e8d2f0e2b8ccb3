/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include <time.h>

#include "atomic.h"
#include "beneath.h"
#include "xb/random.h"
#include "xb/why.h"

#define DATA      "..data"
#define DATA_NEW  "..data_tmp"
#define PATH_LEN  4096
#define NAME_LEN  255

/* --- the files --- */

static bool is_nothing(struct xb_sv part)
{
	return !part.n || xb_sv_is(part, ".");
}

/* "a//./b" is "a/b". */
static char *clean(struct xb_sv path)
{
	struct xb_buf out = {};
	struct xb_sv part;

	while (xb_sv_split(&path, '/', &part)) {
		if (is_nothing(part))
			continue;
		if (out.n)
			xb_buf_addc(&out, '/');
		xb_buf_addsv(&out, part);
	}
	return xb_buf_steal(&out);
}

static struct volume_file *find(const struct volume_files *f, const char *path)
{
	for (size_t i = 0; i < f->v.n; i++)
		if (!strcmp(f->v.v[i].path, path))
			return &f->v.v[i];
	return NULL;
}

struct volume_file *volume_files_add(struct volume_files *f, struct xb_sv path, mode_t mode)
{
	_cleanup_free_ char *cleaned = clean(path);
	struct volume_file *file = cleaned ? find(f, cleaned) : NULL;

	if (file) {
		xb_buf_clear(&file->bytes);
		file->mode = mode;
		file->of_user = false;
		return file;
	}
	if (!cleaned || xb_vec_room(&f->v, 1))
		return NULL;
	file = &f->v.v[f->v.n++];
	*file = (struct volume_file){ .path = TAKE_PTR(cleaned), .mode = mode };
	return file;
}

void volume_files_done(struct volume_files *f)
{
	for (size_t i = 0; i < f->v.n; i++) {
		if (f->v.v[i].bytes.p)
			explicit_bzero(f->v.v[i].bytes.p, f->v.v[i].bytes.n);
		xb_buf_done(&f->v.v[i].bytes);
		free(f->v.v[i].path);
	}
	xb_vec_done(&f->v);
}

int atomic_check_path(struct xb_sv path, char **reterr_why)
{
	struct xb_sv rest = path, part;
	bool any = false;

	if (xb_sv_starts(path, "/") || memchr(path.p, 0, path.n))
		return xb_why(reterr_why, -EINVAL, "invalid path: must be relative path: %.*s", XB_SV_ARG(path));
	if (path.n > PATH_LEN)
		return xb_why(reterr_why, -EINVAL, "invalid path: must be less than or equal to %d characters", PATH_LEN);
	while (xb_sv_split(&rest, '/', &part)) {
		if (xb_sv_is(part, ".."))
			return xb_why(reterr_why, -EINVAL, "invalid path: must not contain '..': %.*s", XB_SV_ARG(path));
		if (part.n > NAME_LEN)
			return xb_why(reterr_why, -EINVAL, "invalid path: filenames must be less than or equal to %d characters", NAME_LEN);
		any = any || !is_nothing(part);
	}
	if (!any)
		return xb_why(reterr_why, -EINVAL, "invalid path: must not be empty: \"%.*s\"", XB_SV_ARG(path));
	if (xb_sv_starts(path, ".."))
		return xb_why(reterr_why, -EINVAL, "invalid path: must not start with '..': %.*s", XB_SV_ARG(path));
	return 0;
}

/* --- what is shown now --- */

static bool holds(int fd, struct xb_sv bytes)
{
	char chunk[16384];

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return !n && !bytes.n;
		if ((size_t)n > bytes.n || memcmp(chunk, bytes.p, n))
			return false;
		bytes = (struct xb_sv){ bytes.p + n, bytes.n - n };
	}
}

/* Names of what is below a folder, each with the folder's own before it, are held against the files. */
struct census {
	const struct volume_files *files;
	const char *prefix;
	unsigned depth;
	size_t seen;
};

static int count_files(int dir, struct census *c)
{
	_cleanup_dir_ DIR *entries = beneath_entries(dir);
	int r = entries ? 0 : -errno;

	for (struct dirent *e; !r && (e = readdir(entries));) {
		_cleanup_close_ int fd = -1;
		_cleanup_free_ char *path = NULL;
		struct census inner = { .files = c->files, .depth = c->depth + 1 };

		if (beneath_is_dots(e->d_name))
			continue;
		if (asprintf(&path, "%s%s%s", c->prefix, *c->prefix ? "/" : "", e->d_name) < 0)
			return -ENOMEM;
		fd = beneath_open_here(dir, e->d_name, O_RDONLY | O_DIRECTORY);
		inner.prefix = path;
		if (fd >= 0)
			r = c->depth < BENEATH_DEPTH ? count_files(fd, &inner) : -ELOOP;
		else if (fd == -ENOTDIR && find(c->files, path))
			inner.seen = 1;
		else
			r = fd == -ENOTDIR ? -ENOENT : fd;
		c->seen += inner.seen;
	}
	return r;
}

/* Does that folder hold these files and no others? What cannot be read does not. */
static bool shows(int dir, const char *current, const struct volume_files *f)
{
	_cleanup_close_ int data = beneath_open_here(dir, current, O_RDONLY | O_DIRECTORY);
	struct census c = { .files = f, .prefix = "" };

	if (data < 0 || count_files(data, &c) || c.seen != f->v.n)
		return false;
	for (size_t i = 0; i < f->v.n; i++) {
		_cleanup_close_ int fd = beneath_open_here(data, f->v.v[i].path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);

		if (fd < 0 || !holds(fd, xb_buf_sv(&f->v.v[i].bytes)))
			return false;
	}
	return true;
}

static int read_current(int dir, char ret[NAME_LEN + 1])
{
	ssize_t n = readlinkat(dir, DATA, ret, NAME_LEN);

	ret[MAX(n, 0)] = '\0';
	return n >= 0 || errno == ENOENT || errno == EINVAL ? 0 : -errno;
}

/* --- writing --- */

static int write_bytes(int fd, struct xb_sv bytes)
{
	while (bytes.n) {
		ssize_t n = write(fd, bytes.p, bytes.n);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			bytes = (struct xb_sv){ bytes.p + n, bytes.n - n };
	}
	return 0;
}

static int write_file(int dir, const struct volume_file *f, uid_t user)
{
	const char *slash = strrchr(f->path, '/');
	_cleanup_free_ char *folder = xb_sv_dup(slash ? (struct xb_sv){ f->path, slash - f->path } : XB_SV("."));
	_cleanup_close_ int in = -1, fd = -1;
	int r;

	if (!folder)
		return -ENOMEM;
	in = beneath_mkdirs(dir, folder, 0755, false);
	if (in < 0)
		return in;
	fd = beneath_open(in, slash ? slash + 1 : f->path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return fd;
	r = write_bytes(fd, xb_buf_sv(&f->bytes));
	if (!r && f->of_user && user && fchown(fd, user, -1) < 0)
		r = -errno;
	if (!r && fchmod(fd, f->mode) < 0)
		r = -errno;
	return r;
}

static int make_folder(int dir, char *ret_name, size_t size)
{
	struct timespec now;
	struct tm tm;
	unsigned tail;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	do {
		size_t n = strftime(ret_name, size, "..%Y_%m_%d_%H_%M_%S", &tm);

		xb_random_bytes(&tail, sizeof(tail));
		snprintf(ret_name + n, size - n, ".%u", tail);
		if (!mkdirat(dir, ret_name, 0755))
			return beneath_open(dir, ret_name, O_RDONLY | O_DIRECTORY, 0);
	} while (errno == EEXIST);
	return -errno;
}

static int fill(int dir, const struct volume_files *f, int (*own)(void *arg, int dir), void *arg)
{
	int r = fchmod(dir, 0755) < 0 ? -errno : 0;

	for (size_t i = 0; !r && i < f->v.n; i++)
		r = write_file(dir, &f->v.v[i], f->user);
	return !r && own ? own(arg, dir) : r;
}

static struct xb_sv first_part(const char *path)
{
	return (struct xb_sv){ path, strcspn(path, "/") };
}

static int show_file(int dir, const char *path)
{
	struct xb_sv name = first_part(path);
	char visible[NAME_LEN + 1], target[NAME_LEN + 16];

	snprintf(visible, sizeof(visible), "%.*s", XB_SV_ARG(name));
	snprintf(target, sizeof(target), DATA "/%s", visible);
	return symlinkat(target, dir, visible) < 0 && errno != EEXIST ? -errno : 0;
}

static bool shown_by(const struct volume_files *f, const char *name)
{
	for (size_t i = 0; i < f->v.n; i++)
		if (xb_sv_is(first_part(f->v.v[i].path), name))
			return true;
	return false;
}

/* Old folders, what a kill left, and links to what is no more. */
static int sweep(int dir, const char *current, const struct volume_files *f)
{
	_cleanup_dir_ DIR *entries = beneath_entries(dir);
	int r = entries ? 0 : -errno;

	for (struct dirent *e; !r && (e = readdir(entries));) {
		bool ours = !strncmp(e->d_name, "..", 2);

		if (beneath_is_dots(e->d_name) || !strcmp(e->d_name, DATA) || !strcmp(e->d_name, current))
			continue;
		if (ours || !shown_by(f, e->d_name))
			r = beneath_remove(dir, e->d_name);
	}
	return r;
}

static int show(int dir, const char *name)
{
	if (unlinkat(dir, DATA_NEW, 0) < 0 && errno != ENOENT)
		return -errno;
	if (symlinkat(name, dir, DATA_NEW) < 0 || renameat(dir, DATA_NEW, dir, DATA) < 0)
		return -errno;
	return 0;
}

/* A folder that came to nothing goes at once: what is tried again may find the disk full, and should not make it so. */
static int write_folder(int dir, const struct volume_files *f, int (*own)(void *arg, int dir), void *arg, char *ret_name, size_t size)
{
	_cleanup_close_ int folder = make_folder(dir, ret_name, size);
	int r = folder < 0 ? folder : fill(folder, f, own, arg);

	if (!r)
		r = show(dir, ret_name);
	if (r && folder >= 0)
		beneath_remove(dir, ret_name);
	return r;
}

int atomic_write(int dir, const struct volume_files *f, int (*own)(void *arg, int dir), void *arg)
{
	char current[NAME_LEN + 1], name[64];
	int r = read_current(dir, current), written = 0;

	if (r)
		return r;
	if (!*current || !shows(dir, current, f)) {
		r = write_folder(dir, f, own, arg, name, sizeof(name));
		if (r)
			return r;
		written = 1;
	}
	for (size_t i = 0; !r && i < f->v.n; i++)
		r = show_file(dir, f->v.v[i].path);
	if (!r)
		r = sweep(dir, written ? name : current, f);
	return r ? r : written;
}
