/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Before the kernel's headers, which make way for the C library's names. */
#include "message.h"

#include <inttypes.h>
#include <libnftnl/chain.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter/nf_tables.h>
#include "rule.h"

#define ELEMENTS_MAX 160            /* of a message, at most 320 bytes each */

/* --- tables */
void nft_put_table(struct xb_nft_batch *b, int family)
{
	/* as nft keeps it: type, length, text */
	char comment[2 + sizeof(NFT_TABLE_COMMENT)] = { NFTNL_UDATA_TABLE_COMMENT, sizeof(NFT_TABLE_COMMENT) };
	struct nftnl_table *t = nftnl_table_alloc();

	memcpy(comment + 2, NFT_TABLE_COMMENT, sizeof(NFT_TABLE_COMMENT));
	if (t)
		nftnl_table_set_data(t, NFTNL_TABLE_USERDATA, comment, sizeof(comment));
	xb_nft_put_table(b, NFT_MSG_NEWTABLE, xb_nft_proto(family), t);
}

void nft_del_table(struct xb_nft_batch *b, int family)
{
	xb_nft_put_table(b, NFT_MSG_DELTABLE, xb_nft_proto(family), nftnl_table_alloc());
}

/* --- sets and elements */
static uint32_t concat(uint32_t type, uint32_t with)
{
	return type << XB_NFT_TYPE_BITS | with;
}

static void describe(struct nftnl_set *s, int family, enum nft_set_kind kind)
{
	uint32_t addr = family == AF_INET ? XB_NFT_TYPE_IPADDR : XB_NFT_TYPE_IP6ADDR, bytes = family == AF_INET ? 4 : 16;
	uint32_t port = concat(XB_NFT_TYPE_INET_PROTO, XB_NFT_TYPE_INET_SERVICE);
	const struct {
		uint32_t type, bytes, flags;
	} kinds[] = {
		[NFT_ADDRS]     = { addr, bytes, 0 },
		[NFT_NETS]      = { addr, bytes, NFT_SET_INTERVAL },
		[NFT_CLIENTS]   = { addr, bytes, NFT_SET_TIMEOUT | NFT_SET_EVAL },
		[NFT_BY_ADDR]   = { concat(concat(addr, XB_NFT_TYPE_INET_PROTO), XB_NFT_TYPE_INET_SERVICE), bytes + 8, NFT_SET_MAP },
		[NFT_BY_PORT]   = { port, 8, NFT_SET_MAP },
		[NFT_BY_NUMBER] = { XB_NFT_TYPE_MARK, 4, NFT_SET_MAP },
	};

	nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, kinds[kind].type);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, kinds[kind].bytes);
	nftnl_set_set_u32(s, NFTNL_SET_FLAGS, kinds[kind].flags);
	if (kinds[kind].flags & NFT_SET_MAP)
		nftnl_set_set_u32(s, NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
	/* nft shows numbers as this machine writes them: type, length, BYTEORDER_HOST_ENDIAN in four bytes */
	if (kind == NFT_BY_NUMBER)
		nftnl_set_set_data(s, NFTNL_SET_USERDATA, (char[]){ NFTNL_UDATA_SET_KEYBYTEORDER, 4, 1, 0, 0, 0 }, 6);
}

void nft_put_set(struct xb_nft_batch *b, int family, const char *name, enum nft_set_kind kind)
{
	struct nftnl_set *s = nftnl_set_alloc();

	if (s)
		describe(s, family, kind);
	xb_nft_put_set(b, NFT_MSG_NEWSET, xb_nft_proto(family), name, s);
}

void nft_del_set(struct xb_nft_batch *b, int family, const char *name)
{
	xb_nft_put_set(b, NFT_MSG_DELSET, xb_nft_proto(family), name, nftnl_set_alloc());
}

static struct nftnl_set_elem *add_element(struct nftnl_set **s, const struct nft_key *key)
{
	struct nftnl_set_elem *e = xb_nft_elem(s, key->bytes, key->n);

	if (e && key->end)
		nftnl_set_elem_set_u32(e, NFTNL_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
	return e;
}

static void add_object(struct nftnl_set **s, const struct nft_object *o)
{
	struct nft_key key = { o->element.key, o->element.key_bytes, o->element.end };
	struct nftnl_set_elem *e = add_element(s, &key);

	if (!e || o->set < NFT_BY_ADDR)
		return;
	nftnl_set_elem_set_u32(e, NFTNL_SET_ELEM_VERDICT, o->element.chain ? (uint32_t)NFT_GOTO : (uint32_t)NF_DROP);
	if (o->element.chain)
		nftnl_set_elem_set_str(e, NFTNL_SET_ELEM_CHAIN, o->element.chain);
}

void nft_put_elements(struct xb_nft_batch *b, int family, const struct nft_object *v, size_t n)
{
	for (size_t at = 0; at < n; at += ELEMENTS_MAX) {
		struct nftnl_set *s = nftnl_set_alloc();

		for (size_t i = at; i < MIN(n, at + ELEMENTS_MAX); i++)
			add_object(&s, &v[i]);
		xb_nft_put_elements(b, NFT_MSG_NEWSETELEM, xb_nft_proto(family), v[0].name, s);
	}
}

void nft_del_elements(struct xb_nft_batch *b, int family, const char *set, const struct nft_key *v, size_t n)
{
	for (size_t at = 0; at < n; at += ELEMENTS_MAX) {
		struct nftnl_set *s = nftnl_set_alloc();

		for (size_t i = at; i < MIN(n, at + ELEMENTS_MAX); i++)
			add_element(&s, &v[i]);
		xb_nft_put_elements(b, NFT_MSG_DELSETELEM, xb_nft_proto(family), set, s);
	}
}

/* --- chains and rules */
void nft_put_chain(struct xb_nft_batch *b, int family, const char *name, const struct nft_hook *hook)
{
	struct nftnl_chain *c = nftnl_chain_alloc();

	if (c && hook) {
		nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, hook->type);
		nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, hook->number);
		nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, hook->priority);
		nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	}
	xb_nft_put_chain(b, NFT_MSG_NEWCHAIN, xb_nft_proto(family), name, c);
}

void nft_del_chain(struct xb_nft_batch *b, int family, const char *name)
{
	xb_nft_put_chain(b, NFT_MSG_DELCHAIN, xb_nft_proto(family), name, nftnl_chain_alloc());
}

void nft_del_rules(struct xb_nft_batch *b, int family, const char *chain)
{
	xb_nft_put_rule(b, NFT_MSG_DELRULE, xb_nft_proto(family), chain, nftnl_rule_alloc());
}

static void set_comment(struct nftnl_rule *rule, uint64_t digest)
{
	char comment[2 + 17] = { NFTNL_UDATA_RULE_COMMENT, 17 };

	snprintf(comment + 2, sizeof(comment) - 2, "%016" PRIx64, digest);
	nftnl_rule_set_data(rule, NFTNL_RULE_USERDATA, comment, sizeof(comment));
}

void nft_put_rules(struct xb_nft_batch *b, int family, const char *chain, const struct nft_step *v, size_t n, uint64_t digest)
{
	for (size_t at = 0, end; at < n; at = end) {
		struct nftnl_rule *rule;

		for (end = at + 1; end < n && v[end].kind != STEP_RULE; end++)
			;
		rule = nft_rule_new(family, v + at + 1, end - at - 1);
		if (rule && !at)
			set_comment(rule, digest);
		xb_nft_put_rule(b, NFT_MSG_NEWRULE, xb_nft_proto(family), chain, rule);
	}
}
