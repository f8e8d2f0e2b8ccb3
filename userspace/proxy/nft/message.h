/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NFT_MESSAGE_H
#define NFT_MESSAGE_H
/* The messages of a transaction about the table of one family: what the batch is of. */
#include "xb/nft.h"
#include "want.h"

#define NFT_TABLE "kube-proxy"
#define NFT_TABLE_COMMENT "xebec 1" /* by which a table is known as ours; another number for each other shape of its sets */

/* family: AF_INET, AF_INET6 */
void nft_put_table(struct xb_nft_batch *b, int family); /* makes it, where it is not there */
void nft_del_table(struct xb_nft_batch *b, int family); /* it is there */
void nft_put_set(struct xb_nft_batch *b, int family, const char *name, enum nft_set_kind kind);
void nft_del_set(struct xb_nft_batch *b, int family, const char *name);
void nft_put_chain(struct xb_nft_batch *b, int family, const char *name, const struct nft_hook *hook);
void nft_del_chain(struct xb_nft_batch *b, int family, const char *name); /* with its rules */
void nft_del_rules(struct xb_nft_batch *b, int family, const char *chain); /* all of the chain */
/* digest: for the comment of the first */
void nft_put_rules(struct xb_nft_batch *b, int family, const char *chain, const struct nft_step *v, size_t n, uint64_t digest);
/* Elements of one set. */
void nft_put_elements(struct xb_nft_batch *b, int family, const struct nft_object *v, size_t n);
struct nft_key {
	const unsigned char *bytes;
	unsigned n;
	bool end;
};
void nft_del_elements(struct xb_nft_batch *b, int family, const char *set, const struct nft_key *v, size_t n);

#endif
