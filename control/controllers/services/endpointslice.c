/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * EndpointSlices of Services with a selector (upstream's pkg/controller/endpointslice): for each family of the Service the pods
 * it selects, by the ports they have for it. They go with their Service, by their owner reference.
 */
#include "../loops.h"
#include "../pods.h"
#include "service_pods.h"
#include "slice_writer.h"

#define MANAGER   "endpointslice-controller.k8s.io"
#define ZONE      "topology.kubernetes.io/zone"

struct endpointslices {
	struct kcm *kcm;
	const struct xb_kind *kind, *node_kind;
	struct service_pods pods;
	struct xb_informer *nodes;
	struct xb_index *slices, *pods_by_node;
	struct written *written;
	struct kcm_queue *queue;
};

struct sync {
	struct kcm_work *w;
	struct endpointslices *l;
	struct xb_jv service;
	struct maps_own own[3];                 /* labels */
	struct slice_writer writer;
	struct slice_families there;
	struct slice_plan plans[2];             /* by family */
	int error;                              /* in making the requests */
	const char *skipped;                    /* why the last pod that was left out was; NULL: none was */
};

static struct xb_jv meta(struct xb_jv object, const char *field)
{
	return xb_jv_path(object, "metadata", field);
}

static struct xb_jv spec(struct xb_jv object, const char *field)
{
	return xb_jv_path(object, "spec", field);
}

/* --- from pods to endpoints --- */
static size_t ports_of(struct xb_jv service, struct xb_jv pod, struct slice_port *ret)
{
	size_t n = 0;

	for (struct xb_jit it = xb_jv_iter(spec(service, "ports")); xb_jit_next(&it);) {
		struct slice_port *p = &ret[n];

		*p = (struct slice_port){
			.name = xb_jv_text(xb_jv_get(it.value, "name")), .protocol = xb_jv_text(xb_jv_get(it.value, "protocol")),
			.app_protocol = xb_jv_text(xb_jv_get(it.value, "appProtocol")),
		};
		n += service_pod_port(pod, it.value, &p->number);
	}
	return n;
}

static struct xb_jv node_of(struct sync *s, struct xb_jv pod)
{
	_cleanup_free_ char *name = xb_sv_dup(xb_jv_text(spec(pod, "nodeName")));

	return name ? xb_informer_get(s->l->nodes, NULL, name) : (struct xb_jv){};
}

static void make_endpoint(struct xb_jv service, struct xb_jv pod, struct xb_jv node, struct slice_endpoint *ret)
{
	bool serving = pods_ready(pod, NULL), terminating = pods_deleting(pod), publish = xb_jv_true(spec(service, "publishNotReadyAddresses"));

	*ret = (struct slice_endpoint){
		.ready = publish || (serving && !terminating), .serving = serving, .terminating = terminating,
		.hostname = service_pod_hostname(pod, service), .node = xb_jv_text(spec(pod, "nodeName")),
		.zone = xb_jv_text(xb_jv_get(meta(node, "labels"), ZONE)), .since = service_pod_since(pod),
		.ref = { XB_SV("Pod"), xb_jv_text(meta(pod, "namespace")), xb_jv_text(meta(pod, "name")), xb_jv_text(meta(pod, "uid")) },
	};
	if (ret->ready && xb_jv_streq(spec(service, "trafficDistribution"), XB_SV("PreferClose")))
		ret->hint = ret->zone;
}

/* A pod whose node is not there would keep an endpoint that nobody ends; the node's coming brings the Service again. */
static int skip(struct sync *s, struct xb_jv pod)
{
	s->skipped = xb_arena_printf(s->w->arena, "skipping Pod %.*s for Service %s: Node %.*s Not Found", XB_SV_ARG(xb_jv_text(meta(pod, "name"))),
				     s->w->key, XB_SV_ARG(xb_jv_text(spec(pod, "nodeName"))));
	return s->skipped ? 0 : -ENOMEM;
}

static int add_pod(struct sync *s, struct xb_jv pod, const bool families[2], struct slice_port *ports, struct slice_group *groups[2])
{
	struct xb_jv node = node_of(s, pod);
	struct slice_endpoint e;
	size_t n;
	int r = 0;

	if (!service_pod_counts(pod))
		return 0;
	if (!xb_jv_is(node) && !xb_jv_true(spec(s->service, "publishNotReadyAddresses")))
		return skip(s, pod);
	make_endpoint(s->service, pod, node, &e);
	n = ports_of(s->service, pod, ports);
	for (int f = 0; !r && f < 2; f++) {
		e.address = families[f] ? service_pod_ip(pod, f) : (struct xb_sv){};
		if (e.address.n)
			r = slice_group_add(&groups[f], s->w->arena, ports, n, &e);
	}
	return r;
}

/* A headless Service from before there were families has both. */
static void families_of(struct xb_jv service, bool ret[2])
{
	struct xb_jv families = spec(service, "ipFamilies");
	struct xb_sv ip = xb_jv_text(spec(service, "clusterIP"));

	ret[0] = !xb_jv_count(families) && (service_is_headless(service) || !service_is_ipv6(ip));
	ret[1] = !xb_jv_count(families) && (service_is_headless(service) || service_is_ipv6(ip));
	for (struct xb_jit it = xb_jv_iter(families); xb_jit_next(&it);)
		for (int f = 0; f < 2; f++)
			ret[f] |= xb_jv_streq(it.value, xb_sv(slice_family[f]));
}

static int plan(struct sync *s)
{
	struct slice_port *ports = xb_arena_alloc(s->w->arena, (xb_jv_count(spec(s->service, "ports")) + 1) * sizeof(*ports));
	struct slice_group *groups[2] = {};
	struct service_pods_it it = {};
	bool families[2];
	int r = ports ? 0 : -ENOMEM;

	families_of(s->service, families);
	while (service_pods_next(&s->l->pods, s->service, &it))
		if (!r)
			r = add_pod(s, it.pod, families, ports, groups);
	for (int f = 0; !r && f < 2; f++) {
		struct slice_wanted wanted = {
			.groups = groups[f], .old = s->there.old[f], .n_old = s->there.n[f],
			.max = (size_t)s->l->kcm->options->max_endpoints_per_slice, .placeholder = families[f],
		};

		r = slices_plan(s->w->arena, &wanted, &s->plans[f]);
	}
	return r;
}

/* --- one service --- */
static void tell(struct sync *s, const char *why)
{
	struct xb_event e = {
		.component = "endpoint-slice-controller", .kind = s->l->pods.service_kind, .object = s->service, .type = XB_EVENT_WARNING,
		.reason = "FailedToUpdateEndpointSlices",
	};

	xb_recorder_event(s->l->kcm->recorder, &e, "Error updating Endpoint Slices for Service %s: %s", s->w->key, why);
}

static void on_written(struct kcm_work *w, int error)
{
	struct sync *s = w->state;

	if (s->writer.why)
		tell(s, s->writer.why);
	kcm_work_done(w, error ? error : s->error);
}

/* A Service's first slices tell of the Service, later ones of the pods whose readiness changed. */
static int64_t since(const struct sync *s, int family)
{
	return s->there.n[family] ? s->plans[family].since : pods_time(meta(s->service, "creationTimestamp"));
}

static void write_plans(struct sync *s)
{
	s->error = kcm_work_hold(s->w, s->service);
	kcm_work_round(s->w, on_written);
	for (int f = 0; !s->error && f < 2; f++)
		s->error = slice_writer_ask(&s->writer, slice_family[f], &s->plans[f], since(s, f));
	for (size_t i = 0; !s->error && i < s->there.n_other; i++)
		s->error = slice_writer_delete(&s->writer, s->there.other[i]);
	kcm_work_go(s->w);
}

static int prepare(struct kcm_work *w, struct xb_jv service, struct sync *s)
{
	struct endpointslices *l = w->loop;

	*s = (struct sync){
		.w = w, .l = l, .service = service,
		.own = {
			{ SLICE_HEADLESS, service_is_headless(service) ? "" : NULL },
			{ SLICE_SERVICE_NAME, w->name }, { SLICE_MANAGED_BY, MANAGER },
		},
		.writer = {
			.w = w, .written = l->written, .kind = l->kind, .owner_kind = l->pods.service_kind, .owner = service,
			.manager = MANAGER,
			.labels = { .from = meta(service, "labels"), .own = s->own, .n = ARRAY_SIZE(s->own) },
		},
	};
	return slice_writer_gather(&s->writer, l->slices, &s->there);
}

static void sync_service(struct kcm_work *w)
{
	struct endpointslices *l = w->loop;
	struct xb_jv service = xb_informer_get(l->pods.services, w->namespace_, w->name);
	struct sync *s = w->state = xb_arena_alloc(w->arena, sizeof(*s));
	int r;

	if (!s || !xb_jv_is(service) || !service_is_managed(service)) {
		written_forget(l->written, w->key);
		kcm_work_done(w, s ? 0 : -ENOMEM);
		return;
	}
	if (slice_put_off(l->written, w, l->kind, MANAGER))
		return;
	r = prepare(w, service, s);
	if (!r)
		r = plan(s);
	if (s->skipped)
		tell(s, s->skipped);
	if (!r && (s->there.n_other || slice_plan_writes(&s->plans[0]) || slice_plan_writes(&s->plans[1])))
		write_plans(s);
	else
		kcm_work_done(w, r);
}

/* --- what comes in --- */
static void queue_service(void *arg, struct xb_jv service)
{
	struct endpointslices *l = arg;

	kcm_queue_add_after(l->queue, service, l->kcm->options->endpointslice_batch_ms);
}

/* While the copies are being filled, the Services themselves are what comes. */
static void on_pod(void *arg, struct xb_jv old, struct xb_jv pod)
{
	struct endpointslices *l = arg;

	if (xb_cache_synced(l->kcm->cache))
		service_pods_changed(&l->pods, old, pod, queue_service, l);
}

static void on_service(void *arg, struct xb_jv old, struct xb_jv service)
{
	struct endpointslices *l = arg;

	kcm_queue_add(l->queue, xb_jv_is(service) ? service : old);
}

static void on_slice(void *arg, struct xb_jv old, struct xb_jv slice)
{
	struct endpointslices *l = arg;

	slice_changed(l->written, MANAGER, l->queue, old, slice);
}

static struct xb_jv zone_of(struct xb_jv node)
{
	return xb_jv_get(meta(node, "labels"), ZONE);
}

static void on_node(void *arg, struct xb_jv old, struct xb_jv node)
{
	struct endpointslices *l = arg;

	if (!xb_jv_is(node) || !xb_cache_synced(l->kcm->cache) ||
	    (xb_jv_is(old) && xb_sv_eq(xb_jv_text(zone_of(old)), xb_jv_text(zone_of(node)))))
		return;
	for (struct xb_index_it it = {}; xb_index_next(l->pods_by_node, xb_jv_text(meta(node, "name")), &it);)
		service_pods_changed(&l->pods, (struct xb_jv){}, it.object, queue_service, l);
}

/* --- the loop --- */
static int follow(struct endpointslices *l)
{
	struct kcm *k = l->kcm;
	int r = service_pods_init(&l->pods, k);

	l->nodes = xb_cache_of(k->cache, l->node_kind);
	l->slices = kcm_index(k, l->kind, slices_by_service);
	l->pods_by_node = kcm_index(k, l->pods.pod_kind, kcm_by_node);
	l->written = written_new(xb_cache_of(k->cache, l->kind));
	if (r || !l->nodes || !l->slices || !l->pods_by_node || !l->written)
		return -ENOMEM;
	r = xb_cache_follow(k->cache, l->pods.service_kind, on_service, l);
	if (!r)
		r = xb_cache_follow(k->cache, l->pods.pod_kind, on_pod, l);
	if (!r)
		r = xb_cache_follow(k->cache, l->kind, on_slice, l);
	return r ? r : xb_cache_follow(k->cache, l->node_kind, on_node, l);
}

void endpointslice_stop(void *loop)
{
	struct endpointslices *l = loop;

	kcm_queue_free(l->queue);
	written_free(l->written);
	free(l);
}

int endpointslice_start(struct kcm *k, void **ret)
{
	struct endpointslices *l = calloc(1, sizeof(*l));
	struct kcm_queue_config queue = {
		.name = "endpoint_slice", .workers = k->options->concurrent_service_endpoint_syncs, .sync = sync_service, .loop = l,
	};
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct endpointslices){
		.kcm = k, .kind = kcm_kind("discovery.k8s.io", "v1", "endpointslices"), .node_kind = kcm_kind("", "v1", "nodes"),
	};
	r = kcm_queue_new(k, &queue, &l->queue);
	if (!r)
		r = follow(l);
	if (r) {
		endpointslice_stop(l);
		return r;
	}
	*ret = l;
	return 0;
}
