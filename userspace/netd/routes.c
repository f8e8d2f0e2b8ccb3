/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>

#include "reconcile.h"
#include "xb/sysctl.h"
#include "xb/why.h"

#define MTU_DEFAULT 1500

static const int families[FAMILIES] = { AF_INET, AF_INET6 };

struct routes *routes_free(struct routes *r)
{
	if (!r)
		return NULL;
	xb_netlink_free(r->netlink);
	xb_vec_done(&r->links);
	free(r);
	return NULL;
}

int routes_new(const struct routes_config *c, struct routes **ret, char **reterr_why)
{
	_cleanup_(routes_freep) struct routes *r = calloc(1, sizeof(*r));
	int code;

	if (!r)
		return -ENOMEM;
	r->c = *c;
	r->link_mtu = MTU_DEFAULT;
	code = xb_netlink_new(&r->netlink);
	if (code < 0) {
		errno = -code;
		return xb_why(reterr_why, code, "cannot open a netlink socket: %m");
	}
	*ret = TAKE_PTR(r);
	return 0;
}

void routes_set_self(struct routes *r, const struct peer *self)
{
	r->self = *self;
}

uint32_t routes_portid(const struct routes *r)
{
	return xb_netlink_portid(r->netlink);
}

static uint32_t vxlan_mtu(const struct routes *r)
{
	return r->c.mtu ? r->c.mtu : r->link_mtu - path_overhead(families[r->self.primary]);
}

uint32_t routes_pod_mtu(const struct routes *r)
{
	return r->vxlan || r->c.mode == MODE_VXLAN ? vxlan_mtu(r) : r->c.mtu ? r->c.mtu : r->link_mtu;
}

/* --- planning --- */
static int on_link(void *arg, const struct xb_ip *ip, bool *ret, uint32_t *ret_ifindex)
{
	struct routes *r = arg;
	struct xb_route to;
	int code = xb_netlink_route_to(r->netlink, ip, &to);

	if (code < 0)
		return code;
	*ret = to.type == RTN_UNICAST && to.gateway.family == AF_UNSPEC && to.ifindex != r->vxlan;
	*ret_ifindex = to.ifindex;
	return 0;
}

static int plan(struct routes *r, struct target *t, struct path *ret)
{
	struct path_from from = { .mode = r->c.mode, .self = &r->self, .vxlan = r->vxlan, .on_link = on_link, .arg = r };

	t->fault = 0;
	free(t->why);
	t->why = NULL;
	return t->fault = path_plan(&from, &t->peer, ret, &t->why);
}

static void fail(struct routes *r, struct target *t, int code, const char *what)
{
	if (t->fault)
		return;
	t->fault = code;
	xb_why(&t->why, code, "%s: %s", what, xb_netlink_why(r->netlink, code));
}

/* --- the VXLAN device --- */
static int vxlan_fault(const struct routes *r, int code, char **reterr_why)
{
	return xb_why(reterr_why, code, "the device " VXLAN_DEVICE ": %s", xb_netlink_why(r->netlink, code));
}

static bool is_ours(const struct routes *r, const struct xb_link *l, const unsigned char mac[6])
{
	return !strcmp(l->kind, "vxlan") && l->vxlan.vni == r->c.vni && l->vxlan.port == r->c.port && !l->vxlan.learning &&
	       xb_ip_eq(&l->vxlan.local, &r->self.ips[r->self.primary]) && !memcmp(l->mac, mac, 6);
}

struct addr_list {
	struct xb_ifaddr *v;
	size_t n, cap;
};

static int keep_addr(void *arg, const struct xb_ifaddr *a)
{
	struct addr_list *list = arg;

	return a->scope == RT_SCOPE_UNIVERSE ? xb_vec_push(list, *a) : 0;
}

/* The address by which others' VXLAN routes go, and which this node sends to pods from. What is there is not set again: that would be
 * a notice, and so no end. */
static int set_vxlan_addrs(struct routes *r)
{
	struct addr_list have = {};
	bool there[FAMILIES] = {};
	int code = xb_netlink_each_addr(r->netlink, r->vxlan, keep_addr, &have);

	for (size_t i = 0; !code && i < have.n; i++) {
		int f = family_index(have.v[i].net.ip.family);
		struct xb_net want = xb_net_host(&r->self.cidrs[f].ip);

		if (xb_net_eq(&want, &have.v[i].net))
			there[f] = true;
		else
			code = xb_netlink_del_addr(r->netlink, &have.v[i]);
	}
	for (int f = 0; !code && f < FAMILIES; f++) {
		struct xb_ifaddr a = { .ifindex = r->vxlan, .net = xb_net_host(&r->self.cidrs[f].ip) };

		if (!there[f] && r->self.cidrs[f].ip.family != AF_UNSPEC)
			code = xb_netlink_set_addr(r->netlink, &a);
	}
	xb_vec_done(&have);
	return code;
}

static int make_vxlan(struct routes *r, const unsigned char mac[6], struct xb_link *ret)
{
	struct xb_vxlan v = { .vni = r->c.vni, .port = r->c.port, .local = r->self.ips[r->self.primary] };
	int code = xb_netlink_add_vxlan(r->netlink, VXLAN_DEVICE, mac, vxlan_mtu(r), &v);

	/* No address of its own making: nothing would answer to it. A kernel without IPv6 has no such setting. */
	xb_sysctl_set("1", "net/ipv6/conf/" VXLAN_DEVICE "/addr_gen_mode");
	return code < 0 ? code : xb_netlink_find_link(r->netlink, VXLAN_DEVICE, ret);
}

static int ensure_vxlan(struct routes *r, char **reterr_why)
{
	struct xb_link l = {};
	unsigned char mac[6];
	int code = xb_netlink_find_link(r->netlink, VXLAN_DEVICE, &l);

	path_mac(&r->self.ips[r->self.primary], mac);
	if (!code && !is_ours(r, &l, mac)) {
		code = xb_netlink_del_link(r->netlink, l.ifindex);
		code = code < 0 ? code : -ENODEV;
	}
	if (code == -ENODEV)
		code = make_vxlan(r, mac, &l);
	if (code < 0)
		return vxlan_fault(r, code, reterr_why);
	r->vxlan = l.ifindex;
	if (l.mtu != vxlan_mtu(r))
		code = xb_netlink_set_mtu(r->netlink, l.ifindex, vxlan_mtu(r));
	if (!code && !(l.flags & IFF_UP))
		code = xb_netlink_set_up(r->netlink, l.ifindex, true);
	if (!code)
		code = set_vxlan_addrs(r);
	return code < 0 ? vxlan_fault(r, code, reterr_why) : 0;
}

static int drop_vxlan(struct routes *r, char **reterr_why)
{
	struct xb_link l;
	int code = xb_netlink_find_link(r->netlink, VXLAN_DEVICE, &l);

	r->vxlan = 0;
	if (!code && !strcmp(l.kind, "vxlan"))
		code = xb_netlink_del_link(r->netlink, l.ifindex);
	return code < 0 && code != -ENODEV ? vxlan_fault(r, code, reterr_why) : 0;
}

/* --- one node --- */
static int set_route(struct routes *r, const struct xb_route *had, const struct xb_route *want)
{
	bool ours = had->protocol == PATH_PROTOCOL && xb_net_eq(&had->dst, &want->dst);

	return !ours ? xb_netlink_add_route(r->netlink, want) :
	       xb_netlink_replace_route(r->netlink, want);
}

static void set_one(struct routes *r, struct target *t, const struct path *had)
{
	struct path *p = &t->path;
	int code = path_uses_vxlan(p) ? xb_netlink_set_neigh(r->netlink, &p->entry) : 0;

	if (code < 0)
		fail(r, t, code, "cannot set its forwarding entry");
	for (int f = 0; f < FAMILIES; f++) {
		if (p->way[f] == WAY_VXLAN) {
			code = xb_netlink_set_neigh(r->netlink, &p->neighs[f]);
			if (code < 0)
				fail(r, t, code, "cannot set its neighbour entry");
		}
		if (p->way[f] == WAY_NONE)
			continue;
		code = set_route(r, &had->routes[f], &p->routes[f]);
		if (code == -EEXIST)
			xb_why(&t->why, t->fault = code, "there is a route to %s that is none of ours", xb_net_format(&p->routes[f].dst).s);
		else if (code < 0)
			fail(r, t, code, "cannot set the route to its pods");
		/* What is not there is not to be taken away. */
		if (code < 0)
			p->way[f] = WAY_NONE;
	}
}

/* What the node had and has no more. That it is gone already, perhaps with its device, is as well. */
static void drop_one(struct routes *r, const struct path *had, const struct path *now)
{
	for (int f = 0; f < FAMILIES; f++) {
		if (had->way[f] != WAY_NONE && (now->way[f] == WAY_NONE || !xb_net_eq(&had->routes[f].dst, &now->routes[f].dst)))
			xb_netlink_del_route(r->netlink, &had->routes[f]);
		if (had->way[f] == WAY_VXLAN && (now->way[f] != WAY_VXLAN || !xb_ip_eq(&had->neighs[f].ip, &now->neighs[f].ip)))
			xb_netlink_del_neigh(r->netlink, &had->neighs[f]);
	}
	if (path_uses_vxlan(had) && !path_same_neigh(&had->entry, &now->entry))
		xb_netlink_del_neigh(r->netlink, &had->entry);
}

void routes_change(struct routes *r, struct target *t, bool gone)
{
	struct path had = t->path, now = {};

	if (!gone)
		plan(r, t, &now);
	if (path_uses_vxlan(&now) && !r->vxlan) {
		int code = ensure_vxlan(r, &t->why);

		if (code < 0) {
			t->fault = code;
			return;
		}
		plan(r, t, &now);
	}
	t->path = now;
	/* The way it had is kept while there is no other. */
	drop_one(r, &had, &t->path);
	set_one(r, t, &had);
}

/* --- all --- */
static int find_underlay(void *arg, const struct xb_ifaddr *a)
{
	struct routes *r = arg;

	if (!xb_ip_eq(&a->net.ip, &r->self.ips[r->self.primary]))
		return 0;
	r->underlay = a->ifindex;
	return 1;
}

static int note_link(struct routes *r, uint32_t ifindex)
{
	for (size_t i = 0; i < r->links.n; i++)
		if (r->links.v[i] == ifindex)
			return 0;
	return ifindex ? xb_vec_push(&r->links, ifindex) : 0;
}

static int look_at_links(struct routes *r)
{
	struct xb_link l;
	int code;

	r->links.n = 0;
	r->underlay = 0;
	code = xb_netlink_each_addr(r->netlink, 0, find_underlay, r);
	if (code < 0)
		return code;
	if (r->underlay && !xb_netlink_get_link(r->netlink, r->underlay, &l) && !(l.flags & IFF_LOOPBACK))
		r->link_mtu = l.mtu;
	return note_link(r, r->underlay);
}

static int plan_all(struct routes *r, struct target *const *all, size_t n, bool *ret_vxlan)
{
	int code = 0;

	*ret_vxlan = r->c.mode == MODE_VXLAN;
	for (size_t i = 0; i < n; i++) {
		plan(r, all[i], &all[i]->path);
		*ret_vxlan |= path_uses_vxlan(&all[i]->path);
		for (int f = 0; !code && f < FAMILIES; f++)
			code = note_link(r, all[i]->path.routes[f].ifindex);
	}
	return code;
}

/* The device cannot be had: that is the fault of those that need it, and no other's. */
static void without_vxlan(struct routes *r, struct target *const *all, size_t n, int code, const char *why)
{
	r->vxlan = 0;
	for (size_t i = 0; i < n; i++) {
		struct path *p = &all[i]->path;

		if (!path_uses_vxlan(p))
			continue;
		all[i]->fault = code;
		free(all[i]->why);
		all[i]->why = why ? strdup(why) : NULL;
		p->entry = (struct xb_neigh){};
		for (int f = 0; f < FAMILIES; f++)
			if (p->way[f] == WAY_VXLAN)
				p->way[f] = WAY_NONE;
	}
}

int routes_reconcile(struct routes *r, struct target *const *all, size_t n, char **reterr_why)
{
	_cleanup_free_ char *why = NULL;
	uint32_t vxlan = r->vxlan;
	bool wanted = false;
	int code = look_at_links(r);

	if (!code)
		code = plan_all(r, all, n, &wanted);
	if (code < 0)
		return xb_why(reterr_why, code, "cannot read links and addresses: %s", xb_netlink_why(r->netlink, code));
	wanted &= r->self.ips[r->self.primary].family != AF_UNSPEC;
	code = wanted ? ensure_vxlan(r, &why) : drop_vxlan(r, reterr_why);
	if (wanted && code < 0) {
		without_vxlan(r, all, n, code, why);
		code = 0;
	} else if (!code && r->vxlan != vxlan) {
		code = plan_all(r, all, n, &wanted);
	}
	return code < 0 ? code : reconcile(r, all, n, reterr_why);
}

void routes_stats(const struct routes *r, struct target *const *all, size_t n, struct routes_stats *ret)
{
	*ret = (struct routes_stats){ .repairs = r->repairs };
	for (size_t i = 0; i < n; i++)
		for (int f = 0; f < FAMILIES; f++) {
			ret->direct += all[i]->path.way[f] == WAY_DIRECT;
			ret->vxlan += all[i]->path.way[f] == WAY_VXLAN;
		}
}

/* --- notices --- */
static bool route_matters(const struct routes *r, struct target *const *all, size_t n, const struct xb_route *it, bool gone)
{
	if (it->table != RT_TABLE_MAIN)
		return false;
	for (int f = 0; f < FAMILIES; f++)
		if (it->protocol == PATH_PROTOCOL && xb_net_eq(&it->dst, &r->self.cidrs[f]))
			return gone;
	for (size_t i = 0; i < n; i++) {
		const struct xb_route *want = &all[i]->path.routes[it->dst.ip.family == AF_INET6];

		/* Ours, or somebody's that is in its place. */
		if (want->protocol && xb_net_eq(&want->dst, &it->dst))
			return gone || !path_same_route(want, it);
	}
	/* Another of ours is no more, as it should be. Of others' those by which machines are reached count, and one to a single address
	 * is a pod's. */
	return it->protocol != PATH_PROTOCOL && it->dst.bits < 8 * xb_ip_bytes(it->dst.ip.family) && it->protocol != RTPROT_KERNEL;
}

static bool neigh_matters(const struct routes *r, struct target *const *all, size_t n, const struct xb_neigh *e)
{
	if (!r->vxlan || e->ifindex != r->vxlan)
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct path *p = &all[i]->path;

		if (e->forwarding && path_uses_vxlan(p) && !memcmp(p->entry.mac, e->mac, 6))
			return true;
		if (!e->forwarding && xb_ip_eq(&p->neighs[family_index(e->ip.family)].ip, &e->ip))
			return true;
	}
	return false;
}

bool routes_matter(const struct routes *r, struct target *const *all, size_t n, const struct nlmsghdr *h)
{
	struct xb_link l;
	struct xb_ifaddr a;
	struct xb_route route;
	struct xb_neigh e;

	if (!xb_netlink_read_route(h, &route))
		return route_matters(r, all, n, &route, h->nlmsg_type == RTM_DELROUTE);
	if (!xb_netlink_read_neigh(h, &e))
		return h->nlmsg_type == RTM_DELNEIGH && neigh_matters(r, all, n, &e);
	if (!xb_netlink_read_addr(h, &a))
		return h->nlmsg_type == RTM_DELADDR || a.ifindex != r->vxlan;
	if (xb_netlink_read_link(h, &l) < 0)
		return false;
	if (h->nlmsg_type == RTM_DELLINK && l.ifindex == r->vxlan)
		return true;
	for (size_t i = 0; i < r->links.n; i++)
		if (r->links.v[i] == l.ifindex)
			return true;
	return false;
}

/* --- leaving --- */
static int collect(void *arg, const struct xb_route *route)
{
	struct route_list *list = arg;

	return xb_vec_push(list, *route);
}

int routes_cleanup(char **reterr_why)
{
	_cleanup_(routes_freep) struct routes *r = NULL;
	struct route_list list = {};
	int code = routes_new(&(struct routes_config){}, &r, reterr_why);

	for (int f = 0; !code && f < FAMILIES; f++)
		code = xb_netlink_each_route(r->netlink, families[f], PATH_PROTOCOL, 0, collect, &list);
	for (size_t i = 0; !code && i < list.n; i++)
		code = xb_netlink_del_route(r->netlink, &list.v[i]);
	xb_vec_done(&list);
	if (code < 0)
		return r ? xb_why(reterr_why, code, "cannot remove routes: %s", xb_netlink_why(r->netlink, code)) : code;
	return drop_vxlan(r, reterr_why);
}
