/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../cluster.h"

#define NO "1 node(s) didn't match Pod's node affinity/selector"
#define TERMS(terms) "'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':{'nodeSelectorTerms':[" terms "]}}}"
#define EXPRESSION(key, op, values) TERMS("{'matchExpressions':[{'key':'" key "','operator':'" op "','values':[" values "]}]}")

static void selectors_choose_nodes(void **state)
{
	static const char labels[] = "'disk':'ssd','cpus':'16','zone':'a'";
	static const struct cluster_case cases[] = {
		{ labels, "", "", NULL, "'nodeSelector':{'disk':'ssd'}", NULL },
		{ labels, "", "", NULL, "'nodeSelector':{'disk':'hdd'}", NO },
		{ labels, "", "", NULL, "'nodeSelector':{'disk':'ssd','gpu':'x'}", NO },
		{ labels, "", "", NULL, EXPRESSION("disk", "In", "'hdd','ssd'"), NULL },
		{ labels, "", "", NULL, EXPRESSION("disk", "In", "'hdd'"), NO },
		{ labels, "", "", NULL, EXPRESSION("disk", "NotIn", "'ssd'"), NO },
		{ labels, "", "", NULL, EXPRESSION("gpu", "NotIn", "'x'"), NULL },
		{ labels, "", "", NULL, EXPRESSION("disk", "Exists", ""), NULL },
		{ labels, "", "", NULL, EXPRESSION("gpu", "Exists", ""), NO },
		{ labels, "", "", NULL, EXPRESSION("gpu", "DoesNotExist", ""), NULL },
		{ labels, "", "", NULL, EXPRESSION("cpus", "Gt", "'8'"), NULL },
		{ labels, "", "", NULL, EXPRESSION("cpus", "Gt", "'16'"), NO },
		{ labels, "", "", NULL, EXPRESSION("cpus", "Lt", "'32'"), NULL },
		{ labels, "", "", NULL, EXPRESSION("disk", "Lt", "'32'"), NO },
		{ labels, "", "", NULL, TERMS("{'matchExpressions':[{'key':'gpu','operator':'Exists'}]},{'matchExpressions':[{'key':'disk','operator':'Exists'}]}"), NULL },
		{ labels, "", "", NULL, TERMS("{'matchExpressions':[{'key':'disk','operator':'Exists'},{'key':'gpu','operator':'Exists'}]}"), NO },
		{ labels, "", "", NULL, TERMS("{}"), NO },
		{ labels, "", "", NULL, "'nodeSelector':{'zone':'b'}," EXPRESSION("disk", "Exists", ""), NO },
		{ labels, "", "", NULL, TERMS("{'matchFields':[{'key':'metadata.name','operator':'In','values':['n1']}]}"), NULL },
		{ labels, "", "", NULL, TERMS("{'matchFields':[{'key':'metadata.name','operator':'In','values':['n2']}]}"),
		  "1 node(s) didn't satisfy plugin(s) [NodeAffinity]" },
	};

	cluster_assert_cases(cases, ARRAY_SIZE(cases));
}

static void weights_add_up(void **state)
{
	_cleanup_cluster_ struct cluster k = {};
	static const char prefers[] = "'affinity':{'nodeAffinity':{'preferredDuringSchedulingIgnoredDuringExecution':["
		"{'weight':5,'preference':{'matchExpressions':[{'key':'a','operator':'Exists'}]}},"
		"{'weight':3,'preference':{'matchExpressions':[{'key':'b','operator':'Exists'}]}},"
		"{'weight':3,'preference':{'matchExpressions':[{'key':'c','operator':'Exists'}]}}]}}";

	cluster_init(&k);
	cluster_node(&k, "five", "'a':''", "", "");
	cluster_node(&k, "six", "'b':'','c':''", "", "");
	cluster_node(&k, "none", "", "", "");
	for (int i = 0; i < 8; i++)
		assert_string_equal(cluster_pick(&k, cluster_pod(&k, "", prefers)), "six");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selectors_choose_nodes),
		cmocka_unit_test(weights_add_up),
	};

	return cmocka_run_group_tests_name("control/scheduler/plugins/node_affinity", tests, NULL, NULL);
}
