/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "beneath.h"
#include "job.h"
#include "mounts.h"

/* What is mounted goes first, as mountinfo has it, whoever mounted it; then the files, and no mount is crossed into: what was mounted
 * in between keeps its files and is an error. A kill in between leaves less to do. */
static void teardown_run(struct volume_job *j)
{
	const struct volumes *v = j->pod->v;
	_cleanup_free_ char *path = NULL, *where = NULL;
	int r;

	if (asprintf(&path, "%s/%s", v->folder, j->pod->uid) < 0) {
		path = NULL;
		volume_job_fail(j, -ENOMEM, "out of memory");
		return;
	}
	r = mounts_unmount_below(path, &where);
	errno = -r;
	if (r) {
		volume_job_fail(j, r, "cannot unmount %s: %m", where ? where : path);
		return;
	}
	r = beneath_remove(v->fd, j->pod->uid);
	errno = -r;
	if (r)
		volume_job_fail(j, r, "cannot remove %s: %m", path);
}

static void teardown_release(struct volume_job *j)
{
	free(j);
}

int volumes_teardown(struct volumes *v, const char *uid, volumes_done *done, void *arg)
{
	struct volume_job *j = calloc(1, sizeof(*j));

	if (!j)
		return -ENOMEM;
	*j = (struct volume_job){ .run = teardown_run, .release = teardown_release, .done = done, .arg = arg };
	volume_job_cancel_waiting(v, uid);
	return volume_job_add(v, uid, j);
}
