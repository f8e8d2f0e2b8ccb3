/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define RC(spec) "{'apiVersion':'v1','kind':'ReplicationController','metadata':{'name':'r','namespace':'n'},'spec':{" spec "}}"
#define TEMPLATE "'template':{'metadata':{'labels':{'app':'nginx'}},'spec':{'containers':[{'name':'c','image':'nginx'}]}}"

static void defaults_come_from_the_template(void **state)
{
	struct xb_tree *rc = created(RC(TEMPLATE));

	assert_string_equal(text_of(xb_tree_path(rc, "spec", "selector")), "{'app':'nginx'}");
	assert_string_equal(text_of(xb_tree_path(rc, "metadata", "labels")), "{'app':'nginx'}");
	assert_string_equal(text_of(xb_tree_path(rc, "spec", "replicas")), "1");
	assert_string_equal(text_of(xb_tree_get(rc, "status")), "{'replicas':0}");
	assert_string_equal(text_of(xb_tree_get(xb_tree_path(rc, "spec", "template", "spec", "containers")->first, "imagePullPolicy")), "'Always'");
}

static void bad_specs(void **state)
{
	static const struct example examples[] = {
		{ RC("'replicas':1"), "spec.selector: Required value\nspec.template: Required value" },
		{ RC("'replicas':-2," TEMPLATE), "spec.replicas: Invalid value: -2: must be greater than or equal to 0" },
		{ RC("'selector':{'app':'other'}," TEMPLATE),
		  "spec.template.metadata.labels: Invalid value: map[string]string{\"app\":\"nginx\"}: `selector` does not match template `labels`" },
		{ RC("'template':{'metadata':{'labels':{'a':'b'}},'spec':{'restartPolicy':'Never','containers':[{'name':'c'}]}}"),
		  "spec.template.spec.containers[0].image: Required value\n"
		  "spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\"" },
	};

	EACH_CREATE(examples);
}

static void status_adds_up(void **state)
{
	struct xb_tree *rc = created(RC(TEMPLATE));

	assert_string_equal(fault_of_status(rc, "{'replicas':3,'readyReplicas':2,'availableReplicas':2}"), "");
	assert_string_equal(fault_of_status(rc, "{'replicas':1,'readyReplicas':2,'availableReplicas':-1}"),
		"status.availableReplicas: Invalid value: -1: must be greater than or equal to 0\n"
		"status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas");
}

static void rows(void **state)
{
	static const struct example examples[] = {
		{ "{'apiVersion':'v1','kind':'ReplicationController','metadata':{'name':'r'},'spec':{'replicas':2,'selector':{'a':'b'},"
		  "'template':{'spec':{'containers':[{'name':'c','image':'i'},{'name':'d','image':'j'}]}}},'status':{'replicas':1}}",
		  "['r',2,1,0,'<unknown>','c,d','i,j','a=b']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(defaults_come_from_the_template, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_specs, setup, teardown),
		cmocka_unit_test_setup_teardown(status_adds_up, setup, teardown),
		cmocka_unit_test_setup_teardown(rows, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
