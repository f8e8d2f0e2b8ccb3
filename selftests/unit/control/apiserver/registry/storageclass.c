/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define SC(rest) "{'apiVersion':'storage.k8s.io/v1','kind':'StorageClass','metadata':{'name':'c'}," rest "}"
#define P "'provisioner':'Acme.io/disk'"

static void bad_inputs_are_refused(void **state)
{
	static const struct example examples[] = {
		{ SC(P),
		  "" },
		{ SC("'parameters':{'a':'b'}"),
		  "provisioner: Required value" },
		{ SC(P ",'reclaimPolicy':'Recycle'"),
		  "reclaimPolicy: Unsupported value: \"Recycle\": supported values: \"Delete\", \"Retain\"" },
		{ SC(P ",'volumeBindingMode':'x'"),
		  "volumeBindingMode: Unsupported value: \"x\": supported values: \"Immediate\", \"WaitForFirstConsumer\"" },
		{ SC(P ",'parameters':{'':'x'}"),
		  "parameters: Invalid value: \"\": field can not be empty." },
		{ SC(P ",'allowedTopologies':[{'matchLabelExpressions':[{'key':'a','values':[]},{'key':'a','values':['1','1']}]}]"),
		  "allowedTopologies[0].matchLabelExpressions[0].values: Required value\n"
		  "allowedTopologies[0].matchLabelExpressions[1].values[1]: Duplicate value: \"1\"\n"
		  "allowedTopologies[0].matchLabelExpressions[1].key: Duplicate value: \"a\"" },
	};

	EACH_CREATE(examples);
}

static void what_volumes_rest_on_stays(void **state)
{
	struct xb_tree *c = created(SC(P ",'parameters':{'a':'b'}"));

	assert_string_equal(text_of(xb_tree_get(c, "reclaimPolicy")), "'Delete'");
	assert_string_equal(text_of(xb_tree_get(c, "volumeBindingMode")), "'Immediate'");
	assert_string_equal(fault_of_update(c, "{'parameters':{'a':'c'}}"), "parameters: Forbidden: updates to parameters are forbidden.");
	assert_string_equal(fault_of_update(c, "{'provisioner':'x'}"), "provisioner: Forbidden: updates to provisioner are forbidden.");
	assert_string_equal(fault_of_update(c, "{'reclaimPolicy':'Retain'}"), "reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden.");
	assert_string_equal(fault_of_update(c, "{'volumeBindingMode':'WaitForFirstConsumer'}"),
			    "volumeBindingMode: Invalid value: \"WaitForFirstConsumer\": field is immutable");
	updated(c, "{'allowVolumeExpansion':true}");
}

static void tables(void **state)
{
	static const struct example examples[] = {
		{ SC(P ",'reclaimPolicy':'Delete','volumeBindingMode':'Immediate'"),
		  "['c','Acme.io/disk','Delete','Immediate',false,'<unknown>']" },
		{ "{'apiVersion':'storage.k8s.io/v1','kind':'StorageClass','metadata':{'name':'c','annotations':{'storageclass.kubernetes.io/is-default-class':'true'}}}",
		  "['c (default)','','Delete','<unset>',false,'<unknown>']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_inputs_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(what_volumes_rest_on_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(tables, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
