/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "netlink.h"

/* --- addresses --- */
int xb_netlink_read_addr(const struct nlmsghdr *h, struct xb_ifaddr *ret)
{
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *attrs[IFA_MAX + 1] = {};
	struct xb_ifaddr a;

	if ((h->nlmsg_type != RTM_NEWADDR && h->nlmsg_type != RTM_DELADDR) || !netlink_attrs(h, sizeof(*m), attrs, IFA_MAX))
		return -EBADMSG;
	/* IFA_LOCAL is our end of a point-to-point link, where IFA_ADDRESS is the other's. */
	a = (struct xb_ifaddr){
		.ifindex = m->ifa_index, .scope = m->ifa_scope,
		.net = { netlink_ip(attrs[attrs[IFA_LOCAL] ? IFA_LOCAL : IFA_ADDRESS]), m->ifa_prefixlen },
	};
	if (a.net.ip.family == AF_UNSPEC || a.net.ip.family != m->ifa_family)
		return -EBADMSG;
	*ret = a;
	return 0;
}

static struct nlmsghdr *begin_addr(struct xb_netlink *n, uint16_t type, uint16_t flags, const struct xb_ifaddr *a)
{
	struct ifaddrmsg m = {
		.ifa_family = (unsigned char)a->net.ip.family, .ifa_prefixlen = (unsigned char)a->net.bits, .ifa_scope = a->scope,
		.ifa_index = a->ifindex,
	};
	struct nlmsghdr *h = netlink_begin(n, type, flags, &m, sizeof(m));

	netlink_put_ip(h, IFA_LOCAL, &a->net.ip);
	netlink_put_ip(h, IFA_ADDRESS, &a->net.ip);
	return h;
}

int xb_netlink_set_addr(struct xb_netlink *n, const struct xb_ifaddr *a)
{
	struct nlmsghdr *h = begin_addr(n, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, a);

	mnl_attr_put_u32(h, IFA_FLAGS, IFA_F_NODAD);
	return netlink_run(n, h, NULL, NULL);
}

int xb_netlink_del_addr(struct xb_netlink *n, const struct xb_ifaddr *a)
{
	return netlink_run(n, begin_addr(n, RTM_DELADDR, 0, a), NULL, NULL);
}

struct addrs {
	uint32_t ifindex;
	int (*each)(void *arg, const struct xb_ifaddr *a);
	void *arg;
};

static int tell_addr(void *arg, const struct nlmsghdr *h)
{
	const struct addrs *w = arg;
	struct xb_ifaddr a;
	int r = xb_netlink_read_addr(h, &a);

	if (r < 0)
		return r;
	return w->ifindex && a.ifindex != w->ifindex ? 0 : w->each(w->arg, &a);
}

int xb_netlink_each_addr(struct xb_netlink *n, uint32_t ifindex, int (*each)(void *arg, const struct xb_ifaddr *a), void *arg)
{
	static const unsigned char families[] = { AF_INET, AF_INET6 };
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(families); i++) {
		struct ifaddrmsg m = { .ifa_family = families[i], .ifa_index = ifindex };

		r = netlink_run(n, netlink_begin(n, RTM_GETADDR, NLM_F_DUMP, &m, sizeof(m)), tell_addr,
				&(struct addrs){ ifindex, each, arg });
	}
	return r;
}

/* --- routes --- */
int xb_netlink_read_route(const struct nlmsghdr *h, struct xb_route *ret)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *attrs[RTA_MAX + 1] = {}, *metrics[RTAX_MAX + 1] = {};
	struct xb_route r;

	if ((h->nlmsg_type != RTM_NEWROUTE && h->nlmsg_type != RTM_DELROUTE) || !netlink_attrs(h, sizeof(*m), attrs, RTA_MAX) ||
	    !xb_ip_bytes(m->rtm_family) || m->rtm_dst_len > 8 * xb_ip_bytes(m->rtm_family))
		return -EBADMSG;
	netlink_nested(attrs[RTA_METRICS], metrics, RTAX_MAX);
	r = (struct xb_route){
		.dst = { { .family = m->rtm_family }, m->rtm_dst_len },
		.gateway = netlink_ip(attrs[RTA_GATEWAY]), .src = netlink_ip(attrs[RTA_PREFSRC]), .ifindex = netlink_u32(attrs[RTA_OIF]),
		.table = attrs[RTA_TABLE] ? netlink_u32(attrs[RTA_TABLE]) : m->rtm_table, .protocol = m->rtm_protocol, .type = m->rtm_type,
		.scope = m->rtm_scope, .onlink = m->rtm_flags & RTNH_F_ONLINK, .mtu = netlink_u32(metrics[RTAX_MTU]),
	};
	/* Without it: the default route. */
	if (attrs[RTA_DST])
		r.dst.ip = netlink_ip(attrs[RTA_DST]);
	if (r.dst.ip.family != m->rtm_family)
		return -EBADMSG;
	*ret = r;
	return 0;
}

static struct nlmsghdr *begin_route(struct xb_netlink *n, uint16_t type, uint16_t flags, const struct xb_route *r)
{
	struct rtmsg m = {
		.rtm_family = (unsigned char)r->dst.ip.family, .rtm_dst_len = (unsigned char)r->dst.bits, .rtm_protocol = r->protocol,
		.rtm_scope = r->scope, .rtm_type = r->type, .rtm_flags = r->onlink ? RTNH_F_ONLINK : 0,
	};
	struct nlmsghdr *h = netlink_begin(n, type, flags, &m, sizeof(m));

	netlink_put_ip(h, RTA_DST, &r->dst.ip);
	netlink_put_ip(h, RTA_GATEWAY, &r->gateway);
	netlink_put_ip(h, RTA_PREFSRC, &r->src);
	mnl_attr_put_u32(h, RTA_TABLE, r->table ? r->table : RT_TABLE_MAIN);
	if (r->ifindex)
		mnl_attr_put_u32(h, RTA_OIF, r->ifindex);
	return h;
}

static int put_route(struct xb_netlink *n, uint16_t flags, struct xb_route r)
{
	struct nlmsghdr *h;
	struct nlattr *metrics;

	r.protocol = r.protocol ? r.protocol : RTPROT_STATIC;
	r.type = r.type ? r.type : RTN_UNICAST;
	h = begin_route(n, RTM_NEWROUTE, flags, &r);
	if (r.mtu) {
		metrics = mnl_attr_nest_start(h, RTA_METRICS);
		mnl_attr_put_u32(h, RTAX_MTU, r.mtu);
		mnl_attr_nest_end(h, metrics);
	}
	return netlink_run(n, h, NULL, NULL);
}

int xb_netlink_add_route(struct xb_netlink *n, const struct xb_route *r)
{
	return put_route(n, NLM_F_CREATE | NLM_F_EXCL, *r);
}

int xb_netlink_replace_route(struct xb_netlink *n, const struct xb_route *r)
{
	return put_route(n, NLM_F_CREATE | NLM_F_REPLACE, *r);
}

int xb_netlink_del_route(struct xb_netlink *n, const struct xb_route *r)
{
	struct xb_route like = *r;

	/* Only here nowhere is any. */
	like.scope = r->scope ? r->scope : RT_SCOPE_NOWHERE;
	return netlink_run(n, begin_route(n, RTM_DELROUTE, 0, &like), NULL, NULL);
}

static int take_route(void *arg, const struct nlmsghdr *h)
{
	return xb_netlink_read_route(h, arg);
}

int xb_netlink_route_to(struct xb_netlink *n, const struct xb_ip *ip, struct xb_route *ret)
{
	struct rtmsg m = { .rtm_family = (unsigned char)ip->family, .rtm_dst_len = (unsigned char)(8 * xb_ip_bytes(ip->family)) };
	struct nlmsghdr *h = netlink_begin(n, RTM_GETROUTE, 0, &m, sizeof(m));

	netlink_put_ip(h, RTA_DST, ip);
	return netlink_run(n, h, take_route, ret);
}

struct routes {
	int (*each)(void *arg, const struct xb_route *r);
	void *arg;
};

static int tell_route(void *arg, const struct nlmsghdr *h)
{
	const struct routes *w = arg;
	struct xb_route route;
	int r = xb_netlink_read_route(h, &route);

	return r < 0 ? r : w->each(w->arg, &route);
}

int xb_netlink_each_route(struct xb_netlink *n, int family, unsigned char protocol, uint32_t ifindex,
			  int (*each)(void *arg, const struct xb_route *r), void *arg)
{
	struct rtmsg m = { .rtm_family = (unsigned char)family, .rtm_protocol = protocol, .rtm_table = RT_TABLE_MAIN };
	struct nlmsghdr *h = netlink_begin(n, RTM_GETROUTE, NLM_F_DUMP, &m, sizeof(m));
	int r;

	if (ifindex)
		mnl_attr_put_u32(h, RTA_OIF, ifindex);
	r = netlink_run(n, h, tell_route, &(struct routes){ each, arg });
	/* A namespace in which there was no route yet has no table. */
	return r == -ENOENT ? 0 : r;
}
