/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* --proxy-mode=nftables: a data plane of the kernel's packet filter, in the table kube-proxy of each family. */
#include "../data_plane.h"
#include "../port_key.h"
#include "flow_stale.h"
#include "read.h"
#include "xb/log.h"
#include "xb/vec.h"
#include "xb/why.h"

#define BATCH_BYTES (4 << 20)       /* a batch is sent when it has grown to this */
#define PRUNE_MAX   4096            /* objects that a batch removes */

struct ended {
	int family;
	struct xb_plan_backend by;
};

struct side {
	struct nft_ledger ledger;
	struct nft_owner *base;
	struct xb_map *ports;       /* of struct nft_owner, by protocol and name */
	struct xb_plan_addr *addrs;    /* of the node, where node ports answer */
	size_t n_addrs;
};

struct nft {
	struct xb_netlink *netlink;
	struct side sides[2];       /* IPv4, IPv6 */
	struct xb_arena *arena;     /* of one change */
	struct nft_wanted wanted;
	struct xb_nft_batch batch;  /* what is set and not sent */
	XB_VEC(struct nft_owner *) in_batch; /* by the messages' number less 1; NULL: gone */
	XB_VEC(struct ended) ended; /* whose flows of UDP end once the batch is in the kernel */
	struct xb_plan_node node;
	bool node_known;            /* set_node was called */
	struct xb_map *refused;     /* ports that the kernel refused in company: they go alone. Family, protocol, name */
	bool lost;                  /* the ledgers are not what the kernel has */
	char *why;                  /* of that */
	__u64 batches, bytes;
};

/* --- sides */
static struct xb_sv within_family(struct xb_sv key)
{
	return (struct xb_sv){ key.p + 1, key.n - 1 };
}

static struct side *side_of(struct nft *t, int family)
{
	return &t->sides[family == AF_INET6];
}

static void side_done(struct side *s)
{
	for (struct xb_map_it it = {}; s->ports && xb_map_next(s->ports, &it);)
		nft_owner_free(it.value);
	s->ports = xb_map_free(s->ports);
	nft_owner_free(s->base);
	s->base = NULL;
	nft_ledger_done(&s->ledger);
}

static int side_init(struct side *s, int family)
{
	s->ports = xb_map_new(XB_MAP_COPY);
	s->base = nft_owner_new("", XB_PROTO_NONE);
	return s->ports && s->base ? nft_ledger_init(&s->ledger, family) : -ENOMEM;
}

/* --- sending */
static void lose(struct nft *t, const char *why)
{
	if (t->lost)
		return;
	t->lost = true;
	t->why = strdup(why);
}

static int send_batch(struct nft *t)
{
	int r = xb_nft_commit(&t->batch, t->netlink);

	t->batches++;
	t->bytes += t->batch.buf.n;
	return r;
}

static void begin_batch(struct nft *t)
{
	xb_nft_begin(&t->batch);
	t->in_batch.n = 0;
}

/* The port whose message the kernel refused goes alone from now on, and its fault will be its own. */
static void note_refused(struct nft *t)
{
	uint32_t seq = xb_netlink_fault_seq(t->netlink);
	const struct nft_owner *o = seq && seq <= t->in_batch.n ? t->in_batch.v[seq - 1] : NULL;

	for (int i = 0; o && i < 2; i++) {
		char text[PORT_KEY_SIZE];
		struct xb_sv k = port_key(text, t->sides[i].ledger.family, o->name, o->proto);

		if (xb_map_get(t->sides[i].ports, within_family(k)) == o)
			xb_map_set(t->refused, k, t, NULL);
	}
}

/* What is set and not sent. Nothing is known any more when the kernel refuses it. */
static void flush(struct nft *t)
{
	int r;

	if (t->lost || !t->batch.messages)
		return;
	r = send_batch(t);
	if (r < 0) {
		_cleanup_free_ char *why = NULL;

		note_refused(t);
		xb_why(&why, r, "the kernel refuses a change of the nftables table " NFT_TABLE ": %s", xb_netlink_why(t->netlink, r));
		lose(t, why ? why : "");
	}
	begin_batch(t);
}

/* --- changes */
static int note_ended(struct nft *t, const struct nft_ledger *l, const struct nft_change *c)
{
	for (size_t i = 0; i < c->stale.n; i++) {
		const char *name = nft_entry_name(c->stale.v[i]);
		struct ended e = { .family = l->family };

		if (c->stale.v[i]->kind != NFT_CHAIN || strncmp(name, NFT_ENDPOINT, strlen(NFT_ENDPOINT)) || !strstr(name, "/udp"))
			continue;
		if (nft_name_backend(name, l->family, &e.by) && xb_vec_push(&t->ended, e) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int keep(struct nft *t, struct side *s, struct nft_change *c)
{
	int r = note_ended(t, &s->ledger, c), kept = nft_change_keep(&s->ledger, c);

	if (kept < 0) {
		nft_change_drop(&s->ledger, c);
		r = kept;
	}
	if (r < 0)
		lose(t, strerror(-r));
	return r;
}

/* What t->wanted says, of o, to the batch. */
static int gather(struct nft *t, struct side *s, struct nft_owner *o, char **reterr_why)
{
	struct nft_change c = {};
	int r, conflict;

	r = xb_vec_push(&t->in_batch, o);
	if (r < 0)
		return r;
	t->batch.seq = (__u32)t->in_batch.n;
	conflict = nft_ledger_change(&s->ledger, o, &t->wanted, &t->batch, &c, reterr_why);
	if (conflict < 0 && conflict != -EADDRINUSE) {
		lose(t, strerror(-conflict));
		return conflict;
	}
	r = keep(t, s, &c);
	if (t->batch.buf.n > BATCH_BYTES)
		flush(t);
	return r < 0 ? r : conflict;
}

/* The same, at once and alone: what the kernel says of it is o's. */
static int send_alone(struct nft *t, struct side *s, struct nft_owner *o, char **reterr_why)
{
	struct nft_change c = {};
	int r, conflict;

	flush(t);
	if (t->lost)
		return 0;
	t->batch.seq = 0;
	conflict = nft_ledger_change(&s->ledger, o, &t->wanted, &t->batch, &c, reterr_why);
	if (conflict < 0 && conflict != -EADDRINUSE) {
		lose(t, strerror(-conflict));
		return conflict;
	}
	r = t->batch.messages ? send_batch(t) : 0;
	begin_batch(t);
	if (r < 0) {
		nft_change_drop(&s->ledger, &c);
		return xb_why(reterr_why, r, "the kernel refuses it: %s", xb_netlink_why(t->netlink, r));
	}
	r = keep(t, s, &c);
	return r < 0 ? r : conflict;
}

static int fresh_wanted(struct nft *t, int family)
{
	xb_arena_free(t->arena);
	t->arena = xb_arena_new(0);
	nft_wanted_clear(&t->wanted);
	t->wanted.family = family;
	t->wanted.arena = t->arena;
	return t->arena ? 0 : -ENOMEM;
}

static int find_or_add(struct side *s, const struct xb_plan_port *p, struct nft_owner **ret)
{
	char text[PORT_KEY_SIZE];
	struct xb_sv k = port_key(text, p->family, p->name, p->proto);
	struct nft_owner *o = xb_map_get(s->ports, within_family(k));
	int r = 0;

	if (!o) {
		o = nft_owner_new(p->name, p->proto);
		r = o ? xb_map_set(s->ports, within_family(k), o, NULL) : -ENOMEM;
	}
	if (r < 0) {
		nft_owner_free(o);
		return r;
	}
	*ret = o;
	return 0;
}

static int nft_set(void *tables, const struct xb_plan_port *p, char **reterr_why)
{
	struct nft *t = tables;
	struct side *s = side_of(t, p->family);
	char text[PORT_KEY_SIZE];
	struct xb_sv k;
	struct nft_owner *o;
	int r;

	if (t->lost)
		return 0;
	if (!p->name || strlen(p->name) >= sizeof(struct xb_name))
		return xb_why(reterr_why, -EINVAL, "the name of a service port may have 1 to %zu bytes", sizeof(struct xb_name) - 1);
	r = find_or_add(s, p, &o);
	if (!r)
		r = fresh_wanted(t, p->family);
	if (r < 0)
		return r;
	nft_want_port(&t->wanted, p);
	k = port_key(text, p->family, p->name, p->proto);
	if (!xb_map_get(t->refused, k))
		return gather(t, s, o, reterr_why);
	r = send_alone(t, s, o, reterr_why);
	if (!r)
		xb_map_del(t->refused, k);
	return r;
}

static int nft_remove(void *tables, const char *name, int family, enum xb_proto proto)
{
	struct nft *t = tables;
	struct side *s = side_of(t, family);
	char text[PORT_KEY_SIZE];
	struct xb_sv k = port_key(text, family, name, proto);
	struct nft_owner *o = xb_map_get(s->ports, within_family(k));
	int r;

	if (!o)
		return -ENOENT;
	r = fresh_wanted(t, family);
	if (!r && !t->lost)
		r = gather(t, s, o, NULL);
	if (r < 0)
		return r;
	for (size_t i = 0; i < t->in_batch.n; i++)
		if (t->in_batch.v[i] == o)
			t->in_batch.v[i] = NULL;
	xb_map_del(s->ports, within_family(k));
	nft_owner_free(o);
	return 0;
}

/* Ways in, of which each port has at least one. */
static int count_ways_in(const struct nft_change *c)
{
	static const char *const maps[] = { NFT_SERVICE_IPS, NFT_NODEPORTS, NFT_NO_SERVICES, NFT_NO_NODEPORTS };
	int n = 0;

	for (size_t i = 0; i < c->stale.n; i++)
		for (size_t k = 0; k < ARRAY_SIZE(maps); k++)
			n += c->stale.v[i]->kind == NFT_ELEMENT && !strcmp(nft_entry_name(c->stale.v[i]), maps[k]);
	return n;
}

static int nft_prune(void *tables)
{
	struct nft *t = tables;
	int n = 0;

	for (int i = 0; i < 2; i++) {
		struct side *s = &t->sides[i];
		size_t went = 1;

		while (went && !t->lost) {
			struct nft_change c = {};
			int r;

			flush(t);
			t->batch.seq = 0;
			r = nft_ledger_unwanted(&s->ledger, PRUNE_MAX, &t->batch, &c);
			if (r < 0) {
				lose(t, strerror(-r));
				break;
			}
			went = c.stale.n;
			n += count_ways_in(&c);
			keep(t, s, &c);
		}
	}
	return n;
}

/* --- flows of UDP */
struct flow_check {
	const struct nft_ledger *ledger;
	struct xb_arena *arena;
};

static bool flow_stale(void *arg, const struct nft_flow *f)
{
	const struct flow_check *c = arg;

	return nft_flow_stale(c->ledger, c->arena, f);
}

static void end_flows(struct nft *t)
{
	for (size_t i = 0; i < t->ended.n && !t->lost; i++) {
		int family = t->ended.v[i].family, r = fresh_wanted(t, family);
		struct flow_check c = { &side_of(t, family)->ledger, t->arena };

		if (!r)
			r = nft_flows_end(t->netlink, family, &t->ended.v[i].by, flow_stale, &c);
		if (r < 0)
			log_warning_errno(r, "cannot end flows of UDP to a backend that is gone: %m");
	}
	t->ended.n = 0;
}

/* --- the base */
static bool loopback(int family, const struct xb_plan_addr *a)
{
	return family == AF_INET ? a->b[0] == 127 : IN6_IS_ADDR_LOOPBACK((const struct in6_addr *)a->b);
}

/* At localhost no node port answers: what has such an address does not leave the loopback device. */
static int keep_addrs(struct side *s, int family, const struct xb_plan_addr *addrs, size_t n)
{
	struct xb_plan_addr *list = calloc(n + 1, sizeof(*list));
	size_t kept = 0;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (!loopback(family, &addrs[i]))
			list[kept++] = addrs[i];
	free(s->addrs);
	s->addrs = list;
	s->n_addrs = kept;
	return 0;
}

static int want_base(struct nft *t, struct side *s)
{
	int r = fresh_wanted(t, s->ledger.family);

	if (!r)
		nft_want_base(&t->wanted, &t->node, s->addrs, s->n_addrs);
	return r;
}

static int set_base(struct nft *t, struct side *s)
{
	int r = want_base(t, s);

	if (!r && !t->lost)
		r = gather(t, s, s->base, NULL);
	flush(t);
	return r < 0 ? r : t->lost ? -ESTALE : 0;
}

static int nft_set_node_addrs(void *tables, int family, const struct xb_plan_addr *addrs, size_t n)
{
	struct nft *t = tables;
	struct side *s = side_of(t, family);
	int r = keep_addrs(s, family, addrs, n);

	return r < 0 || !t->node_known ? r : set_base(t, s);
}

static int nft_set_node(void *tables, const struct xb_plan_node *node)
{
	struct nft *t = tables;
	bool differs = !t->node_known || memcmp(&t->node, node, sizeof(*node));

	t->node = *node;
	t->node_known = true;
	for (int i = 0; i < 2; i++) {
		int r = set_base(t, &t->sides[i]);

		if (r < 0)
			return r;
	}
	return differs;
}

/* --- opening */
static int adopt(struct nft *t, struct side *s, enum nft_found *ret_found, char **reterr_why)
{
	enum nft_found found;
	int family = s->ledger.family, r = nft_read_table(t->netlink, family, &found);

	if (r < 0)
		return xb_why(reterr_why, r, "cannot read the nftables table " NFT_TABLE ": %s", xb_netlink_why(t->netlink, r));
	if (found == NFT_OURS)
		r = nft_read_ledger(t->netlink, &s->ledger);
	if (r < 0)
		return xb_why(reterr_why, r, "cannot read what is in the nftables table " NFT_TABLE ": %s", xb_netlink_why(t->netlink, r));
	if (found == NFT_FOREIGN) {
		log_warning("the nftables table %s %s was made by another program or version: it is replaced", family == AF_INET ? "ip" : "ip6", NFT_TABLE);
		nft_del_table(&t->batch, family);
	}
	if (found != NFT_OURS)
		nft_put_table(&t->batch, family);
	*ret_found = found;
	return 0;
}

/* Everything anew from the kernel: no port is known. A base is in place when it returns, that of an earlier run as it was until
 * the node is known. */
static int start(struct nft *t, char **reterr_why)
{
	static const int families[] = { AF_INET, AF_INET6 };
	int r = 0;

	begin_batch(t);
	for (int i = 0; !r && i < 2; i++) {
		struct side *s = &t->sides[i];
		enum nft_found found = NFT_NOTHING;
		struct nft_change c = {};

		side_done(s);
		r = side_init(s, families[i]);
		if (!r)
			r = adopt(t, s, &found, reterr_why);
		if (found == NFT_OURS && !t->node_known)
			continue;
		if (!r)
			r = want_base(t, s);
		if (!r)
			r = nft_ledger_change(&s->ledger, s->base, &t->wanted, &t->batch, &c, reterr_why);
		if (!r)
			r = keep(t, s, &c);
	}
	if (!r && t->batch.messages) {
		r = send_batch(t);
		if (r < 0)
			xb_why(reterr_why, r, "cannot set up the nftables table " NFT_TABLE ": %s", xb_netlink_why(t->netlink, r));
	}
	begin_batch(t);
	return r;
}

static void nft_close(void *tables)
{
	struct nft *t = tables;

	for (int i = 0; i < 2; i++) {
		side_done(&t->sides[i]);
		free(t->sides[i].addrs);
	}
	nft_wanted_done(&t->wanted);
	xb_arena_free(t->arena);
	xb_nft_done(&t->batch);
	xb_vec_done(&t->in_batch);
	xb_vec_done(&t->ended);
	xb_map_free(t->refused);
	xb_netlink_free(t->netlink);
	free(t->why);
	free(t);
}

static int nft_open(const struct apply_config *c, void **ret_tables, char **reterr_why)
{
	struct nft *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->batch.table = NFT_TABLE;
	t->refused = xb_map_new(XB_MAP_COPY);
	r = t->refused ? xb_netlink_new_netfilter(&t->netlink) : -ENOMEM;
	if (r < 0)
		xb_why(reterr_why, r, "cannot open a netfilter socket: %s", strerror(-r));
	if (!r)
		r = keep_addrs(&t->sides[0], AF_INET, c->node_addrs4, c->n_node_addrs4);
	if (!r)
		r = keep_addrs(&t->sides[1], AF_INET6, c->node_addrs6, c->n_node_addrs6);
	if (!r)
		r = start(t, reterr_why);
	if (r < 0) {
		nft_close(t);
		return r;
	}
	*ret_tables = t;
	return 0;
}

static int nft_commit(void *tables, char **reterr_why)
{
	struct nft *t = tables;
	int r;

	flush(t);
	end_flows(t);
	if (!t->lost)
		return 0;
	r = start(t, reterr_why);
	if (r < 0)
		return r;
	t->lost = false;
	*reterr_why = TAKE_PTR(t->why);
	return -ESTALE;
}

static int nft_reserve(void *tables, const struct xb_plan_counts *more)
{
	return 0;
}

static void nft_stats(const void *tables, struct apply_stats *ret)
{
	const struct nft *t = tables;

	*ret = (struct apply_stats){ .publishes = t->batches, .sent = t->bytes };
	for (int i = 0; i < 2; i++)
		ret->ports += xb_map_count(t->sides[i].ports);
}

static int nft_cleanup(const char *bpffs_path, char **reterr_why)
{
	static const int families[] = { AF_INET, AF_INET6 };
	_cleanup_(xb_netlink_freep) struct xb_netlink *n = NULL;
	_cleanup_(xb_nft_done) struct xb_nft_batch batch = { .table = NFT_TABLE };
	int r = xb_netlink_new_netfilter(&n);

	xb_nft_begin(&batch);
	for (size_t i = 0; !r && i < ARRAY_SIZE(families); i++) {
		enum nft_found found = NFT_NOTHING;

		r = nft_read_table(n, families[i], &found);
		/* a kernel without nf_tables has no table */
		if (r == -EINVAL || r == -EOPNOTSUPP)
			r = 0;
		if (!r && found == NFT_OURS)
			nft_del_table(&batch, families[i]);
	}
	if (!r && batch.messages)
		r = xb_nft_commit(&batch, n);
	return r < 0 ? xb_why(reterr_why, r, "cannot remove the nftables table " NFT_TABLE ": %s", n ? xb_netlink_why(n, r) : strerror(-r)) : 0;
}

const struct data_plane data_plane_nftables = {
	.mode = "nftables",
	.open = nft_open,
	.close = nft_close,
	.reserve = nft_reserve,
	.set = nft_set,
	.remove = nft_remove,
	.prune = nft_prune,
	.set_node_addrs = nft_set_node_addrs,
	.set_node = nft_set_node,
	.commit = nft_commit,
	.stats = nft_stats,
	.cleanup = nft_cleanup,
};
