/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include "want.h"

void nft_wanted_clear(struct nft_wanted *w)
{
	w->n = w->steps.n = 0;
	w->err = w->steps.err = 0;
}

void nft_wanted_done(struct nft_wanted *w)
{
	xb_vec_done(w);
	xb_vec_done(&w->steps);
}

/* --- objects */
static void push(struct nft_wanted *w, struct nft_object o)
{
	if (!o.name)
		w->err = -ENOMEM;
	if (!w->err)
		w->err = w->steps.err ? w->steps.err : xb_vec_push(w, o);
}

void nft_want_set(struct nft_wanted *w, const char *name, enum nft_set_kind kind)
{
	push(w, (struct nft_object){ .kind = NFT_SET, .name = name, .set = kind, .digest = (uint64_t)kind });
}

void nft_want_chain(struct nft_wanted *w, const char *name, const struct nft_hook *hook, size_t first)
{
	struct nft_object o = { .kind = NFT_CHAIN, .name = name, .chain = { .hook = hook, .first = first, .n = w->steps.n - first } };

	o.digest = nft_steps_digest(w->steps.v + first, o.chain.n);
	push(w, o);
}

uint64_t nft_verdict_digest(const char *chain)
{
	return nft_digest(NFT_DIGEST, chain ? chain : "", chain ? strlen(chain) + 1 : 0);
}

static void put_key(struct nft_object *o, const void *bytes, unsigned n)
{
	/* Each part begins at a register of four bytes. */
	memcpy(o->element.key + o->element.key_bytes, bytes, n);
	o->element.key_bytes += (n + 3) & ~3u;
}

static void put_addr(struct nft_object *o, int family, const struct xb_plan_addr *addr)
{
	put_key(o, addr, family == AF_INET ? 4 : 16);
}

void nft_want_addr(struct nft_wanted *w, const char *set, const struct xb_plan_addr *addr, bool shared)
{
	struct nft_object o = { .kind = NFT_ELEMENT, .name = set, .set = NFT_ADDRS, .digest = 1, .element.shared = shared };

	put_addr(&o, w->family, addr);
	push(w, o);
}

/* Returns false when it was the last address of all, and the next is the first. */
static bool next_addr(struct xb_plan_addr *a, int family, unsigned bits)
{
	for (unsigned i = bits; i-- > 0;) {
		a->b[i / 8] ^= (unsigned char)(0x80 >> i % 8);
		if (a->b[i / 8] & (0x80 >> i % 8))
			return true;
	}
	return false;
}

/* A network is its first address, and an end behind its last. */
void nft_want_net(struct nft_wanted *w, const char *set, const struct xb_plan_net *net)
{
	struct nft_object o = { .kind = NFT_ELEMENT, .name = set, .set = NFT_NETS, .digest = 1, .element.shared = true }, end = o;
	struct xb_plan_addr behind = net->addr;

	put_addr(&o, w->family, &net->addr);
	push(w, o);
	if (!next_addr(&behind, w->family, net->bits))
		return;
	end.element.end = true;
	put_addr(&end, w->family, &behind);
	push(w, end);
}

static void want_frontend(struct nft_wanted *w, const char *map, enum xb_proto proto, const struct xb_plan_frontend *fe, const char *chain)
{
	struct nft_object o = { .kind = NFT_ELEMENT, .name = map, .digest = nft_verdict_digest(chain), .element.chain = chain };
	__u8 l4 = (__u8)proto;
	__be16 port = htons(fe->port);

	o.set = fe->kind == XB_FRONTEND_NODE_PORT ? NFT_BY_PORT : NFT_BY_ADDR;
	if (o.set == NFT_BY_ADDR)
		put_addr(&o, w->family, &fe->addr);
	put_key(&o, &l4, sizeof(l4));
	put_key(&o, &port, sizeof(port));
	push(w, o);
}

static void want_number(struct nft_wanted *w, const char *map, __u32 number, const char *chain)
{
	struct nft_object o = {
		.kind = NFT_ELEMENT, .name = map, .set = NFT_BY_NUMBER, .digest = nft_verdict_digest(chain), .element.chain = chain,
	};

	put_key(&o, &number, sizeof(number));
	push(w, o);
}

/* --- a port */
/*
 * Among up to this many one is chosen by rules, each with its chance, and not by a map: every further set of a table makes the
 * kernel slower with all others, since it finds them by walking a list. 10000 services of 4 backends: 2.3 s of processor time
 * instead of 8.6 s. For a connection eight rules cost what a look into a map does.
 */
#define FEW 8

static const char *const prefixes[XB_SCOPES] = {
	[XB_SCOPE_INTERNAL] = "service-", [XB_SCOPE_EXTERNAL] = "cluster-", [XB_SCOPE_OUTSIDE] = "local-",
};

struct making {
	struct nft_wanted *w;
	const struct xb_plan_port *p;
	bool internal, external, ranges; /* has frontends for clients by cluster IP, by others, by load balancer IPs with ranges */
	const char *chain[XB_SCOPES]; /* of each set; NULL: empty or not asked for */
	const char *external_chain, *firewall_chain;
};

static bool asked_for(const struct making *m, int scope)
{
	return m->p->set[scope].n && (scope == XB_SCOPE_INTERNAL ? m->internal : m->external);
}

static int compare_backends(const void *x, const void *y)
{
	const struct xb_plan_backend *a = x, *b = y;
	int r = memcmp(&a->addr, &b->addr, sizeof(a->addr));

	return r ? r : (int)a->port - (int)b->port;
}

static bool same_backends(const struct xb_plan_set *a, const struct xb_plan_set *b)
{
	for (size_t i = 0; a->n == b->n && i < a->n; i++)
		if (compare_backends(&a->backends[i], &b->backends[i]))
			return false;
	return a->n == b->n;
}

/* The first scope whose chain serves the same backends; scope itself when none does. */
static int same_as(const struct making *m, int scope)
{
	for (int i = 0; i < scope; i++)
		if (m->chain[i] && same_backends(&m->p->set[i], &m->p->set[scope]))
			return i;
	return scope;
}

static const char *backend_name(const struct making *m, const char *prefix, const struct xb_plan_backend *b)
{
	return nft_backend_name(m->w->arena, prefix, m->p->name, m->p->proto, m->p->family, b);
}

static void want_endpoint(struct making *m, const struct xb_plan_backend *b)
{
	struct nft_wanted *w = m->w;
	const char *clients = m->p->affinity_seconds ? backend_name(m, "affinity-", b) : NULL;
	size_t first = w->steps.n;

	if (m->p->affinity_seconds)
		nft_want_set(w, clients, NFT_CLIENTS);
	/* To a client that is its own server the reply must come from elsewhere. */
	STEP(w, STEP_RULE);
	STEP(w, STEP_FROM, .net = { b->addr, w->family == AF_INET ? 32 : 128 });
	STEP(w, STEP_MARK);
	STEP(w, STEP_RULE);
	if (clients) {
		STEP(w, STEP_SADDR);
		STEP(w, STEP_REMEMBER, .name = clients, .number = m->p->affinity_seconds);
	}
	STEP(w, STEP_DNAT, .number = b->port, .net.addr = b->addr);
	nft_want_chain(w, backend_name(m, NFT_ENDPOINT, b), NULL, first);
}

/* Those of each set that no earlier one has: sets are nearly always the same, or parts of one another. */
static void want_endpoints(struct making *m)
{
	for (int scope = 0; scope < XB_SCOPES; scope++) {
		const struct xb_plan_set *s = &m->p->set[scope];

		if (!m->chain[scope] || same_as(m, scope) != scope)
			continue;
		for (size_t i = 0; i < s->n; i++) {
			bool known = false;

			for (int k = 0; k < scope; k++)
				known |= m->chain[k] && bsearch(&s->backends[i], m->p->set[k].backends, m->p->set[k].n,
								sizeof(s->backends[i]), compare_backends);
			if (!known)
				want_endpoint(m, &s->backends[i]);
		}
	}
}

/* Clients that are remembered first, then any: the first of n by a chance of 1/n, or by its number. */
static void want_choice(struct making *m, const char *chain, const struct xb_plan_set *s)
{
	struct nft_wanted *w = m->w;
	size_t first = w->steps.n;

	if (s->n > FEW)
		nft_want_set(w, chain, NFT_BY_NUMBER);
	for (size_t i = 0; s->n > 1 && m->p->affinity_seconds && i < s->n; i++) {
		STEP(w, STEP_RULE);
		STEP(w, STEP_SADDR);
		STEP(w, STEP_IN, .name = backend_name(m, "affinity-", &s->backends[i]));
		STEP(w, STEP_GOTO, .name = backend_name(m, NFT_ENDPOINT, &s->backends[i]));
	}
	for (size_t i = 0; s->n <= FEW && i < s->n; i++) {
		STEP(w, STEP_RULE);
		if (s->n - i > 1)
			STEP(w, STEP_CHANCE, .number = (__u32)(s->n - i));
		STEP(w, STEP_GOTO, .name = backend_name(m, NFT_ENDPOINT, &s->backends[i]));
	}
	if (s->n > FEW) {
		STEP(w, STEP_RULE);
		STEP(w, STEP_RANDOM, .number = (__u32)s->n);
		STEP(w, STEP_VMAP, .name = chain);
	}
	nft_want_chain(w, chain, NULL, first);
	for (size_t i = 0; s->n > FEW && i < s->n; i++)
		want_number(w, chain, (__u32)i, backend_name(m, NFT_ENDPOINT, &s->backends[i]));
}

static void want_choices(struct making *m)
{
	for (int scope = 0; scope < XB_SCOPES; scope++) {
		int same;

		if (!asked_for(m, scope))
			continue;
		same = same_as(m, scope);
		m->chain[scope] = same < scope ? m->chain[same] : nft_port_name(m->w->arena, prefixes[scope], m->p->name, m->p->proto);
	}
	want_endpoints(m);
	for (int scope = 0; scope < XB_SCOPES; scope++)
		if (m->chain[scope] && same_as(m, scope) == scope)
			want_choice(m, m->chain[scope], &m->p->set[scope]);
}

static bool all_local(const struct xb_plan_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (!s->backends[i].local)
			return false;
	return true;
}

/*
 * Replies of backends on this node come through it, so the client's address stays. A set with others has policy Cluster,
 * and everybody is masqueraded. Where OUTSIDE is narrowed, clients of the cluster still get all: pods as they are, since
 * only they know a way back to a pod without this node, and this node itself by the address it leaves with.
 */
static void want_external(struct making *m)
{
	struct nft_wanted *w = m->w;
	size_t first = w->steps.n;

	m->external_chain = nft_port_name(w->arena, "external-", m->p->name, m->p->proto);
	if (m->chain[XB_SCOPE_EXTERNAL] && m->chain[XB_SCOPE_EXTERNAL] != m->chain[XB_SCOPE_OUTSIDE]) {
		STEP(w, STEP_RULE);
		STEP(w, STEP_SADDR);
		STEP(w, STEP_IN, .name = NFT_POD_NETWORKS);
		STEP(w, STEP_GOTO, .name = m->chain[XB_SCOPE_EXTERNAL]);
		STEP(w, STEP_RULE);
		STEP(w, STEP_FROM_NODE);
		STEP(w, STEP_MARK);
		STEP(w, STEP_GOTO, .name = m->chain[XB_SCOPE_EXTERNAL]);
	}
	if (m->chain[XB_SCOPE_OUTSIDE]) {
		STEP(w, STEP_RULE);
		if (!all_local(&m->p->set[XB_SCOPE_OUTSIDE]))
			STEP(w, STEP_MARK);
		STEP(w, STEP_GOTO, .name = m->chain[XB_SCOPE_OUTSIDE]);
	}
	nft_want_chain(w, m->external_chain, NULL, first);
}

static void want_firewall(struct making *m)
{
	struct nft_wanted *w = m->w;
	size_t first = w->steps.n;

	m->firewall_chain = nft_port_name(w->arena, "firewall-", m->p->name, m->p->proto);
	for (size_t i = 0; i < m->p->n_source_ranges; i++) {
		STEP(w, STEP_RULE);
		STEP(w, STEP_FROM, .net = m->p->source_ranges[i]);
		STEP(w, STEP_RETURN);
	}
	STEP(w, STEP_RULE);
	STEP(w, STEP_DROP);
	nft_want_chain(w, m->firewall_chain, NULL, first);
}

static void want_way_in(struct making *m, const struct xb_plan_frontend *fe)
{
	bool node_port = fe->kind == XB_FRONTEND_NODE_PORT, cluster_ip = fe->kind == XB_FRONTEND_CLUSTER_IP;
	const char *chain = cluster_ip ? m->chain[XB_SCOPE_INTERNAL] : m->external_chain;
	int last = cluster_ip ? XB_SCOPE_INTERNAL : m->chain[XB_SCOPE_EXTERNAL] ? XB_SCOPE_OUTSIDE : XB_SCOPE_EXTERNAL;

	if (cluster_ip)
		nft_want_addr(m->w, NFT_CLUSTER_IPS, &fe->addr, true);
	if (chain)
		want_frontend(m->w, node_port ? NFT_NODEPORTS : NFT_SERVICE_IPS, m->p->proto, fe, chain);
	if (!m->chain[last])
		want_frontend(m->w, node_port ? NFT_NO_NODEPORTS : NFT_NO_SERVICES, m->p->proto, fe,
			      m->p->set[last].drop_when_empty ? NULL : NFT_REJECT_CHAIN);
	if (fe->kind == XB_FRONTEND_LOAD_BALANCER && m->firewall_chain)
		want_frontend(m->w, NFT_FIREWALL_IPS, m->p->proto, fe, m->firewall_chain);
}

void nft_want_port(struct nft_wanted *w, const struct xb_plan_port *p)
{
	struct making m = { .w = w, .p = p };

	for (size_t i = 0; i < p->n_frontends; i++) {
		m.internal |= p->frontends[i].kind == XB_FRONTEND_CLUSTER_IP;
		m.external |= p->frontends[i].kind != XB_FRONTEND_CLUSTER_IP;
		m.ranges |= p->frontends[i].kind == XB_FRONTEND_LOAD_BALANCER && p->source_ranges_set;
	}
	want_choices(&m);
	if (m.chain[XB_SCOPE_EXTERNAL] || m.chain[XB_SCOPE_OUTSIDE])
		want_external(&m);
	if (m.ranges)
		want_firewall(&m);
	for (size_t i = 0; i < p->n_frontends; i++)
		want_way_in(&m, &p->frontends[i]);
}
