/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cluster.h"

#define ANTI(term) "'affinity':{'podAntiAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':[{" term ",'topologyKey':'host'}]}}"
#define WEB "'labelSelector':{'matchLabels':{'app':'web'}}"

static unsigned held_against(struct cluster *k, const struct sched_pod *p)
{
	struct sched_terms_it it = {};
	unsigned n = 0;

	while (sched_groups_next(&k->cache->groups, p, &it))
		n++;
	return n;
}

static struct sched_pod *placed_in(struct cluster *k, const char *namespace_, const char *labels)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;
	struct sched_pod *p = NULL;
	char text[512];
	uint32_t node;

	snprintf(text, sizeof(text), "{'metadata':{'namespace':'%s','name':'q%u','labels':{%s}}}", namespace_, ++k->pods, labels);
	d = cluster_parse(text);
	assert_int_equal(sched_pod_new(k->cache, xb_json_root(d), &p), 0);
	assert_int_equal(sched_cache_add_pod(k->cache, p), 0);
	assert_int_equal(sched_cache_node(k->cache, XB_SV("n"), &node), 0);
	assert_int_equal(sched_cache_place(k->cache, p, node), 0);
	return p;
}

static void namespace_labels(struct cluster *k, const char *name, const char *labels)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;
	char text[256];

	snprintf(text, sizeof(text), "{'metadata':{'name':'%s','labels':{%s}}}", name, labels);
	d = cluster_parse(text);
	assert_int_equal(sched_cache_set_namespace(k->cache, xb_sv(name), xb_json_root(d)), 0);
}

/* Whether pods come before the term or after it, it counts the same. */
static void a_term_counts_what_it_means_wherever_it_is_filed(void **state)
{
	static const struct {
		const char *spec;
		int expected;   /* of the pods below */
		unsigned other; /* is one of another label in its own namespace held against it */
	} cases[] = {
		{ ANTI(WEB), 2, 0 },
		{ ANTI("'labelSelector':{'matchExpressions':[{'key':'app','operator':'In','values':['web']}]}"), 2, 0 },
		{ ANTI("'labelSelector':{'matchExpressions':[{'key':'app','operator':'In','values':['web','db']}]}"), 3, 1 },
		{ ANTI("'labelSelector':{'matchExpressions':[{'key':'app','operator':'NotIn','values':['web']}]}"), 1, 1 },
		{ ANTI("'labelSelector':{'matchLabels':{'app':'web','tier':'front'}}"), 1, 0 },
		{ ANTI("'labelSelector':{}"), 3, 1 },
		{ ANTI("'namespaces':['x']"), 0, 0 },
		{ ANTI("'namespaces':['x']," WEB), 1, 0 },
		{ ANTI("'namespaces':['x','default','x']," WEB), 3, 0 },
		{ ANTI("'namespaces':['x','default'],'labelSelector':{}"), 5, 1 },
		{ ANTI("'namespaceSelector':{}," WEB), 4, 1 },
		{ ANTI("'namespaceSelector':{'matchLabels':{'team':'a'}}," WEB), 1, 1 },
		{ ANTI("'namespaces':['default'],'namespaceSelector':{'matchLabels':{'team':'a'}}," WEB), 3, 1 },
		{ "'topologySpreadConstraints':[{'maxSkew':1,'topologyKey':'host','whenUnsatisfiable':'DoNotSchedule'," WEB "}]", 2, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (int after = 0; after < 2; after++) {
			_cleanup_cluster_ struct cluster k = {};
			struct sched_pod *p = NULL, *other, *web;

			cluster_init(&k);
			cluster_node(&k, "n", "'host':'n'", "", "");
			namespace_labels(&k, "x", "'team':'a'");
			if (after)
				p = cluster_pod(&k, "", cases[i].spec);
			web = placed_in(&k, "default", "'app':'web'");
			placed_in(&k, "default", "'app':'web','tier':'front'");
			other = placed_in(&k, "default", "'app':'db'");
			placed_in(&k, "x", "'app':'web'");
			placed_in(&k, "x", "'app':'db'");
			placed_in(&k, "y", "'app':'web'");
			if (!after)
				p = cluster_pod(&k, "", cases[i].spec);
			assert_int_equal(p->rules.v[0].term->matching.total, cases[i].expected);
			assert_int_equal(held_against(&k, other), cases[i].other);
			sched_cache_del_pod(k.cache, p);
			assert_int_equal(held_against(&k, web), 0);
		}
}

static void a_namespace_that_gets_a_label_is_meant_from_then_on(void **state)
{
	_cleanup_cluster_ struct cluster k = {};
	struct sched_pod *p;

	cluster_init(&k);
	cluster_node(&k, "n", "'host':'n'", "", "");
	placed_in(&k, "x", "'app':'web'");
	p = cluster_pod(&k, "", ANTI("'namespaceSelector':{'matchLabels':{'team':'a'}}," WEB));
	assert_int_equal(p->rules.v[0].term->matching.total, 0);
	namespace_labels(&k, "x", "'team':'a'");
	assert_int_equal(p->rules.v[0].term->matching.total, 1);
}

/* Of the labels that a term demands it is filed under the one that is shared least. */
static void a_label_that_everybody_has_holds_nobody_against_terms(void **state)
{
	_cleanup_cluster_ struct cluster k = {};
	struct sched_pod *p;

	cluster_init(&k);
	cluster_node(&k, "n", "'host':'n'", "", "");
	for (int i = 0; i < 20; i++) {
		char selector[256], labels[64];

		snprintf(selector, sizeof(selector), ANTI("'labelSelector':{'matchLabels':{'all':'yes','zone':'%d'}}"), i);
		snprintf(labels, sizeof(labels), "'all':'yes','zone':'%d'", i);
		p = cluster_placed(&k, "n", labels, selector);
	}
	assert_int_equal(p->rules.v[0].term->matching.total, 1);
	assert_in_range(held_against(&k, p), 1, 2);
}

static void groups_go_with_their_last_pod_and_term(void **state)
{
	_cleanup_cluster_ struct cluster k = {};
	struct sched_pod *p, *q;

	cluster_init(&k);
	cluster_node(&k, "n", "'host':'n'", "", "");
	p = cluster_placed(&k, "n", "'a':'b'", "");
	q = cluster_placed(&k, "n", "'a':'b','c':'d'", ANTI(WEB));
	assert_int_equal(xb_map_count(k.cache->groups.by_key), 4);
	sched_cache_del_pod(k.cache, q);
	assert_int_equal(xb_map_count(k.cache->groups.by_key), 2);
	sched_cache_del_pod(k.cache, p);
	assert_int_equal(xb_map_count(k.cache->groups.by_key), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_term_counts_what_it_means_wherever_it_is_filed),
		cmocka_unit_test(a_namespace_that_gets_a_label_is_meant_from_then_on),
		cmocka_unit_test(a_label_that_everybody_has_holds_nobody_against_terms),
		cmocka_unit_test(groups_go_with_their_last_pod_and_term),
	};

	return cmocka_run_group_tests_name("control/scheduler/groups", tests, NULL, NULL);
}
