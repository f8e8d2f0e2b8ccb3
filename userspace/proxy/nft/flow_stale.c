/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "flow_stale.h"

static struct nft_object way_in(const char *map, int family, const struct xb_plan_backend *to)
{
	struct nft_object o = { .kind = NFT_ELEMENT, .name = map };
	unsigned char *key = o.element.key;

	if (!strcmp(map, NFT_SERVICE_IPS)) {
		memcpy(key, &to->addr, family == AF_INET ? 4 : 16);
		key += family == AF_INET ? 4 : 16;
	}
	key[0] = IPPROTO_UDP;
	key[4] = (unsigned char)(to->port >> 8);
	key[5] = (unsigned char)to->port;
	o.element.key_bytes = (unsigned)(key - o.element.key) + 8;
	return o;
}

bool nft_flow_stale(const struct nft_ledger *l, struct xb_arena *a, const struct nft_flow *f)
{
	static const char *const maps[] = { NFT_SERVICE_IPS, NFT_NODEPORTS };

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		struct nft_object in = way_in(maps[i], l->family, &f->to), chain = { .kind = NFT_CHAIN };
		const struct nft_entry *e = nft_ledger_find(l, &in);

		if (!e || !e->owner)
			continue;
		chain.name = nft_backend_name(a, NFT_ENDPOINT, e->owner->name, XB_PROTO_UDP, l->family, &f->by);
		return chain.name && !nft_ledger_find(l, &chain);
	}
	return true;
}
