/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "findings.h"
#include "text.h"
#include "../xalloc.h"

/* --- networks: of the record, in no order --- */
struct nets {
	struct xb_net v[XB_NETS_MAX];
	size_t n;
};

static void add_net(struct nets *to, int family, const __u8 *addr, const __u8 *mask, size_t bytes)
{
	struct xb_net *net = &to->v[to->n];

	*net = (struct xb_net){ .ip.family = family };
	memcpy(net->ip.b, addr, bytes);
	for (size_t i = 0; i < bytes; i++)
		net->bits += (unsigned)__builtin_popcount(mask[i]);
	to->n += net->bits != 0;
}

static struct nets nets4(const struct xb_net4 from[XB_NETS_MAX])
{
	struct nets nets = {};

	for (int i = 0; i < XB_NETS_MAX; i++)
		add_net(&nets, AF_INET, from[i].addr.b, from[i].mask.b, sizeof(from[i].addr.b));
	return nets;
}

static struct nets nets6(const struct xb_net6 from[XB_NETS_MAX])
{
	struct nets nets = {};

	for (int i = 0; i < XB_NETS_MAX; i++)
		add_net(&nets, AF_INET6, from[i].addr.b, from[i].mask.b, sizeof(from[i].addr.b));
	return nets;
}

static void add_lacking(struct findings *found, const char *what, const struct nets *of, const struct nets *in, const char *how)
{
	for (size_t i = 0; i < of->n; i++) {
		bool there = false;

		for (size_t k = 0; k < in->n; k++)
			there |= xb_net_eq(&of->v[i], &in->v[k]);
		if (!there)
			findings_add(found, xprintf("xb_node"), 0, "%s: %s is %s", what, xb_net_format(&of->v[i]).s, how);
	}
}

static void match_nets(struct findings *found, const char *what, struct nets want, struct nets have)
{
	add_lacking(found, what, &want, &have, "missing");
	add_lacking(found, what, &have, &want, "too much");
}

/* --- masquerading --- */
static const char *source_text(const struct endpoint_text *text)
{
	return strcmp(text->s, "0.0.0.0") && strcmp(text->s, "::") ? text->s : "nothing";
}

static void match_source(struct findings *found, union xb_ip6 want, union xb_ip6 have)
{
	struct endpoint_text should = addr_text(&want), is = addr_text(&have);

	if (memcmp(&want, &have, sizeof(want)))
		findings_add(found, xprintf("xb_node"), 0, "masquerades as %s, and should as %s", source_text(&is), source_text(&should));
}

static void match_record(struct findings *found, const struct xb_node *want, const struct xb_node *have)
{
	match_source(found, addr_of4(want->addr4), addr_of4(have->addr4));
	match_source(found, want->addr6, have->addr6);
	if (want->nat_first != have->nat_first || want->nat_count != have->nat_count)
		findings_add(found, xprintf("xb_node"), 0, "masquerades by %u ports from %u on, and should by %u from %u on", have->nat_count,
			     have->nat_first, want->nat_count, want->nat_first);
	if (!want->masquerade_all != !have->masquerade_all)
		findings_add(found, xprintf("xb_node"), 0, "what pods send to cluster IPs is %smasqueraded, and should%s be",
			     have->masquerade_all ? "" : "not ", want->masquerade_all ? "" : " not");
	match_nets(found, "where pods are", nets4(want->pods4), nets4(have->pods4));
	match_nets(found, "where pods are", nets6(want->pods6), nets6(have->pods6));
	match_nets(found, "where cluster IPs are", nets4(want->services4), nets4(have->services4));
	match_nets(found, "where cluster IPs are", nets6(want->services6), nets6(have->services6));
}

/* --- where node ports answer --- */
static char *addr_entry(enum xb_family family, const union xb_ip6 *addr)
{
	return xprintf("%s %s (address)", family == XB_IPV4 ? "xb_fe4" : "xb_fe6", frontend_text(addr, 0).s);
}

static union xb_ip6 key_addr(enum xb_family family, const struct xb_plan_addr *addr)
{
	struct xb_ip ip = { .family = family == XB_IPV4 ? AF_INET : AF_INET6 };

	memcpy(ip.b, addr->b, sizeof(ip.b));
	return addr_of(&ip);
}

static void match_addrs(struct findings *found, const struct tables *t, const struct index *x, enum xb_family family,
			const struct xb_plan_addrs *want)
{
	for (size_t i = 0; i < want->n; i++) {
		struct xb_fe_key key = { .addr = key_addr(family, &want->v[i]) };

		if (xb_frontends_get(&t->fe[family == XB_IPV6], &key).kind != XB_FRONTEND_NODE_ADDR)
			findings_add(found, addr_entry(family, &key.addr), 0, "is missing: no node port answers at this address of the node");
	}
	for (size_t i = 0; i < x->frontends.n; i++) {
		const struct frontend *have = &x->frontends.v[i];
		bool wanted = false;

		if (have->kind != XB_FRONTEND_NODE_ADDR || have->family != family)
			continue;
		for (size_t k = 0; k < want->n && !wanted; k++) {
			union xb_ip6 addr = key_addr(family, &want->v[k]);

			wanted = !memcmp(&addr, &have->addr, sizeof(addr));
		}
		if (!wanted)
			findings_add(found, addr_entry(family, &have->addr), 0,
				     "is too much: the node has no such address, or its node ports are not to answer there");
	}
}

void check_node(const struct tables *t, const struct index *x, const struct xb_plan_node_facts *facts,
		const struct xb_plan_port_networks *networks, struct findings *f)
{
	const struct xb_node *have = table_at(t, TABLE_NODE, 0);
	struct xb_plan_addrs addrs[2] = {};
	struct xb_plan_node node;
	struct xb_node want;

	xb_plan_node_make(facts, &node);
	xb_plan_node_record(&node, &want);
	if (have)
		match_record(f, &want, have);
	xalloc(xb_plan_port_addrs(facts->node, facts->addrs, facts->n_addrs, networks, addrs) < 0 ? NULL : addrs);
	for (int i = 0; i < 2; i++) {
		match_addrs(f, t, x, i ? XB_IPV6 : XB_IPV4, &addrs[i]);
		xb_vec_done(&addrs[i]);
	}
}
