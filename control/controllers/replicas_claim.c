/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Pods that a set selects and nobody owns are taken over; those that it owns and selects no more are let go. */
#include "pods.h"
#include "replicas.h"

static int on_claimed(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	/* the pod is not there any more, or is another one: the copy will show it */
	return code == 404 || code == 409 || code == 422 ? -ESTALE : xb_calls_error(code, status);
}

static void claim_one(struct replicas_sync *s, size_t i)
{
	const struct replicas_target *t = &s->targets[i];
	_cleanup_buf_ struct xb_buf patch = {};
	struct kcm_request q = { .method = "PATCH", .kind = s->l->pod_kind, .name = t->name, .type = KCM_STRATEGIC };
	struct xb_jw w = XB_JW(&patch);

	xb_jw_object(&w);
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_kstr(&w, "uid", t->uid);
	xb_jw_key(&w, "ownerReferences");
	xb_jw_array(&w);
	if (i < s->n_adopt) {
		xb_owner_write(&w, s->l->kind, s->set);
	} else {
		xb_jw_object(&w);
		xb_jw_kstr(&w, "$patch", "delete");
		xb_jw_kstr(&w, "uid", s->uid);
		xb_jw_end(&w);
	}
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_jw_end(&w);
	q.body = xb_jw_finish(&w) < 0 ? (struct xb_sv){} : xb_buf_sv(&patch);
	kcm_work_ask(s->w, &q, on_claimed, NULL);
}

/* The copy may be behind: a set that is gone, or was made anew by the same name, must not take over pods. */
static int on_reread(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct replicas_sync *s = arg;
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct xb_jv fresh;
	int r = code == 404 ? -ESTALE : xb_calls_error(code, status);

	if (!r)
		r = xb_json_parse(body, NULL, &doc, NULL);
	if (r)
		return r;
	fresh = xb_json_root(doc);
	if (!xb_sv_is(replicas_meta(fresh, "uid"), s->uid) || pods_deleting(fresh))
		return -ESTALE;
	for (size_t i = 0; i < s->n_adopt; i++)
		claim_one(s, i);
	return 0;
}

static void on_claims(struct kcm_work *w, int error)
{
	kcm_work_done(w, error);
}

void replicas_claim(struct replicas_sync *s, const struct replicas_pods *p)
{
	int r = replicas_new_targets(s, p->to_adopt.n + p->to_release.n);

	s->n_adopt = p->to_adopt.n;
	if (!r)
		r = replicas_add_targets(s, p->to_adopt.v, p->to_adopt.n);
	if (!r)
		r = replicas_add_targets(s, p->to_release.v, p->to_release.n);
	if (!r)
		r = replicas_hold(s);
	if (r) {
		kcm_work_done(s->w, r);
		return;
	}
	kcm_work_round(s->w, on_claims);
	for (size_t i = s->n_adopt; i < s->n_targets; i++)
		claim_one(s, i);
	if (s->n_adopt)
		kcm_work_ask(s->w, &(struct kcm_request){ .method = "GET", .kind = s->l->kind, .name = s->w->name }, on_reread, s);
	kcm_work_go(s->w);
}
