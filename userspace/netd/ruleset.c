/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Before the kernel's headers, which make way for the C library's names. */
#include "ruleset.h"

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>

#define CHAIN "postrouting"
#define ELEMENTS_MAX 512            /* of a message: its list must be shorter than 64 KiB, at 40 bytes for each of two ends and more */
#define MESSAGE_MAX 65536

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

/* --- messages --- */
static void append(struct xb_buf *batch, const struct nlmsghdr *h)
{
	xb_buf_add(batch, h, NLMSG_ALIGN(h->nlmsg_len));
}

/* Builds a message in place; without room or memory the buffer says so. */
static struct nlmsghdr *start(struct xb_buf *batch, uint16_t type, uint16_t flags)
{
	if (xb_buf_reserve(batch, MESSAGE_MAX))
		return NULL;
	return nftnl_nlmsg_build_hdr(batch->p + batch->n, type, NFPROTO_INET, flags, 0);
}

static void finish(struct xb_buf *batch, const struct nlmsghdr *h)
{
	batch->n += NLMSG_ALIGN(h->nlmsg_len);
}

static void fail(struct xb_buf *batch)
{
	batch->err = -ENOMEM;
}

void ruleset_begin(struct xb_buf *batch)
{
	char h[MNL_NLMSG_HDRLEN + 64];

	append(batch, nftnl_batch_begin(h, 0));
}

void ruleset_end(struct xb_buf *batch)
{
	char h[MNL_NLMSG_HDRLEN + 64];

	append(batch, nftnl_batch_end(h, 0));
}

static void put_table(struct xb_buf *batch, uint16_t type, uint16_t flags)
{
	struct nftnl_table *t = nftnl_table_alloc();
	struct nlmsghdr *h = start(batch, type, flags);

	if (t && h) {
		nftnl_table_set_str(t, NFTNL_TABLE_NAME, MASQ_TABLE);
		nftnl_table_nlmsg_build_payload(h, t);
		finish(batch, h);
	} else {
		fail(batch);
	}
	if (t)
		nftnl_table_free(t);
}

void ruleset_no_table(struct xb_buf *batch)
{
	/* To take away what may not be there is a fault, to make what is there is none. */
	put_table(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	put_table(batch, NFT_MSG_DELTABLE, 0);
}

/* --- sets --- */
static struct nftnl_set *new_set(enum ruleset_set set)
{
	struct nftnl_set *s = nftnl_set_alloc();

	if (s) {
		nftnl_set_set_str(s, NFTNL_SET_TABLE, MASQ_TABLE);
		nftnl_set_set_str(s, NFTNL_SET_NAME, names[set]);
		nftnl_set_set_u32(s, NFTNL_SET_FAMILY, NFPROTO_INET);
	}
	return s;
}

static void put_set(struct xb_buf *batch, enum ruleset_set set)
{
	struct nftnl_set *s = new_set(set);
	struct nlmsghdr *h = start(batch, NFT_MSG_NEWSET, NLM_F_CREATE);

	if (s && h) {
		/* nft's numbers for ipv4_addr and ipv6_addr, by which it shows elements. */
		nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, is_ipv6(set) ? 8 : 7);
		nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, is_ipv6(set) ? 16 : 4);
		nftnl_set_set_u32(s, NFTNL_SET_FLAGS, is_interval(set) ? NFT_SET_INTERVAL : 0);
		nftnl_set_set_u32(s, NFTNL_SET_ID, (uint32_t)set + 1);
		nftnl_set_nlmsg_build_payload(h, s);
		finish(batch, h);
	} else {
		fail(batch);
	}
	if (s)
		nftnl_set_free(s);
}

static int add_key(struct nftnl_set *s, const struct xb_ip *ip, uint32_t flags)
{
	struct nftnl_set_elem *e = nftnl_set_elem_alloc();

	if (!e)
		return -ENOMEM;
	nftnl_set_elem_set(e, NFTNL_SET_ELEM_KEY, ip->b, xb_ip_bytes(ip->family));
	if (flags)
		nftnl_set_elem_set_u32(e, NFTNL_SET_ELEM_FLAGS, flags);
	nftnl_set_elem_add(s, e);
	return 0;
}

/* A network is its first address, and the end of the interval behind its last, unless that is the last of all. */
static int add_element(struct nftnl_set *s, enum ruleset_set set, const struct xb_net *n)
{
	struct xb_net first = xb_net_of(&n->ip, n->bits);
	struct xb_ip last = xb_net_last(n), end = xb_ip_add(&last, 1);
	int r = add_key(s, &first.ip, 0);

	if (!r && is_interval(set) && xb_ip_cmp(&end, &last) > 0)
		r = add_key(s, &end, NFT_SET_ELEM_INTERVAL_END);
	return r;
}

void ruleset_elements(struct xb_buf *batch, enum ruleset_set set, bool add, const struct xb_net *nets, size_t n)
{
	for (size_t at = 0; at < n && !batch->err; at += ELEMENTS_MAX) {
		struct nftnl_set *s = new_set(set);
		struct nlmsghdr *h = start(batch, add ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM, add ? NLM_F_CREATE : 0);
		int r = s && h ? 0 : -ENOMEM;

		for (size_t i = at; !r && i < MIN(n, at + ELEMENTS_MAX); i++)
			r = add_element(s, set, &nets[i]);
		if (!r) {
			nftnl_set_elems_nlmsg_build_payload(h, s);
			finish(batch, h);
		} else {
			fail(batch);
		}
		if (s)
			nftnl_set_free(s);
	}
}

/* --- the chain and its rules --- */
static void put_chain(struct xb_buf *batch)
{
	struct nftnl_chain *c = nftnl_chain_alloc();
	struct nlmsghdr *h = start(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE);

	if (c && h) {
		nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, MASQ_TABLE);
		nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, CHAIN);
		nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, "nat");
		nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, NF_INET_POST_ROUTING);
		nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, NF_IP_PRI_NAT_SRC);
		nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_ACCEPT);
		nftnl_chain_nlmsg_build_payload(h, c);
		finish(batch, h);
	} else {
		fail(batch);
	}
	if (c)
		nftnl_chain_free(c);
}

void ruleset_table(struct xb_buf *batch)
{
	ruleset_no_table(batch);
	put_table(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	for (int i = 0; i < RULESET_SETS; i++)
		put_set(batch, (enum ruleset_set)i);
	put_chain(batch);
}

/* NULL, once there is no memory, stays NULL. */
static struct nftnl_expr *expr(struct nftnl_rule **rule, const char *name)
{
	struct nftnl_expr *e = *rule ? nftnl_expr_alloc(name) : NULL;

	if (e) {
		nftnl_rule_add_expr(*rule, e);
	} else if (*rule) {
		nftnl_rule_free(*rule);
		*rule = NULL;
	}
	return e;
}

static void match_family(struct nftnl_rule **rule, uint8_t family)
{
	struct nftnl_expr *e = expr(rule, "meta");

	if (e) {
		nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, NFT_META_NFPROTO);
		nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, NFT_REG_1);
	}
	e = expr(rule, "cmp");
	if (e) {
		nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
		nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
		nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, &family, sizeof(family));
	}
}

static void load_address(struct nftnl_rule **rule, uint32_t offset, uint32_t bytes)
{
	struct nftnl_expr *e = expr(rule, "payload");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, bytes);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
}

static void match_set(struct nftnl_rule **rule, enum ruleset_set set, bool in)
{
	struct nftnl_expr *e = expr(rule, "lookup");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, names[set]);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SET_ID, (uint32_t)set + 1);
	if (!in)
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}

static struct nftnl_rule *new_rule(int f)
{
	/* Of source and destination in the header: RFC 791, RFC 8200. */
	static const uint32_t source[FAMILIES] = { 12, 8 }, destination[FAMILIES] = { 16, 24 }, bytes[FAMILIES] = { 4, 16 };
	struct nftnl_rule *rule = nftnl_rule_alloc();
	struct nftnl_expr *e;

	if (!rule)
		return NULL;
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, MASQ_TABLE);
	nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, CHAIN);
	nftnl_rule_set_u32(rule, NFTNL_RULE_FAMILY, NFPROTO_INET);
	match_family(&rule, f ? NFPROTO_IPV6 : NFPROTO_IPV4);
	load_address(&rule, source[f], bytes[f]);
	match_set(&rule, RULESET_LOCAL + f, true);
	load_address(&rule, destination[f], bytes[f]);
	match_set(&rule, RULESET_PODS + f, false);
	match_set(&rule, RULESET_NODES + f, false);
	e = expr(&rule, "masq");
	/* Ports drawn at random do not collide when many connections begin at once. */
	if (e)
		nftnl_expr_set_u32(e, NFTNL_EXPR_MASQ_FLAGS, NF_NAT_RANGE_PROTO_RANDOM_FULLY);
	return rule;
}

void ruleset_rules(struct xb_buf *batch)
{
	for (int f = 0; f < FAMILIES; f++) {
		struct nftnl_rule *rule = new_rule(f);
		struct nlmsghdr *h = start(batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);

		if (rule && h) {
			nftnl_rule_nlmsg_build_payload(h, rule);
			finish(batch, h);
		} else {
			fail(batch);
		}
		if (rule)
			nftnl_rule_free(rule);
	}
}
