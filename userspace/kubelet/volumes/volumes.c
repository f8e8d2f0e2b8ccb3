/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "beneath.h"
#include "job.h"
#include "xb/why.h"

/* --- what keeps the whole alive --- */

static void volumes_release(struct volumes *v)
{
	if (v->fd >= 0)
		close(v->fd);
	xb_map_free(v->pods);
	free(v->folder);
	free(v);
}

void volume_pool_enter(struct volumes *v)
{
	v->on_pool++;
}

bool volume_pool_leave(struct volumes *v)
{
	if (--v->on_pool || !v->closing)
		return true;
	volumes_release(v);
	return false;
}

/* --- jobs of one pod --- */

static void job_free(struct volume_job *j)
{
	free(j->why);
	j->release(j);
}

static void pod_release(struct volume_pod *p)
{
	while (p->jobs) {
		struct volume_job *j = p->jobs;

		p->jobs = j->next;
		job_free(j);
	}
	free(p->uid);
	free(p);
}

static void begin_next(struct volume_pod *p);

/* The first job is over. Whoever is told may forget the pod, or end everything. */
static void job_over(struct volume_job *j)
{
	struct volume_pod *p = j->pod;

	j->waiting = false;
	if (j->makes_ready && !j->error)
		p->ready = true;
	if (!p->forgotten)
		j->done(j->arg, j->error, j->why);
	p->jobs = j->next;
	job_free(j);
	if (p->forgotten)
		pod_release(p);
	else if (p->jobs)
		begin_next(p);
}

static void on_pool(uv_work_t *w)
{
	struct volume_job *j = container_of(w, struct volume_job, work);

	j->run(j);
}

static void after_pool(uv_work_t *w, int status)
{
	struct volume_job *j = container_of(w, struct volume_job, work);
	struct volumes *v = j->pod->v;

	job_over(j);
	volume_pool_leave(v);
}

static void job_begin(struct volume_job *j)
{
	struct volumes *v = j->pod->v;
	int r = j->begin ? j->begin(j) : 0;

	j->waiting = r == -EINPROGRESS;
	if (j->waiting)
		return;
	if (r)
		volume_job_fail(j, r, "out of memory");
	volume_pool_enter(v);
	uv_queue_work(v->c.loop, &j->work, on_pool, after_pool);
}

static void begin_next(struct volume_pod *p)
{
	job_begin(p->jobs);
}

static struct volume_pod *pod_of(struct volumes *v, const char *uid)
{
	struct volume_pod *p = xb_map_get(v->pods, xb_sv(uid));

	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	*p = (struct volume_pod){ .v = v, .uid = strdup(uid) };
	if (p->uid && !xb_map_set(v->pods, xb_sv(p->uid), p, NULL))
		return p;
	free(p->uid);
	free(p);
	return NULL;
}

int volume_job_add(struct volumes *v, const char *uid, struct volume_job *j)
{
	struct volume_job **at;

	j->pod = pod_of(v, uid);
	if (!j->pod) {
		job_free(j);
		return -ENOMEM;
	}
	for (at = &j->pod->jobs; *at; at = &(*at)->next)
		;
	*at = j;
	if (j->pod->jobs == j)
		job_begin(j);
	return 0;
}

void volume_job_fail(struct volume_job *j, int error, const char *fmt, ...)
{
	va_list ap;

	if (j->error)
		return;
	j->error = error;
	va_start(ap, fmt);
	if (vasprintf(&j->why, fmt, ap) < 0)
		j->why = NULL;
	va_end(ap);
}

static struct volume_job *waiting_of(struct volumes *v, const char *uid)
{
	struct volume_pod *p = xb_map_get(v->pods, xb_sv(uid));

	return p && p->jobs && p->jobs->waiting ? p->jobs : NULL;
}

void volume_job_arrived(void *arg, const char *uid)
{
	struct volume_job *j = waiting_of(arg, uid);

	if (j)
		job_begin(j);
}

/* By way of the pool, so that nobody is called back from within his own call. */
static void run_nothing(struct volume_job *j)
{
}

void volume_job_cancel_waiting(struct volumes *v, const char *uid)
{
	struct volume_job *j = waiting_of(v, uid);

	if (!j)
		return;
	volume_job_fail(j, -ECANCELED, "the pod is over");
	j->begin = NULL;
	j->run = run_nothing;
	job_begin(j);
}

void volume_pod_forget(struct volume_pod *p)
{
	struct volume_job *j = p->jobs;

	xb_map_del(p->v->pods, xb_sv(p->uid));
	p->forgotten = true;
	if (!j || j->waiting)
		pod_release(p);
}

void volumes_forget(struct volumes *v, const char *uid)
{
	struct volume_pod *p = xb_map_get(v->pods, xb_sv(uid));

	if (v->tokens)
		tokens_forget(v->tokens, uid);
	if (v->claims)
		claims_forget(v->claims, uid);
	if (p)
		volume_pod_forget(p);
}

bool volumes_ready(const struct volumes *v, const char *uid)
{
	const struct volume_pod *p = xb_map_get(v->pods, xb_sv(uid));

	return p && p->ready;
}

/* --- the whole --- */

int volume_pod_open(const struct volumes *v, const char *uid)
{
	return beneath_mkdirs(v->fd, uid, POD_MODE, false);
}

int volumes_each_on_disk(struct volumes *v, void (*each)(void *arg, const char *uid), void *arg)
{
	_cleanup_dir_ DIR *entries = beneath_entries(v->fd);

	if (!entries)
		return -errno;
	for (struct dirent *e; (e = readdir(entries));)
		if (!beneath_is_dots(e->d_name))
			each(arg, e->d_name);
	return 0;
}

static void on_old_token(void *arg, const char *uid)
{
	const struct volumes *v = arg;

	v->c.stale(v->c.arg, uid);
}

struct volumes *volumes_free(struct volumes *v)
{
	if (!v)
		return NULL;
	v->tokens = tokens_free(v->tokens);
	v->claims = claims_free(v->claims);
	for (struct xb_map_it it = {}; v->pods && xb_map_next(v->pods, &it);)
		volume_pod_forget(it.value);
	v->closing = true;
	if (!v->on_pool)
		volumes_release(v);
	return NULL;
}

static int open_folder(struct volumes *v, char **reterr_why)
{
	const char *root = v->c.facts->root_dir;
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int top = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (top < 0)
		return xb_why(reterr_why, -errno, "cannot open the root directory %s: %m", root);
	v->fd = beneath_mkdirs(top, "pods", POD_MODE, false);
	errno = MAX(-v->fd, 0);
	if (v->fd < 0)
		return xb_why(reterr_why, v->fd, "cannot make %s/pods: %m", root);
	if (asprintf(&path, "%s/pods", root) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	v->folder = realpath(path, NULL);
	return v->folder ? 0 : xb_why(reterr_why, -errno, "cannot resolve %s: %m", path);
}

int volumes_new(const struct volumes_config *c, struct volumes **ret, char **reterr_why)
{
	_cleanup_(volumes_freep) struct volumes *v = calloc(1, sizeof(*v));
	struct tokens_config tokens = { .rest = c->rest, .arrived = volume_job_arrived, .old = on_old_token, .arg = v };
	struct claims_config claims = { .rest = c->rest, .facts = c->facts, .node = c->node, .node_arg = c->arg,
					.arrived = volume_job_arrived, .arg = v };
	int r;

	if (!v)
		return -ENOMEM;
	v->c = *c;
	v->fd = -1;
	v->pods = xb_map_new(XB_MAP_BORROW);
	r = v->pods ? open_folder(v, reterr_why) : -ENOMEM;
	if (!r && c->rest)
		r = tokens_new(&tokens, &v->tokens);
	if (!r && c->rest)
		r = claims_new(&claims, &v->claims);
	if (!r)
		*ret = TAKE_PTR(v);
	return r;
}
