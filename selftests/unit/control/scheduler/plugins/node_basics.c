/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../cluster.h"

static void cordons_names_and_ports(void **state)
{
	static const struct cluster_case cases[] = {
		{ "", "'unschedulable':true", "", NULL, "", "1 node(s) were unschedulable" },
		{ "", "'unschedulable':true", "", NULL, "'tolerations':[{'key':'node.kubernetes.io/unschedulable','operator':'Exists'}]", NULL },
		{ "", "'unschedulable':true", "", NULL, "'tolerations':[{'operator':'Exists'}]", NULL },
		{ "", "", "", NULL, "'nodeName':'n1'", NULL },
		{ "", "", "", NULL, "'nodeName':'n2'", "1 node(s) didn't match the requested node name" },
		{ "", "", "", "'containers':[{'ports':[{'hostPort':80}]}]", "'containers':[{'ports':[{'hostPort':80}]}]",
		  "1 node(s) didn't have free ports for the requested pod ports" },
		{ "", "", "", "'containers':[{'ports':[{'hostPort':80}]}]", "'containers':[{'ports':[{'hostPort':81}]}]", NULL },
		{ "", "", "", "'containers':[{'ports':[{'hostPort':80}]}]", "'containers':[{'ports':[{'hostPort':80,'protocol':'UDP'}]}]", NULL },
		{ "", "", "", "'containers':[{'ports':[{'hostPort':80,'hostIP':'10.0.0.1'}]}]",
		  "'containers':[{'ports':[{'hostPort':80,'hostIP':'10.0.0.2'}]}]", NULL },
		{ "", "", "", "'containers':[{'ports':[{'hostPort':80,'hostIP':'10.0.0.1'}]}]",
		  "'containers':[{'ports':[{'hostPort':80,'hostIP':'0.0.0.0'}]}]", "1 node(s) didn't have free ports for the requested pod ports" },
		{ "", "", "", "'initContainers':[{'restartPolicy':'Always','ports':[{'hostPort':80}]}]", "'containers':[{'ports':[{'hostPort':80}]}]",
		  "1 node(s) didn't have free ports for the requested pod ports" },
	};

	cluster_assert_cases(cases, ARRAY_SIZE(cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cordons_names_and_ports),
	};

	return cmocka_run_group_tests_name("control/scheduler/plugins/node_basics", tests, NULL, NULL);
}
