/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <linux/if_link.h>
#include <linux/veth.h>

#include "netlink.h"

int xb_netlink_read_link(const struct nlmsghdr *h, struct xb_link *ret)
{
	const struct ifinfomsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *attrs[IFLA_MAX + 1] = {}, *kind[IFLA_INFO_MAX + 1] = {}, *vxlan[IFLA_VXLAN_MAX + 1] = {};
	const struct nlattr *xdp[IFLA_XDP_MAX + 1] = {};
	struct xb_link l = {};

	if ((h->nlmsg_type != RTM_NEWLINK && h->nlmsg_type != RTM_DELLINK) || !netlink_attrs(h, sizeof(*m), attrs, IFLA_MAX))
		return -EBADMSG;
	/* A bridge's own notices, AF_BRIDGE, are about ports: one that leaves is not a link that goes. */
	if (m->ifi_family != AF_UNSPEC)
		return -EBADMSG;
	l.hw_type = m->ifi_type;
	l.ifindex = m->ifi_index;
	l.flags = m->ifi_flags;
	l.mtu = netlink_u32(attrs[IFLA_MTU]);
	l.peer = netlink_u32(attrs[IFLA_LINK]);
	netlink_text(attrs[IFLA_IFNAME], l.name, sizeof(l.name));
	netlink_mac(attrs[IFLA_ADDRESS], l.mac);
	netlink_nested(attrs[IFLA_XDP], xdp, IFLA_XDP_MAX);
	l.xdp = netlink_u32(xdp[IFLA_XDP_PROG_ID]);
	netlink_nested(attrs[IFLA_LINKINFO], kind, IFLA_INFO_MAX);
	netlink_text(kind[IFLA_INFO_KIND], l.kind, sizeof(l.kind));
	if (!strcmp(l.kind, "vxlan")) {
		netlink_nested(kind[IFLA_INFO_DATA], vxlan, IFLA_VXLAN_MAX);
		l.vxlan.vni = netlink_u32(vxlan[IFLA_VXLAN_ID]);
		l.vxlan.underlay = netlink_u32(vxlan[IFLA_VXLAN_LINK]);
		l.vxlan.local = netlink_ip(vxlan[vxlan[IFLA_VXLAN_LOCAL6] ? IFLA_VXLAN_LOCAL6 : IFLA_VXLAN_LOCAL]);
		if (vxlan[IFLA_VXLAN_PORT] && mnl_attr_get_payload_len(vxlan[IFLA_VXLAN_PORT]) == 2)
			l.vxlan.port = ntohs(mnl_attr_get_u16(vxlan[IFLA_VXLAN_PORT]));
		if (vxlan[IFLA_VXLAN_LEARNING] && mnl_attr_get_payload_len(vxlan[IFLA_VXLAN_LEARNING]) == 1)
			l.vxlan.learning = mnl_attr_get_u8(vxlan[IFLA_VXLAN_LEARNING]);
	}
	*ret = l;
	return 0;
}

static struct nlmsghdr *begin(struct xb_netlink *n, uint16_t type, uint16_t flags, const struct ifinfomsg *m)
{
	return netlink_begin(n, type, flags, m, sizeof(*m));
}

int xb_netlink_add_veth(struct xb_netlink *n, const struct xb_veth *v)
{
	struct nlmsghdr *h = begin(n, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &(struct ifinfomsg){});
	struct nlattr *kind, *of_kind, *peer;

	mnl_attr_put_strz(h, IFLA_IFNAME, v->name);
	mnl_attr_put(h, IFLA_ADDRESS, 6, v->mac);
	mnl_attr_put_u32(h, IFLA_MTU, v->mtu);
	kind = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_str(h, IFLA_INFO_KIND, "veth");
	of_kind = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(h, VETH_INFO_PEER);
	memset(mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg)), 0, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, v->peer_name);
	mnl_attr_put(h, IFLA_ADDRESS, 6, v->peer_mac);
	mnl_attr_put_u32(h, IFLA_MTU, v->mtu);
	mnl_attr_put_u32(h, IFLA_NET_NS_FD, v->peer_netns_fd);
	mnl_attr_nest_end(h, peer);
	mnl_attr_nest_end(h, of_kind);
	mnl_attr_nest_end(h, kind);
	return netlink_run(n, h, NULL, NULL);
}

int xb_netlink_add_vxlan(struct xb_netlink *n, const char *name, const unsigned char mac[6], uint32_t mtu, const struct xb_vxlan *v)
{
	struct nlmsghdr *h = begin(n, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &(struct ifinfomsg){});
	struct nlattr *kind, *of_kind;

	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	mnl_attr_put(h, IFLA_ADDRESS, 6, mac);
	mnl_attr_put_u32(h, IFLA_MTU, mtu);
	kind = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_str(h, IFLA_INFO_KIND, "vxlan");
	of_kind = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u32(h, IFLA_VXLAN_ID, v->vni);
	mnl_attr_put_u16(h, IFLA_VXLAN_PORT, htons(v->port));
	mnl_attr_put_u8(h, IFLA_VXLAN_LEARNING, v->learning);
	if (v->underlay)
		mnl_attr_put_u32(h, IFLA_VXLAN_LINK, v->underlay);
	netlink_put_ip(h, v->local.family == AF_INET6 ? IFLA_VXLAN_LOCAL6 : IFLA_VXLAN_LOCAL, &v->local);
	mnl_attr_nest_end(h, of_kind);
	mnl_attr_nest_end(h, kind);
	return netlink_run(n, h, NULL, NULL);
}

int xb_netlink_add_bridge(struct xb_netlink *n, const char *name)
{
	struct nlmsghdr *h = begin(n, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &(struct ifinfomsg){});
	struct nlattr *kind;

	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	kind = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_str(h, IFLA_INFO_KIND, "bridge");
	mnl_attr_nest_end(h, kind);
	return netlink_run(n, h, NULL, NULL);
}

int xb_netlink_set_master(struct xb_netlink *n, uint32_t ifindex, uint32_t bridge)
{
	struct ifinfomsg m = { .ifi_index = (int)ifindex };
	struct nlmsghdr *h = begin(n, RTM_NEWLINK, 0, &m);

	mnl_attr_put_u32(h, IFLA_MASTER, bridge);
	return netlink_run(n, h, NULL, NULL);
}

int xb_netlink_set_up(struct xb_netlink *n, uint32_t ifindex, bool up)
{
	struct ifinfomsg m = { .ifi_index = (int)ifindex, .ifi_change = IFF_UP, .ifi_flags = up ? IFF_UP : 0 };

	return netlink_run(n, begin(n, RTM_NEWLINK, 0, &m), NULL, NULL);
}

int xb_netlink_set_mtu(struct xb_netlink *n, uint32_t ifindex, uint32_t mtu)
{
	struct nlmsghdr *h = begin(n, RTM_NEWLINK, 0, &(struct ifinfomsg){ .ifi_index = (int)ifindex });

	mnl_attr_put_u32(h, IFLA_MTU, mtu);
	return netlink_run(n, h, NULL, NULL);
}

int xb_netlink_rename(struct xb_netlink *n, uint32_t ifindex, const char *name)
{
	struct nlmsghdr *h = begin(n, RTM_NEWLINK, 0, &(struct ifinfomsg){ .ifi_index = (int)ifindex });

	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	return netlink_run(n, h, NULL, NULL);
}

int xb_netlink_del_link(struct xb_netlink *n, uint32_t ifindex)
{
	return netlink_run(n, begin(n, RTM_DELLINK, 0, &(struct ifinfomsg){ .ifi_index = (int)ifindex }), NULL, NULL);
}

static int take_link(void *arg, const struct nlmsghdr *h)
{
	return xb_netlink_read_link(h, arg);
}

int xb_netlink_find_link(struct xb_netlink *n, const char *name, struct xb_link *ret)
{
	struct nlmsghdr *h = begin(n, RTM_GETLINK, 0, &(struct ifinfomsg){});

	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	return netlink_run(n, h, take_link, ret);
}

int xb_netlink_get_link(struct xb_netlink *n, uint32_t ifindex, struct xb_link *ret)
{
	return netlink_run(n, begin(n, RTM_GETLINK, 0, &(struct ifinfomsg){ .ifi_index = (int)ifindex }), take_link, ret);
}

struct links {
	int (*each)(void *arg, const struct xb_link *l);
	void *arg;
};

static int tell_link(void *arg, const struct nlmsghdr *h)
{
	const struct links *w = arg;
	struct xb_link l;
	int r = xb_netlink_read_link(h, &l);

	return r < 0 ? r : w->each(w->arg, &l);
}

int xb_netlink_each_link(struct xb_netlink *n, int (*each)(void *arg, const struct xb_link *l), void *arg)
{
	return netlink_run(n, begin(n, RTM_GETLINK, NLM_F_DUMP, &(struct ifinfomsg){}), tell_link, &(struct links){ each, arg });
}
