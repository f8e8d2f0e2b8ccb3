/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../cluster.h"

#define TAINT "'taints':[{'key':'k','value':'v','effect':'NoSchedule'}]"

static void taints_keep_pods_out(void **state)
{
	static const struct cluster_case cases[] = {
		{ "", TAINT, "", NULL, "", "1 node(s) had untolerated taint {k: v}" },
		{ "", "'taints':[{'key':'k','effect':'NoExecute'}]", "", NULL, "", "1 node(s) had untolerated taint {k: }" },
		{ "", "'taints':[{'key':'k','effect':'PreferNoSchedule'}]", "", NULL, "", NULL },
		{ "", TAINT, "", NULL, "'tolerations':[{'key':'k','value':'v','effect':'NoSchedule'}]", NULL },
		{ "", TAINT, "", NULL, "'tolerations':[{'key':'k','operator':'Equal','value':'v'}]", NULL },
		{ "", TAINT, "", NULL, "'tolerations':[{'key':'k','value':'w'}]", "1 node(s) had untolerated taint {k: v}" },
		{ "", TAINT, "", NULL, "'tolerations':[{'key':'k','operator':'Exists','effect':'NoExecute'}]", "1 node(s) had untolerated taint {k: v}" },
		{ "", TAINT, "", NULL, "'tolerations':[{'key':'k','operator':'Exists'}]", NULL },
		{ "", TAINT, "", NULL, "'tolerations':[{'operator':'Exists'}]", NULL },
	};

	cluster_assert_cases(cases, ARRAY_SIZE(cases));
}

static void the_node_with_fewest_soft_taints_is_best(void **state)
{
	_cleanup_cluster_ struct cluster k = {};

	cluster_init(&k);
	cluster_node(&k, "two", "", "'taints':[{'key':'a','effect':'PreferNoSchedule'},{'key':'b','effect':'PreferNoSchedule'}]", "");
	cluster_node(&k, "one", "", "'taints':[{'key':'a','effect':'PreferNoSchedule'}]", "");
	for (int i = 0; i < 8; i++)
		assert_string_equal(cluster_pick(&k, cluster_pod(&k, "", "")), "one");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taints_keep_pods_out),
		cmocka_unit_test(the_node_with_fewest_soft_taints_is_best),
	};

	return cmocka_run_group_tests_name("control/scheduler/plugins/taint_toleration", tests, NULL, NULL);
}
