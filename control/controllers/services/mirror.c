/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * EndpointSlices of Endpoints that somebody keeps by hand for a Service without a selector (upstream's
 * pkg/controller/endpointslicemirroring).
 */
#include <arpa/inet.h>
#include "../loops.h"
#include "slice_writer.h"

#define MANAGER      "endpointslicemirroring-controller.k8s.io"
#define SKIP         "endpointslice.kubernetes.io/skip-mirror"
#define LEADER       "control-plane.alpha.kubernetes.io/leader"
#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

struct mirror {
	struct kcm *kcm;
	const struct xb_kind *kind, *endpoints_kind, *service_kind;
	struct xb_informer *endpoints, *services;
	struct xb_index *slices;
	struct written *written;
	struct kcm_queue *queue;
};

struct sync {
	struct kcm_work *w;
	struct mirror *l;
	struct xb_jv endpoints;                 /* {}: none that is mirrored */
	struct maps_own labels[2], annotations[2];
	struct maps annotations_map;
	struct slice_writer writer;
	struct slice_families there;
	struct slice_group *groups[2];
	struct slice_plan plans[2];
	size_t invalid, skipped;                /* addresses */
	int error;
};

static struct xb_jv meta(struct xb_jv object, const char *field)
{
	return xb_jv_path(object, "metadata", field);
}

/* --- from addresses to endpoints --- */

/* In the form that slices have. {} for what is no address. */
static struct xb_sv canonical(struct sync *s, struct xb_sv ip, int *ret_family)
{
	static const int families[2] = { AF_INET, AF_INET6 };
	char text[INET6_ADDRSTRLEN], *copy = xb_arena_strn(s->w->arena, ip);
	unsigned char b[16];

	for (int i = 0; copy && i < 2; i++) {
		if (inet_pton(families[i], copy, b) != 1)
			continue;
		*ret_family = i;
		inet_ntop(families[i], b, text, sizeof(text));
		return xb_arena_sv(s->w->arena, xb_sv(text));
	}
	return (struct xb_sv){};
}

static int add_address(struct sync *s, struct xb_jv address, bool ready, const struct slice_port *ports, size_t n)
{
	struct slice_endpoint e = {
		.ready = ready, .serving = -1, .terminating = -1, .hostname = xb_jv_text(xb_jv_get(address, "hostname")),
		.node = xb_jv_text(xb_jv_get(address, "nodeName")),
	};
	int family = 0;

	e.address = canonical(s, xb_jv_text(xb_jv_get(address, "ip")), &family);
	for (size_t i = 0; i < SLICE_REF_FIELDS; i++)
		e.ref[i] = xb_jv_text(xb_jv_path(address, "targetRef", slice_ref_fields[i]));
	if (e.address.n)
		return slice_group_add(&s->groups[family], s->w->arena, ports, n, &e);
	s->invalid++;
	return 0;
}

static int add_addresses(struct sync *s, struct xb_jv addresses, bool ready, const struct slice_port *ports, size_t n, size_t *room)
{
	int r = 0;

	for (struct xb_jit it = xb_jv_iter(addresses); !r && xb_jit_next(&it);) {
		size_t invalid = s->invalid;

		if (!*room) {
			s->skipped++;
			continue;
		}
		r = add_address(s, it.value, ready, ports, n);
		*room -= s->invalid == invalid;
	}
	return r;
}

static int add_subset(struct sync *s, struct xb_jv subset)
{
	struct xb_jv list = xb_jv_get(subset, "ports");
	struct slice_port *ports = xb_arena_alloc(s->w->arena, (xb_jv_count(list) + 1) * sizeof(*ports));
	size_t n = 0, room = (size_t)s->l->kcm->options->mirroring_max_endpoints_per_subset;
	int r = ports ? 0 : -ENOMEM;

	for (struct xb_jit it = xb_jv_iter(list); !r && xb_jit_next(&it); n++) {
		ports[n] = (struct slice_port){
			.name = xb_jv_text(xb_jv_get(it.value, "name")), .protocol = xb_jv_text(xb_jv_get(it.value, "protocol")),
			.app_protocol = xb_jv_text(xb_jv_get(it.value, "appProtocol")),
		};
		xb_jv_i64(xb_jv_get(it.value, "port"), &ports[n].number);
	}
	if (!r)
		r = add_addresses(s, xb_jv_get(subset, "addresses"), true, ports, n, &room);
	return r ? r : add_addresses(s, xb_jv_get(subset, "notReadyAddresses"), false, ports, n, &room);
}

static int plan(struct sync *s)
{
	int r = 0;

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(s->endpoints, "subsets")); !r && xb_jit_next(&it);)
		r = add_subset(s, it.value);
	for (int f = 0; !r && f < 2; f++) {
		struct slice_wanted wanted = {
			.groups = s->groups[f], .old = s->there.old[f], .n_old = s->there.n[f],
			.max = (size_t)s->l->kcm->options->mirroring_max_endpoints_per_subset,
		};

		r = slices_plan(s->w->arena, &wanted, &s->plans[f]);
	}
	return r;
}

static void tell(struct sync *s)
{
	struct xb_event e = {
		.component = "endpoint-slice-mirroring-controller", .kind = s->l->endpoints_kind, .object = s->endpoints, .type = XB_EVENT_WARNING,
		.reason = "InvalidIPAddress",
	};

	if (s->invalid)
		xb_recorder_event(s->l->kcm->recorder, &e, "Skipped %zu invalid IP addresses when mirroring to EndpointSlices", s->invalid);
	e.reason = "TooManyAddressesToMirror";
	if (s->skipped)
		xb_recorder_event(s->l->kcm->recorder, &e,
				  "A max of %d addresses can be mirrored to EndpointSlices per Endpoints subset. %zu addresses were skipped",
				  s->l->kcm->options->mirroring_max_endpoints_per_subset, s->invalid + s->skipped);
}

/* --- one object --- */
static void on_written(struct kcm_work *w, int error)
{
	struct sync *s = w->state;

	w->why = s->writer.why;
	kcm_work_done(w, error ? error : s->error);
}

static void write_plans(struct sync *s)
{
	s->error = xb_jv_is(s->endpoints) ? kcm_work_hold(s->w, s->endpoints) : 0;
	kcm_work_round(s->w, on_written);
	for (int f = 0; !s->error && f < 2; f++)
		s->error = slice_writer_ask(&s->writer, slice_family[f], &s->plans[f], 0);
	for (size_t i = 0; !s->error && i < s->there.n_other; i++)
		s->error = slice_writer_delete(&s->writer, s->there.other[i]);
	kcm_work_go(s->w);
}

static bool mirrored(struct xb_jv endpoints, struct xb_jv service)
{
	return xb_jv_is(endpoints) && xb_jv_is(service) && !xb_jv_is(xb_jv_path(service, "spec", "selector")) &&
	       !xb_jv_streq(xb_jv_get(meta(endpoints, "labels"), SKIP), XB_SV("true")) &&
	       !xb_jv_is(xb_jv_get(meta(endpoints, "annotations"), LEADER));
}

static int prepare(struct kcm_work *w, struct sync *s)
{
	struct mirror *l = w->loop;
	struct xb_jv endpoints = xb_informer_get(l->endpoints, w->namespace_, w->name);

	*s = (struct sync){
		.w = w, .l = l, .labels = { { SLICE_SERVICE_NAME, w->name }, { SLICE_MANAGED_BY, MANAGER } },
		.annotations = { { SLICE_TRIGGER_TIME, NULL }, { LAST_APPLIED, NULL } },
	};
	if (mirrored(endpoints, xb_informer_get(l->services, w->namespace_, w->name)))
		s->endpoints = endpoints;
	s->annotations_map = (struct maps){ meta(s->endpoints, "annotations"), s->annotations, ARRAY_SIZE(s->annotations) };
	s->writer = (struct slice_writer){
		.w = w, .written = l->written, .kind = l->kind, .owner_kind = l->endpoints_kind, .owner = s->endpoints, .manager = MANAGER,
		.labels = { meta(s->endpoints, "labels"), s->labels, ARRAY_SIZE(s->labels) }, .annotations = &s->annotations_map,
	};
	return slice_writer_gather(&s->writer, l->slices, &s->there);
}

static void sync_endpoints(struct kcm_work *w)
{
	struct mirror *l = w->loop;
	struct sync *s = w->state = xb_arena_alloc(w->arena, sizeof(*s));
	int r;

	if (slice_put_off(l->written, w, l->kind, MANAGER))
		return;
	r = s ? prepare(w, s) : -ENOMEM;
	if (!r)
		r = plan(s);
	if (!r)
		tell(s);
	if (!r && (s->there.n_other || slice_plan_writes(&s->plans[0]) || slice_plan_writes(&s->plans[1])))
		write_plans(s);
	else
		kcm_work_done(w, r);
}

/* --- what comes in --- */
static void on_endpoints(void *arg, struct xb_jv old, struct xb_jv endpoints)
{
	struct mirror *l = arg;

	kcm_queue_add_after(l->queue, xb_jv_is(endpoints) ? endpoints : old, l->kcm->options->mirroring_batch_ms);
}

static bool is_by_hand(struct xb_jv service)
{
	return xb_jv_is(service) && !xb_jv_is(xb_jv_path(service, "spec", "selector"));
}

static void on_service(void *arg, struct xb_jv old, struct xb_jv service)
{
	struct mirror *l = arg;

	if (is_by_hand(old) != is_by_hand(service))
		kcm_queue_add(l->queue, xb_jv_is(service) ? service : old);
}

static void on_slice(void *arg, struct xb_jv old, struct xb_jv slice)
{
	struct mirror *l = arg;

	slice_changed(l->written, MANAGER, l->queue, old, slice);
}

/* --- the loop --- */
static int follow(struct mirror *l)
{
	struct kcm *k = l->kcm;
	int r;

	l->endpoints = xb_cache_of(k->cache, l->endpoints_kind);
	l->services = xb_cache_of(k->cache, l->service_kind);
	l->slices = kcm_index(k, l->kind, slices_by_service);
	l->written = written_new(xb_cache_of(k->cache, l->kind));
	if (!l->endpoints || !l->services || !l->slices || !l->written)
		return -ENOMEM;
	r = xb_cache_follow(k->cache, l->endpoints_kind, on_endpoints, l);
	if (!r)
		r = xb_cache_follow(k->cache, l->service_kind, on_service, l);
	return r ? r : xb_cache_follow(k->cache, l->kind, on_slice, l);
}

void mirror_stop(void *loop)
{
	struct mirror *l = loop;

	kcm_queue_free(l->queue);
	written_free(l->written);
	free(l);
}

int mirror_start(struct kcm *k, void **ret)
{
	struct mirror *l = calloc(1, sizeof(*l));
	struct kcm_queue_config queue = {
		.name = "endpoint_slice_mirroring", .workers = k->options->mirroring_concurrent_service_endpoint_syncs, .sync = sync_endpoints, .loop = l,
	};
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct mirror){
		.kcm = k, .kind = kcm_kind("discovery.k8s.io", "v1", "endpointslices"), .endpoints_kind = kcm_kind("", "v1", "endpoints"),
		.service_kind = kcm_kind("", "v1", "services"),
	};
	r = kcm_queue_new(k, &queue, &l->queue);
	if (!r)
		r = follow(l);
	if (r) {
		mirror_stop(l);
		return r;
	}
	*ret = l;
	return 0;
}
