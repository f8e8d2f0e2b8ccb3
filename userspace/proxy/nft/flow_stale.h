/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NFT_FLOW_STALE_H
#define NFT_FLOW_STALE_H
#include "flows.h"
#include "ledger.h"

/* Whether the service port that the client of a UDP flow asked for does not have that backend any more, or there is no such
 * port. Not stale without memory. */
bool nft_flow_stale(const struct nft_ledger *l, struct xb_arena *a, const struct nft_flow *f);

#endif
