/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "xb/plan_node.h"
#include "xb/vec.h"

#define LOOPBACK_INDEX 1            /* in each network namespace */
#define NODE_PORT_FIRST 30000       /* kube-apiserver's --service-node-port-range by default; nobody tells another */
#define NODE_PORT_LAST  32767
#define PORTS_FIRST     1024
#define PORTS_ENOUGH    1024

_Static_assert(XB_PLAN_NETS_MAX == XB_NETS_MAX, "each has its place");

/* --- networks --- */
static int add_net(const struct xb_net *net, struct xb_plan_nets *nets)
{
	struct xb_net whole = xb_net_of(&net->ip, net->bits);
	struct xb_plan_net *at = &nets->v[nets->n];

	if (nets->n == ARRAY_SIZE(nets->v))
		return -E2BIG;
	at->bits = whole.bits;
	memcpy(at->addr.b, whole.ip.b, sizeof(at->addr.b));
	nets->n++;
	return 0;
}

int xb_plan_nets_add(struct xb_sv list, struct xb_plan_nets by_family[2])
{
	struct xb_sv one;
	int r = 0;

	while (!r && xb_sv_split(&list, ',', &one)) {
		struct xb_net net;

		r = xb_net_parse(xb_sv_trim(one), &net);
		if (!r)
			r = add_net(&net, &by_family[net.ip.family == AF_INET6]);
	}
	return r;
}

static void add_pod_cidrs(struct xb_jv node, struct xb_plan_nets pods[2])
{
	struct xb_jv spec = xb_jv_get(node, "spec"), cidrs = xb_jv_get(spec, "podCIDRs");

	if (!xb_jv_count(cidrs))
		xb_plan_nets_add(xb_jv_text(xb_jv_get(spec, "podCIDR")), pods);
	for (struct xb_jit it = xb_jv_iter(cidrs); xb_jit_next(&it);)
		xb_plan_nets_add(xb_jv_text(it.value), pods);
}

int xb_plan_nets_add_service_cidr(struct xb_jv service_cidr, struct xb_plan_nets by_family[2])
{
	int first = 0;

	for (struct xb_jit it = xb_jv_iter(xb_jv_path(service_cidr, "spec", "cidrs")); xb_jit_next(&it);) {
		int r = xb_plan_nets_add(xb_jv_text(it.value), by_family);

		if (r == -E2BIG)
			first = r;
	}
	return first;
}

void xb_plan_nets_sort(struct xb_plan_nets by_family[2])
{
	for (int f = 0; f < 2; f++)
		qsort(by_family[f].v, by_family[f].n, sizeof(by_family[f].v[0]), xb_plan_net_compare);
}

/* --- masquerading --- */
static const struct xb_ifaddr *find_addr(const struct xb_ip *ip, const struct xb_ifaddr *addrs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (xb_ip_eq(&addrs[i].net.ip, ip))
			return &addrs[i];
	return NULL;
}

static const struct xb_ifaddr *internal_ip(int family, struct xb_jv node, const struct xb_ifaddr *addrs, size_t n)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(node, "status", "addresses")); xb_jit_next(&it);) {
		const struct xb_ifaddr *found;
		struct xb_ip ip;

		if (!xb_jv_streq(xb_jv_get(it.value, "type"), XB_SV("InternalIP")) ||
		    xb_ip_parse(xb_jv_text(xb_jv_get(it.value, "address")), &ip) < 0 || ip.family != family)
			continue;
		found = find_addr(&ip, addrs, n);
		if (found)
			return found;
	}
	return NULL;
}

/* 169.254.0.0/16 is link-local by RFC 3927, whatever scope it was given. */
static bool is_global(const struct xb_ifaddr *a)
{
	const struct xb_ip *ip = &a->net.ip;

	return a->scope == RT_SCOPE_UNIVERSE && !(ip->family == AF_INET && ip->b[0] == 169 && ip->b[1] == 254);
}

static bool goes_before(const struct xb_ifaddr *a, const struct xb_ifaddr *b)
{
	if ((a->ifindex == LOOPBACK_INDEX) != (b->ifindex == LOOPBACK_INDEX))
		return b->ifindex == LOOPBACK_INDEX;
	return a->ifindex != b->ifindex ? a->ifindex < b->ifindex : xb_ip_cmp(&a->net.ip, &b->net.ip) < 0;
}

struct xb_plan_addr xb_plan_source(int family, struct xb_jv node, const struct xb_ifaddr *addrs, size_t n_addrs)
{
	const struct xb_ifaddr *best = internal_ip(family, node, addrs, n_addrs), *first = NULL;
	struct xb_plan_addr source = {};

	for (size_t i = 0; i < n_addrs; i++)
		if (addrs[i].net.ip.family == family && is_global(&addrs[i]) && (!first || goes_before(&addrs[i], first)))
			first = &addrs[i];
	if (!best)
		best = first;
	if (best)
		memcpy(source.b, best->net.ip.b, sizeof(source.b));
	return source;
}

struct ports {
	int first, last;
};

/* The longest range from PORTS_FIRST on that has nothing of these, which are in order. Of equal ones the higher. */
static struct ports longest_gap(const struct ports *taken, size_t n)
{
	struct ports best = { 0, -1 };
	int from = PORTS_FIRST;

	for (size_t i = 0; i <= n; i++) {
		int last = i < n ? taken[i].first - 1 : UINT16_MAX;

		if (last - from >= best.last - best.first)
			best = (struct ports){ from, last };
		if (i < n)
			from = MAX(from, taken[i].last + 1);
	}
	return best;
}

bool xb_plan_nat_ports(int local_first, int local_last, __u16 *ret_first, __u16 *ret_count)
{
	const struct ports node_ports = { NODE_PORT_FIRST, NODE_PORT_LAST }, local = { local_first, local_last };
	bool local_is_lower = local_first < NODE_PORT_FIRST;
	const struct ports taken[] = { local_is_lower ? local : node_ports, local_is_lower ? node_ports : local };
	struct ports gap = longest_gap(taken, ARRAY_SIZE(taken));
	bool enough = gap.last - gap.first + 1 >= PORTS_ENOUGH;

	if (!enough)
		gap = longest_gap(&node_ports, 1);
	*ret_first = (__u16)gap.first;
	*ret_count = (__u16)(gap.last - gap.first + 1);
	return enough;
}

/* --- where node ports answer --- */
int xb_plan_port_networks_add(struct xb_plan_port_networks *p, const char *text)
{
	struct xb_net net;

	if (!strcmp(text, "primary")) {
		p->primary = true;
		return 0;
	}
	return xb_net_parse(xb_sv(text), &net) < 0 ? -EINVAL : xb_vec_push(p, net);
}

void xb_plan_port_networks_done(struct xb_plan_port_networks *p)
{
	xb_vec_done(p);
}

static bool wanted(const struct xb_plan_port_networks *p, const struct xb_ip *ip)
{
	for (size_t i = 0; i < p->n; i++)
		if (xb_net_contains(&p->v[i], ip))
			return true;
	return !p->n;
}

static int compare_addrs(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct xb_plan_addr));
}

static void sort_and_unique(struct xb_plan_addrs *a)
{
	size_t n = 0;

	if (a->n)
		qsort(a->v, a->n, sizeof(*a->v), compare_addrs);
	for (size_t i = 0; i < a->n; i++)
		if (!n || compare_addrs(&a->v[n - 1], &a->v[i]))
			a->v[n++] = a->v[i];
	a->n = n;
}

static int add_internal_ips(struct xb_jv node, struct xb_plan_addrs found[2])
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(node, "status", "addresses")); xb_jit_next(&it);) {
		struct xb_plan_addr a;
		struct xb_ip ip;

		if (!xb_jv_streq(xb_jv_get(it.value, "type"), XB_SV("InternalIP")) ||
		    xb_ip_parse(xb_jv_text(xb_jv_get(it.value, "address")), &ip) < 0)
			continue;
		memcpy(a.b, ip.b, sizeof(a.b));
		if (xb_vec_push(&found[ip.family == AF_INET6], a) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_kernel_addrs(const struct xb_ifaddr *addrs, size_t n, const struct xb_plan_port_networks *networks,
			    struct xb_plan_addrs found[2])
{
	for (size_t i = 0; i < n; i++) {
		const struct xb_ip *ip = &addrs[i].net.ip;
		struct xb_plan_addr a;

		memcpy(a.b, ip->b, sizeof(a.b));
		if (wanted(networks, ip) && xb_vec_push(&found[ip->family == AF_INET6], a) < 0)
			return -ENOMEM;
	}
	return 0;
}

int xb_plan_port_addrs(struct xb_jv node, const struct xb_ifaddr *addrs, size_t n, const struct xb_plan_port_networks *networks,
		       struct xb_plan_addrs ret[2])
{
	struct xb_plan_addrs found[2] = {};
	int r = networks->primary && xb_jv_is(node) ? add_internal_ips(node, found) : add_kernel_addrs(addrs, n, networks, found);

	for (int f = 0; f < 2; f++) {
		if (r < 0) {
			xb_vec_done(&found[f]);
			continue;
		}
		sort_and_unique(&found[f]);
		ret[f] = found[f];
	}
	return r;
}

/* --- the whole --- */
void xb_plan_node_make(const struct xb_plan_node_facts *f, struct xb_plan_node *ret)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct xb_plan_node node = { .masquerade_all = f->masquerade_all };

	xb_plan_nat_ports(f->local_first, f->local_last, &node.nat_first, &node.nat_count);
	for (int i = 0; i < 2; i++) {
		node.addr[i] = xb_plan_source(families[i], f->node, f->addrs, f->n_addrs);
		node.services[i] = f->services[i];
		if (f->cluster)
			node.pods[i] = f->cluster[i];
	}
	if (!f->cluster)
		add_pod_cidrs(f->node, node.pods);
	*ret = node;
}

/* The first bits of a mask; of IPv4 the first four bytes are it. */
static void mask_of(unsigned bits, __u8 *ret, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++, bits -= MIN(bits, 8U))
		ret[i] = bits >= 8 ? 0xff : (__u8)(0xff00 >> bits);
}

static void nets4(const struct xb_plan_nets *nets, struct xb_net4 ret[XB_NETS_MAX])
{
	for (size_t i = 0; i < nets->n; i++) {
		memcpy(ret[i].addr.b, nets->v[i].addr.b, sizeof(ret[i].addr.b));
		mask_of(nets->v[i].bits, ret[i].mask.b, sizeof(ret[i].mask.b));
	}
}

static void nets6(const struct xb_plan_nets *nets, struct xb_net6 ret[XB_NETS_MAX])
{
	for (size_t i = 0; i < nets->n; i++) {
		memcpy(ret[i].addr.b, nets->v[i].addr.b, sizeof(ret[i].addr.b));
		mask_of(nets->v[i].bits, ret[i].mask.b, sizeof(ret[i].mask.b));
	}
}

void xb_plan_node_record(const struct xb_plan_node *node, struct xb_node *ret)
{
	*ret = (struct xb_node){
		.nat_first = node->nat_first, .nat_count = node->nat_count, .masquerade_all = node->masquerade_all,
	};
	memcpy(ret->addr4.b, node->addr[0].b, sizeof(ret->addr4.b));
	memcpy(ret->addr6.b, node->addr[1].b, sizeof(ret->addr6.b));
	nets4(&node->pods[0], ret->pods4);
	nets6(&node->pods[1], ret->pods6);
	nets4(&node->services[0], ret->services4);
	nets6(&node->services[1], ret->services6);
}
