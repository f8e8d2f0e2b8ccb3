/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "dry_run.h"
#include "port_key.h"
#include "sources.h"
#include "tables.h"
#include "xb/frontends.h"
#include "xb/abi/hdr.h"
#include "xb/map.h"
#include "xb/vec.h"

struct held {
	__u32 slot;
	const char *name;
	enum xb_family family;
	enum xb_proto proto;
	bool seen;
	XB_VEC(struct xb_plan_frontend) frontends;
};

struct dry {
	struct tables *t;           /* NULL: nothing is pinned */
	struct held *v;             /* by slot; name NULL: free */
	struct xb_map *by_key;      /* the same */
	struct networks networks;
	size_t changes;
};

static const char *proto_text(enum xb_proto proto)
{
	return proto == XB_PROTO_TCP ? "TCP" : proto == XB_PROTO_UDP ? "UDP" : "SCTP";
}

/* "10.0.0.1:80" */
static const char *at_text(int family, const struct xb_plan_addr *addr, __u16 port, char ret[80])
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(family, addr->b, text, sizeof(text));
	snprintf(ret, 80, family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, port);
	return ret;
}

/* --- what is in the tables --- */

static const struct xb_svc *svc_at(const struct dry *d, __u32 slot)
{
	return (const struct xb_svc *)d->t->t[TABLE_SVC].mem + slot;
}

static int note_frontend(void *arg, const struct xb_fe_key *key, struct xb_fe fe)
{
	struct dry *d = arg;
	struct xb_plan_frontend f = { .kind = fe.kind, .port = key->port };
	struct held *h;

	if (fe.kind < XB_FRONTEND_CLUSTER_IP || fe.kind > XB_FRONTEND_LOAD_BALANCER || fe.svc >= d->t->t[TABLE_SVC].size)
		return 0;
	h = &d->v[fe.svc];
	if (h->family == XB_IPV6)
		memcpy(f.addr.b, key->addr.b, 16);
	else
		memcpy(f.addr.b, &key->addr.be32[3], 4);
	return h->name ? xb_vec_push(&h->frontends, f) : 0;
}

static int read_frontends(struct dry *d, enum table_id table, enum table_id overflow, enum xb_family family)
{
	const struct table *t = &d->t->t[table];
	__u64 seed = ((const struct xb_hdr *)d->t->t[TABLE_HDR].mem)->hash_seed;
	struct xb_frontends f;
	int r = xb_frontends_init(&f, t->mem, t->size, family, seed, d->t->t[overflow].fd);

	if (r < 0)
		return r;
	r = xb_frontends_walk(&f, note_frontend, d);
	xb_frontends_done(&f);
	return r;
}

static int read_tables(struct dry *d)
{
	__u32 n = d->t->t[TABLE_SVC].size;
	const struct xb_name *names;
	char key[PORT_KEY_SIZE];
	int r = tables_map(d->t, TABLE_NAME);

	if (r < 0)
		return r;
	names = d->t->t[TABLE_NAME].mem;
	d->v = calloc(n, sizeof(*d->v));
	d->by_key = xb_map_new(XB_MAP_COPY);
	if (!d->v || !d->by_key)
		return -ENOMEM;
	for (__u32 i = 1; !r && i < n; i++) {
		struct held *h = &d->v[i];

		if (!names[i].name[0])
			continue;
		*h = (struct held){ .slot = i, .name = names[i].name, .family = svc_at(d, i)->family, .proto = svc_at(d, i)->proto };
		r = xb_map_set(d->by_key, port_key(key, h->family, h->name, h->proto), h, NULL);
	}
	if (r == 0)
		r = read_frontends(d, TABLE_FE4, TABLE_OVF4, XB_IPV4);
	if (r == 0)
		r = read_frontends(d, TABLE_FE6, TABLE_OVF6, XB_IPV6);
	return r < 0 ? r : networks_read(d->t->t[TABLE_SRC].fd, &d->networks);
}

/* --- the differences of one port --- */

/* Prints the port before its first difference. */
struct diff {
	const char *verb, *name;
	int family;
	enum xb_proto proto;
	bool any;
};

static void _printf_(2, 3) differs(struct diff *c, const char *fmt, ...)
{
	va_list ap;

	if (!c->any)
		printf("%s %s %s %s\n", c->verb, c->name, proto_text(c->proto), c->family == AF_INET6 ? "IPv6" : "IPv4");
	c->any = true;
	if (!fmt)
		return;
	printf("  ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static const char *const kinds[] = {
	[XB_FRONTEND_CLUSTER_IP] = "cluster IP", [XB_FRONTEND_NODE_PORT] = "node port", [XB_FRONTEND_EXTERNAL_IP] = "external IP",
	[XB_FRONTEND_LOAD_BALANCER] = "load balancer IP",
};

static bool has_frontend(const struct xb_plan_frontend *list, size_t n, const struct xb_plan_frontend *f)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].kind == f->kind && list[i].port == f->port && !memcmp(&list[i].addr, &f->addr, sizeof(f->addr)))
			return true;
	return false;
}

static void diff_frontends(struct diff *c, const struct held *h, const struct xb_plan_port *p)
{
	const struct xb_plan_frontend *have = h ? h->frontends.v : NULL;
	size_t n = h ? h->frontends.n : 0;
	char at[80];

	for (size_t i = 0; i < p->n_frontends; i++)
		if (!has_frontend(have, n, &p->frontends[i]))
			differs(c, "+ %s %s", kinds[p->frontends[i].kind], at_text(c->family, &p->frontends[i].addr, p->frontends[i].port, at));
	for (size_t i = 0; i < n; i++)
		if (!has_frontend(p->frontends, p->n_frontends, &have[i]))
			differs(c, "- %s %s", kinds[have[i].kind], at_text(c->family, &have[i].addr, have[i].port, at));
}

static struct xb_plan_backend backend_at(const struct dry *d, int family, __u32 index)
{
	struct xb_plan_backend b = {};

	if (family == AF_INET6 && index < d->t->t[TABLE_BE6].size) {
		const struct xb_be6 *be = (const struct xb_be6 *)d->t->t[TABLE_BE6].mem + index;

		memcpy(b.addr.b, be->addr.b, 16);
		b.port = be->port;
		b.local = be->local;
	} else if (family == AF_INET && index < d->t->t[TABLE_BE4].size) {
		const struct xb_be4 *be = (const struct xb_be4 *)d->t->t[TABLE_BE4].mem + index;

		memcpy(b.addr.b, be->addr.b, 4);
		b.port = be->port;
		b.local = be->local;
	}
	return b;
}

static int backend_order(const struct xb_plan_backend *a, const struct xb_plan_backend *b)
{
	int order = memcmp(&a->addr, &b->addr, sizeof(a->addr));

	return order ? order : (int)a->port - (int)b->port;
}

/* Both are sorted. */
static void diff_set(const struct dry *d, struct diff *c, const char *name, struct xb_set have, const struct xb_plan_set *want)
{
	__u32 h = 0;
	char at[80];

	for (size_t w = 0; w < want->n || h < have.count;) {
		struct xb_plan_backend there = h < have.count ? backend_at(d, c->family, have.base + h) : (struct xb_plan_backend){};
		int order = h == have.count ? -1 : w == want->n ? 1 : backend_order(&want->backends[w], &there);
		const struct xb_plan_backend *b = order <= 0 ? &want->backends[w] : &there;

		at_text(c->family, &b->addr, b->port, at);
		if (order)
			differs(c, "%c %s %s", order < 0 ? '+' : '-', name, at);
		else if (b->local != there.local)
			differs(c, "~ %s %s is %s this node", name, at, b->local ? "on" : "not on");
		w += order <= 0;
		h += order >= 0;
	}
}

static void diff_flags(const struct dry *d, struct diff *c, const struct held *h, const struct xb_plan_port *p)
{
	static const struct xb_svc none;
	const struct xb_svc *svc = h ? svc_at(d, h->slot) : &none;
	bool maglev = p->maglev && p->set[XB_SCOPE_OUTSIDE].n;

	if (svc->affinity_seconds != p->affinity_seconds)
		differs(c, "~ session affinity: %u s (was %u)", p->affinity_seconds, svc->affinity_seconds);
	if (svc->dsr != p->dsr)
		differs(c, "~ direct server return: %s", p->dsr ? "on" : "off");
	if (!svc->maglev.size != !maglev)
		differs(c, "~ Maglev: %s", maglev ? "on" : "off");
	for (int i = 0; i < XB_SCOPES; i++)
		if (svc->drop[i] != p->set[i].drop_when_empty)
			differs(c, "~ without a backend: %s", p->set[i].drop_when_empty ? "silence" : "a refusal");
	if (!networks_are(&d->networks, svc->source_ranges, p))
		differs(c, "~ source ranges: %zu", p->n_source_ranges);
}

static int dry_set(void *tables, const struct xb_plan_port *p, char **reterr_why)
{
	static const char *const sets[] = { "internal", "external", "outside", "serving" };
	struct dry *d = tables;
	char key[PORT_KEY_SIZE];
	struct xb_sv k = port_key(key, p->family == AF_INET6 ? XB_IPV6 : XB_IPV4, p->name, p->proto);
	struct held *h = d->by_key ? xb_map_get(d->by_key, k) : NULL;
	struct diff c = { .verb = h ? "change" : "add", .name = p->name, .family = p->family, .proto = p->proto };

	if (h)
		h->seen = true;
	else
		differs(&c, NULL);
	diff_frontends(&c, h, p);
	for (int i = 0; i < XB_SETS; i++)
		diff_set(d, &c, sets[i], h ? svc_at(d, h->slot)->set[i] : (struct xb_set){}, &p->set[i]);
	diff_flags(d, &c, h, p);
	d->changes += c.any;
	return 0;
}

static int dry_prune(void *tables)
{
	struct dry *d = tables;

	for (__u32 i = 0; d->t && i < d->t->t[TABLE_SVC].size; i++) {
		struct held *h = &d->v[i];
		struct diff c = { .verb = "remove", .name = h->name, .family = h->family == XB_IPV6 ? AF_INET6 : AF_INET, .proto = h->proto };

		if (!h->name || h->seen)
			continue;
		differs(&c, NULL);
		d->changes++;
	}
	return 0;
}

/* --- the plane --- */

static void dry_close(void *tables)
{
	struct dry *d = tables;

	for (__u32 i = 0; d->v && i < d->t->t[TABLE_SVC].size; i++)
		xb_vec_done(&d->v[i].frontends);
	xb_map_free(d->by_key);
	xb_vec_done(&d->networks);
	free(d->v);
	tables_free(d->t);
	free(d);
}

static int dry_open(const struct apply_config *c, void **ret_tables, char **reterr_why)
{
	struct dry *d = calloc(1, sizeof(*d));
	char folder[PATH_MAX];
	int r;

	if (!d)
		return -ENOMEM;
	snprintf(folder, sizeof(folder), "%s/xebec/v%u/maps", c->bpffs_path, XB_ABI_VERSION);
	r = tables_adopt(folder, &d->t, reterr_why);
	if (r == 0)
		r = read_tables(d);
	if (r < 0 && r != -ENOENT) {
		dry_close(d);
		return r;
	}
	*ret_tables = d;
	return 0;
}

static int dry_reserve(void *tables, const struct xb_plan_counts *more)
{
	return 0;
}

/* A port that the agent takes out again was only just said to be added. */
static int dry_remove(void *tables, const char *name, int family, enum xb_proto proto)
{
	return -ENOENT;
}

static int dry_set_node_addrs(void *tables, int family, const struct xb_plan_addr *addrs, size_t n)
{
	return 0;
}

static int dry_set_node(void *tables, const struct xb_plan_node *node)
{
	return 0;
}

static int dry_commit(void *tables, char **reterr_why)
{
	return 0;
}

static void dry_stats(const void *tables, struct apply_stats *ret)
{
	*ret = (struct apply_stats){ .publishes = ((const struct dry *)tables)->changes };
}

static int dry_cleanup(const char *bpffs_path, char **reterr_why)
{
	return 0;
}

const struct data_plane data_plane_dry_run = {
	.mode = "dry-run",
	.open = dry_open,
	.close = dry_close,
	.reserve = dry_reserve,
	.set = dry_set,
	.remove = dry_remove,
	.prune = dry_prune,
	.set_node_addrs = dry_set_node_addrs,
	.set_node = dry_set_node,
	.commit = dry_commit,
	.stats = dry_stats,
	.cleanup = dry_cleanup,
};
