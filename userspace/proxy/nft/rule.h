/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NFT_RULE_H
#define NFT_RULE_H
/* Steps as expressions of the kernel's. */
#include "steps.h"

struct nftnl_rule;
/* The caller's to free. v: the steps behind STEP_RULE. NULL without memory. */
struct nftnl_rule *nft_rule_new(int family, const struct nft_step *v, size_t n);

#endif
