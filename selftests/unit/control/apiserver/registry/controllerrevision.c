/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define OBJECT(fields) "{'apiVersion':'apps/v1','kind':'ControllerRevision','metadata':{'name':'d','namespace':'n'}," fields "}"

static void bad_objects(void **state)
{
	static const struct example examples[] = {
		{ OBJECT("'revision':1"),
		  "data: Required value: data is mandatory" },
		{ OBJECT("'revision':-1,'data':{'a':1}"),
		  "revision: Invalid value: -1: must be greater than or equal to 0" },
	};

	EACH_CREATE(examples);
}

static void data_stays(void **state)
{
	struct xb_tree *c = created(OBJECT("'revision':1,'data':{'a':'b'}"));

	assert_string_equal(fault_of_update(c, "{'revision':2}"), "");
	assert_string_equal(fault_of_update(c, "{'data':{'a':'c'}}"), "data: Invalid value: map[string]string{\"a\":\"c\"}: field is immutable");
}

static void rows(void **state)
{
	static const struct example examples[] = {
		{ "{'apiVersion':'apps/v1','kind':'ControllerRevision','metadata':{'name':'d','ownerReferences':[{'apiVersion':'apps/v1','kind':'DaemonSet','name':'x','controller':true}]},'revision':7}",
		  "['d','daemonset.apps/x',7,'<unknown>']" },
		{ "{'apiVersion':'apps/v1','kind':'ControllerRevision','metadata':{'name':'d'}}",
		  "['d','<none>',0,'<unknown>']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_objects, setup, teardown),
		cmocka_unit_test_setup_teardown(data_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(rows, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
