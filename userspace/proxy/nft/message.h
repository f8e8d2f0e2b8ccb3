/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NFT_MESSAGE_H
#define NFT_MESSAGE_H
/* The netlink messages of one transaction, one behind the other: it holds as a whole or not at all. */
#include "want.h"

#define NFT_TABLE "kube-proxy"
#define NFT_TABLE_COMMENT "xebec 1" /* by which a table is known as ours; another number for each other shape of its sets */

struct nft_batch {
	struct xb_buf buf;  /* errors stay in it */
	__u32 seq;          /* in each message that follows: by this the kernel names the one it refuses */
	size_t messages;    /* between begin and end */
};
void nft_batch_begin(struct nft_batch *b);
void nft_batch_end(struct nft_batch *b);
static inline void nft_batch_clear(struct nft_batch *b)
{
	xb_buf_clear(&b->buf);
	b->messages = 0;
}

/* family: AF_INET, AF_INET6 */
void nft_put_table(struct nft_batch *b, int family); /* makes it, where it is not there */
void nft_del_table(struct nft_batch *b, int family); /* it is there */
void nft_put_set(struct nft_batch *b, int family, const char *name, enum nft_set_kind kind);
void nft_del_set(struct nft_batch *b, int family, const char *name);
void nft_put_chain(struct nft_batch *b, int family, const char *name, const struct nft_hook *hook);
void nft_del_chain(struct nft_batch *b, int family, const char *name); /* with its rules */
void nft_del_rules(struct nft_batch *b, int family, const char *chain); /* all of the chain */
/* digest: for the comment of the first */
void nft_put_rules(struct nft_batch *b, int family, const char *chain, const struct nft_step *v, size_t n, uint64_t digest);
/* Elements of one set. */
void nft_put_elements(struct nft_batch *b, int family, const struct nft_object *v, size_t n);
struct nft_key {
	const unsigned char *bytes;
	unsigned n;
	bool end;
};
void nft_del_elements(struct nft_batch *b, int family, const char *set, const struct nft_key *v, size_t n);

#endif
