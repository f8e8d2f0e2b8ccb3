/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cluster.h"

#define ASKS "'containers':[{'resources':{'requests':{'cpu':'3'}}}]"

static void what_is_placed_takes_room_and_gives_it_back(void **state)
{
	_cleanup_cluster_ struct cluster k = {};
	struct sched_pod *p;

	cluster_init(&k);
	cluster_node(&k, "n", "", "", "");
	p = cluster_placed(&k, "n", "", ASKS);
	assert_null(cluster_pick(&k, cluster_pod(&k, "", ASKS)));
	sched_cache_unplace(k.cache, p);
	assert_non_null(cluster_pick(&k, cluster_pod(&k, "", ASKS)));
	assert_int_equal(k.cache->nodes.v[0].used.v[SCHED_CPU], 0);
	assert_int_equal(k.cache->nodes.v[0].nonzero[1], 0);
}

static void changes_of_a_node_are_told_apart(void **state)
{
	_cleanup_cluster_ struct cluster k = {};

	cluster_init(&k);
	assert_true(cluster_node(&k, "n", "", "", "") & SCHED_NODE_ADDED);
	assert_int_equal(cluster_node(&k, "n", "", "", ""), 0);
	assert_int_equal(cluster_node(&k, "n", "'a':'b'", "", ""), SCHED_NODE_LABELS);
	assert_int_equal(cluster_node(&k, "n", "'a':'b'", "'unschedulable':true", ""), SCHED_NODE_TAINTS);
	assert_int_equal(cluster_node(&k, "n", "'a':'b'", "'unschedulable':true", "'allocatable':{'cpu':'5'}"), SCHED_NODE_ALLOCATABLE);
	assert_int_equal(k.cache->n_unschedulable, 1);
	cluster_node(&k, "n", "", "", "");
	assert_int_equal(k.cache->n_unschedulable, 0);
}

static void pods_may_be_seen_before_their_node_and_after_it(void **state)
{
	_cleanup_cluster_ struct cluster k = {};
	struct sched_pod *p;

	cluster_init(&k);
	p = cluster_placed(&k, "n", "", ASKS);
	cluster_assert_why(&k, cluster_pod(&k, "", ""), "no nodes available to schedule pods");
	cluster_node(&k, "n", "", "", "");
	assert_null(cluster_pick(&k, cluster_pod(&k, "", ASKS)));
	sched_cache_del_node(k.cache, XB_SV("n"));
	assert_null(cluster_pick(&k, cluster_pod(&k, "", "")));
	cluster_node(&k, "other", "", "", "");
	assert_string_equal(cluster_pick(&k, cluster_pod(&k, "", ASKS)), "other");
	sched_cache_del_pod(k.cache, p);
	assert_int_equal(xb_map_count(k.cache->node_by_name), 1);
	cluster_node(&k, "third", "", "", "");
	assert_int_equal(k.cache->nodes.n, 2);
}

static void zones_take_turns(void **state)
{
	_cleanup_cluster_ struct cluster k = {};
	const uint32_t *order;
	size_t n;

	cluster_init(&k);
	for (int i = 0; i < 6; i++) {
		char name[8], labels[64];

		snprintf(name, sizeof(name), "n%d", i);
		snprintf(labels, sizeof(labels), "'topology.kubernetes.io/zone':'%c'", i < 4 ? 'a' : 'b');
		cluster_node(&k, name, labels, "", "");
	}
	order = sched_cache_order(k.cache, &n);
	assert_int_equal(n, 6);
	assert_int_equal(order[0], 0);
	assert_int_equal(order[1], 4);
	assert_int_equal(order[2], 1);
	assert_int_equal(order[3], 5);
	assert_int_equal(order[4], 2);
}

static void terms_that_say_the_same_are_one(void **state)
{
	_cleanup_cluster_ struct cluster k = {};
	static const char spec[] = "'affinity':{'podAntiAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':["
				   "{'labelSelector':{'matchLabels':{'app':'a'}},'topologyKey':'host'}]}}";
	struct sched_pod *p, *q;

	cluster_init(&k);
	cluster_node(&k, "n", "'host':'n'", "", "");
	p = cluster_placed(&k, "n", "'app':'a'", spec);
	q = cluster_pod(&k, "'app':'a'", spec);
	assert_ptr_equal(p->rules.v[0].term, q->rules.v[0].term);
	assert_int_equal(p->rules.v[0].term->matching.total, 1);
	assert_int_equal(p->rules.v[0].term->against.total, 1);
	sched_cache_del_pod(k.cache, p);
	assert_int_equal(q->rules.v[0].term->matching.total, 0);
	sched_cache_del_pod(k.cache, q);
	assert_int_equal(xb_map_count(k.cache->terms), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_placed_takes_room_and_gives_it_back),
		cmocka_unit_test(changes_of_a_node_are_told_apart),
		cmocka_unit_test(pods_may_be_seen_before_their_node_and_after_it),
		cmocka_unit_test(zones_take_turns),
		cmocka_unit_test(terms_that_say_the_same_are_one),
	};

	return cmocka_run_group_tests_name("control/scheduler/cache", tests, NULL, NULL);
}
