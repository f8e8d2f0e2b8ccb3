/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <mntent.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

#include "cgroup.h"
#include "cluster.h"
#include "xb/file.h"
#include "xb/why.h"
#include "../xalloc.h"

#define OWN_MOUNT   "/run/xebec/cgroup2"
#define END_SECONDS 20
#define TEXT_MAX    (1 << 20)
#define MOUNT_LINE  (16 << 10)

typedef int each_mount(void *arg, const char *mount, bool v2);

static int each_of_type(const char *type, each_mount *each, void *arg)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	char line[MOUNT_LINE];
	struct mntent m;
	int r = 0;

	while (mounts && !r && getmntent_r(mounts, &m, line, sizeof(line)))
		if (!strcmp(m.mnt_type, type))
			r = each(arg, m.mnt_dir, type[6] == '2');
	if (mounts)
		endmntent(mounts);
	return r;
}

/* Calls each for the mount of every hierarchy, v2 first when there is one: all processes are in it, and a kubelet that is not killed
 * yet would make folders of the others anew. */
static int each_hierarchy(each_mount *each, void *arg)
{
	int r = each_of_type("cgroup2", each, arg);

	return r ? r : each_of_type("cgroup", each, arg);
}

static int take_v2(void *arg, const char *mount, bool v2)
{
	char **ret = arg;

	if (v2)
		*ret = xalloc(strdup(mount));
	return v2;
}

int cgroup_mount(char **ret, char **reterr_why)
{
	int r = each_hierarchy(take_v2, ret);

	if (r)
		return 0;
	r = make_folders(OWN_MOUNT, 0755, reterr_why);
	if (r)
		return r;
	if (mount("cgroup2", OWN_MOUNT, "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return xb_why(reterr_why, -errno, "there is no cgroup v2, and none can be mounted at " OWN_MOUNT ": %s", strerror(errno));
	*ret = xalloc(strdup(OWN_MOUNT));
	return 0;
}

static int write_text(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* What a folder has of controllers, those below it get. One without any, as beside v1, is as good. */
static void hand_down(const char *folder)
{
	_cleanup_free_ char *controllers = xprintf("%s/cgroup.controllers", folder);
	_cleanup_free_ char *subtree = xprintf("%s/cgroup.subtree_control", folder);
	_cleanup_buf_ struct xb_buf text = {};
	struct xb_sv rest, name;

	if (xb_file_read(controllers, TEXT_MAX, &text) || !text.n)
		return;
	rest = xb_sv_trim(xb_buf_sv(&text));
	while (rest.n && xb_sv_split(&rest, ' ', &name)) {
		_cleanup_free_ char *on = xprintf("+%.*s", XB_SV_ARG(name));

		write_text(subtree, on);
	}
}

int cgroup_make(const char *path, char **reterr_why)
{
	_cleanup_free_ char *mount = NULL, *folder = NULL;
	int r = cgroup_mount(&mount, reterr_why);

	if (r)
		return r;
	hand_down(mount);
	folder = xprintf("%s/%s", mount, path);
	for (char *end = folder + strlen(mount) + 1;; *end++ = '/') {
		end = strchr(end, '/');
		if (end)
			*end = '\0';
		if (mkdir(folder, 0755) < 0 && errno != EEXIST)
			return xb_why(reterr_why, -errno, "cannot make cgroup '%s': %s", folder, strerror(errno));
		if (!end)
			return 0;
		hand_down(folder);
	}
}

static int kill_listed(const char *path, const struct stat *st, int type, struct FTW *at)
{
	_cleanup_buf_ struct xb_buf text = {};
	struct xb_sv rest, line;
	int64_t pid;

	if (type != FTW_F || strcmp(path + at->base, "cgroup.procs") || xb_file_read(path, TEXT_MAX, &text))
		return 0;
	rest = xb_buf_sv(&text);
	while (xb_sv_split(&rest, '\n', &line))
		if (!xb_sv_i64(line, &pid) && pid > 1 && pid != getpid())
			kill(pid, SIGKILL);
	return 0;
}

static int remove_folder(const char *path, const struct stat *st, int type, struct FTW *at)
{
	if (type == FTW_DP)
		rmdir(path);
	return 0;
}

/* One look: is it gone? */
static bool end_and_remove(const char *folder, bool v2)
{
	_cleanup_free_ char *kill_file = v2 ? xprintf("%s/cgroup.kill", folder) : NULL;

	if (!v2 || write_text(kill_file, "1"))
		nftw(folder, kill_listed, 16, FTW_PHYS);
	nftw(folder, remove_folder, 16, FTW_PHYS | FTW_DEPTH);
	return access(folder, F_OK) < 0;
}

struct removal {
	const char *path;
	bool above;
	char **reterr_why;
};

static int remove_from(void *arg, const char *mount, bool v2)
{
	const struct removal *of = arg;
	_cleanup_free_ char *folder = xprintf("%s/%s", mount, of->path);

	for (int tries = 0; !end_and_remove(folder, v2); tries++) {
		if (tries == END_SECONDS * 100)
			return xb_why(of->reterr_why, -EBUSY, "cannot remove cgroup '%s': something in it does not end", folder);
		poll(NULL, 0, 10); /* a killed process is a moment in its cgroup yet, and nothing tells of v1's */
	}
	/* the folders above it go with the last cluster */
	for (char *slash; of->above && (slash = strrchr(folder, '/')) && slash > folder + strlen(mount);) {
		*slash = '\0';
		rmdir(folder);
	}
	return 0;
}

int cgroup_end(const char *path, char **reterr_why)
{
	struct removal of = { path, false, reterr_why };

	return each_hierarchy(remove_from, &of);
}

int cgroup_remove(const char *path, char **reterr_why)
{
	struct removal of = { path, true, reterr_why };

	return each_hierarchy(remove_from, &of);
}

struct look {
	const char *pattern;
	int (*each)(void *arg, const char *path);
	void *arg;
};

static int look_in(void *arg, const char *mount, bool v2)
{
	const struct look *l = arg;
	_cleanup_free_ char *pattern = xprintf("%s/%s", mount, l->pattern);
	glob_t found = {};
	int r = 0;

	if (!glob(pattern, GLOB_NOSORT | GLOB_ONLYDIR, NULL, &found))
		for (size_t i = 0; !r && i < found.gl_pathc; i++)
			r = l->each(l->arg, found.gl_pathv[i] + strlen(mount) + 1);
	globfree(&found);
	return r;
}

int cgroup_each(const char *pattern, int (*each)(void *arg, const char *path), void *arg)
{
	struct look l = { pattern, each, arg };

	return each_hierarchy(look_in, &l);
}
