/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#define KIND "StatefulSet"
#include "workload_fixture.h"

static void bad_specs(void **state)
{
	static const struct example examples[] = {
		{ OBJECT(TEMPLATE),
		  "spec.selector: Required value\n"
		  "spec.template.metadata.labels: Invalid value: map[string]string{\"app\":\"x\"}: `selector` does not match template `labels`" },
		{ OBJECT("'selector':{}," TEMPLATE),
		  "spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: empty selector is invalid for statefulset" },
		{ OBJECT("'selector':{'matchLabels':{'app':'y'}}," TEMPLATE),
		  "spec.template.metadata.labels: Invalid value: map[string]string{\"app\":\"x\"}: `selector` does not match template `labels`" },
		{ OBJECT("'selector':{'matchExpressions':[{'key':'app','operator':'Near'}]}," TEMPLATE),
		  "spec.selector.matchExpressions[0].operator: Invalid value: \"Near\": not a valid selector operator\n"
		  "spec.template.metadata.labels: Invalid value: map[string]string{\"app\":\"x\"}: `selector` does not match template `labels`" },
		{ OBJECT(SELECTOR ",'minReadySeconds':-1," TEMPLATE),
		  "spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0" },
		{ OBJECT(SELECTOR ",'template':{'metadata':{'labels':{'app':'x'}},'spec':{'restartPolicy':'Never','activeDeadlineSeconds':5,'containers':[{'name':'c','image':'i'}]}}"),
		  "spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\"\n"
		  "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in StatefulSet is not Supported" },
		{ OBJECT(SELECTOR ",'podManagementPolicy':'Random'," TEMPLATE),
		  "spec.podManagementPolicy: Invalid value: \"Random\": must be 'OrderedReady' or 'Parallel'" },
		{ OBJECT(SELECTOR ",'updateStrategy':{'rollingUpdate':{'partition':-1}}," TEMPLATE),
		  "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0" },
		{ OBJECT(SELECTOR ",'ordinals':{'start':-1}," TEMPLATE),
		  "spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0" },
		{ OBJECT(SELECTOR ",'persistentVolumeClaimRetentionPolicy':{'whenScaled':'Shred'}," TEMPLATE),
		  "spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: \"Shred\": supported values: \"Retain\", \"Delete\"" },
	};

	EACH_CREATE(examples);
}

static void claims_say_what_they_are(void **state)
{
	struct xb_tree *s = created(OBJECT(SELECTOR ",'volumeClaimTemplates':[{'metadata':{'name':'data'}}]," TEMPLATE));

	assert_string_equal(text_of(xb_tree_path(s, "spec", "volumeClaimTemplates")),
		"[{'metadata':{'name':'data'},'spec':{'resources':{},'volumeMode':'Filesystem'},'status':{'phase':'Pending'},'apiVersion':'v1','kind':'PersistentVolumeClaim'}]");
}

static void what_may_change(void **state)
{
	struct xb_tree *s = created(OBJECT(SELECTOR ",'serviceName':'svc'," TEMPLATE));

	assert_string_equal(text_of(xb_tree_path(s, "spec", "updateStrategy")), "{'type':'RollingUpdate','rollingUpdate':{'partition':0}}");
	assert_string_equal(fault_of_update(s, "{'spec':{'replicas':4,'minReadySeconds':2,'template':{'spec':{'hostNetwork':true}}}}"), "");
	assert_string_equal(fault_of_update(s, "{'spec':{'serviceName':'other'}}"),
		"spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
		"'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
}

static void status_adds_up(void **state)
{
	struct xb_tree *s = created(OBJECT(SELECTOR "," TEMPLATE));

	assert_string_equal(fault_of_status(s, "{'replicas':2,'readyReplicas':1,'availableReplicas':2}"),
		"status.availableReplicas: Invalid value: 2: cannot be greater than status.readyReplicas");
	s = xb_tree_copy(arena, s);
	xb_tree_setc(xb_tree_get(s, "status"), "collisionCount", xb_tree_int(arena, 3));
	assert_string_equal(fault_of_status(s, "{'replicas':2,'collisionCount':2}"), "status.collisionCount: Invalid value: 2: cannot be decremented");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_specs, setup, teardown),
		cmocka_unit_test_setup_teardown(claims_say_what_they_are, setup, teardown),
		cmocka_unit_test_setup_teardown(what_may_change, setup, teardown),
		cmocka_unit_test_setup_teardown(status_adds_up, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
