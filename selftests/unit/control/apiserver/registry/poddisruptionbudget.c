/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define OBJECT(spec) "{'apiVersion':'policy/v1','kind':'PodDisruptionBudget','metadata':{'name':'p','namespace':'n'},'spec':{" spec "}}"

static void bad_specs(void **state)
{
	static const struct example examples[] = {
		{ OBJECT("'minAvailable':-1"),
		  "spec.minAvailable: Invalid value: -1: must be greater than or equal to 0" },
		{ OBJECT("'maxUnavailable':'200%'"),
		  "spec.maxUnavailable: Invalid value: intstr.IntOrString{Type:1, IntVal:0, StrVal:\"200%\"}: must not be greater than 100%" },
		{ OBJECT("'minAvailable':1,'maxUnavailable':1"),
		  "spec: Invalid value: {\"maxUnavailable\":1,\"minAvailable\":1}: minAvailable and maxUnavailable cannot be both set" },
		{ OBJECT("'unhealthyPodEvictionPolicy':'Never'"),
		  "spec.unhealthyPodEvictionPolicy: Unsupported value: \"Never\": supported values: \"AlwaysAllow\", \"IfHealthyBudget\"" },
		{ OBJECT("'selector':{'matchExpressions':[{'key':'a','operator':'In'}]}"),
		  "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'" },
	};

	EACH_CREATE(examples);
}

static void status(void **state)
{
	struct xb_tree *p = created(OBJECT("'minAvailable':'50%'"));

	assert_string_equal(text_of(xb_tree_get(p, "status")), "{'currentHealthy':0,'desiredHealthy':0,'disruptionsAllowed':0,'expectedPods':0}");
	assert_string_equal(fault_of_status(p, "{'disruptionsAllowed':-1}"), "status.disruptionsAllowed: Invalid value: -1: must be greater than or equal to 0");
}

static void rows(void **state)
{
	static const struct example examples[] = {
		{ "{'apiVersion':'policy/v1','kind':'PodDisruptionBudget','metadata':{'name':'p'},'spec':{'minAvailable':2},'status':{'disruptionsAllowed':1}}",
		  "['p','2','N/A',1,'<unknown>']" },
		{ "{'apiVersion':'policy/v1','kind':'PodDisruptionBudget','metadata':{'name':'p'},'spec':{'maxUnavailable':'50%'}}",
		  "['p','N/A','50%',0,'<unknown>']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_specs, setup, teardown),
		cmocka_unit_test_setup_teardown(status, setup, teardown),
		cmocka_unit_test_setup_teardown(rows, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
