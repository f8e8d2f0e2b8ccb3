/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "beneath.h"
#include "job.h"
#include "xb/quantity.h"
#include "xb/why.h"

struct empty_dir {                      /* on disk */
	char *name, *limit;             /* sizeLimit; NULL: none */
};

struct usage {
	uv_work_t work;
	struct volumes *v;
	char *uid, *logs;               /* the folder of its logs, whole */
	XB_VEC(struct empty_dir) empty_dirs;
	struct volumes_usage sum;
	char *exceeded;
	void (*done)(void *arg, const struct volumes_usage *u);
	void *arg;
};

struct count {
	uint64_t bytes, inodes;
};

static int count_one(void *arg, int parent, const char *name, const struct stat *st)
{
	struct count *c = arg;

	c->bytes += (uint64_t)st->st_blocks * 512;
	c->inodes++;
	return 0;
}

/* What cannot be seen counts as nothing, like what is too deep. */
static void count_below(int dir, struct count *c)
{
	struct stat st;

	if (dir < 0)
		return;
	beneath_walk(dir, count_one, c);
	if (!fstat(dir, &st))
		count_one(c, dir, "", &st);
}

/* One is told, the first. */
static void check_limit(struct usage *u, const struct empty_dir *d, uint64_t bytes)
{
	struct xb_quantity limit;

	if (!d->limit || u->exceeded || xb_quantity_parse(xb_sv(d->limit), &limit))
		return;
	if (xb_quantity_value(&limit) > 0 && bytes > (uint64_t)xb_quantity_value(&limit))
		xb_why(&u->exceeded, 0, "Usage of EmptyDir volume \"%s\" exceeds the limit \"%s\". ", d->name, d->limit);
}

static void run(uv_work_t *w)
{
	struct usage *u = container_of(w, struct usage, work);
	_cleanup_close_ int pod = beneath_open(u->v->fd, u->uid, O_PATH | O_DIRECTORY, 0);
	_cleanup_close_ int folder = pod < 0 ? -1 : beneath_open(pod, "volumes/" VOLUME_EMPTY_DIR, O_PATH | O_DIRECTORY, 0);
	_cleanup_close_ int logs = open(u->logs, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct count dirs = {}, files = {};

	for (size_t i = 0; folder >= 0 && i < u->empty_dirs.n; i++) {
		const struct empty_dir *d = &u->empty_dirs.v[i];
		_cleanup_close_ int dir = beneath_open_here(folder, d->name, O_RDONLY | O_DIRECTORY);
		uint64_t before = dirs.bytes;

		count_below(dir, &dirs);
		check_limit(u, d, dirs.bytes - before);
	}
	count_below(logs, &files);
	u->sum = (struct volumes_usage){ dirs.bytes, files.bytes, dirs.inodes + files.inodes, u->exceeded };
}

static void release(struct usage *u)
{
	for (size_t i = 0; i < u->empty_dirs.n; i++) {
		free(u->empty_dirs.v[i].name);
		free(u->empty_dirs.v[i].limit);
	}
	xb_vec_done(&u->empty_dirs);
	free(u->exceeded);
	free(u->logs);
	free(u->uid);
	free(u);
}

static void after(uv_work_t *w, int status)
{
	struct usage *u = container_of(w, struct usage, work);

	if (!u->v->closing)
		u->done(u->arg, &u->sum);
	volume_pool_leave(u->v);
	release(u);
}

static int take_empty_dir(struct usage *u, struct xb_jv volume)
{
	struct xb_jv source = xb_jv_get(volume, "emptyDir"), limit = xb_jv_get(source, "sizeLimit");
	int r = xb_vec_room(&u->empty_dirs, 1);
	struct empty_dir *d;

	if (!xb_jv_is(source) || xb_jv_streq(xb_jv_get(source, "medium"), XB_SV("Memory")))
		return 0;
	if (r)
		return r;
	d = &u->empty_dirs.v[u->empty_dirs.n++];
	d->name = xb_jv_dup(xb_jv_get(volume, "name"));
	d->limit = xb_jv_dup(limit);
	return d->name && (d->limit || !xb_jv_text(limit).n) ? 0 : -ENOMEM;
}

static int take_empty_dirs(struct usage *u, struct xb_jv pod)
{
	int r = 0;

	for (struct xb_jit it = xb_jv_iter(xb_jv_path(pod, "spec", "volumes")); !r && xb_jit_next(&it);)
		r = take_empty_dir(u, it.value);
	return r;
}

int volumes_usage(struct volumes *v, struct xb_jv pod, void (*done)(void *arg, const struct volumes_usage *u), void *arg)
{
	struct usage *u = calloc(1, sizeof(*u));
	_cleanup_buf_ struct xb_buf logs = {};
	int r;

	if (!u)
		return -ENOMEM;
	*u = (struct usage){ .v = v, .done = done, .arg = arg, .uid = xb_jv_dup(xb_jv_path(pod, "metadata", "uid")) };
	xb_buf_addf(&logs, "%s/", v->c.facts->pod_logs_dir);
	spec_log_folder(pod, &logs);
	u->logs = xb_buf_steal(&logs);
	r = u->uid && u->logs ? take_empty_dirs(u, pod) : -ENOMEM;
	if (r) {
		release(u);
		return r;
	}
	volume_pool_enter(v);
	uv_queue_work(v->c.loop, &u->work, run, after);
	return 0;
}
