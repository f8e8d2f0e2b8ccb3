/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Endpoints of Services with a selector (upstream's pkg/controller/endpoint): one object by the Service's name, at most 1000
 * addresses. They are deleted with their Service, after it was asked for once more: Endpoints kept by hand must not go.
 */
#include "../loops.h"
#include "../pods.h"
#include "service_pods.h"
#include "slice_writer.h"
#include "subsets.h"
#include "xb/time.h"

#define MAX_ADDRESSES 1000
#define MANAGED_BY    "endpoints.kubernetes.io/managed-by"
#define MANAGER       "endpoint-controller"
#define OVER_CAPACITY "endpoints.kubernetes.io/over-capacity"
#define LEADER        "control-plane.alpha.kubernetes.io/leader"

struct endpoints {
	struct kcm *kcm;
	const struct xb_kind *kind;
	struct service_pods pods;
	struct xb_informer *endpoints;
	struct written *written;
	struct kcm_queue *queue;
};

struct sync {
	struct kcm_work *w;
	struct endpoints *l;
	struct xb_jv service, old;              /* old: {} when there are none yet */
	struct maps_own own[2];
	struct maps labels;
	struct subsets *subsets;
	struct xb_sv body;                      /* of the request */
	bool cut;                               /* there are more addresses than are written */
	const char *why;                        /* what the request that failed was told; NULL: it did not */
};

static struct xb_jv meta(struct xb_jv object, const char *field)
{
	return xb_jv_path(object, "metadata", field);
}

static struct xb_jv spec(struct xb_jv object, const char *field)
{
	return xb_jv_path(object, "spec", field);
}

/* --- from pods to subsets --- */
static bool wants_ipv6(struct xb_jv service)
{
	struct xb_jv first = xb_jv_at(spec(service, "ipFamilies"), 0);

	return xb_jv_is(first) ? xb_jv_streq(first, XB_SV("IPv6")) : service_is_ipv6(xb_jv_text(spec(service, "clusterIP")));
}

static int add_ports(struct sync *s, struct xb_jv pod, const struct subset_address *address)
{
	struct xb_jv list = spec(s->service, "ports");
	struct slice_port *ports = xb_arena_alloc(s->w->arena, (xb_jv_count(list) + 1) * sizeof(*ports));
	size_t n = 0;

	if (!ports)
		return -ENOMEM;
	for (struct xb_jit it = xb_jv_iter(list); xb_jit_next(&it);) {
		ports[n] = (struct slice_port){
			.name = xb_jv_text(xb_jv_get(it.value, "name")), .protocol = xb_jv_text(xb_jv_get(it.value, "protocol")),
			.app_protocol = xb_jv_text(xb_jv_get(it.value, "appProtocol")),
		};
		n += service_pod_port(pod, it.value, &ports[n].number);
	}
	return subsets_add(s->subsets, address, ports, n);
}

static int add_pod(struct sync *s, struct xb_jv pod)
{
	bool publish = xb_jv_true(spec(s->service, "publishNotReadyAddresses")), ipv6 = wants_ipv6(s->service);
	struct subset_address a = {
		.ip = service_pod_ip(pod, ipv6), .hostname = service_pod_hostname(pod, s->service), .node = xb_jv_text(spec(pod, "nodeName")),
		.namespace_ = xb_jv_text(meta(pod, "namespace")), .name = xb_jv_text(meta(pod, "name")), .uid = xb_jv_text(meta(pod, "uid")),
		.ready = publish || pods_ready(pod, NULL), .since = service_pod_since(pod),
	};

	if (!service_pod_counts(pod) || !a.ip.n || (pods_deleting(pod) && !publish))
		return 0;
	if (xb_jv_count(spec(s->service, "ports")))
		return add_ports(s, pod, &a);
	return service_is_headless(s->service) ? subsets_add(s->subsets, &a, NULL, 0) : 0;
}

static int gather(struct sync *s)
{
	struct service_pods_it it = {};
	int r = 0;

	s->subsets = subsets_new(s->w->arena);
	if (!s->subsets)
		return -ENOMEM;
	while (service_pods_next(&s->l->pods, s->service, &it))
		if (!r)
			r = add_pod(s, it.pod);
	return r;
}

/* --- the request --- */
static bool is_right(const struct sync *s, struct xb_sv subsets)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	bool says_cut = xb_jv_is(xb_jv_get(meta(s->old, "annotations"), OVER_CAPACITY));

	return xb_jv_is(s->old) && says_cut == s->cut && maps_is(&s->labels, meta(s->old, "labels")) &&
	       !xb_json_parse(subsets, NULL, &doc, NULL) && subsets_same(xb_jv_get(s->old, "subsets"), xb_json_root(doc));
}

static void write_annotations(const struct sync *s, int64_t since, struct xb_jw *w)
{
	struct xb_time_text time = xb_time_format(since);
	struct maps_own own[] = { { SLICE_TRIGGER_TIME, since ? time.s : NULL }, { OVER_CAPACITY, s->cut ? "truncated" : NULL } };
	struct maps all = { meta(s->old, "annotations"), own, ARRAY_SIZE(own) };

	xb_jw_key(w, "annotations");
	maps_write_patch(&all, meta(s->old, "annotations"), w);
}

static int write_body(struct sync *s, struct xb_sv subsets)
{
	int64_t since = pods_time(meta(s->service, "creationTimestamp"));
	_cleanup_buf_ struct xb_buf body = {};
	struct xb_jw w = XB_JW(&body);

	if (xb_jv_is(s->old) && subsets_since(s->subsets, xb_jv_get(s->old, "subsets"), &since))
		return -ENOMEM;
	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", s->l->kind->kind);
	xb_jw_kstr(&w, "apiVersion", "v1");
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_kstr(&w, "namespace", s->w->namespace_);
	xb_jw_kstr(&w, "name", s->w->name);
	if (xb_jv_is(s->old))
		xb_jw_ksv(&w, "resourceVersion", xb_jv_text(meta(s->old, "resourceVersion")));
	xb_jw_key(&w, "labels");
	maps_write_patch(&s->labels, meta(s->old, "labels"), &w);
	write_annotations(s, since, &w);
	xb_jw_end(&w);
	xb_jw_key(&w, "subsets");
	xb_jw_raw(&w, subsets);
	xb_jw_end(&w);
	if (xb_jw_finish(&w) < 0)
		return -ENOMEM;
	s->body = xb_arena_sv(s->w->arena, xb_buf_sv(&body));
	return s->body.p ? 0 : -ENOMEM;
}

static int on_put(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct sync *s = arg;
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	int r = xb_calls_error(code, status);

	if (kcm_is_terminating(status))
		return 0;
	if (r) {
		s->why = xb_arena_strn(s->w->arena, xb_sv(status && status->message ? status->message : ""));
		return r;
	}
	r = xb_json_parse(body, NULL, &doc, NULL);
	return r ? r : written_put(s->l->written, s->w->key, xb_json_root(doc));
}

/* Told of the object that was to be, as it was to be. */
static void tell(struct sync *s)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct xb_event e = { .component = MANAGER, .kind = s->l->kind, .object = s->old, .type = XB_EVENT_WARNING, .reason = "FailedToUpdateEndpoint" };

	if (xb_jv_is(s->old)) {
		xb_recorder_event(s->l->kcm->recorder, &e, "Failed to update endpoint %s: %s", s->w->key, s->why);
		return;
	}
	if (xb_json_parse(s->body, NULL, &doc, NULL))
		return;
	e.object = xb_json_root(doc);
	e.reason = "FailedToCreateEndpoint";
	xb_recorder_event(s->l->kcm->recorder, &e, "Failed to create endpoint for service %s: %s", s->w->key, s->why);
}

static void on_done(struct kcm_work *w, int error)
{
	struct sync *s = w->state;

	if (s->why)
		tell(s);
	kcm_work_done(w, error == -ENOENT ? -ESTALE : error);
}

static void put(struct sync *s, struct xb_sv subsets)
{
	struct kcm_request create = { .method = "POST", .kind = s->l->kind, .type = KCM_JSON };
	struct kcm_request update = { .method = "PUT", .kind = s->l->kind, .name = s->w->name, .type = KCM_JSON, .of = s->old };
	struct kcm_request *q = xb_jv_is(s->old) ? &update : &create;
	int r = write_body(s, subsets);

	if (!r && xb_jv_is(s->old))
		r = kcm_work_hold(s->w, s->old);
	if (r) {
		kcm_work_done(s->w, r);
		return;
	}
	kcm_work_round(s->w, on_done);
	q->body = s->body;
	kcm_work_ask(s->w, q, on_put, s);
	kcm_work_go(s->w);
}

/* --- without a service --- */
static int on_deleted(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	/* gone, or made anew by somebody */
	return code == 404 || code == 409 ? 0 : xb_calls_error(code, status);
}

static int on_service_read(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct sync *s = arg;
	struct kcm_request q = { .method = "DELETE", .kind = s->l->kind, .name = s->w->name, .type = KCM_JSON };
	_cleanup_buf_ struct xb_buf options = {};

	/* a Service that is there comes by the watch */
	if (code != 404)
		return xb_calls_error(code, status);
	xb_buf_addf(&options, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"preconditions\":{\"uid\":\"%.*s\"}}",
		    XB_SV_ARG(xb_jv_text(meta(s->old, "uid"))));
	q.body = xb_buf_sv(&options);
	return options.err ? options.err : kcm_work_ask(s->w, &q, on_deleted, s);
}

static void delete(struct sync *s)
{
	struct kcm_request q = { .method = "GET", .kind = s->l->pods.service_kind, .name = s->w->name };
	int r = kcm_work_hold(s->w, s->old);

	written_forget(s->l->written, s->w->key);
	if (r) {
		kcm_work_done(s->w, r);
		return;
	}
	kcm_work_round(s->w, on_done);
	kcm_work_ask(s->w, &q, on_service_read, s);
	kcm_work_go(s->w);
}

/* --- one service --- */
static int prepare(struct sync *s, struct xb_buf *subsets)
{
	struct xb_jv labels = meta(s->service, "labels");
	int r;

	s->own[0] = (struct maps_own){ SLICE_HEADLESS, service_is_headless(s->service) ? "" : NULL };
	s->own[1] = (struct maps_own){ MANAGED_BY, MANAGER };
	s->labels = (struct maps){ labels, s->own, ARRAY_SIZE(s->own) };
	r = gather(s);
	return r ? r : subsets_write(s->subsets, MAX_ADDRESSES, subsets, &s->cut);
}

static void sync_service(struct kcm_work *w)
{
	struct endpoints *l = w->loop;
	_cleanup_buf_ struct xb_buf subsets = {};
	struct sync *s = w->state = xb_arena_alloc(w->arena, sizeof(*s));
	int r;

	if (!s) {
		kcm_work_done(w, -ENOMEM);
		return;
	}
	*s = (struct sync){
		.w = w, .l = l, .service = xb_informer_get(l->pods.services, w->namespace_, w->name),
		.old = xb_informer_get(l->endpoints, w->namespace_, w->name),
	};
	if (!xb_jv_is(s->service) && xb_jv_is(s->old)) {
		delete(s);
		return;
	}
	if (!service_is_managed(s->service)) {
		written_forget(l->written, w->key);
		kcm_work_done(w, 0);
		return;
	}
	if (written_put_off(l->written, w))
		return;
	r = prepare(s, &subsets);
	if (r || is_right(s, xb_buf_sv(&subsets)))
		kcm_work_done(w, r);
	else
		put(s, xb_buf_sv(&subsets));
}

/* --- what comes in --- */
static void queue_service(void *arg, struct xb_jv service)
{
	struct endpoints *l = arg;

	kcm_queue_add_after(l->queue, service, l->kcm->options->endpoint_batch_ms);
}

/* While the copies are being filled, the Services themselves are what comes. */
static void on_pod(void *arg, struct xb_jv old, struct xb_jv pod)
{
	struct endpoints *l = arg;

	if (xb_cache_synced(l->kcm->cache))
		service_pods_changed(&l->pods, old, pod, queue_service, l);
}

static void on_service(void *arg, struct xb_jv old, struct xb_jv service)
{
	struct endpoints *l = arg;

	kcm_queue_add(l->queue, xb_jv_is(service) ? service : old);
}

static struct xb_jv service_of(const struct endpoints *l, struct xb_jv endpoints)
{
	_cleanup_free_ char *namespace_ = xb_sv_dup(xb_jv_text(meta(endpoints, "namespace")));
	_cleanup_free_ char *name = xb_sv_dup(xb_jv_text(meta(endpoints, "name")));

	return namespace_ && name ? xb_informer_get(l->pods.services, namespace_, name) : (struct xb_jv){};
}

/* Endpoints may be made before their Service: only what was written is waited for, and what went is made again. */
static void on_endpoints(void *arg, struct xb_jv old, struct xb_jv endpoints)
{
	struct endpoints *l = arg;
	_cleanup_buf_ struct xb_buf key = {};
	bool look = kcm_key(xb_jv_is(endpoints) ? endpoints : old, &key) && written_changed(l->written, key.p, old, endpoints);

	if (look && (!xb_jv_is(endpoints) || xb_jv_is(service_of(l, endpoints))))
		kcm_queue_add(l->queue, xb_jv_is(endpoints) ? endpoints : old);
}

static void queue_leftover(void *arg, struct xb_jv endpoints)
{
	struct endpoints *l = arg;

	if (!xb_jv_is(xb_jv_get(meta(endpoints, "annotations"), LEADER)))
		kcm_queue_add(l->queue, endpoints);
}

/* Of Services that were deleted while nobody looked. */
void endpoints_run(void *loop)
{
	struct endpoints *l = loop;

	xb_informer_each(l->endpoints, queue_leftover, l);
}

/* --- the loop --- */
static int follow(struct endpoints *l)
{
	struct kcm *k = l->kcm;
	int r = service_pods_init(&l->pods, k);

	l->endpoints = xb_cache_of(k->cache, l->kind);
	l->written = l->endpoints ? written_new(l->endpoints) : NULL;
	if (r || !l->written)
		return -ENOMEM;
	r = xb_cache_follow(k->cache, l->pods.service_kind, on_service, l);
	if (!r)
		r = xb_cache_follow(k->cache, l->pods.pod_kind, on_pod, l);
	return r ? r : xb_cache_follow(k->cache, l->kind, on_endpoints, l);
}

void endpoints_stop(void *loop)
{
	struct endpoints *l = loop;

	kcm_queue_free(l->queue);
	written_free(l->written);
	free(l);
}

int endpoints_start(struct kcm *k, void **ret)
{
	struct endpoints *l = calloc(1, sizeof(*l));
	struct kcm_queue_config queue = {
		.name = "endpoint", .workers = k->options->concurrent_endpoint_syncs, .sync = sync_service, .loop = l,
	};
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct endpoints){ .kcm = k, .kind = kcm_kind("", "v1", "endpoints") };
	r = kcm_queue_new(k, &queue, &l->queue);
	if (!r)
		r = follow(l);
	if (r) {
		endpoints_stop(l);
		return r;
	}
	*ret = l;
	return 0;
}
