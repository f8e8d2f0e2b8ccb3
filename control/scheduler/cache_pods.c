/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cache.h"

/* --- terms --- */
bool sched_cache_term_means(struct sched_cache *c, const struct sched_term *t, struct xb_sv namespace_, struct xb_jv labels)
{
	return sched_term_matches(t, namespace_, labels, c->namespaces);
}

static int count_match(struct sched_cache *c, struct sched_term *t, const struct sched_pod *p, int n)
{
	if ((t->live && p->terminating) || !sched_cache_term_means(c, t, p->namespace_, p->labels))
		return 0;
	return sched_counts_add(&t->matching, p->node, n);
}

static int count_all(struct sched_cache *c, struct sched_term *t)
{
	const struct sched_member *m;
	int r = 0;

	sched_counts_done(&t->matching);
	for (size_t i = 0; !r && i < t->groups.n; i++)
		LIST_FOREACH(m, &t->groups.v[i]->placed, link)
			r = r ? r : count_match(c, t, m->pod, 1);
	for (size_t i = 0; !r && !t->groups.n && i < c->nodes.n; i++)
		for (size_t k = 0; !r && k < c->nodes.v[i].pods.n; k++)
			r = count_match(c, t, c->nodes.v[i].pods.v[k], 1);
	return r;
}

int sched_cache_term(struct sched_cache *c, struct sched_term *made, struct sched_term **ret)
{
	_cleanup_(sched_term_freep) struct sched_term *t = made;
	struct sched_term *known;
	int r = t->key ? 0 : sched_term_seal(t);

	if (r)
		return r;
	known = xb_map_get(c->terms, xb_sv(t->key));
	if (!known) {
		r = sched_groups_add_term(&c->groups, t);
		if (!r)
			r = count_all(c, t);
		if (!r)
			r = xb_map_set(c->terms, xb_sv(t->key), t, NULL);
		if (r) {
			sched_groups_del_term(&c->groups, t);
			return r;
		}
		known = TAKE_PTR(t);
	}
	known->refs++;
	*ret = known;
	return 0;
}

bool sched_cache_find_term(struct sched_cache *c, struct xb_sv key, struct sched_term **ret)
{
	struct sched_term *t = xb_map_get(c->terms, key);

	if (!t)
		return false;
	t->refs++;
	*ret = t;
	return true;
}

void sched_cache_term_unref(struct sched_cache *c, struct sched_term *t)
{
	if (--t->refs)
		return;
	xb_map_del(c->terms, xb_sv(t->key));
	sched_groups_del_term(&c->groups, t);
	sched_term_free(t);
}

int sched_cache_set_namespace(struct sched_cache *c, struct xb_sv name, struct xb_jv object)
{
	void *old = NULL;
	int r = 0;

	if (xb_jv_is(object))
		r = xb_map_set(c->namespaces, name, xb_json_ref(object.doc), &old);
	else
		old = xb_map_del(c->namespaces, name);
	xb_json_unref(old);
	for (size_t i = 0; !r && i < c->groups.wide.n; i++)
		if (sched_term_asks_namespaces(c->groups.wide.v[i]))
			r = count_all(c, c->groups.wide.v[i]);
	return r;
}

/* --- pods that count --- */
static int count_claims(struct sched_cache *c, const struct sched_pod *p, int n)
{
	int r = 0;

	for (size_t i = 0; !r && i < p->claims.n; i++)
		r = sched_storage_use(c->storage, xb_sv(p->claims.v[i].key), n);
	return r;
}

static int count_rules(struct sched_cache *c, struct sched_pod *p, int n)
{
	struct sched_terms_it it = {};
	struct sched_term *t;
	int r = 0;

	while (!r && (t = sched_groups_next(&c->groups, p, &it)))
		r = count_match(c, t, p, n);
	for (size_t i = 0; !r && i < p->rules.n; i++) {
		const struct sched_rule *rule = &p->rules.v[i];

		if (rule->role == SCHED_ANTI_AFFINITY)
			r = sched_counts_add(&rule->term->against, p->node, n);
		else if (rule->role == SCHED_PREFERENCE || rule->role == SCHED_HARD_SCORE)
			r = sched_counts_add(&rule->term->score, p->node, n * rule->weight);
	}
	return r;
}

static int take_ports(struct sched_node *n, const struct sched_pod *p)
{
	int r = xb_vec_room(&n->ports, p->ports.n);

	for (size_t i = 0; !r && i < p->ports.n; i++)
		n->ports.v[n->ports.n++] = p->ports.v[i];
	return r;
}

static void give_port(struct sched_node *n, const struct sched_port *port)
{
	for (size_t i = 0; i < n->ports.n; i++)
		if (n->ports.v[i].ip == port->ip && n->ports.v[i].port == port->port && n->ports.v[i].protocol == port->protocol) {
			n->ports.v[i] = n->ports.v[--n->ports.n];
			return;
		}
}

int sched_cache_place(struct sched_cache *c, struct sched_pod *p, uint32_t node)
{
	struct sched_node *n = &c->nodes.v[node];
	int r = xb_vec_room(&n->pods, 1);

	if (!r)
		r = take_ports(n, p);
	if (!r)
		r = sched_resources_add(&n->used, &p->request);
	if (r)
		return r;
	n->nonzero[0] += p->nonzero[0];
	n->nonzero[1] += p->nonzero[1];
	p->node = node;
	p->slot = n->pods.n;
	n->pods.v[n->pods.n++] = p;
	sched_groups_place(p);
	c->n_placed++;
	r = count_rules(c, p, 1);
	if (!r)
		r = count_claims(c, p, 1);
	if (r)
		sched_cache_unplace(c, p);
	return r;
}

void sched_cache_unplace(struct sched_cache *c, struct sched_pod *p)
{
	struct sched_node *n;

	if (p->node == SCHED_NO_NODE)
		return;
	n = &c->nodes.v[p->node];
	for (size_t i = 0; i < p->ports.n; i++)
		give_port(n, &p->ports.v[i]);
	sched_resources_sub(&n->used, &p->request);
	n->nonzero[0] -= p->nonzero[0];
	n->nonzero[1] -= p->nonzero[1];
	count_rules(c, p, -1);
	count_claims(c, p, -1);
	sched_groups_unplace(p);
	n->pods.v[p->slot] = n->pods.v[--n->pods.n];
	n->pods.v[p->slot]->slot = p->slot;
	c->n_placed--;
	sched_cache_forget_node(c, p->node);
	p->node = SCHED_NO_NODE;
}

int sched_cache_nominate(struct sched_cache *c, struct sched_pod *p, uint32_t node)
{
	size_t i = 0;

	while (i < c->nominated.n && c->nominated.v[i] != p)
		i++;
	if (node == SCHED_NO_NODE && i < c->nominated.n)
		xb_vec_remove(&c->nominated, i);
	else if (node != SCHED_NO_NODE && i == c->nominated.n && xb_vec_push(&c->nominated, p))
		return -ENOMEM;
	p->nominated = node;
	return 0;
}

/* --- pods that are known --- */
struct sched_pod *sched_cache_pod(const struct sched_cache *c, struct xb_sv key)
{
	return xb_map_get(c->pods, key);
}

int sched_cache_add_pod(struct sched_cache *c, struct sched_pod *p)
{
	int r = xb_map_set(c->pods, xb_sv(p->key), p, NULL);

	if (r)
		sched_pod_free(c, p);
	return r;
}

void sched_cache_del_pod(struct sched_cache *c, struct sched_pod *p)
{
	sched_cache_unplace(c, p);
	sched_cache_nominate(c, p, SCHED_NO_NODE);
	xb_map_del(c->pods, xb_sv(p->key));
	sched_pod_free(c, p);
}
