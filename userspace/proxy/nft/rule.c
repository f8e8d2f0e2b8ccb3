/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Before the kernel's headers, which make way for the C library's names. */
#include "rule.h"
#include "xb/nft.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>

/* Upstream's default of --iptables-masquerade-bit. It is set between two of our chains only. */
#define MARK 0x4000u
/* NF_CT_STATE_BIT(IP_CT_NEW), which is the kernel's own. */
#define STATE_NEW (1u << (IP_CT_NEW % IP_CT_IS_REPLY + 1))

#define KEY      NFT_REG32_00       /* the key is here and behind */
#define SCRATCH  NFT_REG_3
#define SCRATCH2 NFT_REG_4

struct making {
	struct nftnl_rule *rule;    /* NULL: no memory */
	uint8_t nfproto;
	bool v4;
	uint32_t key;               /* registers of the key that are filled */
};

static void set_str(struct nftnl_expr *e, uint16_t attr, const char *value)
{
	if (e)
		nftnl_expr_set_str(e, attr, value);
}

static void set_data(struct nftnl_expr *e, uint16_t attr, const void *data, uint32_t n)
{
	if (e)
		nftnl_expr_set(e, attr, data, n);
}

static uint32_t addr_bytes(const struct making *m)
{
	return m->v4 ? 4 : 16;
}

/* --- loads */
/* Takes registers for the next part of the key. */
static uint32_t take(struct making *m, uint32_t bytes)
{
	uint32_t reg = KEY + m->key;

	m->key += (bytes + 3) / 4;
	return reg;
}

static void load_random(struct making *m, uint32_t below, uint32_t reg)
{
	struct nftnl_expr *e = xb_nft_expr(&m->rule, "numgen");

	xb_nft_set_u32(e, NFTNL_EXPR_NG_TYPE, NFT_NG_RANDOM);
	xb_nft_set_u32(e, NFTNL_EXPR_NG_MODULUS, below);
	xb_nft_set_u32(e, NFTNL_EXPR_NG_DREG, reg);
}

/* --- conditions */
/* reg = reg & mask ^ with */
static void bitwise(struct making *m, uint32_t reg, const void *mask, const void *with, uint32_t n)
{
	struct nftnl_expr *e = xb_nft_expr(&m->rule, "bitwise");

	xb_nft_set_u32(e, NFTNL_EXPR_BITWISE_SREG, reg);
	xb_nft_set_u32(e, NFTNL_EXPR_BITWISE_DREG, reg);
	xb_nft_set_u32(e, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
	xb_nft_set_u32(e, NFTNL_EXPR_BITWISE_LEN, n);
	set_data(e, NFTNL_EXPR_BITWISE_MASK, mask, n);
	set_data(e, NFTNL_EXPR_BITWISE_XOR, with, n);
}

static void has_bit(struct making *m, uint32_t bit)
{
	uint32_t zero = 0;

	bitwise(m, SCRATCH, &bit, &zero, sizeof(bit));
	xb_nft_compare(&m->rule, SCRATCH, NFT_CMP_NEQ, &zero, sizeof(zero));
}

static void is_new(struct making *m)
{
	struct nftnl_expr *e = xb_nft_expr(&m->rule, "ct");

	xb_nft_set_u32(e, NFTNL_EXPR_CT_KEY, NFT_CT_STATE);
	xb_nft_set_u32(e, NFTNL_EXPR_CT_DREG, SCRATCH);
	has_bit(m, STATE_NEW);
}

static void is_tcp(struct making *m)
{
	uint8_t tcp = IPPROTO_TCP;

	xb_nft_meta(&m->rule, NFT_META_L4PROTO, SCRATCH);
	xb_nft_compare(&m->rule, SCRATCH, NFT_CMP_EQ, &tcp, sizeof(tcp));
}

static void is_from(struct making *m, const struct xb_plan_net *net)
{
	static const unsigned char zero[16];
	unsigned char mask[16] = {};

	for (unsigned i = 0; i < net->bits; i++)
		mask[i / 8] |= (unsigned char)(0x80 >> i % 8);
	xb_nft_saddr(&m->rule, m->nfproto, SCRATCH);
	if (net->bits < 8 * addr_bytes(m))
		bitwise(m, SCRATCH, mask, zero, addr_bytes(m));
	xb_nft_compare(&m->rule, SCRATCH, NFT_CMP_EQ, &net->addr, addr_bytes(m));
}

static void is_from_node(struct making *m)
{
	struct nftnl_expr *e = xb_nft_expr(&m->rule, "fib");
	uint32_t local = RTN_LOCAL;

	xb_nft_set_u32(e, NFTNL_EXPR_FIB_DREG, SCRATCH);
	xb_nft_set_u32(e, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	xb_nft_set_u32(e, NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_SADDR);
	xb_nft_compare(&m->rule, SCRATCH, NFT_CMP_EQ, &local, sizeof(local));
}

static void is_marked(struct making *m)
{
	xb_nft_meta(&m->rule, NFT_META_MARK, SCRATCH);
	has_bit(m, MARK);
}

/* --- what is done with a key */
static struct nftnl_expr *lookup(struct making *m, const char *set)
{
	m->key = 0;
	return xb_nft_lookup(&m->rule, set, KEY);
}

static void remember(struct making *m, const char *set, uint32_t seconds)
{
	struct nftnl_expr *e = xb_nft_expr(&m->rule, "dynset");

	m->key = 0;
	xb_nft_set_u32(e, NFTNL_EXPR_DYNSET_SREG_KEY, KEY);
	xb_nft_set_u32(e, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
	set_str(e, NFTNL_EXPR_DYNSET_SET_NAME, set);
	if (e)
		nftnl_expr_set_u64(e, NFTNL_EXPR_DYNSET_TIMEOUT, seconds * 1000ULL);
}

/* --- what is done with the packet */
static void set_mark(struct making *m, bool on)
{
	uint32_t mask = ~MARK, with = on ? MARK : 0;
	struct nftnl_expr *e;

	xb_nft_meta(&m->rule, NFT_META_MARK, SCRATCH);
	bitwise(m, SCRATCH, &mask, &with, sizeof(mask));
	e = xb_nft_expr(&m->rule, "meta");
	xb_nft_set_u32(e, NFTNL_EXPR_META_KEY, NFT_META_MARK);
	xb_nft_set_u32(e, NFTNL_EXPR_META_SREG, SCRATCH);
}

static void verdict(struct making *m, int code, const char *chain)
{
	struct nftnl_expr *e = xb_nft_expr(&m->rule, "immediate");

	xb_nft_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	xb_nft_set_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)code);
	if (chain)
		set_str(e, NFTNL_EXPR_IMM_CHAIN, chain);
}

static void refuse(struct making *m, bool reset)
{
	struct nftnl_expr *e = xb_nft_expr(&m->rule, "reject");

	xb_nft_set_u32(e, NFTNL_EXPR_REJECT_TYPE, reset ? NFT_REJECT_TCP_RST : NFT_REJECT_ICMP_UNREACH);
	if (e)
		nftnl_expr_set_u8(e, NFTNL_EXPR_REJECT_CODE, m->v4 ? ICMP_PORT_UNREACH : ICMPV6_PORT_UNREACH);
}

static void immediate(struct making *m, uint32_t reg, const void *data, uint32_t n)
{
	struct nftnl_expr *e = xb_nft_expr(&m->rule, "immediate");

	xb_nft_set_u32(e, NFTNL_EXPR_IMM_DREG, reg);
	set_data(e, NFTNL_EXPR_IMM_DATA, data, n);
}

static void dnat(struct making *m, const struct nft_step *s)
{
	uint16_t port = htons((uint16_t)s->number);
	struct nftnl_expr *e;

	immediate(m, SCRATCH, &s->net.addr, addr_bytes(m));
	immediate(m, SCRATCH2, &port, sizeof(port));
	e = xb_nft_expr(&m->rule, "nat");
	xb_nft_set_u32(e, NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT);
	xb_nft_set_u32(e, NFTNL_EXPR_NAT_FAMILY, m->nfproto);
	xb_nft_set_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MIN, SCRATCH);
	xb_nft_set_u32(e, NFTNL_EXPR_NAT_REG_PROTO_MIN, SCRATCH2);
}

static void add_step(struct making *m, const struct nft_step *s)
{
	switch (s->kind) {
	case STEP_RULE:
		break;
	case STEP_SADDR:
		xb_nft_saddr(&m->rule, m->nfproto, take(m, addr_bytes(m)));
		break;
	case STEP_DADDR:
		xb_nft_daddr(&m->rule, m->nfproto, take(m, addr_bytes(m)));
		break;
	case STEP_PROTO:
		xb_nft_meta(&m->rule, NFT_META_L4PROTO, take(m, 1));
		break;
	case STEP_DPORT:
		xb_nft_payload(&m->rule, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, take(m, 2));
		break;
	case STEP_RANDOM:
		load_random(m, s->number, take(m, 4));
		break;
	case STEP_IN:
		lookup(m, s->name);
		break;
	case STEP_NOT_IN:
		xb_nft_set_u32(lookup(m, s->name), NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
		break;
	case STEP_VMAP:
		xb_nft_set_u32(lookup(m, s->name), NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
		break;
	case STEP_REMEMBER:
		remember(m, s->name, s->number);
		break;
	case STEP_NEW:
		is_new(m);
		break;
	case STEP_TCP:
		is_tcp(m);
		break;
	case STEP_CHANCE:
		load_random(m, s->number, SCRATCH);
		xb_nft_compare(&m->rule, SCRATCH, NFT_CMP_EQ, &(uint32_t){ 0 }, sizeof(uint32_t));
		break;
	case STEP_FROM:
		is_from(m, &s->net);
		break;
	case STEP_FROM_NODE:
		is_from_node(m);
		break;
	case STEP_MARKED:
		is_marked(m);
		break;
	case STEP_MARK:
		set_mark(m, true);
		break;
	case STEP_UNMARK:
		set_mark(m, false);
		break;
	case STEP_JUMP:
		verdict(m, NFT_JUMP, s->name);
		break;
	case STEP_GOTO:
		verdict(m, NFT_GOTO, s->name);
		break;
	case STEP_RETURN:
		verdict(m, NFT_RETURN, NULL);
		break;
	case STEP_DROP:
		verdict(m, NF_DROP, NULL);
		break;
	case STEP_RESET:
		refuse(m, true);
		break;
	case STEP_REFUSE:
		refuse(m, false);
		break;
	case STEP_DNAT:
		dnat(m, s);
		break;
	case STEP_MASQUERADE:
		xb_nft_masquerade(&m->rule);
		break;
	}
}

struct nftnl_rule *nft_rule_new(int family, const struct nft_step *v, size_t n)
{
	struct making m = { .rule = nftnl_rule_alloc(), .nfproto = xb_nft_proto(family), .v4 = family == AF_INET };

	for (size_t i = 0; i < n; i++)
		add_step(&m, &v[i]);
	return m.rule;
}
