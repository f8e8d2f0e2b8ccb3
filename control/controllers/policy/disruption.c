/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * PodDisruptionBudgets tell how many of their pods may be disrupted now (upstream's pkg/controller/disruption); and a pod that was
 * to be disrupted and was not says so no more.
 */
#include "../loops.h"
#include "../pods.h"
#include "../selected.h"
#include "../status_put.h"
#include "budget.h"
#include "pod_scale.h"
#include "xb/time.h"

#define COMPONENT "controllermanager"

struct disruption {
	struct kcm *kcm;
	const struct xb_kind *kind, *pod_kind;
	struct xb_informer *budgets, *pods;
	struct xb_index *budgets_by_namespace;
	struct selected selected;
	struct pod_scales scales;
	struct kcm_queue *queue, *stale;        /* budgets; pods that were to be disrupted */
};

struct sync {
	struct disruption *l;
	struct xb_jv budget;
	struct pod_scale scale;
};

static struct xb_jv meta(struct xb_jv object, const char *field)
{
	return xb_jv_path(object, "metadata", field);
}

static void tell(const struct disruption *l, struct xb_jv budget, enum xb_event_type type, const char *reason, const char *text)
{
	struct xb_event e = { .component = COMPONENT, .kind = l->kind, .object = budget, .type = type, .reason = reason };

	xb_recorder_event(l->kcm->recorder, &e, "%s", text);
}

/* --- one budget --- */
/* One without a selector selects nothing, one with an empty selector all pods of the namespace. False: the former. */
static bool selector_of(struct xb_jv budget, struct xb_selector **ret)
{
	struct xb_jv v = xb_jv_path(budget, "spec", "selector");

	return xb_jv_is(v) && !xb_selector_from_label_selector(v, ret, NULL);
}

static void put(struct kcm_work *w, const struct sync *s, const struct xb_buf *status)
{
	if (!status->n)
		kcm_work_done(w, status->err);
	else
		status_put(w, s->l->kind, s->budget, status, kcm_work_done);
}

/* Tried again when something changes, as upstream does. */
static void fail(struct kcm_work *w, const struct sync *s, const char *why)
{
	_cleanup_buf_ struct xb_buf status = {}, text = {};

	xb_buf_addf(&text, "Failed to calculate the number of expected pods: %s", why);
	if (text.err) {
		kcm_work_done(w, -ENOMEM);
		return;
	}
	tell(s->l, s->budget, XB_EVENT_WARNING, "CalculateExpectedPodCountFailed", text.p);
	budget_failure_write(s->budget, why, xb_time_now(), &status);
	put(w, s, &status);
}

static void tell_stayed(const struct sync *s, const struct budget_status *b)
{
	struct xb_event e = { .component = COMPONENT, .kind = s->l->pod_kind, .type = XB_EVENT_WARNING, .reason = "NotDeleted" };
	struct xb_sv namespace_ = xb_jv_text(meta(s->budget, "namespace"));

	for (size_t i = 0; i < b->stayed.n; i++) {
		e.object = b->stayed.v[i];
		xb_recorder_event(s->l->kcm->recorder, &e, "Pod was expected by PDB %.*s/%.*s to be deleted but it wasn't",
				  XB_SV_ARG(namespace_), XB_SV_ARG(xb_jv_text(meta(s->budget, "name"))));
	}
}

static void finish(struct kcm_work *w, const struct sync *s, const struct xb_jv *pods, size_t n, int64_t scale)
{
	_cleanup_(budget_status_done) struct budget_status b = {};
	_cleanup_buf_ struct xb_buf status = {};
	int64_t now = xb_time_now();
	int r = budget_count(s->budget, pods, n, scale, now, &b);

	if (r == -EINVAL) {
		fail(w, s, "invalid value for IntOrString: invalid type: string is not a percentage");
		return;
	}
	if (r) {
		kcm_work_done(w, r);
		return;
	}
	tell_stayed(s, &b);
	if (b.recheck_us)
		kcm_queue_add_after(s->l->queue, s->budget, (b.recheck_us - now) / 1000 + 1);
	budget_status_write(s->budget, &b, now, &status);
	put(w, s, &status);
}

static void on_scale(struct kcm_work *w, int error);

/* Again from the copies after each answer: they may have changed. */
static void count(struct kcm_work *w, struct sync *s)
{
	_cleanup_(xb_selector_freep) struct xb_selector *selector = NULL;
	XB_VEC(struct xb_jv) pods = {};
	int64_t scale = 0;
	int r = 0;

	if (selector_of(s->budget, &selector))
		for (struct selected_it it = {}; selected_next(&s->l->selected, xb_sv(w->namespace_), selector, &it);)
			if (xb_vec_push(&pods, it.pod))
				r = -ENOMEM;
	if (!r && !pods.n)
		tell(s->l, s->budget, XB_EVENT_NORMAL, "NoPods", "No matching pods found");
	if (!r && budget_needs_scale(s->budget))
		r = pod_scale_sum(&s->l->scales, w, &s->scale, pods.v, pods.n, on_scale, &scale);
	if (!r)
		finish(w, s, pods.v, pods.n, scale);
	else if (r == -EINVAL)
		fail(w, s, s->scale.why);
	else if (r != -EAGAIN)
		kcm_work_done(w, r);
	xb_vec_done(&pods);
}

static void on_scale(struct kcm_work *w, int error)
{
	struct sync *s = w->state;

	s->budget = xb_informer_get(s->l->budgets, w->namespace_, w->name);
	if (error || !xb_jv_is(s->budget))
		kcm_work_done(w, error);
	else
		count(w, s);
}

static void sync_budget(struct kcm_work *w)
{
	struct disruption *l = w->loop;
	struct sync *s = w->state = xb_arena_alloc(w->arena, sizeof(*s));
	struct xb_jv budget = xb_informer_get(l->budgets, w->namespace_, w->name);

	if (!s || !xb_jv_is(budget)) {
		kcm_work_done(w, s ? 0 : -ENOMEM);
		return;
	}
	*s = (struct sync){ .l = l, .budget = budget };
	count(w, s);
}

/* --- pods that were to be disrupted --- */
/* Microseconds until its condition is stale, 0 for now; -1: it has none, or goes. What the kubelet says stays. */
static int64_t stale_in(struct xb_jv pod, int64_t now)
{
	struct xb_sv phase = xb_jv_text(xb_jv_path(pod, "status", "phase"));

	if (pods_deleting(pod) || xb_sv_is(phase, "Succeeded") || xb_sv_is(phase, "Failed"))
		return -1;
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(pod, "status", "conditions")); xb_jit_next(&it);) {
		if (!xb_jv_streq(xb_jv_get(it.value, "type"), XB_SV("DisruptionTarget")))
			continue;
		if (!xb_jv_streq(xb_jv_get(it.value, "status"), XB_SV("True")) ||
		    xb_jv_streq(xb_jv_get(it.value, "reason"), XB_SV("TerminationByKubelet")))
			return -1;
		return MAX(pods_time(xb_jv_get(it.value, "lastTransitionTime")) + BUDGET_PATIENCE_US - now, 0);
	}
	return -1;
}

static int on_cleaned(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	return code == 404 || code == 409 || code == 422 ? -ESTALE : xb_calls_error(code, status);
}

static void sync_stale(struct kcm_work *w)
{
	struct disruption *l = w->loop;
	struct xb_jv pod = xb_informer_get(l->pods, w->namespace_, w->name);
	struct kcm_request q = { .method = "PATCH", .kind = l->pod_kind, .name = w->name, .sub = "status", .type = KCM_STRATEGIC };
	int64_t now = xb_time_now(), us = stale_in(pod, now);
	_cleanup_buf_ struct xb_buf patch = {};

	if (us > 0)
		kcm_queue_add_after(l->stale, pod, us / 1000 + 1);
	if (us) {
		kcm_work_done(w, 0);
		return;
	}
	xb_buf_addf(&patch, "{\"metadata\":{\"uid\":\"%.*s\",\"resourceVersion\":\"%.*s\"},\"status\":{\"conditions\":[{\"type\":\"DisruptionTarget\","
		    "\"status\":\"False\",\"lastTransitionTime\":\"%s\"}]}}", XB_SV_ARG(xb_jv_text(meta(pod, "uid"))),
		    XB_SV_ARG(xb_jv_text(meta(pod, "resourceVersion"))), xb_time_format(now).s);
	q.body = xb_buf_sv(&patch);
	kcm_work_round(w, kcm_work_done);
	if (!patch.err)
		kcm_work_ask(w, &q, on_cleaned, NULL);
	kcm_work_go(w);
}

/* --- what comes in --- */
static bool same(struct xb_jv a, struct xb_jv b)
{
	return xb_sv_eq(xb_jv_bytes(a), xb_jv_bytes(b));
}

static bool counts_same(struct xb_jv old, struct xb_jv pod)
{
	return pods_ready(old, NULL) == pods_ready(pod, NULL) && pods_deleting(old) == pods_deleting(pod) &&
	       same(meta(old, "uid"), meta(pod, "uid")) && same(meta(old, "labels"), meta(pod, "labels")) &&
	       same(meta(old, "ownerReferences"), meta(pod, "ownerReferences"));
}

static void tell_several(const struct disruption *l, struct xb_jv pod, struct xb_jv budget)
{
	struct xb_event e = {
		.component = COMPONENT, .kind = l->pod_kind, .object = pod, .type = XB_EVENT_WARNING, .reason = "MultiplePodDisruptionBudgets",
	};

	xb_recorder_event(l->kcm->recorder, &e,
			  "Pod \"%.*s\"/\"%.*s\" matches multiple PodDisruptionBudgets.  Chose \"%.*s\" arbitrarily.",
			  XB_SV_ARG(xb_jv_text(meta(pod, "namespace"))), XB_SV_ARG(xb_jv_text(meta(pod, "name"))),
			  XB_SV_ARG(xb_jv_text(meta(budget, "name"))));
}

static void queue_who_selects(struct disruption *l, struct xb_jv pod)
{
	struct xb_jv first = {};

	for (struct xb_index_it it = {}; xb_index_next(l->budgets_by_namespace, xb_jv_text(meta(pod, "namespace")), &it);) {
		_cleanup_(xb_selector_freep) struct xb_selector *s = NULL;

		if (!selector_of(it.object, &s) || !xb_selector_matches(s, meta(pod, "labels")))
			continue;
		if (xb_jv_is(first))
			tell_several(l, pod, first);
		else
			first = it.object;
		kcm_queue_add(l->queue, it.object);
	}
}

static void on_pod(void *arg, struct xb_jv old, struct xb_jv pod)
{
	struct disruption *l = arg;

	if (xb_jv_is(pod) && stale_in(pod, xb_time_now()) >= 0)
		kcm_queue_add(l->stale, pod);
	if (xb_jv_is(old) && xb_jv_is(pod) && counts_same(old, pod))
		return;
	if (xb_jv_is(old) && !(xb_jv_is(pod) && same(meta(old, "labels"), meta(pod, "labels"))))
		queue_who_selects(l, old);
	if (xb_jv_is(pod))
		queue_who_selects(l, pod);
}

static void on_budget(void *arg, struct xb_jv old, struct xb_jv budget)
{
	struct disruption *l = arg;

	if (xb_jv_is(budget))
		kcm_queue_add(l->queue, budget);
}

/* --- the loop --- */
static int follow(struct disruption *l)
{
	struct kcm *k = l->kcm;
	int r = xb_cache_follow(k->cache, l->kind, on_budget, l);

	if (!r)
		r = xb_cache_follow(k->cache, l->pod_kind, on_pod, l);
	if (!r)
		r = selected_init(&l->selected, k);
	if (!r)
		r = pod_scales_init(&l->scales, k);
	l->budgets = xb_cache_of(k->cache, l->kind);
	l->pods = xb_cache_of(k->cache, l->pod_kind);
	l->budgets_by_namespace = kcm_index(k, l->kind, kcm_by_namespace);
	return r || !l->budgets || !l->pods || !l->budgets_by_namespace ? -ENOMEM : 0;
}

void disruption_stop(void *loop)
{
	struct disruption *l = loop;

	kcm_queue_free(l->queue);
	kcm_queue_free(l->stale);
	free(l);
}

int disruption_start(struct kcm *k, void **ret)
{
	struct disruption *l = calloc(1, sizeof(*l));
	struct kcm_queue_config budgets = { .name = "disruption", .workers = 1, .sync = sync_budget, .loop = l };
	struct kcm_queue_config stale = { .name = "stale_pod_disruption", .workers = 1, .sync = sync_stale, .loop = l };
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct disruption){ .kcm = k, .kind = kcm_kind("policy", "v1", "poddisruptionbudgets"), .pod_kind = kcm_kind("", "v1", "pods") };
	r = kcm_queue_new(k, &budgets, &l->queue);
	if (!r)
		r = kcm_queue_new(k, &stale, &l->stale);
	if (!r)
		r = follow(l);
	if (r) {
		disruption_stop(l);
		return r;
	}
	*ret = l;
	return 0;
}
