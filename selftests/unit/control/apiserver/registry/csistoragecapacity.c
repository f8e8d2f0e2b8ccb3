/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define SC(rest) "{'apiVersion':'storage.k8s.io/v1','kind':'CSIStorageCapacity','metadata':{'name':'c','namespace':'n'},'storageClassName':'s'" rest "}"

static void bad_inputs_are_refused(void **state)
{
	static const struct example examples[] = {
		{ SC(",'capacity':'1Gi'"),
		  "" },
		{ SC(",'capacity':'-1','maximumVolumeSize':'-2'"),
		  "capacity: Invalid value: \"-1\": must be greater than or equal to 0\n"
		  "maximumVolumeSize: Invalid value: \"-2\": must be greater than or equal to 0" },
		{ SC(",'nodeTopology':{'matchExpressions':[{'key':'a','operator':'x'}]}"),
		  "nodeTopology.matchExpressions[0].operator: Invalid value: \"x\": not a valid selector operator" },
	};

	EACH_CREATE(examples);
}

static void the_class_stays(void **state)
{
	assert_string_equal(fault_of_update(created(SC("")), "{'storageClassName':'t'}"), "storageClassName: Invalid value: \"t\": field is immutable");
}

static void tables(void **state)
{
	static const struct example examples[] = {
		{ SC(""),
		  "['c','s','<unset>','<unknown>']" },
		{ SC(",'capacity':'1Gi'"),
		  "['c','s','1Gi','<unknown>']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_inputs_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(the_class_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(tables, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
