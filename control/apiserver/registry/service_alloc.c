/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Cluster IPs and node ports: which a Service needs, which of them the write takes, which it gives back when it commits. */
#include "edit.h"
#include "ports.h"
#include "seen.h"
#include "service.h"
#include "state.h"

/* Two lists of each: what to give back when the write fails, and when it is done. */
struct allocation {
	struct xb_sv ips_taken[2], ips_left[2];
	unsigned n_ips_taken, n_ips_left;
	int64_t *ports_taken, *ports_left;
	unsigned n_ports_taken, n_ports_left;
};

struct change {
	struct write *w;
	struct xb_field_errors *e;
	struct xb_tree *spec;              /* NULL at deletion */
	const struct xb_tree *old;         /* old's spec, NULL at creation */
	struct allocation *a;
};

static struct ip_range *range_of(const struct registry *r, bool v6)
{
	for (unsigned i = 0; i < ARRAY_SIZE(r->ranges); i++)
		if (r->ranges[i] && ip_range_is_v6(r->ranges[i]) == v6)
			return r->ranges[i];
	return NULL;
}

static const char *family_name(bool v6)
{
	return v6 ? "IPv6" : "IPv4";
}

static struct xb_tree *nth(const struct xb_tree *list, unsigned n)
{
	struct xb_tree *each = list ? list->first : NULL;

	while (each && n--)
		each = each->next;
	return each;
}

static unsigned count(const struct xb_tree *spec, const char *key)
{
	const struct xb_tree *list = xb_tree_get(spec, key);

	return list ? list->count : 0;
}

static void add_family(struct change *c, bool v6)
{
	edit_append(c->w, edit_obtain_array(c->w, c->spec, "ipFamilies"), xb_tree_str(c->w->arena, xb_sv(family_name(v6))));
}

/* --- ipFamilies and ipFamilyPolicy (KEP-563) */

static void check_policy(struct change *c)
{
	const struct xb_tree *policy = xb_tree_get(c->spec, "ipFamilyPolicy");
	const struct xb_path *at = XB_PATH(XB_PATH(NULL, "spec"), "ipFamilyPolicy");

	if (policy && !xb_tree_is(policy, "SingleStack"))
		return;
	if (count(c->spec, "clusterIPs") == 2)
		xb_err_invalid_sv(c->e, at, xb_tree_text(policy),
				  "must be RequireDualStack or PreferDualStack when multiple clusterIPs are specified");
	if (count(c->spec, "ipFamilies") == 2)
		xb_err_invalid_sv(c->e, at, xb_tree_text(policy),
				  "must be RequireDualStack or PreferDualStack when multiple ipFamilies are specified");
}

/* Families of the addresses that the client chose. */
static void infer_families(struct change *c)
{
	const struct xb_tree *ips = xb_tree_get(c->spec, "clusterIPs");
	const struct xb_path *at = XB_PATH(XB_PATH(NULL, "spec"), "clusterIPs");
	unsigned i = 0;

	xb_tree_each(ip, ips) {
		bool v6 = ports_is_ipv6(xb_tree_text(ip));

		if (xb_tree_is(ip, "None"))
			return;
		if (i++ < count(c->spec, "ipFamilies"))
			continue;
		if (range_of(c->w->registry, v6))
			add_family(c, v6);
		else
			xb_err_invalid(c->e, XB_PATH_AT(at, i - 1), ips, "%s is not configured on this cluster",
				       family_name(v6));
	}
}

static void check_families(struct change *c)
{
	const struct xb_path *at = XB_PATH(NULL, "spec");
	long i = 0;

	if (service_spec_is_headless(c->spec) && edit_is_empty(xb_tree_get(c->spec, "selector")))
		return;
	if (xb_tree_is(xb_tree_get(c->spec, "ipFamilyPolicy"), "RequireDualStack") && !c->w->registry->ranges[1])
		xb_err_invalid_sv(c->e, XB_PATH(at, "ipFamilyPolicy"), XB_SV("RequireDualStack"),
				  "this cluster is not configured for dual-stack services");
	xb_tree_each(family, xb_tree_get(c->spec, "ipFamilies")) {
		if (!range_of(c->w->registry, xb_tree_is(family, "IPv6")))
			xb_err_invalid(c->e, XB_PATH_AT(XB_PATH(at, "ipFamilies"), i), family,
				       "not configured on this cluster");
		i++;
	}
}

static void complete_families(struct change *c)
{
	const struct registry *r = c->w->registry;
	bool free_choice = service_spec_is_headless(c->spec) && edit_is_empty(xb_tree_get(c->spec, "selector"));

	/* without selector and address the endpoints may be of any family, whatever this cluster hands out */
	edit_str_default(c->w, c->spec, "ipFamilyPolicy", free_choice ? "RequireDualStack" : "SingleStack");
	if (!count(c->spec, "ipFamilies"))
		add_family(c, ip_range_is_v6(r->ranges[0]));
	if (!xb_tree_is(xb_tree_get(c->spec, "ipFamilyPolicy"), "SingleStack") && count(c->spec, "ipFamilies") == 1 &&
	    (free_choice || r->ranges[1]))
		add_family(c, xb_tree_is(nth(xb_tree_get(c->spec, "ipFamilies"), 0), "IPv4"));
}

/* Going back to one family: what the client left as it was loses its second entry. */
static void drop_second(struct change *c, const char *key)
{
	if (count(c->spec, key) == 2 && edit_same(c->spec, c->old, key))
		xb_tree_remove(nth(xb_tree_get(c->spec, key), 1));
}

static bool prefers_as_before(const struct change *c)
{
	return c->old && xb_tree_is(xb_tree_get(c->spec, "ipFamilyPolicy"), "PreferDualStack") &&
	       edit_same(c->spec, c->old, "ipFamilyPolicy") && edit_same(c->spec, c->old, "clusterIPs") &&
	       edit_same(c->spec, c->old, "ipFamilies");
}

static void settle_families(struct change *c)
{
	if (!service_needs_ip(c->spec) || prefers_as_before(c))
		return;
	if (c->old && service_needs_ip(c->old) && !xb_tree_get(c->spec, "ipFamilyPolicy"))
		edit_keep(c->w, c->spec, c->old, "ipFamilyPolicy");
	if (c->old && xb_tree_is(xb_tree_get(c->spec, "ipFamilyPolicy"), "SingleStack")) {
		drop_second(c, "clusterIPs");
		drop_second(c, "ipFamilies");
	}
	service_validate_ips(c->e, c->spec);
	if (c->e->n)
		return;
	check_policy(c);
	infer_families(c);
	if (c->e->n)
		return;
	check_families(c);
	if (!c->e->n)
		complete_families(c);
}

/* --- addresses */

static int take_ip(struct change *c, bool v6, const struct xb_tree *asked, struct xb_sv *ret)
{
	struct ip_range *range = range_of(c->w->registry, v6);
	const struct xb_tree *ips = xb_tree_get(c->spec, "clusterIPs");
	const struct xb_path *at = XB_PATH(XB_PATH(NULL, "spec"), "clusterIPs");
	struct xb_sv ip = xb_tree_text(asked);
	char any[INET6_ADDRSTRLEN];
	int r;

	r = asked ? ip_range_take(range, ip) : ip_range_take_any(range, any);
	if (r == -EEXIST)
		xb_err_invalid(c->e, at, ips, "failed to allocate IP %.*s: provided IP is already allocated", XB_SV_ARG(ip));
	else if (r == -ERANGE)
		xb_err_invalid(c->e, at, ips,
			"failed to allocate IP %.*s: the provided IP (%.*s) is not in the valid range. The range of valid IPs is %s",
			       XB_SV_ARG(ip), XB_SV_ARG(ip), ip_range_text(range));
	else if (r < 0)
		return r;
	if (r < 0)
		return 0;
	*ret = asked ? ip : xb_arena_sv(c->w->arena, xb_sv(any));
	if (!ret->p) {
		ip_range_give(range, xb_sv(any));
		return -ENOMEM;
	}
	c->a->ips_taken[c->a->n_ips_taken++] = *ret;
	return 0;
}

/* Addresses for the families from the first-th on. */
static int take_ips(struct change *c, unsigned first)
{
	struct xb_tree *ips = edit_obtain_array(c->w, c->spec, "clusterIPs");
	unsigned i = 0;

	xb_tree_each(family, xb_tree_get(c->spec, "ipFamilies")) {
		const struct xb_tree *asked = nth(ips, i);
		struct xb_sv ip = {};
		int r;

		if (i++ < first)
			continue;
		r = take_ip(c, xb_tree_is(family, "IPv6"), asked, &ip);
		if (r < 0 || c->e->n)
			return r;
		if (!asked)
			edit_append(c->w, ips, xb_tree_str(c->w->arena, ip));
	}
	edit_sv(c->w, c->spec, "clusterIP", xb_tree_text(nth(ips, 0)));
	return 0;
}

static void leave_ips(struct change *c, unsigned first)
{
	const struct xb_tree *ips = xb_tree_get(c->old, "clusterIPs");

	for (const struct xb_tree *ip = nth(ips, first); ip && c->a->n_ips_left < 2; ip = ip->next)
		c->a->ips_left[c->a->n_ips_left++] = xb_tree_text(ip);
}

static int change_ips(struct change *c)
{
	bool had = service_needs_ip(c->old), has = service_needs_ip(c->spec);
	unsigned n_old = count(c->old, "ipFamilies"), n = count(c->spec, "ipFamilies");

	if (had && !has)
		leave_ips(c, 0);
	if (!has || service_spec_is_headless(c->spec))
		return 0;
	if (!had)
		return take_ips(c, 0);
	if (service_spec_is_headless(c->old))
		return 0;
	if (n_old == 2 && n == 1)
		leave_ips(c, 1);
	return n_old == 1 && n == 2 ? take_ips(c, 1) : 0;
}

/* --- node ports */

static struct seen node_ports_of(struct change *c, const struct xb_tree *spec)
{
	struct seen numbers = SEEN(c->w);

	xb_tree_each(port, xb_tree_get(spec, "ports"))
		if (xb_tree_get(port, "nodePort"))
			seen_text(&numbers, xb_tree_get(port, "nodePort")->text);
	return numbers;
}

/* asked: 0 for any */
static int take_port(struct change *c, const struct xb_path *at, int64_t asked, int64_t *ret)
{
	struct port_range *range = c->w->registry->node_ports;
	int any = 0, first, last;
	int r = asked ? port_range_take(range, asked) : port_range_take_any(range, &any);

	port_range_bounds(range, &first, &last);
	if (r == -EEXIST)
		xb_err_invalid_go(c->e, at, xb_arena_printf(c->w->arena, "%lld", (long long)asked),
				  "provided port is already allocated");
	else if (r == -ERANGE)
		xb_err_invalid_go(c->e, at, xb_arena_printf(c->w->arena, "%lld", (long long)asked),
				  "provided port is not in the valid range. The range of valid ports is %d-%d", first, last);
	else if (r < 0)
		return r;
	if (r < 0)
		return 0;
	*ret = asked ? asked : any;
	c->a->ports_taken[c->a->n_ports_taken++] = *ret;
	return 0;
}

static bool allocates_node_ports(const struct xb_tree *spec)
{
	const struct xb_tree *flag = xb_tree_get(spec, "allocateLoadBalancerNodePorts");

	return service_is(spec, "NodePort") || !flag || xb_tree_true(flag);
}

/* What the ports that come with a node port have, by their own number: TCP and UDP share it. */
static struct xb_tree *siblings_of(struct change *c)
{
	struct xb_tree *by_port = xb_tree_object(c->w->arena);

	xb_tree_each(port, xb_tree_get(c->spec, "ports"))
		if (xb_tree_get(port, "nodePort") && xb_tree_get(port, "port"))
			edit_member(c->w, by_port, xb_tree_get(port, "port")->text, xb_tree_copy(c->w->arena, xb_tree_get(port, "nodePort")));
	return by_port;
}

static int take_node_ports(struct change *c)
{
	const struct xb_path *at = XB_PATH(XB_PATH(NULL, "spec"), "ports");
	struct xb_tree *siblings = c->old ? NULL : siblings_of(c);
	struct seen held = node_ports_of(c, service_needs_node_ports(c->old) ? c->old : NULL);
	long i = 0;

	xb_tree_each(port, xb_tree_get(c->spec, "ports")) {
		const struct xb_path *here = XB_PATH(XB_PATH_AT(at, i++), "nodePort");
		const struct xb_tree *number = xb_tree_get(port, "nodePort"), *own = xb_tree_get(port, "port");
		int64_t asked = 0, got = 0;
		int r;

		if (!number && !allocates_node_ports(c->spec))
			continue;
		if (!number && own)
			number = xb_tree_getsv(siblings, own->text);
		if (number && seen_text(&held, number->text)) {
			edit_node(c->w, port, "nodePort", xb_tree_copy(c->w->arena, number));
			continue;
		}
		(void)xb_tree_i64(number, &asked);
		r = take_port(c, here, asked, &got);
		if (r < 0 || c->e->n)
			return r;
		edit_int(c->w, port, "nodePort", got);
		number = xb_tree_get(port, "nodePort");
		if (siblings && number && own)
			edit_member(c->w, siblings, own->text, xb_tree_copy(c->w->arena, number));
		if (number)
			seen_text(&held, number->text);
	}
	return 0;
}

static void leave_port(struct change *c, int64_t number)
{
	c->a->ports_left[c->a->n_ports_left++] = number;
}

static int change_node_ports(struct change *c)
{
	bool has = service_needs_node_ports(c->spec);
	int r = has ? take_node_ports(c) : 0;
	struct seen kept = node_ports_of(c, has ? c->spec : NULL);

	if (r < 0 || !service_needs_node_ports(c->old))
		return r;
	xb_tree_each(port, xb_tree_get(c->old, "ports")) {
		const struct xb_tree *number = xb_tree_get(port, "nodePort");

		if (number && !seen_text(&kept, number->text))
			leave_port(c, xb_tree_geti64(port, "nodePort", 0));
	}
	return 0;
}

static int change_health_port(struct change *c)
{
	bool had = service_needs_health_port(c->old), has = service_needs_health_port(c->spec);
	int64_t got = 0;
	int r;

	if (had && !has)
		leave_port(c, xb_tree_geti64(c->old, "healthCheckNodePort", 0));
	if (had || !has)
		return 0;
	r = take_port(c, XB_PATH(XB_PATH(NULL, "spec"), "healthCheckNodePort"), xb_tree_geti64(c->spec,
		      "healthCheckNodePort", 0), &got);
	if (got)
		edit_int(c->w, c->spec, "healthCheckNodePort", got);
	return r;
}

/* --- the write */

static struct allocation *allocation_new(struct write *w, const struct xb_tree *spec, const struct xb_tree *old)
{
	unsigned n = count(spec, "ports") + 1, n_old = count(old, "ports") + 1;
	struct allocation *a = xb_arena_alloc(w->arena, sizeof(*a));

	if (!a)
		return NULL;
	a->ports_taken = xb_arena_alloc(w->arena, n * sizeof(*a->ports_taken));
	a->ports_left = xb_arena_alloc(w->arena, n_old * sizeof(*a->ports_left));
	return a->ports_taken && a->ports_left ? a : NULL;
}

int service_begin(struct write *w, struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	struct change c = { .w = w, .e = e, .spec = xb_tree_get(object, "spec"), .old = xb_tree_get(old, "spec") };
	int r;

	if (w->sub)
		return 0;
	c.a = w->allocated = allocation_new(w, c.spec, c.old);
	if (!c.a)
		return -ENOMEM;
	if (c.spec)
		settle_families(&c);
	r = e->n ? 0 : change_ips(&c);
	if (!r && !e->n)
		r = change_node_ports(&c);
	if (!r && !e->n)
		r = change_health_port(&c);
	if (r < 0)
		service_end(w, false);
	return r;
}

static void give_ip(struct registry *r, struct xb_sv ip)
{
	struct ip_range *range = range_of(r, ports_is_ipv6(ip));

	if (range)
		ip_range_give(range, ip);
}

/* A dry run took what it needed, so that its parts do not meet, and gives it back here. */
void service_end(struct write *w, bool committed)
{
	struct allocation *a = TAKE_PTR(w->allocated);

	if (!a)
		return;
	if (committed && !w->dry_run) {
		for (unsigned i = 0; i < a->n_ips_left; i++)
			give_ip(w->registry, a->ips_left[i]);
		for (unsigned i = 0; i < a->n_ports_left; i++)
			port_range_give(w->registry->node_ports, a->ports_left[i]);
		return;
	}
	for (unsigned i = 0; i < a->n_ips_taken; i++)
		give_ip(w->registry, a->ips_taken[i]);
	for (unsigned i = 0; i < a->n_ports_taken; i++)
		port_range_give(w->registry->node_ports, a->ports_taken[i]);
}
