/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Before the kernel's headers, which make way for the C library's names. */
#include "message.h"

#include <inttypes.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include "rule.h"

#define MESSAGE_MAX  98304          /* the list of elements in it must be shorter than 64 KiB */
#define ELEMENTS_MAX 160            /* at most 320 bytes each */

/* nft's numbers for types, by which it shows elements: its enum datatypes. */
enum {
	TYPE_IPADDR = 7, TYPE_IP6ADDR = 8, TYPE_INET_PROTO = 12, TYPE_INET_SERVICE = 13, TYPE_MARK = 19, TYPE_BITS = 6,
};

static uint16_t nfproto(int family)
{
	return family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;
}

static void fail(struct nft_batch *b)
{
	b->buf.err = -ENOMEM;
}

/* --- messages */
/* Builds one in place; without memory the buffer says so. */
static struct nlmsghdr *start(struct nft_batch *b, uint16_t type, int family, uint16_t flags)
{
	if (xb_buf_reserve(&b->buf, MESSAGE_MAX))
		return NULL;
	return nftnl_nlmsg_build_hdr(b->buf.p + b->buf.n, type, nfproto(family), flags, b->seq);
}

static void finish(struct nft_batch *b, const struct nlmsghdr *h)
{
	b->buf.n += NLMSG_ALIGN(h->nlmsg_len);
	b->messages++;
}

void nft_batch_begin(struct nft_batch *b)
{
	char h[MNL_NLMSG_HDRLEN + 64];

	nft_batch_clear(b);
	xb_buf_add(&b->buf, h, nftnl_batch_begin(h, 0)->nlmsg_len);
}

void nft_batch_end(struct nft_batch *b)
{
	char h[MNL_NLMSG_HDRLEN + 64];

	xb_buf_add(&b->buf, h, nftnl_batch_end(h, 0)->nlmsg_len);
}

/* --- tables */
static void put_table(struct nft_batch *b, int family, uint16_t type, uint16_t flags)
{
	/* as nft keeps it: type, length, text */
	char comment[2 + sizeof(NFT_TABLE_COMMENT)] = { NFTNL_UDATA_TABLE_COMMENT, sizeof(NFT_TABLE_COMMENT) };
	struct nftnl_table *t = nftnl_table_alloc();
	struct nlmsghdr *h = start(b, type, family, flags);

	if (t && h) {
		nftnl_table_set_str(t, NFTNL_TABLE_NAME, NFT_TABLE);
		memcpy(comment + 2, NFT_TABLE_COMMENT, sizeof(NFT_TABLE_COMMENT));
		if (flags & NLM_F_CREATE)
			nftnl_table_set_data(t, NFTNL_TABLE_USERDATA, comment, sizeof(comment));
		nftnl_table_nlmsg_build_payload(h, t);
		finish(b, h);
	} else {
		fail(b);
	}
	if (t)
		nftnl_table_free(t);
}

void nft_put_table(struct nft_batch *b, int family)
{
	put_table(b, family, NFT_MSG_NEWTABLE, NLM_F_CREATE);
}

void nft_del_table(struct nft_batch *b, int family)
{
	put_table(b, family, NFT_MSG_DELTABLE, 0);
}

/* --- sets and elements */
static struct nftnl_set *new_set(const char *name)
{
	struct nftnl_set *s = nftnl_set_alloc();

	if (s) {
		nftnl_set_set_str(s, NFTNL_SET_TABLE, NFT_TABLE);
		nftnl_set_set_str(s, NFTNL_SET_NAME, name);
	}
	return s;
}

static uint32_t concat(uint32_t type, uint32_t with)
{
	return type << TYPE_BITS | with;
}

static void describe(struct nftnl_set *s, int family, enum nft_set_kind kind)
{
	uint32_t addr = family == AF_INET ? TYPE_IPADDR : TYPE_IP6ADDR, bytes = family == AF_INET ? 4 : 16;
	uint32_t port = concat(TYPE_INET_PROTO, TYPE_INET_SERVICE);
	const struct {
		uint32_t type, bytes, flags;
	} kinds[] = {
		[NFT_ADDRS]     = { addr, bytes, 0 },
		[NFT_NETS]      = { addr, bytes, NFT_SET_INTERVAL },
		[NFT_CLIENTS]   = { addr, bytes, NFT_SET_TIMEOUT | NFT_SET_EVAL },
		[NFT_BY_ADDR]   = { concat(concat(addr, TYPE_INET_PROTO), TYPE_INET_SERVICE), bytes + 8, NFT_SET_MAP },
		[NFT_BY_PORT]   = { port, 8, NFT_SET_MAP },
		[NFT_BY_NUMBER] = { TYPE_MARK, 4, NFT_SET_MAP },
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

static void put_set(struct nft_batch *b, int family, const char *name, enum nft_set_kind kind, uint16_t type, uint16_t flags)
{
	struct nftnl_set *s = new_set(name);
	struct nlmsghdr *h = start(b, type, family, flags);

	if (s && h) {
		if (kind)
			describe(s, family, kind);
		nftnl_set_set_u32(s, NFTNL_SET_FAMILY, nfproto(family));
		nftnl_set_set_u32(s, NFTNL_SET_ID, (uint32_t)b->messages);
		nftnl_set_nlmsg_build_payload(h, s);
		finish(b, h);
	} else {
		fail(b);
	}
	if (s)
		nftnl_set_free(s);
}

void nft_put_set(struct nft_batch *b, int family, const char *name, enum nft_set_kind kind)
{
	put_set(b, family, name, kind, NFT_MSG_NEWSET, NLM_F_CREATE);
}

void nft_del_set(struct nft_batch *b, int family, const char *name)
{
	put_set(b, family, name, 0, NFT_MSG_DELSET, 0);
}

static bool add_element(struct nftnl_set *s, const struct nft_key *key, const struct nft_object *o)
{
	struct nftnl_set_elem *e = nftnl_set_elem_alloc();

	if (!e)
		return false;
	nftnl_set_elem_set(e, NFTNL_SET_ELEM_KEY, key->bytes, key->n);
	if (key->end)
		nftnl_set_elem_set_u32(e, NFTNL_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
	if (o && o->set >= NFT_BY_ADDR) {
		nftnl_set_elem_set_u32(e, NFTNL_SET_ELEM_VERDICT, o->element.chain ? (uint32_t)NFT_GOTO : (uint32_t)NF_DROP);
		if (o->element.chain)
			nftnl_set_elem_set_str(e, NFTNL_SET_ELEM_CHAIN, o->element.chain);
	}
	nftnl_set_elem_add(s, e);
	return true;
}

static void put_elements(struct nft_batch *b, int family, const char *set, const struct nft_object *v, const struct nft_key *keys, size_t n)
{
	struct nftnl_set *s = new_set(set);
	struct nlmsghdr *h = start(b, v ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM, family, v ? NLM_F_CREATE : 0);
	bool good = s && h;

	for (size_t i = 0; good && i < n; i++) {
		struct nft_key key = v ? (struct nft_key){ v[i].element.key, v[i].element.key_bytes, v[i].element.end } : keys[i];

		good = add_element(s, &key, v ? &v[i] : NULL);
	}
	if (good) {
		nftnl_set_elems_nlmsg_build_payload(h, s);
		finish(b, h);
	} else {
		fail(b);
	}
	if (s)
		nftnl_set_free(s);
}

void nft_put_elements(struct nft_batch *b, int family, const struct nft_object *v, size_t n)
{
	for (size_t i = 0; i < n; i += ELEMENTS_MAX)
		put_elements(b, family, v[0].name, v + i, NULL, MIN(n - i, (size_t)ELEMENTS_MAX));
}

void nft_del_elements(struct nft_batch *b, int family, const char *set, const struct nft_key *v, size_t n)
{
	for (size_t i = 0; i < n; i += ELEMENTS_MAX)
		put_elements(b, family, set, NULL, v + i, MIN(n - i, (size_t)ELEMENTS_MAX));
}

/* --- chains and rules */
static void put_chain(struct nft_batch *b, int family, const char *name, const struct nft_hook *hook, uint16_t type, uint16_t flags)
{
	struct nftnl_chain *c = nftnl_chain_alloc();
	struct nlmsghdr *h = start(b, type, family, flags);

	if (c && h) {
		nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, NFT_TABLE);
		nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, name);
		if (hook) {
			nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, hook->type);
			nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, hook->number);
			nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, hook->priority);
			nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_ACCEPT);
		}
		nftnl_chain_nlmsg_build_payload(h, c);
		finish(b, h);
	} else {
		fail(b);
	}
	if (c)
		nftnl_chain_free(c);
}

void nft_put_chain(struct nft_batch *b, int family, const char *name, const struct nft_hook *hook)
{
	put_chain(b, family, name, hook, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
}

void nft_del_chain(struct nft_batch *b, int family, const char *name)
{
	put_chain(b, family, name, NULL, NFT_MSG_DELCHAIN, 0);
}

/* rule: NULL stands for without memory, as nft_rule_new() may have been. Taken. */
static void put_rule(struct nft_batch *b, int family, const char *chain, struct nftnl_rule *rule, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h = start(b, type, family, flags);

	if (rule && h) {
		nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, NFT_TABLE);
		nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, chain);
		nftnl_rule_nlmsg_build_payload(h, rule);
		finish(b, h);
	} else {
		fail(b);
	}
	if (rule)
		nftnl_rule_free(rule);
}

void nft_del_rules(struct nft_batch *b, int family, const char *chain)
{
	put_rule(b, family, chain, nftnl_rule_alloc(), NFT_MSG_DELRULE, 0);
}

static void set_comment(struct nftnl_rule *rule, uint64_t digest)
{
	char comment[2 + 17] = { NFTNL_UDATA_RULE_COMMENT, 17 };

	snprintf(comment + 2, sizeof(comment) - 2, "%016" PRIx64, digest);
	nftnl_rule_set_data(rule, NFTNL_RULE_USERDATA, comment, sizeof(comment));
}

void nft_put_rules(struct nft_batch *b, int family, const char *chain, const struct nft_step *v, size_t n, uint64_t digest)
{
	for (size_t at = 0, end; at < n; at = end) {
		struct nftnl_rule *rule;

		for (end = at + 1; end < n && v[end].kind != STEP_RULE; end++)
			;
		rule = nft_rule_new(family, v + at + 1, end - at - 1);
		if (rule && !at)
			set_comment(rule, digest);
		put_rule(b, family, chain, rule, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	}
}
