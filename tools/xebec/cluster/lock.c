/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "cluster.h"
#include "xb/why.h"
#include "../xalloc.h"

/* A lock on a folder leaves no file behind. */
static int take(const char *path, const char *waits_for, int *ret, char **reterr_why)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return xb_why(reterr_why, -errno, "cannot open '%s': %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (waits_for)
			fprintf(stderr, "waiting for %s\n", waits_for);
		if (flock(fd, LOCK_EX) < 0)
			return xb_why(reterr_why, -errno, "cannot lock '%s': %s", path, strerror(errno));
	}
	*ret = TAKE_FD(fd);
	return 0;
}

int cluster_lock(const struct cluster *c, char **reterr_why)
{
	struct stat st;
	int r, fd;

	for (;;) {
		r = make_folders(c->run, 0755, reterr_why);
		if (!r)
			r = take(c->run, "another \"xebec up\" or \"down\" of this cluster to end", &fd, reterr_why);
		if (r || (!fstat(fd, &st) && st.st_nlink))
			return r; /* open until this process ends */
		close(fd); /* whoever had it removed the cluster */
	}
}

int networks_lock(int *ret, char **reterr_why)
{
	return take(CLUSTER_RUN, NULL, ret, reterr_why);
}
