/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "peer.h"

static void add_cidr(struct peer *p, struct xb_jv v)
{
	struct xb_net n;

	if (xb_net_parse(xb_jv_text(v), &n) < 0 || p->cidrs[family_index(n.ip.family)].ip.family != AF_UNSPEC)
		return;
	p->cidrs[family_index(n.ip.family)] = xb_net_of(&n.ip, n.bits);
}

void peer_read(struct xb_jv node, struct peer *ret)
{
	struct xb_jv spec = xb_jv_get(node, "spec");
	struct peer p = { .primary = -1 };

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(spec, "podCIDRs")); xb_jit_next(&it);)
		add_cidr(&p, it.value);
	add_cidr(&p, xb_jv_get(spec, "podCIDR"));
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(node, "status", "addresses")); xb_jit_next(&it);) {
		struct xb_ip ip;

		if (!xb_jv_streq(xb_jv_get(it.value, "type"), XB_SV("InternalIP")) || xb_ip_parse(xb_jv_text(xb_jv_get(it.value, "address")), &ip) < 0 ||
		    p.ips[family_index(ip.family)].family != AF_UNSPEC)
			continue;
		p.ips[family_index(ip.family)] = ip;
		if (p.primary < 0)
			p.primary = family_index(ip.family);
	}
	if (p.primary < 0)
		p.primary = 0;
	*ret = p;
}

bool peer_eq(const struct peer *a, const struct peer *b)
{
	for (int i = 0; i < FAMILIES; i++)
		if (!xb_net_eq(&a->cidrs[i], &b->cidrs[i]) || !xb_ip_eq(&a->ips[i], &b->ips[i]))
			return false;
	return a->primary == b->primary;
}
