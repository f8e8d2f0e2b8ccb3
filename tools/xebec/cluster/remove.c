/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <dirent.h>
#include <ftw.h>
#include <mntent.h>
#include <openssl/sha.h>
#include <sys/mount.h>

#include "remove.h"
#include "xb/str.h"
#include "xb/why.h"
#include "../xalloc.h"

#define MOUNT_LINE (16 << 10)

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
	char line[MOUNT_LINE];
	struct mntent m;

	if (!mounts)
		return -errno;
	while (getmntent_r(mounts, &m, line, sizeof(line))) {
		if (!is_below(m.mnt_dir, folder))
			continue;
		ret->v = xalloc(reallocarray(ret->v, ret->n + 1, sizeof(*ret->v)));
		ret->v[ret->n++] = xalloc(strdup(m.mnt_dir));
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

const char *bundle_id(const char *name)
{
	const char *id = name + (name[0] == '.');

	return strlen(id) == CONTAINER_ID_LETTERS ? id : NULL;
}

/* A shim listens at the hash of whom it serves. */
static char *shim_socket(const struct cluster *c, unsigned node, const char *id)
{
	_cleanup_free_ char *containerd = cluster_node_run(c, node, "containerd.sock");
	_cleanup_free_ char *whom = xprintf("%s/k8s.io/%s", containerd, id);
	unsigned char sum[SHA256_DIGEST_LENGTH];
	char hex[2 * SHA256_DIGEST_LENGTH + 1];

	SHA256((const unsigned char *)whom, strlen(whom), sum);
	for (size_t i = 0; i < sizeof(sum); i++)
		snprintf(hex + 2 * i, 3, "%02x", sum[i]);
	return xprintf(SHIM_SOCKETS "%s", hex);
}

void remove_shim(const struct cluster *c, unsigned node, const char *id)
{
	_cleanup_free_ char *state = xprintf(RUNC_STATES "/%s", id), *socket = shim_socket(c, node, id);

	remove_tree(state, NULL);
	unlink(socket);
}

void remove_shims(const struct cluster *c)
{
	for (unsigned node = 1; node <= CLUSTER_NODES_MAX; node++) {
		_cleanup_free_ char *tasks = cluster_tasks(c, node);
		DIR *d = opendir(tasks);
		struct dirent *e;
		const char *id;

		while (d && (e = readdir(d)))
			if ((id = bundle_id(e->d_name)))
				remove_shim(c, node, id);
		if (d)
			closedir(d);
	}
}
