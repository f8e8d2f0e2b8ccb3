/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cluster.h"
#include "../../../../control/scheduler/preempt.h"

#define ASKS(priority, cpu) "'priority':" priority ",'containers':[{'resources':{'requests':{'cpu':'" cpu "'}}}]"

static int preempt(struct cluster *k, struct sched_pod *p, struct sched_budget *budgets, size_t n, struct xb_buf *why,
		   struct sched_victims *ret)
{
	enum sched_verdict verdicts[16] = {};
	struct sched_preemption x = {
		.cycle = k->cycle, .cache = k->cache, .pod = p, .verdicts = verdicts, .budgets = budgets, .n_budgets = n,
	};
	_cleanup_buf_ struct xb_buf text = {};

	assert_null(cluster_pick(k, p));
	int r;

	assert_int_equal(sched_cycle_begin(k->cache, p), 0);
	assert_int_equal(sched_cycle_explain(k->cycle, k->cache, p, &text, verdicts), 0);
	r = sched_preempt(&x, why, ret);
	sched_cycle_end(k->cache, p);
	return r;
}

static void no_more_go_than_must(void **state)
{
	_cleanup_cluster_ struct cluster k = {};
	_cleanup_buf_ struct xb_buf why = {};
	struct sched_victims v = {};
	struct sched_pod *one, *two;

	cluster_init(&k);
	cluster_node(&k, "a", "", "", "");
	one = cluster_placed(&k, "a", "", ASKS("1", "2"));
	two = cluster_placed(&k, "a", "", ASKS("2", "2"));
	assert_int_equal(preempt(&k, cluster_pod(&k, "", ASKS("10", "1")), NULL, 0, &why, &v), 0);
	assert_int_equal(v.pods.n, 1);
	assert_ptr_equal(v.pods.v[0], one);
	assert_int_equal(one->node, 0);
	assert_int_equal(two->node, 0);
	assert_int_equal(k.cache->nodes.v[0].used.v[SCHED_CPU], 4000);
	xb_vec_done(&v.pods);
}

static void the_least_harm_is_chosen(void **state)
{
	_cleanup_cluster_ struct cluster k = {};
	_cleanup_buf_ struct xb_buf why = {};
	struct sched_victims v = {};

	cluster_init(&k);
	cluster_node(&k, "a", "", "", "");
	cluster_node(&k, "b", "", "", "");
	cluster_placed(&k, "a", "", ASKS("5", "4"));
	cluster_placed(&k, "b", "", ASKS("3", "2"));
	cluster_placed(&k, "b", "", ASKS("3", "2"));
	assert_int_equal(preempt(&k, cluster_pod(&k, "", ASKS("10", "4")), NULL, 0, &why, &v), 0);
	assert_string_equal(k.cache->nodes.v[v.node].name, "b");
	assert_int_equal(v.pods.n, 2);
	xb_vec_done(&v.pods);
}

static void of_equals_the_lower_sum_then_the_fewer(void **state)
{
	_cleanup_cluster_ struct cluster k = {};
	_cleanup_buf_ struct xb_buf why = {};
	struct sched_victims v = {};

	cluster_init(&k);
	cluster_node(&k, "a", "", "", "");
	cluster_node(&k, "b", "", "", "");
	cluster_placed(&k, "a", "", ASKS("3", "2"));
	cluster_placed(&k, "a", "", ASKS("3", "2"));
	cluster_placed(&k, "b", "", ASKS("3", "2"));
	cluster_placed(&k, "b", "", ASKS("1", "2"));
	assert_int_equal(preempt(&k, cluster_pod(&k, "", ASKS("10", "4")), NULL, 0, &why, &v), 0);
	assert_string_equal(k.cache->nodes.v[v.node].name, "b");
	xb_vec_done(&v.pods);
	cluster_node(&k, "c", "", "", "");
	cluster_placed(&k, "c", "", ASKS("3", "4"));
	assert_int_equal(preempt(&k, cluster_pod(&k, "", ASKS("10", "4")), NULL, 0, &why, &v), 0);
	assert_string_equal(k.cache->nodes.v[v.node].name, "c");
	assert_int_equal(v.pods.n, 1);
	xb_vec_done(&v.pods);
}

static void budgets_are_kept_where_that_is_possible(void **state)
{
	_cleanup_cluster_ struct cluster k = {};
	_cleanup_(xb_json_unrefp) struct xb_json *labels = cluster_parse("{'app':'db'}");
	_cleanup_buf_ struct xb_buf why = {};
	struct sched_budget budget = { .namespace_ = XB_SV("default") };
	struct sched_victims v = {};

	assert_int_equal(xb_selector_from_map(xb_json_root(labels), &budget.selector), 0);
	cluster_init(&k);
	cluster_node(&k, "a", "", "", "");
	cluster_node(&k, "b", "", "", "");
	cluster_placed(&k, "a", "'app':'db'", ASKS("1", "4"));
	cluster_placed(&k, "b", "'app':'web'", ASKS("5", "4"));
	assert_int_equal(preempt(&k, cluster_pod(&k, "", ASKS("10", "4")), &budget, 1, &why, &v), 0);
	assert_string_equal(k.cache->nodes.v[v.node].name, "b");
	xb_vec_done(&v.pods);
	budget.allowed = 1;
	assert_int_equal(preempt(&k, cluster_pod(&k, "", ASKS("10", "4")), &budget, 1, &why, &v), 0);
	assert_string_equal(k.cache->nodes.v[v.node].name, "a");
	xb_vec_done(&v.pods);
	xb_selector_free(budget.selector);
}

static void it_says_why_it_does_not_help(void **state)
{
	_cleanup_cluster_ struct cluster k = {};
	_cleanup_buf_ struct xb_buf why = {}, never = {};
	struct sched_victims v = {};

	cluster_init(&k);
	cluster_node(&k, "a", "", "", "");
	cluster_node(&k, "b", "", "", "");
	cluster_node(&k, "small", "", "", "'allocatable':{'cpu':'1','memory':'1Gi','pods':'110'}");
	cluster_placed(&k, "a", "", ASKS("10", "4"));
	cluster_placed(&k, "b", "", ASKS("10", "3"));
	cluster_placed(&k, "b", "", ASKS("1", "1"));
	assert_int_equal(preempt(&k, cluster_pod(&k, "", ASKS("10", "2")), NULL, 0, &why, &v), -ENOENT);
	assert_string_equal(why.p, "preemption: 0/3 nodes are available: 1 Insufficient cpu, 1 No preemption victims found for incoming pod, "
				   "1 Preemption is not helpful for scheduling.");
	assert_int_equal(preempt(&k, cluster_pod(&k, "", "'preemptionPolicy':'Never'," ASKS("20", "2")), NULL, 0, &never, &v), -ENOENT);
	assert_string_equal(never.p, "preemption: not eligible due to preemptionPolicy=Never.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_more_go_than_must),
		cmocka_unit_test(the_least_harm_is_chosen),
		cmocka_unit_test(of_equals_the_lower_sum_then_the_fewer),
		cmocka_unit_test(budgets_are_kept_where_that_is_possible),
		cmocka_unit_test(it_says_why_it_does_not_help),
	};

	return cmocka_run_group_tests_name("control/scheduler/preempt", tests, NULL, NULL);
}
