/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NFT_READ_H
#define NFT_READ_H
/* What the kernel has of our table, into a ledger. */
#include "ledger.h"
#include "xb/netlink.h"

enum nft_found {
	NFT_NOTHING, NFT_OURS, NFT_FOREIGN, /* foreign: a table of that name, of another program's or shape */
};
int nft_read_table(struct xb_netlink *n, int family, enum nft_found *ret);
/* Of an empty ledger. Clients that are remembered are not looked at. */
int nft_read_ledger(struct xb_netlink *n, struct nft_ledger *l);

/* One message of an answer. Outside bytes: nothing is trusted. */
struct nft_reading {
	struct nft_ledger *ledger;
	enum nft_found found;       /* by a table */
	struct {
		char **v;
		size_t n, cap;
	} sets;                     /* whose elements are to be read */
};
int nft_read_message(void *reading, const struct nlmsghdr *h);
void nft_reading_done(struct nft_reading *r);

#endif
