/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* PodTopologySpread: pods that a constraint means are to be as many in one domain as in another. */
#include <math.h>
#include "../node_selector.h"
#include "domains.h"
#include "plugin.h"
#include "spread_args.h"
#include "toleration.h"

struct constraint {
	const struct sched_rule *rule;
	struct sched_domains domains;
	bool by_node;           /* scores by the pods of each node itself: sums are not needed */
	XB_VEC(bool) exists;    /* by domain: a node that counts has it */
	int64_t least;          /* of the domains that exist */
	double weight;          /* of a soft one */
};
struct spread {
	struct sched_spread_args args;
	const struct sched_pod *pod;
	struct sched_cache *cache;
	struct sched_node_selector selector;
	struct sched_tolerations tolerations;
	XB_VEC(struct constraint) constraints; /* the first n are in use, the rest keep their memory */
	size_t n;
	XB_VEC(double) sums;    /* by the node to score */
	bool some_labels;       /* a node need not have the labels of all constraints */
};

static void done(void *state)
{
	struct spread *s = state;

	for (size_t i = 0; i < s->constraints.n; i++) {
		sched_domains_done(&s->constraints.v[i].domains);
		xb_vec_done(&s->constraints.v[i].exists);
	}
	xb_vec_done(&s->constraints);
	xb_vec_done(&s->sums);
	sched_spread_args_done(&s->args);
	sched_node_selector_done(&s->selector);
	sched_tolerations_done(&s->tolerations);
}

/* --- defaults --- */
static int configure(void *state, struct xb_jv args, char **reterr_why)
{
	return sched_spread_args_read(&((struct spread *)state)->args, args, reterr_why);
}

static int complete(const void *state, struct sched_cache *c, struct sched_pod *p)
{
	struct xb_jv constraints = ((const struct spread *)state)->args.constraints;

	return xb_jv_count(constraints) ? sched_pod_spread_by_default(c, p, constraints) : 0;
}

/* --- what the pod asks for --- */
static int add_constraint(struct spread *s, const struct sched_rule *rule)
{
	int r = s->n == s->constraints.n ? xb_vec_push(&s->constraints, (struct constraint){}) : 0;
	struct constraint *q;

	if (r)
		return r;
	q = &s->constraints.v[s->n++];
	q->rule = rule;
	q->by_node = rule->role == SCHED_SOFT_SPREAD && rule->topology_key == sched_names_find(s->cache->names, XB_SV("kubernetes.io/hostname"));
	if (q->by_node) {
		q->domains.column = sched_cache_column(s->cache, rule->topology_key);
		return q->domains.column ? 0 : -ENOMEM;
	}
	r = sched_domains_start(&q->domains, s->cache, rule->topology_key);
	q->exists.n = 0;
	if (r || xb_vec_room(&q->exists, q->domains.sums.n))
		return -ENOMEM;
	q->exists.n = q->domains.sums.n;
	memset(q->exists.v, 0, q->exists.n * sizeof(*q->exists.v));
	return 0;
}

/* 1: the pod has constraints of that role. */
static int read_pod(struct spread *s, struct sched_cache *c, const struct sched_pod *p, enum sched_role role)
{
	int r = 0;

	s->pod = p;
	s->cache = c;
	s->n = 0;
	s->some_labels = s->args.system && p->rules.n && p->rules.v[p->rules.n - 1].by_default;
	for (size_t i = 0; !r && i < p->rules.n; i++)
		if (p->rules.v[i].role == role)
			r = add_constraint(s, &p->rules.v[i]);
	if (!r && s->n)
		r = sched_node_selector_required(&s->selector, c->names, p->spec);
	if (!r && s->n)
		r = sched_tolerations_read(&s->tolerations, c->names, p->spec);
	return r ? r : s->n > 0;
}

static bool tolerated(const struct spread *s, const struct sched_node *node)
{
	for (size_t i = 0; i < node->taints.n; i++)
		if (node->taints.v[i].effect != SCHED_PREFER_NO_SCHEDULE
		    && !sched_tolerates(&s->tolerations, &node->taints.v[i], (struct xb_sv){}))
			return false;
	return true;
}

static bool has_labels(const struct spread *s, uint32_t number)
{
	for (size_t i = 0; i < s->n && !s->some_labels; i++)
		if (!sched_domains_has(&s->constraints.v[i].domains, number))
			return false;
	return true;
}

/* Do the pods of that node count: nodes that the pod may not use are left out. */
static bool counts(const struct spread *s, const struct sched_rule *rule, const struct sched_node *node)
{
	if (!rule->any_node && !sched_node_selector_empty(&s->selector) && !sched_node_selector_matches(&s->selector, node))
		return false;
	return !rule->mind_taints || !node->taints.n || tolerated(s, node);
}

static bool all_count(const struct spread *s, const struct sched_rule *rule)
{
	if ((!rule->any_node && !sched_node_selector_empty(&s->selector)) || (rule->mind_taints && s->cache->n_tainted))
		return false;
	for (size_t i = 0; i < s->n && s->n > 1 && !s->some_labels; i++)
		if (!s->constraints.v[i].domains.column->everywhere)
			return false;
	return true;
}

static void count_some(struct spread *s, struct constraint *q)
{
	size_t n = 0;
	const uint32_t *nodes = sched_cache_order(s->cache, &n);

	for (size_t i = 0; i < n && nodes; i++) {
		uint32_t domain = q->domains.column->domain.v[nodes[i]];

		if (!has_labels(s, nodes[i]) || !counts(s, q->rule, &s->cache->nodes.v[nodes[i]]))
			continue;
		q->exists.v[domain] = true;
		q->domains.sums.v[domain] += sched_counts_get(&q->rule->term->matching, nodes[i]);
	}
}

static void count_pods(struct spread *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct constraint *q = &s->constraints.v[i];

		if (q->by_node)
			continue;
		if (!all_count(s, q->rule)) {
			count_some(s, q);
			continue;
		}
		memset(q->exists.v, true, q->exists.n * sizeof(*q->exists.v));
		sched_domains_add(&q->domains, &q->rule->term->matching);
	}
}

/* --- the filter --- */
static void find_least(struct constraint *q)
{
	int32_t n = 0;

	q->least = INT32_MAX;
	for (size_t i = 1; i < q->exists.n; i++)
		if (q->exists.v[i]) {
			n++;
			q->least = MIN(q->least, q->domains.sums.v[i]);
		}
	if (n < q->rule->min_domains)
		q->least = 0;
}

static int prepare(void *state, struct sched_cache *c, const struct sched_pod *p)
{
	struct spread *s = state;
	int r = p->rules.n ? read_pod(s, c, p, SCHED_SPREAD) : 0;

	if (r <= 0)
		return r;
	count_pods(s);
	for (size_t i = 0; i < s->n; i++)
		find_least(&s->constraints.v[i]);
	return 1;
}

static enum sched_verdict filter(const void *state, const struct sched_node *node, uint32_t number, struct sched_reasons *why)
{
	const struct spread *s = state;

	for (size_t i = 0; i < s->n; i++) {
		const struct constraint *q = &s->constraints.v[i];

		if (!sched_domains_has(&q->domains, number)) {
			if (why)
				sched_reasons_add(why, "node(s) didn't match pod topology spread constraints (missing required label)");
			return SCHED_UNRESOLVABLE;
		}
		if (sched_domains_get(&q->domains, number) + q->rule->of_itself - q->least > q->rule->weight) {
			if (why)
				sched_reasons_add(why, "node(s) didn't match pod topology spread constraints");
			return SCHED_UNSCHEDULABLE;
		}
	}
	return SCHED_FITS;
}

/* --- scores: the fewer the better, small sets of domains weighing less --- */
static size_t size_of(const struct spread *s, struct constraint *q, const uint32_t *nodes, size_t n)
{
	size_t size = 0;

	if (q->by_node && s->some_labels)
		return n;
	if (!q->by_node)
		memset(q->exists.v, 0, q->exists.n * sizeof(*q->exists.v));
	for (size_t i = 0; i < n; i++) {
		uint32_t domain = q->domains.column->domain.v[nodes[i]];

		if (!has_labels(s, nodes[i]))
			continue;
		size += q->by_node || !q->exists.v[domain];
		if (!q->by_node)
			q->exists.v[domain] = true;
	}
	return size;
}

/* Adds what one constraint says of each node. */
static void add_sums(const struct spread *s, const struct constraint *q, const uint32_t *nodes, size_t n)
{
	double weight = q->weight, skew = q->rule->weight - 1;

	for (size_t i = 0; i < n; i++) {
		uint32_t domain = q->domains.column->domain.v[nodes[i]];
		int64_t pods;

		if (!domain)
			continue;
		pods = q->by_node ? sched_counts_get(&q->rule->term->matching, nodes[i]) : q->domains.sums.v[domain];
		s->sums.v[i] += (double)pods * weight + skew;
	}
}

static int sum_up(struct spread *s, const uint32_t *nodes, size_t n)
{
	s->sums.n = 0;
	if (xb_vec_room(&s->sums, n))
		return -ENOMEM;
	memset(s->sums.v, 0, n * sizeof(*s->sums.v));
	for (size_t i = 0; i < s->n; i++) {
		s->constraints.v[i].weight = log((double)size_of(s, &s->constraints.v[i], nodes, n) + 2);
		add_sums(s, &s->constraints.v[i], nodes, n);
	}
	return 0;
}

static int score(void *state, struct sched_cache *c, const struct sched_pod *p, const uint32_t *nodes, size_t n, int64_t *ret_scores)
{
	struct spread *s = state;
	int r = p->rules.n ? read_pod(s, c, p, SCHED_SOFT_SPREAD) : 0;
	int64_t least = INT64_MAX, most = 0;

	if (r <= 0)
		return r;
	count_pods(s);
	r = sum_up(s, nodes, n);
	if (r)
		return r;
	for (size_t i = 0; i < n; i++) {
		ret_scores[i] = has_labels(s, nodes[i]) ? llround(s->sums.v[i]) : -1;
		if (ret_scores[i] >= 0) {
			least = MIN(least, ret_scores[i]);
			most = MAX(most, ret_scores[i]);
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (ret_scores[i] < 0)
			ret_scores[i] = 0;
		else
			ret_scores[i] = most ? SCHED_MAX_SCORE * (most + least - ret_scores[i]) / most : SCHED_MAX_SCORE;
	}
	return 1;
}

static bool helps(struct sched_cache *c, const struct sched_pod *p, const struct sched_change *change)
{
	const struct sched_pod *other = change->pod;

	for (size_t i = 0; other && i < p->rules.n; i++)
		if (p->rules.v[i].role == SCHED_SPREAD
		    && (change->events & SCHED_POD_LABELS
			|| sched_cache_term_means(c, p->rules.v[i].term, other->namespace_, other->labels)))
			return true;
	return !other;
}

const struct sched_plugin sched_spread = {
	.name = "PodTopologySpread",
	.weight = 2,
	.events = SCHED_NODE_ADDED | SCHED_NODE_LABELS | SCHED_NODE_TAINTS | SCHED_POD_DELETED | SCHED_POD_ADDED | SCHED_POD_LABELS
		| SCHED_POD_ITSELF,
	.state_size = sizeof(struct spread),
	.done = done,
	.configure = configure,
	.complete = complete,
	.prepare = prepare,
	.counts_pods = true,
	.filter = filter,
	.score = score,
	.helps = helps,
};
