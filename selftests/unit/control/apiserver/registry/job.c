/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define OBJECT(spec) "{'apiVersion':'batch/v1','kind':'Job','metadata':{'name':'j','namespace':'n','uid':'1-2'},'spec':{" spec "}}"
#define TEMPLATE "'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}"
#define RESTARTS(policy) "'template':{'spec':{" policy "'containers':[{'name':'c','image':'i'}]}}"

static void defaults(void **state)
{
	struct xb_tree *j = created(OBJECT(TEMPLATE));
	const char *labels = "{'batch.kubernetes.io/controller-uid':'1-2','batch.kubernetes.io/job-name':'j','controller-uid':'1-2','job-name':'j'}";
	struct xb_tree *again = decoded(xb_tree_copy(arena, j));

	assert_string_equal(text_of(xb_tree_path(j, "spec", "selector")), "{'matchLabels':{'controller-uid':'1-2'}}");
	assert_string_equal(text_of(xb_tree_path(again, "spec", "template", "metadata", "labels")), labels);
	assert_string_equal(text_of(xb_tree_path(again, "metadata", "labels")), labels);
	assert_string_equal(text_of(xb_tree_path(j, "spec", "completions")), "1");
	assert_string_equal(text_of(xb_tree_path(j, "spec", "backoffLimit")), "6");
	assert_null(xb_tree_path(created(OBJECT("'parallelism':2," TEMPLATE)), "spec", "completions"));
}

static void bad_specs(void **state)
{
	static const struct example examples[] = {
		{ OBJECT(RESTARTS("")),
		  "spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\"" },
		{ OBJECT("'parallelism':-1,'completions':-2," TEMPLATE),
		  "spec.parallelism: Invalid value: -1: must be greater than or equal to 0\n"
		  "spec.completions: Invalid value: -2: must be greater than or equal to 0" },
		{ OBJECT("'completionMode':'Indexed','parallelism':1," TEMPLATE),
		  "spec.completions: Required value: when completion mode is Indexed" },
		{ OBJECT("'completionMode':'Odd'," TEMPLATE),
		  "spec.completionMode: Unsupported value: \"Odd\": supported values: \"NonIndexed\", \"Indexed\"" },
		{ OBJECT("'selector':{'matchLabels':{'a':'b'}}," TEMPLATE),
		  "spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{\"a\":\"b\", \"controller-uid\":\"1-2\"}, "
		  "MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: `selector` not auto-generated\n"
		  "spec.template.metadata.labels: Invalid value: map[string]string{\"controller-uid\":\"1-2\", \"job-name\":\"j\", "
		  "\"batch.kubernetes.io/controller-uid\":\"1-2\", \"batch.kubernetes.io/job-name\":\"j\"}: `selector` does not match template `labels`" },
		{ OBJECT("'manualSelector':true," TEMPLATE),
		  "spec.selector: Required value\n"
		  "spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`" },
		{ OBJECT("'podFailurePolicy':{'rules':[{'action':'Panic','onExitCodes':{'operator':'In','values':[]}}]}," RESTARTS("'restartPolicy':'OnFailure',")),
		  "spec.podFailurePolicy.rules[0].action: Unsupported value: \"Panic\": supported values: \"Count\", \"FailIndex\", \"FailJob\", \"Ignore\"\n"
		  "spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: []string{}: at least one value is required\n"
		  "spec.template.spec.restartPolicy: Invalid value: \"OnFailure\": only \"Never\" is supported when podFailurePolicy is specified" },
		{ OBJECT("'managedBy':'me'," TEMPLATE),
		  "spec.managedBy: Invalid value: \"me\": must be a domain-prefixed path (such as \"acme.io/foo\")" },
	};

	EACH_CREATE(examples);
}

static void what_may_change(void **state)
{
	struct xb_tree *j = created(OBJECT(TEMPLATE)), *waiting = created(OBJECT("'suspend':true," TEMPLATE));

	assert_string_equal(fault_of_update(j, "{'spec':{'parallelism':4,'suspend':true}}"), "");
	assert_string_equal(fault_of_update(j, "{'spec':{'completions':4}}"), "spec.completions: Invalid value: 4: field is immutable");
	assert_string_equal(fault_of_update(waiting, "{'spec':{'template':{'spec':{'nodeSelector':{'a':'b'}}}}}"), "");
	assert_true(strstr(fault_of_update(j, "{'spec':{'template':{'spec':{'nodeSelector':{'a':'b'}}}}}"), "spec.template: Invalid value: "));
	assert_true(strstr(fault_of_update(waiting, "{'spec':{'template':{'spec':{'hostNetwork':true}}}}"), "field is immutable"));
	assert_true(strstr(fault_of_update(j, "{'spec':{'selector':{'matchLabels':{'job-name':'j'}}}}"), "field is immutable"));
	assert_string_equal(fault_of_status(j, "{'active':-1}"), "status.active: Invalid value: -1: must be greater than or equal to 0");
}

static void rows(void **state)
{
	static const struct example examples[] = {
		{ "{'apiVersion':'batch/v1','kind':'Job','metadata':{'name':'j'},'spec':{'completions':3,'selector':{'matchLabels':{'a':'b'}},'template':{'spec':{'containers':[{'name':'c','image':'i'}]}}},"
		  "'status':{'succeeded':1,'startTime':'2025-12-31T23:59:30Z'}}",
		  "['j','1/3','30s','<unknown>','c','i','a=b']" },
		{ "{'apiVersion':'batch/v1','kind':'Job','metadata':{'name':'j'},'spec':{'parallelism':2},'status':{'startTime':'2025-12-31T23:59:30Z','completionTime':'2025-12-31T23:59:35Z'}}",
		  "['j','0/1 of 2','5s','<unknown>','','','<none>']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(defaults, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_specs, setup, teardown),
		cmocka_unit_test_setup_teardown(what_may_change, setup, teardown),
		cmocka_unit_test_setup_teardown(rows, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
