/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include "hierarchy.h"
#include "xb/file.h"
#include "xb/why.h"

#define MAX_FILE 65536
#define MAX_DEPTH 32

static const char *const names[CG_CONTROLLERS] = { "cpu", "cpuacct", "memory", "pids" };

static int fault(int r, const char *verb, const char *path, char **reterr_why)
{
	return xb_why(reterr_why, r, "cannot %s %s: %s", verb, path, strerror(-r));
}

/* --- what is mounted */
static unsigned controllers_in(struct xb_sv list, char sep)
{
	struct xb_sv one;
	unsigned found = 0;

	while (xb_sv_split(&list, sep, &one))
		for (unsigned c = 0; c < CG_CONTROLLERS; c++)
			if (xb_sv_is(one, names[c]))
				found |= 1u << c;
	return found;
}

/* proc(5): white space and backslashes in paths are \040 and the like. */
static char *unescape(struct xb_sv s)
{
	char *out = malloc(s.n + 1), *to = out;

	for (size_t i = 0; out && i < s.n; i++) {
		if (s.p[i] == '\\' && i + 3 < s.n) {
			*to++ = (char)((s.p[i + 1] - '0') << 6 | (s.p[i + 2] - '0') << 3 | (s.p[i + 3] - '0'));
			i += 3;
		} else {
			*to++ = s.p[i];
		}
	}
	if (out)
		*to = '\0';
	return out;
}

static int v2_controllers(const char *mount, unsigned *ret)
{
	_cleanup_buf_ struct xb_buf path = {}, text = {};
	int r;

	xb_buf_addf(&path, "%s/cgroup.controllers", mount);
	r = path.err ? path.err : xb_file_read(path.p, MAX_FILE, &text);
	if (!r)
		*ret = controllers_in(xb_sv_trim(xb_buf_sv(&text)), ' ');
	return r;
}

static bool is_known(const struct hierarchies *h, const struct hierarchy *new)
{
	for (size_t i = 0; i < h->all.n; i++)
		if (h->all.v[i].v2 ? new->v2 : !new->v2 && h->all.v[i].controllers & new->controllers)
			return true;
	return false;
}

/* One line of mountinfo: "36 35 0:30 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu". */
static int add_mount(struct hierarchies *h, struct xb_sv line)
{
	struct xb_sv field[6] = {}, type, source, options, dash = {};
	_cleanup_free_ char *mount = NULL;
	struct hierarchy new = {};
	int r = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(field); i++)
		if (!xb_sv_split(&line, ' ', &field[i]))
			return 0;
	while (!xb_sv_is(dash, "-"))
		if (!xb_sv_split(&line, ' ', &dash))
			return 0;
	if (!xb_sv_split(&line, ' ', &type) || !xb_sv_split(&line, ' ', &source) || !xb_sv_split(&line, ' ', &options))
		return 0;
	new.v2 = xb_sv_is(type, "cgroup2");
	if ((!new.v2 && !xb_sv_is(type, "cgroup")) || !xb_sv_is(field[3], "/"))
		return 0;
	mount = unescape(field[4]);
	if (!mount)
		return -ENOMEM;
	if (new.v2)
		r = v2_controllers(mount, &new.controllers);
	else
		new.controllers = controllers_in(options, ',');
	if (r || is_known(h, &new))
		return r;
	new.mount = mount;
	r = xb_vec_push(&h->all, new);
	if (!r)
		TAKE_PTR(mount);
	return r;
}

static void order(struct hierarchies *h)
{
	for (size_t i = 1; i < h->all.n; i++)
		if (h->all.v[i].v2) {
			struct hierarchy first = h->all.v[0];

			h->all.v[0] = h->all.v[i];
			h->all.v[i] = first;
		}
	for (unsigned c = 0; c < CG_CONTROLLERS; c++) {
		h->of[c] = -1;
		for (size_t i = 0; i < h->all.n; i++)
			if (h->all.v[i].controllers & 1u << c)
				h->of[c] = (int)i;
	}
	if (h->of[CG_CPUACCT] < 0 && h->of[CG_CPU] >= 0 && h->all.v[h->of[CG_CPU]].v2)
		h->of[CG_CPUACCT] = h->of[CG_CPU];
}

int hierarchies_find(const char *mountinfo, struct hierarchies *ret, char **reterr_why)
{
	_cleanup_(hierarchies_done) struct hierarchies h = {};
	_cleanup_buf_ struct xb_buf text = {};
	int r = xb_file_read(mountinfo, 4 << 20, &text);
	struct xb_sv rest = xb_buf_sv(&text), line;

	while (!r && xb_sv_split(&rest, '\n', &line))
		r = add_mount(&h, line);
	if (r)
		return fault(r, "read the cgroup file systems of", mountinfo, reterr_why);
	order(&h);
	for (unsigned c = 0; c < CG_CONTROLLERS; c++)
		if (h.of[c] < 0)
			return xb_why(reterr_why, -ENOENT, "no cgroup file system in %s has the controller %s", mountinfo, names[c]);
	*ret = h;
	h = (struct hierarchies){};
	return 0;
}

void hierarchies_done(struct hierarchies *h)
{
	for (size_t i = 0; i < h->all.n; i++)
		free(h->all.v[i].mount);
	xb_vec_done(&h->all);
}

bool hierarchies_v2(const struct hierarchies *h, enum controller c)
{
	return h->all.v[h->of[c]].v2;
}

/* --- files */
static int write_file(const char *path, const char *value)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 || write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

int hierarchies_write(const struct hierarchies *h, enum controller c, const char *cgroup, const char *file, const char *value,
		      char **reterr_why)
{
	_cleanup_buf_ struct xb_buf path = {};
	int r;

	xb_buf_addf(&path, "%s%s/%s", h->all.v[h->of[c]].mount, cgroup, file);
	r = path.err ? path.err : write_file(path.p, value);
	return r ? fault(r, "write", path.p ? path.p : file, reterr_why) : 0;
}

int hierarchies_read(const struct hierarchies *h, enum controller c, const char *cgroup, const char *file, struct xb_buf *out)
{
	_cleanup_buf_ struct xb_buf path = {};

	xb_buf_addf(&path, "%s%s/%s", h->all.v[h->of[c]].mount, cgroup, file);
	return path.err ? path.err : xb_file_read(path.p, MAX_FILE, out);
}

int hierarchies_read_u64(const struct hierarchies *h, enum controller c, const char *cgroup, const char *file, uint64_t *ret)
{
	_cleanup_buf_ struct xb_buf text = {};
	int r = hierarchies_read(h, c, cgroup, file, &text);

	if (r)
		return r;
	if (xb_sv_is(xb_sv_trim(xb_buf_sv(&text)), "max"))
		*ret = 0;
	else
		r = xb_sv_u64(xb_sv_trim(xb_buf_sv(&text)), ret);
	return r;
}

uint64_t flat_number(struct xb_sv text, const char *name)
{
	struct xb_sv line, key;
	uint64_t n;

	while (xb_sv_split(&text, '\n', &line))
		if (xb_sv_split(&line, ' ', &key) && xb_sv_is(key, name)) {
			line = xb_sv_trim(line);
			return xb_sv_split(&line, ' ', &key) && !xb_sv_u64(key, &n) ? n : 0;
		}
	return 0;
}

/* --- folders */
static void list_controllers(struct xb_sv have, bool all, struct xb_buf *out)
{
	struct xb_sv one;

	while (xb_sv_split(&have, ' ', &one))
		if (one.n && (all || controllers_in(one, ' ')))
			xb_buf_addf(out, "%s+%.*s", out->n ? " " : "", XB_SV_ARG(one));
}

/* What a cgroup may pass on to those below it, it does; where one of them cannot be, at least those that pods need. */
static int pass_on(const char *path, char **reterr_why)
{
	_cleanup_buf_ struct xb_buf file = {}, have = {}, value = {};
	int r;

	xb_buf_addf(&file, "%s/cgroup.controllers", path);
	r = file.err ? file.err : xb_file_read(file.p, MAX_FILE, &have);
	if (r)
		return fault(r, "read", file.p ? file.p : path, reterr_why);
	xb_buf_clear(&file);
	xb_buf_addf(&file, "%s/cgroup.subtree_control", path);
	for (unsigned attempt = 0; attempt < 2; attempt++) {
		xb_buf_clear(&value);
		list_controllers(xb_sv_trim(xb_buf_sv(&have)), !attempt, &value);
		r = file.err ? file.err : value.err ? value.err : !value.n ? 0 : write_file(file.p, value.p);
		if (!r)
			return 0;
	}
	return fault(r, "write", file.p ? file.p : path, reterr_why);
}

static int make_in(const struct hierarchy *in, const char *cgroup, char **reterr_why)
{
	_cleanup_buf_ struct xb_buf path = {};
	struct xb_sv rest = xb_sv(cgroup), part;
	int r = 0;

	xb_buf_adds(&path, in->mount);
	while (!r && xb_sv_split(&rest, '/', &part)) {
		if (!part.n)
			continue;
		r = in->v2 && in->controllers ? pass_on(path.p, reterr_why) : 0;
		xb_buf_addf(&path, "/%.*s", XB_SV_ARG(part));
		if (!r && path.err)
			r = path.err;
		else if (!r && mkdir(path.p, 0755) < 0 && errno != EEXIST)
			r = fault(-errno, "make", path.p, reterr_why);
	}
	return r;
}

int hierarchies_make(const struct hierarchies *h, const char *cgroup, char **reterr_why)
{
	int r = 0;

	for (size_t i = 0; !r && i < h->all.n; i++)
		if (h->all.v[i].v2 || h->all.v[i].controllers)
			r = make_in(&h->all.v[i], cgroup, reterr_why);
	return r;
}

/* -EBUSY when there was one to kill. */
static int kill_in(int folder)
{
	_cleanup_close_ int fd = openat(folder, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	int r = 0;
	long pid;

	if (!f)
		return 0;
	TAKE_FD(fd);
	while (fscanf(f, "%ld", &pid) == 1 && pid > 0) {
		kill((pid_t)pid, SIGKILL);
		r = -EBUSY;
	}
	fclose(f);
	return r;
}

/* All at once, also those that fork meanwhile (cgroup v2 since Linux 5.14); where that is not, kill_in finds them. */
static int kill_all(const struct hierarchy *in, const char *cgroup)
{
	_cleanup_buf_ struct xb_buf file = {};

	xb_buf_addf(&file, "%s%s/cgroup.kill", in->mount, cgroup);
	if (!file.err && in->v2)
		write_file(file.p, "1");
	return file.err;
}

/* Only folders can be removed of a cgroup, the files in it go with it. */
static int remove_below(int parent, const char *name, unsigned depth)
{
	_cleanup_close_ int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	int r = 0, one;

	if (!d)
		return errno == ENOENT ? 0 : -errno;
	TAKE_FD(fd);
	for (struct dirent *e; (e = readdir(d));)
		if (e->d_type == DT_DIR && strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) {
			one = depth < MAX_DEPTH ? remove_below(dirfd(d), e->d_name, depth + 1) : -ELOOP;
			r = one ? one : r;
		}
	one = kill_in(dirfd(d));
	r = one ? one : r;
	closedir(d);
	if (!r && unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		r = -errno;
	return r;
}

int hierarchies_remove(const struct hierarchies *h, const char *cgroup)
{
	int r = kill_all(&h->all.v[0], cgroup);

	for (size_t i = h->all.n; i-- > 0;) {
		_cleanup_buf_ struct xb_buf path = {};
		int one;

		xb_buf_addf(&path, "%s%s", h->all.v[i].mount, cgroup);
		one = path.err ? path.err : i || !r ? remove_below(AT_FDCWD, path.p, 0) : 0;
		r = one ? one : r;
	}
	return r;
}

void hierarchies_each(const struct hierarchies *h, const char *cgroup, void (*each)(void *arg, const char *name), void *arg)
{
	_cleanup_buf_ struct xb_buf path = {};
	DIR *d;

	xb_buf_addf(&path, "%s%s", h->all.v[0].mount, cgroup);
	d = path.err ? NULL : opendir(path.p);
	for (struct dirent *e; d && (e = readdir(d));)
		if (e->d_type == DT_DIR && e->d_name[0] != '.')
			each(arg, e->d_name);
	if (d)
		closedir(d);
}
