/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NFT_WANT_H
#define NFT_WANT_H
/*
 * What is to be in the table of one family: sets, chains and elements, for everybody (base.c) and for one service port
 * (want.c). Pure functions of what they are given.
 *
 *	service-ips, service-nodeports     { [address .] protocol . port : goto service-... or external-... }
 *	no-endpoint-services, -nodeports   the same, for what has no endpoint: drop, or goto reject
 *	firewall-ips                       the same, for load balancer IPs with source ranges: goto firewall-...
 *	cluster-ips                        { address }: other ports of these are refused
 *	nodeport-ips                       { address }: node ports answer here
 *	pod-networks, service-networks     { network }
 *
 * and of a port, each only where it is needed:
 *
 *	chain service-PORT    by cluster IP: set INTERNAL. numgen random mod n vmap @service-PORT, or, of few, rules
 *	chain external-PORT   by other addresses: who asks, whether to masquerade; then service-PORT, cluster-PORT or local-PORT
 *	chain cluster-PORT    set EXTERNAL, chain local-PORT set OUTSIDE, where they are not the same as another
 *	chain firewall-PORT   source ranges
 *	chain endpoint-PORT__ADDRESS/PORT   masquerade when it asks itself, remember the client, dnat
 *	set affinity-PORT__ADDRESS/PORT     its clients
 */
#include "names.h"
#include "steps.h"

enum nft_set_kind {
	NFT_ADDRS = 1,      /* addresses */
	NFT_NETS,           /* networks */
	NFT_CLIENTS,        /* addresses, each for a time */
	NFT_BY_ADDR,        /* address . protocol . port : verdict */
	NFT_BY_PORT,        /* protocol . port : verdict */
	NFT_BY_NUMBER,      /* 0, 1, ... : verdict */
};

#define NFT_KEY_MAX 24      /* an IPv6 address and two registers */

enum nft_object_kind {
	NFT_SET = 1, NFT_CHAIN, NFT_ELEMENT,
};

#define NFT_SERVICE_IPS      "service-ips"
#define NFT_NODEPORTS        "service-nodeports"
#define NFT_NO_SERVICES      "no-endpoint-services"
#define NFT_NO_NODEPORTS     "no-endpoint-nodeports"
#define NFT_FIREWALL_IPS     "firewall-ips"
#define NFT_CLUSTER_IPS      "cluster-ips"
#define NFT_NODEPORT_IPS     "nodeport-ips"
#define NFT_POD_NETWORKS     "pod-networks"
#define NFT_SERVICE_NETWORKS "service-networks"
#define NFT_REJECT_CHAIN     "reject"

struct nft_hook {
	const char *type;   /* "filter", "nat" */
	__u32 number;       /* NF_INET_PRE_ROUTING, ... */
	int priority;
};

struct nft_object {
	enum nft_object_kind kind;
	const char *name;   /* of an element: its set's */
	uint64_t digest;    /* of all that can differ under this name and key; never 0 */
	enum nft_set_kind set; /* and of an element: its set's */
	struct {
		const struct nft_hook *hook; /* NULL: others jump to it */
		size_t first, n; /* among the steps */
	} chain;
	struct {
		unsigned char key[NFT_KEY_MAX];
		unsigned key_bytes;
		bool shared;    /* several ports may have it */
		bool end;       /* the end of a network, not in it */
		const char *chain; /* goto it; NULL: drop. Of maps */
	} element;
};

struct nft_wanted {
	int family;         /* AF_INET, AF_INET6 */
	struct xb_arena *arena; /* names; its owner's */
	struct nft_object *v;
	size_t n, cap;
	struct nft_steps steps;
	int err;            /* 0 or -ENOMEM, sticky */
};
/* One more step; its other members by name. */
#define STEP(w, kind_, ...) nft_step(&(w)->steps, (struct nft_step){ .kind = (kind_), __VA_ARGS__ })
void nft_wanted_clear(struct nft_wanted *w); /* keeps the memory */
void nft_wanted_done(struct nft_wanted *w);

/* Each appends. */
void nft_want_set(struct nft_wanted *w, const char *name, enum nft_set_kind kind);
/* The chain's steps are those pushed since first == w->steps.n was read. */
void nft_want_chain(struct nft_wanted *w, const char *name, const struct nft_hook *hook, size_t first);
void nft_want_addr(struct nft_wanted *w, const char *set, const struct xb_plan_addr *addr, bool shared);
void nft_want_net(struct nft_wanted *w, const char *set, const struct xb_plan_net *net);
void nft_want_port(struct nft_wanted *w, const struct xb_plan_port *p);

/* addrs: at which node ports answer. */
void nft_want_base(struct nft_wanted *w, const struct xb_plan_node *node, const struct xb_plan_addr *addrs, size_t n);

uint64_t nft_verdict_digest(const char *chain); /* of an element: goto chain, or drop for NULL */

#endif
