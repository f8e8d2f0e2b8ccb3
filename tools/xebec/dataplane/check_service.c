/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>

#include "findings.h"
#include "text.h"
#include "xb/time.h"
#include "../xalloc.h"

/* One port of the plan beside its slot. */
struct pair {
	const struct tables *t;
	const struct index *x;
	const struct xb_plan_port *p;
	const struct slot *slot;
	int64_t since_us;
	struct findings *found;
};

static char *entry_of(const struct xb_plan_port *p)
{
	return xprintf("%s %s %s", p->name, proto_text(p->proto), family_text(p->family == AF_INET ? XB_IPV4 : XB_IPV6));
}

#define DIFFERS(pair, ...) findings_add((pair)->found, entry_of((pair)->p), (pair)->since_us, __VA_ARGS__)

/* --- since when: the newest change of the objects that a port is made of --- */
static int64_t newest_change(struct xb_jv object)
{
	struct xb_jv meta = xb_jv_get(object, "metadata");
	int64_t newest = 0, us;

	if (!xb_time_parse(xb_jv_text(xb_jv_get(meta, "creationTimestamp")), &us))
		newest = us;
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(meta, "managedFields")); xb_jit_next(&it);)
		if (!xb_time_parse(xb_jv_text(xb_jv_get(it.value, "time")), &us))
			newest = MAX(newest, us);
	return newest;
}

static int64_t since(const struct check_service *s)
{
	int64_t newest = newest_change(s->object);

	for (size_t i = 0; i < s->slices.n; i++)
		newest = MAX(newest, newest_change(s->slices.v[i]));
	return newest;
}

/* --- frontends --- */
static union xb_ip6 key_addr(int family, const struct xb_plan_addr *addr)
{
	struct xb_ip ip = { .family = family };

	memcpy(ip.b, addr->b, sizeof(ip.b));
	return addr_of(&ip);
}

static void match_frontend(const struct pair *c, const struct xb_plan_frontend *want)
{
	struct xb_fe_key key = { .addr = key_addr(c->p->family, &want->addr), .port = want->port, .proto = c->p->proto };
	struct xb_fe fe = xb_frontends_get(&c->t->fe[c->p->family == AF_INET6], &key);
	struct endpoint_text text = frontend_text(&key.addr, want->port);

	if (!fe.kind)
		DIFFERS(c, "%s %s is missing", kind_text(want->kind), text.s);
	else if (fe.svc != c->slot->svc)
		DIFFERS(c, "%s %s belongs to %s", kind_text(want->kind), text.s, name_of(c->t, fe.svc).s);
	else if (fe.kind != want->kind)
		DIFFERS(c, "%s is %s, and should be %s", text.s, kind_text(fe.kind), kind_text(want->kind));
}

static void match_frontends(const struct pair *c)
{
	size_t n;
	const struct frontend *have = index_frontends(c->x, c->slot->svc, &n);

	for (size_t i = 0; i < c->p->n_frontends; i++)
		match_frontend(c, &c->p->frontends[i]);
	for (size_t i = 0; i < n; i++) {
		bool wanted = false;

		for (size_t k = 0; k < c->p->n_frontends; k++) {
			union xb_ip6 addr = key_addr(c->p->family, &c->p->frontends[k].addr);

			wanted |= have[i].port == c->p->frontends[k].port && !memcmp(&have[i].addr, &addr, sizeof(addr));
		}
		if (!wanted)
			DIFFERS(c, "%s %s is too much", kind_text(have[i].kind), frontend_text(&have[i].addr, have[i].port).s);
	}
}

/* --- sets: both are sorted --- */
static int compare_backend(int family, const struct xb_plan_backend *want, const struct xb_peer *have)
{
	union xb_ip6 addr = key_addr(family, &want->addr);
	int r = memcmp(&addr, &have->addr, sizeof(addr));

	return r ? r : (int)want->port - (int)have->port;
}

static void match_backends(const struct pair *c, enum xb_scope scope, struct xb_set set)
{
	const struct xb_plan_set *want = &c->p->set[scope];
	size_t w = 0;
	__u32 h = 0;

	while (w < want->n || h < set.count) {
		struct xb_peer have = {};
		int order;

		if (h < set.count && !backend_at(c->t, c->slot->family, set.base + h, &have))
			return; /* check_tables says so */
		order = w == want->n ? 1 : h == set.count ? -1 : compare_backend(c->p->family, &want->backends[w], &have);
		if (order < 0) {
			union xb_ip6 addr = key_addr(c->p->family, &want->backends[w].addr);

			DIFFERS(c, "%s: backend %s is missing", set_text(scope), endpoint_text(&addr, want->backends[w].port).s);
		} else if (order > 0) {
			DIFFERS(c, "%s: backend %s is too much", set_text(scope), endpoint_text(&have.addr, have.port).s);
		} else if (want->backends[w].local != have.local) {
			DIFFERS(c, "%s: backend %s is %s this node", set_text(scope), endpoint_text(&have.addr, have.port).s,
				have.local ? "not on" : "on");
		}
		w += order <= 0;
		h += order >= 0;
	}
}

static void match_sets(const struct pair *c)
{
	const struct xb_svc *svc = svc_at(c->t, c->slot->svc);

	for (int set = 0; set < XB_SETS; set++)
		match_backends(c, set, set_at(svc, set));
	for (int scope = 0; scope < XB_SCOPES; scope++)
		if (!!svc->drop[scope] != c->p->set[scope].drop_when_empty)
			DIFFERS(c, "%s: without a backend it is %s, and should be %s", set_text(scope), svc->drop[scope] ? "silent" : "refused",
				svc->drop[scope] ? "refused" : "silent");
}

/* --- source ranges: both are sorted --- */
static bool same_ranges(const struct pair *c, const struct source_range *have, size_t n)
{
	unsigned before = c->p->family == AF_INET ? 96 : 0;

	if (n != c->p->n_source_ranges)
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct xb_plan_net *want = &c->p->source_ranges[i];
		union xb_ip6 addr = key_addr(c->p->family, &want->addr);
		bool found = false;

		for (size_t k = 0; k < n; k++)
			found |= have[k].bits == want->bits + before && !memcmp(&have[k].addr, &addr, sizeof(addr));
		if (!found)
			return false;
	}
	return true;
}

static void match_ranges(const struct pair *c)
{
	__u32 id = svc_at(c->t, c->slot->svc)->source_ranges;
	size_t n = 0;
	const struct source_range *have = id ? index_ranges(c->x, id, &n) : NULL;

	if (!!id != c->p->source_ranges_set)
		DIFFERS(c, id ? "load balancer IPs have source ranges, and should have none" : "load balancer IPs have no source ranges");
	else if (!same_ranges(c, have, n))
		DIFFERS(c, "the source ranges of load balancer IPs are others");
}

static void match_port(const struct pair *c)
{
	const struct xb_svc *svc = svc_at(c->t, c->slot->svc);

	match_frontends(c);
	match_sets(c);
	match_ranges(c);
	if (svc->affinity_seconds != c->p->affinity_seconds)
		DIFFERS(c, "session affinity is for %u s, and should be for %u s (0: none)", svc->affinity_seconds, c->p->affinity_seconds);
	if (!!svc->dsr != c->p->dsr)
		DIFFERS(c, c->p->dsr ? "direct server return is not set" : "direct server return is set");
	if (!!svc->maglev.size != (c->p->maglev && c->p->set[XB_SCOPE_OUTSIDE].n))
		DIFFERS(c, c->p->maglev ? "it has no Maglev table" : "it has a Maglev table");
}

/* --- finding the slot --- */
static const struct slot *find_slot(const struct index *x, const struct xb_plan_port *p)
{
	enum xb_family family = p->family == AF_INET ? XB_IPV4 : XB_IPV6;
	size_t low = 0, high = x->slots.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct slot *s = &x->slots.v[middle];
		int r = strcmp(s->name, p->name);

		if (!r)
			r = (int)s->proto - (int)p->proto;
		if (!r)
			r = (int)s->family - (int)family;
		if (!r)
			return s;
		if (r < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* must: its ports are to be there. */
static void match_plan(const struct tables *t, const struct index *x, const struct xb_plan *plan, int64_t since_us, bool must,
		       bool *matched, struct findings *f)
{
	for (size_t i = 0; i < plan->n; i++) {
		struct pair c = { .t = t, .x = x, .p = &plan->v[i], .slot = find_slot(x, &plan->v[i]), .since_us = since_us, .found = f };

		if (c.slot) {
			matched[c.slot->svc] = true;
			match_port(&c);
		} else if (must) {
			DIFFERS(&c, "is not in the tables");
		}
	}
}

void check_service(const struct tables *t, const struct index *x, const struct check_service *s, const struct xb_plan_here *here,
		   bool *matched, struct findings *f)
{
	struct xb_plan_slice **slices = xalloc(calloc(s->slices.n + 1, sizeof(*slices)));
	_cleanup_(xb_plan_done) struct xb_plan plan = {};

	for (size_t i = 0; i < s->slices.n; i++)
		if (xb_plan_slice_new(s->slices.v[i], here->node, &slices[i]))
			xalloc(NULL);
	if (xb_plan_make(s->object, (const struct xb_plan_slice *const *)slices, s->slices.n, here, &plan))
		xalloc(NULL);
	match_plan(t, x, &plan, since(s), true, matched, f);
	for (size_t i = 0; i < s->slices.n; i++)
		xb_plan_slice_free(slices[i]);
	free(slices);
}

void check_pod(const struct tables *t, const struct index *x, struct xb_jv pod, bool *matched, struct findings *f)
{
	_cleanup_(xb_plan_done) struct xb_plan plan = {};

	if (xb_plan_make_pod(pod, &plan))
		xalloc(NULL);
	match_plan(t, x, &plan, newest_change(pod), false, matched, f);
}

void check_unmatched(const struct index *x, const bool *matched, struct findings *f)
{
	for (size_t i = 0; i < x->slots.n; i++) {
		const struct slot *s = &x->slots.v[i];

		if (!matched[s->svc])
			findings_add(f, xprintf("%s %s %s", s->name, proto_text(s->proto), family_text(s->family)), 0,
				     "is in the tables, and nothing in the API has it");
	}
}
