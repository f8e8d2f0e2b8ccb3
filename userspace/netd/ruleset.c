/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Before the kernel's headers, which make way for the C library's names. */
#include "ruleset.h"

#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>

#define CHAIN "postrouting"
#define ELEMENTS_MAX 512            /* of a message, at 40 bytes for each of two ends and more */

static const char *const names[RULESET_SETS] = { "local4", "local6", "pods4", "pods6", "nodes4", "nodes6" };

static bool is_ipv6(enum ruleset_set set)
{
	return set & 1;
}

/* Those of nodes are addresses, found by hash; the others networks, found by order. */
static bool is_interval(enum ruleset_set set)
{
	return set < RULESET_NODES;
}

void ruleset_no_table(struct xb_nft_batch *b)
{
	/* To take away what may not be there is a fault, to make what is there is none. */
	xb_nft_put_table(b, NFT_MSG_NEWTABLE, NFPROTO_INET, nftnl_table_alloc());
	xb_nft_put_table(b, NFT_MSG_DELTABLE, NFPROTO_INET, nftnl_table_alloc());
}

/* --- sets --- */
static void put_set(struct xb_nft_batch *b, enum ruleset_set set)
{
	struct nftnl_set *s = nftnl_set_alloc();

	if (s) {
		nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, is_ipv6(set) ? XB_NFT_TYPE_IP6ADDR : XB_NFT_TYPE_IPADDR);
		nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, is_ipv6(set) ? 16 : 4);
		nftnl_set_set_u32(s, NFTNL_SET_FLAGS, is_interval(set) ? NFT_SET_INTERVAL : 0);
	}
	xb_nft_put_set(b, NFT_MSG_NEWSET, NFPROTO_INET, names[set], s);
}

/* A network is its first address, and the end of the interval behind its last, unless that is the last of all. */
static void add_element(struct nftnl_set **s, enum ruleset_set set, const struct xb_net *n)
{
	struct xb_net first = xb_net_of(&n->ip, n->bits);
	struct xb_ip last = xb_net_last(n), end = xb_ip_add(&last, 1);
	struct nftnl_set_elem *e;

	xb_nft_elem(s, first.ip.b, xb_ip_bytes(first.ip.family));
	if (!is_interval(set) || xb_ip_cmp(&end, &last) <= 0)
		return;
	e = xb_nft_elem(s, end.b, xb_ip_bytes(end.family));
	if (e)
		nftnl_set_elem_set_u32(e, NFTNL_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
}

void ruleset_elements(struct xb_nft_batch *b, enum ruleset_set set, bool add, const struct xb_net *nets, size_t n)
{
	for (size_t at = 0; at < n; at += ELEMENTS_MAX) {
		struct nftnl_set *s = nftnl_set_alloc();

		for (size_t i = at; i < MIN(n, at + ELEMENTS_MAX); i++)
			add_element(&s, set, &nets[i]);
		xb_nft_put_elements(b, add ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM, NFPROTO_INET, names[set], s);
	}
}

/* --- the chain and its rules --- */
static void put_chain(struct xb_nft_batch *b)
{
	struct nftnl_chain *c = nftnl_chain_alloc();

	if (c) {
		nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, "nat");
		nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, NF_INET_POST_ROUTING);
		nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, NF_IP_PRI_NAT_SRC);
		nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	}
	xb_nft_put_chain(b, NFT_MSG_NEWCHAIN, NFPROTO_INET, CHAIN, c);
}

void ruleset_table(struct xb_nft_batch *b)
{
	ruleset_no_table(b);
	xb_nft_put_table(b, NFT_MSG_NEWTABLE, NFPROTO_INET, nftnl_table_alloc());
	for (int i = 0; i < RULESET_SETS; i++)
		put_set(b, (enum ruleset_set)i);
	put_chain(b);
}

static void match_set(struct nftnl_rule **rule, enum ruleset_set set, bool in)
{
	struct nftnl_expr *e = xb_nft_lookup(rule, names[set], NFT_REG_1);

	if (!in)
		xb_nft_set_u32(e, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}

void ruleset_rules(struct xb_nft_batch *b)
{
	for (int f = 0; f < FAMILIES; f++) {
		struct nftnl_rule *rule = nftnl_rule_alloc();
		uint8_t family = f ? NFPROTO_IPV6 : NFPROTO_IPV4;

		xb_nft_meta(&rule, NFT_META_NFPROTO, NFT_REG_1);
		xb_nft_compare(&rule, NFT_REG_1, NFT_CMP_EQ, &family, sizeof(family));
		xb_nft_saddr(&rule, family, NFT_REG_1);
		match_set(&rule, RULESET_LOCAL + f, true);
		xb_nft_daddr(&rule, family, NFT_REG_1);
		match_set(&rule, RULESET_PODS + f, false);
		match_set(&rule, RULESET_NODES + f, false);
		xb_nft_masquerade(&rule);
		xb_nft_put_rule(b, NFT_MSG_NEWRULE, NFPROTO_INET, CHAIN, rule);
	}
}
