/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#define KIND "Deployment"
#include "workload_fixture.h"

static void defaults(void **state)
{
	struct xb_tree *d = created(OBJECT(SELECTOR "," TEMPLATE)), *recreate = created(OBJECT(SELECTOR ",'strategy':{'type':'Recreate'}," TEMPLATE));

	assert_string_equal(text_of(xb_tree_path(d, "spec", "strategy")), "{'type':'RollingUpdate','rollingUpdate':{'maxUnavailable':'25%','maxSurge':'25%'}}");
	assert_string_equal(text_of(xb_tree_path(d, "spec", "replicas")), "1");
	assert_string_equal(text_of(xb_tree_path(d, "spec", "revisionHistoryLimit")), "10");
	assert_string_equal(text_of(xb_tree_path(d, "spec", "progressDeadlineSeconds")), "600");
	assert_string_equal(text_of(xb_tree_path(recreate, "spec", "strategy")), "{'type':'Recreate'}");
}

static void bad_specs(void **state)
{
	static const struct example examples[] = {
		{ OBJECT(TEMPLATE),
		  "spec.selector: Required value\n"
		  "spec.template.metadata.labels: Invalid value: map[string]string{\"app\":\"x\"}: `selector` does not match template `labels`" },
		{ OBJECT("'selector':{}," TEMPLATE),
		  "spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: empty selector is invalid for deployment" },
		{ OBJECT("'selector':{'matchLabels':{'app':'y'}}," TEMPLATE),
		  "spec.template.metadata.labels: Invalid value: map[string]string{\"app\":\"x\"}: `selector` does not match template `labels`" },
		{ OBJECT("'selector':{'matchExpressions':[{'key':'app','operator':'Near'}]}," TEMPLATE),
		  "spec.selector.matchExpressions[0].operator: Invalid value: \"Near\": not a valid selector operator\n"
		  "spec.template.metadata.labels: Invalid value: map[string]string{\"app\":\"x\"}: `selector` does not match template `labels`" },
		{ OBJECT(SELECTOR ",'minReadySeconds':-1," TEMPLATE),
		  "spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0" },
		{ OBJECT(SELECTOR ",'template':{'metadata':{'labels':{'app':'x'}},'spec':{'restartPolicy':'Never','activeDeadlineSeconds':5,'containers':[{'name':'c','image':'i'}]}}"),
		  "spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\"\n"
		  "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported" },
		{ OBJECT(SELECTOR ",'replicas':-3," TEMPLATE),
		  "spec.replicas: Invalid value: -3: must be greater than or equal to 0" },
		{ OBJECT(SELECTOR ",'strategy':{'type':'Recreate','rollingUpdate':{'maxSurge':1}}," TEMPLATE),
		  "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'" },
		{ OBJECT(SELECTOR ",'strategy':{'type':'Blue'}," TEMPLATE),
		  "spec.strategy.type: Unsupported value: \"Blue\": supported values: \"Recreate\", \"RollingUpdate\"" },
		{ OBJECT(SELECTOR ",'strategy':{'rollingUpdate':{'maxSurge':0,'maxUnavailable':0}}," TEMPLATE),
		  "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: intstr.IntOrString{Type:0, IntVal:0, StrVal:\"\"}: may not be 0 when `maxSurge` is 0" },
		{ OBJECT(SELECTOR ",'strategy':{'rollingUpdate':{'maxUnavailable':'101%'}}," TEMPLATE),
		  "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: intstr.IntOrString{Type:1, IntVal:0, StrVal:\"101%\"}: must not be greater than 100%" },
		{ OBJECT(SELECTOR ",'strategy':{'rollingUpdate':{'maxSurge':'few'}}," TEMPLATE),
		  "spec.strategy.rollingUpdate.maxSurge: Invalid value: intstr.IntOrString{Type:1, IntVal:0, StrVal:\"few\"}: a valid percent string must be a numeric string "
		  "followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')" },
		{ OBJECT(SELECTOR ",'minReadySeconds':600," TEMPLATE),
		  "spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds" },
	};

	EACH_CREATE(examples);
}

static void selector_stays(void **state)
{
	check_selector_stays();
}

static void status_adds_up(void **state)
{
	struct xb_tree *d = created(OBJECT(SELECTOR "," TEMPLATE));

	assert_string_equal(fault_of_status(d, "{'replicas':3,'updatedReplicas':3,'readyReplicas':2,'availableReplicas':2}"), "");
	assert_string_equal(fault_of_status(d, "{'replicas':1,'readyReplicas':2,'unavailableReplicas':-1}"),
		"status.unavailableReplicas: Invalid value: -1: must be greater than or equal to 0\n"
		"status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas");
}

static void rows(void **state)
{
	static const struct example examples[] = {
		{ "{'apiVersion':'apps/v1','kind':'Deployment','metadata':{'name':'d'},'spec':{'replicas':3,'selector':{'matchLabels':{'a':'b'},"
		  "'matchExpressions':[{'key':'c','operator':'In','values':['d','e']}]},'template':{'spec':{'containers':[{'name':'c','image':'i'}]}}},"
		  "'status':{'readyReplicas':2,'updatedReplicas':3,'availableReplicas':1}}",
		  "['d','2/3',3,1,'<unknown>','c','i','a=b,c in (d,e)']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(defaults, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_specs, setup, teardown),
		cmocka_unit_test_setup_teardown(selector_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(status_adds_up, setup, teardown),
		cmocka_unit_test_setup_teardown(rows, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
