/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <math.h>
#include <stdlib.h>
#include "../pods.h"
#include "hpa_calculator.h"
#include "xb/quantity.h"

struct group {                          /* of pods */
	int64_t n, usage, requests;
};
struct estimate {
	struct hpa_calculator *c;
	bool utilization;               /* of requests, else the average */
	int64_t target;
	struct group ready, unready, missing;
};

static int fail(struct hpa_calculator *c, const char *why)
{
	c->why = why;
	return why ? -EINVAL : -ENOMEM;
}

/* --- pods --- */
static int by_pod(const void *a, const void *b)
{
	return xb_sv_cmp(((const struct hpa_sample *)a)->pod, ((const struct hpa_sample *)b)->pod);
}

static struct xb_jv condition_of(struct xb_jv pod, const char *type)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(pod, "status", "conditions")); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "type"), xb_sv(type)))
			return it.value;
	return (struct xb_jv){};
}

/* What a processor does while a program starts says nothing of its load. */
static bool is_starting(const struct hpa_calculator *c, struct xb_jv pod, const struct hpa_sample *s)
{
	struct xb_jv ready = condition_of(pod, "Ready"), start = xb_jv_path(pod, "status", "startTime");
	bool is_false = xb_jv_streq(xb_jv_get(ready, "status"), XB_SV("False"));
	int64_t since = pods_time(xb_jv_get(ready, "lastTransitionTime"));

	if (!xb_jv_is(ready) || !xb_jv_is(start))
		return true;
	if (pods_time(start) + c->cpu_initialization > c->now)
		return is_false || s->time < since + s->window;
	return is_false && pods_time(start) + c->initial_readiness > since;
}

static struct group *group_of(struct estimate *e, struct xb_jv pod, const struct hpa_sample *s, struct xb_sv resource)
{
	struct xb_sv phase = xb_jv_text(xb_jv_path(pod, "status", "phase"));

	if (pods_deleting(pod) || xb_sv_is(phase, "Failed"))
		return NULL;
	if (xb_sv_is(phase, "Pending"))
		return &e->unready;
	if (!s)
		return &e->missing;
	return xb_sv_is(resource, "cpu") && is_starting(e->c, pod, s) ? &e->unready : &e->ready;
}

static int add_requests(struct hpa_calculator *c, struct xb_jv pod, struct xb_jv containers, bool sidecars, struct xb_sv resource,
			struct xb_sv only, int64_t *sum)
{
	for (struct xb_jit it = xb_jv_iter(containers); xb_jit_next(&it);) {
		struct xb_sv name = xb_jv_text(xb_jv_get(it.value, "name"));
		struct xb_quantity q;

		if ((only.n && !xb_sv_eq(only, name)) || (sidecars && !xb_jv_streq(xb_jv_get(it.value, "restartPolicy"), XB_SV("Always"))))
			continue;
		if (xb_quantity_parse(xb_jv_text(xb_jv_getsv(xb_jv_path(it.value, "resources", "requests"), resource)), &q))
			return fail(c, xb_arena_printf(c->arena, "missing request for %.*s in container %.*s of Pod %.*s", XB_SV_ARG(resource),
						       XB_SV_ARG(name), XB_SV_ARG(xb_jv_text(xb_jv_path(pod, "metadata", "name")))));
		*sum += xb_quantity_milli(&q);
	}
	return 0;
}

static int requests_of(struct hpa_calculator *c, struct xb_jv pod, struct xb_sv resource, struct xb_sv container, int64_t *ret)
{
	struct xb_jv spec = xb_jv_get(pod, "spec");
	int r;

	*ret = 0;
	r = add_requests(c, pod, xb_jv_get(spec, "containers"), false, resource, container, ret);
	return r ? r : add_requests(c, pod, xb_jv_get(spec, "initContainers"), true, resource, container, ret);
}

static int sort_pods(struct estimate *e, struct hpa_sample *samples, size_t n, struct xb_sv resource, struct xb_sv container)
{
	struct hpa_calculator *c = e->c;
	int r = 0;

	if (!c->n_pods)
		return fail(c, "No pods returned by selector while calculating replica count");
	if (n)
		qsort(samples, n, sizeof(*samples), by_pod);
	for (size_t i = 0; !r && i < c->n_pods; i++) {
		struct hpa_sample key = { .pod = xb_jv_text(xb_jv_path(c->pods[i], "metadata", "name")) };
		const struct hpa_sample *s = n ? bsearch(&key, samples, n, sizeof(*samples), by_pod) : NULL;
		struct group *g = group_of(e, c->pods[i], s, resource);
		int64_t requests = 0;

		if (e->utilization)
			r = requests_of(c, c->pods[i], resource, container, &requests);
		if (r || !g)
			continue;
		g->n++;
		g->requests += requests;
		g->usage += g == &e->ready ? s->usage : 0;
	}
	return r;
}

/* --- ratios --- */
static int64_t ceiling(double d)
{
	return (int64_t)MIN(MAX(ceil(d), 0.0), (double)INT32_MAX);
}

static bool is_near(const struct hpa_calculator *c, double ratio)
{
	return fabs(1.0 - ratio) <= c->tolerance;
}

static int64_t utilization_of(const struct group *g)
{
	return g->requests ? g->usage * 100 / g->requests : 0;
}

static double ratio_of(const struct estimate *e, const struct group *g)
{
	return (double)(e->utilization ? utilization_of(g) : g->usage / g->n) / (double)e->target;
}

static void add(struct group *to, const struct group *g, int64_t usage)
{
	to->n += g->n;
	to->requests += g->requests;
	to->usage += usage;
}

/* Those that were not measured count against the change: as busy on the way down, as idle on the way up. */
static void add_unmeasured(const struct estimate *e, double ratio, struct group *all)
{
	int64_t busy = e->utilization ? e->missing.requests * MAX(100, e->target) / 100 : e->missing.n * e->target;

	if (ratio < 1.0)
		add(all, &e->missing, busy);
	else if (ratio > 1.0 || !e->utilization)
		add(all, &e->missing, 0);
	if (ratio > 1.0)
		add(all, &e->unready, 0);
}

static int64_t replicas_for(const struct estimate *e, double ratio)
{
	int64_t current = e->c->current, replicas;
	struct group all = e->ready;
	double again;

	if (!e->missing.n && !(e->unready.n && ratio > 1.0))
		return is_near(e->c, ratio) ? current : ceiling(ratio * (double)e->ready.n);
	add_unmeasured(e, ratio, &all);
	again = ratio_of(e, &all);
	if (is_near(e->c, again) || (ratio < 1.0 && again > 1.0) || (ratio > 1.0 && again < 1.0))
		return current;
	replicas = ceiling(again * (double)all.n);
	return (again < 1.0 && replicas > current) || (again > 1.0 && replicas < current) ? current : replicas;
}

static int propose(const struct estimate *e, struct hpa_proposal *ret)
{
	if (!e->ready.n)
		return fail(e->c, "did not receive metrics for targeted pods (pods might be unready)");
	if (e->utilization && !e->ready.requests)
		return fail(e->c, "no metrics returned matched known pods");
	*ret = (struct hpa_proposal){
		.replicas = replicas_for(e, ratio_of(e, &e->ready)), .usage = e->ready.usage / e->ready.n,
		.utilization = e->utilization ? utilization_of(&e->ready) : 0,
	};
	return 0;
}

int hpa_by_utilization(struct hpa_calculator *c, struct hpa_sample *samples, size_t n, struct xb_sv resource, struct xb_sv container,
		       int64_t percent, struct hpa_proposal *ret)
{
	struct estimate e = { .c = c, .utilization = true, .target = percent };
	int r = sort_pods(&e, samples, n, resource, container);

	return r ? r : propose(&e, ret);
}

int hpa_by_usage(struct hpa_calculator *c, struct hpa_sample *samples, size_t n, struct xb_sv resource, int64_t target,
		 struct hpa_proposal *ret)
{
	struct estimate e = { .c = c, .target = target };
	int r = sort_pods(&e, samples, n, resource, (struct xb_sv){});

	return r ? r : propose(&e, ret);
}

/* --- values that are no pod's --- */
static bool is_running(struct xb_jv pod)
{
	return xb_jv_streq(xb_jv_path(pod, "status", "phase"), XB_SV("Running")) && pods_ready(pod, NULL);
}

int hpa_by_value(struct hpa_calculator *c, int64_t usage, int64_t target, struct hpa_proposal *ret)
{
	double ratio = (double)usage / (double)target;
	int64_t ready = 0;

	*ret = (struct hpa_proposal){ .usage = usage, .replicas = c->current };
	if (c->current && is_near(c, ratio))
		return 0;
	if (!c->current) {
		ret->replicas = ceiling(ratio);
		return 0;
	}
	if (!c->n_pods)
		return fail(c, "unable to calculate ready pods: No pods returned by selector while calculating replica count");
	for (size_t i = 0; i < c->n_pods; i++)
		ready += is_running(c->pods[i]);
	ret->replicas = ceiling(ratio * (double)ready);
	return 0;
}

void hpa_by_average(const struct hpa_calculator *c, int64_t usage, int64_t target, int64_t replicas, struct hpa_proposal *ret)
{
	double ratio = (double)usage / ((double)target * (double)replicas);

	*ret = (struct hpa_proposal){ .usage = replicas ? ceiling((double)usage / (double)replicas) : 0, .replicas = replicas };
	if (!is_near(c, ratio))
		ret->replicas = ceiling((double)usage / (double)target);
}
