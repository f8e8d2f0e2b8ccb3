/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>

#include "plan_read.h"
#include "xb/ip.h"
#include "xb/vec.h"

#define AFFINITY_SECONDS 10800 /* core/v1 DefaultClientIPServiceAffinitySeconds */

struct candidates {
	struct candidate *v;
	size_t n, cap;
};

/* Which of the ready endpoints clients here should use. */
enum topology { ANY, SAME_ZONE, SAME_NODE };

static void candidates_done(struct candidates *c)
{
	xb_vec_done(c);
}

/* --- plan_port, plan --- */
void xb_plan_port_done(struct xb_plan_port *p)
{
	free(p->name);
	free(p->frontends);
	for (int i = 0; i < XB_SETS; i++)
		free(p->set[i].backends);
	free(p->source_ranges);
	*p = (struct xb_plan_port){};
}

void xb_plan_done(struct xb_plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		xb_plan_port_done(&p->v[i]);
	xb_vec_done(p);
}

static int compare_backends(const struct xb_plan_backend *a, const struct xb_plan_backend *b)
{
	int r = memcmp(&a->addr, &b->addr, sizeof(a->addr));

	return r ? r : (a->port > b->port) - (a->port < b->port);
}

bool xb_plan_set_equal(const struct xb_plan_set *a, const struct xb_plan_set *b)
{
	if (a->n != b->n || a->drop_when_empty != b->drop_when_empty)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (compare_backends(&a->backends[i], &b->backends[i]) || a->backends[i].local != b->backends[i].local)
			return false;
	return true;
}

/* --- reading --- */
bool xb_plan_read_addr(struct xb_jv v, int family, struct xb_plan_addr *ret)
{
	struct xb_sv text = xb_jv_text(v);
	struct xb_plan_addr addr = {};
	char s[INET6_ADDRSTRLEN];

	if (!text.n || text.n >= sizeof(s))
		return false;
	memcpy(s, text.p, text.n);
	s[text.n] = 0;
	if (inet_pton(family, s, &addr) != 1)
		return false;
	*ret = addr;
	return true;
}

__u16 xb_plan_read_port(struct xb_jv v)
{
	int64_t n;

	return xb_jv_i64(v, &n) < 0 || n < 1 || n > 65535 ? 0 : (__u16)n;
}

enum xb_proto xb_plan_read_proto(struct xb_jv v)
{
	if (!xb_jv_is(v) || xb_jv_streq(v, XB_SV("TCP")))
		return XB_PROTO_TCP;
	if (xb_jv_streq(v, XB_SV("UDP")))
		return XB_PROTO_UDP;
	return xb_jv_streq(v, XB_SV("SCTP")) ? XB_PROTO_SCTP : XB_PROTO_NONE;
}

static bool has_vip(struct xb_jv service)
{
	struct xb_jv spec = xb_jv_get(service, "spec"), ips = xb_jv_get(spec, "clusterIPs");
	struct xb_jv ip = xb_jv_count(ips) ? xb_jv_at(ips, 0) : xb_jv_get(spec, "clusterIP");

	return !xb_jv_streq(xb_jv_get(spec, "type"), XB_SV("ExternalName")) && xb_jv_text(ip).n && !xb_jv_streq(ip, XB_SV("None"));
}

/* A Service is programmed in a family exactly when it has a cluster IP of it. */
static bool cluster_ip(struct xb_jv spec, int family, struct xb_plan_addr *ret)
{
	struct xb_jv ips = xb_jv_get(spec, "clusterIPs");

	if (!xb_jv_count(ips))
		return xb_plan_read_addr(xb_jv_get(spec, "clusterIP"), family, ret);
	for (struct xb_jit it = xb_jv_iter(ips); xb_jit_next(&it);)
		if (xb_plan_read_addr(it.value, family, ret))
			return true;
	return false;
}

static bool is_local(struct xb_jv spec, const char *policy)
{
	return xb_jv_streq(xb_jv_get(spec, policy), XB_SV("Local"));
}

static __u32 affinity(struct xb_jv spec)
{
	int64_t seconds = AFFINITY_SECONDS;

	if (!xb_jv_streq(xb_jv_get(spec, "sessionAffinity"), XB_SV("ClientIP")))
		return 0;
	xb_jv_i64(xb_jv_path(spec, "sessionAffinityConfig", "clientIP", "timeoutSeconds"), &seconds);
	return (__u32)MAX(1, MIN(seconds, INT32_MAX));
}

/* --- endpoints --- */
static bool same_port(const struct plan_slice_port *slice_port, struct xb_jv service_port)
{
	return xb_sv_eq(slice_port->name, xb_jv_text(xb_jv_get(service_port, "name"))) &&
	       slice_port->proto == xb_plan_read_proto(xb_jv_get(service_port, "protocol"));
}

static int add_endpoints(struct candidates *c, const struct xb_plan_slice *slice, __u16 port, const struct xb_plan_here *here)
{
	struct candidate e;

	for (struct plan_slice_it it = {}; plan_slice_next_endpoint(slice, here->zone, &it, &e);) {
		int r;

		e.b.port = port;
		r = xb_vec_push(c, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int compare_candidates(const void *a, const void *b)
{
	return compare_backends(&((const struct candidate *)a)->b, &((const struct candidate *)b)->b);
}

/* An endpoint may stand in two slices while it moves from one to the other. */
static void sort_and_merge(struct candidates *c)
{
	size_t n = 0;

	if (c->n)
		qsort(c->v, c->n, sizeof(*c->v), compare_candidates);
	for (size_t i = 0; i < c->n; i++) {
		struct candidate *last = n ? &c->v[n - 1] : NULL;

		if (last && !compare_candidates(last, &c->v[i])) {
			last->b.local |= c->v[i].b.local;
			last->ready |= c->v[i].ready;
			last->draining |= c->v[i].draining;
			last->zone_hints |= c->v[i].zone_hints;
			last->node_hints |= c->v[i].node_hints;
			last->for_zone |= c->v[i].for_zone;
			last->for_node |= c->v[i].for_node;
		} else {
			c->v[n++] = c->v[i];
		}
	}
	c->n = n;
}

static int gather(struct xb_jv service_port, int family, const struct xb_plan_slice *const *slices, size_t n_slices,
		  const struct xb_plan_here *here, struct candidates *c)
{
	for (size_t i = 0; i < n_slices; i++) {
		struct plan_slice_port port;

		if (plan_slice_family(slices[i]) != family)
			continue;
		for (struct plan_slice_it it = {}; plan_slice_next_port(slices[i], &it, &port);) {
			int r = same_port(&port, service_port) ? add_endpoints(c, slices[i], port.port, here) : 0;

			if (r < 0)
				return r;
		}
	}
	sort_and_merge(c);
	return 0;
}

/* Hints hold only when each ready endpoint has one, and one of them means us: half a distribution is none. */
static enum topology topology_of(const struct candidates *c)
{
	bool all_node = true, all_zone = true, here = false, zone = false;

	for (size_t i = 0; i < c->n; i++) {
		const struct candidate *e = &c->v[i];

		if (!e->ready)
			continue;
		all_node &= e->node_hints;
		all_zone &= e->zone_hints;
		here |= e->for_node;
		zone |= e->for_zone;
	}
	return all_node && here ? SAME_NODE : all_zone && zone ? SAME_ZONE : ANY;
}

static bool in_topology(const struct candidate *e, enum topology t)
{
	return t == SAME_NODE ? e->for_node : t == SAME_ZONE ? e->for_zone : true;
}

/* Policy Local: those of this node, ready ones first and draining ones when none is. Else the ready ones of the topology, which
 * is never empty by itself, or all draining ones. */
static int choose(const struct candidates *c, bool local_only, struct xb_plan_set *ret)
{
	enum topology topology = local_only ? ANY : topology_of(c);
	bool any_ready = false;
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		any_ready |= c->v[i].ready && (!local_only || c->v[i].b.local);
	ret->backends = c->n ? malloc(c->n * sizeof(*ret->backends)) : NULL;
	if (c->n && !ret->backends)
		return -ENOMEM;
	for (size_t i = 0; i < c->n; i++) {
		const struct candidate *e = &c->v[i];

		if ((any_ready ? e->ready && in_topology(e, topology) : e->draining) && (!local_only || e->b.local))
			ret->backends[n++] = e->b;
	}
	ret->n = n;
	ret->drop_when_empty = local_only && !n && c->n;
	return 0;
}

static int all_serving(const struct candidates *c, struct xb_plan_set *ret)
{
	ret->backends = c->n ? malloc(c->n * sizeof(*ret->backends)) : NULL;
	if (c->n && !ret->backends)
		return -ENOMEM;
	for (size_t i = 0; i < c->n; i++)
		ret->backends[i] = c->v[i].b;
	ret->n = c->n;
	return 0;
}

/* --- frontends --- */
static void add_frontend(struct xb_plan_port *p, enum xb_frontend_kind kind, struct xb_plan_addr addr, __u16 port)
{
	for (size_t i = 0; i < p->n_frontends; i++)
		if (p->frontends[i].port == port && !memcmp(&p->frontends[i].addr, &addr, sizeof(addr)))
			return;
	p->frontends[p->n_frontends++] = (struct xb_plan_frontend){ .kind = kind, .addr = addr, .port = port };
}

static size_t most_frontends(struct xb_jv service, struct xb_jv service_port)
{
	return 1 + xb_jv_is(xb_jv_get(service_port, "nodePort")) + xb_jv_count(xb_jv_path(service, "spec", "externalIPs")) +
	       xb_jv_count(xb_jv_path(service, "status", "loadBalancer", "ingress"));
}

static int add_frontends(struct xb_plan_port *p, struct xb_jv service, struct xb_jv service_port, struct xb_plan_addr cluster)
{
	struct xb_jv spec = xb_jv_get(service, "spec"), ingress = xb_jv_path(service, "status", "loadBalancer", "ingress");
	__u16 port = xb_plan_read_port(xb_jv_get(service_port, "port")), node_port = xb_plan_read_port(xb_jv_get(service_port, "nodePort"));
	struct xb_plan_addr addr;

	p->frontends = malloc(most_frontends(service, service_port) * sizeof(*p->frontends));
	if (!p->frontends)
		return -ENOMEM;
	add_frontend(p, XB_FRONTEND_CLUSTER_IP, cluster, port);
	if (node_port)
		add_frontend(p, XB_FRONTEND_NODE_PORT, (struct xb_plan_addr){}, node_port);
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(spec, "externalIPs")); xb_jit_next(&it);)
		if (xb_plan_read_addr(it.value, p->family, &addr))
			add_frontend(p, XB_FRONTEND_EXTERNAL_IP, addr, port);
	for (struct xb_jit it = xb_jv_iter(ingress); xb_jit_next(&it);)
		if (!xb_jv_streq(xb_jv_get(it.value, "ipMode"), XB_SV("Proxy")) &&
		    xb_plan_read_addr(xb_jv_get(it.value, "ip"), p->family, &addr))
			add_frontend(p, XB_FRONTEND_LOAD_BALANCER, addr, port);
	return 0;
}

/* --- source ranges --- */
int xb_plan_net_compare(const void *a, const void *b)
{
	const struct xb_plan_net *x = a, *y = b;
	int r = memcmp(&x->addr, &y->addr, sizeof(x->addr));

	return r ? r : (x->bits > y->bits) - (x->bits < y->bits);
}

static int add_source_ranges(struct xb_plan_port *p, struct xb_jv ranges)
{
	size_t n = 0;

	p->source_ranges_set = xb_jv_count(ranges);
	p->source_ranges = p->source_ranges_set ? malloc(xb_jv_count(ranges) * sizeof(*p->source_ranges)) : NULL;
	if (p->source_ranges_set && !p->source_ranges)
		return -ENOMEM;
	for (struct xb_jit it = xb_jv_iter(ranges); xb_jit_next(&it);) {
		_cleanup_free_ char *text = xb_jv_dup(it.value); /* white space may be escaped */
		struct xb_net net;

		if (!text && xb_jv_type(it.value) == XB_JSON_STRING)
			return -ENOMEM;
		if (xb_net_parse(xb_sv_trim(xb_sv(text)), &net) < 0 || net.ip.family != p->family)
			continue;
		net = xb_net_of(&net.ip, net.bits);
		p->source_ranges[n].bits = net.bits;
		memcpy(p->source_ranges[n++].addr.b, net.ip.b, sizeof(net.ip.b));
	}
	if (n)
		qsort(p->source_ranges, n, sizeof(*p->source_ranges), xb_plan_net_compare);
	for (size_t i = 0; i < n; i++)
		if (!i || xb_plan_net_compare(&p->source_ranges[p->n_source_ranges - 1], &p->source_ranges[i]))
			p->source_ranges[p->n_source_ranges++] = p->source_ranges[i];
	return 0;
}

/* --- the whole --- */
static bool annotated(struct xb_jv service, const char *name)
{
	return xb_jv_streq(xb_jv_path(service, "metadata", "annotations", name), XB_SV("true"));
}

static int make_name(struct xb_jv service, struct xb_jv service_port, char **ret)
{
	struct xb_jv meta = xb_jv_get(service, "metadata");
	struct xb_sv port = xb_jv_text(xb_jv_get(service_port, "name"));
	struct xb_buf name = {};

	xb_buf_addsv(&name, xb_jv_text(xb_jv_get(meta, "namespace")));
	xb_buf_addc(&name, '/');
	xb_buf_addsv(&name, xb_jv_text(xb_jv_get(meta, "name")));
	if (port.n)
		xb_buf_addc(&name, ':');
	xb_buf_addsv(&name, port);
	*ret = xb_buf_steal(&name);
	return *ret ? 0 : -ENOMEM;
}

static int make_port(struct xb_plan_port *p, struct xb_jv service, struct xb_jv service_port, struct xb_plan_addr cluster,
		     const struct candidates *c)
{
	struct xb_jv spec = xb_jv_get(service, "spec");
	int r = make_name(service, service_port, &p->name);

	if (!r)
		r = add_frontends(p, service, service_port, cluster);
	if (!r)
		r = add_source_ranges(p, xb_jv_get(spec, "loadBalancerSourceRanges"));
	if (!r)
		r = choose(c, is_local(spec, "internalTrafficPolicy"), &p->set[XB_SCOPE_INTERNAL]);
	if (!r)
		r = choose(c, false, &p->set[XB_SCOPE_EXTERNAL]);
	if (!r)
		r = choose(c, is_local(spec, "externalTrafficPolicy"), &p->set[XB_SCOPE_OUTSIDE]);
	if (!r)
		r = all_serving(c, &p->set[XB_SERVING]);
	p->affinity_seconds = affinity(spec);
	p->maglev = annotated(service, "xebec.io/maglev");
	p->dsr = annotated(service, "xebec.io/dsr");
	return r;
}

static int add_port(struct xb_plan *plan, struct xb_jv service, struct xb_jv service_port, int family, struct xb_plan_addr cluster,
		    const struct xb_plan_slice *const *slices, size_t n_slices, const struct xb_plan_here *here)
{
	_cleanup_(xb_plan_port_done) struct xb_plan_port p = { .family = family };
	_cleanup_(candidates_done) struct candidates c = {};
	int r;

	p.proto = xb_plan_read_proto(xb_jv_get(service_port, "protocol"));
	if (p.proto == XB_PROTO_NONE || !xb_plan_read_port(xb_jv_get(service_port, "port")))
		return 0;
	r = gather(service_port, family, slices, n_slices, here, &c);
	for (size_t i = 0; i < c.n; i++)
		plan->zoned |= c.v[i].zone_hints;
	if (!r)
		r = make_port(&p, service, service_port, cluster, &c);
	if (!r)
		r = xb_vec_push(plan, p);
	if (!r)
		p = (struct xb_plan_port){};
	return r;
}

/* --- healthCheckNodePort --- */
/* Draining ones do not count: the load balancer is to look elsewhere while they serve on. */
static int local_ready(const struct xb_plan_slice *const *slices, size_t n_slices, int family, const struct xb_plan_here *here,
		       unsigned *ret)
{
	_cleanup_(candidates_done) struct candidates c = {};
	unsigned n = 0;
	int r = 0;

	for (size_t i = 0; !r && i < n_slices; i++)
		if (plan_slice_family(slices[i]) == family)
			r = add_endpoints(&c, slices[i], 0, here);
	if (r < 0)
		return r;
	sort_and_merge(&c);
	for (size_t i = 0; i < c.n; i++)
		n += c.v[i].ready && c.v[i].b.local;
	*ret = n;
	return 0;
}

static int plan_health(struct xb_plan *plan, struct xb_jv spec, const struct xb_plan_slice *const *slices, size_t n_slices,
		       const struct xb_plan_here *here)
{
	unsigned n4 = 0, n6 = 0;
	int r;

	if (!xb_jv_streq(xb_jv_get(spec, "type"), XB_SV("LoadBalancer")) ||
	    !is_local(spec, "externalTrafficPolicy"))
		return 0;
	plan->health_port = xb_plan_read_port(xb_jv_get(spec, "healthCheckNodePort"));
	r = plan->health_port ? local_ready(slices, n_slices, AF_INET, here, &n4) : 0;
	if (!r && plan->health_port)
		r = local_ready(slices, n_slices, AF_INET6, here, &n6);
	plan->local_ready = MAX(n4, n6);
	return r;
}

int xb_plan_make(struct xb_jv service, const struct xb_plan_slice *const *slices, size_t n_slices, const struct xb_plan_here *here,
		 struct xb_plan *ret)
{
	static const int families[] = { AF_INET, AF_INET6 };
	_cleanup_(xb_plan_done) struct xb_plan plan = {};
	struct xb_jv spec = xb_jv_get(service, "spec");
	struct xb_plan_addr cluster;
	int r;

	for (size_t f = 0; f < ARRAY_SIZE(families) && has_vip(service); f++) {
		if (!cluster_ip(spec, families[f], &cluster))
			continue;
		for (struct xb_jit it = xb_jv_iter(xb_jv_get(spec, "ports")); xb_jit_next(&it);) {
			r = add_port(&plan, service, it.value, families[f], cluster, slices, n_slices, here);

			if (r < 0)
				return r;
		}
	}
	r = has_vip(service) ? plan_health(&plan, spec, slices, n_slices, here) : 0;
	if (r < 0)
		return r;
	*ret = plan;
	plan = (struct xb_plan){};
	return 0;
}

void xb_plan_count(struct xb_jv service, const struct xb_plan_slice *const *slices, size_t n_slices, struct xb_plan_counts *counts)
{
	struct xb_jv spec = xb_jv_get(service, "spec");
	size_t families = MAX(xb_jv_count(xb_jv_get(spec, "clusterIPs")), 1);
	/* a second set where one policy is Local; where both are, that is the same for both */
	size_t sets = is_local(spec, "internalTrafficPolicy") || is_local(spec, "externalTrafficPolicy") ? 2 : 1;

	if (!has_vip(service))
		return;
	counts->affinity |= affinity(spec) != 0;
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(spec, "ports")); xb_jit_next(&it);) {
		counts->ports += families;
		counts->frontends += families * most_frontends(service, it.value);
	}
	for (size_t i = 0; i < n_slices; i++)
		counts->backends += sets * plan_slice_most_backends(slices[i]);
}
