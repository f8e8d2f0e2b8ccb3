/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#define KIND "ReplicaSet"
#include "workload_fixture.h"

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
	};

	EACH_CREATE(examples);
}

static void selector_stays(void **state)
{
	check_selector_stays();
}

static void status_adds_up(void **state)
{
	struct xb_tree *rs = created(OBJECT(SELECTOR "," TEMPLATE));

	assert_string_equal(text_of(xb_tree_get(rs, "status")), "{'replicas':0}");
	assert_string_equal(fault_of_status(rs, "{'replicas':1,'readyReplicas':1,'availableReplicas':2}"),
		"status.availableReplicas: Invalid value: 2: cannot be greater than status.replicas\n"
		"status.availableReplicas: Invalid value: 2: cannot be greater than readyReplicas");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_specs, setup, teardown),
		cmocka_unit_test_setup_teardown(selector_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(status_adds_up, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
