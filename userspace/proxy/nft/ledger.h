/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NFT_LEDGER_H
#define NFT_LEDGER_H
/*
 * What the kernel's table of one family has, and whose it is. A change is what a port wants less what the ledger has: only that
 * becomes messages. What was adopted from an earlier run belongs to nobody until a port wants it.
 */
#include "message.h"
#include "xb/map.h"

struct nft_owner;
struct nft_entry {
	struct nft_owner *owner;    /* NULL: nobody, or several */
	uint64_t digest;            /* of what the kernel has; 0: nothing yet */
	__u32 refs;                 /* how many want it, when several may */
	__u32 stamp;                /* private */
	__u16 name_bytes, key_bytes; /* name and zero byte; of an element: key, and whether it is an end */
	enum nft_object_kind kind;
	char key[];                 /* kind, name, element's key */
};
static inline const char *nft_entry_name(const struct nft_entry *e)
{
	return e->key + 1;
}

/* A service port, or the base. */
struct nft_owner {
	struct {
		struct nft_entry **v;
		size_t n, cap;
	} entries;
	enum xb_proto proto;
	char name[];                /* as in struct xb_plan_port; "" of the base */
};

struct nft_owner *nft_owner_new(const char *name, enum xb_proto proto); /* NULL without memory */
struct nft_owner *nft_owner_free(struct nft_owner *o);  /* what it has stays in the ledger, which must not ask for its owner any more */

struct nft_ledger {
	int family;
	struct xb_map *entries;
	__u32 stamp;
};
int nft_ledger_init(struct nft_ledger *l, int family);
void nft_ledger_done(struct nft_ledger *l);

/* The kernel has it. 0 or -ENOMEM. */
int nft_ledger_adopt(struct nft_ledger *l, const struct nft_object *o);
/* The digest of o's name and key is set to that of the kernel, if that has it. */
const struct nft_entry *nft_ledger_find(const struct nft_ledger *l, const struct nft_object *o);

/* A change that is written to a batch and not yet known to hold. */
struct nft_change {
	struct nft_owner *owner;    /* NULL: what nobody wants goes */
	const struct nft_wanted *wanted; /* its numbers may be in another order than they were asked for */
	struct nft_entry **entries; /* of each wanted object; NULL: another's, or told twice */
	struct {
		struct nft_entry **v;
		size_t n, cap;
	} stale;                    /* goes, in this order */
};
/* -EADDRINUSE: another port has one of the elements; the rest is in the batch. Anything else: -ENOMEM, and nothing counts. */
int nft_ledger_change(struct nft_ledger *l, struct nft_owner *o, struct nft_wanted *w, struct xb_nft_batch *b, struct nft_change *ret,
		      char **reterr_why);
/* What no port wants: no more than max of it. */
int nft_ledger_unwanted(struct nft_ledger *l, size_t max, struct xb_nft_batch *b, struct nft_change *ret);
/* The kernel has taken it, or has not. Either ends it. -ENOMEM: the ledger is not right any more. */
int nft_change_keep(struct nft_ledger *l, struct nft_change *c);
void nft_change_drop(struct nft_ledger *l, struct nft_change *c);

#endif
