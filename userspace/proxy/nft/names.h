/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NFT_NAMES_H
#define NFT_NAMES_H
/*
 * What chains and sets of service ports are called: readable in `nft list ruleset`, and different for different ports and
 * backends, so that a name says all there is to know of what it names:
 *
 *	service-shop/web/tcp/http    endpoint-shop/web/tcp/http__10.244.1.7/8080    endpoint-shop/web/tcp/http__fd00..7/8080
 *
 * Kubernetes' names have no '/' or ':'. The longest has 252 bytes; the kernel allows 255.
 */
#include "xb/plan.h"
#include "xb/arena.h"

#define NFT_ENDPOINT "endpoint-"

/* prefix: "service-", ...; name: as in struct plan_port. NULL without memory. */
char *nft_port_name(struct xb_arena *a, const char *prefix, const char *name, enum xb_proto proto);
char *nft_backend_name(struct xb_arena *a, const char *prefix, const char *name, enum xb_proto proto, int family,
		       const struct xb_plan_backend *b);
/* The backend that a name is of. False when it is of none. */
bool nft_name_backend(const char *name, int family, struct xb_plan_backend *ret);

#endif
