/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_NFT_H
#define XB_NFT_H
/*
 * The messages of nftables transactions, by libnftnl: one batch holds as a whole or not at all. Memory that runs out is kept in the
 * batch: what is to be put may be NULL for want of it, and xb_nft_commit() says so. nfproto is NFPROTO_INET, _IPV4 or _IPV6.
 */
#include "xb/netlink.h"
#include "xb/str.h"
/* Behind the C library's headers, for whose names it makes way. */
#include <linux/netfilter.h>

struct nftnl_chain;
struct nftnl_expr;
struct nftnl_rule;
struct nftnl_set;
struct nftnl_set_elem;
struct nftnl_table;

/* nft's numbers for types of keys, by which it shows elements: its enum datatypes. Those of a concatenation stand in BITS each. */
enum {
	XB_NFT_TYPE_IPADDR = 7, XB_NFT_TYPE_IP6ADDR = 8, XB_NFT_TYPE_INET_PROTO = 12, XB_NFT_TYPE_INET_SERVICE = 13,
	XB_NFT_TYPE_MARK = 19, XB_NFT_TYPE_BITS = 6,
};

static inline uint8_t xb_nft_proto(int family) /* of AF_INET, AF_INET6 */
{
	return family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;
}

struct xb_nft_batch {
	const char *table;  /* of which the messages are; borrowed */
	struct xb_buf buf;  /* they, one behind the other; errors stay in it */
	uint32_t seq;       /* in each message that follows: by this the kernel names the one it refuses */
	size_t messages;    /* since the batch began, those for which there was no memory too */
};
void xb_nft_begin(struct xb_nft_batch *b); /* anew */
static inline void xb_nft_done(struct xb_nft_batch *b)
{
	xb_buf_done(&b->buf);
}
int xb_nft_commit(struct xb_nft_batch *b, struct xb_netlink *n); /* as xb_netlink_send(); b is to begin anew or be done then */

/* One message each, NFT_MSG_NEW... or NFT_MSG_DEL...: what is put is taken, and gets its name and table here. */
void xb_nft_put_table(struct xb_nft_batch *b, uint16_t type, uint8_t nfproto, struct nftnl_table *t);
void xb_nft_put_set(struct xb_nft_batch *b, uint16_t type, uint8_t nfproto, const char *name, struct nftnl_set *s);
/* All of s in one message: their list must be shorter than 64 KiB. */
void xb_nft_put_elements(struct xb_nft_batch *b, uint16_t type, uint8_t nfproto, const char *set, struct nftnl_set *s);
void xb_nft_put_chain(struct xb_nft_batch *b, uint16_t type, uint8_t nfproto, const char *name, struct nftnl_chain *c);
/* A new rule becomes the last of its chain. */
void xb_nft_put_rule(struct xb_nft_batch *b, uint16_t type, uint8_t nfproto, const char *chain, struct nftnl_rule *rule);

/* What is added to a set or rule is of it. Without memory that is freed and *s or *rule becomes NULL, with which these do nothing and
 * return NULL. */
struct nftnl_set_elem *xb_nft_elem(struct nftnl_set **s, const void *key, size_t n);
struct nftnl_expr *xb_nft_expr(struct nftnl_rule **rule, const char *name);
void xb_nft_set_u32(struct nftnl_expr *e, uint16_t attr, uint32_t value); /* e: NULL does nothing */

/* Expressions. reg, from which they read or into which they write: NFT_REG_1, ... */
void xb_nft_payload(struct nftnl_rule **rule, uint32_t base, uint32_t offset, uint32_t n, uint32_t reg);
void xb_nft_saddr(struct nftnl_rule **rule, uint8_t nfproto, uint32_t reg);
void xb_nft_daddr(struct nftnl_rule **rule, uint8_t nfproto, uint32_t reg);
void xb_nft_meta(struct nftnl_rule **rule, uint32_t key, uint32_t reg);
void xb_nft_compare(struct nftnl_rule **rule, uint32_t reg, uint32_t op, const void *bytes, size_t n);
struct nftnl_expr *xb_nft_lookup(struct nftnl_rule **rule, const char *set, uint32_t reg);
void xb_nft_masquerade(struct nftnl_rule **rule); /* from a random port: such do not collide when many connections begin at once */

#endif
