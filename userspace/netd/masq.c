/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Before the kernel's headers, which make way for the C library's names. */
#include "ruleset.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "xb/map.h"
#include "xb/vec.h"
#include "xb/why.h"

struct nets {
	struct xb_net *v;
	size_t n, cap;
};
struct masq {
	struct masq_config c;
	struct xb_netlink *netlink;
	struct xb_map *counts;      /* of each element of the sets: by how many nodes */
};

struct masq *masq_free(struct masq *m)
{
	if (!m)
		return NULL;
	xb_netlink_free(m->netlink);
	xb_map_free(m->counts);
	free(m);
	return NULL;
}

int masq_new(const struct masq_config *c, struct masq **ret, char **reterr_why)
{
	_cleanup_(masq_freep) struct masq *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	m->c = *c;
	m->counts = xb_map_new(XB_MAP_COPY);
	r = m->counts ? xb_netlink_new_netfilter(&m->netlink) : -ENOMEM;
	if (r < 0) {
		errno = -r;
		return xb_why(reterr_why, r, "cannot open a netfilter socket: %m");
	}
	*ret = TAKE_PTR(m);
	return 0;
}

uint32_t masq_portid(const struct masq *m)
{
	return xb_netlink_portid(m->netlink);
}

/* --- networks --- */
static int compare(const void *a, const void *b)
{
	const struct xb_net *x = a, *y = b;
	int r = xb_ip_cmp(&x->ip, &y->ip);

	return r ? r : (int)x->bits - (int)y->bits;
}

size_t masq_disjoint(struct xb_net *nets, size_t n)
{
	size_t kept = 0;

	if (n)
		qsort(nets, n, sizeof(*nets), compare);
	/* Networks contain one another or are apart, so the last that was kept is the only one that may hold the next. */
	for (size_t i = 0; i < n; i++)
		if (!kept || !xb_net_contains(&nets[kept - 1], &nets[i].ip))
			nets[kept++] = nets[i];
	return kept;
}

static bool in_cluster_cidr(const struct masq *m, const struct xb_net *n)
{
	for (size_t i = 0; i < m->c.n; i++)
		if (xb_net_contains(&m->c.cidrs[i], &n->ip) && m->c.cidrs[i].bits <= n->bits)
			return true;
	return false;
}

/* How often an element is claimed: the map's values are counts. Returns the count before. */
static int count(struct masq *m, enum ruleset_set set, const struct xb_net *n, int by, uintptr_t *ret_before)
{
	char key[1 + sizeof(*n)] = { (char)set };
	struct xb_sv sv = { key, sizeof(key) };
	uintptr_t before;

	memcpy(key + 1, n, sizeof(*n));
	before = (uintptr_t)xb_map_get(m->counts, sv);
	*ret_before = before;
	if (before + by == 0) {
		xb_map_del(m->counts, sv);
		return 0;
	}
	return xb_map_set(m->counts, sv, (void *)(before + by), NULL);
}

/* Each element that a node puts into a set. */
static int each_element(const struct masq *m, const struct peer *p,
			int (*each)(void *arg, enum ruleset_set set, const struct xb_net *n), void *arg)
{
	int r = 0;

	for (int f = 0; !r && f < FAMILIES; f++) {
		struct xb_net host = xb_net_host(&p->ips[f]);

		if (p->cidrs[f].ip.family != AF_UNSPEC && !in_cluster_cidr(m, &p->cidrs[f]))
			r = each(arg, RULESET_PODS + f, &p->cidrs[f]);
		if (!r && p->ips[f].family != AF_UNSPEC)
			r = each(arg, RULESET_NODES + f, &host);
	}
	return r;
}

/* --- all of it --- */
struct gathering {
	struct masq *m;
	struct nets sets[RULESET_SETS];
};

static void gathering_done(struct gathering *g)
{
	for (int i = 0; i < RULESET_SETS; i++)
		xb_vec_done(&g->sets[i]);
}

static int gather(void *arg, enum ruleset_set set, const struct xb_net *n)
{
	struct gathering *g = arg;
	uintptr_t before;
	int r = count(g->m, set, n, 1, &before);

	return r < 0 || before ? r : xb_vec_push(&g->sets[set], *n);
}

static int gather_all(struct gathering *g, const struct peer *self, const struct peer *const *peers, size_t n)
{
	int r = each_element(g->m, self, gather, g);

	for (size_t i = 0; !r && i < n; i++)
		r = each_element(g->m, peers[i], gather, g);
	for (size_t i = 0; !r && i < g->m->c.n; i++)
		r = xb_vec_push(&g->sets[RULESET_PODS + family_index(g->m->c.cidrs[i].ip.family)], g->m->c.cidrs[i]);
	for (int f = 0; !r && f < FAMILIES; f++)
		if (self->cidrs[f].ip.family != AF_UNSPEC)
			r = xb_vec_push(&g->sets[RULESET_LOCAL + f], self->cidrs[f]);
	return r;
}

int masq_set(struct masq *m, const struct peer *self, const struct peer *const *peers, size_t n, char **reterr_why)
{
	_cleanup_(gathering_done) struct gathering g = { .m = m };
	_cleanup_(xb_nft_done) struct xb_nft_batch batch = { .table = MASQ_TABLE };
	int r;

	xb_map_free(m->counts);
	m->counts = xb_map_new(XB_MAP_COPY);
	if (!m->counts)
		return -ENOMEM;
	r = gather_all(&g, self, peers, n);
	if (r < 0)
		return r;
	xb_nft_begin(&batch);
	ruleset_table(&batch);
	for (int i = 0; i < RULESET_SETS; i++)
		ruleset_elements(&batch, (enum ruleset_set)i, true, g.sets[i].v, masq_disjoint(g.sets[i].v, g.sets[i].n));
	ruleset_rules(&batch);
	r = xb_nft_commit(&batch, m->netlink);
	return r < 0 ? xb_why(reterr_why, r, "cannot set the nftables table " MASQ_TABLE ": %s", xb_netlink_why(m->netlink, r)) : 0;
}

/* --- one node --- */
struct change {
	struct masq *m;
	struct xb_nft_batch *batch;
	int by;
};

static int change_element(void *arg, enum ruleset_set set, const struct xb_net *n)
{
	struct change *c = arg;
	uintptr_t before;
	int r = count(c->m, set, n, c->by, &before);

	if (!r && (c->by > 0 ? !before : before == 1))
		ruleset_elements(c->batch, set, c->by > 0, n, 1);
	return r;
}

int masq_change(struct masq *m, const struct peer *had, const struct peer *now)
{
	_cleanup_(xb_nft_done) struct xb_nft_batch batch = { .table = MASQ_TABLE };
	struct change c = { m, &batch, 1 };
	int r;

	xb_nft_begin(&batch);
	/* What it has still is counted up before it is counted down, so it never leaves the set. */
	r = now ? each_element(m, now, change_element, &c) : 0;
	c.by = -1;
	if (!r && had)
		r = each_element(m, had, change_element, &c);
	return r < 0 || !batch.messages ? r : xb_nft_commit(&batch, m->netlink);
}

/* --- notices, and leaving --- */
bool masq_matters(const struct nlmsghdr *h)
{
	static const uint16_t taken[] = { NFT_MSG_DELTABLE, NFT_MSG_DELCHAIN, NFT_MSG_DELRULE, NFT_MSG_DELSET, NFT_MSG_DELSETELEM };
	const struct nlattr *a;

	if (h->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES || h->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(struct nfgenmsg))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		if ((h->nlmsg_type & 0xff) != taken[i])
			continue;
		/* In each of these the first attribute type is the table's name. */
		mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
			if (mnl_attr_get_type(a) == NFTA_TABLE_NAME)
				return mnl_attr_get_payload_len(a) == sizeof(MASQ_TABLE) &&
				       !memcmp(mnl_attr_get_payload(a), MASQ_TABLE, sizeof(MASQ_TABLE));
	}
	return false;
}

int masq_cleanup(char **reterr_why)
{
	_cleanup_(xb_netlink_freep) struct xb_netlink *n = NULL;
	_cleanup_(xb_nft_done) struct xb_nft_batch batch = { .table = MASQ_TABLE };
	int r = xb_netlink_new_netfilter(&n);

	if (!r) {
		xb_nft_begin(&batch);
		ruleset_no_table(&batch);
		r = xb_nft_commit(&batch, n);
	}
	return r < 0 ? xb_why(reterr_why, r, "cannot remove the nftables table " MASQ_TABLE ": %s", n ? xb_netlink_why(n, r) : strerror(-r)) : 0;
}
