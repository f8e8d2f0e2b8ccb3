/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../claims.h"
#include "job.h"

static int on_freed(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	return code == 404 || code == 409 ? 0 : xb_calls_error(code, status);
}

static void free_pod(struct kcm_work *w)
{
	struct jobs *l = w->loop;
	struct xb_sv uid = xb_sv(w->state);
	_cleanup_buf_ struct xb_buf patch = {};

	claims_finalizer_patch(uid, JOB_TRACKING, &patch);
	if (!patch.err)
		kcm_work_ask(w, &(struct kcm_request){ .method = "PATCH", .kind = l->pod_kind, .name = w->name, .type = KCM_STRATEGIC,
						       .body = xb_buf_sv(&patch) }, on_freed, NULL);
}

/* The copy of the jobs may be behind that of the pods. */
static int on_reread(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct kcm_work *w = arg;
	struct jobs *l = w->loop;
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct xb_jv pod = xb_informer_get(l->pods, w->namespace_, w->name);
	int r = code == 404 ? 0 : xb_calls_error(code, status);

	if (!r && code != 404)
		r = xb_json_parse(body, NULL, &doc, NULL);
	if (r || !xb_sv_is(xb_jv_meta(pod, "uid"), w->state))
		return r;
	if (!doc || !xb_sv_eq(xb_jv_meta(xb_json_root(doc), "uid"), xb_owner_uid(pod)))
		free_pod(w);
	return 0;
}

void job_orphan_sync(struct kcm_work *w)
{
	struct jobs *l = w->loop;
	struct xb_jv pod = xb_informer_get(l->pods, w->namespace_, w->name), job = job_of(l, pod);
	_cleanup_free_ char *owner = xb_jv_dup(xb_jv_get(xb_owner_controller(pod), "name"));

	if (!job_tracks(pod) || !job_controls(pod) || (xb_jv_is(job) && (!job_is_over(job) || job_is_elsewhere(job)))) {
		kcm_work_done(w, 0);
		return;
	}
	w->state = xb_arena_strn(w->arena, xb_jv_meta(pod, "uid"));
	if (!w->state) {
		kcm_work_done(w, -ENOMEM);
		return;
	}
	kcm_work_round(w, kcm_work_done);
	if (owner && !xb_jv_is(job))
		kcm_work_ask(w, &(struct kcm_request){ .method = "GET", .kind = l->kind, .name = owner }, on_reread, w);
	else
		free_pod(w);
	kcm_work_go(w);
}
