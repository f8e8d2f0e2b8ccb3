/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "path.h"
#include "xb/why.h"

static const int families[FAMILIES] = { AF_INET, AF_INET6 };

void path_mac(const struct xb_ip *internal, unsigned char ret[6])
{
	uint64_t h = 0xcbf29ce484222325;

	/* Locally administered, unicast: IPv4 as it is, IPv6 hashed (FNV-1a), two of 5000 alike once in 100 000 clusters. */
	if (internal->family == AF_INET) {
		ret[0] = 0x0a;
		ret[1] = 0x58;
		memcpy(ret + 2, internal->b, 4);
		return;
	}
	for (int i = 0; i < 16; i++)
		h = (h ^ internal->b[i]) * 0x100000001b3;
	h ^= h >> 40;
	ret[0] = 0x0e;
	for (int i = 1; i < 6; i++, h >>= 8)
		ret[i] = (unsigned char)h;
}

unsigned path_overhead(int outer)
{
	return 14 + 8 + 8 + (outer == AF_INET ? 20 : 40);
}

bool path_uses_vxlan(const struct path *p)
{
	return p->entry.ip.family != AF_UNSPEC;
}

/* The InternalIP of a family that a direct route goes by, if it is on a shared link. */
static int try_direct(const struct path_from *from, const struct peer *peer, int f, struct path *p, char **reterr_why)
{
	const struct xb_ip *ip = &peer->ips[f];
	uint32_t ifindex = 0;
	bool on_link = false;
	int r;

	if (ip->family == AF_UNSPEC)
		return xb_why(reterr_why, -EADDRNOTAVAIL, "it has no InternalIP of %s", f ? "IPv6" : "IPv4");
	r = from->on_link(from->arg, ip, &on_link, &ifindex);
	if (r < 0) {
		errno = -r;
		return xb_why(reterr_why, r, "there is no way to its InternalIP %s: %m", xb_ip_format(ip).s);
	}
	if (!on_link)
		return xb_why(reterr_why, -EHOSTUNREACH, "its InternalIP %s is on no link of this node", xb_ip_format(ip).s);
	p->way[f] = WAY_DIRECT;
	p->routes[f] = (struct xb_route){ .dst = peer->cidrs[f], .gateway = *ip, .ifindex = ifindex, .protocol = PATH_PROTOCOL };
	return 0;
}

static int try_vxlan(const struct path_from *from, const struct peer *peer, int f, struct path *p, char **reterr_why)
{
	const struct peer *self = from->self;
	const struct xb_ip *outer = &peer->ips[self->primary];

	if (self->ips[self->primary].family == AF_UNSPEC)
		return xb_why(reterr_why, -EADDRNOTAVAIL, "this node has no InternalIP for a VXLAN to go from");
	if (outer->family == AF_UNSPEC)
		return xb_why(reterr_why, -EADDRNOTAVAIL, "it has no InternalIP of %s for a VXLAN to go to", self->primary ? "IPv6" : "IPv4");
	p->entry = (struct xb_neigh){ .ifindex = from->vxlan, .ip = *outer, .forwarding = true, .permanent = true };
	path_mac(outer, p->entry.mac);
	p->neighs[f] = (struct xb_neigh){ .ifindex = from->vxlan, .ip = peer->cidrs[f].ip, .permanent = true };
	memcpy(p->neighs[f].mac, p->entry.mac, 6);
	p->way[f] = WAY_VXLAN;
	p->routes[f] = (struct xb_route){
		.dst = peer->cidrs[f], .gateway = peer->cidrs[f].ip, .ifindex = from->vxlan, .onlink = true, .protocol = PATH_PROTOCOL,
	};
	return 0;
}

static int plan_family(const struct path_from *from, const struct peer *peer, int f, struct path *p, char **reterr_why)
{
	_cleanup_free_ char *why = NULL;
	int r;

	/* A family that this node's pods do not have needs no way. */
	if (peer->cidrs[f].ip.family != families[f] || from->self->cidrs[f].ip.family != families[f])
		return 0;
	if (from->mode == MODE_VXLAN)
		return try_vxlan(from, peer, f, p, reterr_why);
	r = try_direct(from, peer, f, p, from->mode == MODE_AUTO ? &why : reterr_why);
	return r < 0 && from->mode == MODE_AUTO ? try_vxlan(from, peer, f, p, reterr_why) : r;
}

int path_plan(const struct path_from *from, const struct peer *peer, struct path *ret, char **reterr_why)
{
	struct path p = {};
	int first = 0;

	for (int f = 0; f < FAMILIES; f++) {
		int r = plan_family(from, peer, f, &p, first ? NULL : reterr_why);

		first = first ? first : r;
	}
	*ret = p;
	return first;
}

bool path_same_route(const struct xb_route *want, const struct xb_route *have)
{
	unsigned type = want->type ? want->type : RTN_UNICAST;

	if (!xb_net_eq(&want->dst, &have->dst) || have->type != type)
		return false;
	/* IPv6 gives what is unreachable a device. */
	return type != RTN_UNICAST || (want->ifindex == have->ifindex && xb_ip_eq(&want->gateway, &have->gateway) &&
				       want->onlink == have->onlink);
}

bool path_same_neigh(const struct xb_neigh *want, const struct xb_neigh *have)
{
	return want->ifindex == have->ifindex && want->forwarding == have->forwarding && have->permanent &&
	       xb_ip_eq(&want->ip, &have->ip) && !memcmp(want->mac, have->mac, 6);
}
