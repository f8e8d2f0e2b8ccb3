/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <dirent.h>
#include <ftw.h>
#include <mntent.h>
#include <sys/mount.h>

#include "remove.h"
#include "xb/file.h"
#include "xb/str.h"
#include "xb/why.h"
#include "../xalloc.h"

struct paths {
	char **v;
	size_t n;
};

static void paths_done(struct paths *p)
{
	while (p->n)
		free(p->v[--p->n]);
	free(p->v);
}

static bool is_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return !strncmp(path, folder, n) && (!path[n] || path[n] == '/');
}

/* In the order of mounting. */
static int list_mounts(const char *folder, struct paths *ret)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *m;

	if (!mounts)
		return -errno;
	while ((m = getmntent(mounts))) {
		if (!is_below(m->mnt_dir, folder))
			continue;
		ret->v = xalloc(reallocarray(ret->v, ret->n + 1, sizeof(*ret->v)));
		ret->v[ret->n++] = xalloc(strdup(m->mnt_dir));
	}
	endmntent(mounts);
	return 0;
}

int unmount_below(const char *folder, char **reterr_why)
{
	_cleanup_(paths_done) struct paths p = {};
	int r = list_mounts(folder, &p);

	if (r)
		return xb_why(reterr_why, r, "cannot read /proc/self/mounts: %s", strerror(-r));
	while (p.n) {
		_cleanup_free_ char *path = p.v[--p.n];

		/* EINVAL: it went with another one, of which it was the copy */
		if (umount2(path, UMOUNT_NOFOLLOW) < 0 && errno == EBUSY)
			umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
	}
	r = list_mounts(folder, &p);
	return !r && !p.n ? 0 : xb_why(reterr_why, -EBUSY, "cannot unmount '%s'", p.n ? p.v[0] : folder);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	return remove(path) < 0 && errno != ENOENT ? -errno : 0;
}

int remove_tree(const char *folder, char **reterr_why)
{
	int r = access(folder, F_OK) < 0 ? 0 : nftw(folder, remove_one, 32, FTW_PHYS | FTW_DEPTH | FTW_MOUNT);

	return r ? xb_why(reterr_why, r, "cannot remove '%s': %s", folder, strerror(-r)) : 0;
}

#define SHIM_SOCKETS "/run/containerd/s/"

/* The file "address" of a task says where its shim listens. */
void remove_shim(const char *tasks, const char *id)
{
	_cleanup_free_ char *path = xprintf("%s/%s/address", tasks, id), *state = xprintf(RUNC_STATES "/%s", id);
	_cleanup_buf_ struct xb_buf text = {};
	struct xb_sv socket;

	remove_tree(state, NULL);
	if (xb_file_read(path, PATH_MAX, &text) || !text.p)
		return;
	socket = xb_sv_trim(xb_buf_sv(&text));
	if (xb_sv_starts(socket, "unix://" SHIM_SOCKETS) && !memchr(socket.p + 7 + strlen(SHIM_SOCKETS), '/', socket.n - 7 - strlen(SHIM_SOCKETS)))
		unlink(socket.p + 7);
}

void remove_shims(const struct cluster *c)
{
	for (unsigned node = 1; node <= CLUSTER_NODES_MAX; node++) {
		_cleanup_free_ char *tasks = cluster_node_run(c, node, "containerd/io.containerd.runtime.v2.task/k8s.io");
		DIR *d = opendir(tasks);
		struct dirent *e;

		while (d && (e = readdir(d)))
			if (e->d_name[0] != '.')
				remove_shim(tasks, e->d_name);
		if (d)
			closedir(d);
	}
}
