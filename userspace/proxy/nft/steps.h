/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NFT_STEPS_H
#define NFT_STEPS_H
/*
 * What a chain does, as a list of steps: the one description from which its rules are made and its digest is taken. A digest
 * stands in the comment of a chain's first rule, so that what an earlier run left is known to be right or wrong by it.
 */
#include "xb/plan.h"
#include "xb/vec.h"

enum nft_step_kind {
	STEP_RULE = 1,      /* a new rule begins */
	/* a part of the rule's key, each behind the one before; then what is done with the key */
	STEP_SADDR, STEP_DADDR, STEP_PROTO, STEP_DPORT,
	STEP_RANDOM,        /* below number */
	STEP_IN,            /* the rule ends when the key is not in set name */
	STEP_NOT_IN,
	STEP_VMAP,          /* the verdict that map name has for the key, if any */
	STEP_REMEMBER,      /* the key into set name for number seconds, and seconds anew when it is there */
	/* the rule ends unless it is so */
	STEP_NEW,           /* the connection's first packet */
	STEP_TCP,
	STEP_CHANCE,        /* one time in number, at random */
	STEP_FROM,          /* source address in net */
	STEP_FROM_NODE,     /* source address is one of this machine's */
	STEP_MARKED,        /* to be masqueraded */
	/* what is done */
	STEP_MARK,
	STEP_UNMARK,
	STEP_JUMP, STEP_GOTO, /* chain name */
	STEP_RETURN, STEP_DROP,
	STEP_RESET,         /* refused by a TCP RST */
	STEP_REFUSE,        /* refused by ICMP: port unreachable */
	STEP_DNAT,          /* to address net.addr, port number */
	STEP_MASQUERADE,    /* from a random port */
};

struct nft_step {
	enum nft_step_kind kind;
	__u32 number;
	const char *name;   /* borrowed */
	struct xb_plan_net net;
};
struct nft_steps {
	struct nft_step *v;
	size_t n, cap;
	int err;            /* 0 or -ENOMEM, sticky */
};

void nft_step(struct nft_steps *s, struct nft_step step);

/* Digests: FNV-1a of 64 bits, the same in each process. */
#define NFT_DIGEST 0xcbf29ce484222325ULL
uint64_t nft_digest(uint64_t digest, const void *bytes, size_t n);
uint64_t nft_steps_digest(const struct nft_step *v, size_t n); /* never 0 */

#endif
