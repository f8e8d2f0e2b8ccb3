/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define CD(spec) "{'apiVersion':'storage.k8s.io/v1','kind':'CSIDriver','metadata':{'name':'d'},'spec':{" spec "}}"

static void bad_inputs_are_refused(void **state)
{
	static const struct example examples[] = {
		{ CD(""),
		  "" },
		{ CD("'fsGroupPolicy':'x'"),
		  "spec.fsGroupPolicy: Unsupported value: \"x\": supported values: \"File\", \"None\", \"ReadWriteOnceWithFSType\"" },
		{ CD("'volumeLifecycleModes':['x']"),
		  "spec.volumeLifecycleModes: Unsupported value: \"x\": supported values: \"Ephemeral\", \"Persistent\"" },
		{ CD("'tokenRequests':[{'audience':'a','expirationSeconds':1},{'audience':'a'}]"),
		  "spec.tokenRequests[0].expirationSeconds: Invalid value: 1: may not specify a duration less than 10 minutes\n"
		  "spec.tokenRequests[1].audience: Duplicate value: \"a\"" },
	};

	EACH_CREATE(examples);
}

static void defaults_and_what_stays(void **state)
{
	struct xb_tree *d = created(CD(""));

	assert_string_equal(text_of(xb_tree_get(d, "spec")), "{'attachRequired':true,'fsGroupPolicy':'ReadWriteOnceWithFSType','podInfoOnMount':false,"
			    "'requiresRepublish':false,'seLinuxMount':false,'storageCapacity':false,'volumeLifecycleModes':['Persistent']}");
	assert_string_equal(fault_of_update(d, "{'spec':{'attachRequired':false}}"), "spec.attachedRequired: Invalid value: false: field is immutable");
}

static void tables(void **state)
{
	static const struct example examples[] = {
		{ CD("'attachRequired':true,'tokenRequests':[{'audience':'a'}]"),
		  "['d',true,false,false,'a',false,'<none>','<unknown>']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_inputs_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(defaults_and_what_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(tables, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
