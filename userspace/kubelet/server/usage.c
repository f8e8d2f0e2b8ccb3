/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <sys/statvfs.h>
#include "inner.h"
#include "usage.h"
#include "xb/time.h"

#define RATE_WAIT_MS 500        /* between two looks, where there is none to compare with */
#define RATE_KEPT_MS 120000     /* how long ago the other one may be */
#define RUNTIME_MS   10000

struct usage_job {
	LIST_ENTRY(usage_job) link;
	struct server *s;
	unsigned parts;
	struct usage usage;
	unsigned pending;               /* answers that are waited for */
	unsigned walks;                 /* of these the ones that cannot be called off */
	struct runtime_call *layers, *disk;
	uv_timer_t timer;
	int error;
	usage_done *done;               /* NULL: called off */
	void *arg;
};
struct walk {                           /* of one pod's folders */
	struct usage_job *job;
	size_t pod;
};

static void on_closed(uv_handle_t *h)
{
	free(h->data);
}

static void release(struct usage_job *j)
{
	LIST_REMOVE(j, link);
	usage_clear(&j->usage);
	uv_close((uv_handle_t *)&j->timer, on_closed);
}

static void finish(uv_timer_t *t)
{
	struct usage_job *j = t->data;

	j->done(j->arg, j->error ? NULL : &j->usage);
	release(j);
}

static void answered(struct usage_job *j)
{
	if (--j->pending)
		return;
	if (j->done)
		uv_timer_start(&j->timer, finish, 0, 0);
	else
		release(j);
}

/* --- what containers have written --- */

static struct usage_container *container_of_id(struct usage *u, const char *id)
{
	for (size_t i = 0; i < u->pods.n; i++)
		for (size_t k = 0; k < u->pods.v[i].containers.n; k++)
			if (!strcmp(u->pods.v[i].containers.v[k].id, id))
				return &u->pods.v[i].containers.v[k];
	return NULL;
}

static void on_layers(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	const Runtime__V1__ListContainerStatsResponse *a = (const void *)reply;
	struct usage_job *j = arg;

	j->layers = NULL;
	for (size_t i = 0; !code && i < a->n_stats; i++) {
		const Runtime__V1__ContainerStats *c = a->stats[i];
		const Runtime__V1__FilesystemUsage *w = c->writable_layer;
		struct usage_container *u = w && c->attributes ? container_of_id(&j->usage, c->attributes->id) : NULL;

		if (!u)
			continue;
		u->has_layer = true;
		u->layer_bytes = w->used_bytes ? w->used_bytes->value : 0;
		u->layer_inodes = w->inodes_used ? w->inodes_used->value : 0;
	}
	answered(j);
}

static void on_images(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	const Runtime__V1__ImageFsInfoResponse *a = (const void *)reply;
	const Runtime__V1__FilesystemUsage *f = !code && a->n_image_filesystems ? a->image_filesystems[0] : NULL;
	struct usage_job *j = arg;
	struct statvfs st;

	j->disk = NULL;
	if (f && f->fs_id && !statvfs(f->fs_id->mountpoint, &st))
		j->usage.images = (struct usage_disk){
			.known = true, .available = (uint64_t)st.f_bavail * st.f_frsize, .capacity = (uint64_t)st.f_blocks * st.f_frsize,
			.used = f->used_bytes ? f->used_bytes->value : 0, .inodes = st.f_files, .inodes_free = st.f_ffree,
			.inodes_used = f->inodes_used ? f->inodes_used->value : 0,
		};
	answered(j);
}

static int ask_runtime(struct usage_job *j)
{
	Runtime__V1__ListContainerStatsRequest q = RUNTIME__V1__LIST_CONTAINER_STATS_REQUEST__INIT;
	Runtime__V1__ImageFsInfoRequest i = RUNTIME__V1__IMAGE_FS_INFO_REQUEST__INIT;
	int r = runtime_call(j->s->c.runtime, RPC_LIST_CONTAINER_STATS, &q.base, RUNTIME_MS, on_layers, j, &j->layers);

	if (r)
		return r;
	j->pending++;
	r = runtime_call(j->s->c.runtime, RPC_IMAGE_FS_INFO, &i.base, RUNTIME_MS, on_images, j, &j->disk);
	j->pending += !r;
	return r;
}

/* --- what pods' folders take --- */

static void on_walked(void *arg, uint64_t bytes, uint64_t inodes)
{
	struct walk w = *(struct walk *)arg;
	struct usage_pod *p = &w.job->usage.pods.v[w.pod];

	free(arg);
	p->disk_known = true;
	p->disk_bytes = bytes;
	p->disk_inodes = inodes;
	w.job->walks--;
	answered(w.job);
}

static int walk(struct usage_job *j)
{
	for (size_t i = 0; i < j->usage.pods.n; i++) {
		struct pod *pod = pods_find_uid(j->s->c.pods, j->usage.pods.v[i].uid);
		struct walk *w = pod ? malloc(sizeof(*w)) : NULL;

		if (!pod)
			continue;
		if (!w)
			return -ENOMEM;
		*w = (struct walk){ j, i };
		j->pending++;
		j->walks++;
		pods_disk_usage(j->s->c.pods, pod_document(pod), on_walked, w);
	}
	return 0;
}

/* --- the whole --- */

static void measure_now(uv_timer_t *t)
{
	struct usage_job *j = t->data;

	j->pending = 1; /* until all has been asked for */
	usage_clear(&j->usage);
	j->error = measure(j->s, j->parts, &j->usage);
	if (!j->error && j->parts & USAGE_RATES)
		measure_rates(j->s, &j->usage);
	if (!j->error && j->parts & USAGE_LAYERS)
		j->error = ask_runtime(j);
	if (!j->error && j->parts & USAGE_DISKS)
		j->error = walk(j);
	answered(j);
}

static void look_first(uv_timer_t *t)
{
	struct usage_job *j = t->data;

	if (!measure(j->s, 0, &j->usage))
		measure_rates(j->s, &j->usage);
	uv_timer_start(t, measure_now, RATE_WAIT_MS, 0);
}

int usage_measure(struct server *s, unsigned parts, usage_done *done, void *arg, struct usage_job **ret)
{
	struct usage_job *j = calloc(1, sizeof(*j));
	bool first = parts & USAGE_RATES && (!s->sampled_ms || xb_time_ms() - s->sampled_ms > RATE_KEPT_MS);

	if (!j)
		return -ENOMEM;
	*j = (struct usage_job){ .s = s, .parts = parts, .done = done, .arg = arg };
	uv_timer_init(s->c.loop, &j->timer);
	j->timer.data = j;
	LIST_INSERT_HEAD(&s->jobs, j, link);
	uv_timer_start(&j->timer, first ? look_first : measure_now, 0, 0);
	*ret = j;
	return 0;
}

void usage_cancel(struct usage_job *j)
{
	if (!j)
		return;
	runtime_cancel(j->layers);
	runtime_cancel(j->disk);
	j->pending -= !!j->layers + !!j->disk;
	j->layers = j->disk = NULL;
	j->done = NULL;
	uv_timer_stop(&j->timer);
	if (!j->walks)
		release(j);
}

void usage_forget(struct server *s)
{
	while (!LIST_EMPTY(&s->jobs))
		release(LIST_FIRST(&s->jobs));
	for (struct xb_map_it it = {}; s->samples && xb_map_next(s->samples, &it);)
		free(it.value);
	s->samples = xb_map_free(s->samples);
}
