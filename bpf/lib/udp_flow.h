/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef UDP_FLOW_H
#define UDP_FLOW_H
/* What a UDP socket sends to which backend. The kernel holds the socket's lock in all hooks that come here. */
#include "lib/tables.h"

static __always_inline struct xb_sku *sku_get(struct bpf_sock_addr *ctx, bool create)
{
	return ctx->sk ? bpf_sk_storage_get(&xb_sku, ctx->sk, NULL, create ? BPF_SK_STORAGE_GET_F_CREATE : 0) : NULL;
}

static __always_inline struct xb_sku_flow *flow_to(struct xb_sku *sku, const struct xb_peer *service)
{
#pragma unroll
	for (__u32 i = 0; i < XB_SKU_WAYS; i++) {
		if (!peer_equal(&sku->flow[i].service, service))
			continue;
		if (sku->last != i)
			sku->last = i;
		return &sku->flow[i];
	}
	return NULL;
}

/* Remembers a choice, in place of the flow to the same service or else of one that is neither the last nor the connected one. */
static __always_inline void flow_put(struct xb_sku *sku, const struct xb_sku_flow *flow)
{
	struct xb_sku_flow *place = flow_to(sku, &flow->service);
	__u32 next = (sku->last + 1) & (XB_SKU_WAYS - 1);

	if (!place) {
		if (next + 1 == sku->connected)
			next = (next + 1) & (XB_SKU_WAYS - 1);
		sku->last = next;
		place = &sku->flow[next & (XB_SKU_WAYS - 1)];
	}
	*place = *flow;
}

/* Turns a backend into the service that the socket last reached it by: two services may share a backend. */
static __always_inline bool flow_reverse(const struct xb_sku *sku, struct xb_peer *p)
{
#pragma unroll
	for (int i = 0; i < XB_SKU_WAYS; i++) {
		const struct xb_sku_flow *flow = &sku->flow[(sku->last - i) & (XB_SKU_WAYS - 1)];

		if (!flow->service.port || !peer_equal(&flow->backend, p))
			continue;
		*p = flow->service;
		return true;
	}
	return false;
}

#endif
