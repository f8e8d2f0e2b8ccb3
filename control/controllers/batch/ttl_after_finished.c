/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Jobs that are over are deleted so long after (upstream's pkg/controller/ttlafterfinished). */
#include "job_pods.h"
#include "../loops.h"
#include "../pods.h"
#include "../work.h"
#include "xb/time.h"

struct ttl {
	struct kcm *kcm;
	const struct xb_kind *kind;
	struct xb_informer *jobs;
	struct kcm_queue *queue;
};

/* Microseconds until it is to be deleted, 0 for now; -1: it is not to be. */
static int64_t remaining(struct xb_jv job, int64_t now)
{
	struct xb_jv over = job_condition(job, "Complete");
	int64_t seconds, end;

	if (!xb_jv_is(over))
		over = job_condition(job, "Failed");
	if (!xb_jv_is(over) || pods_deleting(job) || xb_jv_i64(xb_jv_path(job, "spec", "ttlSecondsAfterFinished"), &seconds))
		return -1;
	end = pods_time(xb_jv_get(over, "lastTransitionTime")) + seconds * 1000000;
	return MAX(end - now, 0);
}

static int on_deleted(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	return code == 404 || code == 409 ? 0 : xb_calls_error(code, status);
}

/* Its time may have been changed, or it was made anew: the copy may be behind. */
static int on_reread(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct kcm_work *w = arg;
	const struct ttl *l = w->loop;
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	_cleanup_buf_ struct xb_buf options = {};
	struct kcm_request q = { .method = "DELETE", .kind = l->kind, .name = w->name, .type = KCM_JSON };
	int r = code == 404 ? 0 : xb_calls_error(code, status);

	if (!r && code != 404)
		r = xb_json_parse(body, NULL, &doc, NULL);
	if (r || !doc || remaining(xb_json_root(doc), xb_time_now()))
		return r;
	xb_buf_addf(&options, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"propagationPolicy\":\"Foreground\",\"preconditions\":{\"uid\":\"%.*s\"}}",
		    XB_SV_ARG(xb_jv_text(xb_jv_path(xb_json_root(doc), "metadata", "uid"))));
	q.body = xb_buf_sv(&options);
	return options.err ? options.err : kcm_work_ask(w, &q, on_deleted, NULL);
}

static void sync_job(struct kcm_work *w)
{
	const struct ttl *l = w->loop;
	struct xb_jv job = xb_informer_get(l->jobs, w->namespace_, w->name);
	int64_t us = remaining(job, xb_time_now());

	if (us > 0)
		kcm_queue_add_after(l->queue, job, us / 1000 + 1);
	if (us) {
		kcm_work_done(w, 0);
		return;
	}
	kcm_work_round(w, kcm_work_done);
	kcm_work_ask(w, &(struct kcm_request){ .method = "GET", .kind = l->kind, .name = w->name }, on_reread, w);
	kcm_work_go(w);
}

static void on_job(void *arg, struct xb_jv old, struct xb_jv job)
{
	struct ttl *l = arg;

	if (xb_jv_is(job) && remaining(job, xb_time_now()) >= 0)
		kcm_queue_add(l->queue, job);
}

void ttl_after_finished_stop(void *loop)
{
	struct ttl *l = loop;

	kcm_queue_free(l->queue);
	free(l);
}

int ttl_after_finished_start(struct kcm *k, void **ret)
{
	struct ttl *l = calloc(1, sizeof(*l));
	struct kcm_queue_config queue = {
		.name = "ttl_jobs_to_delete", .workers = k->options->concurrent_ttl_after_finished_syncs, .sync = sync_job, .loop = l,
	};
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct ttl){ .kcm = k, .kind = kcm_kind("batch", "v1", "jobs") };
	r = kcm_queue_new(k, &queue, &l->queue);
	if (!r)
		r = xb_cache_follow(k->cache, l->kind, on_job, l);
	l->jobs = xb_cache_of(k->cache, l->kind);
	if (r || !l->jobs) {
		ttl_after_finished_stop(l);
		return -ENOMEM;
	}
	*ret = l;
	return 0;
}
