/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * HorizontalPodAutoscalers scale their target by what its pods use (upstream's pkg/controller/podautoscaler). Each is looked at
 * once a period: its target's scale is read, its metrics are, and from them follows how many replicas there should be.
 */
#include "../loops.h"
#include "../scale.h"
#include "../selected.h"
#include "../status_put.h"
#include "hpa_history.h"
#include "hpa_metric.h"
#include "hpa_status.h"
#include "xb/map.h"
#include "xb/time.h"

#define COMPONENT "horizontal-pod-autoscaler"

struct autoscalers {
	struct kcm *kcm;
	const struct xb_kind *kind;
	struct xb_informer *autoscalers;
	struct xb_index *by_namespace;
	struct selected selected;
	struct xb_map *known;                   /* struct known by key */
	struct kcm_queue *queue;
};
/* What is remembered of one. */
struct known {
	char *key, *uid, *selector;             /* selector: of its target's pods, NULL while that is not known */
	struct hpa_history history;
};
struct sync {
	struct kcm_work *w;
	struct autoscalers *l;
	struct xb_jv hpa;                       /* held */
	struct known *known;
	struct scale scale;
	struct hpa_status status;
	struct hpa_metric *metrics;
	size_t n_metrics;
	int64_t now, min, max, desired;
	const char *reason;                     /* why it is scaled */
};

static struct xb_jv spec(struct xb_jv hpa, const char *field)
{
	return xb_jv_path(hpa, "spec", field);
}

static void tell(const struct sync *s, enum xb_event_type type, const char *reason, const char *text)
{
	struct xb_event e = { .component = COMPONENT, .kind = s->l->kind, .object = s->hpa, .type = type, .reason = reason };

	xb_recorder_event(s->l->kcm->recorder, &e, "%s", text);
}

static int able(struct sync *s, bool status, const char *reason, const char *message)
{
	return message ? hpa_status_say(&s->status, "AbleToScale", status, reason, message, s->now) : -ENOMEM;
}

static int active(struct sync *s, bool status, const char *reason, const char *message)
{
	return message ? hpa_status_say(&s->status, "ScalingActive", status, reason, message, s->now) : -ENOMEM;
}

/* --- the end of a sync --- */
/* Somebody changed it meanwhile, which brings it again. */
static void on_told(struct kcm_work *w, int error)
{
	kcm_work_done(w, error == -ESTALE ? 0 : error);
}

/* -EINVAL: what went wrong is in the status; the next period tries again. */
static void finish(struct sync *s, int error)
{
	_cleanup_buf_ struct xb_buf status = {};

	if (error && error != -EINVAL) {
		kcm_work_done(s->w, error);
		return;
	}
	hpa_status_write(&s->status, s->hpa, &status);
	if (status.err || !status.n)
		on_told(s->w, status.err);
	else
		status_put(s->w, s->l->kind, s->hpa, &status, on_told);
}

/* --- scaling --- */
static int tell_scaled(struct sync *s)
{
	const char *event = xb_arena_printf(s->w->arena, "New size: %lld; reason: %s", (long long)s->desired, s->reason);
	int r;

	if (!event)
		return -ENOMEM;
	r = able(s, true, "SucceededRescale", xb_arena_printf(s->w->arena, "the HPA controller was able to update the target scale to %lld",
							      (long long)s->desired));
	tell(s, XB_EVENT_NORMAL, "SuccessfulRescale", event);
	s->status.desired = s->desired;
	s->status.last_scale = xb_arena_sv(s->w->arena, xb_sv(xb_time_format(s->now).s));
	return r || !s->status.last_scale.p ? -ENOMEM : 0;
}

static int tell_not_scaled(struct sync *s)
{
	const char *event = xb_arena_printf(s->w->arena, "New size: %lld; reason: %s; error: %s", (long long)s->desired, s->reason, s->scale.why);

	if (event)
		tell(s, XB_EVENT_WARNING, "FailedRescale", event);
	return able(s, false, "FailedUpdateScale",
		    xb_arena_printf(s->w->arena, "the HPA controller was unable to update the target scale: %s", s->scale.why));
}

static void on_scaled(struct kcm_work *w, int error)
{
	struct sync *s = w->state;
	int64_t from = s->status.current;

	if (!error && s->scale.why)
		error = tell_not_scaled(s);
	else if (!error)
		error = tell_scaled(s);
	if (!error && !s->scale.why)
		error = hpa_history_scaled(&s->known->history, spec(s->hpa, "behavior"), from, s->desired, s->now);
	finish(s, error);
}

static void rescale(struct sync *s)
{
	kcm_work_round(s->w, on_scaled);
	scale_set(s->w, &s->scale, s->desired);
	kcm_work_go(s->w);
}

/* --- what the metrics come to --- */
static int write_metrics(struct sync *s, const struct hpa_outcome *all)
{
	_cleanup_buf_ struct xb_buf out = {};

	for (size_t i = 0; i < s->n_metrics; i++)
		xb_buf_addf(&out, "%s%s", i ? "," : "[", all[i].status);
	xb_buf_addc(&out, ']');
	s->status.metrics = s->n_metrics ? xb_arena_strn(s->w->arena, xb_buf_sv(&out)) : "";
	return out.err || !s->status.metrics ? -ENOMEM : 0;
}

static const char *tell_invalid(const struct sync *s, const struct hpa_outcome *first, size_t n)
{
	return xb_arena_printf(s->w->arena, "invalid metrics (%zu invalid out of %zu), first error is: %s%s%s", n, s->n_metrics, first->what,
			       *first->what ? ": " : "", first->why);
}

static int give_up(struct sync *s, const struct hpa_outcome *first, const char *message)
{
	int r;

	tell(s, XB_EVENT_WARNING, "FailedComputeMetricsReplicas", message);
	r = active(s, false, first->reason, xb_arena_printf(s->w->arena, "the HPA was unable to compute the replica count: %s", first->why));
	return r ? r : -EINVAL;
}

/* The metric that asks for most counts; with one that is not known nothing is taken away. -EINVAL: nothing can be said. */
static int weigh(struct sync *s, const struct hpa_outcome *all)
{
	const struct hpa_outcome *most = NULL, *first = NULL;
	const char *message;
	size_t invalid = 0;

	for (size_t i = 0; i < s->n_metrics; i++) {
		if (all[i].why) {
			first = first ? first : &all[i];
			invalid++;
		} else if (!most || all[i].replicas > most->replicas) {
			most = &all[i];
		}
	}
	if (first && (!most || most->replicas < s->scale.replicas)) {
		message = tell_invalid(s, first, invalid);
		return message ? give_up(s, first, message) : -ENOMEM;
	}
	if (!most)
		return -EINVAL;
	s->desired = most->replicas;
	s->reason = s->desired > s->scale.replicas ? xb_arena_printf(s->w->arena, "%s above target", most->name) : "All metrics below target";
	if (!s->reason)
		return -ENOMEM;
	return active(s, true, "ValidMetricFound", xb_arena_printf(s->w->arena,
		"the HPA was able to successfully calculate a replica count from %s", most->name));
}

static int propose(struct sync *s, const struct xb_jv *pods, size_t n_pods, struct hpa_outcome *all)
{
	const struct kcm_options *o = s->l->kcm->options;
	int r;

	for (size_t i = 0; i < s->n_metrics; i++) {
		struct hpa_calculator c = {
			.tolerance = o->hpa_tolerance, .cpu_initialization = o->hpa_cpu_initialization_ms * 1000,
			.initial_readiness = o->hpa_initial_readiness_ms * 1000, .now = s->now, .arena = s->w->arena,
			.pods = pods, .n_pods = n_pods, .current = s->scale.replicas,
		};

		r = hpa_metric_propose(&s->metrics[i], &c, s->scale.current, &all[i]);
		if (r && r != -EINVAL)
			return r;
		if (r)
			tell(s, XB_EVENT_WARNING, all[i].reason, all[i].why);
	}
	return 0;
}

static int normalize(struct sync *s)
{
	struct hpa_bounds b = {
		.behavior = spec(s->hpa, "behavior"), .min = s->min, .max = s->max, .current = s->scale.replicas,
		.down_window = s->l->kcm->options->hpa_downscale_stabilization_ms * 1000,
	};
	struct hpa_verdict v;
	int r = hpa_history_normalize(&s->known->history, &b, s->desired, s->now, &v);

	if (!r)
		r = able(s, true, v.able, v.able_message);
	if (!r)
		r = hpa_status_say(&s->status, "ScalingLimited", v.limited, v.limit, v.limit_message, s->now);
	s->desired = v.replicas;
	return r;
}

static int gather(const struct sync *s, const struct xb_selector *selector, struct xb_jv **ret, size_t *ret_n)
{
	XB_VEC(struct xb_jv) pods = {};
	int r = 0;

	for (struct selected_it it = {}; selected_next(&s->l->selected, xb_sv(s->w->namespace_), selector, &it);)
		r |= xb_vec_push(&pods, it.pod);
	if (r) {
		xb_vec_done(&pods);
		return -ENOMEM;
	}
	*ret = pods.v;
	*ret_n = pods.n;
	return 0;
}

static int decide(struct sync *s)
{
	struct hpa_outcome *all = xb_arena_alloc(s->w->arena, (s->n_metrics + 1) * sizeof(*all));
	_cleanup_(xb_selector_freep) struct xb_selector *selector = NULL;
	_cleanup_free_ struct xb_jv *pods = NULL;
	size_t n_pods = 0;
	int r = all ? xb_selector_parse(xb_sv(s->scale.selector), &selector, NULL) : -ENOMEM;

	if (!r)
		r = gather(s, selector, &pods, &n_pods);
	if (!r)
		r = propose(s, pods, n_pods, all);
	if (!r)
		r = write_metrics(s, all);
	if (!r)
		r = weigh(s, all);
	return r ? r : normalize(s);
}

static void on_metrics(struct kcm_work *w, int error)
{
	struct sync *s = w->state;

	s->now = xb_time_now();
	if (!error)
		error = decide(s);
	if (error || s->desired == s->scale.replicas) {
		if (!error)
			s->status.desired = s->desired;
		finish(s, error);
		return;
	}
	rescale(s);
}

static void ask_metrics(struct sync *s)
{
	struct xb_jv list = spec(s->hpa, "metrics");

	s->metrics = xb_arena_alloc(s->w->arena, (xb_jv_count(list) + 1) * sizeof(*s->metrics));
	if (!s->metrics) {
		kcm_work_done(s->w, -ENOMEM);
		return;
	}
	kcm_work_round(s->w, on_metrics);
	for (struct xb_jit it = xb_jv_iter(list); xb_jit_next(&it);) {
		s->metrics[s->n_metrics] = (struct hpa_metric){ .spec = it.value };
		hpa_metric_ask(s->w, &s->metrics[s->n_metrics++], s->scale.selector);
	}
	kcm_work_go(s->w);
}

/* --- the target --- */
static int no_selector(struct sync *s, const char *event, const char *reason, const char *text, const char *message)
{
	const char *all = text ? xb_arena_printf(s->w->arena, "%s", text) : NULL;

	if (!all)
		return -ENOMEM;
	tell(s, XB_EVENT_WARNING, event, all);
	tell(s, XB_EVENT_WARNING, "FailedComputeMetricsReplicas", all);
	return active(s, false, reason, message ? message : all) ? -ENOMEM : -EINVAL;
}

static bool selects_any(const struct sync *s, const struct xb_selector *own, const char *other)
{
	_cleanup_(xb_selector_freep) struct xb_selector *selector = NULL;
	bool found = false;

	if (xb_selector_parse(xb_sv(other), &selector, NULL) || !selector)
		return false;
	for (struct selected_it it = {}; selected_next(&s->l->selected, xb_sv(s->w->namespace_), own, &it);)
		found |= xb_selector_matches(selector, xb_jv_path(it.pod, "metadata", "labels"));
	return found;
}

/* Pods that two autoscalers count would be scaled by both. */
static int check_alone(struct sync *s, const struct xb_selector *own)
{
	_cleanup_buf_ struct xb_buf others = {}, key = {};

	for (struct xb_index_it it = {}; xb_index_next(s->l->by_namespace, xb_sv(s->w->namespace_), &it);) {
		const struct known *k = kcm_key(it.object, &key) ? xb_map_get(s->l->known, xb_buf_sv(&key)) : NULL;

		if (k && k != s->known && k->selector && selects_any(s, own, k->selector))
			xb_buf_addf(&others, " %s", k->key);
	}
	if (others.err || !others.n)
		return others.err;
	return no_selector(s, "AmbiguousSelector", "AmbiguousSelector",
			   xb_arena_printf(s->w->arena, "pods by selector %s are controlled by multiple HPAs: [%s%s]", s->scale.selector, s->known->key,
					   others.p), NULL);
}

static int check_selector(struct sync *s)
{
	_cleanup_(xb_selector_freep) struct xb_selector *selector = NULL;
	_cleanup_status_ struct xb_status why = {};

	if (!*s->scale.selector)
		return no_selector(s, "SelectorRequired", "InvalidSelector", "selector is required", "the HPA target's scale is missing a selector");
	if (xb_selector_parse(xb_sv(s->scale.selector), &selector, &why))
		return no_selector(s, "InvalidSelector", "InvalidSelector",
				   xb_arena_printf(s->w->arena, "couldn't convert selector into a corresponding internal selector object: %s", why.message), NULL);
	free(s->known->selector);
	s->known->selector = strdup(s->scale.selector);
	return s->known->selector ? check_alone(s, selector) : -ENOMEM;
}

static int tell_no_scale(struct sync *s, const char *why)
{
	tell(s, XB_EVENT_WARNING, "FailedGetScale", why);
	return able(s, false, "FailedGetScale", xb_arena_printf(s->w->arena, "the HPA controller was unable to get the target's current scale: %s", why));
}

/* Without a look at the metrics. */
static bool is_out_of_bounds(struct sync *s)
{
	int64_t current = s->scale.replicas;

	if (current > s->max) {
		s->desired = s->max;
		s->reason = "Current number of replicas above Spec.MaxReplicas";
	} else if (current < s->min) {
		s->desired = s->min;
		s->reason = "Current number of replicas below Spec.MinReplicas";
	}
	return s->reason;
}

static void on_scale(struct kcm_work *w, int error)
{
	struct sync *s = w->state;

	if (error || s->scale.why) {
		finish(s, error ? error : tell_no_scale(s, s->scale.why));
		return;
	}
	error = able(s, true, "SucceededGetScale", "the HPA controller was able to get the target's current scale");
	if (!error)
		error = hpa_history_begin(&s->known->history, s->scale.replicas, s->now);
	s->status.current = s->scale.replicas;
	if (!error && !s->scale.replicas && s->min) {
		error = active(s, false, "ScalingDisabled", "scaling is disabled since the replica count of the target is zero");
		s->status.desired = 0;
		finish(s, error);
	} else if (!error && is_out_of_bounds(s)) {
		rescale(s);
	} else {
		error = error ? error : check_selector(s);
		if (error)
			finish(s, error);
		else
			ask_metrics(s);
	}
}

/* --- one autoscaler --- */
static void forget(struct autoscalers *l, struct xb_sv key)
{
	struct known *k = xb_map_del(l->known, key);

	if (!k)
		return;
	hpa_history_done(&k->history);
	free(k->selector);
	free(k->uid);
	free(k->key);
	free(k);
}

/* One that was made anew by the same name begins anew. */
static int obtain(struct autoscalers *l, const char *key, struct xb_sv uid, struct known **ret)
{
	struct known *k = xb_map_get(l->known, xb_sv(key));

	if (k && !xb_sv_is(uid, k->uid)) {
		forget(l, xb_sv(key));
		k = NULL;
	}
	if (!k) {
		k = calloc(1, sizeof(*k));
		if (!k)
			return -ENOMEM;
		k->key = strdup(key);
		k->uid = xb_sv_dup(uid);
		if (!k->key || !k->uid || xb_map_set(l->known, xb_sv(k->key), k, NULL)) {
			free(k->key);
			free(k->uid);
			free(k);
			return -ENOMEM;
		}
	}
	*ret = k;
	return 0;
}

static void begin(struct sync *s)
{
	struct xb_jv target = spec(s->hpa, "scaleTargetRef");
	struct xb_sv version = xb_jv_text(xb_jv_get(target, "apiVersion"));
	int r = scale_of(s->w, version, xb_jv_text(xb_jv_get(target, "kind")), xb_jv_text(xb_jv_get(target, "name")), &s->scale);

	if (r == -EINVAL) {
		const char *why = xb_arena_printf(s->w->arena, "unexpected GroupVersion string: %.*s", XB_SV_ARG(version));

		finish(s, why ? tell_no_scale(s, why) : -ENOMEM);
		return;
	}
	if (r) {
		kcm_work_done(s->w, r);
		return;
	}
	kcm_work_round(s->w, on_scale);
	scale_ask(s->w, &s->scale);
	kcm_work_go(s->w);
}

static void sync_autoscaler(struct kcm_work *w)
{
	struct autoscalers *l = w->loop;
	struct sync *s = w->state = xb_arena_alloc(w->arena, sizeof(*s));
	struct xb_jv hpa = xb_informer_get(l->autoscalers, w->namespace_, w->name);
	int r = s ? 0 : -ENOMEM;

	if (r || !xb_jv_is(hpa)) {
		forget(l, xb_sv(w->key));
		kcm_work_done(w, r);
		return;
	}
	kcm_queue_add_after(l->queue, hpa, l->kcm->options->hpa_sync_ms);
	*s = (struct sync){ .w = w, .l = l, .hpa = hpa, .now = xb_time_now(), .min = 1 };
	xb_jv_i64(spec(hpa, "minReplicas"), &s->min);
	xb_jv_i64(spec(hpa, "maxReplicas"), &s->max);
	r = kcm_work_hold(w, hpa);
	if (!r)
		r = obtain(l, w->key, xb_jv_meta(hpa, "uid"), &s->known);
	if (!r)
		r = hpa_status_read(w->arena, hpa, &s->status);
	if (r)
		kcm_work_done(w, r);
	else
		begin(s);
}

/* --- the loop --- */
static void on_autoscaler(void *arg, struct xb_jv old, struct xb_jv hpa)
{
	struct autoscalers *l = arg;

	if (!xb_jv_is(hpa) || !xb_jv_is(old) || !xb_sv_eq(xb_jv_bytes(xb_jv_get(old, "spec")), xb_jv_bytes(xb_jv_get(hpa, "spec"))))
		kcm_queue_add(l->queue, xb_jv_is(hpa) ? hpa : old);
}

void hpa_stop(void *loop)
{
	struct autoscalers *l = loop;

	kcm_queue_free(l->queue);
	for (struct xb_map_it it = {}; l->known && xb_map_next(l->known, &it);)
		forget(l, it.key);
	xb_map_free(l->known);
	free(l);
}

static int follow(struct autoscalers *l)
{
	int r = xb_cache_follow(l->kcm->cache, l->kind, on_autoscaler, l);

	if (!r)
		r = selected_init(&l->selected, l->kcm);
	l->autoscalers = xb_cache_of(l->kcm->cache, l->kind);
	l->by_namespace = kcm_index(l->kcm, l->kind, kcm_by_namespace);
	return r || !l->autoscalers || !l->by_namespace ? -ENOMEM : 0;
}

int hpa_start(struct kcm *k, void **ret)
{
	struct autoscalers *l = calloc(1, sizeof(*l));
	struct kcm_queue_config queue = {
		.name = "horizontalpodautoscaler", .workers = k->options->concurrent_hpa_syncs, .sync = sync_autoscaler, .loop = l,
	};
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct autoscalers){ .kcm = k, .kind = kcm_kind("autoscaling", "v2", "horizontalpodautoscalers"), .known = xb_map_new(XB_MAP_BORROW) };
	r = l->known ? kcm_queue_new(k, &queue, &l->queue) : -ENOMEM;
	if (!r)
		r = follow(l);
	if (r) {
		hpa_stop(l);
		return r;
	}
	*ret = l;
	return 0;
}
