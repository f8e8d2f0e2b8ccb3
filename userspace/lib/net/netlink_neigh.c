/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <linux/neighbour.h>

#include "netlink.h"

int xb_netlink_read_neigh(const struct nlmsghdr *h, struct xb_neigh *ret)
{
	const struct ndmsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *attrs[NDA_MAX + 1] = {};
	struct xb_neigh e;

	if ((h->nlmsg_type != RTM_NEWNEIGH && h->nlmsg_type != RTM_DELNEIGH) || !netlink_attrs(h, sizeof(*m), attrs, NDA_MAX))
		return -EBADMSG;
	e = (struct xb_neigh){
		.ifindex = (uint32_t)m->ndm_ifindex, .ip = netlink_ip(attrs[NDA_DST]), .forwarding = m->ndm_family == AF_BRIDGE,
		.permanent = m->ndm_state & NUD_PERMANENT,
	};
	netlink_mac(attrs[NDA_LLADDR], e.mac);
	*ret = e;
	return 0;
}

static int run(struct xb_netlink *n, uint16_t type, uint16_t flags, const struct xb_neigh *e)
{
	struct ndmsg m = {
		.ndm_family = (unsigned char)(e->forwarding ? AF_BRIDGE : e->ip.family), .ndm_ifindex = (int)e->ifindex,
		.ndm_state = NUD_PERMANENT, .ndm_flags = e->forwarding ? NTF_SELF : 0,
	};
	struct nlmsghdr *h = netlink_begin(n, type, flags, &m, sizeof(m));

	netlink_put_ip(h, NDA_DST, &e->ip);
	if (e->forwarding || type == RTM_NEWNEIGH)
		mnl_attr_put(h, NDA_LLADDR, sizeof(e->mac), e->mac);
	return netlink_run(n, h, NULL, NULL);
}

int xb_netlink_set_neigh(struct xb_netlink *n, const struct xb_neigh *e)
{
	return run(n, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, e);
}

int xb_netlink_del_neigh(struct xb_netlink *n, const struct xb_neigh *e)
{
	return run(n, RTM_DELNEIGH, 0, e);
}

struct neighs {
	uint32_t ifindex;
	int (*each)(void *arg, const struct xb_neigh *e);
	void *arg;
};

static int tell(void *arg, const struct nlmsghdr *h)
{
	const struct neighs *w = arg;
	struct xb_neigh e;
	int r = xb_netlink_read_neigh(h, &e);

	if (r < 0)
		return r;
	return w->ifindex && e.ifindex != w->ifindex ? 0 : w->each(w->arg, &e);
}

int xb_netlink_each_neigh(struct xb_netlink *n, uint32_t ifindex, bool forwarding, int (*each)(void *arg, const struct xb_neigh *e),
			  void *arg)
{
	struct ndmsg m = { .ndm_family = forwarding ? AF_BRIDGE : AF_UNSPEC, .ndm_ifindex = forwarding ? (int)ifindex : 0 };
	struct nlmsghdr *h = netlink_begin(n, RTM_GETNEIGH, NLM_F_DUMP, &m, sizeof(m));

	if (ifindex && !forwarding)
		mnl_attr_put_u32(h, NDA_IFINDEX, ifindex);
	return netlink_run(n, h, tell, &(struct neighs){ ifindex, each, arg });
}
