/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>

#include "attach.h"
#include "netns.h"
#include "xb/sysctl.h"

#define MTU_DEFAULT 1500

static const int families[2] = { AF_INET, AF_INET6 };

/* --- names --- */

/* FNV-1a: nobody who could choose container ids would gain by two alike. */
static uint64_t hash(const char *container, const char *ifname)
{
	uint64_t h = 0xcbf29ce484222325;

	for (const char *s = container; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3;
	h = (h ^ '/') * 0x100000001b3;
	for (const char *s = ifname; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3;
	return h ^ h >> 48;
}

void attach_name(struct attachment *a)
{
	static const unsigned char host[6] = { 0x02, 'x', 'e', 'b', 'e', 'c' };
	uint64_t h = hash(a->container, a->ifname) & 0xffffffffffff;

	snprintf(a->host_name, sizeof(a->host_name), "xb%012llx", (unsigned long long)h);
	memcpy(a->host_mac, host, sizeof(host));
	/* Locally administered, unicast. */
	a->mac[0] = 0x06;
	for (int i = 1; i < 6; i++)
		a->mac[i] = (unsigned char)(h >> 8 * i);
}

struct xb_ip attach_gateway(int family)
{
	return family == AF_INET ? (struct xb_ip){ AF_INET, { 169, 254, 1, 1 } } : (struct xb_ip){ AF_INET6, { 0xfe, 0x80, [15] = 1 } };
}

/* --- making --- */
struct ends {
	struct netns netns;
	struct xb_netlink *host, *pod;
	struct xb_link host_link, pod_link;
};

static void ends_done(struct ends *e)
{
	xb_netlink_free(e->host);
	xb_netlink_free(e->pod);
	netns_done(&e->netns);
}
#define NO_ENDS { .netns = NETNS_NONE }

static int open_ends(const struct attachment *a, struct ends *e, struct cni_fault *f)
{
	int r = xb_netlink_new(&e->host), code;

	if (r < 0)
		return netns_fault(f, NULL, r, "cannot open a netlink socket");
	code = netns_enter(a->netns, &e->netns, f);
	if (code)
		return code;
	r = xb_netlink_new(&e->pod);
	netns_leave(&e->netns);
	return r < 0 ? netns_fault(f, NULL, r, "cannot open a netlink socket in %s", a->netns) : 0;
}

static int take_default(void *arg, const struct xb_route *r)
{
	*(uint32_t *)arg = r->ifindex;
	return !r->dst.bits && r->ifindex;
}

/* The device of the default route; without one the usual. */
static uint32_t node_mtu(struct xb_netlink *n)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		uint32_t ifindex;
		struct xb_link l;

		if (xb_netlink_each_route(n, families[i], 0, 0, take_default, &ifindex) == 1 && !xb_netlink_get_link(n, ifindex, &l))
			return l.mtu;
	}
	return MTU_DEFAULT;
}

/* Before the device is up, so that nothing is announced, asked for or taken for a duplicate. */
struct setting {
	const char *family, *name, *value;
};
static const struct setting of_host[] = {
	{ "ipv4", "forwarding", "1" }, { "ipv4", "rp_filter", "1" }, { "ipv6", "disable_ipv6", "0" }, { "ipv6", "forwarding", "1" },
	{ "ipv6", "accept_ra", "0" }, { "ipv6", "addr_gen_mode", "1" },
};
static const struct setting of_pod[] = {
	{ "ipv6", "disable_ipv6", "0" }, { "ipv6", "accept_ra", "0" }, { "ipv6", "accept_dad", "0" },
};

/* A kernel without IPv6 has none of its settings; that is a fault where it is wanted. */
static int set(const char *ifname, const struct setting *all, size_t n, const struct attachment *a, struct cni_fault *f)
{
	for (size_t i = 0; i < n; i++) {
		bool ipv6 = !strcmp(all[i].family, "ipv6");
		int r = ipv6 && a->ips[1].family == AF_UNSPEC ? 0 :
			xb_sysctl_set(all[i].value, "net/%s/conf/%s/%s", all[i].family, ifname, all[i].name);

		if (r < 0)
			return netns_fault(f, NULL, r, "cannot set net.%s.conf.%s.%s to %s", all[i].family, ifname, all[i].name, all[i].value);
	}
	return 0;
}

static int make_pair(struct attachment *a, struct ends *e, struct cni_fault *f)
{
	struct xb_veth v = { a->host_name, a->ifname, a->host_mac, a->mac, e->netns.pod, 0 };
	int r = xb_netlink_find_link(e->host, a->host_name, &e->host_link);

	/* Of a call for the same container that died: the other end goes with it. */
	if (!r)
		r = xb_netlink_del_link(e->host, e->host_link.ifindex);
	if (r < 0 && r != -ENODEV)
		return netns_fault(f, e->host, r, "cannot remove what was left of %s", a->host_name);
	a->mtu = v.mtu = a->mtu ? a->mtu : node_mtu(e->host);
	r = xb_netlink_add_veth(e->host, &v);
	if (r == -EEXIST)
		return cni_fault(f, CNI_NETWORK, "CNI_IFNAME: there is an interface %s in %s already", a->ifname, a->netns);
	if (r < 0)
		return netns_fault(f, e->host, r, "cannot make the interfaces %s and %s of MTU %u", a->host_name, a->ifname, v.mtu);
	r = xb_netlink_find_link(e->host, a->host_name, &e->host_link);
	if (!r)
		r = xb_netlink_find_link(e->pod, a->ifname, &e->pod_link);
	return r < 0 ? netns_fault(f, NULL, r, "the interfaces %s and %s are gone again", a->host_name, a->ifname) : 0;
}

static int set_up(const struct attachment *a, struct ends *e, struct cni_fault *f)
{
	struct netns inside = NETNS_NONE;
	int code = set(a->host_name, of_host, ARRAY_SIZE(of_host), a, f), r;

	if (!code)
		code = netns_enter(a->netns, &inside, f);
	if (!code)
		code = set(a->ifname, of_pod, ARRAY_SIZE(of_pod), a, f);
	netns_done(&inside);
	if (code)
		return code;
	r = xb_netlink_set_up(e->pod, e->pod_link.ifindex, true);
	if (r < 0)
		return netns_fault(f, e->pod, r, "cannot set %s up", a->ifname);
	r = xb_netlink_set_up(e->host, e->host_link.ifindex, true);
	if (r < 0)
		return netns_fault(f, e->host, r, "cannot set %s up", a->host_name);
	/* The first end has a carrier now, and would drop what it sends until a worker of the kernel has noticed; who asks for the link
	 * has that done at once (since Linux 6.8). */
	r = xb_netlink_get_link(e->pod, e->pod_link.ifindex, &e->pod_link);
	return r < 0 ? netns_fault(f, e->pod, r, "cannot look at %s", a->ifname) : 0;
}

/* What one address needs, on both ends; attach_check looks for the same. */
struct wiring {
	struct xb_ifaddr addr;
	struct xb_neigh gateway, pod;
	struct xb_route default_, host;
};

static struct wiring wire(const struct attachment *a, const struct ends *e, const struct xb_ip *ip)
{
	struct xb_ip gateway = attach_gateway(ip->family);
	struct wiring w = {
		.addr = { .ifindex = e->pod_link.ifindex, .net = xb_net_host(ip) },
		.gateway = { .ifindex = e->pod_link.ifindex, .ip = gateway, .permanent = true },
		.default_ = { .dst = { { .family = ip->family }, 0 }, .gateway = gateway, .ifindex = e->pod_link.ifindex, .onlink = true },
		.pod = { .ifindex = e->host_link.ifindex, .ip = *ip, .permanent = true },
		.host = { .dst = xb_net_host(ip), .ifindex = e->host_link.ifindex, .scope = RT_SCOPE_LINK },
	};

	memcpy(w.gateway.mac, a->host_mac, 6);
	memcpy(w.pod.mac, a->mac, 6);
	return w;
}

static int add_address(const struct attachment *a, struct ends *e, const struct xb_ip *ip, struct cni_fault *f)
{
	struct wiring w = wire(a, e, ip);
	int r = xb_netlink_set_addr(e->pod, &w.addr);

	if (!r)
		r = xb_netlink_set_neigh(e->pod, &w.gateway);
	if (!r)
		r = xb_netlink_add_route(e->pod, &w.default_);
	if (r == -EEXIST)
		return cni_fault(f, CNI_NETWORK, "there is a default route in %s already", a->netns);
	if (r < 0)
		return netns_fault(f, e->pod, r, "cannot give %s the address %s and its default route", a->ifname, xb_ip_format(ip).s);
	r = xb_netlink_set_neigh(e->host, &w.pod);
	/* Whatever it was, it leads nowhere: addresses are this plugin's to give. */
	if (!r)
		r = xb_netlink_replace_route(e->host, &w.host);
	return r < 0 ? netns_fault(f, e->host, r, "cannot make the node's route to %s", xb_ip_format(ip).s) : 0;
}

int attach_add(struct attachment *a, struct cni_fault *f)
{
	_cleanup_(ends_done) struct ends e = NO_ENDS;
	int code = open_ends(a, &e, f);

	if (code)
		return code;
	code = make_pair(a, &e, f);
	if (code)
		return code;
	code = set_up(a, &e, f);
	for (int i = 0; !code && i < 2; i++)
		if (a->ips[i].family != AF_UNSPEC)
			code = add_address(a, &e, &a->ips[i], f);
	if (code)
		xb_netlink_del_link(e.host, e.host_link.ifindex);
	return code;
}

/* Routes, neighbours and the other end go with the device. */
int attach_del(const struct attachment *a, struct cni_fault *f)
{
	_cleanup_(xb_netlink_freep) struct xb_netlink *n = NULL;
	struct xb_link l;
	int r = xb_netlink_new(&n);

	if (!r)
		r = xb_netlink_find_link(n, a->host_name, &l);
	if (!r)
		r = xb_netlink_del_link(n, l.ifindex);
	return r < 0 && r != -ENODEV ? netns_fault(f, n, r, "cannot remove the interface %s", a->host_name) : 0;
}

/* --- looking --- */
static int is_addr(void *arg, const struct xb_ifaddr *a)
{
	const struct xb_ifaddr *want = arg;

	return xb_net_eq(&a->net, &want->net);
}

static int is_neigh(void *arg, const struct xb_neigh *e)
{
	const struct xb_neigh *want = arg;

	return e->permanent && xb_ip_eq(&e->ip, &want->ip) && !memcmp(e->mac, want->mac, 6);
}

static int is_route(void *arg, const struct xb_route *r)
{
	const struct xb_route *want = arg;

	return xb_net_eq(&r->dst, &want->dst) && xb_ip_eq(&r->gateway, &want->gateway) && r->type == RTN_UNICAST;
}

/* r: 1 when it was found. */
static int expect(int r, struct cni_fault *f, const struct xb_netlink *n, const char *where, const char *what, const char *which)
{
	if (r == 1)
		return 0;
	return r < 0 ? netns_fault(f, n, r, "cannot look at %s", where) : cni_fault(f, CNI_BROKEN, "%s has no %s %s", where, what, which);
}

static int check_address(const struct attachment *a, struct ends *e, const struct xb_ip *ip, struct cni_fault *f)
{
	struct wiring w = wire(a, e, ip);
	struct xb_ip_text text = xb_ip_format(ip), gateway = xb_ip_format(&w.gateway.ip);
	uint32_t pod = e->pod_link.ifindex, host = e->host_link.ifindex;
	int code = expect(xb_netlink_each_addr(e->pod, pod, is_addr, &w.addr), f, e->pod, a->ifname, "address", text.s);

	if (!code)
		code = expect(xb_netlink_each_neigh(e->pod, pod, false, is_neigh, &w.gateway), f, e->pod, a->ifname,
			      "permanent neighbour", gateway.s);
	if (!code)
		code = expect(xb_netlink_each_route(e->pod, ip->family, 0, pod, is_route, &w.default_), f, e->pod, a->ifname,
			      "default route by", gateway.s);
	if (!code)
		code = expect(xb_netlink_each_neigh(e->host, host, false, is_neigh, &w.pod), f, e->host, a->host_name,
			      "permanent neighbour", text.s);
	if (!code)
		code = expect(xb_netlink_each_route(e->host, ip->family, 0, host, is_route, &w.host), f, e->host, a->host_name,
			      "route to", text.s);
	return code;
}

static int check_link(struct xb_netlink *n, const char *name, const char *where, struct xb_link *ret, struct cni_fault *f)
{
	int r = xb_netlink_find_link(n, name, ret);

	if (r == -ENODEV)
		return cni_fault(f, CNI_BROKEN, "there is no interface %s %s", name, where);
	if (r < 0)
		return netns_fault(f, n, r, "cannot look at %s", name);
	return ret->flags & IFF_UP ? 0 : cni_fault(f, CNI_BROKEN, "the interface %s %s is down", name, where);
}

int attach_check(const struct attachment *a, struct cni_fault *f)
{
	_cleanup_(ends_done) struct ends e = NO_ENDS;
	int code = open_ends(a, &e, f);

	if (!code)
		code = check_link(e.pod, a->ifname, "in the pod", &e.pod_link, f);
	if (!code)
		code = check_link(e.host, a->host_name, "on the node", &e.host_link, f);
	if (!code && (strcmp(e.host_link.kind, "veth") || e.host_link.peer != e.pod_link.ifindex))
		code = cni_fault(f, CNI_BROKEN, "%s is not the other end of %s", a->host_name, a->ifname);
	if (!code && e.pod_link.mtu != (a->mtu ? a->mtu : e.host_link.mtu))
		code = cni_fault(f, CNI_BROKEN, "%s has MTU %u, not %u", a->ifname, e.pod_link.mtu, a->mtu ? a->mtu : e.host_link.mtu);
	for (int i = 0; !code && i < 2; i++)
		if (a->ips[i].family != AF_UNSPEC)
			code = check_address(a, &e, &a->ips[i], f);
	return code;
}
