/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../cluster.h"

#define ASKS(what) "'containers':[{'resources':{'requests':{" what "}}}]"
#define GPU "'allocatable':{'cpu':'4','memory':'8Gi','pods':'110','ephemeral-storage':'1Gi','example.com/gpu':'2'}"

static void resources_are_not_given_twice(void **state)
{
	static const struct cluster_case cases[] = {
		{ "", "", "", NULL, ASKS("'cpu':'4','memory':'8Gi'"), NULL },
		{ "", "", "", NULL, ASKS("'cpu':'4001m'"), "1 Insufficient cpu" },
		{ "", "", "", ASKS("'cpu':'3'"), ASKS("'cpu':'1'"), NULL },
		{ "", "", "", ASKS("'cpu':'3'"), ASKS("'cpu':'1001m'"), "1 Insufficient cpu" },
		{ "", "", "", ASKS("'cpu':'4','memory':'8Gi'"), ASKS("'cpu':'1','memory':'1'"), "1 Insufficient cpu, 1 Insufficient memory" },
		{ "", "", "", ASKS("'cpu':'4','memory':'8Gi'"), "'containers':[{}]", NULL },
		{ "", "", "", NULL, ASKS("'ephemeral-storage':'1'"), "1 Insufficient ephemeral-storage" },
		{ "", "", "'allocatable':{'cpu':'4','memory':'8Gi','pods':'1'}", "'containers':[{}]", "'containers':[{}]", "1 Too many pods" },
		{ "", "", GPU, NULL, ASKS("'example.com/gpu':'2'"), NULL },
		{ "", "", GPU, ASKS("'example.com/gpu':'1'"), ASKS("'example.com/gpu':'2'"), "1 Insufficient example.com/gpu" },
		{ "", "", "", NULL, ASKS("'example.com/gpu':'1'"), "1 Insufficient example.com/gpu" },
		{ "", "", "", NULL, "'overhead':{'cpu':'1'}," ASKS("'cpu':'3500m'"), "1 Insufficient cpu" },
		{ "", "", "", NULL, "'initContainers':[{'resources':{'requests':{'cpu':'5'}}}]," ASKS("'cpu':'1'"), "1 Insufficient cpu" },
		{ "", "", "", NULL, "'initContainers':[{'resources':{'requests':{'cpu':'4'}}}]," ASKS("'cpu':'4'"), NULL },
		{ "", "", "", NULL, "'initContainers':[{'restartPolicy':'Always','resources':{'requests':{'cpu':'1'}}}]," ASKS("'cpu':'3500m'"),
		  "1 Insufficient cpu" },
		{ "", "", "", NULL, "'initContainers':[{'restartPolicy':'Always','resources':{'requests':{'cpu':'1'}}},"
				    "{'resources':{'requests':{'cpu':'3500m'}}}]," ASKS("'cpu':'1'"), "1 Insufficient cpu" },
	};

	cluster_assert_cases(cases, ARRAY_SIZE(cases));
}

static void the_emptier_node_is_better(void **state)
{
	_cleanup_cluster_ struct cluster k = {};

	cluster_init(&k);
	cluster_node(&k, "full", "", "", "");
	cluster_node(&k, "empty", "", "", "");
	cluster_placed(&k, "full", "", ASKS("'cpu':'1','memory':'2Gi'"));
	assert_string_equal(cluster_pick(&k, cluster_pod(&k, "", ASKS("'cpu':'1','memory':'2Gi'"))), "empty");
}

static void scores_are_upstreams(void **state)
{
	_cleanup_free_ void *fit = calloc(1, sched_fit.state_size);
	_cleanup_(xb_json_unrefp) struct xb_json *pack = cluster_parse("{'scoringStrategy':{'type':'MostAllocated'}}");
	_cleanup_cluster_ struct cluster k = {};
	struct sched_pod *p;
	uint32_t node = 0;
	int64_t score;

	cluster_init(&k);
	cluster_node(&k, "n", "", "", "'allocatable':{'cpu':'4','memory':'10000','pods':'110'}");
	p = cluster_pod(&k, "", ASKS("'cpu':'3','memory':'5000'"));
	assert_int_equal(sched_fit.score(fit, k.cache, p, &node, 1, &score), 1);
	assert_int_equal(score, (25 + 50) / 2);
	assert_int_equal(sched_fit.configure(fit, xb_json_root(pack), NULL), 0);
	assert_int_equal(sched_fit.score(fit, k.cache, p, &node, 1, &score), 1);
	assert_int_equal(score, (75 + 50) / 2);
	assert_int_equal(sched_balanced.score(NULL, k.cache, p, &node, 1, &score), 1);
	assert_int_equal(score, 87);
	p = cluster_pod(&k, "", "'containers':[{}]");
	assert_int_equal(sched_balanced.score(NULL, k.cache, p, &node, 1, &score), 0);
	assert_int_equal(p->nonzero[0], 100);
	assert_int_equal(p->nonzero[1], 200 << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resources_are_not_given_twice),
		cmocka_unit_test(the_emptier_node_is_better),
		cmocka_unit_test(scores_are_upstreams),
	};

	return cmocka_run_group_tests_name("control/scheduler/plugins/fit", tests, NULL, NULL);
}
