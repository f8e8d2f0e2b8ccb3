/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../cluster.h"

#define SPREAD(key, when, more) "'topologySpreadConstraints':[{'maxSkew':1,'topologyKey':'" key "','whenUnsatisfiable':'" when "'," \
	"'labelSelector':{'matchLabels':{'app':'web'}}" more "}]"

static void two_zones(struct cluster *k)
{
	cluster_init(k);
	cluster_node(k, "a1", "'zone':'a'", "", "");
	cluster_node(k, "a2", "'zone':'a'", "", "");
	cluster_node(k, "b1", "'zone':'b'", "", "");
}

static void domains_are_filled_evenly(void **state)
{
	_cleanup_cluster_ struct cluster k = {};

	two_zones(&k);
	cluster_placed(&k, "a1", "'app':'web'", "");
	assert_string_equal(cluster_pick(&k, cluster_pod(&k, "'app':'web'", SPREAD("zone", "DoNotSchedule", ""))), "b1");
	cluster_assert_why(&k, cluster_pod(&k, "'app':'web'", "'nodeSelector':{'zone':'a'}," SPREAD("zone", "DoNotSchedule", ",'nodeAffinityPolicy':'Ignore'")),
			   "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, "
			   "2 node(s) didn't match pod topology spread constraints.");
	cluster_assert_why(&k, cluster_pod(&k, "'app':'web'", SPREAD("rack", "DoNotSchedule", "")),
			   "0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints (missing required label).");
}

static void nodes_that_the_pod_may_not_use_do_not_count(void **state)
{
	_cleanup_cluster_ struct cluster k = {};

	two_zones(&k);
	cluster_placed(&k, "a1", "'app':'web'", "");
	assert_int_equal(*cluster_pick(&k, cluster_pod(&k, "'app':'web'", "'nodeSelector':{'zone':'a'}," SPREAD("zone", "DoNotSchedule", ""))), 'a');
}

static void missing_domains_count_as_empty(void **state)
{
	_cleanup_cluster_ struct cluster k = {};

	two_zones(&k);
	cluster_placed(&k, "a1", "'app':'web'", "");
	cluster_placed(&k, "b1", "'app':'web'", "");
	assert_non_null(cluster_pick(&k, cluster_pod(&k, "'app':'web'", SPREAD("zone", "DoNotSchedule", ",'minDomains':2"))));
	assert_null(cluster_pick(&k, cluster_pod(&k, "'app':'web'", SPREAD("zone", "DoNotSchedule", ",'minDomains':3"))));
}

static void other_revisions_do_not_count(void **state)
{
	_cleanup_cluster_ struct cluster k = {};

	two_zones(&k);
	cluster_placed(&k, "a1", "'app':'web','rev':'1'", "");
	cluster_placed(&k, "b1", "'app':'web','rev':'2'", "");
	assert_int_equal(*cluster_pick(&k, cluster_pod(&k, "'app':'web','rev':'2'", SPREAD("zone", "DoNotSchedule", ",'matchLabelKeys':['rev']"))), 'a');
}

static void soft_constraints_only_prefer(void **state)
{
	_cleanup_cluster_ struct cluster k = {};

	two_zones(&k);
	cluster_placed(&k, "b1", "'app':'web'", "");
	for (int i = 0; i < 8; i++)
		assert_int_equal(*cluster_pick(&k, cluster_pod(&k, "'app':'web'", SPREAD("zone", "ScheduleAnyway", ""))), 'a');
	assert_string_equal(cluster_pick(&k, cluster_pod(&k, "'app':'web'", "'nodeSelector':{'zone':'b'}," SPREAD("zone", "ScheduleAnyway", ""))), "b1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(domains_are_filled_evenly),
		cmocka_unit_test(nodes_that_the_pod_may_not_use_do_not_count),
		cmocka_unit_test(missing_domains_count_as_empty),
		cmocka_unit_test(other_revisions_do_not_count),
		cmocka_unit_test(soft_constraints_only_prefer),
	};

	return cmocka_run_group_tests_name("control/scheduler/plugins/spread", tests, NULL, NULL);
}
