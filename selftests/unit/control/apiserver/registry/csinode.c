/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define CN(drivers) "{'apiVersion':'storage.k8s.io/v1','kind':'CSINode','metadata':{'name':'n'},'spec':{'drivers':[" drivers "]}}"

static void bad_inputs_are_refused(void **state)
{
	static const struct example examples[] = {
		{ CN(""),
		  "" },
		{ CN("{'name':'d','nodeID':'i','topologyKeys':['a'],'allocatable':{'count':1}}"),
		  "" },
		{ CN("{'name':'d','nodeID':''},{'name':'d','nodeID':'i','allocatable':{'count':-1}}"),
		  "spec.drivers[0].nodeID: Required value\n"
		  "spec.drivers[1].allocatable.count: Invalid value: -1: must be greater than or equal to 0\n"
		  "spec.drivers[1].name: Duplicate value: \"d\"" },
		{ CN("{'name':'d','nodeID':'i','topologyKeys':['a','a']}"),
		  "spec.drivers[0]: Duplicate value: \"a\"" },
	};

	EACH_CREATE(examples);
}

static void a_driver_keeps_its_identity(void **state)
{
	struct xb_tree *n = created(CN("{'name':'d','nodeID':'i'}"));

	assert_string_equal(fault_of_update(n, "{'spec':{'drivers':[{'name':'d','nodeID':'j'}]}}"),
			    "spec.drivers[0].nodeID: Invalid value: \"j\": field is immutable");
	updated(n, "{'spec':{'drivers':[]}}");
}

static void tables(void **state)
{
	static const struct example examples[] = {
		{ CN("{'name':'d'},{'name':'e'}"),
		  "['n',2,'<unknown>']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_inputs_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_driver_keeps_its_identity, setup, teardown),
		cmocka_unit_test_setup_teardown(tables, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
