/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "slices.h"
#include "xb/map.h"

const char *const slice_ref_fields[SLICE_REF_FIELDS] = { "kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath" };

/* --- ports --- */
static bool same_port(const struct slice_port *a, const struct slice_port *b)
{
	return a->number == b->number && xb_sv_eq(a->name, b->name) && xb_sv_eq(a->protocol, b->protocol) &&
	       xb_sv_eq(a->app_protocol, b->app_protocol);
}

/* In any order; none is there twice. */
static bool same_ports(const struct slice_port *a, size_t n_a, const struct slice_port *b, size_t n_b)
{
	for (size_t i = 0, j; n_a == n_b && i < n_a; i++) {
		for (j = 0; j < n_b && !same_port(&a[i], &b[j]); j++)
			;
		if (j == n_b)
			return false;
	}
	return n_a == n_b;
}

static bool has_ports(struct xb_jv slice, const struct slice_group *g)
{
	struct xb_jv ports = xb_jv_get(slice, "ports");

	for (struct xb_jit it = xb_jv_iter(ports); xb_jit_next(&it);) {
		struct slice_port p = {
			.name = xb_jv_text(xb_jv_get(it.value, "name")), .protocol = xb_jv_text(xb_jv_get(it.value, "protocol")),
			.app_protocol = xb_jv_text(xb_jv_get(it.value, "appProtocol")),
		};
		size_t i = 0;

		xb_jv_i64(xb_jv_get(it.value, "port"), &p.number);
		while (i < g->n_ports && !same_port(&p, &g->ports[i]))
			i++;
		if (i == g->n_ports)
			return false;
	}
	return xb_jv_count(ports) == g->n_ports;
}

static struct slice_group *group_new(struct slice_group **groups, struct xb_arena *a, const struct slice_port *ports, size_t n)
{
	struct slice_group *g = xb_arena_alloc(a, sizeof(*g));
	struct slice_port *copy = xb_arena_alloc(a, (n + 1) * sizeof(*copy));

	if (!g || !copy)
		return NULL;
	for (size_t i = 0; i < n; i++)
		copy[i] = ports[i];
	*g = (struct slice_group){ .ports = copy, .n_ports = n, .next = *groups };
	*groups = g;
	return g;
}

int slice_group_add(struct slice_group **groups, struct xb_arena *a, const struct slice_port *ports, size_t n_ports,
		    const struct slice_endpoint *e)
{
	struct slice_group *g = *groups;

	while (g && !same_ports(g->ports, g->n_ports, ports, n_ports))
		g = g->next;
	if (!g)
		g = group_new(groups, a, ports, n_ports);
	if (!g)
		return -ENOMEM;
	if (g->n == g->cap) {
		size_t cap = g->cap ? 2 * g->cap : 16;
		struct slice_endpoint *more = xb_arena_alloc(a, cap * sizeof(*more));

		if (!more)
			return -ENOMEM;
		if (g->n)
			memcpy(more, g->endpoints, g->n * sizeof(*more));
		g->endpoints = more;
		g->cap = cap;
	}
	g->endpoints[g->n++] = *e;
	return 0;
}

/* --- endpoints --- */
static signed char told(struct xb_jv conditions, const char *type)
{
	struct xb_jv v = xb_jv_get(conditions, type);

	return xb_jv_type(v) == XB_JSON_BOOL ? xb_jv_true(v) : -1;
}

static void read_endpoint(struct xb_jv v, struct slice_endpoint *ret)
{
	struct xb_jv conditions = xb_jv_get(v, "conditions"), ref = xb_jv_get(v, "targetRef");
	struct xb_jv zones = xb_jv_path(v, "hints", "forZones"), addresses = xb_jv_get(v, "addresses");

	*ret = (struct slice_endpoint){
		.ready = told(conditions, "ready"), .serving = told(conditions, "serving"), .terminating = told(conditions, "terminating"),
		.hostname = xb_jv_text(xb_jv_get(v, "hostname")), .node = xb_jv_text(xb_jv_get(v, "nodeName")),
		.zone = xb_jv_text(xb_jv_get(v, "zone")), .hint = xb_jv_text(xb_jv_get(xb_jv_at(zones, 0), "name")),
	};
	/* what has more than one is none of ours */
	if (xb_jv_count(addresses) == 1 && xb_jv_count(zones) <= 1)
		ret->address = xb_jv_text(xb_jv_at(addresses, 0));
	for (size_t i = 0; i < SLICE_REF_FIELDS; i++)
		ret->ref[i] = xb_jv_text(xb_jv_get(ref, slice_ref_fields[i]));
}

static bool same_endpoint(const struct slice_endpoint *a, const struct slice_endpoint *b)
{
	for (size_t i = 0; i < SLICE_REF_FIELDS; i++)
		if (strcmp(slice_ref_fields[i], "resourceVersion") && !xb_sv_eq(a->ref[i], b->ref[i]))
			return false;
	return a->ready == b->ready && a->serving == b->serving && a->terminating == b->terminating && xb_sv_eq(a->hostname, b->hostname) &&
	       xb_sv_eq(a->node, b->node) && xb_sv_eq(a->zone, b->zone) && xb_sv_eq(a->hint, b->hint);
}

/* What makes two endpoints the same one: address, and namespace and name of the target. */
static void key_of(const struct slice_endpoint *e, struct xb_buf *out)
{
	xb_buf_clear(out);
	xb_buf_addf(out, "%.*s/%.*s/%.*s", XB_SV_ARG(e->address), XB_SV_ARG(e->ref[1]), XB_SV_ARG(e->ref[2]));
}

static void write_ref(const struct slice_endpoint *e, struct xb_jw *w)
{
	if (!e->ref[0].n && !e->ref[2].n)
		return;
	xb_jw_key(w, "targetRef");
	xb_jw_object(w);
	for (size_t i = 0; i < SLICE_REF_FIELDS; i++)
		if (e->ref[i].n)
			xb_jw_ksv(w, slice_ref_fields[i], e->ref[i]);
	xb_jw_end(w);
}

static void write_condition(struct xb_jw *w, const char *type, signed char value)
{
	if (value >= 0)
		xb_jw_kbool(w, type, value);
}

static void write_endpoint(const struct slice_endpoint *e, struct xb_jw *w)
{
	xb_jw_object(w);
	xb_jw_key(w, "addresses");
	xb_jw_array(w);
	xb_jw_sv(w, e->address);
	xb_jw_end(w);
	xb_jw_key(w, "conditions");
	xb_jw_object(w);
	write_condition(w, "ready", e->ready);
	write_condition(w, "serving", e->serving);
	write_condition(w, "terminating", e->terminating);
	xb_jw_end(w);
	if (e->hostname.n)
		xb_jw_ksv(w, "hostname", e->hostname);
	write_ref(e, w);
	if (e->node.n)
		xb_jw_ksv(w, "nodeName", e->node);
	if (e->zone.n)
		xb_jw_ksv(w, "zone", e->zone);
	if (e->hint.n) {
		xb_jw_key(w, "hints");
		xb_jw_object(w);
		xb_jw_key(w, "forZones");
		xb_jw_array(w);
		xb_jw_object(w);
		xb_jw_ksv(w, "name", e->hint);
		xb_jw_end(w);
		xb_jw_end(w);
		xb_jw_end(w);
	}
	xb_jw_end(w);
}

static void write_port(const struct slice_port *p, struct xb_jw *w)
{
	xb_jw_object(w);
	xb_jw_ksv(w, "name", p->name);
	xb_jw_ksv(w, "protocol", p->protocol);
	xb_jw_kint(w, "port", p->number);
	if (p->app_protocol.n)
		xb_jw_ksv(w, "appProtocol", p->app_protocol);
	xb_jw_end(w);
}

void slice_write(const struct slice *s, struct xb_jw *w)
{
	xb_jw_key(w, "endpoints");
	xb_jw_array(w);
	for (size_t i = 0; i < s->n; i++)
		write_endpoint(s->endpoints[i], w);
	xb_jw_end(w);
	xb_jw_key(w, "ports");
	xb_jw_array(w);
	for (size_t i = 0; s->group && i < s->group->n_ports; i++)
		write_port(&s->group->ports[i], w);
	xb_jw_end(w);
}

/* --- the plan --- */
struct planning {
	struct xb_arena *arena;
	const struct slice_wanted *w;
	struct slice_plan *plan;
	size_t cap;
};

static void tell_since(struct planning *p, const struct slice_endpoint *e)
{
	if (e->since && (!p->plan->since || e->since < p->plan->since))
		p->plan->since = e->since;
}

static struct slice *add(struct planning *p, enum slice_action action, const struct slice_old *old, const struct slice_group *g)
{
	size_t had = old ? xb_jv_count(xb_jv_get(old->slice, "endpoints")) : 0;
	struct slice *s = &p->plan->slices[p->plan->n];

	if (p->plan->n == p->cap)
		return NULL;
	*s = (struct slice){ .action = action, .old = old, .group = g, .had = had };
	s->endpoints = xb_arena_alloc(p->arena, (MAX(had, p->w->max) + 1) * sizeof(*s->endpoints));
	if (!s->endpoints)
		return NULL;
	p->plan->n++;
	return s;
}

static void place(struct slice *s, struct slice_endpoint *e)
{
	e->placed = true;
	s->endpoints[s->n++] = e;
}

static int map_endpoints(struct planning *p, const struct slice_group *g, struct xb_map *map)
{
	_cleanup_buf_ struct xb_buf key = {};

	for (size_t i = 0; i < g->n; i++) {
		void *before = NULL;
		struct xb_sv copy;

		key_of(&g->endpoints[i], &key);
		copy = xb_arena_sv(p->arena, xb_buf_sv(&key));
		if (key.err || !copy.p || xb_map_set(map, copy, &g->endpoints[i], &before))
			return -ENOMEM;
		if (before)
			((struct slice_endpoint *)before)->placed = true;
	}
	return 0;
}

/* Endpoints that are wanted stay where they are. */
static int keep(struct planning *p, const struct slice_group *g, const struct slice_old *old, const struct xb_map *map)
{
	struct slice *s = add(p, SLICE_KEEP, old, g);
	_cleanup_buf_ struct xb_buf key = {};
	bool changed = false;

	if (!s)
		return -ENOMEM;
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(old->slice, "endpoints")); xb_jit_next(&it);) {
		struct slice_endpoint was, *e;

		read_endpoint(it.value, &was);
		key_of(&was, &key);
		e = xb_map_get(map, xb_buf_sv(&key));
		if (!e || e->placed)
			continue;
		place(s, e);
		changed |= !same_endpoint(&was, e);
		if (was.ready != e->ready || was.serving != e->serving)
			tell_since(p, e);
	}
	if ((changed || s->n != s->had) && !s->n)
		s->action = SLICE_DELETE;
	else if (changed || s->n != s->had || old->stale)
		s->action = SLICE_UPDATE;
	return key.err;
}

static size_t unplaced(const struct slice_group *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++)
		n += !g->endpoints[i].placed;
	return n;
}

static size_t fill(struct planning *p, struct slice *s, const struct slice_group *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n && s->n < p->w->max; i++) {
		if (g->endpoints[i].placed)
			continue;
		tell_since(p, &g->endpoints[i]);
		place(s, &g->endpoints[i]);
		n++;
	}
	return n;
}

/* Of a group's slices with that action the fullest that has room for n more; NULL: none has. */
static struct slice *fullest(const struct planning *p, const struct slice_group *g, enum slice_action action, size_t n)
{
	struct slice *best = NULL;

	for (size_t i = 0; i < p->plan->n; i++) {
		struct slice *s = &p->plan->slices[i];

		if (s->group == g && s->action == action && s->n + n <= p->w->max && (!best || s->n > best->n))
			best = s;
	}
	return best;
}

static int plan_group(struct planning *p, const struct slice_group *g)
{
	_cleanup_(xb_map_freep) struct xb_map *map = xb_map_new(XB_MAP_BORROW);
	int r = map ? map_endpoints(p, g, map) : -ENOMEM;
	struct slice *s;
	size_t left;

	for (size_t i = 0; !r && i < p->w->n_old; i++)
		if (p->w->old[i].own && has_ports(p->w->old[i].slice, g))
			r = keep(p, g, &p->w->old[i], map);
	if (r)
		return r;
	left = unplaced(g);
	while (left && (s = fullest(p, g, SLICE_UPDATE, 1)))
		left -= fill(p, s, g);
	while (left) {
		s = left < p->w->max ? fullest(p, g, SLICE_KEEP, left) : NULL;
		if (s)
			s->action = SLICE_UPDATE;
		else
			s = add(p, SLICE_CREATE, NULL, g);
		if (!s)
			return -ENOMEM;
		left -= fill(p, s, g);
	}
	return 0;
}

static bool is_planned(const struct planning *p, const struct slice_old *old)
{
	for (size_t i = 0; i < p->plan->n; i++)
		if (p->plan->slices[i].old == old)
			return true;
	return false;
}

static int drop_others(struct planning *p)
{
	for (size_t i = 0; i < p->w->n_old; i++)
		if (!is_planned(p, &p->w->old[i]) && !add(p, SLICE_DELETE, &p->w->old[i], NULL))
			return -ENOMEM;
	return 0;
}

static bool is_placeholder(const struct slice_old *old)
{
	return old->own && !old->stale && !xb_jv_count(xb_jv_get(old->slice, "endpoints")) && !xb_jv_count(xb_jv_get(old->slice, "ports"));
}

static int hold_place(struct planning *p)
{
	for (size_t i = 0; i < p->plan->n; i++)
		if (p->plan->slices[i].action != SLICE_DELETE)
			return 0;
	if (p->plan->n == 1 && is_placeholder(p->plan->slices[0].old)) {
		p->plan->slices[0].action = SLICE_KEEP;
		return 0;
	}
	return add(p, SLICE_CREATE, NULL, NULL) ? 0 : -ENOMEM;
}

static struct slice *deletable(const struct slice_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++)
		if (plan->slices[i].action == SLICE_DELETE && plan->slices[i].old->own)
			return &plan->slices[i];
	return NULL;
}

/* One write for two. */
static void recycle(struct slice_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		struct slice *s = &plan->slices[i], *gone = s->action == SLICE_CREATE ? deletable(plan) : NULL;

		if (!gone)
			continue;
		s->action = SLICE_UPDATE;
		s->old = gone->old;
		gone->action = SLICE_KEEP;
	}
}

int slices_plan(struct xb_arena *a, const struct slice_wanted *w, struct slice_plan *ret)
{
	struct slice_plan plan = {};
	struct planning p = { .arena = a, .w = w, .plan = &plan, .cap = w->n_old + 1 };
	int r = 0;

	for (const struct slice_group *g = w->groups; g; g = g->next)
		p.cap += g->n / w->max + 1;
	plan.slices = xb_arena_alloc(a, p.cap * sizeof(*plan.slices));
	if (!plan.slices)
		return -ENOMEM;
	for (const struct slice_group *g = w->groups; !r && g; g = g->next)
		r = plan_group(&p, g);
	if (!r)
		r = drop_others(&p);
	if (!r && w->placeholder)
		r = hold_place(&p);
	if (r)
		return r;
	recycle(&plan);
	*ret = plan;
	return 0;
}
