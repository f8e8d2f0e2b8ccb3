/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NETD_RULESET_H
#define NETD_RULESET_H
/* The messages of the table MASQ_TABLE: what the batch is of. */
#include "masq.h"
#include "xb/nft.h"

enum ruleset_set {                  /* IPv4's; that behind each is IPv6's */
	RULESET_LOCAL = 0, RULESET_PODS = 2, RULESET_NODES = 4, RULESET_SETS = 6,
};
void ruleset_table(struct xb_nft_batch *b);    /* in place of the one that is there, if any: with its sets, empty, and chain */
void ruleset_no_table(struct xb_nft_batch *b); /* no fault when there is none */
void ruleset_rules(struct xb_nft_batch *b);
void ruleset_elements(struct xb_nft_batch *b, enum ruleset_set set, bool add, const struct xb_net *nets, size_t n);

#endif
