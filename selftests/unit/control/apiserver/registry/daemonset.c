/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#define KIND "DaemonSet"
#include "workload_fixture.h"

static void bad_specs(void **state)
{
	static const struct example examples[] = {
		{ OBJECT(TEMPLATE),
		  "spec.template.metadata.labels: Invalid value: map[string]string{\"app\":\"x\"}: `selector` does not match template `labels`" },
		{ OBJECT("'selector':{}," TEMPLATE),
		  "spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: empty selector is invalid for daemonset" },
		{ OBJECT("'selector':{'matchLabels':{'app':'y'}}," TEMPLATE),
		  "spec.template.metadata.labels: Invalid value: map[string]string{\"app\":\"x\"}: `selector` does not match template `labels`" },
		{ OBJECT("'selector':{'matchExpressions':[{'key':'app','operator':'Near'}]}," TEMPLATE),
		  "spec.selector.matchExpressions[0].operator: Invalid value: \"Near\": not a valid selector operator\n"
		  "spec.template.metadata.labels: Invalid value: map[string]string{\"app\":\"x\"}: `selector` does not match template `labels`" },
		{ OBJECT(SELECTOR ",'minReadySeconds':-1," TEMPLATE),
		  "spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0" },
		{ OBJECT(SELECTOR ",'template':{'metadata':{'labels':{'app':'x'}},'spec':{'restartPolicy':'Never','activeDeadlineSeconds':5,'containers':[{'name':'c','image':'i'}]}}"),
		  "spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\"\n"
		  "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in DaemonSet is not Supported" },
		{ OBJECT(SELECTOR ",'updateStrategy':{'type':'Blue'}," TEMPLATE),
		  "spec.updateStrategy.type: Unsupported value: \"Blue\": supported values: \"RollingUpdate\", \"OnDelete\"" },
		{ OBJECT(SELECTOR ",'updateStrategy':{'rollingUpdate':{'maxUnavailable':0}}," TEMPLATE),
		  "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0" },
		{ OBJECT(SELECTOR ",'updateStrategy':{'rollingUpdate':{'maxUnavailable':1,'maxSurge':1}}," TEMPLATE),
		  "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: intstr.IntOrString{Type:0, IntVal:1, StrVal:\"\"}: may not be set when maxUnavailable is non-zero" },
	};

	EACH_CREATE(examples);
}

static void selector_stays(void **state)
{
	check_selector_stays();
}

static void template_has_a_generation(void **state)
{
	struct xb_tree *d = created(OBJECT(SELECTOR "," TEMPLATE));

	assert_string_equal(text_of(xb_tree_path(d, "spec", "updateStrategy")), "{'type':'RollingUpdate','rollingUpdate':{'maxSurge':0,'maxUnavailable':1}}");
	assert_string_equal(text_of(xb_tree_path(d, "metadata", "annotations")), "{'deprecated.daemonset.template.generation':'1'}");
	d = updated(d, "{'spec':{'minReadySeconds':3}}");
	assert_string_equal(text_of(xb_tree_path(d, "metadata", "annotations")), "{'deprecated.daemonset.template.generation':'1'}");
	d = updated(d, "{'spec':{'template':{'spec':{'hostNetwork':true}}}}");
	assert_string_equal(text_of(xb_tree_path(d, "metadata", "annotations")), "{'deprecated.daemonset.template.generation':'2'}");
}

static void status_counts(void **state)
{
	struct xb_tree *d = created(OBJECT(SELECTOR "," TEMPLATE));

	assert_string_equal(fault_of_status(d, "{'numberReady':-1}"), "status.numberReady: Invalid value: -1: must be greater than or equal to 0");
}

static void rows(void **state)
{
	static const struct example examples[] = {
		{ "{'apiVersion':'apps/v1','kind':'DaemonSet','metadata':{'name':'d'},'spec':{'selector':{'matchLabels':{'a':'b'}},"
		  "'template':{'spec':{'nodeSelector':{'k':'v'},'containers':[{'name':'c','image':'i'}]}}},'status':{'desiredNumberScheduled':4,'numberReady':2}}",
		  "['d',4,0,2,0,0,'k=v','<unknown>','c','i','a=b']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_specs, setup, teardown),
		cmocka_unit_test_setup_teardown(selector_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(template_has_a_generation, setup, teardown),
		cmocka_unit_test_setup_teardown(status_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(rows, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
