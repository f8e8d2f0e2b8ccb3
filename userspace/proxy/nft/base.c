/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Before the kernel's headers, which make way for the C library's names. */
#include "want.h"

#include <linux/netfilter.h>

/* NF_IP_PRI_NAT_DST and _SRC of linux/netfilter_ipv4.h, the same for IPv6, and what must see packets right before and behind the former. */
#define DNAT   (-100)
#define SNAT   100
#define BEFORE (DNAT - 10)
#define BEHIND (DNAT + 10)

static const struct nft_hook hooks[] = {
	{ "filter", NF_INET_PRE_ROUTING, BEFORE }, { "filter", NF_INET_LOCAL_IN, BEFORE }, { "filter", NF_INET_FORWARD, BEFORE },
	{ "filter", NF_INET_LOCAL_OUT, BEFORE }, { "filter", NF_INET_LOCAL_OUT, BEHIND },
	{ "nat", NF_INET_PRE_ROUTING, DNAT }, { "nat", NF_INET_LOCAL_OUT, DNAT }, { "nat", NF_INET_POST_ROUTING, SNAT },
};
enum {
	FILTER_PREROUTING, FILTER_INPUT, FILTER_FORWARD, FILTER_OUTPUT, FILTER_OUTPUT_POST_DNAT,
	NAT_PREROUTING, NAT_OUTPUT, NAT_POSTROUTING,
};

static void want_sets(struct nft_wanted *w)
{
	nft_want_set(w, NFT_SERVICE_IPS, NFT_BY_ADDR);
	nft_want_set(w, NFT_NODEPORTS, NFT_BY_PORT);
	nft_want_set(w, NFT_NO_SERVICES, NFT_BY_ADDR);
	nft_want_set(w, NFT_NO_NODEPORTS, NFT_BY_PORT);
	nft_want_set(w, NFT_FIREWALL_IPS, NFT_BY_ADDR);
	nft_want_set(w, NFT_CLUSTER_IPS, NFT_ADDRS);
	nft_want_set(w, NFT_NODEPORT_IPS, NFT_ADDRS);
	nft_want_set(w, NFT_POD_NETWORKS, NFT_NETS);
	nft_want_set(w, NFT_SERVICE_NETWORKS, NFT_NETS);
}

static void want_refusal(struct nft_wanted *w)
{
	size_t first = w->steps.n;

	STEP(w, STEP_RULE);
	STEP(w, STEP_TCP);
	STEP(w, STEP_RESET);
	STEP(w, STEP_RULE);
	STEP(w, STEP_REFUSE);
	nft_want_chain(w, NFT_REJECT_CHAIN, NULL, first);
}

static void look_up_service(struct nft_wanted *w, const char *map)
{
	STEP(w, STEP_RULE);
	STEP(w, STEP_DADDR);
	STEP(w, STEP_PROTO);
	STEP(w, STEP_DPORT);
	STEP(w, STEP_VMAP, .name = map);
}

static void look_up_nodeport(struct nft_wanted *w, const char *map)
{
	STEP(w, STEP_RULE);
	STEP(w, STEP_DADDR);
	STEP(w, STEP_IN, .name = NFT_NODEPORT_IPS);
	STEP(w, STEP_PROTO);
	STEP(w, STEP_DPORT);
	STEP(w, STEP_VMAP, .name = map);
}

/* Pods that ask a cluster IP keep their address. Where pods live is not always known: then everybody does. */
static void mark_strangers(struct nft_wanted *w, const struct xb_plan_node *node)
{
	if (!node->masquerade_all && !node->pods[w->family == AF_INET6].n)
		return;
	STEP(w, STEP_RULE);
	STEP(w, STEP_DADDR);
	STEP(w, STEP_IN, .name = NFT_CLUSTER_IPS);
	if (!node->masquerade_all) {
		STEP(w, STEP_SADDR);
		STEP(w, STEP_NOT_IN, .name = NFT_POD_NETWORKS);
	}
	STEP(w, STEP_MARK);
}

static void want_checks(struct nft_wanted *w, const struct xb_plan_node *node)
{
	size_t first = w->steps.n;

	look_up_service(w, NFT_FIREWALL_IPS);
	nft_want_chain(w, "firewall-check", NULL, first);
	first = w->steps.n;
	look_up_service(w, NFT_NO_SERVICES);
	nft_want_chain(w, "service-endpoints-check", NULL, first);
	first = w->steps.n;
	look_up_nodeport(w, NFT_NO_NODEPORTS);
	nft_want_chain(w, "nodeport-endpoints-check", NULL, first);
	/* What is still for a cluster IP behind DNAT is for a port that it has not. */
	first = w->steps.n;
	STEP(w, STEP_RULE);
	STEP(w, STEP_DADDR);
	STEP(w, STEP_IN, .name = NFT_CLUSTER_IPS);
	STEP(w, STEP_GOTO, .name = NFT_REJECT_CHAIN);
	STEP(w, STEP_RULE);
	STEP(w, STEP_DADDR);
	STEP(w, STEP_IN, .name = NFT_SERVICE_NETWORKS);
	STEP(w, STEP_DROP);
	nft_want_chain(w, "cluster-ips-check", NULL, first);
	first = w->steps.n;
	mark_strangers(w, node);
	look_up_service(w, NFT_SERVICE_IPS);
	look_up_nodeport(w, NFT_NODEPORTS);
	nft_want_chain(w, "services", NULL, first);
	first = w->steps.n;
	STEP(w, STEP_RULE);
	STEP(w, STEP_MARKED);
	STEP(w, STEP_UNMARK);
	STEP(w, STEP_MASQUERADE);
	nft_want_chain(w, "masquerading", NULL, first);
}

static void check_new(struct nft_wanted *w, const char *chain)
{
	STEP(w, STEP_RULE);
	STEP(w, STEP_NEW);
	STEP(w, STEP_JUMP, .name = chain);
}

/* The checks for missing endpoints come behind DNAT everywhere: whom a narrowed set does not concern is on its way by then. */
static void want_filters(struct nft_wanted *w)
{
	size_t first = w->steps.n;

	check_new(w, "firewall-check");
	nft_want_chain(w, "filter-prerouting", &hooks[FILTER_PREROUTING], first);
	first = w->steps.n;
	check_new(w, "nodeport-endpoints-check");
	check_new(w, "service-endpoints-check");
	nft_want_chain(w, "filter-input", &hooks[FILTER_INPUT], first);
	first = w->steps.n;
	check_new(w, "service-endpoints-check");
	check_new(w, "cluster-ips-check");
	nft_want_chain(w, "filter-forward", &hooks[FILTER_FORWARD], first);
	first = w->steps.n;
	check_new(w, "firewall-check");
	nft_want_chain(w, "filter-output", &hooks[FILTER_OUTPUT], first);
	first = w->steps.n;
	check_new(w, "service-endpoints-check");
	check_new(w, "cluster-ips-check");
	nft_want_chain(w, "filter-output-post-dnat", &hooks[FILTER_OUTPUT_POST_DNAT], first);
}

static void want_nat(struct nft_wanted *w)
{
	static const struct {
		const char *name;
		int hook;
		const char *to;
	} nat[] = {
		{ "nat-prerouting", NAT_PREROUTING, "services" }, { "nat-output", NAT_OUTPUT, "services" },
		{ "nat-postrouting", NAT_POSTROUTING, "masquerading" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(nat); i++) {
		size_t first = w->steps.n;

		STEP(w, STEP_RULE);
		STEP(w, STEP_JUMP, .name = nat[i].to);
		nft_want_chain(w, nat[i].name, &hooks[nat[i].hook], first);
	}
}

static bool within(const struct xb_plan_net *n, const struct xb_plan_net *in)
{
	for (unsigned i = 0; i < in->bits; i++)
		if ((n->addr.b[i / 8] ^ in->addr.b[i / 8]) & (0x80 >> i % 8))
			return false;
	return n->bits >= in->bits;
}

/* Without those within another: the kernel takes no intervals that overlap. */
static void want_nets(struct nft_wanted *w, const char *set, const struct xb_plan_nets *nets)
{
	for (size_t i = 0; i < nets->n; i++) {
		bool covered = false;

		for (size_t k = 0; k < nets->n; k++)
			covered |= k != i && within(&nets->v[i], &nets->v[k]) && (k < i || nets->v[k].bits < nets->v[i].bits);
		if (!covered)
			nft_want_net(w, set, &nets->v[i]);
	}
}

void nft_want_base(struct nft_wanted *w, const struct xb_plan_node *node, const struct xb_plan_addr *addrs, size_t n)
{
	int f = w->family == AF_INET6;

	want_sets(w);
	want_refusal(w);
	want_checks(w, node);
	want_filters(w);
	want_nat(w);
	for (size_t i = 0; i < n; i++)
		nft_want_addr(w, NFT_NODEPORT_IPS, &addrs[i], false);
	want_nets(w, NFT_POD_NETWORKS, &node->pods[f]);
	want_nets(w, NFT_SERVICE_NETWORKS, &node->services[f]);
}
