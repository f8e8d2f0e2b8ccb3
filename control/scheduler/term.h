/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SCHEDULER_TERM_H
#define SCHEDULER_TERM_H
/*
 * Which pods a rule about other pods means (pod affinity, anti-affinity, topology spread), and how many of them each node has.
 * Terms that say the same are one. A term's numbers change as pods come and go, so that no decision looks at pods.
 */
#include "names.h"
#include "xb/map.h"
#include "xb/selector.h"
#include "xb/vec.h"

#define SCHED_PAGE 64
/* A number a node, of which most are 0: pages for those that are not. */
struct sched_counts {
	XB_VEC(int32_t *) pages;
	int64_t total;
};
void sched_counts_done(struct sched_counts *c);
int sched_counts_add(struct sched_counts *c, uint32_t node, int32_t n);         /* 0 or -ENOMEM */
static inline int32_t sched_counts_get(const struct sched_counts *c, uint32_t node)
{
	uint32_t page = node / SCHED_PAGE;

	return page < c->pages.n && c->pages.v[page] ? c->pages.v[page][node % SCHED_PAGE] : 0;
}

struct sched_matcher {
	XB_VEC(char *) namespaces;
	bool all_namespaces, has_namespace_selector;
	struct xb_selector *namespace_selector; /* those whose labels match it are meant as well */
	bool nothing;                           /* a selector that is missing: no pod */
	struct xb_selector *selector;           /* NULL: every pod */
};
struct sched_group;
struct sched_term {
	unsigned refs;
	uint32_t topology_key;          /* 0: of the rule (topology spread) */
	bool live;                      /* pods that are being deleted do not count (topology spread) */
	XB_VEC(struct sched_matcher) matchers; /* all of them must match */
	struct sched_counts matching;   /* pods that are meant */
	struct sched_counts against;    /* pods that may not be beside what is meant (required anti-affinity) */
	struct sched_counts score;      /* weights by which pods want to be beside what is meant; negative: do not want to */
	XB_VEC(struct sched_group *) groups; /* groups.c: in which all pods are that it means */
	char *key;
};

/* Adds what a PodAffinityTerm of a pod in that namespace means. 0, -ENOMEM, -EINVAL: its selector is none. */
int sched_term_add_affinity(struct sched_term *t, struct xb_jv term, struct xb_sv namespace_);
/* Adds what a TopologySpreadConstraint means for a pod with these labels: those of matchLabelKeys must be equal. */
int sched_term_add_spread(struct sched_term *t, struct xb_jv constraint, struct xb_sv namespace_, struct xb_jv labels);
/* Seals a term: its key, by which equal ones are found. 0 or -ENOMEM. */
int sched_term_seal(struct sched_term *t);
/* namespaces: documents of Namespaces by name. */
bool sched_term_matches(const struct sched_term *t, struct xb_sv namespace_, struct xb_jv labels, const struct xb_map *namespaces);
bool sched_term_asks_namespaces(const struct sched_term *t);    /* its numbers depend on labels of namespaces */
struct sched_term *sched_term_new(uint32_t topology_key, bool live);
struct sched_term *sched_term_free(struct sched_term *t);
XB_DEFINE_CLEANUP(struct sched_term *, sched_term_free)

#endif
