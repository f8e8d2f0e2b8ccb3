/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "apply_state.h"
#include "xb/abi/node.h"

_Static_assert(XB_PLAN_NETS_MAX == XB_NETS_MAX, "each has its place");

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

int apply_set_node(struct apply *a, const struct xb_plan_node *node)
{
	struct xb_node *at = a->tables->t[TABLE_NODE].mem, want = {
		.nat_first = node->nat_first, .nat_count = node->nat_count, .masquerade_all = node->masquerade_all,
	};

	memcpy(want.addr4.b, node->addr[0].b, sizeof(want.addr4.b));
	memcpy(want.addr6.b, node->addr[1].b, sizeof(want.addr6.b));
	nets4(&node->pods[0], want.pods4);
	nets6(&node->pods[1], want.pods6);
	nets4(&node->services[0], want.services4);
	nets6(&node->services[1], want.services6);
	if (!memcmp(at, &want, sizeof(want)))
		return 0;
	*at = want;
	return 1;
}
