/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* InterPodAffinity: which pods want to be, or may not be, beside which. */
#include "domains.h"
#include "plugin.h"

struct wanted {
	struct sched_domains domains;
	bool anti;
};
struct pod_affinity {
	const struct sched_pod *pod;
	XB_VEC(struct wanted) wanted; /* the first n are in use, the rest keep their memory */
	XB_VEC(struct sched_domains) refused; /* by pods that are there already, as above */
	size_t n_wanted, n_refused;
	bool first_of_its_kind; /* nothing matches its affinity yet but itself */
	struct sched_domains score;
	XB_VEC(int64_t) sums;
};

static void done(void *state)
{
	struct pod_affinity *s = state;

	for (size_t i = 0; i < s->wanted.n; i++)
		sched_domains_done(&s->wanted.v[i].domains);
	for (size_t i = 0; i < s->refused.n; i++)
		sched_domains_done(&s->refused.v[i]);
	sched_domains_done(&s->score);
	xb_vec_done(&s->wanted);
	xb_vec_done(&s->refused);
	xb_vec_done(&s->sums);
}

/* --- the filter --- */
static int64_t labelled(const struct sched_domains *d)
{
	int64_t sum = 0;

	for (size_t i = 1; i < d->sums.n; i++)
		sum += d->sums.v[i];
	return sum;
}

static int add_wanted(struct pod_affinity *s, struct sched_cache *c, const struct sched_rule *rule)
{
	struct wanted *w;
	int r = s->n_wanted == s->wanted.n ? xb_vec_push(&s->wanted, (struct wanted){}) : 0;

	if (r)
		return r;
	w = &s->wanted.v[s->n_wanted++];
	w->anti = rule->role == SCHED_ANTI_AFFINITY;
	r = sched_domains_start(&w->domains, c, rule->topology_key);
	if (r)
		return r;
	sched_domains_add(&w->domains, &rule->term->matching);
	if (!w->anti)
		s->first_of_its_kind = s->first_of_its_kind && rule->of_itself && !labelled(&w->domains);
	return 0;
}

static int add_refused(struct pod_affinity *s, struct sched_cache *c, const struct sched_term *t)
{
	struct sched_domains *d;
	int r = s->n_refused == s->refused.n ? xb_vec_push(&s->refused, (struct sched_domains){}) : 0;

	if (r)
		return r;
	d = &s->refused.v[s->n_refused++];
	r = sched_domains_start(d, c, t->topology_key);
	if (!r)
		sched_domains_add(d, &t->against);
	return r;
}

static int prepare(void *state, struct sched_cache *c, const struct sched_pod *p)
{
	struct pod_affinity *s = state;
	struct sched_terms_it it = {};
	const struct sched_term *t;
	int r = 0;

	s->pod = p;
	s->n_wanted = s->n_refused = 0;
	s->first_of_its_kind = true;
	for (size_t i = 0; !r && i < p->rules.n; i++)
		if (p->rules.v[i].role == SCHED_AFFINITY || p->rules.v[i].role == SCHED_ANTI_AFFINITY)
			r = add_wanted(s, c, &p->rules.v[i]);
	while (!r && (t = sched_groups_next(&c->groups, p, &it)))
		if (t->against.total && sched_cache_term_means(c, t, p->namespace_, p->labels))
			r = add_refused(s, c, t);
	return r ? r : s->n_wanted + s->n_refused > 0;
}

static bool has_all_labels(const struct pod_affinity *s, uint32_t number)
{
	for (size_t i = 0; i < s->n_wanted; i++)
		if (!s->wanted.v[i].anti && !sched_domains_has(&s->wanted.v[i].domains, number))
			return false;
	return true;
}

static bool has_company(const struct pod_affinity *s, uint32_t number)
{
	for (size_t i = 0; i < s->n_wanted; i++)
		if (!s->wanted.v[i].anti && !sched_domains_get(&s->wanted.v[i].domains, number))
			return s->first_of_its_kind;
	return true;
}

static bool is_refused(const struct sched_domains *d, uint32_t number)
{
	return sched_domains_has(d, number) && sched_domains_get(d, number);
}

static enum sched_verdict filter(const void *state, const struct sched_node *node, uint32_t number, struct sched_reasons *why)
{
	const struct pod_affinity *s = state;

	if (!has_all_labels(s, number) || !has_company(s, number)) {
		if (why)
			sched_reasons_add(why, "node(s) didn't match pod affinity rules");
		return SCHED_UNRESOLVABLE;
	}
	for (size_t i = 0; i < s->n_wanted; i++)
		if (s->wanted.v[i].anti && is_refused(&s->wanted.v[i].domains, number)) {
			if (why)
				sched_reasons_add(why, "node(s) didn't match pod anti-affinity rules");
			return SCHED_UNSCHEDULABLE;
		}
	for (size_t i = 0; i < s->n_refused; i++)
		if (is_refused(&s->refused.v[i], number)) {
			if (why)
				sched_reasons_add(why, "node(s) didn't satisfy existing pods anti-affinity rules");
			return SCHED_UNSCHEDULABLE;
		}
	return SCHED_FITS;
}

/* --- scores --- */
static int add_score(struct pod_affinity *s, struct sched_cache *c, uint32_t key, const struct sched_counts *counts, int64_t weight,
		     const uint32_t *nodes, size_t n)
{
	int r = sched_domains_start(&s->score, c, key);

	if (r)
		return r;
	sched_domains_add(&s->score, counts);
	for (size_t i = 0; i < n; i++)
		if (sched_domains_has(&s->score, nodes[i]))
			s->sums.v[i] += weight * sched_domains_get(&s->score, nodes[i]);
	return 0;
}

static int add_scores(struct pod_affinity *s, struct sched_cache *c, const struct sched_pod *p, const uint32_t *nodes, size_t n)
{
	struct sched_terms_it it = {};
	const struct sched_term *t;
	int r = 0;

	for (size_t i = 0; !r && i < p->rules.n; i++) {
		const struct sched_rule *rule = &p->rules.v[i];

		if (rule->role == SCHED_PREFERENCE)
			r = add_score(s, c, rule->topology_key, &rule->term->matching, rule->weight, nodes, n);
	}
	while (!r && (t = sched_groups_next(&c->groups, p, &it)))
		if (t->score.pages.n && sched_cache_term_means(c, t, p->namespace_, p->labels))
			r = add_score(s, c, t->topology_key, &t->score, 1, nodes, n);
	return r;
}

static bool may_prefer(const struct sched_cache *c, const struct sched_pod *p)
{
	struct sched_terms_it it = {};
	const struct sched_term *t;

	for (size_t i = 0; i < p->rules.n; i++)
		if (p->rules.v[i].role == SCHED_PREFERENCE)
			return true;
	while ((t = sched_groups_next(&c->groups, p, &it)))
		if (t->score.pages.n)
			return true;
	return false;
}

static int score(void *state, struct sched_cache *c, const struct sched_pod *p, const uint32_t *nodes, size_t n, int64_t *ret_scores)
{
	struct pod_affinity *s = state;
	int64_t least = 0, most = 0;
	int r;

	if (!may_prefer(c, p))
		return 0;
	s->sums.n = 0;
	if (xb_vec_room(&s->sums, n))
		return -ENOMEM;
	memset(s->sums.v, 0, n * sizeof(*s->sums.v));
	r = add_scores(s, c, p, nodes, n);
	for (size_t i = 0; !r && i < n; i++) {
		least = i ? MIN(least, s->sums.v[i]) : s->sums.v[i];
		most = i ? MAX(most, s->sums.v[i]) : s->sums.v[i];
	}
	for (size_t i = 0; !r && i < n && most > least; i++)
		ret_scores[i] = (double)SCHED_MAX_SCORE * ((double)(s->sums.v[i] - least) / (double)(most - least));
	return r ? r : most > least;
}

/* Its company may have come; who stood against it may have gone. */
static bool helps(struct sched_cache *c, const struct sched_pod *p, const struct sched_change *change)
{
	bool added = change->events & (SCHED_POD_ADDED | SCHED_POD_LABELS), gone = change->events & (SCHED_POD_DELETED | SCHED_POD_LABELS);
	const struct sched_pod *other = change->pod;

	for (size_t i = 0; other && i < p->rules.n; i++) {
		enum sched_role role = p->rules.v[i].role;

		if (((role == SCHED_AFFINITY && added) || (role == SCHED_ANTI_AFFINITY && gone))
		    && sched_cache_term_means(c, p->rules.v[i].term, other->namespace_, other->labels))
			return true;
	}
	for (size_t i = 0; other && gone && i < other->rules.n; i++)
		if (other->rules.v[i].role == SCHED_ANTI_AFFINITY
		    && sched_cache_term_means(c, other->rules.v[i].term, p->namespace_, p->labels))
			return true;
	return !other;
}

const struct sched_plugin sched_pod_affinity = {
	.name = "InterPodAffinity",
	.weight = 2,
	.events = SCHED_NODE_ADDED | SCHED_NODE_LABELS | SCHED_POD_DELETED | SCHED_POD_ADDED | SCHED_POD_LABELS | SCHED_NAMESPACE,
	.state_size = sizeof(struct pod_affinity),
	.done = done,
	.prepare = prepare,
	.counts_pods = true,
	.filter = filter,
	.score = score,
	.helps = helps,
};
