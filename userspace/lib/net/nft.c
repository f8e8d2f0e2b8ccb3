/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Before the kernel's headers, which make way for the C library's names. */
#include "xb/nft.h"

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>

#define MESSAGE_MAX 98304           /* the list of elements in it is shorter than 64 KiB */

/* --- the batch */
void xb_nft_begin(struct xb_nft_batch *b)
{
	char h[MNL_NLMSG_HDRLEN + 64];

	xb_buf_clear(&b->buf);
	b->messages = 0;
	xb_buf_add(&b->buf, h, nftnl_batch_begin(h, 0)->nlmsg_len);
}

int xb_nft_commit(struct xb_nft_batch *b, struct xb_netlink *n)
{
	char h[MNL_NLMSG_HDRLEN + 64];

	xb_buf_add(&b->buf, h, nftnl_batch_end(h, 0)->nlmsg_len);
	return b->buf.err ? b->buf.err : xb_netlink_send(n, b->buf.p, b->buf.n);
}

/* --- messages */
static uint16_t flags_of(uint16_t type)
{
	switch (type) {
	case NFT_MSG_NEWRULE:
		return NLM_F_CREATE | NLM_F_APPEND;
	case NFT_MSG_NEWTABLE:
	case NFT_MSG_NEWCHAIN:
	case NFT_MSG_NEWSET:
	case NFT_MSG_NEWSETELEM:
		return NLM_F_CREATE;
	default:
		return 0;
	}
}

/* Builds one in place. NULL when that or what is put is not there, which the buffer says. */
static struct nlmsghdr *start(struct xb_nft_batch *b, uint16_t type, uint8_t nfproto, const void *object)
{
	b->messages++;
	if (!object)
		b->buf.err = -ENOMEM;
	if (xb_buf_reserve(&b->buf, MESSAGE_MAX))
		return NULL;
	return nftnl_nlmsg_build_hdr(b->buf.p + b->buf.n, type, nfproto, flags_of(type), b->seq);
}

static void finish(struct xb_nft_batch *b, const struct nlmsghdr *h)
{
	b->buf.n += NLMSG_ALIGN(h->nlmsg_len);
}

void xb_nft_put_table(struct xb_nft_batch *b, uint16_t type, uint8_t nfproto, struct nftnl_table *t)
{
	struct nlmsghdr *h = start(b, type, nfproto, t);

	if (h) {
		nftnl_table_set_str(t, NFTNL_TABLE_NAME, b->table);
		nftnl_table_nlmsg_build_payload(h, t);
		finish(b, h);
	}
	if (t)
		nftnl_table_free(t);
}

void xb_nft_put_set(struct xb_nft_batch *b, uint16_t type, uint8_t nfproto, const char *name, struct nftnl_set *s)
{
	struct nlmsghdr *h = start(b, type, nfproto, s);

	if (h) {
		nftnl_set_set_str(s, NFTNL_SET_TABLE, b->table);
		nftnl_set_set_str(s, NFTNL_SET_NAME, name);
		nftnl_set_set_u32(s, NFTNL_SET_ID, (uint32_t)b->messages);
		nftnl_set_nlmsg_build_payload(h, s);
		finish(b, h);
	}
	if (s)
		nftnl_set_free(s);
}

void xb_nft_put_elements(struct xb_nft_batch *b, uint16_t type, uint8_t nfproto, const char *set, struct nftnl_set *s)
{
	struct nlmsghdr *h = start(b, type, nfproto, s);

	if (h) {
		nftnl_set_set_str(s, NFTNL_SET_TABLE, b->table);
		nftnl_set_set_str(s, NFTNL_SET_NAME, set);
		nftnl_set_elems_nlmsg_build_payload(h, s);
		finish(b, h);
	}
	if (s)
		nftnl_set_free(s);
}

void xb_nft_put_chain(struct xb_nft_batch *b, uint16_t type, uint8_t nfproto, const char *name, struct nftnl_chain *c)
{
	struct nlmsghdr *h = start(b, type, nfproto, c);

	if (h) {
		nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, b->table);
		nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, name);
		nftnl_chain_nlmsg_build_payload(h, c);
		finish(b, h);
	}
	if (c)
		nftnl_chain_free(c);
}

void xb_nft_put_rule(struct xb_nft_batch *b, uint16_t type, uint8_t nfproto, const char *chain, struct nftnl_rule *rule)
{
	struct nlmsghdr *h = start(b, type, nfproto, rule);

	if (h) {
		nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, b->table);
		nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, chain);
		nftnl_rule_nlmsg_build_payload(h, rule);
		finish(b, h);
	}
	if (rule)
		nftnl_rule_free(rule);
}

/* --- what is in sets and rules */
struct nftnl_set_elem *xb_nft_elem(struct nftnl_set **s, const void *key, size_t n)
{
	struct nftnl_set_elem *e = *s ? nftnl_set_elem_alloc() : NULL;

	if (e) {
		nftnl_set_elem_set(e, NFTNL_SET_ELEM_KEY, key, (uint32_t)n);
		nftnl_set_elem_add(*s, e);
	} else if (*s) {
		nftnl_set_free(*s);
		*s = NULL;
	}
	return e;
}

struct nftnl_expr *xb_nft_expr(struct nftnl_rule **rule, const char *name)
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

void xb_nft_set_u32(struct nftnl_expr *e, uint16_t attr, uint32_t value)
{
	if (e)
		nftnl_expr_set_u32(e, attr, value);
}

/* --- expressions */
void xb_nft_payload(struct nftnl_rule **rule, uint32_t base, uint32_t offset, uint32_t n, uint32_t reg)
{
	struct nftnl_expr *e = xb_nft_expr(rule, "payload");

	xb_nft_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
	xb_nft_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	xb_nft_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, n);
	xb_nft_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, reg);
}

/* Where both are in the header: RFC 791, RFC 8200. */
void xb_nft_saddr(struct nftnl_rule **rule, uint8_t nfproto, uint32_t reg)
{
	bool v4 = nfproto == NFPROTO_IPV4;

	xb_nft_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, v4 ? 12 : 8, v4 ? 4 : 16, reg);
}

void xb_nft_daddr(struct nftnl_rule **rule, uint8_t nfproto, uint32_t reg)
{
	bool v4 = nfproto == NFPROTO_IPV4;

	xb_nft_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, v4 ? 16 : 24, v4 ? 4 : 16, reg);
}

void xb_nft_meta(struct nftnl_rule **rule, uint32_t key, uint32_t reg)
{
	struct nftnl_expr *e = xb_nft_expr(rule, "meta");

	xb_nft_set_u32(e, NFTNL_EXPR_META_KEY, key);
	xb_nft_set_u32(e, NFTNL_EXPR_META_DREG, reg);
}

void xb_nft_compare(struct nftnl_rule **rule, uint32_t reg, uint32_t op, const void *bytes, size_t n)
{
	struct nftnl_expr *e = xb_nft_expr(rule, "cmp");

	xb_nft_set_u32(e, NFTNL_EXPR_CMP_SREG, reg);
	xb_nft_set_u32(e, NFTNL_EXPR_CMP_OP, op);
	if (e)
		nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, bytes, (uint32_t)n);
}

struct nftnl_expr *xb_nft_lookup(struct nftnl_rule **rule, const char *set, uint32_t reg)
{
	struct nftnl_expr *e = xb_nft_expr(rule, "lookup");

	xb_nft_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, reg);
	if (e)
		nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, set);
	return e;
}

void xb_nft_masquerade(struct nftnl_rule **rule)
{
	xb_nft_set_u32(xb_nft_expr(rule, "masq"), NFTNL_EXPR_MASQ_FLAGS, NF_NAT_RANGE_PROTO_RANDOM_FULLY);
}
