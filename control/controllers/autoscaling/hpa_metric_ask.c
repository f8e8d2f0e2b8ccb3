/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "hpa_metric.h"
#include "xb/quantity.h"
#include "xb/selector.h"
#include "xb/time.h"

#define SECOND_US INT64_C(1000000)

struct asked {
	struct kcm_work *w;
	struct hpa_metric *m;
	const char *api;                /* "resource", for what is told */
	const char *what;               /* "pods.metrics.k8s.io" */
	const char *rest;               /* of a custom metric's path, below its version */
};

static struct xb_sv text(struct xb_jv object, const char *field)
{
	return xb_jv_text(xb_jv_get(object, field));
}

static int tell(struct asked *a, const char *why)
{
	a->m->why = why;
	return why ? 0 : -ENOMEM;
}

static int64_t milli(struct xb_jv quantity)
{
	struct xb_quantity q;

	return xb_quantity_parse(xb_jv_text(quantity), &q) ? 0 : xb_quantity_milli(&q);
}

static int64_t window_of(struct xb_jv item)
{
	int64_t ns = 0, seconds = 60;

	if (!xb_duration_parse(text(item, "window"), &ns))
		return ns / 1000;
	xb_jv_i64(xb_jv_get(item, "windowSeconds"), &seconds);
	return seconds * SECOND_US;
}

static int64_t time_of(struct xb_jv item)
{
	int64_t us = 0;

	xb_time_parse(text(item, "timestamp"), &us);
	return us;
}

/* --- refusals, in the words that client-go has when the server has none --- */
static int refused(struct asked *a, int code, const struct xb_status *status)
{
	const char *said = status && status->message ? status->message : "no answer";
	struct xb_arena *arena = a->w->arena;

	if (code == 404 && !(status && status->name))
		said = xb_arena_printf(arena, "the server could not find the requested resource (get %s)", a->what);
	else if (code == 503)
		said = xb_arena_printf(arena, "the server is currently unable to handle the request (get %s)", a->what);
	return said ? tell(a, xb_arena_printf(arena, "unable to fetch metrics from %s metrics API: %s", a->api, said)) : -ENOMEM;
}

static int none(struct asked *a)
{
	return tell(a, xb_arena_printf(a->w->arena, "no metrics returned from %s metrics API", a->api));
}

/* --- samples of pods --- */
static int new_samples(struct asked *a, struct xb_jv items)
{
	a->m->samples = xb_arena_alloc(a->w->arena, (xb_jv_count(items) + 1) * sizeof(*a->m->samples));
	return a->m->samples ? 0 : -ENOMEM;
}

static int add_sample(struct asked *a, struct xb_jv item, struct xb_sv pod, int64_t usage)
{
	pod = xb_arena_sv(a->w->arena, pod);
	a->m->samples[a->m->n++] = (struct hpa_sample){ .pod = pod, .usage = usage, .time = time_of(item), .window = window_of(item) };
	return pod.p ? 0 : -ENOMEM;
}

/* A pod with a container that says nothing of the resource was not measured. */
static int add_pod(struct asked *a, struct xb_jv item, struct xb_sv resource)
{
	struct xb_jv containers = xb_jv_get(item, "containers");
	int64_t sum = 0;

	for (struct xb_jit it = xb_jv_iter(containers); xb_jit_next(&it);) {
		struct xb_jv usage = xb_jv_getsv(xb_jv_get(it.value, "usage"), resource);

		if (!xb_jv_is(usage))
			return 0;
		sum += milli(usage);
	}
	return xb_jv_count(containers) ? add_sample(a, item, xb_jv_text(xb_jv_path(item, "metadata", "name")), sum) : 0;
}

static int add_container(struct asked *a, struct xb_jv item, struct xb_sv resource, struct xb_sv container)
{
	struct xb_jv meta = xb_jv_get(item, "metadata");

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(item, "containers")); xb_jit_next(&it);) {
		struct xb_jv usage = xb_jv_getsv(xb_jv_get(it.value, "usage"), resource);

		if (xb_sv_eq(text(it.value, "name"), container))
			return xb_jv_is(usage) ? add_sample(a, item, text(meta, "name"), milli(usage)) : 0;
	}
	return tell(a, xb_arena_printf(a->w->arena, "container %.*s not present in metrics for pod %.*s/%.*s", XB_SV_ARG(container),
				       XB_SV_ARG(text(meta, "namespace")), XB_SV_ARG(text(meta, "name"))));
}

static int on_resource(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct asked *a = arg;
	struct xb_jv whole = xb_jv_get(a->m->spec, "resource"), part = xb_jv_get(a->m->spec, "containerResource"), items;
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	int r;

	if (xb_calls_error(code, status))
		return refused(a, code, status);
	r = xb_json_parse(body, &(struct xb_json_limits){ .max_bytes = 1u << 28 }, &doc, NULL);
	if (r)
		return r;
	items = xb_jv_get(xb_json_root(doc), "items");
	r = new_samples(a, items);
	for (struct xb_jit it = xb_jv_iter(items); !r && !a->m->why && xb_jit_next(&it);)
		r = xb_jv_is(part) ? add_container(a, it.value, text(part, "name"), text(part, "container")) :
				     add_pod(a, it.value, text(whole, "name"));
	return r || a->m->why || xb_jv_count(items) ? r : none(a);
}

/* --- values --- */
static int on_values(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct asked *a = arg;
	bool of_pods = xb_jv_streq(xb_jv_get(a->m->spec, "type"), XB_SV("Pods"));
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct xb_jv items;
	int r;

	if (xb_calls_error(code, status))
		return refused(a, code, status);
	r = xb_json_parse(body, &(struct xb_json_limits){ .max_bytes = 1u << 28 }, &doc, NULL);
	if (r)
		return r;
	items = xb_jv_get(xb_json_root(doc), "items");
	r = new_samples(a, items);
	for (struct xb_jit it = xb_jv_iter(items); !r && xb_jit_next(&it);) {
		a->m->value += milli(xb_jv_get(it.value, "value"));
		if (of_pods)
			r = add_sample(a, it.value, xb_jv_text(xb_jv_path(it.value, "describedObject", "name")), milli(xb_jv_get(it.value, "value")));
	}
	return r || xb_jv_count(items) ? r : none(a);
}

static int get(struct asked *a, const char *path, int (*answered)(void *arg, int code, struct xb_sv body, const struct xb_status *status))
{
	return path ? kcm_work_ask(a->w, &(struct kcm_request){ .method = "GET", .path = path }, answered, a) : -ENOMEM;
}

/* Which version of custom metrics there is, is asked each time: it may come and go. */
static int on_custom_api(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct asked *a = arg;
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct xb_sv version;
	int r;

	if (code == 404)
		return tell(a, "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered");
	if (xb_calls_error(code, status))
		return refused(a, code, status);
	r = xb_json_parse(body, NULL, &doc, NULL);
	if (r)
		return r;
	version = xb_jv_text(xb_jv_path(xb_json_root(doc), "preferredVersion", "groupVersion"));
	return get(a, xb_arena_printf(a->w->arena, "/apis/%.*s%s", XB_SV_ARG(version), a->rest), on_values);
}

/* --- what is asked --- */
/* The selector of a metric, as a query; an empty one asks for nothing. */
static void add_selector(struct xb_buf *path, const char *key, struct xb_jv selector)
{
	_cleanup_(xb_selector_freep) struct xb_selector *s = NULL;
	_cleanup_buf_ struct xb_buf query = {};

	if (xb_selector_from_label_selector(selector, &s, NULL) || !s)
		return;
	xb_selector_write(s, &query);
	xb_rest_add_query(path, key, xb_buf_sv(&query));
	path->err |= query.err;
}

/* "services/web", "ingresses.networking.k8s.io/main" */
static void add_object(struct xb_buf *path, struct xb_jv object)
{
	struct xb_sv version = text(object, "apiVersion"), group = {};
	const struct xb_kind *k;

	if (memchr(version.p ? version.p : "", '/', version.n))
		xb_sv_split(&version, '/', &group);
	k = xb_kind_by_name(group, version, text(object, "kind"));
	if (k)
		xb_buf_adds(path, k->plural);
	else
		for (size_t i = 0; i < text(object, "kind").n; i++)
			xb_buf_addc(path, (char)(text(object, "kind").p[i] | 0x20));
	xb_buf_addf(path, "%s%s%.*s/%.*s", k ? "" : "s", group.n ? "." : "", XB_SV_ARG(group), XB_SV_ARG(text(object, "name")));
}

static int ask_custom(struct asked *a, struct xb_jv object, struct xb_jv metric, const char *selector)
{
	_cleanup_buf_ struct xb_buf rest = {};

	if (xb_jv_streq(xb_jv_get(object, "kind"), XB_SV("Namespace")))
		xb_buf_addf(&rest, "/namespaces/%.*s/metrics", XB_SV_ARG(text(object, "name")));
	else
		xb_buf_addf(&rest, "/namespaces/%s/", a->w->namespace_);
	if (!xb_jv_is(object))
		xb_buf_adds(&rest, "pods/*");
	else if (!xb_jv_streq(xb_jv_get(object, "kind"), XB_SV("Namespace")))
		add_object(&rest, object);
	xb_buf_addf(&rest, "/%.*s", XB_SV_ARG(text(metric, "name")));
	if (!xb_jv_is(object))
		xb_rest_add_query(&rest, "labelSelector", xb_sv(selector));
	add_selector(&rest, "metricLabelSelector", xb_jv_get(metric, "selector"));
	a->api = "custom";
	a->what = xb_arena_printf(a->w->arena, "%.*s.custom.metrics.k8s.io", XB_SV_ARG(text(metric, "name")));
	a->rest = xb_arena_strn(a->w->arena, xb_buf_sv(&rest));
	return rest.err || !a->rest || !a->what ? -ENOMEM : get(a, "/apis/custom.metrics.k8s.io", on_custom_api);
}

static int ask_external(struct asked *a, struct xb_jv metric)
{
	_cleanup_buf_ struct xb_buf path = {};

	xb_buf_addf(&path, "/apis/external.metrics.k8s.io/v1beta1/namespaces/%s/%.*s", a->w->namespace_, XB_SV_ARG(text(metric, "name")));
	add_selector(&path, "labelSelector", xb_jv_get(metric, "selector"));
	a->api = "external";
	a->what = xb_arena_printf(a->w->arena, "%.*s.external.metrics.k8s.io", XB_SV_ARG(text(metric, "name")));
	return path.err || !a->what ? -ENOMEM : get(a, path.p, on_values);
}

static int ask_resource(struct asked *a, const char *selector)
{
	_cleanup_buf_ struct xb_buf path = {};

	xb_buf_addf(&path, "/apis/metrics.k8s.io/v1beta1/namespaces/%s/pods", a->w->namespace_);
	xb_rest_add_query(&path, "labelSelector", xb_sv(selector));
	a->api = "resource";
	a->what = "pods.metrics.k8s.io";
	return path.err ? path.err : get(a, path.p, on_resource);
}

int hpa_metric_ask(struct kcm_work *w, struct hpa_metric *m, const char *selector)
{
	struct asked *a = xb_arena_alloc(w->arena, sizeof(*a));
	struct xb_sv type = text(m->spec, "type");

	if (!a)
		return -ENOMEM;
	*a = (struct asked){ .w = w, .m = m };
	m->namespace_ = w->namespace_;
	if (xb_sv_is(type, "Resource") || xb_sv_is(type, "ContainerResource"))
		return ask_resource(a, selector);
	if (xb_sv_is(type, "Pods"))
		return ask_custom(a, (struct xb_jv){}, xb_jv_path(m->spec, "pods", "metric"), selector);
	if (xb_sv_is(type, "Object"))
		return ask_custom(a, xb_jv_path(m->spec, "object", "describedObject"), xb_jv_path(m->spec, "object", "metric"), selector);
	if (xb_sv_is(type, "External"))
		return ask_external(a, xb_jv_path(m->spec, "external", "metric"));
	return 0;
}
