/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cluster.h"

static void a_large_cluster_is_sampled(void **state)
{
	assert_int_equal(sched_cycle_enough(0, 50), 50);
	assert_int_equal(sched_cycle_enough(0, 150), 100);
	assert_int_equal(sched_cycle_enough(0, 1000), 420);
	assert_int_equal(sched_cycle_enough(0, 5000), 500);
	assert_int_equal(sched_cycle_enough(0, 6000), 300);
	assert_int_equal(sched_cycle_enough(40, 6000), 2400);
	assert_int_equal(sched_cycle_enough(100, 6000), 6000);
}

static void trials_go_on_where_the_last_one_ended(void **state)
{
	_cleanup_cluster_ struct cluster k = {};
	unsigned low = 0, high = 0;

	cluster_init(&k);
	for (int i = 0; i < 400; i++) {
		char name[8];

		snprintf(name, sizeof(name), "n%d", i);
		cluster_node(&k, name, "", "", "");
	}
	for (int i = 0; i < 20; i++)
		*(atoi(cluster_pick(&k, cluster_pod(&k, "", "")) + 1) < 200 ? &low : &high) += 1;
	assert_true(low >= 5 && high >= 5);
}

static void equals_are_drawn_and_a_seed_draws_the_same(void **state)
{
	char first[32] = {}, again[32] = {};

	for (int run = 0; run < 2; run++) {
		_cleanup_cluster_ struct cluster k = {};

		cluster_init(&k);
		cluster_node(&k, "a", "", "", "");
		cluster_node(&k, "b", "", "", "");
		for (int i = 0; i < 31; i++)
			(run ? again : first)[i] = *cluster_pick(&k, cluster_pod(&k, "", ""));
	}
	assert_string_equal(first, again);
	assert_non_null(strchr(first, 'a'));
	assert_non_null(strchr(first, 'b'));
}

static void reasons_are_counted_and_sorted(void **state)
{
	_cleanup_cluster_ struct cluster k = {};

	cluster_init(&k);
	cluster_node(&k, "a", "", "'taints':[{'key':'k','value':'v','effect':'NoSchedule'}]", "");
	cluster_node(&k, "b", "", "'taints':[{'key':'k','value':'v','effect':'NoSchedule'}]", "");
	cluster_node(&k, "c", "", "", "'allocatable':{'cpu':'1','memory':'1Gi','pods':'110'}");
	cluster_assert_why(&k, cluster_pod(&k, "", "'containers':[{'resources':{'requests':{'cpu':'2'}}}]"),
			   "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {k: v}.");
}

static bool worth(struct cluster *k, const struct sched_pod *p, unsigned events)
{
	return sched_cycle_worth(k->cache, p, &(struct sched_change){ .events = events, .node = &k->cache->nodes.v[0] });
}

static void hints_ask_the_plugins_that_refused(void **state)
{
	_cleanup_cluster_ struct cluster k = {};
	struct sched_pod *p;

	cluster_init(&k);
	cluster_node(&k, "a", "", "", "");
	p = cluster_pod(&k, "", "'containers':[{'resources':{'requests':{'cpu':'8'}}}]");
	assert_null(cluster_pick(&k, p));
	assert_false(worth(&k, p, SCHED_NODE_LABELS));
	assert_false(worth(&k, p, SCHED_NODE_ALLOCATABLE));
	assert_false(worth(&k, p, SCHED_POD_DELETED));
	cluster_node(&k, "a", "", "", "'allocatable':{'cpu':'8','memory':'1Gi','pods':'110'}");
	assert_true(worth(&k, p, SCHED_NODE_ALLOCATABLE));
	assert_true(worth(&k, p, SCHED_POD_DELETED));
}

static void room_that_is_made_is_kept_for_the_more_important(void **state)
{
	_cleanup_cluster_ struct cluster k = {};
	static const char asks[] = "'containers':[{'resources':{'requests':{'cpu':'3'}}}]";
	struct sched_pod *high;
	char spec[256];

	cluster_init(&k);
	cluster_node(&k, "a", "", "", "");
	snprintf(spec, sizeof(spec), "'priority':10,%s", asks);
	high = cluster_pod(&k, "", spec);
	assert_int_equal(sched_cache_nominate(k.cache, high, 0), 0);
	snprintf(spec, sizeof(spec), "'priority':1,%s", asks);
	assert_null(cluster_pick(&k, cluster_pod(&k, "", spec)));
	snprintf(spec, sizeof(spec), "'priority':11,%s", asks);
	assert_non_null(cluster_pick(&k, cluster_pod(&k, "", spec)));
	assert_string_equal(cluster_pick(&k, high), "a");
	assert_int_equal(k.cache->nodes.v[0].used.v[SCHED_CPU], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_large_cluster_is_sampled),
		cmocka_unit_test(trials_go_on_where_the_last_one_ended),
		cmocka_unit_test(equals_are_drawn_and_a_seed_draws_the_same),
		cmocka_unit_test(reasons_are_counted_and_sorted),
		cmocka_unit_test(hints_ask_the_plugins_that_refused),
		cmocka_unit_test(room_that_is_made_is_kept_for_the_more_important),
	};

	return cmocka_run_group_tests_name("control/scheduler/cycle", tests, NULL, NULL);
}
