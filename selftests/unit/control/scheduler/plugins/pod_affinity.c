/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../cluster.h"

#define TERM(app, key) "{'labelSelector':{'matchLabels':{'app':'" app "'}},'topologyKey':'" key "'}"
#define NEAR(term) "'affinity':{'podAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':[" term "]}}"
#define AWAY(term) "'affinity':{'podAntiAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':[" term "]}}"

static void three_nodes(struct cluster *k)
{
	cluster_init(k);
	cluster_node(k, "a1", "'zone':'a','host':'a1'", "", "");
	cluster_node(k, "a2", "'zone':'a','host':'a2'", "", "");
	cluster_node(k, "b1", "'zone':'b','host':'b1'", "", "");
}

static void company_is_found_by_domain(void **state)
{
	_cleanup_cluster_ struct cluster k = {};
	const char *at;

	three_nodes(&k);
	cluster_placed(&k, "b1", "'app':'db'", "");
	assert_string_equal(cluster_pick(&k, cluster_pod(&k, "", NEAR(TERM("db", "zone")))), "b1");
	cluster_placed(&k, "a1", "'app':'web'", "");
	at = cluster_pick(&k, cluster_pod(&k, "", NEAR(TERM("web", "zone"))));
	assert_int_equal(*at, 'a');
	assert_string_equal(cluster_pick(&k, cluster_pod(&k, "", NEAR(TERM("web", "host")))), "a1");
	cluster_assert_why(&k, cluster_pod(&k, "", NEAR(TERM("none", "zone"))), "0/3 nodes are available: 3 node(s) didn't match pod affinity rules.");
	cluster_assert_why(&k, cluster_pod(&k, "", NEAR(TERM("web", "rack"))), "0/3 nodes are available: 3 node(s) didn't match pod affinity rules.");
}

static void the_first_of_a_group_may_begin(void **state)
{
	_cleanup_cluster_ struct cluster k = {};

	three_nodes(&k);
	assert_non_null(cluster_pick(&k, cluster_pod(&k, "'app':'web'", NEAR(TERM("web", "zone")))));
	cluster_placed(&k, "b1", "'app':'web'", "");
	assert_string_equal(cluster_pick(&k, cluster_pod(&k, "'app':'web'", NEAR(TERM("web", "zone")))), "b1");
}

static void who_does_not_want_to_meet_does_not(void **state)
{
	_cleanup_cluster_ struct cluster k = {};
	struct sched_pod *there;

	three_nodes(&k);
	there = cluster_placed(&k, "a1", "'app':'db'", AWAY(TERM("db", "zone")));
	assert_string_equal(cluster_pick(&k, cluster_pod(&k, "'app':'db'", "")), "b1");
	cluster_placed(&k, "b1", "'app':'db'", "");
	cluster_assert_why(&k, cluster_pod(&k, "'app':'db'", AWAY(TERM("db", "zone"))),
			   "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules.");
	cluster_assert_why(&k, cluster_pod(&k, "'app':'db'", "'nodeSelector':{'zone':'a'}"),
			   "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, "
			   "2 node(s) didn't satisfy existing pods anti-affinity rules.");
	sched_cache_del_pod(k.cache, there);
	assert_int_equal(*cluster_pick(&k, cluster_pod(&k, "'app':'db'", "'nodeSelector':{'zone':'a'}")), 'a');
}

static void namespaces_are_chosen_by_name_or_label(void **state)
{
	_cleanup_cluster_ struct cluster k = {};
	_cleanup_(xb_json_unrefp) struct xb_json *team = cluster_parse("{'metadata':{'name':'default','labels':{'team':'x'}}}");
	static const char other[] = "{'labelSelector':{'matchLabels':{'app':'db'}},'topologyKey':'zone','namespaces':['other']}";
	static const char by_label[] = "{'labelSelector':{'matchLabels':{'app':'db'}},'topologyKey':'zone',"
				       "'namespaceSelector':{'matchLabels':{'team':'x'}}}";
	struct sched_pod *p;
	char spec[1024];

	three_nodes(&k);
	cluster_placed(&k, "b1", "'app':'db'", "");
	snprintf(spec, sizeof(spec), "'affinity':{'podAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':[%s]}}", other);
	assert_null(cluster_pick(&k, cluster_pod(&k, "", spec)));
	snprintf(spec, sizeof(spec), "'affinity':{'podAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':[%s]}}", by_label);
	p = cluster_pod(&k, "", spec);
	assert_null(cluster_pick(&k, p));
	assert_int_equal(sched_cache_set_namespace(k.cache, XB_SV("default"), xb_json_root(team)), 0);
	assert_string_equal(cluster_pick(&k, p), "b1");
}

static void preferences_weigh(void **state)
{
	_cleanup_cluster_ struct cluster k = {};
	static const char prefers[] = "'affinity':{'podAffinity':{'preferredDuringSchedulingIgnoredDuringExecution':[{'weight':10,'podAffinityTerm':"
		TERM("db", "zone") "}]}}";
	static const char avoids[] = "'affinity':{'podAntiAffinity':{'preferredDuringSchedulingIgnoredDuringExecution':[{'weight':10,'podAffinityTerm':"
		TERM("db", "zone") "}]}}";

	three_nodes(&k);
	cluster_placed(&k, "b1", "'app':'db'", "");
	for (int i = 0; i < 8; i++) {
		assert_string_equal(cluster_pick(&k, cluster_pod(&k, "", prefers)), "b1");
		assert_int_equal(*cluster_pick(&k, cluster_pod(&k, "", avoids)), 'a');
	}
}

static void hints_wait_for_the_pods_that_matter(void **state)
{
	_cleanup_cluster_ struct cluster k = {};
	struct sched_pod *p, *web, *db;

	three_nodes(&k);
	p = cluster_pod(&k, "", NEAR(TERM("db", "zone")));
	assert_null(cluster_pick(&k, p));
	web = cluster_placed(&k, "a1", "'app':'web'", "");
	db = cluster_placed(&k, "a1", "'app':'db'", "");
	assert_false(sched_cycle_worth(k.cache, p, &(struct sched_change){ .events = SCHED_POD_ADDED, .pod = web }));
	assert_true(sched_cycle_worth(k.cache, p, &(struct sched_change){ .events = SCHED_POD_ADDED, .pod = db }));
	assert_false(sched_cycle_worth(k.cache, p, &(struct sched_change){ .events = SCHED_NODE_TAINTS }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(company_is_found_by_domain),
		cmocka_unit_test(the_first_of_a_group_may_begin),
		cmocka_unit_test(who_does_not_want_to_meet_does_not),
		cmocka_unit_test(namespaces_are_chosen_by_name_or_label),
		cmocka_unit_test(preferences_weigh),
		cmocka_unit_test(hints_wait_for_the_pods_that_matter),
	};

	return cmocka_run_group_tests_name("control/scheduler/plugins/pod_affinity", tests, NULL, NULL);
}
